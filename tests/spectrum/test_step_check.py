"""The integrator's step is seen where it matters, and only there."""

from dataclasses import replace

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln
from lyapnet.spectrum.second_run import apart, second_run
from lyapnet.spectrum.step_defect import change_of, judge_step, step_defect
from lyapnet.spectrum.uncertainty.estimate import Estimate


def stiff(**kwargs):
    return ln.Flow(lambda x: anp.array([-x[0], -300 * x[1]]), 2, **kwargs)


def test_an_unstable_step_is_not_converged():
    # RK4 multiplies by 24.2 where exp(-3) is meant: exponents 31.8 and -1 for -1 and -300.
    s = ln.lyapunov_spectrum(stiff(dt=0.01), 500, x0=[1.0, 1.0], transient=0, rng=0)
    assert s.exponents[0] > 30
    found = s.diagnose()
    assert not found.converged
    assert found.verdict.startswith("too coarse: halving the step changes exponents by up to")
    assert "implicit" in found.verdict
    laws = ln.check_invariants(s)
    assert not laws.passed
    assert laws.verdicts["divergence"].startswith("fails")
    assert "smaller dt" in laws.verdicts["divergence"]
    assert laws.verdicts["volume"].startswith("holds")
    good = ln.lyapunov_spectrum(stiff(dt=0.0005), 500, x0=[0.0, 0.0], rng=0)
    assert_allclose(good.exponents, [-1, -300], rtol=1e-4)
    solved = stiff(dt=0.01, method="implicit", rtol=1e-9)
    assert_allclose(ln.lyapunov_spectrum(solved, 300, x0=[1.0, 0.0], rng=0).exponents, [-1, -300],
                    rtol=1e-6)  # fmt: skip


@pytest.mark.parametrize(
    ("dt", "coarse"), [(0.1, True), (0.05, True), (0.02, False), (0.01, False)]
)
def test_lorenz_is_flagged_where_the_step_exceeds_the_error_bars(dt, coarse):
    s = ln.lyapunov_spectrum(ln.catalog.lorenz63(dt=dt), round(400 / dt), rng=0)
    found = s.diagnose()
    assert found.verdict.startswith("too coarse") == coarse
    assert found.converged != coarse or not found.converged
    # The sum is -41/3 of the field; the defect of the sum says by how much the step misses it.
    missed = abs(s.exponents.sum() + 41 / 3)
    assert 0.5 * missed < found.step_error.sum() < 4 * missed
    laws = ln.check_invariants(s)
    if dt == 0.1:  # slow episodes that the flow does not have: no error is claimed
        assert laws.verdicts["divergence"].startswith("not checked: the run is too short")
    else:
        assert laws.verdicts["divergence"].startswith("fails" if coarse else "holds")


def test_an_integrator_that_damps_what_is_neutral_is_seen():
    # Euler's method on a rotation: growth 0.5 dt omega^2 instead of 0.
    flow = ln.Flow(lambda x: anp.array([x[1], -x[0]]), 2, dt=0.05, method="euler")
    s = ln.lyapunov_spectrum(flow, 2000, x0=[0.0, 0.0], rng=0)
    assert_allclose(s.exponents, np.log(1 + 0.05**2) / 2 / 0.05, rtol=1e-6)
    assert s.diagnose().verdict.startswith("too coarse")
    leapfrog = ln.Flow(lambda x: anp.array([x[1], -x[0]]), 2, dt=0.05, method="leapfrog")
    assert ln.check_invariants(leapfrog, 2000, x0=[1.0, 0.0], zero=False, rng=0).passed


def chain(force, n, **kwargs):
    """Return masses on a line between walls, with the force of a spring by its length."""

    def field(z):
        springs = force(anp.diff(anp.concatenate([np.zeros(1), z[:n], np.zeros(1)])))
        return anp.concatenate([z[n:], anp.diff(springs)])

    return ln.Flow(field, 2 * n, dt=0.1, **kwargs)


