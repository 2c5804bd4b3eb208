"""Flows whose fields jump: exponents with what the surfaces do to perturbations."""

import math

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln
from lyapnet.systems.bends import JUMP, jump_along

from .engines import ENGINES

# An oscillator that is pushed in the direction of its velocity, x'' + b x' + x = sign x'. From one
# turning point to the next it moves about 1 or -1, so that amplitudes map as A -> 1 + d (1 + A),
# d = exp(-b pi / (2 omega)) after half a period pi / omega: the exponents of the limit cycle are 0
# and -b / 2. Without its jump the field has -b / 2 twice.
B = 0.4


def pushed(sign):
    return lambda x: anp.array([x[1], -x[0] - B * x[1] + sign(x[1])])


def by_if(v):
    return 1.0 if v > 0 else -1.0


SIGNS = {
    "sign": anp.sign,
    "where": lambda v: anp.where(v > 0, 1.0, -1.0),
    "comparison": lambda v: 2.0 * (v > 0) - 1.0,
    "heaviside": lambda v: 2 * anp.heaviside(v, 0.5) - 1,
    "floor": lambda v: 1 + 2 * anp.floor(anp.clip(v / 100, -0.9, 0.9)),
    "mod": lambda v: 2 * (anp.mod(v, 10.0) < 5) - 1.0,
    "if": by_if,
}


def exponents(flow, n_steps=500, **options):
    # The cycle: A = (1 + d) / (1 - d). There the run may start, and be short.
    omega = math.sqrt(1 - B**2 / 4)
    d = math.exp(-B * math.pi / (2 * omega))
    x0 = [-(1 + d) / (1 - d), 1e-3]
    options = {"x0": x0, "transient": 200, "basis_transient": 200, "rng": 0, **options}
    return ln.lyapunov_spectrum(flow, n_steps, **options)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", SIGNS)
