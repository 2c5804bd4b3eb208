"""Ensembles, drift and agreement: calibrated where a claim is made, and able to object."""

import numpy as np
import pytest
from series import LEAST, MOST, ar1

import lyapnet as ln
from lyapnet.spectrum.uncertainty.diagnosis import diagnose
from lyapnet.spectrum.uncertainty.drift import drift_pvalue, effective_sample_size, running
from lyapnet.spectrum.uncertainty.ensemble import (
    agreement_pvalue,
    common_drift,
    pooled,
    pooled_combination,
    split_r_hat,
)

ONES = np.ones(200)


def ensembles(rng, members, *, rho=0.5, n=200, replications=1000):
    """Replications stand in the place of exponents: (n, members, replications)."""
    return ar1(rng, rho, n, members * replications).reshape(n, members, replications)


def held(estimate):
    low, high = estimate.confidence_interval()
    return np.mean((low <= 0) & (high >= 0))


# Binomial standard error of 1000 replications: 0.7 %. True coverages lie between 94.5 and 96.7 %.
@pytest.mark.parametrize("members", [2, 3, 5, 12, 50])
def test_pooled_intervals_hold_the_truth(members):
    growth = ensembles(np.random.default_rng(0), members)
    estimate = pooled(growth, ONES)
    assert LEAST <= held(estimate) <= MOST
    actual = np.sqrt(np.mean(growth.mean(axis=(0, 1)) ** 2))
    widest = 1.5 if members == 2 else 1.3  # a spread of one degree of freedom
    assert 0.8 < np.median(estimate.half_width()) / (1.96 * actual) < widest


def test_pooled_intervals_of_a_thousand_members():
    # members far too short for an error of their own; 400 replications: standard error 1.1 %
    growth = ensembles(np.random.default_rng(1), 1000, n=8, replications=400)
    assert 0.91 <= held(pooled(growth, np.ones(8))) <= 0.99


@pytest.mark.parametrize("members", [5, 12, 50])
def test_pooled_intervals_of_members_that_differ(members):
    rng = np.random.default_rng(2)
    growth = ensembles(rng, members) + rng.standard_normal((members, 1000))
    assert LEAST <= held(pooled(growth, ONES)) <= MOST


def test_pooled_intervals_of_members_under_a_common_input():
    rng = np.random.default_rng(3)
    growth = ensembles(rng, 20) + 2 * ensembles(rng, 1)
    assert LEAST <= held(pooled(growth, ONES)) <= MOST
    # the spread alone would not do: this is what the test is about
    spread = growth.mean(axis=0).std(axis=0, ddof=1) / np.sqrt(20)
    assert np.mean(np.abs(growth.mean(axis=(0, 1))) <= 2.09 * spread) < 0.6


def with_transient(growth, errors, tau=5.0):
    """Add a decay to all members that moves their average by so many of its errors."""
    pulse = np.exp(-np.arange(len(growth)) / tau)
    actual = growth.mean(axis=(0, 1)).std()
    return growth + (errors * actual * len(growth) / pulse.sum() * pulse)[:, None, None]


@pytest.mark.parametrize("common", [False, True], ids=["own", "common input"])
@pytest.mark.parametrize("members", [3, 12, 100])
def test_pooled_intervals_hold_the_truth_behind_a_transient_that_all_share(members, common):
    # 300 replications: standard error 1.3 %. Before: 85 to 99 % at one error, 14 to 75 % at
    # two, 1 to 14 % at six.
    rng = np.random.default_rng(12)
    growth = ensembles(rng, members, replications=300)
    if common:
        growth = growth + 2 * ensembles(rng, 1, replications=300)
    for errors, least in ((1.0, 0.92), (2.0, 0.83), (6.0, 0.97)):
        assert held(pooled(with_transient(growth, errors), ONES)) > least


@pytest.mark.parametrize("common", [0.0, 2.0], ids=["own", "common input"])
@pytest.mark.parametrize("members", [3, 12, 100])
def test_a_common_drift_is_calibrated(members, common):
    rng = np.random.default_rng(13)
    growth = ensembles(rng, members, replications=300)
    growth = growth + common * ensembles(rng, 1, replications=300)
    assert np.mean(common_drift(growth, ONES).pvalue < 0.05) < 0.07
    drifting = with_transient(growth, 3.0)
    assert np.mean(common_drift(drifting, ONES).pvalue < 0.01) > (0.5 if members == 3 else 0.9)
    if members > 3 and not common:  # by themselves they do not know of it
        assert np.mean(drift_pvalue(drifting[:, 0], ONES) < 0.01) < 0.15


@pytest.mark.parametrize(("members", "n"), [(1000, 50), (100, 50)])
def test_the_average_of_anticorrelated_growth_does_not_drift(members, n):
    # Before, against the error of the average: 10 to 14 % at the level of 1 %.
    x = np.sin(np.pi / 2 * np.random.default_rng(15).random((members, 60))) ** 2
    growth = np.empty((n, members, 60))
    for step in growth:
        step[...] = np.log(abs(4 - 8 * x))
        x = 4 * x * (1 - x)
    assert np.mean(common_drift(growth, np.ones(n)).pvalue < 0.01) <= 0.05


