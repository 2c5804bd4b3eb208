"""Where volumes are conserved, long stays near islands may be hidden: proof is asked for."""

import numpy as np
import pytest
from series import LEAST, MOST, ar1

import lyapnet as ln
from lyapnet.spectrum.uncertainty.conserved import conserved_volume, not_seen_flat
from lyapnet.spectrum.uncertainty.stderr import linear_stderr, mean_and_stderr

LENGTH = 1000
ONES = np.ones(LENGTH)


def mirrored(growth):
    """Two directions that conserve a volume."""
    return np.stack([growth, -growth], axis=-1)


def held(estimate, truth):
    low, high = estimate.confidence_interval()
    return np.mean((low <= truth) & (truth <= high))


@pytest.mark.parametrize("rho", [0.0, 0.5, -0.3, 0.8])
def test_strong_chaos_is_hardly_refused(rho):
    # Means over the run have the variance 1/(1 - ρ)²/n.
    growth = 1.0 + ar1(np.random.default_rng(0), rho, LENGTH)
    estimate = mean_and_stderr(mirrored(growth), ONES)
    alone = mean_and_stderr(growth, ONES)
    refused = estimate.too_short[:, 0]
    assert LEAST <= held(estimate, [1.0, -1.0]) <= MOST
    # Of those with uneven spectra, a few have sums that look bounded, and get their range.
    assert np.mean(np.isclose(estimate.stderr[:, 0], alone.stderr, rtol=1e-9) | refused) > 0.99
    assert refused.mean() - alone.too_short.mean() < 0.04  # the level of the test is 0.02


def test_slow_stays_under_fast_swings_are_refused():
    # Swings that cancel, and a component that takes a third of the run: one direction does not tell
    # of it, and two that conserve a volume are not believed.
    rng = np.random.default_rng(1)
    swings = np.diff(ar1(rng, 0.3, LENGTH + 1), axis=0)
    growth = 0.1 + swings + 0.01 * ar1(rng, 1 - 3 / LENGTH, LENGTH)
    assert held(mean_and_stderr(growth, ONES), 0.1) < 0.88
    estimate = mean_and_stderr(mirrored(growth), ONES)
    assert estimate.too_short.mean() > 0.9
    assert held(estimate, [0.1, -0.1]) > LEAST


def test_few_nats_are_refused():
    growth = 0.02 + 1e-3 * np.random.default_rng(2).standard_normal((LENGTH, 50))
    estimate = mean_and_stderr(mirrored(growth), ONES)  # 20 nats, more than a power of time has
    # Diffusing sums look bounded in 2 to 4 of 100 runs, and get their range for an error.
    assert estimate.too_short.mean() > 0.9
    assert not mean_and_stderr(growth, ONES).too_short.any()


def test_as_few_as_a_power_of_time_has_hold_zero_and_more():
    growth = 0.005 + 1e-3 * np.random.default_rng(3).standard_normal((LENGTH, 50))
    estimate = mean_and_stderr(mirrored(growth), ONES)
    assert not estimate.too_short.any()
    low, high = estimate.confidence_interval()
    assert (low < 0).all()
    assert (high > 0).all()
    np.testing.assert_allclose(estimate.half_width() * LENGTH, 2 * np.log(LENGTH + 1), rtol=1e-9)


def test_zero_exponents_beside_chaos_keep_their_errors():
    rng = np.random.default_rng(4)
    swings = np.diff(rng.standard_normal((LENGTH + 1, 50)), axis=0)
    growth = 1.0 + rng.standard_normal((LENGTH, 50))
    four = np.stack([growth, swings, -swings, -growth], axis=-1)
    estimate = mean_and_stderr(four, ONES)
    alone = mean_and_stderr(np.stack([growth, swings], axis=-1), ONES)
    np.testing.assert_allclose(estimate.stderr[:, 1], alone.stderr[:, 1], rtol=1e-9)


def test_what_conserves_a_volume():
    rng = np.random.default_rng(5)
    growth = 0.5 + rng.standard_normal((LENGTH, 4))
    bounded = np.diff(2 * np.sin(0.7 * np.arange(LENGTH + 1)))[:, None]
    pairs = {
        "exactly": (mirrored(growth), True),
        "to the integrator": (mirrored(growth) - [0.0, 1e-5], True),
        "in other coordinates": (np.stack([growth, bounded - growth], axis=-1), True),
        "friction": (mirrored(growth) - [0.0, 0.05], False),
        "contracts": (np.stack([growth, -1.2 - growth], axis=-1), False),
        "noise in the volume": (
            np.stack([growth, rng.standard_normal((LENGTH, 4)) - growth], axis=-1), False,
        ),
        "some of the directions": (np.stack([growth, growth * 0.1], axis=-1), False),
        "one": (growth[..., None], False),
        "singular": (mirrored(growth) - [0.0, np.inf], False),
    }  # fmt: skip
    for name, (pair, expected) in pairs.items():
        assert (conserved_volume(pair, ONES, LENGTH) == expected).all(), name


def test_the_test_of_flatness_is_calibrated():
    many = np.full(4000, 100.0)
    power = np.random.default_rng(6).chisquare(1, (216, 4000))
    assert 0.014 < np.mean(not_seen_flat(power, many)) < 0.028  # 0.02, three binomial errors
    j = np.arange(1, 217)[:, None]
    for shape in (j**-0.7, j**0.7, 0.2 + 4 / j + (j / 60) ** 2):
        assert np.mean(not_seen_flat(power * shape, many)) > 0.95


def test_combinations():
    growth = 0.02 + 1e-3 * np.random.default_rng(7).standard_normal(LENGTH)
    pair = mirrored(growth)
    assert linear_stderr(pair, ONES, [1.0, 0.0]).too_short
    assert linear_stderr(pair, ONES, [1.0, 1.0]).stderr < 1e-12  # the volume


def test_seas_with_islands_are_too_short_and_those_without_are_not():
    sticky = ln.lyapunov_spectrum(ln.catalog.standard(k=1.2), 20_000, x0=[0.05, 0.0], rng=0)
    assert sticky.diagnose().verdict.startswith("too short: volumes are conserved")
    heiles = ln.lyapunov_spectrum(ln.catalog.henon_heiles(), 200_000, rng=0)
    verdict = heiles.diagnose().verdict
    assert "the growth of exponents 1, 4 does not look free of long stays near islands" in verdict
    assert np.isfinite(heiles.stderr[1:3]).all()
    for system in (ln.catalog.standard(k=20.0), ln.catalog.cat(), ln.catalog.baker()):
        assert ln.lyapunov_spectrum(system, 2000, rng=0).diagnose().converged


def test_regular_orbits_are_not_too_short():
    torus = ln.lyapunov_spectrum(ln.catalog.standard(k=0.5), 2000, x0=[0.1, 2.0], rng=0)
    swing = ln.lyapunov_spectrum(ln.catalog.pendulum(), 20_000, rng=0)
    for s in (torus, swing):
        assert np.isfinite(s.stderr).all()
        low, high = s.confidence_interval()
        assert ((low < 0) & (high > 0)).all()


def test_a_thermostat_conserves_a_volume_in_other_coordinates():
    s = ln.lyapunov_spectrum(ln.catalog.nose_hoover(), 20_000, rng=0)
    assert conserved_volume(s.statistics.growth, s.statistics.durations, s.statistics.n_blocks)
    assert s.diagnose().verdict.startswith("too short: volumes are conserved")