def test_a_pushed_oscillator_has_its_exact_exponents(kind, engine):
    flow = ln.compiled(ln.Flow(pushed(SIGNS[kind]), 2, dt=0.05), engine)
    s = exponents(flow, 200 if kind == "if" else 500)
    assert_allclose(s.exponents, [0, -B / 2], atol=0.05)
    assert not s.settings["reservations"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("method", ["euler", "heun", "dop853"])
def test_other_methods(method, engine):
    dt = {"euler": 0.01, "heun": 0.05, "dop853": 0.2}[method]
    flow = ln.compiled(ln.Flow(pushed(anp.sign), 2, dt=dt, method=method), engine)
    s = exponents(flow, round(20 / dt))
    assert_allclose(s.exponents, [0, -B / 2], atol=0.05)


def test_steps_across_a_jump_are_differentiated_exactly():
    flow = ln.Flow(pushed(anp.sign), 2, dt=0.1)
    x = np.array([1.5, 0.03])
    flow.orbit(x, None, 10)  # so that it is known that the field jumps
    step = 1e-6
    expected = [(flow.step(x + e) - flow.step(x - e)) / (2 * step) for e in step * np.eye(2)]
    after = flow.step(x)
    assert x[1] > 0 > after[1]
    assert_allclose(flow.jacobian(x), np.transpose(expected), atol=1e-8)
    # det S = (A + 1) / (A - 1) at a turning point A.
    crossed = np.linalg.det(flow.jacobian(x)) * math.exp(B * 0.1)
    assert_allclose(crossed, (x[0] + 1) / (x[0] - 1), rtol=1e-2)


def test_members_of_an_ensemble_cross_at_their_own_times():
    def field(x, b):
        return anp.array([x[1], -x[0] - b * x[1] + anp.sign(x[1])])

    b = np.array([0.4, 0.6, 0.8])
    flow = ln.Flow(field, 2, dt=0.05, params=b)
    x0 = [[-4.0, 0.1], [-3.0, 0.1], [-2.5, 0.1]]
    found = ln.lyapunov_spectrum(flow, 60, x0=x0, basis=np.eye(2), transient=0, basis_transient=0)
    for i in range(3):
        alone = ln.lyapunov_spectrum(
            ln.Flow(field, 2, dt=0.05, params=b[i]), 60, x0=x0[i], basis=np.eye(2), transient=0,
            basis_transient=0,
        )  # fmt: skip
        assert_allclose(found.exponents[i], alone.exponents, atol=1e-9)


@pytest.mark.parametrize("name", ["b", "c"])
def test_exponents_are_differentiable_across_jumps(name):
    def field(x, p):
        return anp.array([x[1], -x[0] - p["b"] * x[1] + p["c"] * anp.sign(x[1])])

    def exponent(value):
        flow = ln.Flow(field, 2, dt=0.1, params={"b": 0.2, "c": 1.0, name: value})
        return ln.finite_time_exponents(flow, [3.0, 0.1], np.eye(2), n_steps=60)[0]

    at = {"b": 0.2, "c": 1.0}[name]
    expected = (exponent(at + 1e-6) - exponent(at - 1e-6)) / 2e-6
    assert_allclose(autograd.grad(exponent)(at), expected, rtol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("forcing", ["time", "input"])
def test_a_jump_in_time_does_nothing_to_perturbations(forcing, engine):
    # x'' + b x' + x = square wave: linear, exponents -b / 2 twice.
    if forcing == "time":
        flow = ln.Flow(
            lambda x, t: anp.array([x[1], -x[0] - B * x[1] + anp.sign(anp.sin(t))]), 2, dt=0.05,
            time=True,
        )  # fmt: skip
        flow = ln.compiled(flow, engine)
        s = ln.lyapunov_spectrum(flow, 400, x0=[1.0, 0.0], transient=0, rng=0)
    else:
        flow = ln.Flow(
            lambda x, u: anp.array([x[1], -x[0] - B * x[1] + anp.sign(u[0])]), 2, dt=0.05,
            n_inputs=1,
        )  # fmt: skip
        inputs = np.random.default_rng(0).standard_normal((400, 1))
        flow = ln.compiled(flow, engine)
        s = ln.lyapunov_spectrum(flow, inputs=inputs, x0=[1.0, 0.0], rng=0)
    assert_allclose(s.exponents, -B / 2, atol=0.03)


# Velocity 1 on the first half of a ring of length 2, and 2 on the other: 10 units of time after 0.3
# the state is at 13.6, with twice the velocity and twice the perturbation. Some are written with
# the surface of one jump twice, so that between the two the field leads back, or vanishes.
TWICE = {
    "once": lambda x: 1.0 + (x % 2 > 1),
    "twice": lambda x: 1.0 - 2.0 * (x % 2 > 1) + 3.0 * (x % 2 > 1),
    "turned round": lambda x: 1.0 - 2.0 * (x % 2 > 1) + 3.0 * (-(x % 2) < -1),
    "scaled": lambda x: 1.0 - 2.0 * (x % 2 > 1) + 3.0 * (2 * (x % 2) > 2),
    "at rest between": lambda x: 1.0 - 1.0 * (x % 2 > 1) + 2.0 * (3 * (x % 2) > 3),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("kind", TWICE)
def test_surfaces_that_are_met_at_once(kind, n, engine):
    """One that is written twice, and those of units that are alike, each with its own normal."""
    flow = ln.compiled(ln.Flow(TWICE[kind], n, dt=0.05), engine)
    s = ln.lyapunov_spectrum(
        flow, 200, x0=np.full(n, 0.3), basis=np.eye(n), transient=0, basis_transient=0
    )
    assert_allclose(s.state, 13.6, rtol=1e-12)
    assert_allclose(s.exponents, math.log(2) / 10, rtol=1e-9)
    assert not s.settings["reservations"]


def test_decisions_that_are_asked_for_on_one_side_only():
    """Two surfaces at once, of which one is looked at beyond the other, and at last none."""

    def field(x):
        a = anp.where(x[1] > 0, 0.5, 1.0)
        b = 1.0 + 0.3 * anp.sign(x[1]) if x[0] > 0 else 1.0
        return anp.array([a + 0.0 * x[0], a * b - 0.1 * x[1] * (x[0] > 0)])

    def fewer(x):
        a = anp.sign(x[0]) + anp.sign(x[1]) if x[0] <= 0 else -2.0
        return anp.array([1.0 - 0.2 * a, 1.0 + 0.0 * x[1]])

    for one in (field, fewer):
        found = [
            ln.lyapunov_spectrum(
                ln.compiled(ln.Flow(one, 2, dt=0.1), engine), 10, x0=[-0.55, -0.55], transient=0,
                basis_transient=0, qr_interval=1, rng=0,
            )
            for engine in ENGINES
        ]  # fmt: skip
        for s in found:
            assert_allclose(s.state, found[0].state, rtol=1e-12)
            assert_allclose(s.log_growth, found[0].log_growth, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_angle_that_is_wrapped(engine):
    # y relaxes towards a saw-tooth of a phase: exponents 0 and -1/2, and the phase is no surface
    # that matters to them.
    flow = ln.Flow(lambda x: anp.array([1.0, -0.5 * x[1] + anp.mod(x[0], 1.0)]), 2, dt=0.1)
    flow = ln.compiled(flow, engine)
    s = ln.lyapunov_spectrum(flow, 150, x0=[0.0, 1.0], transient=0, rng=0)
    assert_allclose(s.exponents, [0, -0.5], atol=0.02)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_kink_is_no_jump(engine):
    def field(x):
        return anp.array([x[1], -x[0] - B * x[1] + anp.where(x[1] > 0, 0.3 * x[1], 0.1 * x[1])])

    flow = ln.compiled(ln.Flow(field, 2, dt=0.05), engine)
    s = ln.lyapunov_spectrum(flow, 600, x0=[1.0, 0.5], rng=0)
    assert not flow.seen.jumps
    assert not flow.seen.matter
    assert not s.settings["reservations"]


def ramp(u):
    return anp.where(u > 0, u, 0.0)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("branch", [False, True])
def test_surfaces_on_the_side_that_is_not_taken_are_no_kinks(engine, branch):
    """A flow that has passed one often, where it does nothing, goes on as one that has not."""

    def field(x):
        if branch:
            s = (1.0 if x[0] > 0 else -1.0) if x[2] > 30 else 0.3
        else:
            s = anp.where(x[2] > 30, anp.sign(x[0]), 0.3)
        return anp.array([x[1], -x[0] - 0.05 * x[1] + 0.1 * s, 1.0])

    def run(x0, n_steps):
        flow = ln.compiled(ln.Flow(field, 3, dt=0.1), engine)
        return ln.lyapunov_spectrum(
            flow, n_steps, x0=x0, basis=np.eye(3), transient=0, basis_transient=0
        )

    before = run([-2.0, 0.1, 0.0], 305).state
    assert before[2] > 30
    assert_allclose(run([-2.0, 0.1, 0.0], 505).state, run(before, 200).state, atol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kinked", [ramp, lambda u: u * (u > 0), lambda u: u * anp.sign(u)])
def test_kinks_do_not_hide_a_jump_that_is_met_later(kinked, engine):
    # The pushed oscillator again; of its position a third component knows, and does nothing to it.
    def field(x):
        u = anp.sin(20 * x[0])
        return anp.array([x[1], -x[0] - B * x[1] + anp.sign(x[1]), kinked(u) - x[2]])

    omega = math.sqrt(1 - B**2 / 4)
    amplitude = 1 / math.tanh(B * math.pi / (4 * omega))
    x0 = [-amplitude, 1e-3, 0.0]
    flow = ln.compiled(ln.Flow(field, 3, dt=0.02), engine)
    s = ln.lyapunov_spectrum(flow, 1250, x0=x0, transient=500, basis_transient=500, rng=0)
    assert_allclose(s.exponents, [0, -B / 2, -1], atol=0.03)
    assert flow.seen.jumps


def roessler(x):
    slow = 3.0 if x[2].__float__() > 22.5 else 0.0
    return np.array([-x[1] - x[2], x[0] + 0.2 * x[1] - slow, 0.2 + x[2] * (x[0] - 5.7)])


def lorenz(x):
    r = 27.0 if x[2].__float__() > 42 else 28.0
    return np.array([10 * (x[1] - x[0]), x[0] * (r - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]])


def relaxing(x):
    pull = 0.1 if x[0].__float__() > 1.9 else 0.0
    return np.array([x[1], 5 * (1 - x[0] ** 2) * x[1] - x[0] + pull])


@pytest.mark.parametrize(
    ("field", "dt", "component", "edge"),
    [(roessler, 0.02, 2, 22.5), (lorenz, 0.01, 2, 42.0), (relaxing, 0.01, 0, 1.9)],
)
@pytest.mark.filterwarnings("ignore:.*one state after the other")
def test_jumps_that_are_met_seldom_are_found(field, dt, component, edge):
    # In stretches with sharper bends than that of the jump.
    n = 2 if field is relaxing else 3
    flow = ln.Flow(field, n, dt=dt, jacobian=lambda x: np.zeros((n, n)))
    states = flow.orbit(np.array([1.0, 1.0, 20.0])[:n], None, 12_000).states
    stretches = [states[s : s + 751] for s in range(0, 11_250, 750)]
    met = np.array([np.diff(x[:, component] > edge).any() for x in stretches])
    found = np.array([jump_along(lambda _, y: field(y), x, dt) > JUMP for x in stretches])
    assert met.sum() >= 2
    assert found[met].mean() > 0.8
    assert not found[~met].any()


def copysign(x):
    push = 1.0 if x[1].__float__() > 0 else -1.0  # not to be run on many states
    return np.array([x[1], -x[0] - B * x[1] + push])


def linear(x):
    return np.array([[0, 1.0], [-1, -B]])


UNSOLVED = {
    "not to be told": ln.Flow(copysign, 2, dt=0.05, jacobian=linear),
    "x / |x|": ln.Flow(pushed(lambda v: v / abs(v)), 2, dt=0.05),
    "divided steps": ln.Flow(pushed(anp.sign), 2, dt=0.05, method="adaptive", rtol=1e-4, atol=1e-4),
    "sliding": ln.Flow(lambda x: anp.array([0.3 - anp.sign(x[0]), -x[1]]), 2, dt=0.05),
}


@pytest.mark.parametrize("kind", UNSOLVED)
@pytest.mark.filterwarnings("ignore:.*one state after the other")
def test_jumps_that_are_left_out_are_said(kind):
    with pytest.warns(UserWarning, match="unreliable: the field .* without its jumps"):
        s = exponents(UNSOLVED[kind], 300)
    found = s.diagnose()
    assert found.verdict.startswith("unreliable:")
    assert not found.converged
    assert "unreliable" in repr(s)
    with pytest.warns(UserWarning, match="unreliable"):
        assert exponents(UNSOLVED[kind], 300, tol=10.0).converged is False


@pytest.mark.parametrize("flow", [
    ln.catalog.lorenz63(), ln.Flow(lambda x: anp.tanh(300 * x) - x**3, 1, dt=0.001),
    ln.Flow(lambda x: anp.array([x[1], -anp.abs(x[0]) * x[0]]), 2, dt=0.02),
])  # fmt: skip
def test_smooth_fields_are_not_said_to_jump(flow):
    x0 = None if flow.dim == 3 else np.full(flow.dim, -0.3)
    s = ln.lyapunov_spectrum(flow, 600, x0=x0, rng=0)
    assert not s.settings["reservations"]


def test_states_that_stick_are_told_of_with_what_helps():
    def belt(x):  # dry friction on a belt: the mass sticks to it
        v = x[1] - 0.1
        return anp.array([x[1], -x[0] - 0.3 * anp.sign(v) / (1 + 3 * anp.abs(v))])

    with pytest.warns(UserWarning, match=r"sticks.*smooth the jump, np.tanh\(v / width\)") as seen:
        s = ln.lyapunov_spectrum(ln.Flow(belt, 2, dt=0.02), 1000, x0=[1.0, 0.5], rng=0)
    assert "np.heaviside" not in str(seen[0].message)  # np.sign is there already
    assert s.diagnose().verdict.startswith("unreliable")


@pytest.mark.parametrize("n_steps", [1, 2, 3, 4])
def test_stretches_of_few_steps_under_forcing(n_steps):
    flow = ln.Flow(
        lambda x, t: anp.array([x[1], anp.sign(x[1]) - x[0] + anp.cos(1.3 * t)]), 2, dt=0.05,
        time=True,
    )  # fmt: skip
    s = ln.lyapunov_spectrum(
        flow, n_steps, x0=[0.5, 0.3], basis=np.eye(2), transient=0, basis_transient=0
    )
    x, total = np.array([0.5, 0.3]), np.eye(2)
    for i in range(n_steps):
        total = flow.jacobian(x, t=0.05 * i) @ total
        x = flow.step(x, t=0.05 * i)
    expected = np.linalg.slogdet(total)[1] / (0.05 * n_steps)
    np.testing.assert_allclose(s.exponents.sum(), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore:these exponents are unreliable")
def test_decisions_are_as_many_in_every_part_of_a_step():
    """The largest of a list of numbers was found by asking which is larger, of some in turn."""
    pytest.importorskip("numba")
    x0 = np.array([
        [-1.897, 0.953, -0.004], [-0.705, -0.587, -0.467], [-2.177, -1.154, -0.526],
        [-2.266, 1.626, -0.805], [-0.972, -1.473, 0.023], [0.014, -2.115, 0.280],
    ])  # fmt: skip

    def field(x, t):
        rows = np.array([0.5, np.arctan(t), np.maximum(0.3, t)])
        largest = np.max(np.array([np.mean(x), np.dot(rows, x), -0.5]))
        return (1.0 - np.array([largest, 0.97, 0.71])) % 1.0

    flow = ln.Flow(field, 3, dt=0.05, time=True)
    found = [
        ln.lyapunov_spectrum(ln.compiled(flow, e), 40, x0=x0, rng=0, transient=0).exponents
        for e in ("compiled", "numpy")
    ]
    assert_allclose(*found, rtol=1e-7, atol=1e-9)
