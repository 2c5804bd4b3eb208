"""Functions as users write them: asserting, compiled, complex, sparse, and without a derivative."""

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose

import lyapnet as ln

numba = pytest.importorskip("numba")
HENON = ln.lyapunov_spectrum(ln.catalog.henon(), 2000, x0=[0.1, 0.1], rng=0).exponents


def henon(x):
    return anp.array([1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]])


def asserting(x):
    assert x.shape == (2,)
    return henon(x)


def failing(error):
    def step(x):
        if np.shape(x) != (2,):
            raise error
        return henon(x)

    return step


def looked_up(x):
    return henon(x) * {(2,): 1.0}[np.shape(x)]


@pytest.mark.parametrize(
    "step",
    [asserting, failing(RuntimeError("one state only")), failing(KeyError(3)), looked_up,
     failing(MemoryError())],
)  # fmt: skip
@pytest.mark.parametrize("lead", [(), (3,)])
def test_a_function_of_one_state_may_refuse_several_in_its_own_way(step, lead):
    found = ln.lyapunov_spectrum(
        ln.Map(step, 2), 2000, x0=np.broadcast_to([0.1, 0.1], (*lead, 2)), rng=0
    )
    assert_allclose(found.exponents, np.broadcast_to(HENON, (*lead, 2)), atol=0.02)


@pytest.mark.filterwarnings("ignore:.*one state after the other")
@pytest.mark.parametrize("lead", [(), (2,)])
def test_a_compiled_function(lead):
    step, jacobian = (
        numba.njit(lambda x: np.array([1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]])),
        numba.njit(lambda x: np.array([[-2.8 * x[0], 1.0], [0.3, 0.0]])),
    )
    found = ln.lyapunov_spectrum(
        ln.Map(step, 2, jacobian=jacobian), 2000,
        x0=np.broadcast_to([0.1, 0.1], (*lead, 2)), rng=0,
    )  # fmt: skip
    assert_allclose(found.exponents, np.broadcast_to(HENON, (*lead, 2)), atol=0.02)


@pytest.mark.parametrize("kind", ["map", "flow", "custom", "jacobian", "numpy"])
def test_complex_numbers_are_refused_with_the_way_out(kind):
    class Custom:
        dim, n_inputs, dt = 1, 0, 1.0

        def step(self, x, u=None):
            return (0.5 + 0.1j) * x

        def jacobian(self, x, u=None):
            return np.array([[0.5 + 0.1j]])

    system = {
        "map": ln.Map(lambda z: (0.5 + 0.1j) * z, 1),
        "flow": ln.Flow(lambda z: (1 + 2j) * z - abs(z) ** 2 * z, 1, dt=0.01),
        "custom": Custom(),
        "jacobian": ln.Map(lambda x: 0.5 * x, 1, jacobian=lambda x: np.array([[0.5 + 0.1j]])),
        "numpy": ln.Flow(lambda z: np.sqrt(z + 0j), 1, dt=0.01, jacobian=lambda z: [[1.0]]),
    }[kind]
    with pytest.raises(TypeError, match="real and imaginary parts, with twice the `dim`"):
        ln.lyapunov_spectrum(system, 100, x0=[0.1], rng=0)


def test_the_way_out_of_complex_numbers():
    # A circle of radius 1, turned by 2 radians in a unit of time: exponents 0 and -2.
    def field(x):
        z = x[0] + 1j * x[1]
        dz = (1 + 2j) * z - abs(z) ** 2 * z
        return anp.array([anp.real(dz), anp.imag(dz)])

    found = ln.lyapunov_spectrum(ln.Flow(field, 2, dt=0.01), 2000, x0=[0.1, 0.0], rng=0)
    assert_allclose(found.exponents, [0, -2], atol=0.01)


def driven(x, u):
    one = 1 - 1.4 * x[..., 0] ** 2 + x[..., 1] + 0.01 * u[..., 0]
    return anp.stack([one, 0.3 * x[..., 0]], axis=-1)