@pytest.mark.parametrize(
    ("force", "n"), [(lambda d: d, 4), (lambda d: d + 0.25 * d**2, 6)], ids=["harmonic", "FPUT"]
)
def test_steps_are_not_blamed_for_what_they_do_to_one_basis_of_equal_exponents(force, n):
    # All exponents are 0 with any step: before, "too coarse", as one basis grows and others shrink.
    flow = chain(force, n, method="leapfrog")
    x0 = np.append(np.sin(np.pi * np.arange(1, n + 1) / (n + 1)), np.zeros(n))
    s = ln.lyapunov_spectrum(flow, 50_000, x0=x0, rng=0)
    found, (low, high) = s.diagnose(), s.confidence_interval()
    assert (np.abs(step_defect(s).defect) > (high - low) / 2).any()
    assert found.verdict.startswith("converged")
    assert ln.check_step(flow, 20_000, x0=x0, rng=0).fine


def test_steps_that_change_equal_exponents_alike_are_blamed():
    flow = chain(lambda d: d, 4, method="heun")  # whose steps amplify all modes
    s = ln.lyapunov_spectrum(flow, 20_000, x0=np.full(8, 1e-3), rng=0)
    assert s.diagnose().verdict.startswith("too coarse")


def test_what_steps_change_is_an_average_where_exponents_are_not_told_apart():
    s = ln.lyapunov_spectrum(ln.catalog.lorenz63(), 5000, rng=0)
    defect = np.array([0.3, -0.1, 0.5])

    def change(exponents, stderr):
        other = replace(s, exponents=np.array(exponents), stderr=np.array(stderr))
        return change_of(defect, other)

    assert_allclose(change([1.0, 0.0, -1.0], [0.01] * 3), [0.3, 0.1, 0.5])
    assert_allclose(change([1.0, 0.99, -1.0], [0.01] * 3), [0.1, 0.1, 0.5])
    assert_allclose(change([1.0, 0.98, 0.96], [0.005] * 3), [0.1, 0.7 / 3, 0.2])
    assert_allclose(change([1.0, 0.99, -1.0], [np.inf, np.inf, 0.01]), [0.3, 0.1, 0.5])


def test_check_step_says_how_much_the_finer_run_changes():
    r = ln.check_step(stiff(dt=0.005), 300, x0=[1.0, 1.0], transient=0, rng=0)
    # z = -1.5: log of 1 + z + z^2/2 + z^3/6 + z^4/24 over the step, and z = -0.75 over half of it
    exact = [np.log(abs(sum(z**j / f for j, f in enumerate([1, 1, 2, 6, 24])))) / h
             for z, h in ((-1.5, 0.005), (-0.75, 0.0025))]  # fmt: skip
    assert_allclose(r.exponents[1], exact[0], rtol=1e-9)
    assert_allclose(r.finer[1], exact[1], rtol=1e-9)
    assert_allclose(r.difference[1], exact[1] - exact[0], rtol=1e-8)
    assert_allclose(r.defect[1], exact[1] - exact[0], rtol=1e-8)
    assert not r.fine
    assert r.plot().get_title() == "too coarse"


def test_forced_stroboscopic_adaptive_delayed_and_noisy_flows_have_a_finer_step():
    def forced(x, t):
        return anp.array([x[1], -0.2 * x[1] - x[0] ** 3 + anp.cos(t)])

    flow = ln.Flow(forced, 2, dt=0.3, time=True)
    for system, kwargs in (
        (flow, {"t0": 0.5}),
        (ln.stroboscopic(flow, 2 * np.pi), {"t0": 0.5}),
        (ln.Flow(forced, 2, dt=0.5, time=True, method="adaptive", rtol=1e-4), {}),
    ):
        r = ln.check_step(system, 50, transient=10, x0=[1.0, 0.0], rng=0, **kwargs)
        assert np.isfinite(r.defect).all()
        assert_allclose(r.exponents.sum(), -0.2, atol=0.02)
        assert abs(r.finer.sum() + 0.2) <= abs(r.exponents.sum() + 0.2) + 1e-6
    late = ln.DelayFlow(lambda x, late: -1.2 * late, 1, delays=1.0, dt=0.25)
    r = ln.check_step(late, 400, k=2, x0=late.history([1.0]), rng=0)
    assert_allclose(r.defect, r.difference, atol=1e-3)
    noisy = ln.NoisyFlow(lambda x: -x, lambda x: 0.5 * x, 1, dt=0.1, calculus="ito")
    r = ln.check_step(noisy, 4000, x0=[1e-3], rng=0)
    # Under the same noise the difference is that of the step: Euler-Maruyama misses -1.125 by O(dt)
    assert abs(r.finer[0] + 1.125) < abs(r.exponents[0] + 1.125) + 0.02
    assert 0.01 < abs(r.difference[0]) < 0.1


