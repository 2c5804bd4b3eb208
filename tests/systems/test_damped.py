"""Directions that decay faster than parts of steps: told, or said not to be."""

import autograd.numpy as anp
import numpy as np
import pytest
from scipy.linalg import expm

import lyapnet as ln
from lyapnet.systems.integrators.embedded import rate


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


@pytest.mark.parametrize("n", [2, 4])
def test_parts_of_adaptive_steps_do_not_hang_on_units(n):
    """The same motion in units that differ by 10^4 takes hardly more parts."""
    turns = np.kron(np.diag(np.arange(1.0, n // 2 + 1)), [[0.0, 1.0], [-1.0, 0.0]])
    calls = {}
    for unit in (1.0, 1e4):
        units = unit ** (np.arange(n) % 2)
        counted = []

        def field(x, W=turns * units / units[:, None], counted=counted):
            counted.append(1)
            return W @ x

        flow, x = ln.Flow(field, n, dt=0.5, method="adaptive"), 1 / units
        for _ in range(20):
            x = flow.step(x)
        calls[unit] = len(counted)
        np.testing.assert_allclose(x * units, expm(10 * turns) @ np.ones(n), atol=1e-6)
    assert calls[1e4] <= 1.5 * calls[1.0]


def test_the_rate_of_a_field_hangs_on_no_units():
    J = np.random.default_rng(0).standard_normal((3, 5, 5))
    radius = np.abs(np.linalg.eigvals(np.abs(J))).max(axis=-1)
    units = 10.0 ** np.arange(5)
    for found in (rate(J), rate(J * units / units[:, None])):
        assert (found >= radius * (1 - 1e-12)).all()
        assert (found <= 1.3 * radius).all()
    assert rate(np.diag([-1.0, -50.0])) == pytest.approx(50)
    assert rate(np.array([[-1.0, 1e6], [0.0, -50.0]])) == pytest.approx(50, rel=0.1)
    assert rate(np.array([[0.0, 1e6], [0.0, 0.0]])) == 0.0  # two terms of the series are all


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


# Before, these said nothing: only spectra did.
SLOW, FAST = -1.0, -1e4


def test_condition_numbers_of_damped_directions_are_unreliable():
    x0 = {"x0": np.ones(2), "transient": 0, "rng": 0}
    with pytest.warns(UserWarning, match="condition numbers are unreliable: exponents 2 decay"):
        off = ln.condition_number(stable([SLOW, FAST], 0.5, "implicit"), 20, **x0)
    assert off.note.startswith("unreliable: exponents 2 decay within a part")
    told = ln.condition_number(stable([SLOW, -3.0], 0.5, "implicit", rtol=1e-8), 20, **x0)
    assert not told.note
    np.testing.assert_allclose(told.log10_measured[-1], 2 * 10 / np.log(10), rtol=1e-4)


def test_covariant_vectors_of_damped_directions_are_unreliable():
    phases = {"transient": 10, "basis_transient": 10, "backward_transient": 10, "rng": 0}
    with pytest.warns(UserWarning, match="vectors and exponents are unreliable: exponents 2, 3"):
        ln.covariant_vectors(
            stable([SLOW, 3 * FAST, FAST], 0.5, "implicit"), 20, x0=np.ones(3), **phases
        )
    found = ln.covariant_vectors(stable([SLOW, -3.0], 0.5, "implicit"), 20, x0=[1.0, 1.0], **phases)
    np.testing.assert_allclose(found.exponents, [-1, -3], rtol=1e-3)


def test_multipliers_of_damped_directions_are_unreliable():
    with pytest.warns(UserWarning, match="multipliers are unreliable: exponents 2 decay"):
        off = ln.fixed_points(stable([SLOW, FAST], 0.5, "implicit"), 2, x0=np.ones((2, 2)), rng=0)
    assert "unreliable" in repr(off)
    told = ln.fixed_points(stable([SLOW, -3.0], 0.5, "implicit"), 2, x0=np.ones((2, 2)), rng=0)
    np.testing.assert_allclose(told.exponents, [[-1, -3]], rtol=1e-3)
    assert "unreliable" not in repr(told)

    def circle(x):  # x' = -y, y' = x on the unit circle, approached at the rates -2 and FAST
        away = 1 - x[0] ** 2 - x[1] ** 2
        return anp.array([away * x[0] - x[1], away * x[1] + x[0], FAST * (x[2] - x[0])])

    flow = ln.Flow(circle, 3, dt=0.5, method="implicit")
    with pytest.warns(UserWarning, match="multipliers are unreliable: exponents 3 decay"):
        cycle = ln.periodic_orbit(flow, 2 * np.pi, x0=[1.0, 0.0, 1.0])
    assert cycle.verdict.startswith("unreliable")
    assert cycle.stable is None


def test_stroboscopic_maps_of_damped_flows_are_unreliable():
    flow = stable([SLOW, 3 * FAST, FAST], 0.5, "implicit")
    with pytest.warns(UserWarning, match="exponents 2 decay within a part of a step"):
        s = ln.lyapunov_spectrum(ln.stroboscopic(flow, 1.0), 50, x0=np.ones(3), rng=0)
    assert s.diagnose().verdict.startswith("unreliable")
