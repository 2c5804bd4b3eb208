"""What fields are written with: each function the same compiled, by NumPy, and differentiated."""

import math

import numpy as np
import pytest
import scipy
from autograd import elementwise_grad
from numpy.testing import assert_allclose
from scipy import special
from scipy.special import expit

import lyapnet as ln
from lyapnet.compiled.operations import COMPOSED, DERIVATIVES, JUMPING
from lyapnet.numerics.steady import NUMPY

A = np.array([[-0.5, 1.0, 0.0], [-1.0, -0.5, 0.3], [0.2, 0.0, -0.4]])
PLACES, HEIGHTS = np.array([-2.0, -0.3, 0.4, 1.5]), np.array([0.1, -0.2, 0.5, 0.3])
X0 = np.array([0.31, 0.42, 0.53])
DT = 0.01


def by_out(x):
    y = np.empty(3)
    np.multiply(x, -1.0, out=y)
    return y


def complex_numbers(x):
    z = x[0] + 1j * x[1]
    w = (1j - 0.3) * z - abs(z) ** 2 * z
    return np.array([w.real, w.imag, -x[2]])


def pair(x):
    return x[:1] + 1j * x[1:2]


def parts(z):
    return np.array([z[0].real, z[0].imag, -z[0].real])


def complex_zeros(x):
    z = np.zeros(2, dtype=complex)
    z[0] = (1j - 0.2) * (x[0] + 1j * x[1])
    z[1] = -x[2]
    return np.array([z[0].real, z[0].imag, z[1].real])


def mass_matrix(x):
    M = np.array([[2.0, np.cos(x[0])], [np.cos(x[0]), 1.0]])
    a = np.linalg.solve(M, np.array([-x[1], -np.sin(x[0])]))
    return np.array([x[1], a[0], a[1] - x[2]])


def made_by_exec():
    """As sympy.lambdify makes them: of no module."""
    scope = {"sin": np.sin}
    exec("def field(x):\n    return [-sin(x[0]), x[0] - x[1], -x[2]]", scope)
    return scope["field"]


