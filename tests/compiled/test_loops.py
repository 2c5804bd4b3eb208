"""Compiled runs are NumPy's runs, to rounding."""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lyapnet as ln
from lyapnet.systems.orbit import Orbit

from .engines import agree, both

pytest.importorskip("numba")

MAPS = ["henon", "logistic", "tent", "standard", "cat", "generalized_henon", "bernoulli_lattice"]
FLOWS = ["lorenz63", "roessler", "hyperchaotic_roessler", "linear_flow"]


def lorenz(x, p):
    return [p[0] * (x[1] - x[0]), x[0] * (p[1] - x[2]) - x[1], x[0] * x[1] - p[2] * x[2]]


@pytest.mark.parametrize("interval", [1, 3, "auto"])
@pytest.mark.parametrize("name", MAPS + FLOWS)
def test_the_catalog(name, interval):
    agree(*both(getattr(ln.catalog, name)(), 16, qr_interval=interval))


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("method", ["euler", "heun", "rk4"])
def test_leading_exponents_of_a_flow(method, k):
    flow = ln.Flow(lorenz, 3, dt=0.01, params=[10.0, 28.0, 8 / 3], method=method)
    agree(*both(flow, 40, k=k, x0=np.array([1.0, 1.0, 20.0]), qr_interval=4))


@pytest.mark.parametrize("members", [(1,), (2,), (3,), (8,), (21,), (2, 5)])
def test_ensembles(members):
    x0 = 0.1 + 0.01 * np.random.default_rng(0).standard_normal((*members, 2))
    agree(*both(ln.catalog.henon(), 12, x0=x0, qr_interval=2))


def test_parameters_of_each_member():
    rho = np.linspace(20, 30, 11)
    x0 = np.tile([1.0, 1.0, 20.0], (11, 1))
    agree(*both(ln.catalog.lorenz63(rho=rho), 30, x0=x0, qr_interval=3))


def test_a_sweep_compiles_once(monkeypatch):
    from lyapnet.compiled.machine import Machine

    made = []
    compile_one = Machine.functions
    monkeypatch.setattr(
        Machine, "functions", lambda self, text: made.append(1) or compile_one(self, text)
    )
    for dt in (0.011, 0.012):
        for rho in (27.0, 28.0, 29.0):
            flow = ln.Flow(lorenz, 3, dt=dt, params=[10.0, rho, 2.75])
            ln.lyapunov_spectrum(ln.compiled(flow), 5, x0=np.ones(3), rng=0)
    assert len(made) <= 1


@pytest.mark.parametrize("shared", [True, False])
def test_inputs(shared):
    rng = np.random.default_rng(0)
    system = ln.Map(
        lambda x, u: np.tanh(2 * x[::-1] + u.sum()) + np.array([u[0], 0.1 * u[1]]), 2, n_inputs=2
    )
    inputs = rng.standard_normal((40, 2) if shared else (40, 9, 2))
    x0 = rng.standard_normal((9, 2))
    agree(*both(driven_by_autograd(system), None, inputs=inputs, x0=x0), rtol=1e-7)


def driven_by_autograd(system):
    """Give a function of plain NumPy the Jacobian that autograd cannot find."""
    step, _ = system._given

    def jacobian(x, u):
        slope = 1 - np.tanh(2 * x[::-1] + u.sum()) ** 2
        return np.array([[0.0, 2 * slope[0]], [2 * slope[1], 0.0]])

    return ln.Map(step, 2, n_inputs=2, jacobian=jacobian)


@pytest.mark.parametrize("k", [5, 12])
def test_many_vectors_side_by_side(k):
    agree(*both(ln.catalog.lorenz96(n=12), 30, k=k, qr_interval=5))