VECTORIZED = ln.Map(driven, 2, n_inputs=1, vectorized=True)


@pytest.mark.parametrize("kind", ["map", "flow", "loop"])
def test_a_vectorized_driven_system_without_inputs_gets_zeros(kind):
    system = {
        "map": VECTORIZED,
        "flow": ln.Flow(
            lambda x, u: -x + u[..., :1], 2, dt=0.1, n_inputs=2, vectorized=True
        ),
        "loop": ln.ClosedLoop(VECTORIZED, [[0.1, 0.0]]),
    }[kind]  # fmt: skip
    x0 = [0.1, 0.1]
    found = ln.lyapunov_spectrum(system, 500, x0=x0, rng=0)
    assert found.exponents.shape == (2,)
    if kind == "map":
        zeros = ln.lyapunov_spectrum(system, 500, inputs=np.zeros((700, 1)), x0=x0, rng=0)
        assert_allclose(found.exponents, zeros.exponents, rtol=1e-12)
    vectors = ln.covariant_vectors(system, 20, x0=x0, rng=0)
    assert np.isfinite(vectors.exponents).all()
    assert ln.condition_number(system, 20, x0=x0, rng=0).resolved.all()


def test_an_orbit_takes_the_first_of_more_inputs_than_it_has_steps():
    inputs = np.random.default_rng(0).standard_normal((30, 1))
    states = VECTORIZED.orbit(np.array([0.1, 0.1]), inputs, 20).states
    assert_allclose(states, VECTORIZED.orbit(np.array([0.1, 0.1]), inputs[:20], 20).states)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("median", lambda x: 0.5 * anp.median(x) * anp.ones(1)),
        ("cumprod", lambda x: 0.5 * anp.cumprod(x)),
        ("unwrap", lambda x: 0.5 * anp.unwrap(x)),
        ("nansum", lambda x: 0.5 * anp.nansum(x) * anp.ones(1)),
    ],
)
def test_functions_without_a_derivative_are_named(name, step):
    system = ln.compiled(ln.Map(step, 1), "numpy")  # compiled loops know a derivative
    with pytest.raises(TypeError, match=rf"no derivative of `np.{name}`.*give `jacobian`"):
        ln.lyapunov_spectrum(system, 100, x0=[0.3], rng=0)


@pytest.mark.parametrize("kind", ["map", "flow"])
def test_a_gradient_in_what_a_function_closes_over_is_refused(kind):
    def exponent(a):
        field = lambda x: a * x * (1 - x)
        system = ln.Map(field, 1) if kind == "map" else ln.Flow(field, 1, dt=0.1)
        return ln.finite_time_exponents(system, [0.3], [[1.0]], n_steps=10)[0]

    with pytest.raises(TypeError, match="besides its arguments: give it to the system as `params="):
        autograd.grad(exponent)(3.7)


def test_sparse_weights_are_refused():
    with pytest.raises(TypeError, match=r"`W` is a sparse matrix.*W.toarray\(\)"):
        ln.VanillaRNN(scipy.sparse.eye_array(3))


@pytest.mark.parametrize(
    "step",
    [
        lambda x, p: 0.1 * np.ones(5) * sum(x[i] for i in range(p["N"])),
        lambda x, p: 0.1 * x[p["N"] - 1] * np.ones(5),
        lambda x, p: 0.1 * x[: p["N"]],
    ],
)
def test_counts_among_the_parameters_are_refused(step):
    with pytest.raises(TypeError, match="leave counts and indices out of `params`"):
        ln.lyapunov_spectrum(ln.Map(step, 5, params={"N": 5}), 100, x0=np.ones(5))


