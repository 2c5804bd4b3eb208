"""Steps that are divided by compiled loops: they are NumPy's."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lyapnet as ln

pytest.importorskip("numba")


def van_der_pol(x, p):
    return np.array([x[1], p * (1 - x[0] ** 2) * x[1] - x[0]])


def forced(x, t, u):
    return np.array([-30 * (x[0] - np.cos(t)) + u[0], -x[1] + x[0] * u[1]])


def forced_alone(x, t):
    return np.array([-3 * (x[0] - np.cos(t)), -x[1]])


def in_a_loop(x):
    y = x[0]
    while abs(y) > 1e-30:  # more conditions than are followed
        y = 0.5 * y
    return [-x[0] + y]


def both(flow, x, inputs=None, n_steps=12):
    """Return the orbit by compiled loops and that by NumPy."""
    rows = flow.drive.rows(inputs, x.shape[:-1], n_steps, t0=0.5)
    prepared = flow.prepared(x, rows, flow.dim, 5000)
    assert prepared._parts is not None
    numpy = ln.compiled(flow, "numpy").prepared(x, rows, flow.dim, 5000)
    assert numpy._parts is None
    return [one.orbit(x, rows, n_steps) for one in (prepared, numpy)]


def check(orbits, rtol=1e-9):
    found, expected = orbits
    assert_array_equal(found.edges, expected.edges)
    assert_allclose(found.states, expected.states, rtol=rtol, atol=1e-12)
    # Lengths of parts follow from errors, small differences of large numbers.
    assert_allclose(found.inner.inputs, expected.inner.inputs, rtol=1e-5, atol=1e-7)
    assert_allclose(found.inner.states, expected.inner.states, rtol=1e-5, atol=1e-7)
    assert_allclose(found.jacobians, expected.jacobians, rtol=1e-6, atol=1e-9)


METHODS = pytest.mark.parametrize("method", ["implicit", "adaptive"])


@METHODS
@pytest.mark.parametrize("jacobian", [False, True])
def test_a_trajectory(method, jacobian):
    def slopes(x, p):
        return np.array([[0.0, 1.0], [-2 * p * x[0] * x[1] - 1, p * (1 - x[0] ** 2)]])

    flow = ln.Flow(
        van_der_pol, 2, dt=1.0, method=method, params=100.0 if method == "implicit" else 3.0,
        jacobian=slopes if jacobian else None,
    )  # fmt: skip
    check(both(flow, np.array([2.0, 0.0]), n_steps=40))


@METHODS
def test_ten_variables(method):
    system = ln.catalog.lorenz96(n=10)
    flow = ln.Flow(system._given[0], 10, dt=0.1, method=method, params=system.params)
    check(both(flow, 8.0 + 0.1 * np.sin(np.arange(10.0)), n_steps=3))


def test_many_variables_stiffly_coupled():
    decay = np.geomspace(1.0, 1e4, 70)  # and a neighbour's part in each
    flow = ln.Flow(
        lambda x: -decay * x + np.roll(x, 1), 70, dt=0.1, method="implicit",
        jacobian=lambda x: np.roll(np.eye(70), 1, axis=0) - np.diag(decay),
    )  # fmt: skip
    check(both(flow, np.ones(70), n_steps=4))


@METHODS
def test_an_ensemble_whose_members_rest_in_the_meantime(method):
    members = 2, 2
    p = np.geomspace(1.0, 1000.0 if method == "implicit" else 20.0, 4).reshape(members)
    flow = ln.Flow(van_der_pol, 2, dt=1.0, method=method, params=p)
    x = np.random.default_rng(0).uniform(-2.0, 2.0, (*members, 2))
    check(both(flow, x, n_steps=3))


@METHODS
@pytest.mark.parametrize("interpolation", ["hold", "cubic"])
def test_inputs_and_time(method, interpolation):
    flow = ln.Flow(
        forced, 2, dt=0.4, method=method, n_inputs=2, time=True, interpolation=interpolation
    )
    rng = np.random.default_rng(0)
    check(both(flow, np.array([1.0, 0.5]), rng.standard_normal((10, 2)), n_steps=6))
    u = rng.standard_normal((10, 3, 2))
    check(both(flow, rng.standard_normal((3, 2)), u, n_steps=6))


def test_room_for_many_parts():
    flow = ln.Flow(lambda x: 100 * np.array([x[1], -x[0]]), 2, dt=1.0, method="implicit")
    orbits = both(flow, np.array([1.0, 0.0]), n_steps=1)
    assert orbits[0].edges[1] > 20
    check(orbits, rtol=1e-6)


@METHODS
def test_a_solution_that_goes_to_infinity(method):
    flow = ln.Flow(lambda x: x**2, 1, dt=0.3, method=method, rtol=0.01)
    for orbit in both(flow, np.array([1.0]), n_steps=5):
        assert np.isfinite(orbit.states[:4]).all()
        assert np.isnan(orbit.states[4:]).all()


def test_exponents():
    flow = ln.catalog.oregonator()
    found, expected = (
        ln.lyapunov_spectrum(ln.compiled(flow, engine), 300, transient=0, basis_transient=0, rng=0)
        for engine in ("auto", "numpy")
    )
    assert found.settings["engine"] == "compiled"
    assert "NumPy carries" in found.settings["engine_reason"]
    assert_allclose(found.exponents, expected.exponents, rtol=1e-6, atol=1e-6)
    assert_allclose(found.stderr, expected.stderr, rtol=1e-3, atol=1e-6)


def test_what_is_not_seen_to_be_the_field_is_left_to_numpy():
    flow = ln.Flow(in_a_loop, 1, dt=0.1, method="implicit")
    assert flow.prepared(np.array([1.0]), None, 1, 5000)._parts is None
    large = ln.Flow(lambda x: -x, 201, dt=0.1, method="implicit")
    assert large.prepared(np.ones(201), None, 201, 5000)._parts is None
    short = ln.Flow(lambda x: -x, 1, dt=0.1, method="implicit")
    assert short.prepared(np.array([1.0]), None, 1, 100)._parts is None


@METHODS
def test_asked_for_it_is_done_however_short_the_run(method):
    flow = ln.compiled(ln.Flow(van_der_pol, 2, dt=0.5, method=method, params=1.0))
    period = ln.stroboscopic(
        ln.compiled(ln.Flow(forced_alone, 2, dt=0.5, method=method, time=True)), 2.0
    )
    for system in (flow, period):
        s = ln.lyapunov_spectrum(system, 4, x0=[1.0, 0.5], transient=0, basis_transient=0, rng=0)
        assert s.settings["engine"] == "compiled"


@pytest.mark.parametrize(
    ("flow", "why"),
    [
        (ln.Flow(lambda x: -x, 201, dt=0.1, method="implicit"), "no faster"),
        (ln.Flow(in_a_loop, 1, dt=0.1, method="adaptive"), "`field`.*conditions"),
        (ln.Flow(in_a_loop, 1, dt=0.1, method="implicit"), "`field`.*conditions"),
    ],
)
def test_asked_for_what_cannot_be_done_is_refused(flow, why):
    with pytest.raises(TypeError, match=why):
        ln.compiled(flow)
    flow.engine = "compiled"  # as one whose parameters turn out to be per member
    with pytest.raises(TypeError, match=why):
        flow.prepared(np.ones(flow.dim), None, 1, 5000)
    flow.engine = "auto"
    assert flow.prepared(np.ones(flow.dim), None, 1, 5000).engine_used[0] == "numpy"
