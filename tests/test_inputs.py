"""Bad arguments: an error that names the argument, the value and the remedy, before any work."""

import functools

import autograd.numpy as anp
import numpy as np
import pytest
import truths

import lyapnet as ln

CELL = ln.VanillaRNN.random(4, rng=0)
HENON = truths.henon()
X = [0.1, 0.1]


def never(x):
    raise AssertionError("work was done before the arguments were checked")


LAZY = ln.Map(never, 2)

CASES = {
    "no n_steps": (lambda: ln.lyapunov_spectrum(LAZY, x0=X), ValueError, "n_steps"),
    "n_steps zero": (lambda: ln.lyapunov_spectrum(LAZY, 0, x0=X), ValueError, "at least 1"),
    "n_steps float": (lambda: ln.lyapunov_spectrum(LAZY, 10.5, x0=X), TypeError, "integer"),
    "n_steps bool": (lambda: ln.lyapunov_spectrum(LAZY, True, x0=X), TypeError, "integer"),
    "no x0": (lambda: ln.lyapunov_spectrum(LAZY, 10), ValueError, "x0"),
    "x0 shape": (lambda: ln.lyapunov_spectrum(LAZY, 10, x0=[1.0]), ValueError, r"\(\.\.\., 2\)"),
    "x0 NaN": (lambda: ln.lyapunov_spectrum(LAZY, 10, x0=[0, np.nan]), ValueError, r"x0\[1\]"),
    "x0 text": (lambda: ln.lyapunov_spectrum(LAZY, 10, x0="here"), TypeError, "x0"),
    "k too large": (lambda: ln.lyapunov_spectrum(LAZY, 10, x0=X, k=3), ValueError, "at most 2"),
    "k zero": (lambda: ln.lyapunov_spectrum(LAZY, 10, x0=X, k=0), ValueError, "at least 1"),
    "basis shape": (
        lambda: ln.lyapunov_spectrum(LAZY, 10, x0=X, basis=np.eye(3)),
        ValueError,
        "basis",
    ),
    "basis dependent": (
        lambda: ln.lyapunov_spectrum(HENON, 10, x0=X, basis=np.ones((2, 2))),
        ValueError,
        "independent",
    ),
    "k and basis": (
        lambda: ln.lyapunov_spectrum(LAZY, 10, x0=X, k=1, basis=np.eye(2)),
        ValueError,
        "leave out",
    ),
    "interval": (
        lambda: ln.lyapunov_spectrum(HENON, 10, x0=X, qr_interval="often"),
        ValueError,
        "auto",
    ),
    "interval zero": (
        lambda: ln.lyapunov_spectrum(HENON, 10, x0=X, qr_interval=0),
        ValueError,
        "qr_interval",
    ),
    "tol": (lambda: ln.lyapunov_spectrum(HENON, 10, x0=X, tol=-1), ValueError, "positive"),
    "transient": (lambda: ln.lyapunov_spectrum(LAZY, 10, x0=X, transient=-1), ValueError, "trans"),
    "rng": (lambda: ln.lyapunov_spectrum(LAZY, 10, x0=X, rng="seed"), TypeError, "rng"),
    "system": (lambda: ln.lyapunov_spectrum(np.eye(2), 10), TypeError, "System"),
    "inputs for an autonomous system": (
        lambda: ln.lyapunov_spectrum(LAZY, 10, x0=X, inputs=np.ones((300, 1))),
        ValueError,
        "n_inputs=0",
    ),
    "inputs shape": (
        lambda: ln.lyapunov_spectrum(CELL, 10, inputs=np.ones((300, 2))),
        ValueError,
        "inputs",
    ),
    "inputs flat": (lambda: ln.lyapunov_spectrum(CELL, 9, inputs=np.ones(99)), ValueError, "axes"),
    "inputs too few": (
        lambda: ln.lyapunov_spectrum(CELL, 10, inputs=np.ones((20, 1))),
        ValueError,
        "longer sequence",
    ),
    "inputs NaN": (
        lambda: ln.lyapunov_spectrum(CELL, 10, inputs=np.full((300, 1), np.nan)),
        ValueError,
        r"inputs\[0, 0\]",
    ),
    "inputs used up": (
        lambda: ln.lyapunov_spectrum(CELL, inputs=np.ones((20, 1)), transient=20),
        ValueError,
        "longer sequence",
    ),
    "window": (
        lambda: ln.lyapunov_spectrum(HENON, 20, x0=X, qr_interval=2).finite_time(3),
        ValueError,
        "multiple",
    ),
    "level": (
        lambda: ln.lyapunov_spectrum(HENON, 20, x0=X).confidence_interval(95),
        ValueError,
        "level",
    ),
    "jacobians shape": (lambda: ln.spectrum_from_jacobians(np.ones((5, 2, 3))), ValueError, "n, n"),
    "jacobians NaN": (
        lambda: ln.spectrum_from_jacobians(np.full((5, 2, 2), np.inf)),
        ValueError,
        r"jacobians\[0, 0, 0\]",
    ),
    "jacobians warm-up": (
        lambda: ln.spectrum_from_jacobians(np.ones((5, 2, 2)), basis_transient=5),
        ValueError,
        "at most 4",
    ),
    "W not square": (lambda: ln.VanillaRNN(np.ones((2, 3)), None, None), ValueError, "`W`"),
    "V shape": (lambda: ln.VanillaRNN(np.eye(3), np.ones((2, 1)), None), ValueError, "`V`"),
    "b shape": (lambda: ln.VanillaRNN(np.eye(3), None, np.ones(2)), ValueError, "`b`"),
    "W NaN": (lambda: ln.VanillaRNN(np.nan * np.eye(2), None, None), ValueError, "finite"),
    "activation": (
        lambda: ln.VanillaRNN.random(3, activation="sine"),
        ValueError,
        "lyapnet.Activation",
    ),
    "activation without derivative": (
        lambda: ln.VanillaRNN.random(3, activation=np.sin),
        TypeError,
        "derivative",
    ),
    "leak": (lambda: ln.VanillaRNN.random(3, leak=1.5), ValueError, "leak"),
    "leak zero": (lambda: ln.VanillaRNN.random(3, leak=0), ValueError, "leak"),
    "init": (lambda: ln.VanillaRNN.random(3, init="uniform"), ValueError, "orthogonal"),
    "params": (lambda: CELL.with_params({"W": np.eye(4)}), ValueError, "keys"),
    "dim": (lambda: ln.Map(never, 0), ValueError, "dim"),
    "step": (lambda: ln.Map(3, 2), TypeError, "callable"),
    "dt": (lambda: ln.Flow(never, 2, dt=0.0), ValueError, "dt"),
    "method": (lambda: ln.Flow(never, 2, dt=0.1, method="rk5"), ValueError, "rk4"),
    "step's shape": (
        lambda: ln.lyapunov_spectrum(ln.Map(lambda x: x[:1], 2), 10, x0=X),
        ValueError,
        r"`step` must return an array of shape \(2,\)",
    ),
    "vectorized step's shape": (
        lambda: ln.lyapunov_spectrum(ln.Map(lambda x: x[..., 0], 2, vectorized=True), 9, x0=X),
        ValueError,
        "step",
    ),
    "plain Python": (
        lambda: ln.lyapunov_spectrum(
            ln.compiled(ln.Map(lambda x: np.array([x[0].__float__(), x[1]]), 2), "numpy"), 9, x0=X
        ),
        TypeError,
        "autograd.numpy",
    ),
    "window without n_steps": (
        lambda: ln.finite_time_exponents(CELL, np.ones(4), np.eye(4)),
        ValueError,
        "n_steps",
    ),
    "window inputs": (
        lambda: ln.finite_time_exponents(CELL, np.ones(4), np.eye(4), n_steps=5, inputs=[[1.0]]),
        ValueError,
        "longer",
    ),
    "window basis": (
        lambda: ln.finite_time_exponents(CELL, np.ones(4), np.ones(4), n_steps=5),
        ValueError,
        "basis",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_argument(case):
    call, error, message = CASES[case]
    with pytest.raises(error, match=message):
        call()


def scaled(x):
    return np.multiply(x, 2.0)


@pytest.mark.parametrize("helper", [False, True], ids=["itself", "by a helper"])
def test_plain_numpy_is_traced(helper):
    """Functions of numpy are those of autograd.numpy while autograd is tracing."""
    from math import sin

    def field(x):
        y = scaled(x) if helper else 2.0 * x
        return np.array([y[1], -sin(y[0]) + np.maximum(y[1], 0.0)])

    def same(x):
        y = 2.0 * x
        return anp.array([y[1], -anp.sin(y[0]) + anp.maximum(y[1], 0.0)])

    x = np.array([0.3, 0.2])
    expected = ln.Flow(same, 2, dt=0.1).jacobian(x)
    np.testing.assert_allclose(ln.Flow(field, 2, dt=0.1).jacobian(x), expected, rtol=1e-14)


def test_function_that_cannot_be_traced_is_named():
    flow = ln.Flow(lambda x: np.array([x[1].__float__(), -x[0]]), 2, dt=0.1)
    with pytest.raises(TypeError, match=r"autograd\.numpy"):
        flow.jacobian(np.ones(2))


def wrapped(function):
    """Give a function another argument, under its old name and signature."""

    @functools.wraps(function)
    def outer(x):
        return function(x, 0.5)

    return outer


@wrapped
def damped(x, a):
    return a * x


class Damped:
    def __call__(self, x):
        return 0.5 * x

    def step(self, x):
        return 0.5 * x


WORKING = {
    "default": lambda x, a=0.5: a * x,
    "any number": lambda *args: 0.5 * args[0],
    "keywords": lambda x, **kwargs: 0.5 * x,
    "another name": lambda state: 0.5 * state,
    "partial": functools.partial(lambda a, x: a * x, 0.5),
    "partial by name": functools.partial(lambda x, a: a * x, a=0.5),
    "decorated": damped,
    "object": Damped(),
    "method": Damped().step,
    "ufunc": anp.tanh,
    "NumPy's own": np.tanh,
    "of C": np.negative,
}


@pytest.mark.parametrize("name", WORKING)
def test_no_function_that_works_is_refused(name):
    half = ln.Map(WORKING[name], 1)
    assert abs(half.step(np.array([0.2]))[0]) <= 0.2
    assert ln.Flow(WORKING[name], 1, dt=0.1).step(np.array([0.2])).shape == (1,)


DAY = np.datetime64("2020-01-01")
NO_NUMBERS = {
    "no members": np.zeros((0, 4)),
    "no members in the middle": np.zeros((3, 0, 4)),
    "dates": np.full(4, DAY),
    "list of dates": [DAY] * 4,
    "durations": np.ones(4, "m8[s]"),
    "records": np.zeros(4, [("a", float)]),
    "masked": np.ma.masked_array(np.ones(4), [0, 1, 0, 0]),
    "list of masked rows": [np.ma.masked_array(np.ones(4), [0, 1, 0, 0])] * 4,
    "beyond float64": [10**400] * 4,
    "text among objects": np.array(["1"] * 4, dtype=object),
}
DOORS = {
    "x0": lambda x: ln.lyapunov_spectrum(CELL, 10, x0=x),
    "inputs": lambda x: ln.lyapunov_spectrum(CELL, inputs=x, transient=0, basis_transient=0),
    "basis": lambda x: ln.lyapunov_spectrum(CELL, 10, basis=x),
    "jacobians": ln.spectrum_from_jacobians,
    "W": ln.VanillaRNN,
    "b": lambda x: ln.VanillaRNN(np.eye(4), b=x),
    "lam": ln.flossing_loss,
    "target": lambda x: ln.floss(CELL, 1, k=4, n_steps=4, target=x, rng=0),
}


@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize("name", DOORS)
def test_what_is_no_array_of_numbers_is_refused_by_name(name, kind):
    with pytest.raises((ValueError, TypeError), match=f"`{name}`"):
        DOORS[name](NO_NUMBERS[kind])


COUNTS = {
    "n_steps": lambda n: ln.lyapunov_spectrum(CELL, n),
    "transient": lambda n: ln.lyapunov_spectrum(CELL, 10, transient=n),
    "n_epochs": lambda n: ln.floss(CELL, n, k=1, n_steps=4),
    "batch_size": lambda n: ln.floss(CELL, 1, k=1, n_steps=4, batch_size=n),
    "n": lambda n: ln.VanillaRNN.random(n),
    "dim": lambda n: ln.Map(never, n),
}


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("number", [2**63, 10**400, np.timedelta64(3, "s"), np.ma.masked])
def test_no_count_is_beyond_64_bits(name, number):
    with pytest.raises((ValueError, TypeError), match=f"`{name}`"):
        COUNTS[name](number)


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_a_basis_may_be_of_any_length(scale):
    given = ln.lyapunov_spectrum(CELL, 20, basis=scale * np.eye(4), rng=0)
    plain = ln.lyapunov_spectrum(CELL, 20, basis=np.eye(4), rng=0)
    np.testing.assert_allclose(given.exponents, plain.exponents, rtol=1e-12)
    with pytest.raises(ValueError, match="independent"):
        ln.lyapunov_spectrum(CELL, 20, basis=scale * np.ones((4, 2)))


@pytest.mark.parametrize("kind", [np.random.SeedSequence, np.random.PCG64])
def test_chance_is_taken_in_all_forms_of_numpy(kind, tmp_path):
    drawn = np.random.Generator(np.random.PCG64(7)).standard_normal((4, 4))
    np.testing.assert_array_equal(ln.VanillaRNN.random(4, rng=kind(7)).params["W"], drawn / 2)

    def run(seed, n_epochs=2):
        path = tmp_path / "run.npz"
        return ln.floss(CELL, n_epochs, k=1, n_steps=4, rng=kind(seed), checkpoint=path)

    first = run(7)
    np.testing.assert_array_equal(run(7).loss, first.loss)
    with pytest.raises(ValueError, match="rng"):
        run(8)


def of_parts(s):
    z = s[0] + 1j * s[1]
    return anp.array([z.real, z.imag])


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (of_parts, np.eye(2)),
        (lambda s: s[::-1] + 0 * (s[0] + 1j).conj().real, np.eye(2)[::-1]),
        (lambda s: anp.array(s.tolist()), np.eye(2)),
    ],
)
def test_attributes_of_arrays_that_autograd_does_not_trace(step, expected):
    np.testing.assert_array_equal(ln.Map(step, 2).jacobian(np.array([0.1, 0.2])), expected)


@pytest.mark.parametrize(
    ("step", "named"),
    [
        (lambda s: s.partition(1), r"`\.partition` of an array: write np\.partition\(x\)"),
        (lambda s: s.choose([1, 2]), r"write np\.choose\(x\)"),
    ],
)
def test_attributes_that_autograd_does_not_trace_have_a_function_instead(step, named):
    with pytest.raises(TypeError, match=named):
        ln.Map(step, 2).jacobian(np.array([0.1, 0.2]))
