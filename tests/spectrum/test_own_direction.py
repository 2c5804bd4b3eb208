"""An autonomous flow that moves has an exponent of 0, and a run without one is told."""

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
