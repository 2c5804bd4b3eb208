"""Spectra that bend near zero, either way; slow modulation; what it costs where they are flat."""

import numpy as np
import pytest
from scipy import special
from scipy.signal import lfilter
from series import LEAST, ar1, moving_average

from lyapnet.spectrum.uncertainty.cosines import cosine_power
from lyapnet.spectrum.uncertainty.diagnosis import diagnose
from lyapnet.spectrum.uncertainty.low_frequencies import (
    at_the_ends,
    at_zero,
    falls,
    number_of_cosines,
    with_the_next,
)
from lyapnet.spectrum.uncertainty.stderr import mean_and_stderr


def summary(growth):
    """Return how often intervals hold the mean 1, and their median width over the ideal one."""
    estimate = mean_and_stderr(growth + 1.0, np.ones(len(growth)))
    error = np.abs(growth.mean(axis=0))
    half = estimate.half_width()
    ideal = 1.96 * np.sqrt(np.mean(error**2))
    return np.mean(error <= half), np.median(half) / ideal, estimate


def linz_sprott(members, n_blocks, dt=0.05, per_block=10):
    """Growth (n_blocks, members) of x''' = -0.6 x'' - x' - |x| + 1, in half time units."""

    def field(z):
        x, y, w, u, v, q = z
        return np.array([y, w, -0.6 * w - y - np.abs(x) + 1, v, q, -0.6 * q - v - np.sign(x) * u])

    rng = np.random.default_rng(0)
    z = rng.standard_normal((6, members))
    z[:3] = [[0.0], [-0.7], [0.0]] + 1e-3 * z[:3]
    growth = np.empty((400 + n_blocks, members))
    for b in range(len(growth)):
        for _ in range(per_block):
            k1 = field(z)
            k2 = field(z + dt / 2 * k1)
            k3 = field(z + dt / 2 * k2)
            z = z + dt / 6 * (k1 + 2 * k2 + 2 * k3 + field(z + dt * k3))
        length = np.sqrt(np.sum(z[3:] ** 2, axis=0))
        growth[b] = np.log(length)
        z[3:] /= length
    return growth[400:]


# Before, 24 cosines reached beyond a slow component: 82 % of the intervals held the truth.
def test_slow_modulation_of_the_linz_sprott_flow():
    growth = linz_sprott(200, 2600)
    estimate = mean_and_stderr(growth, np.full(2600, 0.5))
    truth = 0.0371  # of 300 members over 8000 time units: error 0.0001
    low, high = estimate.confidence_interval()
    assert 0.92 <= np.mean((low <= truth) & (truth <= high)) <= 0.985
    # Too short for the slow component, of 25 time units: nothing is claimed.
    short = diagnose(growth[:1000, :60, None], np.full(1000, 0.5))
    assert not short.converged


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_slow_modulation_under_fast_anticorrelated_growth(share):
    rng = np.random.default_rng(0)
    n, rho = 2500, 0.96  # 100 independent steps' worth of the slow component
    fast = moving_average(rng, [1.0, -0.9], n)
    slow = ar1(rng, rho, n) * (1 - rho) * share
    held, width, _ = summary(fast + slow)
    assert 0.92 <= held <= 0.985
    assert 0.9 < width < 1.35


def swinging(rng, n, members=1000):
    """Growth that swings within a turn, nearly the increment of a bounded function."""
    noise = rng.standard_normal((n + 50, members))
    swing = lfilter([1.0], [1.0, -1.6, 0.9], noise, axis=0)[49:]
    return np.diff(swing, axis=0) + 0.1 * noise[50:]


def test_growth_that_swings_gets_no_interval_of_three_times_the_width():
    # Before: 1.9 and 1.2 times, held 100 %; as of the Lorenz system in runs of 50 time units.
    for n, most in ((500, 1.6), (4000, 1.6)):
        held, width, _ = summary(swinging(np.random.default_rng(1), n))
        assert held >= 0.92
        assert width < most


def test_logistic_growth_has_a_width_that_falls_as_1_over_time():
    from series import logistic

    rng = np.random.default_rng(2)
    short, long = (
        np.median(mean_and_stderr(logistic(rng, n), np.ones(n)).stderr) for n in (500, 4000)
    )
    assert short / long > 5


@pytest.mark.parametrize("n", [300, 3000])
def test_flat_spectra_keep_their_cosines(n):
    growth = np.random.default_rng(3).standard_normal((n, 2000))
    held, width, estimate = summary(growth)
    assert 0.93 <= held <= 0.97
    assert width < 1.1
    assert np.mean(estimate.dof > 20) > 0.7
    assert not estimate.too_short.any()


