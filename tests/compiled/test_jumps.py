"""Flows whose fields jump, by compiled loops: held against NumPy's, and against differences.

Exact answers are in tests/systems/test_piecewise.py and test_jumps.py, which both engines give.
"""

import importlib
import itertools

import autograd.numpy as np
import numpy
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln
from lyapnet.compiled.loop import written

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
    "reversed": lambda v: np.where(np.less_equal(0.0, -v), -1.0, 1.0),
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
    "if": lambda v: 1.0 if v > 0 else -1.0,
    "if within if": lambda v: (1.0 if v < 100 else 2.0) if v > 0 else -1.0,
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
    # A little wrong on purpose: what comes of it shows where it is used.
    flow = ln.Flow(
        pushed(np.sign), 2, dt=0.05,
        jacobian=lambda x: [[0.0, 1.0], [-1.0, -B + 1e-6 * np.sign(x[1])]],
    )  # fmt: skip
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
    """Units that drive each other where they are above a threshold, and are driven by a rotor.

    What is above it is the second of two variables of each: its velocity does not jump, so that
    states do not slide.
    """
    rng = numpy.random.default_rng(seed)
    W, angles = rng.standard_normal((n, n)) / numpy.sqrt(n), rng.uniform(0, 2 * numpy.pi, n)
    c = 4 * numpy.stack([numpy.cos(angles), numpy.sin(angles)], axis=1)

    def field(x):
        v, a, r = x[:n], x[n:-2], x[-2:]
        units = W @ np.where(a > 0.3, 1.0 + 0.1 * a, 0.0) + c @ r - v
        return np.concatenate([units, 3 * (v - a), np.array([-2 * r[1], 2 * r[0]])])

    x0 = np.concatenate([rng.standard_normal(2 * n), np.array([1.0, 0.0])])
    return ln.Flow(field, 2 * n + 2, dt=0.05), x0


@pytest.mark.parametrize(("n", "k"), [(2, 2), (3, 6), (5, 4)])
def test_networks(n, k):
    flow, x0 = network(n)
    agree(*both(flow, 150, x0=x0, k=k, qr_interval=5))
    assert flow.seen.jumps


def crossings(loops, states):
    """Return the steps of an orbit that meet a surface, and their tangents by loops."""
    n = loops.dim
    for x, y in itertools.pairwise(states):
        if ((x > 0.3) != (y > 0.3))[n // 2 - 1 : -2].any():
            orbit = loops.orbit(x, None, 1)
            yield x, orbit.through(np.eye(n), 0, 1).T, orbit.jacobians[0]


def test_divided_steps_are_differentiated_exactly():
    """By differences of the same steps: NumPy takes no part."""
    flow, x0 = network(3)
    loops = ln.compiled(flow).prepared(x0, None, 8, 400)
    found = list(crossings(loops, loops.orbit(x0, None, 400).states))
    assert len(found) > 10
    h = 1e-6
    for x, tangent, jacobian in found:
        ends = [loops.orbit(x + e, None, 1).last - loops.orbit(x - e, None, 1).last
                for e in h * np.eye(8)]  # fmt: skip
        assert_allclose(tangent, numpy.transpose(ends) / (2 * h), atol=1e-8)
        assert_allclose(jacobian, tangent, atol=1e-13)


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


KINKS = {
    "where": lambda v: np.where(v > 0, 0.3 * v, 0.1 * v),
    "if": lambda v: 0.3 * v if v > 0 else 0.1 * v,
}


@pytest.mark.parametrize("kind", KINKS)
def test_kinks_are_no_jumps(kind):
    flow = ln.Flow(pushed(KINKS[kind]), 2, dt=0.05)
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


def test_a_branch_that_is_never_taken_costs_next_to_nothing():
    flow = ln.Flow(lambda x: np.array([x[1], 1.0 if x[0] < -1e9 else np.sin(x[0])]), 2, dt=0.05)
    agree(*both(flow, 300, x0=[1.0, 0.5]))
    (table,) = flow.seen.tables.values()
    assert not table[2:].any()
    plain = ln.Flow(lambda x: np.array([x[1], np.sin(x[0])]), 2, dt=0.05)
    sizes = [written(each, ())[0].size for each in (flow, plain)]
    assert sizes[0] < 2 * sizes[1]


SMOOTH = {
    "softsign": lambda v: v / (1 + np.abs(v)),
    "by a square": lambda v: v / (0.1 + abs(v)) ** 2,
    "of many": lambda v: v / (1e-3 + np.sum(np.abs(np.array([v, 1.0])))),
    "the larger": lambda v: v / np.maximum(np.abs(v), 0.5),
    "exp": lambda v: 1 / (np.exp(v) + np.sqrt(v * v)) + 0 * abs(v),
    "power": lambda v: np.abs(v) ** 1.5,
    "clip": lambda v: np.clip(v, -0.5, 0.5),
}


@pytest.mark.parametrize("kind", SMOOTH)
def test_what_only_looks_like_a_jump_is_a_plain_field(kind):
    flow = ln.Flow(pushed(SMOOTH[kind]), 2, dt=0.05)
    agree(*both(flow, 100, x0=[1.0, 0.5]))
    assert not flow.seen.tables


REFUSED = {
    "x / (|x| - 1)": (pushed(lambda v: v / (abs(v) - 1)), {}, r"may jump \(absolute, divide\)"),
    "x / |x|": (pushed(lambda v: v / abs(v)), {}, r"may jump \(absolute, divide\)"),
    "equal": (pushed(lambda v: np.where(v == 0, 1.0, -1.0)), {}, "may jump"),
    "leapfrog": (lambda x: np.array([x[1], -np.sign(x[0])]), {"method": "leapfrog"}, "may jump"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_left_to_numpy(kind):
    field, options, reason = REFUSED[kind]
    with pytest.raises(TypeError, match=reason):
        ln.compiled(ln.Flow(field, 2, dt=0.05, **options))


@pytest.mark.filterwarnings("ignore:these exponents are unreliable")
def test_perturbations_of_some_components_are_left_to_numpy():
    flow = ln.Flow(pushed(np.sign), 2, dt=0.05)
    s = ln.conditional_exponents(flow, [1], 1500, x0=[-2.0, 0.1], rng=0)
    assert s.settings["engine"] == "numpy"
