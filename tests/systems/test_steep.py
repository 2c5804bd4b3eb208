"""Slopes that are smooth, but too steep for a step to see, are said."""

import autograd.numpy as anp
import numpy as np
import pytest

import lyapnet as ln


def jerk(switch):
    """Return Linz and Sprott's flow, in which a switch as steep is all but a jump."""
    return lambda x: anp.array([x[1], x[2], -0.8 * (x[2] + x[1] + x[0] - switch(x[0]))])


SWITCHES = {
    "tanh": lambda v: anp.tanh(1e6 * v),
    "clip": lambda v: anp.clip(1e9 * v, -1, 1),
    "root": lambda v: v / anp.sqrt(v * v + 1e-12),
}


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize("kind", ["alone", "time", "driven"])
def test_a_steep_switch_that_is_seldom_met_is_seen(name, kind):
    # By events, with exact steps between them: 0.071. The tangent flow meets no slope: 0.0497, and
    # the first exponent does not tell that none is zero. Some 300 steps pass between switches.
    pytest.importorskip("numba")
    field = jerk(SWITCHES[name])
    given = {"x0": [0.1, 0.2, 0.1], "k": 1, "rng": 0}
    if kind == "driven":
        flow = ln.Flow(lambda x, u: field(x) + u, 3, dt=0.02, n_inputs=3)
        s = ln.lyapunov_spectrum(flow, inputs=np.zeros((40_000, 3)), **given)
    elif kind == "time":
        flow = ln.Flow(lambda x, t: field(x), 3, dt=0.02, time=True)
        s = ln.lyapunov_spectrum(flow, 40_000, **given)
    else:
        s = ln.lyapunov_spectrum(ln.Flow(field, 3, dt=0.02), 40_000, **given)
    assert abs(s.exponents[0] - 0.05) < 0.002
    d = s.diagnose()
    assert d.verdict.startswith("unreliable: the field changes by")
    assert not d.converged


@pytest.mark.parametrize(
    ("what", "drift", "diffusion"),
    [
        ("drift", lambda x: -anp.tanh(1e5 * x), lambda x: 1 + 0 * x),  # exact: -2
        ("drift", lambda x: -anp.clip(1e7 * x, -1, 1), lambda x: 1 + 0 * x),  # exact: -2
        ("diffusion", lambda x: -x, lambda x: 0.5 + 0.2 * anp.tanh(1e6 * x)),
    ],
)
def test_steep_slopes_are_seen_under_noise(what, drift, diffusion):
    pytest.importorskip("numba")
    flow = ln.NoisyFlow(drift, diffusion, 1, dt=0.01)
    s = ln.lyapunov_spectrum(flow, 20_000, x0=[0.1], rng=0)
    assert s.settings["engine"] == "compiled"
    assert s.diagnose().verdict.startswith(f"unreliable: the {what} changes by")
    smooth = ln.NoisyFlow(lambda x: -anp.tanh(5 * x), lambda x: 1 + 0 * x, 1, dt=0.01)
    assert ln.lyapunov_spectrum(smooth, 50_000, x0=[0.1], rng=0).diagnose().converged
