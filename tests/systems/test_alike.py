"""States and components that are alike do not show what a function of arrays does to each."""

import warnings

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import lyapnet as ln


def ring(x):
    return np.tanh(0.6 * x + 0.5 * np.roll(x, 1) + 0.1)


def mean_field(x):
    return np.tanh(0.9 * x - 0.5 * np.mean(x) + 0.1)


def sums(x):
    return np.tanh(np.array([0.5, 0.4, 0.3, 0.2, 0.1, 0.6]) * x + 0.05 * np.sum(x))


def reversed_(x):
    return np.tanh(0.5 * x + 0.3 * x[::-1] + 0.1)


@pytest.mark.filterwarnings("ignore:.*one state after the other")
@pytest.mark.parametrize("members", [(), (4,)])
@pytest.mark.parametrize("step", [ring, mean_field, sums, reversed_])
def test_exponents_at_rest_are_those_of_the_jacobian(step, members):
    system = ln.compiled(ln.Map(step, 6), "numpy")
    x = np.full(6, 0.3)
    for _ in range(3000):
        x = step(x)
    x0 = np.broadcast_to(x, (*members, 6))
    s = ln.lyapunov_spectrum(system, 400, x0=x0, transient=0, rng=0)
    # All states are one and the same, so that each function of them is right in any shape.
    D = anp.stack([(step(x + d) - step(x - d)) / 2e-6 for d in 1e-6 * np.eye(6)], axis=1)
    expected = np.sort(np.log(np.abs(np.linalg.eigvals(D))))[::-1]
    assert_allclose(s.exponents, np.broadcast_to(expected, (*members, 6)), atol=0.02)
    c = ln.condition_number(system, 5, x0=x, transient=0, rng=0)
    singular = np.linalg.svd(np.linalg.matrix_power(D, 5), compute_uv=False)
    assert c.log10_measured[-1] == pytest.approx(np.log10(singular[0] / singular[-1]), rel=1e-3)