def test_inputs_that_look_like_a_batch_first_are_doubted():
    cell = ln.VanillaRNN.random(5, n_inputs=3, rng=0)
    inputs = np.random.default_rng(0).standard_normal((32, 200, 3))
    with pytest.warns(UserWarning, match="200 members of 32 steps"):
        ln.lyapunov_spectrum(cell, inputs=inputs, rng=0)
    ln.lyapunov_spectrum(cell, inputs=inputs, x0=np.zeros((200, 5)), rng=0)  # says so: no warning
    ln.lyapunov_spectrum(cell, inputs=inputs.swapaxes(0, 1), rng=0)


@pytest.mark.parametrize("gain", [1e200, 1e-200])
def test_vectors_that_leave_the_range_of_numbers_are_not_called_dependent(gain):
    cell = ln.VanillaRNN(gain * np.eye(3), activation="linear")
    with pytest.raises(ln.DegenerateBasisError, match="left the range of floating-point numbers"):
        ln.lyapunov_spectrum(cell, 100, qr_interval=5, x0=np.zeros(3), rng=0)
    found = ln.lyapunov_spectrum(cell, 100, x0=np.zeros(3), rng=0)
    assert_allclose(found.exponents, np.log(gain), rtol=1e-12)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_runs_where_floating_point_errors_are_raised(activation):
    cell = ln.VanillaRNN.random(30, gain=3.0, activation=activation, mean=-0.1, rng=0)
    expected = ln.lyapunov_spectrum(cell, 300, rng=0)
    with np.errstate(all="raise"):
        s = ln.lyapunov_spectrum(cell, 300, rng=0)
        s.diagnose()
        s.extend(10)
        ln.check_invariants(s)
        ln.covariant_vectors(cell, 20, k=3, rng=0)
        ln.condition_number(cell, 20, k=3, rng=0)
        ln.floss(ln.VanillaRNN.random(10, rng=0), 2, k=3, n_steps=10, rng=0)
        assert np.geterr()["under"] == "raise"
    np.testing.assert_array_equal(s.exponents, expected.exponents)


def exponent(system, x0, **kwargs):
    return ln.lyapunov_spectrum(system, 200, x0=x0, k=1, rng=0, **kwargs).exponents


def test_functions_compiled_by_numba_are_differentiated():
    numba = pytest.importorskip("numba")
    parabola = numba.njit(lambda a: 1 - 1.4 * a**2)

    def plain(x):
        return anp.array([1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]])

    steps = {
        "whole": numba.njit(lambda x: np.array([1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]])),
        "nested": numba.njit(lambda x: np.array([parabola(x[0]) + x[1], 0.3 * x[0]])),
        "called": lambda x: np.array([parabola(x[0]) + x[1], 0.3 * x[0]]),
    }
    x0 = [0.1, 0.1]
    calls = [
        lambda m: ln.covariant_vectors(m, 50, x0=x0, rng=0).exponents,
        lambda m: ln.condition_number(m, 30, x0=x0, rng=0).log10_measured,
        lambda m: ln.lyapunov_spectrum(ln.compiled(m, "numpy"), 50, x0=[x0, x0], rng=0).exponents,
        lambda m: ln.periodic_orbit(m, 1, x0=[0.6, 0.2]).states,
    ]
    for step in steps.values():
        for call in calls:
            assert_allclose(call(ln.Map(step, 2)), call(ln.Map(plain, 2)), rtol=1e-8)


def test_what_cannot_be_taken_out_of_numba_says_so():
    numba = pytest.importorskip("numba")
    hidden = {"g": numba.njit(lambda a: 1 - 1.4 * a**2)}
    system = ln.Map(lambda x: np.array([hidden["g"](x[0]) + x[1], 0.3 * x[0]]), 2)
    with pytest.raises(TypeError, match=r"compiled by numba.*give `jacobian=`"):
        ln.covariant_vectors(system, 50, x0=[0.1, 0.1], rng=0)
    with pytest.raises(TypeError, match=r"compiled by numba.*give `jacobian=`"):
        ln.compiled(system)