def test_the_ends_of_a_run_add_twice_to_cosines_what_they_add_to_the_mean():
    # growth φ_{b+1} - φ_b, of an AR(1) process φ of variance 1: the mean has one of nearly 2/n²
    rho, n, ones = 0.9, 4000, np.ones(4000)
    phi = ar1(np.random.default_rng(4), rho, n + 1, 500) * np.sqrt(1 - rho**2)
    growth = np.diff(phi, axis=0)
    power = cosine_power((growth - growth.mean(axis=0)).T, ones)
    level = power[:2].mean(axis=0)
    assert n * level.mean() == pytest.approx(4, rel=0.15)
    # two thirds of φ are within the 216 cosines that are looked at
    assert 0.9 < n * np.mean(at_the_ends(power, level)) < 2 * 2 / 3 * 1.1
    flat = cosine_power(np.random.default_rng(5).standard_normal((2000, 400)), ones[:400])
    level = flat[:8].mean(axis=0)
    assert np.mean(at_the_ends(flat, level) / level) < 0.1


def test_the_level_of_few_cosines_is_moved_towards_the_next():
    power = np.ones((40, 5))
    power[5:16] = [1.0, 2.0, 0.5, 100.0, 0.0]
    found = with_the_next(power, np.ones(5))
    np.testing.assert_allclose(found, np.exp([0, 0.3 * np.log(2), -0.3 * np.log(2), 0.42, 0]))
    assert np.all(with_the_next(np.zeros((40, 2)), np.zeros(2)) == 0)  # growth without noise
    np.testing.assert_array_equal(with_the_next(power[:15], np.ones(5)), 1.0)


def test_chance_makes_fewer_intervals_too_narrow():
    # White noise, and the increments of some more. Before, of the fifth of the runs whose next
    # cosines have most power beside the lowest five, 13 % missed the mean, and 8 % do now.
    rng = np.random.default_rng(0)
    hidden = rng.standard_normal((801, 2000))
    growth = rng.standard_normal((800, 2000)) + 3 * np.diff(hidden, axis=0)
    estimate = mean_and_stderr(growth + 1.0, np.ones(800))
    missed = np.abs(growth.mean(axis=0)) > estimate.half_width()
    power = cosine_power((growth - growth.mean(axis=0)).T, np.ones(800))
    ratio = power[5:16].mean(axis=0) / power[:5].mean(axis=0)
    most = ratio > np.quantile(ratio, 0.8)
    assert missed[most].mean() < 0.1


def test_the_level_at_zero_of_a_falling_spectrum():
    j = np.arange(1, 61)[:, None]
    truth = np.array([1.0, 2.0])
    level = truth + np.array([0.01, 0.05]) * j**2
    np.testing.assert_allclose(at_zero(level)[0], truth, rtol=0.02)  # the parabolas themselves
    power = level[:, None] * np.random.default_rng(0).chisquare(1, (60, 4000, 2))
    found, dof = at_zero(power.reshape(60, -1))
    found, dof = found.reshape(4000, 2), dof.reshape(4000, 2)
    np.testing.assert_allclose(found.mean(axis=0), truth, rtol=0.05)
    assert (np.median(dof, axis=0) < 7).all()  # of 48: most cosines tell of what rises
    # Student's t with these degrees has fair tails: the mean of a run is off by sqrt(truth) z.
    z = np.random.default_rng(1).standard_normal((4000, 2)) * np.sqrt(truth)
    held = np.abs(z) <= special.stdtrit(dof, 0.975) * np.sqrt(found)
    assert (held.mean(axis=0) > 0.93).all()
    assert (held.mean(axis=0) < 0.97).all()


# Before, a fall that chance had made was taken for one, in a third of the runs of 120 steps of the
# logistic map at 3.9, whose intervals held the exponent in 81 %; and of a short run's last band,
# which rises, nothing was seen.
def test_chance_is_not_taken_for_a_fall():
    power = np.ones((60, 3))
    power[:8] = [0.6, 0.4, 1.0]
    count = np.array([5, 5, 24])
    assert falls(power, count).tolist() == [False, True, False]
    assert not falls(power[:20], count).any()
    power[24:, 0] = 4.0
    steps = np.full(3, 1000.0)
    assert number_of_cosines(power, steps, steps)[0] == 5


@pytest.mark.parametrize(("rho", "n"), [(0.5, 400), (0.8, 1600)])
def test_swings_with_a_little_noise_have_fair_intervals(rho, n):
    # Noise and the increments of an AR(1) process, whose spectrum is a + b f² near zero. Before,
    # intervals were 1.45 and 1.42 times as wide as one by the actual error, and held it in 99 %.
    rng = np.random.default_rng(5)
    growth = rng.standard_normal((n, 2000)) + 5 * np.diff(ar1(rng, rho, n + 1), axis=0)
    held, width, estimate = summary(growth)
    assert LEAST <= held <= 0.985
    assert width < 1.4
    assert not estimate.too_short.any()