def test_inputs_are_refined_as_they_are_interpolated():
    t = 0.2 * np.arange(300)
    u = np.sin(t)[:, None]
    for interpolation, allowed in (("hold", 0.2), ("linear", 0.02), ("cubic", 1e-3)):
        flow = ln.Flow(
            lambda x, u: u * x - x**3, 1, dt=0.2, n_inputs=1, interpolation=interpolation
        )
        fine, m = flow.finer()
        refined = flow.drive.refined(u, m)
        assert refined.shape == (600, 1)
        assert_allclose(refined[::2], u, atol=1e-12)
        assert_allclose(refined[1:-3:2, 0], np.sin(t + 0.1)[:-1][: len(refined[1:-3:2])],
                        atol=allowed)  # fmt: skip
        rows = flow.drive.rows(u, (), 300)
        x = flow.orbit(np.ones(1), rows, 300).states
        parts = np.stack(flow.drive.parts(rows, 2), axis=1).reshape(600, -1)
        y = fine.orbit(np.ones(1), parts, 600).states[::2]
        assert_allclose(x, y, atol=2e-4)
        assert ln.check_step(flow, 100, inputs=u, x0=[1.0], rng=0).fine


def test_a_map_has_no_step():
    with pytest.raises(TypeError, match="a map has no step"):
        ln.check_step(ln.catalog.henon(), 100)
    assert ln.lyapunov_spectrum(ln.catalog.henon(), 500, rng=0).diagnose().step_error is None


def test_two_runs_that_tell_nothing_are_not_fine():
    """Of delays and noise two runs are compared; with errors too large for that, it says so."""
    delayed = ln.DelayFlow(lambda x, y: -y, 1, delays=1.0, dt=0.25, method="euler")
    found = ln.check_step(delayed, 200, k=2, x0=delayed.history([1.0]), rng=0)
    assert not found.fine  # -0.20 and -0.26, for -0.32
    assert not found.verdict.startswith("fine")
    noisy = ln.NoisyFlow(
        lambda x: anp.array([x[1], -anp.sin(x[0]) - 0.1 * x[1]]), lambda x: anp.array([0, 0.2]),
        2, dt=0.01,
    )  # fmt: skip
    found = ln.check_step(noisy, 500, x0=[0.1, 0.2], rng=0)
    assert not found.fine
    assert found.verdict.startswith("too short:")


def test_what_a_step_does_is_held_against_what_the_run_can_see():
    # Exact: 0, 0. The steps of RK4 shrink the circle by 7e-8 per unit of time, and by nothing else.
    circle = ln.Flow(lambda x: [x[1], -x[0]], 2, dt=0.1)
    s = ln.lyapunov_spectrum(circle, 500, x0=[1.0, 0.0], rng=0)
    found = s.diagnose()
    assert found.converged, found.verdict
    assert found.step_verdict.startswith("fine")
    assert ln.check_step(circle, 500, x0=[1.0, 0.0], rng=0).verdict.startswith("fine")
    coarse = ln.Flow(lambda x: [x[1], -x[0]], 2, dt=0.5)
    long = ln.lyapunov_spectrum(coarse, 2000, x0=[1.0, 0.0], rng=0).diagnose()
    assert long.verdict.startswith("too coarse")  # the circle has shrunk by a fifth


