"""Cycles whose multipliers cannot be right, or whose steps are too long, are told."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln

STEEP = {
    "clipped": lambda v: anp.clip(1e9 * v, -1, 1),
    "arctan": lambda v: 2 / np.pi * anp.arctan(1e5 * v),
    "a root": lambda v: v / anp.sqrt(v**2 + 1e-20),
}


def rubbed(force):
    """Return an oscillator that rubs against a moving belt: its cycle has exponents 0 and -0.2."""
    return ln.Flow(lambda x: anp.array([x[1], -x[0] - 0.4 * x[1] + force(x[1])]), 2, dt=0.1)


@pytest.mark.parametrize("name", STEEP)
def test_a_cycle_without_the_multiplier_1(name):
    # Before, exponents -0.2 and -0.2 and "stable" without a word.
    with pytest.warns(UserWarning, match="no multiplier is near 1, the nearest is 0.27"):
        cycle = ln.periodic_orbit(rubbed(STEEP[name]), x0=[2.0, 0.0], transient=1000)
    assert cycle.verdict.startswith("unreliable: no multiplier is near 1")
    assert "verdict=unreliable" in repr(cycle)
    assert cycle.stable is None
    assert cycle.plot().get_title().startswith("cycle, stability not known")


def test_a_cycle_through_jumps_that_steps_end_at_has_it():
    cycle = ln.periodic_orbit(rubbed(anp.sign), x0=[2.9, 0.1], transient=200)
    assert_allclose(cycle.exponents, [0, -0.2], atol=1e-6)
    assert cycle.verdict.startswith("fine")


def test_slopes_of_forced_flows_that_no_step_sees():
    forced = ln.Flow(
        lambda x, t: anp.array([
            x[1], -x[0] - 0.4 * x[1] + anp.clip(1e9 * x[1], -1, 1) + 0.5 * anp.sin(t)
        ]),
        2, dt=0.1, time=True,
    )  # fmt: skip
    x0 = [-2.97, 0.3]
    with pytest.warns(UserWarning, match="multipliers are unreliable: the field changes by"):
        cycle = ln.periodic_orbit(forced, 2 * np.pi, x0=x0, transient=1000)
    assert cycle.verdict.startswith("unreliable: the field changes by")
    assert cycle.stable is None


def test_jumps_that_steps_go_on_across():
    with pytest.warns(UserWarning, match="multipliers are unreliable: the field jumps"):
        cycle = ln.periodic_orbit(rubbed(lambda v: v / abs(v)), x0=[2.0, 0.3], transient=1000)
    assert cycle.verdict.startswith("unreliable: the field jumps")
    assert cycle.stable is None


def test_a_neutral_cycle_is_not_stable_by_rounding():
    # The elliptic point of the standard map: multipliers on the unit circle.
    for K in (0.3, 0.5, 0.9, 1.3, 2.1):

        def step(x, K=K):
            p = x[0] + K * anp.sin(x[1])
            return anp.array([p, x[1] + p])

        cycle = ln.periodic_orbit(ln.Map(step, 2), 1, x0=[0.01, 3.1])
        assert_allclose(np.abs(cycle.multipliers), 1, atol=1e-12)
        assert cycle.stable is False


def van_der_pol(method, dt):
    return ln.Flow(
        lambda x: anp.array([x[1], (1 - x[0] ** 2) * x[1] - x[0]]), 2, dt=dt, method=method
    )


@pytest.mark.parametrize(
    ("method", "dt", "word"),
    [("euler", 0.1, "too coarse"), ("euler", 0.01, "too coarse"), ("heun", 0.1, "too coarse"),
     ("heun", 0.01, "fine"), ("rk4", 0.1, "fine"), ("dop853", 0.3, "fine")],
)  # fmt: skip
def test_steps_of_van_der_pols_cycle(method, dt, word):
    """Period 6.663287 and exponents 0 and -1.059377, found by small steps."""
    cycle = ln.periodic_orbit(van_der_pol(method, dt), x0=[2.0, 0.0], transient=300)
    assert cycle.verdict.startswith(f"{word}: halving the step changes the period by")
    off = abs(cycle.period - 6.6632868) / cycle.period, abs(cycle.exponents[1] + 1.0593770)
    assert (max(off) > 1e-3) == (word == "too coarse")


def test_forced_cycles_and_maps():
    # x = cos t - sin t attracts at a rate of 1: Euler's steps have log(1 - dt) / dt.
    for dt, word in ((0.1, "too coarse"), (0.0015, "fine")):
        forced = ln.Flow(lambda x, t: -x + 2 * anp.cos(t), 1, dt=dt, time=True, method="euler")
        cycle = ln.periodic_orbit(forced, 2 * np.pi, x0=[1.0])
        assert cycle.verdict.startswith(f"{word}: halving the step changes exponents by")
    strobe = ln.stroboscopic(
        ln.Flow(lambda x, t: -x + 2 * anp.cos(t), 1, dt=0.1, time=True), 2 * np.pi
    )
    assert ln.periodic_orbit(strobe, 2 * np.pi, x0=[1.0]).verdict.startswith("fine")
    henon = ln.Map(lambda z: anp.array([1 - 0.9 * z[0] ** 2 + z[1], 0.3 * z[0]]), 2)
    assert ln.periodic_orbit(henon, 2, x0=[0.5, 0.0], transient=2000).verdict.startswith(
        "fine: the orbit closes to "
    )


def test_the_verdict_is_kept_in_files(tmp_path):
    cycle = ln.periodic_orbit(van_der_pol("rk4", 0.1), x0=[2.0, 0.0], transient=300)
    assert ln.load(cycle.save(tmp_path / "cycle.npz")).verdict == cycle.verdict


def quadratic(r):
    return ln.Map(lambda x: r * x * (1 - x), 1)


@pytest.mark.parametrize(
    ("system", "period", "x0"),
    [
        (quadratic(1 + np.sqrt(8)), 3, [0.5]),  # where the window of period three opens
        (quadratic(3.0), 2, [0.7]),  # where the fixed point gives birth to period two
        (quadratic(1.0), 1, [0.2]),
    ],
    ids=["fold", "flip", "transcritical"],
)
def test_a_cycle_at_a_bifurcation_is_not_called_stable(system, period, x0):
    # Exact: 1, of which Newton's method has the root of its residual. Before: 0.9999, "stable".
    with pytest.warns(UserWarning, match="the cycle is at a bifurcation"):
        found = ln.periodic_orbit(system, period, x0=x0)
    assert found.stable is None
    assert found.verdict.startswith("unreliable: the cycle is at a bifurcation")
    assert_allclose(np.abs(found.multipliers), 1, atol=1e-3)


def test_cycles_beside_bifurcations_and_neutral_ones_are_told():
    r = 1 + np.sqrt(8) + 1e-6
    assert ln.periodic_orbit(quadratic(r), 3, x0=[0.5]).stable is True
    assert ln.periodic_orbit(quadratic(3.001), 2, x0=[0.7]).stable is True
    assert ln.periodic_orbit(quadratic(3.0), 1, x0=[0.7]).stable is False  # exactly -1
    kicked = ln.Map(lambda x: anp.array([x[0] + x[1] - anp.sin(x[0]), x[1] - anp.sin(x[0])]), 2)
    elliptic = ln.periodic_orbit(kicked, 1, x0=[0.2, 0.1])
    assert elliptic.stable is False  # nor unstable: both on the circle
    assert elliptic.verdict.startswith("fine")
