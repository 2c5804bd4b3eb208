"""An autonomous flow that moves has an exponent of 0, and a run without one is told."""

import re
import warnings

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln


def rubbed(force, dt=0.1):
    """Return an oscillator that rubs against a moving belt: exponents 0 and -0.2 or less."""
    return ln.Flow(lambda x: anp.array([x[1], -x[0] - 0.4 * x[1] + force(x[1])]), 2, dt=dt)


STEEP = {
    "tanh": lambda v: anp.tanh(1e6 * v),
    "less so": lambda v: anp.tanh(1e3 * v),
    "clipped": lambda v: anp.clip(1e9 * v, -1, 1),
    "a root": lambda v: v / anp.sqrt(v**2 + 1e-20),
}


@pytest.mark.parametrize("name", STEEP)
def test_switches_that_are_too_steep_for_the_step_to_see(name):
    # Before, all of these were "converged" at (-0.199, -0.201), and halving the step agreed.
    s = ln.lyapunov_spectrum(rubbed(STEEP[name]), 2000, x0=[-3.2, 0.1], rng=0)
    found = s.diagnose()
    assert found.verdict.startswith("unreliable: no exponent is near 0, the nearest is -0.199")
    assert not found.converged


def test_as_a_jump_and_as_a_switch_that_steps_resolve_it_is_right():
    jump = ln.lyapunov_spectrum(rubbed(anp.sign), 1000, x0=[-3.2, 0.1], rng=0)
    smooth = rubbed(lambda v: anp.tanh(10 * v), dt=0.02)
    smooth = ln.lyapunov_spectrum(smooth, 5000, x0=[-3.2, 0.1], rng=0)
    for s in (jump, smooth):
        assert_allclose(s.exponents[0], 0, atol=5e-3)
        assert "no exponent" not in s.diagnose().verdict