def test_a_step_that_matters_little_is_told_and_held_against_what_was_asked():
    # Exact: -22.8; RK4 makes (z^5 / 120 - z^6 / 144) / dt of it, z = -0.228: 6e-4 off.
    # Before: "converged" within 7e-13, without a word.
    decay = ln.Flow(lambda x: -22.8 * x, 1, dt=0.01)
    run = {"x0": [1.0], "rng": 0}
    s = ln.lyapunov_spectrum(decay, 1000, **run)
    assert abs(s.exponents[0] + 22.8) == pytest.approx(6.2e-4, rel=0.02)
    found = s.diagnose()
    assert found.verdict.startswith("converged")
    assert "half the step changes them by up to 0.0006" in found.verdict
    assert "more than their error bars, but too little to matter" in found.step_verdict
    assert ln.lyapunov_spectrum(decay, 1000, tol=1e-2, **run).converged
    asked = ln.lyapunov_spectrum(decay, 1000, tol=1e-5, **run)
    assert asked.converged is False
    assert "see diagnose()" in repr(asked)
    assert "more than tol = 1e-05" in asked.diagnose().verdict


def test_a_tolerance_is_that_of_the_step_as_well():
    # Lorenz at dt = .08: half the step changes the last exponent by one. Before: converged.
    s = ln.lyapunov_spectrum(ln.catalog.lorenz63(dt=0.08), 20_000, rng=0, tol=0.1)
    assert s.converged is False
    assert s.stderr.max() < 0.05
    exact = ln.Flow(lambda x: anp.array([1.0, 2.0]) + 0 * x, 2, dt=0.1)
    assert ln.lyapunov_spectrum(exact, 500, x0=[0.0, 0.0], rng=0, tol=1e-9).converged


def test_directions_that_decay_within_a_step_of_a_state_at_rest_are_too_coarse():
    """At rest the tolerance holds whatever the step, and the tangent steps damp too weakly."""
    rates = np.array([1.0, 100.0, 10_000.0])
    flow = ln.Flow(lambda x: -rates * x, 3, dt=0.5, method="implicit")
    with pytest.warns(UserWarning, match="exponents 2 decay within a part"):
        r = ln.check_step(flow, 200, x0=np.ones(3), rng=0)
    assert r.verdict.startswith("too coarse")
    fine = ln.Flow(lambda x: -rates[:1] * x, 1, dt=0.5, method="implicit")
    d = ln.lyapunov_spectrum(fine, 200, x0=np.ones(1), rng=0).diagnose()
    assert not d.verdict.startswith("too coarse")


@pytest.mark.parametrize(
    ("field", "x0"),
    [
        (lambda x: anp.array([x[1], -x[0]]), [1.0, 0.0]),
        (lambda x: anp.array([x[1], -anp.sin(x[0])]), [0.3, 0.0]),
    ],
)
def test_no_sign_is_settled_by_what_is_the_step_s_alone(field, x0):
    # Exponents are zero; those of the Runge-Kutta steps are -7e-8, with error bars of 1e-15.
    s = ln.lyapunov_spectrum(ln.Flow(field, 2, dt=0.1), 3000, x0=x0, rng=0)
    verdict = s.diagnose().verdict
    assert "all signs settled" not in verdict
    assert "1, 2 not told from 0" in verdict or "signs of exponents 1, 2 are not" in verdict
    damped = ln.Flow(lambda x: anp.array([x[1], -x[0] - 0.1 * x[1]]), 2, dt=0.1)
    s = ln.lyapunov_spectrum(damped, 3000, x0=x0, rng=0)
    assert "all signs settled" in s.diagnose().verdict


