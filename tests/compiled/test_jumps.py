"""Flows whose fields jump, by compiled loops: held against NumPy's, and against differences.

Exact answers are in tests/systems/test_piecewise.py and test_jumps.py, which both engines give.
"""

import importlib

import autograd.numpy as np
import numpy
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln

from .engines import agree, both

pytest.importorskip("numba")

KERNELS = importlib.import_module("lyapnet.compiled.kernel")

B = 0.4


def pushed(sign):
    """An oscillator that is pushed in the direction of its velocity, or what is like it."""
    return lambda x: np.array([x[1], -x[0] - B * x[1] + sign(x[1])])


# Each way to write a jump, some with more than one decision in the place of one.
SIGNS = {
    "sign": np.sign,
    "where": lambda v: np.where(v > 0, 1.0, -1.0),
    "reversed": lambda v: np.where(0 >= v, -1.0, 1.0),
    "comparison": lambda v: 2.0 * (v > 0) - 1.0,
    "both sides": lambda v: 1.0 * (v > 0) - 1.0 * (v < 0),
    "heaviside": lambda v: 2 * np.heaviside(v, 0.5) - 1,
    "and": lambda v: np.where((v > 0) & (v < 100), 1.0, -1.0),
    "floor": lambda v: 1 + 2 * np.floor(np.clip(v / 100, -0.9, 0.9)),
    "ceil": lambda v: 2 * np.ceil(np.clip(v / 100, -0.9, 0.9)) - 1,
    "trunc": lambda v: 2 * np.trunc(np.clip(v / 100 + 1, 0.1, 1.9)) - 1,
    "rint": lambda v: 2 * np.rint(np.clip(v / 100 + 0.5, 0.1, 0.9)) - 1,
    "mod": lambda v: 2 * (np.mod(v, 10.0) < 5) - 1.0,
    "fmod": lambda v: 2 * (np.fmod(v + 20, 10.0) < 5) - 1.0,
    "one upon another": lambda v: np.where(np.sign(v) + np.sign(v + 0.1) > 0.5, 1.0, -1.0),
}


@pytest.mark.parametrize("kind", SIGNS)
def test_ways_to_jump(kind):
    flow = ln.Flow(pushed(SIGNS[kind]), 2, dt=0.05)
    agree(*both(flow, 200, x0=[-2.0, 0.1], qr_interval=4))
    assert flow.seen.jumps


@pytest.mark.parametrize(("method", "dt"), [("euler", 0.01), ("heun", 0.05), ("dop853", 0.2)])
def test_methods(method, dt):
    flow = ln.Flow(pushed(np.sign), 2, dt=dt, method=method)
    agree(*both(flow, 100, x0=[-2.0, 0.1]))


def test_the_users_jacobian_is_that_of_smooth_steps():
    # Wrong on purpose: what comes of it shows where it is used.
    flow = ln.Flow(
        pushed(np.sign), 2, dt=0.05, jacobian=lambda x: [[0.0, 1.0], [-1.0, 0.1 * np.sign(x[1])]]
    )
    agree(*both(flow, 100, x0=[-2.0, 0.1]))


DRIVEN = {
    "hold": lambda x, u: [x[1], -x[0] - B * x[1] + np.sign(x[1] + 0.3 * u[0])],
    "linear": lambda x, u: [x[1], -x[0] - B * x[1] + np.where(x[1] > u[1], 1.0, -1.0)],
    "cubic": lambda x, u: [x[1], -x[0] - B * x[1] + np.sign(u[0] - u[1])],
}


@pytest.mark.parametrize("interpolation", DRIVEN)
@pytest.mark.parametrize("time", [False, True])
def test_inputs_and_time(interpolation, time):
    def field(x, t, u):
        return np.array(DRIVEN[interpolation](x, u)) + np.array([0.0, np.sign(np.sin(3 * t))])

    flow = ln.Flow(
        field if time else lambda x, u: field(x, 0.5, u), 2, dt=0.05, n_inputs=2,
        interpolation=interpolation, time=time,
    )  # fmt: skip
    inputs = 0.2 * numpy.random.default_rng(0).standard_normal((60, 2))
    agree(*both(flow, None, inputs=inputs, x0=[-2.0, 0.1]))


@pytest.mark.parametrize("members", [(3,), (19,), (2, 5)])
def test_members_cross_at_their_own_times(members):
    rng = numpy.random.default_rng(1)
    params = {"b": rng.uniform(0.3, 0.8, members), "c": 1.0}
    flow = ln.Flow(
        lambda x, u, p: np.array([x[1], -x[0] - p["b"] * x[1] + p["c"] * np.sign(x[1] + u[0])]), 2,
        dt=0.05, params=params, n_inputs=1,
    )  # fmt: skip
    inputs = 0.1 * rng.standard_normal((108, *members, 1))
    x0 = rng.standard_normal((*members, 2))
    agree(*both(flow, None, inputs=inputs, x0=x0, qr_interval=5))


