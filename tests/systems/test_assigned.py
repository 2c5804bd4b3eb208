"""Functions that make arrays and assign to their elements: the same as those that do not."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from numpy.testing import assert_allclose

import lyapnet as ln
from lyapnet.numerics.plain_numpy import for_autograd_and_lanes

X0 = np.array([1.0, 2.0, 20.0])


def lorenz(x):
    return np.array([10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]])


def zeros(x):
    d = np.zeros(3)
    d[0] = 10 * (x[1] - x[0])
    d[1] = x[0] * (28 - x[2]) - x[1]
    d[2] = x[0] * x[1] - 8 / 3 * x[2]
    return d


def like(x):
    d = np.empty_like(x)
    d[:2] = 10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1]
    d[-1] = x[0] * x[1] - 8 / 3 * x[2]
    return d


def added(x):
    d = np.full(3, 0.0)
    d[0] += 10 * x[1]
    d[0] -= 10 * x[0]
    d[1:] -= x[1:]
    d[1] += x[0] * (28 - x[2])
    d[2] *= 8 / 3
    d[2] += x[0] * x[1]
    return d


def copied(x):
    d = x.copy()
    d[[0, 1]] = 10 * (d[1] - d[0]), x[0] * (28 - x[2]) - x[1]
    d[2] = x[0] * x[1] - 8 / 3 * d[2]
    return d


def in_place(x):
    a, b, c = x
    x[0], x[1], x[2] = 10 * (b - a), a * (28 - c) - b, a * b - 8 / 3 * c
    return x


def through_views(x):
    d = np.ones(3)
    first, rest = d[:1], d[1:]
    first[0] = 10 * (x[1] - x[0])
    rest[:] = -x[1:]
    rest[1] *= 8 / 3
    rest += np.array([x[0] * (28 - x[2]), x[0] * x[1]])
    return d


def by_another(x):
    d = np.array([0.0, 0.0, 0.0])
    fill(d, x)
    return d


def fill(d, x):
    for i, value in enumerate([10 * (x[1] - x[0]), x[0] * (28 - x[2]), x[0] * x[1]]):
        d[i] = value
    d[1:] += np.array([-1.0, -8 / 3]) * x[1:]


def masked(x):
    d = lorenz(x)
    out = np.zeros(3)
    up = d > 0
    out[up], out[~up] = d[up], d[~up]
    return out


SHORT = {"transient": 0, "basis_transient": 10, "backward_transient": 10}
WAYS = [zeros, like, added, copied, in_place, through_views, by_another, masked]


@pytest.fixture(params=WAYS, ids=lambda f: f.__name__)
def field(request):
    return request.param


def flow_of(field, **options):
    return ln.Flow(field, 3, dt=0.01, **options)


def test_jacobians_of_one_state_and_of_many(field):
    flow, expected = flow_of(field), flow_of(lorenz)
    assert_allclose(flow.jacobian(X0), expected.jacobian(X0), rtol=1e-13)
    many = X0 + np.arange(12.0).reshape(4, 3)
    assert_allclose(flow.jacobian(many), expected.jacobian(many), rtol=1e-13)


@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_spectra(field, engine):
    spectra = [
        ln.lyapunov_spectrum(ln.compiled(flow_of(f), engine), 400, x0=X0, rng=0, transient=10)
        for f in (field, lorenz)
    ]
    assert_allclose(spectra[0].exponents, spectra[1].exponents, rtol=1e-7)


def test_ensembles_and_what_else_asks_for_derivatives(field):
    flow, expected = flow_of(field), flow_of(lorenz)
    x0 = X0 + np.linspace(0, 1, 5)[:, None]
    found, known = (
        ln.lyapunov_spectrum(ln.compiled(f, "numpy"), 100, x0=x0, rng=0) for f in (flow, expected)
    )
    assert_allclose(found.exponents, known.exponents, rtol=1e-7)
    found, known = (ln.covariant_vectors(f, 50, x0=X0, rng=0, **SHORT) for f in (flow, expected))
    assert_allclose(found.exponents, known.exponents, rtol=1e-6)
    found, known = (
        np.sort(
            ln.fixed_points(f, x0=[[8.0, 8.0, 20.0], [-8.0, -8.0, 20.0], [0.1, 0, 0]]).points, 0
        )
        for f in (flow, expected)
    )
    assert_allclose(found, known, rtol=1e-9, atol=1e-9)


def hopf(x, t, u, p):
    d = np.zeros(2)
    r = p["a"] - x[0] ** 2 - x[1] ** 2
    d[0] = r * x[0] - x[1] + u[0]
    d[1] = r * x[1] + x[0] + 0.1 * np.sin(t)
    return d


def hopf_without(x, t, u, p):
    r = p["a"] - x[0] ** 2 - x[1] ** 2
    return anp.array([r * x[0] - x[1] + u[0], r * x[1] + x[0] + 0.1 * anp.sin(t)])


@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_time_inputs_and_parameters_of_members(engine):
    u = 0.1 * np.random.default_rng(1).standard_normal((300, 1))
    found = [
        ln.lyapunov_spectrum(
            ln.compiled(
                ln.Flow(
                    f, 2, dt=0.05, n_inputs=1, time=True, params={"a": np.array([0.5, 1.0, 2.0])}
                ),
                engine,
            ),
            inputs=u, x0=np.full((3, 2), 0.5), rng=0,
        ).exponents
        for f in (hopf, hopf_without)
    ]  # fmt: skip
    assert_allclose(*found, rtol=1e-9, atol=1e-12)


def test_gradients_in_parameters():
    def loss(a, step):
        system = ln.Map(step, 2, params={"a": a})
        return ln.flossing_loss(ln.finite_time_exponents(system, [0.1, 0.2], np.eye(2), n_steps=20))

    def henon(x, p):
        y = np.empty(2)
        y[0] = 1 - p["a"] * x[0] ** 2 + x[1]
        y[1] = 0.3 * x[0]
        return y

    def without(x, p):
        return anp.array([1 - p["a"] * x[0] ** 2 + x[1], 0.3 * x[0]])

    assert_allclose(grad(loss)(1.2, henon), grad(loss)(1.2, without), rtol=1e-10)


def test_vectorized():
    def along(x, p):
        y = np.zeros_like(x)
        y[..., 0] = 1 - p * x[..., 0] ** 2 + x[..., 1]
        y[..., 1] = 0.3 * x[..., 0]
        return y

    def without(x, p):
        return anp.stack([1 - p * x[..., 0] ** 2 + x[..., 1], 0.3 * x[..., 0]], axis=-1)

    a, x0 = np.array([1.2, 1.3, 1.4]), np.full((3, 2), 0.1)
    found = [
        ln.lyapunov_spectrum(
            ln.Map(f, 2, vectorized=True, params=a), 30, x0=x0, rng=0
        ).exponents
        for f in (along, without)
    ]  # fmt: skip
    assert_allclose(*found, rtol=1e-9)


@pytest.mark.parametrize("engine", ["numpy", "auto"])
def test_jacobians_by_assignment(engine):
    def jacobian(x):
        J = np.zeros((3, 3))
        J[0, :2] = -10, 10
        J[1] = 28 - x[2], -1, -x[0]
        J[2, 0], J[2, 1], J[2, 2] = x[1], x[0], -8 / 3
        return J

    flow = flow_of(zeros, jacobian=jacobian)
    assert_allclose(flow.jacobian(X0), flow_of(lorenz).jacobian(X0), rtol=1e-13)
    spectra = [
        ln.lyapunov_spectrum(ln.compiled(f, engine), 600, x0=X0, rng=0, transient=10).exponents
        for f in (flow, flow_of(lorenz))
    ]
    assert_allclose(*spectra, rtol=1e-6)


def test_lattices_by_loops():
    def lorenz96(x):
        d = np.zeros(12)
        for i in range(12):
            d[i] = (x[(i + 1) % 12] - x[i - 2]) * x[i - 1] - x[i] + 8
        return d

    flow = ln.compiled(ln.Flow(lorenz96, 12, dt=0.01), "numpy")
    expected = ln.catalog.lorenz96(n=12, dt=0.01)
    x0 = np.random.default_rng(0).standard_normal(12)
    spectra = [
        ln.lyapunov_spectrum(f, 200, x0=x0, rng=0, transient=0).exponents for f in (flow, expected)
    ]
    assert_allclose(*spectra, rtol=1e-8)


def test_members_of_different_branches():
    def field(x):
        d = np.zeros(2)
        if x[0] > 0:
            d[0] = -x[0]
        else:
            d[0] = -2 * x[0]
        d[1] = -x[1]
        return d

    flow = ln.Flow(field, 2, dt=0.1)
    x = np.array([[1.0, 1.0], [-1.0, 1.0]])
    slopes = [np.polyval([1 / 24, 1 / 6, 1 / 2, 1, 1], -0.1 * k) for k in (1, 2)]
    assert_allclose(flow.jacobian(x)[:, 0, 0], slopes, rtol=1e-13)


class Model:
    """A field that is a method of an object, and one that is the object."""

    def __init__(self, a):
        self.a = a

    def field(self, x):
        d = np.zeros(2)
        d[0], d[1] = self.a * x[1], -np.sin(x[0])
        return d

    __call__ = field


@pytest.mark.parametrize("given", [Model(2.0).field, Model(2.0)], ids=["method", "object"])
def test_methods_and_objects(given):
    expected = ln.Flow(lambda x: np.array([2.0 * x[1], -np.sin(x[0])]), 2, dt=0.1)
    x = np.array([0.3, 0.4])
    assert_allclose(ln.Flow(given, 2, dt=0.1).jacobian(x), expected.jacobian(x), rtol=1e-13)


def test_arrays_of_whole_numbers_are_refused():
    """NumPy cuts what is assigned to them off: there is no derivative."""

    def step(x):
        y = np.array([0, 0])
        y[0], y[1] = 10 * np.sin(x[0]), 10 * np.sin(x[1])
        return y

    with pytest.raises(TypeError, match="a number differs between lanes"):
        ln.lyapunov_spectrum(ln.Map(step, 2), 50, x0=np.array([0.35, 0.27]), rng=0)


BUFFER = np.zeros(2)


def test_arrays_from_outside_are_refused():
    def step(x):
        BUFFER[0], BUFFER[1] = 0.5 * x[0], 0.5 * x[1]
        return BUFFER

    with pytest.raises(TypeError, match="outside"):
        ln.lyapunov_spectrum(ln.compiled(ln.Map(step, 2), "numpy"), 50, x0=[0.3, 0.2], rng=0)


def test_what_assigns_to_elements_is_seen():
    assert all(for_autograd_and_lanes(f)[2] for f in WAYS)
    assert not for_autograd_and_lanes(lorenz)[2]
    assert not for_autograd_and_lanes(np.tanh)[2]


W = np.random.default_rng(5).normal(size=(3, 3))


@pytest.mark.parametrize(
    "step",
    [lambda x: W.dot(np.tanh(x)), lambda x: np.tanh(x).dot(W), lambda x: -np.dot(W, +x)],
    ids=["array's", "state's", "numpy's"],
)
def test_methods_of_arrays(step):
    x = np.array([0.1, 0.2, 0.3])
    differences = [(step(x + d) - step(x - d)) / 2e-6 for d in 1e-6 * np.eye(3)]
    assert_allclose(ln.Map(step, 3).jacobian(x), np.transpose(differences), rtol=1e-7, atol=1e-9)