@pytest.mark.parametrize(
    "jump", [lambda x: np.heaviside(anp.sin(x), 0.5), lambda x: anp.sin(x // 1.0) ** 2]
)
def test_the_step_is_checked_of_fields_that_jump(jump):
    # Functions without derivative in autograd: a TypeError from within the diagnosis.
    flow = ln.Flow(lambda x: 1 + 0.5 * jump(x), 1, dt=0.1)
    found = ln.lyapunov_spectrum(flow, 100, x0=[0.3], rng=0).diagnose()
    assert found.step_verdict.startswith("fine")


# --- delays and inputs ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dt", "method"), [(1.0, "rk4"), (0.5, "euler"), (0.1, "euler"), (0.25, "heun")]
)
def test_steps_of_delay_equations_are_seen(dt, method):
    """Exact: Re W(-1) = -0.318132 twice. Before, all were "converged", -0.12 and -0.23 among them.

    The change is that of the exponents themselves, as a run with half the step has them.
    """
    late = ln.DelayFlow(lambda x, y: -y, 1, delays=1.0, dt=dt, method=method)
    s = ln.lyapunov_spectrum(late, 3000, k=2, x0=late.history([1.0]), rng=0)
    found = s.diagnose()
    assert found.verdict.startswith("too coarse")
    assert "implicit" not in found.verdict
    fine, m = late.finer()
    there = ln.lyapunov_spectrum(fine, m * 3000, k=2, x0=fine.history([1.0]), rng=0)
    change = there.exponents.sum() - s.exponents.sum()
    assert_allclose(found.step_error.sum(), abs(change), rtol=0.05)


def test_fine_steps_of_delay_equations_are_not_blamed():
    for system in (ln.catalog.linear_delay(), ln.catalog.mackey_glass(n=40)):
        found = ln.lyapunov_spectrum(system, 2000, k=2, rng=0).diagnose()
        assert found.step_verdict.startswith("fine")
        assert found.step_error.max() < 1e-5


@pytest.mark.parametrize("interpolation", ["hold", "linear"])
def test_steps_of_driven_flows_are_seen(interpolation):
    # Exact: -1. Euler's steps have log(1 - dt) / dt = -1.386, and half of them -1.151.
    u = np.random.default_rng(0).normal(size=(1000, 2, 1))
    flow = ln.Flow(
        lambda x, u: -x + u, 1, dt=0.5, method="euler", n_inputs=1, interpolation=interpolation
    )
    s = ln.lyapunov_spectrum(flow, inputs=u, x0=[0.0], rng=0)
    found = s.diagnose()
    assert found.verdict.startswith("too coarse")
    assert_allclose(found.step_error, 4 * np.log(0.75) - 2 * np.log(0.5), rtol=1e-9)
    longer = s.extend(200, inputs=u[:200]).diagnose()
    assert_allclose(longer.step_error, found.step_error, rtol=1e-9)
    good = ln.Flow(lambda x, u: -x + u, 1, dt=0.01, n_inputs=1)
    assert ln.lyapunov_spectrum(good, inputs=u, x0=[0.0], rng=0).diagnose().converged


def test_delays_and_inputs_together():
    """With few components and exponents the run ended in a ValueError before it was looked at."""
    u = np.random.default_rng(0).normal(size=(3000, 1))

    def field(x, y, t, u):
        return -y + u + anp.cos(t)

    given = {"delays": 1.0, "n_inputs": 1, "time": True}
    for dt, coarse in ((0.5, True), (0.05, False)):
        late = ln.DelayFlow(field, 1, dt=dt, method="heun", interpolation="linear", **given)
        s = ln.lyapunov_spectrum(late, inputs=u, k=2, x0=late.history([1.0]), rng=0)
        assert s.diagnose().verdict.startswith("too coarse") == coarse


def test_where_the_step_is_not_looked_at_it_is_said(tmp_path):
    unseen = "what the step does is not looked at"
    lorenz = ln.lyapunov_spectrum(ln.catalog.lorenz63(), 500, x0=np.ones((3, 3)), rng=0)
    assert unseen not in lorenz.diagnose().verdict
    back = ln.load(lorenz.save(tmp_path / "s.npz"))
    for s, why in ((lorenz.pooled(), "where members are pooled"), (back, "carries no system")):
        assert f"{unseen}" in s.diagnose().verdict
        assert why in s.diagnose().step_verdict
    own = ln.Map(lambda x: x - 0.5 * x, 1, dt=0.5)  # a step of Euler's, written by the user
    assert unseen in ln.lyapunov_spectrum(own, 200, x0=[1.0], rng=0).diagnose().verdict
    noisy = ln.NoisyFlow(lambda x: -x, lambda x: 0.1, 1, dt=0.1)
    verdict = ln.lyapunov_spectrum(noisy, 500, x0=[1.0], rng=0).diagnose().verdict
    assert f"{unseen} under noise: see check_step()" in verdict
    plain = ln.lyapunov_spectrum(ln.catalog.henon(), 500, rng=0)
    assert unseen not in plain.diagnose().verdict


# --- the sum of all exponents ---------------------------------------------------------------------


def forced_duffing(dt, method):
    """Return an oscillator whose exponents add up to -0.3."""
    return ln.Flow(
        lambda x, t: anp.array(
            [x[1], x[0] - x[0] ** 3 - 0.3 * x[1] + 0.5 * anp.cos(1.2 * t)]
        ),
        2, dt=dt, time=True, method=method,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("method", "dt", "steps"),
    [("euler", 0.05, 20_000), ("heun", 0.2, 9000)],
)
def test_a_sum_that_is_off_by_more_than_the_error_bars(method, dt, steps):
    """Exact: -0.3. Before, Euler's steps were "converged" at a sum of -0.235."""
    s = ln.lyapunov_spectrum(forced_duffing(dt, method), steps, x0=[0.5, 0.0], rng=0)
    low, high = s.confidence_interval()
    assert abs(s.exponents.sum() + 0.3) > (high - low).max() / 2
    assert s.diagnose().verdict.startswith("too coarse")


@pytest.mark.parametrize(("method", "dt"), [("heun", 0.05), ("rk4", 0.3), ("euler", 0.002)])
def test_a_sum_that_is_off_by_less_is_no_alarm(method, dt):
    s = ln.lyapunov_spectrum(forced_duffing(dt, method), 9000, x0=[0.5, 0.0], rng=0)
    low, high = s.confidence_interval()
    assert abs(s.exponents.sum() + 0.3) < (high - low).max() / 2
    assert s.diagnose().step_verdict.startswith("fine")


def test_the_sum_is_judged_by_the_widest_interval():
    flow, bars = forced_duffing(0.05, "euler"), np.array([0.02, 0.03])
    change, exponents = np.array([0.009, -0.009]), np.array([0.1, -0.4])
    for total, fine in ((0.014, True), (0.016, False)):  # Euler's steps are off by twice that
        found, words = judge_step(np.abs(change), exponents, bars, flow, 1e3, np.array(total))
        assert found == fine
    assert "changes the sum of all exponents by 0.016, it is off by about 0.032" in words


def test_steps_of_ones_own_that_jump_are_said_to():
    """A neuron that fires in regular intervals: exponent 0, which its reset brings about."""

    def stepped(v):
        v = v + 0.01 * (1.5 - v)
        return np.where(v > 1, v - 1, v)

    s = ln.lyapunov_spectrum(ln.Map(stepped, 1, dt=0.01), 1000, x0=[0.3], rng=0)
    assert "it may jump (a comparison)" in s.diagnose().step_verdict
    flow = ln.Flow(lambda v: 1.5 - anp.mod(v, 1.0), 1, dt=0.01)
    s = ln.lyapunov_spectrum(flow, 5000, x0=[0.3], rng=0)
    low, high = s.confidence_interval()
    assert low[0] < 0 < high[0]
    assert abs(s.exponents[0]) < 0.02
    for step, dt in ((lambda x: 2 * x % 1, 1.0), (lambda x: x - 0.01 * np.abs(x) * x, 0.01)):
        s = ln.lyapunov_spectrum(ln.Map(step, 1, dt=dt), 30, x0=[0.3], rng=0)
        assert "may jump" not in s.diagnose().verdict


def steep_network(dt):
    # Rates through steep tanh: their exponents are 0.09 and 0 by Runge and Kutta's method in plain
    # NumPy at dt = 0.05 and 0.02, and 0.14 and -0.05 at 0.2.
    W = np.random.default_rng(5).normal(0, 3 / np.sqrt(30), (30, 30))
    return ln.Flow(lambda x: -x + anp.dot(W, anp.tanh(5 * x)), 30, dt=dt)


def against_a_wall(dt):
    # SciPy's DOP853, a step for each side of the wall: a cycle, whose exponents are both -0.05.
    def field(x, t):
        wall = 1e3 * anp.maximum(x[0] - 0.3, 0)
        return anp.array([x[1], -x[0] - 0.1 * x[1] + 2.5 * anp.cos(2.2 * t) - wall])

    return ln.Flow(field, 2, dt=dt, time=True)


@pytest.mark.parametrize(
    ("flow", "n_steps", "x0", "words"),
    [
        (steep_network(0.2), 4500, np.sin(np.arange(30)), "too coarse: steps are off by 0.8"),
        # Too short to be told from noise, and what it is hangs on rounding.
        (steep_network(0.2), 1500, np.sin(np.arange(30)), ("stationary", "drifting", "too short")),
        (against_a_wall(0.02), 20_000, np.zeros(2), "too coarse: steps are off by 1"),
    ],
    ids=["network", "short", "wall"],
)
def test_a_step_that_leads_to_another_attractor_is_seen(flow, n_steps, x0, words):
    # Along the orbit that it leads to half the step changes growth by less than the error bars.
    s = ln.lyapunov_spectrum(flow, n_steps, k=2, x0=x0, rng=0)
    found = s.diagnose()
    assert found.verdict.startswith(words)
    assert not found.converged
    assert (found.step_error < 0.03).all()


def driven_against_a_wall(dt):
    def field(x, u):
        return anp.array([x[1], -x[0] - 0.1 * x[1] + u[0] - 1e3 * anp.maximum(x[0] - 0.3, 0)])

    inputs = 2.5 * np.cos(2.2 * dt * np.arange(round(480 / dt)))[:, None]
    return ln.Flow(field, 2, dt=dt, n_inputs=1, interpolation="linear"), inputs


def test_a_step_that_leads_elsewhere_under_inputs_is_seen():
    # As above, the force given as samples. Half the step along the orbit changes 0.003.
    flow, inputs = driven_against_a_wall(0.02)
    found = ln.lyapunov_spectrum(flow, inputs=inputs, x0=np.zeros(2), rng=0).diagnose()
    assert found.verdict.startswith("too coarse: steps are off by 0.2")
    flow, inputs = driven_against_a_wall(0.002)
    found = ln.lyapunov_spectrum(flow, inputs=inputs, x0=np.zeros(2), rng=0)
    assert (found.exponents < -0.04).all()
    assert found.diagnose().converged


@pytest.mark.parametrize("record", [True, False])
def test_a_run_is_held_against_one_over_the_same_inputs(record):
    # Exact: -1 under the first 28 000 inputs, -2 under the last. Steps of 2 radians stray.
    flow = ln.Flow(
        lambda x, t, u: -u * x + anp.cos(20 * t), 1, dt=0.1, time=True, n_inputs=1
    )  # fmt: skip
    inputs = np.repeat([1.0, 2.0], [28_000, 6800])[:, None]
    s = ln.lyapunov_spectrum(flow, inputs=inputs, x0=[0.0], record=record, rng=0)
    assert_allclose(s.exponents, -1.244, atol=0.001)
    assert step_defect(s).strays > 1e-3
    pair = second_run(s, 1.0)
    assert_allclose([pair.coarse.mean[0], pair.fine.mean[0]], -1, atol=1e-3)
    assert "too coarse" not in s.diagnose().verdict
    more = s.extend(inputs=inputs[-3000:])
    assert_allclose(second_run(more, 1.0).coarse.mean, -2, atol=1e-3)


def pendulum(x, t):
    return anp.array([x[1], -0.1 * x[1] - anp.sin(x[0]) + 1.5 * anp.cos(2 / 3 * t)])


@pytest.mark.parametrize("of", ["flow", "period"])
def test_a_small_error_of_steps_at_the_edge_of_chaos_is_seen(of):
    # RK4 at dt = 0.1 to 0.0125: 0.03. At 0.2 there is a window, and steps are off by 3e-5.
    flow = ln.Flow(pendulum, 2, dt=0.2, time=True)
    system, n_steps = (flow, 10_000) if of == "flow" else (ln.stroboscopic(flow, 3 * np.pi), 212)
    s = ln.lyapunov_spectrum(system, n_steps, x0=[0.1, 0.0], rng=0)
    assert s.exponents[0] < 0
    within = ln.lyapunov_spectrum(system, 10 * n_steps, x0=[0.1, 0.0], tol=0.005, rng=0)
    if s.settings["engine"] == "compiled":
        assert s.diagnose().verdict.startswith("too coarse: steps are off by 0.00")
        assert within.converged is False
    assert ln.lyapunov_spectrum(
        ln.Flow(pendulum, 2, dt=0.05, time=True), 40_000, x0=[0.1, 0.0], rng=0
    ).diagnose().converged  # fmt: skip


def test_two_runs_that_differ_are_not_called_fine():
    # There are several attractors, and rounding says which is met: here it is that of NumPy.
    network = ln.compiled(steep_network(0.2), "numpy")
    found = ln.check_step(network, 4500, k=2, x0=np.sin(np.arange(30)), transient=1500, rng=0)
    assert (np.abs(found.difference) > 3 * found.difference_stderr).all()
    assert not found.fine
    assert found.verdict.startswith("too coarse: two runs differ by 0.0")


def test_runs_that_errors_explain_are_not_told_apart():
    # Of two runs with the same exponents, with errors of 8 degrees of freedom, one pair in 100.
    rng = np.random.default_rng(0)
    told = []
    for _ in range(2000):
        runs = []
        for _ in range(2):
            blocks = rng.standard_normal((9, 4))
            runs.append(Estimate(blocks.mean(0), blocks.std(0, ddof=1) / 3, np.full(4, 8.0)))
        told.append(apart(*runs).any())
    assert np.mean(told) < 0.02
    sure = Estimate(np.array([0.1, -14.6]), np.array([1e-3, 1e-3]), np.full(2, 20.0))
    off = sure._replace(mean=np.array([0.11, -14.6]))
    assert_allclose(apart(sure, off), [0.01, 0])
    unknown = sure._replace(stderr=np.full(2, np.inf))
    assert not apart(unknown, off).any()


@pytest.mark.parametrize("radians", [0.01, 20.0])
def test_a_field_that_is_another_later_on_is_no_fault_of_steps(radians):
    # Exact: -1 while the run lasts, which half the step must not go beyond.
    flow = ln.Flow(
        lambda x, t: -anp.where(t < 300, 1.0, 3.0) * x + anp.cos(radians * t), 1, dt=0.1, time=True
    )
    s = ln.lyapunov_spectrum(flow, 2000, x0=[0.0], rng=0)
    assert s.time + 40 < 300
    assert_allclose(s.exponents, -1, atol=1e-6)
    assert "too coarse" not in s.diagnose().verdict


@pytest.mark.parametrize("members", [(), (3,)])
def test_a_run_to_the_end_of_the_numbers_is_looked_at_without_a_warning(members):
    # Grows by 1e286: squares are infinite, or vanish. Warnings are errors here.
    flow = ln.Flow(lambda x: anp.array([x[1], x[0], -x[2]]), 3, dt=0.1)
    scale = np.logspace(-250, 0, members[0])[:, None] if members else 1.0
    s = ln.lyapunov_spectrum(flow, 5500, x0=scale * np.ones((*members, 3)), rng=0)
    found = s.diagnose()
    assert found.verdict.startswith("unbounded: ")
    # RK4 leaves out h^5 / 120 of a step of h, and 1/16 of that at half the step.
    assert step_defect(s).strays == pytest.approx(0.1**4 / 120, rel=0.2)