@pytest.mark.filterwarnings("ignore:.*derivative is not that of the step")
def test_the_jacobian_of_the_user_is_used():
    """One that is wrong on purpose shows in both engines."""
    system = ln.Map(lambda x: [x[1], 0.5 * x[0]], 2, jacobian=lambda x: np.diag([2.0, 3.0]))
    for s in both(system, 10, x0=np.ones(2), basis=np.eye(2), basis_transient=0):
        assert_allclose(s.exponents, np.log([3.0, 2.0]), rtol=1e-12)


@pytest.mark.filterwarnings("ignore:.*come to rest at an unstable fixed point")
def test_a_basis_that_collapses_within_a_block():
    """Blocks are divided, or refused if their length was asked for, in either engine alike."""
    system = ln.Map(lambda x: [4 * x[0] % 1.0, 1e-3 * x[1]], 2, jacobian=diagonal)
    runs = both(system, 60, x0=np.array([0.3, 0.1]), qr_interval=3)
    agree(*runs)
    assert_allclose(runs[0].exponents, np.log([4.0, 1e-3]), rtol=1e-9)
    for engine in ("compiled", "numpy"):
        with pytest.raises(ln.DegenerateBasisError, match="vector 2 of 2") as caught:
            ln.lyapunov_spectrum(
                ln.compiled(system, engine), 60, x0=np.array([0.3, 0.1]), qr_interval=6, rng=0
            )
        assert caught.value.exponent == 1


def diagonal(x):
    return np.array([[4.0, 0.0], [0.0, 1e-3]])


@pytest.mark.filterwarnings("ignore:.*derivative is not that of the step")
@pytest.mark.parametrize("members", [(), (8,), (11,)])
@pytest.mark.parametrize("stretch", [1e-7, 1e-9])
def test_blocks_are_halved_where_the_basis_needs_it(stretch, members, monkeypatch):
    """Every so often a step contracts: the loops halve the block by themselves, as NumPy does."""
    jacobian = lambda x: [[1.2, 0.3], [0.0, np.where(x[0] < 0.1, stretch, 0.8)]]
    system = ln.Map(lambda x: [(x[0] + 0.1123) % 1.0, 0.5 * x[1]], 2, jacobian=jacobian)
    x0 = np.broadcast_to([0.2, 0.1], (*members, 2)) + np.zeros(2)
    if members:
        x0[..., 0] += np.linspace(0, 0.6, *members)
    agree(*both(system, 240, x0=x0, qr_interval=8), rtol=1e-7)
    from lyapnet.tangent import forward

    with monkeypatch.context() as patch:  # none is left to NumPy
        patch.setattr(forward._Run, "_block", None)
        whole = {"transient": 0, "basis_transient": 16, "qr_interval": 8}
        ln.lyapunov_spectrum(ln.compiled(system), 240, x0=x0, rng=0, **whole)


@pytest.mark.filterwarnings("ignore:.*derivative is not that of the step")
@pytest.mark.parametrize("factor", [1e-20, 1e-60])
def test_what_lies_along_axes_stays_there(factor):
    """A direction that shrinks by more than all digits is not lost to rounding of another."""
    J = np.diag([3.0, factor, 1e3])
    system = ln.Map(lambda x: [x[0] + 1.0, 0.0, 0.0], 3, jacobian=lambda x: J)
    for s in both(system, 30, x0=np.zeros(3), basis=np.eye(3), basis_transient=0, qr_interval=1):
        assert_allclose(s.log_growth, np.log(np.diag(J)) * np.ones((30, 3)), rtol=1e-12)


