"""Directions that decay faster than parts of steps: told, or said not to be."""

import autograd.numpy as anp
import numpy as np
import pytest

import lyapnet as ln


def stable(rates, dt, method, **more):
    rates = np.array(rates)
    return ln.Flow(lambda x: rates * x, len(rates), dt=dt, method=method, **more)


@pytest.mark.parametrize("engine", ["numpy", "auto"])
@pytest.mark.parametrize("rtol", [1e-4, 1e-8])
def test_adaptive_steps_tell_decay_at_rest(rtol, engine):
    if engine == "auto":
        pytest.importorskip("numba")
    flow = ln.compiled(stable([-1.0, -50.0], 0.2, "adaptive", rtol=rtol), engine)
    s = ln.lyapunov_spectrum(flow, 2100 if engine == "auto" else 100, x0=np.ones(2), rng=0)
    np.testing.assert_allclose(s.exponents, [-1, -50], rtol=10 * rtol)
    assert s.diagnose().verdict.startswith("converged")


def test_adaptive_steps_tell_what_moves_slowly():
    # Beside the slow branch neighbours decay 180 times as fast as the state moves.
    def field(x):
        return anp.array([x[1], 20.0 * (1 - x[0] ** 2) * x[1] - x[0]])

    runs = [
        ln.lyapunov_spectrum(
            ln.Flow(field, 2, dt=dt, method=method), round(20 / dt), x0=[2.0, 0.0],
            transient=0, basis_transient=round(10 / dt), rng=0,
        )
        for dt, method in ((0.1, "adaptive"), (0.1, "implicit"), (0.0005, "rk4"))
    ]  # fmt: skip
    adaptive, implicit, fine = (s.exponents[1] for s in runs)
    np.testing.assert_allclose(adaptive, fine, rtol=1e-5)
    np.testing.assert_allclose(implicit, fine, rtol=1e-3)


def test_fixed_points_of_adaptive_flows_are_stable_where_the_field_is():
    found = ln.fixed_points(stable([-1.0, -50.0], 1.0, "adaptive"), 3, x0=np.ones((3, 2)), rng=0)
    np.testing.assert_allclose(found.exponents, [[-1, -50]], rtol=1e-6)


@pytest.mark.parametrize(
    ("rates", "k", "names"),
    [((-1.0, -1e3, -1e4), 3, "2"), ((-1.0, -50.0, -200.0), 3, "2"), ((-1.0, -1e3, -1e4), 2, "2")],
)
def test_decay_that_implicit_steps_damp_is_unreliable(rates, k, names):
    with pytest.warns(UserWarning, match="unreliable"):
        s = ln.lyapunov_spectrum(stable(rates, 0.5, "implicit"), 100, k=k, x0=np.ones(3), rng=0)
    verdict = s.diagnose().verdict
    assert verdict.startswith("unreliable")
    assert f"exponents {names} decay within a part" in verdict


def test_decay_that_implicit_steps_tell_is_not():
    for rates in ((-1e4,), (-1.0, -1e4), (-0.5, -1.0, -1e4)):
        s = ln.lyapunov_spectrum(stable(rates, 0.5, "implicit"), 100, x0=np.ones(len(rates)), rng=0)
        np.testing.assert_allclose(s.exponents, rates, rtol=1e-3)
        assert not s.diagnose().verdict.startswith("unreliable")


def test_the_divergence_of_divided_steps_is_said_not_to_be_checked():
    checks = ln.check_invariants(stable([-1.0, -2.0], 0.1, "adaptive"), 200, x0=np.ones(2), rng=0)
    assert checks.verdicts["divergence"].startswith("not checked: steps are divided")
