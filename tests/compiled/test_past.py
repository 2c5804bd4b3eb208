"""Delay equations: a state that moves on in memory is the same past, and its vectors, too."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lyapnet as ln

from .engines import agree, both

pytest.importorskip("numba")


def two_delays(x, a, b, t, u, p):
    slow = anp.sin(2 * x[1] * a[0]) + anp.sin(t) - x[0]
    return anp.array([slow, u[0] - p["c"] * anp.tanh(3 * b[1]) - x[0] * x[1] ** 2])


def late(x, late, p):
    return p * late / (1 + late**10) - 0.1 * x


SYSTEMS = {
    # 0.33 is no multiple of the step, and the cubic drive looks at samples beyond it.
    "two delays": ln.DelayFlow(
        two_delays, 2, delays=(0.4, 0.33), dt=0.1, time=True, n_inputs=1, params={"c": 0.8},
        interpolation="cubic",
    ),
    "of one step": ln.DelayFlow(lambda x, late: anp.sin(late) - 0.3 * x, 1, delays=0.1, dt=0.1),
    "long": ln.DelayFlow(late, 1, delays=17.0, dt=0.1, params=0.2),
    "of order 8": ln.DelayFlow(late, 1, delays=17.0, dt=0.53, params=0.2, method="dop853"),
    "of order 1": ln.DelayFlow(late, 1, delays=3.1, dt=0.25, params=0.2, method="euler"),
    "vectorized": ln.DelayFlow(
        lambda x, late, p: p[..., None] * late / (1 + late**10) - 0.1 * x, 1, delays=17.0, dt=0.5,
        params=np.array(0.2), vectorized=True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("interval", [1, 7, "auto"])
@pytest.mark.parametrize("members", [(), (3,)])
@pytest.mark.parametrize("name", SYSTEMS)
def test_both_engines_agree(name, members, interval):
    flow = SYSTEMS[name]
    if flow.vectorized and members:
        flow = flow.with_params(np.full(members, 0.2))
    rng = np.random.default_rng(0)
    x0 = 0.9 + 0.05 * rng.standard_normal((*members, flow.dim))
    given = {"n_steps": 60}
    if flow.n_inputs:
        given = {"n_steps": None, "inputs": rng.standard_normal((68, *members, 1))}
    # Within a block of seven, vectors of the second system shrink by e^-20: rounding shows.
    rtol = 1e-6 if name == "of one step" else 1e-9
    agree(*both(flow, x0=x0, k=min(3, flow.dim), qr_interval=interval, **given), rtol=rtol)


def test_parameters_of_each_member():
    flow = SYSTEMS["long"].with_params(np.linspace(0.15, 0.25, 5))
    x0 = np.broadcast_to(flow.history(0.9), (5, flow.dim))
    a, b = both(flow, 80, x0=x0, k=2)
    agree(a, b)
    assert np.ptp(a.exponents[:, 0]) > 1e-3


def test_states_are_those_of_numpy_and_come_from_any_step():
    flow = SYSTEMS["two delays"]
    rng = np.random.default_rng(1)
    x = 0.5 * rng.standard_normal(flow.dim)
    rows = flow.drive.rows(rng.standard_normal((50, 1)), (), 50, t0=0.3)
    plain = flow.orbit(x, rows, 50)
    orbit = ln.compiled(flow).prepared(x, rows, 3, 2000).orbit(x, rows, 50)
    assert_allclose(orbit.states, plain.states, rtol=1e-12)
    assert_array_equal(orbit.last, orbit.states[-1])
    assert_allclose(orbit.jacobians[7], plain.jacobians[7], rtol=1e-9)
    for k in (3, 2):  # those the loops are made for, and others
        q = rng.standard_normal((k, flow.dim))
        for first, last in ((0, 1), (11, 30), (49, 50)):
            expected = plain.through(q, first, last)
            assert_allclose(orbit.through(q, first, last), expected, rtol=1e-8, atol=1e-10)


def test_a_past_that_diverges_says_where():
    flow = ln.DelayFlow(lambda x, late: x**2 + late, 1, delays=1.0, dt=0.1)
    failures = []
    for engine in ("compiled", "numpy"):
        with pytest.raises(ln.DivergedError) as caught:
            ln.lyapunov_spectrum(
                ln.compiled(flow, engine), 500, k=2, x0=flow.history([0.1]), transient=0,
                basis_transient=0, rng=0,
            )  # fmt: skip
        failures.append(caught.value)
    assert str(failures[0]) == str(failures[1])
    assert failures[0].step == failures[1].step


def test_members_that_diverge_are_left_out():
    flow = ln.DelayFlow(lambda x, late: 0.3 * x**2 - late, 1, delays=0.5, dt=0.1)
    x0 = flow.history([[0.1], [0.2], [40.0]])
    runs = [
        ln.lyapunov_spectrum(
            ln.compiled(flow, engine), 100, k=2, x0=x0, transient=0, rng=0, on_divergence="nan"
        )
        for engine in ("compiled", "numpy")
    ]
    assert np.isnan(runs[0].exponents[2]).all()
    assert_allclose(runs[0].exponents, runs[1].exponents, rtol=1e-9)


def test_what_may_jump_is_left_to_numpy():
    relay = ln.DelayFlow(lambda x, late: -x - anp.sign(late), 1, delays=1.0, dt=0.1)
    with pytest.raises(TypeError, match=r"may jump \(sign\)"):
        ln.compiled(relay)


def test_a_sweep_over_parameters_compiles_once(monkeypatch):
    from lyapnet.compiled import kernel

    monkeypatch.setattr(kernel, "_known", {})
    for p in (0.15, 0.2, 0.25):
        flow = SYSTEMS["long"].with_params(p)
        ln.lyapunov_spectrum(ln.compiled(flow), 200, k=2, x0=flow.history(0.9), rng=0)
    assert len(kernel._known) == 1