@pytest.mark.parametrize(("n", "members"), [(3, ()), (3, (9,)), (12, ()), (12, (2,))])
def test_a_basis_that_is_a_little_off(n, members):
    """`Orbit.disturbed` is the same by one call, or step by step."""
    system = ln.catalog.lorenz63() if n == 3 else ln.catalog.lorenz96(n=n)
    rng = np.random.default_rng(0)
    x = np.broadcast_to(system.default_state(rng), (*members, n)).copy()
    prepared = ln.compiled(system).prepared(x, None, n, 10_000)
    rows = np.linalg.qr(rng.standard_normal((*members, n, n)))[0]
    factors = 1 + 1e-3 * rng.standard_normal((6, *rows.shape))
    orbit = prepared.orbit(x, None, 8)
    before = rows.copy()
    found = orbit.disturbed(rows, 1, factors, 1e-12)
    assert_array_equal(rows, before)
    expected = Orbit.disturbed(orbit, rows, 1, factors, 1e-12)
    assert found[0] == expected[0] == 6
    assert_allclose(found[1], expected[1], rtol=1e-9, atol=1e-9)
    assert_allclose(found[2], expected[2], rtol=1e-11)


def test_an_exponent_of_minus_infinity():
    system = ln.Map(lambda x: [2 * x[0] % 1.0, 0.0], 2, jacobian=lambda x: np.diag([2.0, 0.0]))
    for s in both(system, 20, x0=np.array([0.3, 0.1])):
        assert s.exponents[0] == pytest.approx(np.log(2))
        assert np.isneginf(s.exponents[1])


@pytest.mark.parametrize("members", [(), (10,)])
def test_a_trajectory_that_diverges(members):
    system = ln.Map(lambda x: [x[0] ** 2, 0.5 * x[1]], 2, jacobian=lambda x: squared(x))
    x0 = np.full((*members, 2), 1.5)
    failures = []
    for engine in ("compiled", "numpy"):
        with pytest.raises(ln.DivergedError) as caught:
            ln.lyapunov_spectrum(
                ln.compiled(system, engine), 50, x0=x0, transient=0, basis_transient=2, rng=0
            )
        failures.append(caught.value)
    first, second = failures
    assert str(first) == str(second)
    assert first.step == second.step
    agree(first.partial, second.partial)


@pytest.mark.parametrize("interval", [5, 8])
@pytest.mark.parametrize("engine", ["compiled", "numpy"])
def test_growth_whose_square_is_no_number(engine, interval):
    # The states are numbers until the last block, in which slopes grow beyond 1e154.
    system = ln.Flow(lambda x: 0.8 * x + 0.3 * x**2, 1, dt=0.05, method="euler")
    x0 = 100 * np.array([[0.36159505], [1.30400005], [-0.70373524]])
    with pytest.raises(ln.DivergedError) as caught:
        ln.lyapunov_spectrum(
            ln.compiled(system, engine), 60, x0=x0, qr_interval=interval, transient=1,
            basis_transient=3, rng=0,
        )  # fmt: skip
    assert caught.value.partial is None or np.isfinite(caught.value.partial.exponents).all()


def squared(x):
    return np.array([[2 * x[0], 0.0], [0.0, 0.5]])


def test_tolerance_record_and_extension():
    henon = ln.catalog.henon()
    for options in ({"tol": 0.02}, {"record": False}):
        a, b = (
            ln.lyapunov_spectrum(ln.compiled(henon, engine), 60_000, rng=0, **options)
            for engine in ("compiled", "numpy")
        )
        assert a.settings["n_steps"] == b.settings["n_steps"]
        assert a.converged == b.converged
        assert_allclose(a.exponents, b.exponents, atol=4 * a.stderr.max())
    whole = ln.lyapunov_spectrum(ln.compiled(henon), 500, qr_interval=1, transient=50, rng=0)
    parts = ln.lyapunov_spectrum(
        ln.compiled(henon), 300, qr_interval=1, transient=50, basis_transient=100, rng=0
    )
    assert_allclose(parts.extend(200).exponents, parts.extend(200).exponents, rtol=0)
    assert whole.settings["engine"] == parts.extend(200).settings["engine"] == "compiled"