SPARSE = scipy.sparse.random(80, 80, 0.1, random_state=0, format="csr")


@pytest.mark.parametrize("lead", [(), (2,)])
@pytest.mark.parametrize("kind", [ln.Map, ln.Flow])
def test_sparse_matrices_in_steps_and_jacobians(kind, lead):
    A = SPARSE.toarray()
    how = {"dt": 0.1} if kind is ln.Flow else {}

    def derivative(x):
        return SPARSE @ scipy.sparse.diags(1 - np.tanh(x) ** 2)

    systems = [
        kind(lambda x: anp.dot(A, anp.tanh(x)), 80, **how),
        kind(lambda x: SPARSE @ anp.tanh(x), 80, **how),
        kind(lambda x: SPARSE.T.T.dot(np.tanh(x)), 80, **how),
        kind(lambda x: SPARSE @ np.tanh(x), 80, jacobian=derivative, **how),
    ]
    x0 = np.random.default_rng(0).standard_normal((*lead, 80))
    for k in (3, 12):  # forward, and by Jacobians
        found = [
            ln.lyapunov_spectrum(ln.compiled(s, "numpy"), 40, k=k, x0=x0, rng=0, transient=0)
            for s in systems
        ]
        for other in found[1:]:
            assert_allclose(other.exponents, found[0].exponents, rtol=1e-8)


def test_functions_of_one_state_said_to_be_vectorized():
    x0 = 0.1 * np.random.default_rng(0).random((7, 2))
    for step in (henon, lambda x: anp.dot(np.eye(2) / 2, x)):
        with pytest.raises(ValueError, match=r"not vectorized.*leave out vectorized=True"):
            ln.lyapunov_spectrum(ln.Map(step, 2, vectorized=True), 100, x0=x0, rng=0)


def test_an_input_in_front_of_the_state():
    # with as many inputs as components it would run
    with pytest.raises(TypeError, match=r"takes \(u, x\).*as step\(x, u\): give lambda x, u"):
        ln.Map(lambda u, x: 0.5 * x + u, 1, n_inputs=1)
    with pytest.raises(TypeError, match=r"`field` takes \(input, state\)"):
        ln.Flow(lambda input, state: input - state, 1, dt=0.1, n_inputs=1)
    with pytest.raises(TypeError, match=r"`jacobian` takes \(u, x\)"):
        ln.Map(lambda x, u: x + u, 1, n_inputs=1, jacobian=lambda u, x: x)
    ln.Map(lambda x, h: 0.5 * x + h, 1, n_inputs=1)  # a field h, of magnets
    ln.Map(lambda u, p: p * u, 1, params=0.5)


def henon_heiles(z):
    x, y, px, py = z
    return 0.5 * (px**2 + py**2 + x**2 + y**2) + x**2 * y - y**3 / 3


@pytest.mark.parametrize("params", [None, 1.0])
def test_fields_that_are_gradients(params):
    symplectic = np.kron([[0, 1], [-1, 0]], np.eye(2))

    def field(z, *p):
        gradient = autograd.grad(lambda z: (p[0] if p else 1.0) * henon_heiles(z))
        return symplectic @ gradient(z)

    def by_hand(z):
        x, y, px, py = z
        return anp.array([px, py, -x - 2 * x * y, -y - x**2 + y**2])

    x0 = [[0, -0.25, 0.42, 0], [0, 0.1, 0.49, 0]]
    expected = ln.lyapunov_spectrum(ln.Flow(by_hand, 4, dt=0.05), 200, x0=x0, rng=0)
    flow = ln.Flow(field, 4, dt=0.05, params=params)
    for engine in ("compiled", "numpy"):  # this without calls of one state after the other
        s = ln.lyapunov_spectrum(ln.compiled(flow, engine), 200, x0=x0, rng=0)
        assert_allclose(s.exponents, expected.exponents, rtol=1e-8)
    assert flow.forward_mode(np.array(x0), None) == "lanes"