# Flows that come to rest or go away need no zero exponent, whether they do it soon or slowly.
WITHOUT = {
    "decays": (lambda x: -0.01 * x, [1.0]),
    "a spiral": (lambda x: anp.array([x[1], -x[0] - 0.02 * x[1]]), [1.0, 0.0]),
    "stays": (lambda x: 1 - x, [1.0]),
    "rests where the field is rounding": (lambda x: anp.sin(x + np.pi), [0.5]),
    "spirals to where it is": (
        lambda x: anp.array([anp.sin(x[1] + np.pi), anp.sin(x[0]) - 0.5 * x[1]]),
        [0.5, 0.0],
    ),
    "explodes": (lambda x: 0.05 * x, [1e-8]),
    "leaves a saddle for a node": (lambda x: anp.array([x[0] - x[0] ** 3, -x[1]]), [1e-8, 1.0]),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_flows_that_need_none(name):
    field, x0 = WITHOUT[name]
    flow = ln.Flow(field, len(x0), dt=0.1)
    found = ln.lyapunov_spectrum(flow, 2000, x0=x0, transient=0, rng=0).diagnose()
    assert "no exponent" not in found.verdict
    assert found.converged


def test_members_and_flows_of_which_only_leading_exponents_were_asked():
    flow = rubbed(STEEP["tanh"])
    s = ln.lyapunov_spectrum(flow, 2000, k=1, x0=[-3.2, 0.1], rng=0)
    assert s.diagnose().verdict.startswith("unreliable: no exponent")
    lorenz = ln.lyapunov_spectrum(ln.catalog.lorenz63(), 20_000, k=1, rng=0)
    assert lorenz.diagnose().converged  # 0 comes second
    damped = ln.Flow(
        lambda x, p: anp.array([x[1], -x[0] - 0.4 * x[1] + p * anp.tanh(1e6 * x[1])]), 2, dt=0.1,
        params=np.array([0.0, 1.0]),
    )  # fmt: skip
    two = ln.lyapunov_spectrum(damped, 2000, x0=[[-3.2, 0.1]] * 2, rng=0)
    assert "no exponent of member 1 is near 0" in two.diagnose().verdict


# --- where the flow has no direction of its own, or comes to rest ---------------------------------

SLOPES = STEEP | {
    "|v| / v": lambda v: anp.sqrt(v**2) / v,
    "arctan2": lambda v: 1 - 2 / np.pi * anp.arctan2(0.0 * v**2, v),
}


@pytest.mark.parametrize("name", SLOPES)
def test_slopes_of_forced_flows_that_no_step_sees(name):
    """Before, (-0.199, -0.201) was "converged" for 0 and -0.2: there is no zero to be missed."""
    force = SLOPES[name]
    flow = ln.Flow(
        lambda x, t: anp.array([x[1], -x[0] - 0.4 * x[1] + force(x[1]) + 0 * t]),
        2,
        dt=0.1,
        time=True,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a jump, which NumPy's run sees before the diagnosis
        s = ln.lyapunov_spectrum(flow, 2000, x0=[-3.2, 0.1], rng=0)
        assert s.diagnose().verdict.startswith("unreliable: the field")
        found = ln.check_step(flow, 1000, x0=[-3.2, 0.1], rng=0)
    assert not found.fine


def test_a_branch_cut_on_which_the_state_comes_to_rest():
    """arctan2(-0.0, v) is -pi: the force is 3 below v = 0, and leads back there."""
    below = rubbed(lambda v: 1 - 2 / np.pi * anp.arctan2(0.0 * v, v))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the jump, which NumPy's run sees before the diagnosis
        s = ln.lyapunov_spectrum(below, 2000, x0=[-3.2, 0.1], rng=0)
    known = "the steps come to rest where the field|the field jumps by"
    assert re.match(f"unreliable: ({known})", s.diagnose().verdict)


def test_members_and_inputs_on_which_the_slope_depends():
    def field(x, t, p):
        return anp.array([x[1], -x[0] - 0.4 * x[1] + p * anp.clip(1e9 * x[1], -1, 1) + 0 * t])

    flow = ln.Flow(field, 2, dt=0.1, time=True, params=np.array([0.0, 1.0]))
    s = ln.lyapunov_spectrum(flow, 2000, x0=[[-3.2, 0.1]] * 2, rng=0)
    assert s.diagnose().verdict.startswith("unreliable: the field changes by")
    driven = ln.Flow(
        lambda x, u: anp.array([x[1], -x[0] - 0.4 * x[1] + anp.clip(1e9 * x[1], -1, 1) + u[0]]),
        2, dt=0.1, n_inputs=1,
    )  # fmt: skip
    u = 0.01 * np.random.default_rng(0).standard_normal((2000, 1))
    s = ln.lyapunov_spectrum(driven, inputs=u, x0=[-3.2, 0.1], rng=0)
    assert s.diagnose().verdict.startswith("unreliable: the field changes by")


@pytest.mark.parametrize(
    "name",
    ["double_pendulum", "forced_van_der_pol", "lorenz96", "wilson_cowan", "duffing", "ueda",
     "fitzhugh_nagumo", "henon_heiles", "hindmarsh_rose", "mackey_glass", "ikeda_delay"],
)  # fmt: skip
def test_slopes_that_steps_resolve_are_no_alarm(name):
    flow = getattr(ln.catalog, name)()
    x = flow.default_state(np.random.default_rng(0))
    rows = flow.drive.rows(None, (), 1000)
    assert flow.too_steep(flow.orbit(x, rows, 1000).states, rows) == ""


@pytest.mark.parametrize("method", ["adaptive", "implicit"])
def test_the_loops_that_ran_a_stiff_flow_look_at_its_speed(method):
    # Before, NumPy did: 90 s for a run of 2 s.
    pytest.importorskip("numba")
    calls = []
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    A = (Q * [-1.0, -10.0, -300.0]) @ Q.T

    def field(x):
        calls.append(0)
        return anp.dot(A, x)

    flow = ln.Flow(field, 3, dt=0.02, method=method)
    s = ln.lyapunov_spectrum(flow, 2000, x0=[1.0, 0.0, 0.0], rng=0)
    assert s.settings["engine"] == "compiled"
    calls.clear()
    assert "no exponent" not in s.diagnose().verdict
    assert len(calls) < 30_000  # before, 440_000 of "adaptive"