FIELDS = {
    "expit": lambda x: -x + expit(A @ x),
    "expit of scipy": lambda x: -x + scipy.special.expit(A @ x),
    "erf": lambda x: -x + special.erf(A @ x),
    "erfc": lambda x: -x + 0.1 * special.erfc(x),
    "ndtr": lambda x: -x + special.ndtr(A @ x),
    "logit": lambda x: -x + 0.1 * special.logit(0.5 + 0.4 * np.tanh(x)),
    "cbrt": lambda x: -x - 0.1 * np.cbrt(x + 5),
    "float_power": lambda x: -np.float_power(1 + x**2, 1.5) * x,
    "copysign": lambda x: -np.copysign(x, -x) - 2 * x,
    "fmod": lambda x: -np.fmod(x, 7.0),
    "divmod": lambda x: -np.divmod(x, 7.0)[1] - x,
    "interp": lambda x: -x + np.interp(A @ x, PLACES, HEIGHTS),
    "select": lambda x: np.select([x < -9, x > -8], [-x, -2 * x]),
    "piecewise": lambda x: np.piecewise(x, [x < -9], [lambda y: -y, lambda y: -2 * y]),
    "polyval": lambda x: -x + 0.01 * np.polyval([1.0, 2.0, 3.0], x),
    "trapezoid": lambda x: -x + 0.1 * np.trapezoid(x, dx=0.5),
    "gradient": lambda x: -x + 0.1 * np.gradient(x, 0.5),
    "convolve same": lambda x: -x + 0.1 * np.convolve(x, [0.2, 0.5, 0.1], mode="same"),
    "convolve full": lambda x: -x + 0.1 * np.convolve([0.2, 0.5], x)[:3],
    "convolve valid": lambda x: -x + 0.1 * np.convolve(x, [0.2, 0.5, 0.1], mode="valid"),
    "block": lambda x: np.block([-x[:1], -2 * x[1:]]),
    "vectorize": lambda x: np.vectorize(lambda y: -math.sin(y))(x),
    "item": lambda x: np.array([-x[0].item(), x[0] - x[1], -x[2]]),
    "float": lambda x: np.array([-float(x[0]), x[0] - x[1], -x[2]], dtype=float),
    "by out=": by_out,
    "real and imag": complex_numbers,
    "solve": mass_matrix,
    "inv": lambda x: -np.linalg.inv(np.diag(2 + x) + np.ones((3, 3))) @ x,
    "det": lambda x: -x * np.linalg.det(np.outer(x, x) + np.eye(3)),
    "split": lambda x: np.concatenate([-part for part in np.split(x, 3)]),
    "mask": lambda x: np.append(-x[np.array([True, False, True])], -2 * x[1]),
    "single precision": lambda x: -np.float32(0.5) * x - np.array([0.25], dtype=np.float32) * x,
    "exec": made_by_exec(),
    "meshgrid": lambda x: -x + 0.1 * np.sum(np.sin(np.subtract(*np.meshgrid(x, x))), axis=1),
    "outer": lambda x: -x + 0.1 * np.sin(np.subtract.outer(x, x)).sum(axis=0),
    "reduce": lambda x: -x * (1 + np.add.reduce(x) ** 2),
    "pad wrap": lambda x: -x + 0.1 * np.diff(np.pad(x, 1, mode="wrap"), 2),
    "pad constant": lambda x: -x + 0.1 * np.diff(np.pad(x, (1, 1), constant_values=0.5), 2),
    "tile": lambda x: -np.tile(x[:1], 3) * x,
    "repeat": lambda x: -x.repeat(2)[::2],
    "vstack": lambda x: -np.vstack([x, 2 * x])[1],
    "atleast_2d": lambda x: -np.atleast_2d(x)[0],
    "column_stack": lambda x: -np.column_stack([x, 2 * x])[:, 1],
    "diagonal": lambda x: -x - np.diagonal(np.outer(x, x)) * x,
    "trace": lambda x: -x * (1 + np.trace(np.outer(x, x))),
    "tril": lambda x: -x - 0.1 * np.tril(np.outer(x, x)).sum(axis=0),
    "average": lambda x: -x - 0.1 * np.average(x, weights=[1, 2, 3]) * x,
    "vdot": lambda x: -x * np.vdot(x, x),
    "cross": lambda x: -x + np.cross(x, [0.1, 0.2, 0.3]),
    "fliplr": lambda x: -x - 0.1 * np.fliplr(np.outer(x, x))[0],
    "ix_": lambda x: np.append(-x[np.ix_([0, 2])], -x[1]),
    "dot": lambda x: -x * (1 + x.dot(x)),
    "tolist": lambda x: [-2 * y for y in x.tolist()],
    "plus": lambda x: +(-x),
    "astype": lambda x: -x.astype(float),
    "list of arrays": lambda x: -np.sin(np.sum([x, x], axis=0)),
    "polynomial": lambda x: -x - 0.1 * np.polynomial.polynomial.polyval(x, [1.0, 2.0, 0.5]),
    "r_": lambda x: np.r_[-x[0], -2 * x[1:]],
    "complex tanh": lambda x: parts(-pair(x) + 0.1 * np.tanh((1 - 2j) * pair(x))),
    "complex functions": lambda x: parts(sum(f(0.1 * pair(x)) for f in (
        np.exp, np.sin, np.cos, np.sinh, np.cosh, np.square)) - 3 * pair(x)),
    "complex powers": lambda x: parts(
        pair(x) ** 3 + (2 + pair(x)) ** -2 + (2 + pair(x)) ** 0.7 + np.sqrt(2 + pair(x))
        + np.log(3 + pair(x)) + 1 / (3 + pair(x)) - 3 * pair(x)),
    "mean field": lambda x: np.sin(np.angle(np.exp(1j * x).mean()) - x) - x,
    "conjugates": lambda x: parts(0.1 * pair(x).conj() - np.conj(np.conj(pair(x))) * abs(pair(x))),
    "complex zeros": complex_zeros,
    "ifft": lambda x: -x + 0.1 * np.fft.ifft(np.array([0.0, 0.5, 0.5]) * np.fft.fft(x)).real,
}  # fmt: skip
#: What NumPy alone runs: the reason is told.
BY_NUMPY = {"divmod", "ifft"}


@pytest.fixture(params=FIELDS.values(), ids=FIELDS)
def field(request):
    return request.param


def differences(function, x, h=1e-6):
    columns = [
        (np.asarray(function(x + d)) - np.asarray(function(x - d))) / (2 * h) for d in h * np.eye(3)
    ]
    return np.array(columns).T