def test_upper_and_lower_chains_are_componentwise_right():
    """Rounding must not leak up a chain of triangular Jacobians: the exponents are log .9."""
    n = 12
    for D in (0.9 * np.eye(n) + np.eye(n, k=-1), 0.9 * np.eye(n) + np.eye(n, k=1)):
        chain = ln.Map(lambda x, D=D: D @ x, n, jacobian=lambda x, D=D: D)
        s = ln.lyapunov_spectrum(
            ln.compiled(chain), 400, k=n, x0=np.zeros(n), basis=np.eye(n), qr_interval=1,
            transient=0, basis_transient=0,
        )  # fmt: skip
        assert_allclose(s.log_growth.sum(axis=(0, 1)), 400 * n * np.log(0.9), rtol=1e-10)


# ---- which engine


def test_the_engine_is_chosen_and_said():
    henon = ln.catalog.henon()
    assert ln.lyapunov_spectrum(henon, 2000, rng=0).settings["engine"] == "compiled"
    short = ln.lyapunov_spectrum(henon, 10, transient=0, basis_transient=0, rng=0).settings
    assert short["engine"] == "numpy"
    assert "over before" in short["engine_reason"]
    asked = ln.lyapunov_spectrum(ln.compiled(henon, "numpy"), 2000, rng=0).settings
    assert (asked["engine"], asked["engine_reason"]) == ("numpy", "as asked for")


def looked_up(x):
    return [(x[0] - 0.1, 1.5 * x[0] + 0.7)[int(9 * x[0]) % 2]]


def test_what_cannot_be_written_down_falls_back_and_says_so():
    system = ln.Map(looked_up, 1, jacobian=lambda x: [[(1.0, 1.5)[int(9 * x[0]) % 2]]])
    s = ln.lyapunov_spectrum(system, 500, x0=np.array([0.3]), rng=0)
    assert s.settings["engine"] == "numpy"
    assert "an index" in s.settings["engine_reason"]
    with pytest.raises(TypeError, match="an index"):
        ln.compiled(system)


def test_parameters_of_each_member_do_not_hide_the_reason():
    field = lambda x, p: p["M"] @ np.where(x > p["a"], x, 0.0)
    for members in ((6,), ()):
        params = {"a": np.ones(members), "M": np.ones((*members, 2, 2))}
        with pytest.raises(TypeError, match="may jump"):
            ln.compiled(ln.Flow(field, 2, dt=0.1, params=params))


def test_a_function_that_changes_is_refused():
    calls = []

    def step(x):
        calls.append(1)
        return [0.5 * x[0] + len(calls)]

    system = ln.Map(step, 1, jacobian=lambda x: [[0.5]])
    with pytest.raises(ValueError, match="`step` does not return the same"):
        ln.lyapunov_spectrum(system, 500, x0=np.array([0.3]), rng=0)


def test_a_function_of_numba_is_taken_as_it_is():
    import numba

    @numba.njit
    def step(x):
        out = np.empty(2)
        out[0] = 1.0 - 1.4 * x[0] ** 2 + x[1]
        out[1] = 0.3 * x[0]
        return out

    few = {"transient": 0, "basis_transient": 9, "rng": 0}
    own = ln.lyapunov_spectrum(ln.compiled(ln.Map(step, 2)), 20, x0=np.full(2, 0.1), **few)
    agree(own, ln.lyapunov_spectrum(ln.compiled(ln.catalog.henon()), 20, **few))


