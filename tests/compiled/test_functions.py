"""Vectorised activation functions, against NumPy's in extended precision."""

import numpy as np
import pytest

pytest.importorskip("numba")

from called import from_python

from lyapnet.compiled import functions

sigmoid_and_rest, tanh, tanh_and_slope = map(
    from_python, (functions.sigmoid_and_rest, functions.tanh, functions.tanh_and_slope)
)
SIZES = (1e-300, 1e-12, 1e-4, 0.1, 0.3, 1.0, 3.0, 20.0, 300.0)
X = np.concatenate([np.random.default_rng(0).uniform(-s, s, 20_000) for s in SIZES])


def logistic(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="needs extended precision")
def test_accuracy():
    found = np.empty_like(X)
    tanh(X, found, np.empty_like(X))
    truth = np.tanh(X.astype(np.longdouble))
    unit = np.spacing(np.abs(truth.astype(float)))
    assert (np.abs(found - truth) / unit).max() <= 1.5


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="needs extended precision")
@pytest.mark.parametrize(
    ("function", "exact", "other", "ulps"),
    [
        (sigmoid_and_rest, logistic, lambda x: logistic(-x), (2, 2)),
        (tanh_and_slope, np.tanh, lambda x: np.cosh(x) ** -2, (1.5, 2.6)),
    ],
)
def test_accuracy_with_a_derivative(function, exact, other, ulps):
    found, more = X.copy(), np.empty_like(X)
    function(found, more, np.empty_like(X))
    long = X.astype(np.longdouble)
    for value, truth, most in zip((found, more), (exact(long), other(long)), ulps, strict=True):
        unit = np.spacing(np.abs(truth.astype(float)))
        assert (np.abs(value - truth) / unit).max() <= most


def test_ends():
    x = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0])
    found = np.empty(5)
    tanh(x, found, np.empty(5))
    np.testing.assert_array_equal(found, np.tanh(x))
    assert np.signbit(found[4])
    sigmoid = np.array([1.0, 0.0, np.nan, 0.5, 0.5])
    for function, expected in ((sigmoid_and_rest, sigmoid), (tanh_and_slope, np.tanh(x))):
        value, more = x.copy(), np.empty(5)
        function(value, more, np.empty(5))
        np.testing.assert_allclose(value, expected, rtol=0, atol=1e-300)
        assert np.signbit(value[4]) == np.signbit(expected[4])
        assert (more[:2] < 1e-300).all() or function is sigmoid_and_rest