def network(n, seed=3):
    """Units that drive each other, at a threshold."""
    rng = numpy.random.default_rng(seed)
    W, c = 3 * rng.standard_normal((n, n)) / numpy.sqrt(n), rng.standard_normal(n)
    x0 = rng.standard_normal(n)
    return ln.Flow(lambda x: c - x + W @ np.where(x > 0.3, 1.0 + 0.1 * x, 0.0), n, dt=0.02), x0


@pytest.mark.parametrize(("n", "k"), [(4, 2), (6, 6), (9, 4)])
def test_networks(n, k):
    flow, x0 = network(n)
    agree(*both(flow, 150, x0=x0, k=k, qr_interval=5))
    assert flow.seen.jumps


def crossing_step(loops, states):
    """Return a step of an orbit that meets a surface, and its tangent by loops."""
    for s in range(len(states) - 1):
        if (numpy.sign(states[s] - 0.3) != numpy.sign(states[s + 1] - 0.3)).any():
            orbit = loops.orbit(states[s], None, 1)
            yield states[s], orbit.through(np.eye(loops.dim), 0, 1).T, orbit.jacobians[0]


def test_divided_steps_are_differentiated_exactly():
    """By differences of the same steps: NumPy takes no part."""
    flow, x0 = network(5)
    loops = ln.compiled(flow).prepared(x0, None, 5, 400)
    found = list(crossing_step(loops, loops.orbit(x0, None, 400).states))
    assert len(found) > 3
    h = 1e-6
    for x, tangent, jacobian in found:
        ends = [loops.orbit(x + e, None, 1).last - loops.orbit(x - e, None, 1).last
                for e in h * np.eye(5)]  # fmt: skip
        assert_allclose(tangent, numpy.transpose(ends) / (2 * h), atol=1e-8)
        assert_allclose(jacobian, tangent, atol=1e-13)
        assert abs(tangent - numpy.exp(-flow.dt) * np.eye(5)).max() > 1e-3  # of the smooth field


def test_a_run_in_parts_is_one_run():
    flow = ln.compiled(ln.Flow(pushed(np.sign), 2, dt=0.05))
    options = {"x0": [-2.0, 0.1], "rng": 0, "transient": 10, "qr_interval": 5}
    whole = ln.lyapunov_spectrum(flow, 300, **options)
    parts = ln.lyapunov_spectrum(flow, 100, **options).extend(200)
    assert_allclose(parts.log_growth, whole.log_growth, rtol=1e-12, atol=1e-13)
    assert parts.settings["engine"] == whole.settings["engine"] == "compiled"
    bare = ln.lyapunov_spectrum(flow, 300, record=False, **options)
    assert_allclose(bare.exponents, whole.exponents, rtol=1e-12)
    stopped = ln.lyapunov_spectrum(flow, 20_000, tol=0.5, **options)
    assert stopped.converged


def test_step_and_parameters_are_arguments():
    field = lambda x, b: np.array([x[1], -x[0] - b * x[1] + np.sign(x[1])])
    options = {"x0": [-2.0, 0.1], "rng": 0}
    ln.lyapunov_spectrum(ln.Flow(field, 2, dt=0.05, params=0.4), 1000, **options)
    kernels = len(KERNELS._known)
    s = ln.lyapunov_spectrum(ln.Flow(field, 2, dt=0.04, params=0.5), 1000, **options)
    assert s.settings["engine"] == "compiled"
    assert len(KERNELS._known) == kernels


def test_kinks_are_no_jumps():
    flow = ln.Flow(pushed(lambda v: np.where(v > 0, 0.3 * v, 0.1 * v)), 2, dt=0.05)
    agree(*both(flow, 300, x0=[1.0, 0.5]))
    assert not flow.seen.jumps
    (table,) = flow.seen.tables.values()
    assert table[1] == 0.0  # and no step is divided there any more


@pytest.mark.filterwarnings("ignore:these exponents are unreliable")
def test_states_that_slide_are_told_of_as_by_numpy():
    field = lambda x: np.array([0.3 - np.sign(x[0]), -x[1]])
    runs = both(ln.Flow(field, 2, dt=0.05), 100, x0=[1.0, 0.5])
    said = [s.settings["reservations"] for s in runs]
    assert said[0] == said[1]
    assert "sticks" in said[0][0]
    assert_allclose(runs[0].state, runs[1].state, atol=1e-12)


REFUSED = {
    "x / |x|": (pushed(lambda v: v / abs(v)), {}, r"may jump \(absolute, divide\)"),
    "equal": (pushed(lambda v: np.where(v == 0, 1.0, -1.0)), {}, "may jump"),
    "leapfrog": (lambda x: np.array([x[1], -np.sign(x[0])]), {"method": "leapfrog"}, "may jump"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_left_to_numpy(kind):
    field, options, reason = REFUSED[kind]
    with pytest.raises(TypeError, match=reason):
        ln.compiled(ln.Flow(field, 2, dt=0.05, **options))


def test_perturbations_of_some_components_are_left_to_numpy():
    flow = ln.Flow(pushed(np.sign), 2, dt=0.05)
    s = ln.conditional_exponents(flow, 1500, driven=[1], x0=[-2.0, 0.1], rng=0)
    assert s.settings["engine"] == "numpy"