@pytest.mark.parametrize(
    ("system", "members", "n_steps"),
    [
        (ln.catalog.henon(), 403, 3000),
        (ln.catalog.lorenz63(), 301, 1500),
        (ln.catalog.standard(k=1.5), 203, 2500),
    ],
)
def test_threads_are_those_of_the_caller_and_change_nothing(system, members, n_steps, monkeypatch):
    from threadpoolctl import threadpool_limits

    from lyapnet.numerics import threads

    given, used = threads._given, []
    monkeypatch.setattr(threads, "_given", lambda *x: used.append(x[1]) or given(*x))
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    x0 = system.default_state(None)
    x0 = x0 + 0.01 * np.random.default_rng(0).standard_normal((members, system.dim))
    runs, helpers = [], []
    for limit in (1, 2, 3):
        with threadpool_limits(limit):
            runs.append(ln.lyapunov_spectrum(system, n_steps, x0=x0, rng=0))
        helpers.append(set(used))
        used.clear()
    assert not helpers[0]
    assert max(helpers[1]) == 1
    assert max(helpers[2]) == 2
    for other in runs[1:]:
        for name in ("exponents", "stderr", "dof", "log_growth", "state", "basis"):
            assert_array_equal(getattr(runs[0], name), getattr(other, name))


def test_a_method_of_high_order():
    pendulum = ln.Flow(lambda x: [x[1], -np.sin(x[0])], 2, dt=0.1, method="dop853", jacobian=swing)
    agree(*both(pendulum, 30, x0=np.array([2.0, 0.3])))


def swing(x):
    return [[0.0, 1.0], [-np.cos(x[0]), 0.0]]


def test_time_and_interpolated_inputs():
    inputs = np.sin(np.arange(60.0))[:, None]
    flow = ln.Flow(
        lambda x, t, u: [x[1], np.cos(t) - x[0] ** 3 + u[0]], 2, dt=0.1, time=True, n_inputs=1,
        interpolation="cubic", jacobian=lambda x, t, u: [[0.0, 1.0], [-3 * x[0] ** 2, 0.0]],
    )  # fmt: skip
    agree(*both(flow, None, inputs=inputs, x0=np.array([1.0, 0.3]), t0=0.4))


def test_fields_that_may_jump_are_left_to_numpy():
    """There steps end where the field jumps."""
    flow = ln.Flow(lambda x: [x[1], -x[0] - 0.1 * np.sign(x[1])], 2, dt=0.1)
    with pytest.raises(TypeError, match=r"may jump \(sign\)"):
        ln.compiled(flow)


@pytest.mark.parametrize("members", [(9,), (3, 4)])
def test_some_members_by_themselves(members):
    """States are those that they have among all, bit for bit."""
    rng = np.random.default_rng(0)
    a = rng.uniform(1.0, 1.3, members)
    system = ln.Map(
        lambda x, u, p: [1 - p["a"] * x[0] ** 2 + x[1] + 0.01 * u[0], p["b"] * x[0]], 2,
        n_inputs=1, params={"a": a, "b": 0.3},
    )  # fmt: skip
    x, u = rng.uniform(-0.1, 0.1, (*members, 2)), rng.standard_normal((60, *members, 1))
    prepared = ln.compiled(system).prepared(x, u, 2, 1000)
    which = rng.random(members) < 0.4
    some = prepared.of_members(which)
    found = some.orbit(x[which], u[:, which], 60).states
    assert_array_equal(found, prepared.orbit(x, u, 60).states[:, which])
    assert_array_equal(some.params["a"], a[which])
    assert system.of_members(which) is None


def test_jacobians_of_compiled_orbits_are_found_at_once():
    calls = []

    def field(x, t):
        calls.append(np.ndim(x))
        return anp.array([x[1], x[0] - x[0] ** 3 - 0.3 * x[1] + 0.5 * anp.cos(1.2 * t)])

    flow = ln.compiled(ln.Flow(field, 2, dt=0.05, time=True))
    x, times = np.array([0.5, 0.1]), 0.05 * np.arange(400.0)[:, None]
    orbit = flow.prepared(x, times, 1, 400).orbit(x, times, 400)
    states, before = orbit.states, len(calls)
    found = orbit.jacobians
    assert len(calls) - before < 100
    expected = [flow.jacobian(states[i], t=times[i, 0]) for i in (0, 200, 399)]
    np.testing.assert_allclose(found[[0, 200, 399]], expected, rtol=1e-12)
