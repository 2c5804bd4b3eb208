"""Calibration on series whose truth is exact; limits; invariances."""

import numpy as np
import pytest
from series import LEAST, MOST, REPLICATIONS, ar1, logistic, moving_average, skew_tent

from lyapnet.spectrum.uncertainty.stderr import linear_stderr, mean_and_stderr


def coverage(growth, durations=None):
    """Return how often intervals hold the mean, of growth whose mean is zero, and the estimate."""
    truth = 1.0  # zero is special: no sign is settled before growth exceeds a power of time
    durations = np.ones(len(growth)) if durations is None else durations
    shift = truth * durations.reshape(-1, *[1] * (growth.ndim - 1))
    estimate = mean_and_stderr(growth + shift, durations)
    low, high = estimate.confidence_interval()
    return np.mean((low <= truth) & (truth <= high)), estimate


def worth(rho, steps=50):
    """Length of an AR(1) run that is worth so many independent steps."""
    return max(50, round(steps * (1 + rho) / (1 - rho)))


@pytest.mark.parametrize("rho", [-0.9, -0.5, 0.0, 0.3, 0.6, 0.8, 0.9, 0.95])
def test_intervals_hold_the_truth_under_autocorrelation(rho):
    rng = np.random.default_rng(1)
    held, estimate = coverage(ar1(rng, rho, worth(rho)))
    assert LEAST <= held <= MOST
    assert np.mean(estimate.too_short) < 0.04


def test_error_that_ignores_autocorrelation_fails_the_same_test():
    growth = ar1(np.random.default_rng(1), 0.95, 1950)
    naive = growth.std(axis=0) / np.sqrt(len(growth))
    assert np.mean(np.abs(growth.mean(axis=0)) <= 1.96 * naive) < 0.4


@pytest.mark.parametrize(
    "series",
    [
        lambda rng: moving_average(rng, np.ones(5), 250),
        lambda rng: moving_average(rng, [1.0, 0.8], 100),
        lambda rng: skew_tent(rng, 0.7, 60),
        lambda rng: rng.standard_t(3, (100, REPLICATIONS)),
        lambda rng: rng.exponential(size=(100, REPLICATIONS)) - 1,
        lambda rng: ar1(rng, 0.95, 8000, 1000),
        # a slow component under noise of the same variance, worth 200 independent steps itself
        lambda rng: (
            ar1(rng, 0.95, 7800, 1000) * np.sqrt(1 - 0.95**2) + rng.standard_normal((7800, 1000))
        ),
    ],
    ids=[
        "MA(5)",
        "MA(2)",
        "skew tent",
        "t with 3 dof",
        "exponential",
        "long AR(1)",
        "slow in noise",
    ],
)
def test_intervals_hold_the_truth_for(series):
    held, _ = coverage(series(np.random.default_rng(2)))
    assert LEAST <= held <= MOST


@pytest.mark.parametrize("n", [50, 3000])
def test_zero_asymptotic_variance_is_covered_and_shrinks_with_the_run(n):
    held, estimate = coverage(logistic(np.random.default_rng(3), n))
    assert held >= LEAST
    # φ = ln|4 sin²| has a variance of π²/4: stderr is of the order of 2/n, not of 1.6/√n.
    assert np.median(estimate.stderr) < 7 / n


@pytest.mark.parametrize("n", [4, 12, 20, 50, 200])
@pytest.mark.parametrize("rho", [0.5, 0.9, 0.99, 0.9999])
def test_short_runs_get_an_infinite_error_rather_than_a_small_one(rho, n):
    held, estimate = coverage(ar1(np.random.default_rng(4), rho, n))
    assert held >= LEAST
    if n < 12:
        assert estimate.too_short.all()


def test_shorter_last_block_counts_by_its_duration():
    rng = np.random.default_rng(5)
    steps = ar1(rng, 0.8, 1007)
    blocks = np.add.reduceat(steps, np.arange(0, 1007, 20), axis=0)
    durations = np.full(51, 20.0)
    durations[-1] = 7.0
    held, estimate = coverage(blocks, durations=durations)
    np.testing.assert_allclose(estimate.mean, 1 + steps.mean(axis=0), rtol=0, atol=1e-13)
    assert LEAST <= held <= MOST