def test_a_drift_of_the_average_is_said_of_it_alone():
    growth = with_transient(1.0 + ensembles(np.random.default_rng(14), 200, replications=1), 3.0)
    growth += np.exp(-np.arange(200) / 5.0)[:, None, None]
    assert diagnose(growth, ONES).converged
    found = diagnose(growth, ONES, together=True)
    assert found.verdict.startswith("drifting: the average of all members")
    off = common_drift(growth, ONES).off[0]
    assert diagnose(growth, ONES, together=True, tol=2.0).converged
    assert off < 2.0


def test_decays_that_all_share_are_no_drift():
    # Regular growth: exponents are those behind the decay, and errors account for it.
    growth = np.full((200, 20, 1), 0.3)
    growth[:, :, 0] += 0.1 * np.exp(-np.arange(200) / 10.0)[:, None]
    assert common_drift(growth, ONES).pvalue == 1


def test_a_pooled_flow_does_not_hide_how_it_began():
    # Before: "stationary", with 0.894 +- 0.006 for 0.9056. Ten turns of 1000 members know better.
    x0 = np.array([1.0, 1.0, 20.0]) + 5 * np.random.default_rng(0).standard_normal((1000, 3))
    pooled_spectrum = ln.lyapunov_spectrum(ln.catalog.lorenz63(), 2000, x0=x0, rng=0).pooled()
    assert "average of all members" in pooled_spectrum.diagnose().verdict
    low, high = pooled_spectrum.confidence_interval()
    assert low[0] < 0.9056 < high[0]


def test_a_pooled_verdict_says_how_well_the_average_is_known():
    # 100 steps tell nothing of a mean of 0.1; of the average of 400 members they do.
    growth = 0.1 + np.random.default_rng(21).standard_normal((100, 400, 1))
    D = np.exp(growth)[..., None]
    s = ln.spectrum_from_jacobians(D, basis=np.eye(1))
    assert "single members" not in s.diagnose().verdict
    together = s.pooled()
    low, high = together.confidence_interval()
    assert low[0] > 0
    verdict = together.diagnose().verdict
    assert verdict.startswith("stationary")
    assert verdict.endswith(
        f"of their average 95 % half-widths are up to {(high - low)[0] / 2:.2g}"
    )


def test_combinations_of_pooled_exponents_have_the_errors_of_these():
    # Members that differ: before, combinations had the error within runs alone, 25 times too small.
    rng = np.random.default_rng(15)
    rates = np.array([2.0, -5.0]) + rng.standard_normal((12, 2))
    growth = rates + 0.3 * rng.standard_normal((400, 12, 2))
    D = np.exp(growth)[..., None] * np.eye(2)
    s = ln.spectrum_from_jacobians(D, basis=np.eye(2)).pooled()
    for i, row in enumerate(np.eye(2)):
        assert s.combination(row).stderr == pytest.approx(s.stderr[i], rel=1e-9)
    for weights in ([1.0, 1.0], [1.0, -1.0]):
        spread = (rates @ weights).std(ddof=1) / np.sqrt(12)
        assert s.combination(weights).stderr == pytest.approx(spread, rel=0.1)
    assert s.entropy_stderr == pytest.approx(s.stderr[0], rel=1e-9)


def test_combinations_leave_out_what_has_no_weight():
    growth = np.random.default_rng(16).standard_normal((100, 10, 3))
    growth[3, 2, 2] = -np.inf
    found = pooled_combination(growth, np.ones(100), np.array([1.0, 2.0, 0.0]))
    expected = pooled(growth[..., :1] + 2 * growth[..., 1:2], np.ones(100))
    assert np.allclose(found, [x[0] for x in expected], rtol=1e-12)


def test_pooled_edge_cases():
    growth = np.random.default_rng(4).standard_normal((100, 3, 2))
    growth[5, 1, 1] = -np.inf
    estimate = pooled(growth, np.ones(100))
    assert np.isfinite(estimate.stderr[0])
    assert estimate.mean[1] == -np.inf
    assert np.isnan(estimate.stderr[1])
    same = pooled(np.full((100, 3, 1), 0.7), np.ones(100))
    assert 0 < same.stderr[0] < 1e-14
    one = pooled(growth[:, :1], np.ones(100))
    assert one.stderr.shape == (2,)


def test_running_ends_at_the_mean():
    growth = np.array([[1.0], [2.0], [6.0]])
    np.testing.assert_allclose(running(growth, [1.0, 1.0, 0.5])[:, 0], [1.0, 1.5, 3.6])


