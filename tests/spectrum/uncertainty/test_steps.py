"""How many independent steps runs are worth, and which are too short to tell."""

import numpy as np
import pytest
from scipy import special
from series import ar1

from lyapnet.spectrum.uncertainty.cosines import cosine_power
from lyapnet.spectrum.uncertainty.diagnosis import diagnose
from lyapnet.spectrum.uncertainty.stderr import mean_and_stderr
from lyapnet.spectrum.uncertainty.steps import few_swings, independent_steps, too_few_steps


@pytest.mark.parametrize(
    ("rho", "n", "steps"), [(0.0, 500, 500), (0.5, 900, 300), (0.9, 3800, 200)]
)
def test_independent_steps_of_ar1(rho, n, steps):
    growth = ar1(np.random.default_rng(6), rho, n)
    squares, lagged = (growth**2).sum(axis=0), (growth[1:] * growth[:-1]).sum(axis=0)
    power = cosine_power(growth.T.copy(), np.ones(n))
    found = independent_steps(squares, lagged, np.ones(n), power)
    assert np.median(found[0]) == pytest.approx(steps / 0.918, rel=0.1)  # median of χ²_8 / 8
    assert np.median(found[1]) == pytest.approx(steps, rel=0.05)
    assert np.mean(too_few_steps(power, *found, n)) < 5e-3


def standard_map(n, members, K=1.0):
    """Growth (n, members) of the leading direction, in a sea with islands, after mixing."""
    rng = np.random.default_rng(7)
    x, p = 0.1 + 1e-3 * rng.random((2, members))
    v = rng.standard_normal((2, members))
    growth = np.empty((n, members))
    for i in range(-20_000, n):
        kick = v[1] + K * np.cos(x) * v[0]
        p = (p + K * np.sin(x)) % (2 * np.pi)
        x = (x + p) % (2 * np.pi)
        v = np.array([v[0] + kick, kick])
        length = np.hypot(*v)
        v /= length
        if i >= 0:
            growth[i] = np.log(length)
    return growth


# Before, 80 % of the runs had an error, and half of these intervals missed the exponent.
def test_sticky_chaos_is_refused():
    growth = standard_map(14_400, 60).reshape(400, 36, 60).sum(axis=1)
    assert mean_and_stderr(growth, np.full(400, 36.0)).too_short.mean() > 0.75
    found = diagnose(growth[:, :32, None], np.full(400, 36.0))
    assert found.verdict.startswith(("too short", "drifting"))


def test_growth_that_switches_a_few_times():
    """Of two rates that switch some nine times a run, few runs give an error, and these hold it."""
    rng = np.random.default_rng(0)
    side = np.cumprod(np.where(rng.random((1500, 3000)) < 0.003, -1, 1), axis=1)
    growth = np.where(side > 0, np.log(1.3), np.log(0.8)).T
    truth = np.log(1.3 * 0.8) / 2
    mean, stderr, dof = mean_and_stderr(growth, np.ones(len(growth)))
    known = np.isfinite(stderr)
    half = special.stdtrit(dof[known], 0.975) * stderr[known]
    assert known.mean() < 0.1
    assert (np.abs(mean[known] - truth) > half).sum() < 0.012 * len(known)


@pytest.mark.parametrize("rho", [0.5, 0.95])
def test_growth_that_forgets_evenly_swings_often_enough(rho):
    n = 60 * int((1 + rho) / (1 - rho))
    rows = ar1(np.random.default_rng(1), rho, n).T
    assert few_swings(rows - rows.mean(axis=1)[:, None]).mean() < 0.01
