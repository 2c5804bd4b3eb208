"""Few tangent vectors go through large systems without Jacobians."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd.extend import defvjp, primitive
from numpy.testing import assert_allclose

import lyapnet as ln
from lyapnet.systems import Flow, Map
from lyapnet.systems.jacobian_orbit import JacobianOrbit
from lyapnet.systems.staged_orbit import StagedOrbit

N, K = 96, 3
HALF = N // 2
rng = np.random.default_rng(0)
A = 1.2 * rng.standard_normal((N, N)) / np.sqrt(N)


def lorenz96(x):
    return (anp.roll(x, -1) - anp.roll(x, 2)) * anp.roll(x, 1) - x + 8


def lorenz96_jacobian(x):
    i = np.arange(N)
    out = np.zeros((N, N))
    out[i, (i + 1) % N] = x[i - 1]
    out[i, i - 2] = -x[i - 1]
    out[i, i - 1] = x[(i + 1) % N] - x[i - 2]
    return out - np.eye(N)


def one_by_one(x):
    if x[0] > 1e3:
        return -x
    return anp.tanh(anp.dot(A, x))


SYSTEMS = {
    "map": (Map(lambda x: anp.tanh(anp.dot(A, x)), N), {}),
    "vectorized": (Map(lambda x: anp.tanh(anp.matmul(x, A.T)), N, vectorized=True), {}),
    "state by state": (Map(one_by_one, N), {}),
    "driven": (
        Map(lambda x, u, p: anp.tanh(p * anp.dot(A, x) + u[0]), N, n_inputs=1, params=0.9),
        {"inputs": rng.standard_normal((90, 1))},
    ),
    "members": (
        Map(lambda x, p: anp.tanh(p * anp.dot(A, x)), N, params=np.array([0.9, 1.1])),
        {"x0": rng.standard_normal((2, N))},
    ),
    "flow": (Flow(lorenz96, N, dt=0.02), {}),
    "flow with time": (
        Flow(lambda x, t: lorenz96(x) + anp.cos(t), N, dt=0.02, time=True, method="heun"),
        {},
    ),
    "flow with a Jacobian": (Flow(lorenz96, N, dt=0.02, jacobian=lorenz96_jacobian), {}),
    "oscillators": (
        Flow(
            lambda x: anp.concatenate([x[HALF:], -anp.sin(anp.dot(A[:HALF, :HALF], x[:HALF]))]),
            N, dt=0.1, method="leapfrog",
        ),
        {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SYSTEMS)
def test_vectors_pushed_forward_are_those_of_jacobians(kind, monkeypatch):
    system, how = SYSTEMS[kind]
    system = ln.compiled(system, "numpy")
    how = {"x0": rng.standard_normal(N), "k": K, "transient": 10, "basis_transient": 10, **how}

    def measured():
        return ln.lyapunov_spectrum(system, 60, qr_interval=1, rng=1, **how)

    with monkeypatch.context() as patch:
        patch.setattr("lyapnet.systems.map.LARGE", 10**6)
        expected = measured()
    formed = []
    patch = monkeypatch
    whole = JacobianOrbit.jacobians.func
    patch.setattr(
        JacobianOrbit, "jacobians", property(lambda self: formed.append(1) or whole(self))
    )
    found = measured()
    assert not formed
    assert_allclose(found.log_growth, expected.log_growth, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("lead", [(), (1,), (2,)])
@pytest.mark.parametrize("n_steps", [1, 2, 70])
@pytest.mark.parametrize("given", [None, lorenz96_jacobian])
def test_stages_of_a_flow(given, n_steps, lead, monkeypatch):
    """Of one state all that rolls numbers works on columns, of several it does not."""
    monkeypatch.setattr("lyapnet.systems.staged_orbit._AT_ONCE", 2**19)  # several times
    system = Flow(lorenz96, N, dt=0.02, jacobian=given)
    x = rng.standard_normal((*lead, N))
    orbit, rows = system.orbit(x, None, n_steps), rng.standard_normal((*lead, K, N))
    assert isinstance(orbit, StagedOrbit)
    single = Flow(lambda x: lorenz96(x), N, dt=0.02, jacobian=lorenz96_jacobian)
    for s in (n_steps - 1, 0, n_steps // 2):  # in any order
        found = np.empty_like(rows)
        orbit.push(s, rows, found)
        for i in np.ndindex(*lead):
            expected = rows[i] @ single.jacobian(orbit.states[s][i]).T
            assert_allclose(found[i], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("n", "lead"), [(200, ()), (96, (200,))])
def test_larger_flows_and_ensembles_are_left_to_autograd(n, lead):
    system = Flow(lambda x: -x + anp.tanh(anp.roll(x, 1, axis=0)), n, dt=0.05)
    orbit = system.orbit(rng.standard_normal((*lead, n)), None, 3)
    assert not isinstance(orbit, StagedOrbit)


@pytest.mark.filterwarnings("error")
def test_large_jacobians_may_be_found_state_by_state():
    """One that wants plain numbers knows no several states; it is as fast nevertheless."""

    def jacobian(x):
        return np.diag([-3 * float(value) ** 2 for value in x])

    system = Flow(lambda x: -(x**3), 64, dt=0.02, jacobian=jacobian)
    orbit, rows = system.orbit(rng.standard_normal(64), None, 200), np.eye(64)[:K]
    orbit.push(0, rows, np.empty_like(rows))


def test_without_a_rule_for_going_forward_jacobians_are_formed():
    @primitive
    def cube(x):
        return x**3

    defvjp(cube, lambda ans, x: lambda g: 3 * g * x**2)
    how = {"x0": 0.1 * rng.standard_normal(N), "k": 2, "rng": 0, "transient": 0}
    found, expected = (
        ln.lyapunov_spectrum(ln.compiled(Map(step, N), "numpy"), 20, **how).exponents
        for step in (
            lambda x: anp.tanh(anp.dot(A, x) - cube(x)),
            lambda x: anp.tanh(anp.dot(A, x) - x**3),
        )
    )
    assert_allclose(found, expected, rtol=1e-9)


def test_what_autograd_cannot_trace_is_still_named():
    system = Map(lambda x: np.array([y.__float__() for y in x]), N)
    with pytest.raises(TypeError, match="autograd cannot trace `step`"):
        ln.lyapunov_spectrum(system, 20, x0=np.ones(N), k=1)