@pytest.mark.parametrize("n", [8, 30])
def test_a_lattice_at_rest(n):
    """Lorenz' model of 1996 below its first bifurcation, where waves of all lengths decay."""
    forcing = 0.5
    k = 2 * np.pi * np.arange(n) / n
    expected = np.sort(forcing * (np.cos(k) - np.cos(2 * k)) - 1)[::-1]
    flow = ln.Flow(
        lambda x: (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + forcing, n, dt=0.05
    )
    for engine in ("numpy", "auto"):
        s = ln.lyapunov_spectrum(
            ln.compiled(flow, engine), 2000, x0=np.full(n, forcing), transient=0, rng=0
        )
        assert_allclose(s.exponents, expected, atol=0.04)
    J = np.stack([flow.jacobian(np.full(n, forcing))] * 40)
    c = ln.condition_number(flow, 40, x0=np.full(n, forcing), transient=0, rng=0)
    singular = np.linalg.svd(np.linalg.multi_dot(J), compute_uv=False)
    assert c.log10_measured[-1] == pytest.approx(np.log10(singular[0] / singular[-1]), abs=1e-6)


def test_what_is_said_to_be_vectorized_is_looked_at_where_states_differ():
    system = ln.Map(lambda x: np.tanh(0.5 * x + 0.1 * np.sum(x)), 3, vectorized=True)
    system = ln.compiled(system, "numpy")
    with pytest.raises(ValueError, match="not vectorized"):
        ln.lyapunov_spectrum(system, 50, x0=np.zeros(3), rng=0)


def test_an_object_that_mixes_members_is_seen_where_they_are_alike():
    class Mixing(ln.System):
        dim = 3

        def step(self, x, u=None):
            return np.tanh(0.5 * x + 0.1 * np.sum(x))

        def jacobian(self, x, u=None):
            slope = 1 - self.step(x) ** 2
            return slope[..., None] * (0.5 * np.eye(3) + 0.1 * np.ones((3, 3)))

    with pytest.raises(ValueError, match="does not do to each of many states"):
        ln.lyapunov_spectrum(Mixing(), 50, x0=np.zeros((4, 3)), rng=0)


LISTS = {
    "concatenate": lambda x: np.concatenate([[x[0] * x[1]], x[1:] * x[0]]),
    "hstack": lambda x: np.hstack([x[:1] ** 2, [x[0] * x[1]]]),
    "vstack": lambda x: np.vstack([[x[0] * x[1], x[1]], x]).sum(axis=0),
    "where": lambda x: np.where(x > 0.5, [x[1], x[0]], x),
    "maximum": lambda x: np.maximum(x, [2 * x[1], x[0]]),
    "dot": lambda x: x * np.dot(x, [x[0] * x[1], x[1]]),
    "tanh": lambda x: np.tanh([x[0] * x[1], x[1]]),
    "outer": lambda x: np.outer(x, [x[1], x[0]]).sum(axis=0),
    "asarray": lambda x: np.asarray(x) * np.asarray([x[1], 1.0]),
    "flip": lambda x: np.flip(x) * x,
    "take": lambda x: np.take(x, [1, 0]) * x,
    "ptp": lambda x: x * np.ptp(x),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_components_has_its_derivative(name):
    step, x = LISTS[name], np.array([0.7, 0.4])
    expected = [(step(x + d) - step(x - d)) / 2e-6 for d in 1e-6 * np.eye(2)]
    assert_allclose(ln.Map(step, 2).jacobian(x), np.stack(expected, axis=1), atol=1e-8)


@pytest.mark.parametrize("step", [lambda x: [x[1], x[0]] - x, lambda x: x * [x[1], x[0]]])
def test_a_list_that_is_no_argument_is_refused(step):
    with pytest.raises(TypeError, match=r"list of components.*np.array\(\[...\]\)"):
        ln.Map(step, 2).jacobian(np.array([0.7, 0.4]))


def test_fourier_transforms_run_on_all_states_at_once():
    """Of a wave that is carried along and damped, each mode by its own factor."""
    n, seen = 16, []
    wave = 2 * np.pi * np.fft.rfftfreq(n)
    damping = 0.9 * np.exp(-0.05 * wave**2 - 0.3j * wave)

    def step(x):
        seen.append(np.ndim(x))
        return np.fft.irfft(damping * np.fft.rfft(np.sin(x)), n)

    x0 = np.random.default_rng(0).standard_normal(n)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*one state after the other")
        s = ln.lyapunov_spectrum(ln.Map(step, n), 600, k=n, x0=x0, transient=600, rng=0)
    assert seen.count(2) > 0
    expected = np.log(np.abs(np.fft.fft(np.fft.irfft(damping, n))))  # at rest in zero
    assert_allclose(s.exponents, np.sort(expected)[::-1], atol=0.05)


def test_a_function_of_no_module_is_taken():
    def step(x):
        return np.tanh(0.5 * x)

    step.__module__ = None  # as sympy.lambdify leaves it
    system = ln.Map(lambda x: step(x), 2)  # whose closure is looked through
    assert_allclose(system.jacobian(np.zeros(2)), 0.5 * np.eye(2))


def test_a_scan_calls_its_function_a_few_times():
    """Some members come to rest, where Jacobians of all are looked at by themselves."""
    calls = []

    def step(x, a):
        calls.append(1)
        return anp.array([1 - a * x[0] ** 2 + x[1], 0.3 * x[0]])

    m = ln.Map(step, 2, params=np.linspace(0.0, 1.4, 1000))
    s = ln.lyapunov_spectrum(m, 500, x0=np.full((1000, 2), 0.1), rng=0)
    settled = m.params < 0.3
    slope = 0.7 - np.sqrt(0.49 + 4 * m.params[settled])  # -2 a x at the fixed point
    roots = slope[:, None] / 2 + np.sqrt(slope[:, None] ** 2 / 4 + 0.3) * [[1, -1]]
    exact = np.sort(np.log(np.abs(roots)))[:, ::-1]
    np.testing.assert_allclose(s.exponents[settled], exact, atol=0.02)
    if s.settings["engine"] == "compiled":
        assert len(calls) < 500
