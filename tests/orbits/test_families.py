"""Cycles that are one of a family, as where energy is conserved: the nearest one is found."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import solve_ivp
from scipy.special import ellipk

import lyapnet as ln


def pendulum(method, dt=0.02):
    return ln.Flow(lambda x: anp.array([x[1], -anp.sin(x[0])]), 2, dt=dt, method=method)


@pytest.mark.parametrize("method", ["leapfrog", "dop853"])
@pytest.mark.parametrize("guess", [6.7, 6.5, None])
def test_a_swing_of_a_pendulum(method, guess):
    # Before: "the period shrinks to nothing", and cycles of period 8.58, 10.6 or 41.5.
    cycle = ln.periodic_orbit(pendulum(method), guess, x0=[1.0, 0.0])
    amplitude = np.abs(cycle.states[:, 0]).max()
    assert abs(amplitude - 1) < (0.1 if guess == 6.5 else 1e-3)  # half way to its period
    assert_allclose(cycle.period, 4 * ellipk(np.sin(amplitude / 2) ** 2), rtol=2e-4)
    assert_allclose(cycle.exponents, 0, atol=1e-6)
    assert cycle.stable is False
    assert cycle.verdict.startswith("fine")
    assert cycle.verdict.endswith("a family")
    assert cycle.plot().get_title().startswith("neutral cycle")


def test_predators_and_their_prey():
    def field(t, x):
        return [x[0] * (1 - x[1]), x[1] * (x[0] - 1)]

    section = lambda t, x: x[1] - 1
    section.direction = 1
    exact = solve_ivp(field, (0, 20), [1.5, 1.0], events=section, rtol=1e-11, atol=1e-12)
    flow = ln.Flow(lambda x: anp.array(field(0, x)), 2, dt=0.02, method="dop853")
    cycle = ln.periodic_orbit(flow, exact.t_events[0][1] - exact.t_events[0][0], x0=[1.5, 1.0])
    assert_allclose(cycle.states[0], [1.5, 1.0], atol=1e-6)
    assert_allclose(cycle.exponents, 0, atol=1e-6)


def test_a_normal_mode_of_henon_and_heiles():
    def field(z):
        x, y, px, py = z
        return anp.array([px, py, -x - 2 * x * y, -y - x**2 + y**2])

    def beside(t, z):  # along x = 0, and Hill's equation across
        y, py, *rest = z
        return [py, -y + y**2, rest[2], rest[3], -(1 + 2 * y) * rest[0], -(1 + 2 * y) * rest[1]]

    top = lambda t, z: z[1]
    top.direction = -1
    start = [0.3, 0, 1, 0, 0, 1]
    exact = solve_ivp(beside, (0, 20), start, events=top, rtol=1e-11, atol=1e-12)
    period = exact.t_events[0][1]
    across = np.linalg.eigvals(exact.y_events[0][1][2:].reshape(2, 2))
    flow = ln.Flow(field, 4, dt=0.05, method="dop853")
    cycle = ln.periodic_orbit(flow, 6.5, x0=[0.0, 0.3, 0.0, 0.0])
    assert_allclose(cycle.period, period, atol=2e-3)
    found = cycle.multipliers[np.argsort(np.abs(cycle.multipliers - 1))[2:]]
    assert_allclose(np.sort(np.angle(found)), np.sort(np.angle(across)), atol=2e-3)


def test_a_map_that_turns_circles():
    # Each circle p = const is turned by p: the cycles of four steps fill that of p = pi / 2.
    twist = ln.Map(
        lambda x: anp.array([
            x[0] * anp.cos(r := x[0] ** 2 + x[1] ** 2) - x[1] * anp.sin(r),
            x[0] * anp.sin(r) + x[1] * anp.cos(r),
        ]),
        2,
    )  # fmt: skip
    cycle = ln.periodic_orbit(twist, 4, x0=[1.25, 0.1])
    assert_allclose((cycle.states**2).sum(axis=1), np.pi / 2, rtol=1e-9)
    assert np.linalg.norm(cycle.states[0] - [1.25, 0.1]) < 0.05
    assert cycle.stable is False
    assert cycle.verdict.endswith("a family")


@pytest.mark.parametrize("method", ["euler", "heun", "rk4"])
@pytest.mark.parametrize("dt", [0.02, 0.1])
def test_what_steps_alone_make_stable_is_not_called_so(method, dt):
    # A harmonic oscillator: whatever its steps lose or gain, its cycles are neutral.
    flow = ln.Flow(lambda x: anp.array([x[1], -x[0]]), 2, dt=dt, method=method)
    try:
        cycle = ln.periodic_orbit(flow, 6.3, x0=[1.0, 0.0], tol=1e-6)
    except ln.LyapnetError:
        return  # its steps spiral inwards or outwards: there is no cycle
    assert cycle.stable is not True


def test_steps_that_do_not_conserve_are_named():
    with pytest.raises(ln.LyapnetError, match=r"cycles form a family.*leapfrog"):
        ln.periodic_orbit(pendulum("rk4", 0.1), 6.7, x0=[1.0, 0.0])


def test_steps_that_are_all_a_cycle_decays_by():
    # A forced oscillator without friction: multipliers are on the circle, but for the steps.
    forced = ln.Flow(
        lambda x, t: anp.array([x[1], -2 * anp.sin(x[0]) + 0.3 * anp.cos(t)]), 2, dt=0.05, time=True
    )
    cycle = ln.periodic_orbit(forced, 2 * np.pi, x0=[0.3, 0.0])
    assert cycle.exponents.max() < -1e-9  # before: "stable"
    assert cycle.stable is None
    assert not cycle.verdict.endswith("a family")
