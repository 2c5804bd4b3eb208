"""Verdicts and intervals held against systems whose exponents are known."""

import autograd.numpy as anp
import numpy as np
import pytest

import lyapnet as ln
from lyapnet.spectrum.uncertainty.diagnosis import diagnose
from lyapnet.spectrum.uncertainty.ensemble import pooled


def standard(K):
    def step(x):
        p = x[..., 1] + K * anp.sin(x[..., 0])
        return anp.stack([(x[..., 0] + p) % (2 * np.pi), p % (2 * np.pi)], axis=-1)

    return ln.Map(step, 2, vectorized=True)


def circle(x):
    return anp.array([(x[0] + 0.7 + 0.3 * anp.sin(x[0])) % (2 * np.pi), x[1] + x[0]])


def pendulum(x):
    return anp.array([x[1], -anp.sin(x[0])])


# Before: "all signs settled", with intervals that excluded zero.
@pytest.mark.parametrize("n", [1000, 10_000])
@pytest.mark.parametrize("x0", [[0.1, 2.0], [3.0, 0.5], [1.0, 1.3]])
def test_regular_orbits_of_the_standard_map_are_not_called_chaotic(x0, n):
    s = ln.lyapunov_spectrum(standard(0.5), n, x0=np.array(x0), rng=0)
    low, high = s.confidence_interval()
    assert np.all((low <= 0) & (high >= 0))
    assert "all signs settled" not in s.diagnose().verdict


@pytest.mark.parametrize(
    ("system", "x0"),
    [
        (ln.Map(circle, 2), [0.1, 0.0]),  # a shear: vectors grow like a power of time
        (ln.Map(lambda x: anp.array([x[0] + x[1], x[1]]), 2), [0.0, 0.1]),
        (ln.Flow(pendulum, 2, dt=0.05), [1.0, 0.0]),
    ],
    ids=["skew product", "shear", "pendulum"],
)
def test_growth_like_a_power_of_time_settles_no_sign(system, x0):
    s = ln.lyapunov_spectrum(system, 4000, x0=np.array(x0), rng=0)
    low, high = s.confidence_interval()
    assert np.all((low <= 0) & (high >= 0))
    assert "all signs settled" not in s.diagnose().verdict


def test_weak_chaos_still_settles_its_signs():
    s = ln.lyapunov_spectrum(ln.catalog.henon(a=1.1), 20_000, rng=0)
    assert s.diagnose().verdict.endswith("all signs settled")


# Before: errors of 1.2e-13, half-widths of 3.7e-15.
@pytest.mark.parametrize("interval", ["auto", 1, 7])
@pytest.mark.parametrize(
    "A", [[[2.0, 1.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 0.0]], [[3.0, 2.0], [1.0, 1.0]]]
)
def test_the_floor_of_rounding_holds_the_error(A, interval):
    A = np.array(A)
    system = ln.Map(lambda x: anp.dot(A, x) % 1.0, 2)
    s = ln.lyapunov_spectrum(system, 4000, x0=np.array([0.1, 0.37]), qr_interval=interval, rng=0)
    truth = np.sort(np.log(np.abs(np.linalg.eigvals(A))))[::-1]
    low, high = s.confidence_interval()
    assert np.all((low <= truth) & (truth <= high))
    total = s.combination([1.0, 1.0])
    low, high = total.confidence_interval()
    assert low <= truth.sum() <= high


def test_many_blocks_are_summed_without_loss():
    growth = np.full((300_000, 1), 0.1)
    found = ln.spectrum.uncertainty.stderr.mean_and_stderr(growth, np.ones(300_000))
    assert abs(found.mean[0] - 0.1) <= found.half_width()[0] < 1e-13


def test_one_short_member_does_not_spoil_an_ensemble():
    # Before: "too short: 400 blocks cannot tell the error of 1 of 20 exponents".
    rng = np.random.default_rng(0)
    growth = 1.0 + rng.standard_normal((400, 20, 1))
    growth[:, 7, 0] = 1.0 + 1e-3 * np.cumsum(rng.standard_normal(400))  # slow, by chance
    found = diagnose(growth, np.ones(400))
    assert found.stderr[7, 0] == np.inf
    assert found.converged
    assert found.verdict.endswith("1 of 20 members alone are too short to tell")
    assert np.isfinite(pooled(growth, np.ones(400)).stderr).all()
    growth[:, :11] = 1.0 + 1e-3 * np.cumsum(rng.standard_normal((400, 11, 1)), axis=0)
    assert diagnose(growth, np.ones(400)).verdict.startswith("too short")
    assert diagnose(growth, np.ones(400), same_system=False).verdict.startswith("too short")


def test_pooled_members_of_short_flows_get_no_wide_interval():
    # Before: 3.5 times the width that would do, as of a single member.
    x0 = np.random.default_rng(1).standard_normal((200, 3))
    s = ln.lyapunov_spectrum(
        ln.catalog.lorenz63(), 2000, k=1, x0=x0, transient=2000, basis_transient=500, rng=0
    )
    means = s.exponents[:, 0]
    spread = 1.96 * means.std(ddof=1) / np.sqrt(200)
    low, high = s.pooled().confidence_interval()
    assert (high - low)[0] / 2 < 1.2 * spread
    assert low[0] < 0.9056 + 0.012  # twenty turns: biased by 1 %
    assert high[0] > 0.9056 - 0.012