def test_blocks_hardly_matter_and_time_has_units():
    steps = ar1(np.random.default_rng(6), 0.7, 12_000, 200)
    fine = mean_and_stderr(steps, np.ones(12_000))
    blocks = mean_and_stderr(steps.reshape(600, 20, -1).sum(axis=1), np.full(600, 20.0))
    np.testing.assert_allclose(blocks.mean, fine.mean, rtol=0, atol=1e-13)
    # where both use 24 cosines, these are the same but for an attenuation of less than 1 %
    same = (fine.dof > 20) & (blocks.dof > 20)
    assert np.mean(same) > 0.6
    np.testing.assert_allclose(blocks.stderr[same], fine.stderr[same], rtol=0.02)
    seconds = mean_and_stderr(steps, np.full(12_000, 0.01))
    np.testing.assert_allclose(seconds.mean, 100 * fine.mean, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(seconds.stderr, 100 * fine.stderr, rtol=1e-6)


def test_shift_changes_nothing_and_columns_are_independent():
    growth = ar1(np.random.default_rng(7), 0.5, 500, 6).reshape(500, 2, 3)
    ones = np.ones(500)
    whole = mean_and_stderr(growth, ones)
    shifted = mean_and_stderr(growth + 5.0, ones)
    np.testing.assert_allclose(shifted.mean, whole.mean + 5.0, rtol=1e-13)
    np.testing.assert_allclose(shifted.stderr, whole.stderr, rtol=1e-10)
    for member, exponent in np.ndindex(2, 3):
        alone = mean_and_stderr(growth[:, member, exponent], ones)
        np.testing.assert_allclose(whole.stderr[member, exponent], alone.stderr, rtol=1e-12)


def test_constant_growth_has_the_floor_of_rounding():
    truth = np.log((3 + np.sqrt(5)) / 2)  # the cat map
    growth = np.full((10_000, 2), truth)
    growth[::3, 1] *= 1 + np.finfo(float).eps
    estimate = mean_and_stderr(growth, np.ones(10_000))
    assert np.all(estimate.stderr > np.finfo(float).eps)
    assert np.all(estimate.stderr < 1e-14)
    low, high = estimate.confidence_interval()
    assert np.all((low <= truth) & (truth <= high))


def test_annihilated_direction_is_minus_infinity_and_touches_no_other():
    growth = np.random.default_rng(8).standard_normal((3000, 2))
    alone = mean_and_stderr(growth[:, 0], np.ones(3000))
    growth[1234, 1] = -np.inf
    estimate = mean_and_stderr(growth, np.ones(3000))
    assert estimate.mean[1] == -np.inf
    assert np.isnan(estimate.stderr[1])
    assert estimate.confidence_interval()[1][1] == -np.inf
    np.testing.assert_allclose(estimate.stderr[0], alone.stderr, rtol=1e-12)
    np.testing.assert_array_equal(estimate.too_short, False)
    np.testing.assert_array_equal(estimate.settled(1.0), True)


def test_settled_needs_a_narrow_interval_and_enough_degrees_of_freedom():
    growth = np.random.default_rng(9).standard_normal((5000, 1))
    estimate = mean_and_stderr(growth, np.ones(5000))
    assert estimate.settled(1.01 * estimate.half_width()).all()
    assert not estimate.settled(0.99 * estimate.half_width()).any()
    few = mean_and_stderr(growth[:20] + 1, np.ones(20))
    assert np.isfinite(few.stderr).all()
    assert not few.settled(1.9 * few.half_width()).any()
    assert few.settled(2.1 * few.half_width()).all()
    assert not mean_and_stderr(growth[:10], np.ones(10)).settled(1e9).any()


def test_stopping_at_a_width_keeps_the_coverage():
    # 1500 replications: binomial standard error 0.6 %
    growth = ar1(np.random.default_rng(10), 0.8, 9 * 800, 1500)
    looks = np.unique(np.round(24 * 1.5 ** np.arange(15)).astype(int))
    looks = looks[looks <= len(growth)]
    tol = 1.96 / (1 - 0.8) / np.sqrt(9 * 100)  # reached at about 100 independent steps
    held, stopped = np.zeros(1500, bool), np.zeros(1500, bool)
    for n in looks:
        estimate = mean_and_stderr(growth[:n], np.ones(n))
        now = estimate.settled(tol) & ~stopped
        held[now] = (np.abs(estimate.mean) <= estimate.half_width())[now]
        stopped |= now
    assert stopped.mean() > 0.98
    assert LEAST <= held[stopped].mean() <= MOST


def test_linear_combination_knows_the_cross_covariance():
    rng = np.random.default_rng(11)
    common, own = ar1(rng, 0.7, 500), rng.standard_normal((500, REPLICATIONS))
    growth = np.stack([common + own, -common + own], axis=-1)
    total = linear_stderr(growth, np.ones(500), [1.0, 1.0])
    np.testing.assert_allclose(
        total.stderr, mean_and_stderr(2 * own, np.ones(500)).stderr, rtol=1e-9
    )
    low, high = total.confidence_interval()
    assert LEAST <= np.mean((low <= 0) & (high >= 0)) <= MOST
    apart = mean_and_stderr(growth, np.ones(500)).stderr
    assert np.median(np.hypot(apart[:, 0], apart[:, 1]) / total.stderr) > 2


def test_zero_weight_leaves_an_annihilated_direction_out():
    growth = np.random.default_rng(12).standard_normal((100, 2))
    growth[:, 1] = -np.inf
    total = linear_stderr(growth, np.ones(100), [1.0, 0.0])
    np.testing.assert_allclose(total.stderr, mean_and_stderr(growth[:, 0], np.ones(100)).stderr)


@pytest.mark.parametrize(
    ("growth", "durations", "message"),
    [
        (np.ones((5, 2)), np.ones(4), "agree"),
        (np.ones((0, 2)), np.ones(0), "at least one block"),
        (np.ones((5, 2)), np.array([1, 1, 0, 1, 1]), "durations must be positive"),
        (np.array([1.0, np.nan]), np.ones(2), "nan"),
        (np.array([1.0, np.inf]), np.ones(2), "inf"),
    ],
)
def test_bad_arguments_are_named(growth, durations, message):
    with pytest.raises(ValueError, match=message):
        mean_and_stderr(growth, durations)
    with pytest.raises(ValueError, match="level"):
        mean_and_stderr(np.ones(20), np.ones(20)).confidence_interval(95)


def test_weights_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="weights"):
        linear_stderr(np.ones((20, 3)), np.ones(20), np.ones((2, 3)))
    with pytest.raises(ValueError, match="finite"):
        linear_stderr(np.ones((20, 3)), np.ones(20), [1.0, np.nan, 0.0])


def test_no_chaos_in_sight_leaves_a_power_of_time_open():
    # A leading growth of 5 nats in 500 blocks is nothing that a torus could not have, nor chaos of
    # 2 log 501 = 12 nats: before, the interval ended at 10.
    rng = np.random.default_rng(0)
    noise = 0.05 * rng.standard_normal((500, 40))
    leading = 0.01 + noise
    growth = np.stack([leading, leading - 1.0], axis=-1)
    estimate = mean_and_stderr(growth, np.ones(500))
    width = estimate.half_width() * 500
    # But for some whose sums look bounded, and get their range.
    assert np.mean(np.isclose(width[:, 0], 2 * np.log(501), rtol=1e-9)) > 0.9
    assert (width[:, 1] < 8).all()  # a sign that is known
    # Behind a leading one that is known, growth near zero keeps its error, as along a flow.
    flow = mean_and_stderr(np.stack([noise + 1.0, noise], axis=-1), np.ones(500))
    assert (flow.half_width()[:, 1] * 500 < 8).all()
    # And so does growth that is seen to be regular.
    turning = 0.3 * np.sin(2.0 * np.arange(500))[:, None, None]
    assert mean_and_stderr(turning, np.ones(500)).half_width() * 500 < 3
