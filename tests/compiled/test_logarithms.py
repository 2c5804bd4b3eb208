"""Logarithms of arrays, against the C library's in extended precision."""

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from lyapnet.compiled.logarithms import logarithms

#: Decimal exponents of numbers, the first and the last; the last pair is of denormal numbers.
RANGES = (-320, 308), (-1, 1), (-0.2, 0.2), (-1e-6, 1e-6), (-320, -308)


def of(x, scale=1.0):
    found = np.array(x, dtype=float)
    logarithms()(found.ctypes.data, found.size, scale)
    return found


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="needs extended precision")
@pytest.mark.parametrize("scale", [1.0, 0.5])
@pytest.mark.parametrize("exponents", RANGES)
def test_accuracy(exponents, scale):
    x = 10.0 ** np.random.default_rng(0).uniform(*exponents, 100_003)
    truth = scale * np.log(x.astype(np.longdouble))
    unit = np.spacing(np.abs(truth.astype(float)))
    assert (np.abs(of(x, scale) - truth) / unit).max() < 1


@pytest.mark.parametrize("count", range(12))
def test_all_of_an_array_and_nothing_else(count):
    x = np.full(13, 2.0)
    logarithms()(x.ctypes.data, count, 1.0)
    np.testing.assert_array_equal(x, [np.log(2.0)] * count + [2.0] * (13 - count))


@pytest.mark.parametrize("beside", [[], [1.5] * 16])
def test_ends(beside):
    """Alone, and as some of several that are taken at once."""
    x = np.array([*beside, 0.0, -0.0, 1.0, np.inf, np.nan, -1.0, -np.inf, *beside])
    with np.errstate(divide="ignore", invalid="ignore"):
        np.testing.assert_array_equal(of(x), np.log(x))