def test_jacobians(field):
    system = ln.Map(field, 3)
    assert_allclose(system.jacobian(X0), differences(field, X0), rtol=1e-7, atol=1e-8)
    many = X0 * np.array([[1.0], [1.1], [0.9]])
    expected = [differences(field, x) for x in many]
    assert_allclose(system.jacobian(many), expected, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", FIELDS)
def test_spectra_by_both_engines(name):
    flow = ln.Flow(FIELDS[name], 3, dt=DT)
    found, by_numpy = (
        ln.lyapunov_spectrum(system, 300, x0=X0, rng=0, transient=0)
        for system in (flow, ln.compiled(flow, "numpy"))
    )
    assert_allclose(found.exponents, by_numpy.exponents, rtol=1e-9, atol=1e-11)
    if name not in BY_NUMPY:
        pytest.importorskip("numba")
        assert ln.lyapunov_spectrum(ln.compiled(flow), 300, x0=X0, rng=0)


def test_all_states_run_at_once(field):
    calls = []

    def counted(x):
        calls.append(1)
        return field(x)

    flow = ln.compiled(ln.Flow(counted, 3, dt=DT, method="euler"), "numpy")
    x0 = X0 * np.linspace(0.9, 1.1, 50)[:, None]
    ln.lyapunov_spectrum(flow, 20, x0=x0, rng=0, transient=0)
    assert len(calls) < 2000  # where jumps are looked for


def test_pairs_of_all_states_are_never_made():
    """As columns of an array, 300 states would make a table of all their pairs."""
    shapes = []

    def field(x):
        shapes.append(np.shape(x))
        return -x + 0.1 * np.sin(np.subtract.outer(x, x)).sum(axis=0)

    flow = ln.compiled(ln.Flow(field, 3, dt=DT), "numpy")
    ln.lyapunov_spectrum(flow, 300, x0=X0, rng=0, transient=0)
    ln.lyapunov_spectrum(flow, 3, x0=np.tile(X0, (100, 1)), rng=0, transient=0)
    assert max(math.prod(shape[1:]) for shape in shapes) < 10


@pytest.mark.parametrize("name", sorted(set(DERIVATIVES) - JUMPING))
def test_what_is_compiled_is_differentiated_by_autograd_too(name):
    derivative, function = DERIVATIVES[name], getattr(NUMPY, name)
    x, y = np.array([0.2, 0.7]), np.array([0.9, 0.4])
    given = (1 + x,) if name == "arccosh" else (x,)
    n = 1
    try:
        z = function(*given)
    except (TypeError, ValueError):
        given, n = (x, y), 2
        z = function(x, y)
    slopes = derivative(z, *given)
    assert len(slopes) == n
    for i, slope in enumerate(slopes):
        if slope is None:  # the exponent of a power that is a number
            continue
        assert_allclose(elementwise_grad(function, i)(*given), slope * np.ones(2), rtol=1e-12)


@pytest.mark.parametrize("name", sorted(COMPOSED))
def test_what_is_composed_is_what_its_name_says(name):
    x, y, z = np.array([0.2, 0.7]), np.array([0.4, -0.3]), np.array([0.8, 0.9])
    function = getattr(special, name, None) or getattr(np, name)
    for n in (3,) if name == "clip" else (1, 2, 3):
        try:
            expected = function(*(x, y, z)[:n])
        except TypeError:
            continue
        assert_allclose(COMPOSED[name](*(x, y, z)[:n]), expected, rtol=1e-14)
        break
    else:
        raise AssertionError(name)


def test_a_table_has_the_slopes_of_its_lines():
    system = ln.Map(lambda x: np.interp(x, PLACES, HEIGHTS), 1)
    x = np.array([[-3.0], [-1.0], [0.0], [1.0], [2.0]])
    slopes = np.diff(HEIGHTS) / np.diff(PLACES)
    assert_allclose(system.jacobian(x)[:, 0, 0], [0, *slopes, 0], rtol=1e-14)
    tent = ln.Map(lambda x: np.interp(x, [0.0, 0.4, 1.0], [0.0, 1.0, 0.0]), 1)
    s = ln.lyapunov_spectrum(tent, 20_000, x0=[0.3], rng=0)
    entropy = -0.4 * math.log(0.4) - 0.6 * math.log(0.6)
    assert abs(s.exponents[0] - entropy) < 4 * s.stderr[0]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_small_equations_are_solved_as_numpy_does(n):
    draw = np.random.default_rng(n)
    M, b = draw.standard_normal((n, n, n)), draw.standard_normal(n)

    def field(x):
        return np.linalg.solve(np.eye(n) * 3 + M @ np.tanh(x), b) - x

    flow = ln.Flow(field, n, dt=0.05)
    found = [
        ln.lyapunov_spectrum(ln.compiled(flow, e), 200, x0=np.ones(n), rng=0).exponents
        for e in ("auto", "numpy")
    ]
    assert_allclose(*found, rtol=1e-10)