@pytest.mark.parametrize("rho", [-0.5, 0.0, 0.5, 0.9])
def test_effective_sample_size_of_ar1(rho):
    n = 20_000
    found = np.median(effective_sample_size(ar1(np.random.default_rng(5), rho, n, 200), np.ones(n)))
    # the median of a χ² of 24 degrees over its mean is 0.972; 200 replications: 2.5 %
    assert found == pytest.approx(n * (1 - rho) / (1 + rho) / 0.972, rel=0.1)


def test_effective_sample_size_edge_cases():
    assert effective_sample_size(np.arange(5.0), np.ones(5)) == 0
    growth = np.zeros((50, 2))
    growth[0, 0] = -np.inf
    assert np.isnan(effective_sample_size(growth, np.ones(50))[0])


@pytest.mark.parametrize(("rho", "n"), [(0.0, 100), (0.5, 400), (0.9, 2000), (-0.5, 100)])
def test_drift_pvalues_are_calibrated(rho, n):
    # 2000 replications: binomial standard errors 0.5 % at 5 % and 0.2 % at 1 %
    p = drift_pvalue(ar1(np.random.default_rng(6), rho, n), np.ones(n))
    assert 0.025 < np.mean(p < 0.05) < 0.08
    assert np.mean(p < 0.01) < 0.03


def rare_steps(rng):
    return (rng.random((50, 1000, 1)) < 0.3) * 1.0


def henon_runs(rng):
    henon = ln.catalog.henon()
    starts = np.array([0.1, 0.1]) + 1e-3 * rng.standard_normal((1000, 2))
    x0 = henon.orbit(starts, None, 300).states[-1]
    run = ln.lyapunov_spectrum(
        henon, 50, x0=x0, transient=0, basis_transient=100, qr_interval=1, rng=rng
    )
    return run.log_growth


@pytest.mark.parametrize("draw", [rare_steps, henon_runs])
def test_members_whose_variance_is_small_by_chance_do_not_drift(draw):
    # By their own variances: in 5 of 40 and 6 of 25 ensembles. The level is 0.01.
    found = [drift_pvalue(draw(np.random.default_rng(i)), np.ones(50), True) for i in range(1, 10)]
    assert min(p.min() * p.size for p in found) > 0.01


def test_one_member_that_drifts_is_found_among_many():
    growth = np.random.default_rng(20).standard_normal((400, 1000, 1))
    growth[:, 7, 0] += 2 * np.exp(-np.arange(400) / 50)
    assert diagnose(growth, np.ones(400)).verdict.startswith("drifting")
    pvalue = drift_pvalue(growth, np.ones(400), True)[:, 0]
    assert np.flatnonzero(pvalue < 1e-5) == [7]


def test_drift_is_found():
    growth = ar1(np.random.default_rng(7), 0.5, 1000)
    growth += 2 * np.exp(-np.arange(1000) / 100)[:, None]
    # the last half has 4 to 24 degrees of freedom, and t quantiles of 4.6 to 2.8
    assert np.mean(drift_pvalue(growth, np.ones(1000)) < 0.01) > 0.6


def test_drift_edge_cases():
    assert drift_pvalue(np.array([1.0]), np.ones(1)) == 1
    growth = np.zeros((50, 2))
    growth[0, 0] = -np.inf
    np.testing.assert_array_equal(drift_pvalue(growth, np.ones(50)), [np.nan, 1.0])


def test_agreement_pvalues_are_calibrated_and_see_a_second_attractor():
    rng = np.random.default_rng(8)
    growth = ensembles(rng, 10)
    assert np.mean(agreement_pvalue(growth, ONES) < 0.05) < 0.06
    growth[:, 7] += 1.0
    assert np.mean(agreement_pvalue(growth, ONES) < 0.01) > 0.5


def test_r_hat():
    rng = np.random.default_rng(9)
    growth = rng.standard_normal((2000, 4, 3))
    assert np.all(np.abs(split_r_hat(growth, np.ones(2000)) - 1) < 0.01)
    growth[:, 2, 0] += 3.0
    growth[1000:, :, 1] += 3.0  # all members drift: the halves disagree
    r_hat = split_r_hat(growth, np.ones(2000))
    assert np.all(r_hat[:2] > 1.3)
    assert r_hat[2] < 1.01
    constant = np.full((10, 3, 1), 0.3)
    assert split_r_hat(constant, np.ones(10)) == 1
    constant[:, 1] = 0.4
    assert split_r_hat(constant, np.ones(10)) == np.inf
    assert np.isnan(split_r_hat(constant[:3], np.ones(3)))


def test_r_hat_is_the_formula():
    growth = np.random.default_rng(10).standard_normal((8, 2, 1)) + 1.0
    halves = np.stack([growth[:4, 0, 0], growth[:4, 1, 0], growth[4:, 0, 0], growth[4:, 1, 0]])
    within = np.mean([np.var(h, ddof=1) for h in halves])
    between = 4 * np.var([np.mean(h) for h in halves], ddof=1)
    expected = np.sqrt((3 / 4 * within + between / 4) / within)
    np.testing.assert_allclose(split_r_hat(growth, np.ones(8)), expected, rtol=1e-12)
