"""Digits are exact, and what is cut off behind them is within its bound."""

from fractions import Fraction

import numpy as np
import pytest

from lyapnet.condition.precision.digits import Digits

BITS = [53, 256, 900]


def fractions(digits):
    table, exponents = digits.integers()
    return table * np.array([Fraction(2) ** int(e) for e in exponents], dtype=object)


def exact(a):
    return np.array([[Fraction(float(x)) for x in row] for row in a], dtype=object)


def ragged(rng, *shape):
    """Return numbers of all sizes, zeros and the smallest of float64 among them."""
    a = rng.standard_normal(shape) * 2.0 ** rng.integers(-300, 300, shape)
    a[0, 0], a[-1, -1] = 0.0, 5e-324
    return a


def within(true, digits, error, bits):
    """Whether sums of the errors over a column are within the bound, and the bound is small."""
    off = np.abs(true - fractions(digits))
    sums = off.sum(axis=0)
    largest = np.abs(true).max(axis=0)
    unit = Fraction(1, 2**bits)
    holds = all(s <= Fraction(float(e)) * unit for s, e in zip(sums, error, strict=True))
    small = all(o <= x * unit / 2 for o, x in zip(off.max(axis=0), largest, strict=True))
    return holds and small


@pytest.mark.parametrize("bits", BITS)
def test_floats_are_taken_exactly(bits):
    a = ragged(np.random.default_rng(0), 4, 3)
    digits = Digits.exact(a, bits, 4)
    assert np.all(fractions(digits) == exact(a))
    np.testing.assert_allclose(digits.floats(), a, rtol=2.0**-52, atol=1e-300)
    assert np.abs(digits.digits).max() <= 2 ** (digits.base - 1)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("numbers", [ragged, lambda rng, *shape: rng.standard_normal(shape)])
def test_products_are_right_to_their_bound(bits, numbers):
    rng = np.random.default_rng(1)
    a, b, c = numbers(rng, 5, 4), rng.standard_normal((4, 4)), rng.standard_normal((4, 3))
    q, true = Digits.exact(a, bits, 5), exact(a)
    for left in (numbers(rng, 5, 5), np.eye(5)[::-1], numbers(rng, 2, 5)):
        product, error = q.times(left)
        true = exact(left) @ fractions(q)
        assert within(true, product, error, bits)
        q = product
    for right in (b, c):
        product, error = q.combined(right)
        assert within(fractions(q) @ exact(right), product, error, bits)
        q = product


def test_what_fits_is_not_rounded():
    rng = np.random.default_rng(2)
    a, b = rng.integers(-9, 9, (2, 6, 6)).astype(float)
    product, error = Digits.exact(a, 100, 6).times(b)
    np.testing.assert_array_equal(product.floats(), b @ a)
    assert np.all(error < 1e-200)
    zero, error = product.times(np.zeros((6, 6)))
    assert not zero.floats().any()
    assert np.all(error < 1e-200)


@pytest.mark.parametrize("n", [3, 80, 1000])
def test_the_largest_sums_are_exact(n):
    """All digits as large as they can be, and of one sign: sums come closest to 2**53."""
    q = Digits.exact(np.ones((n, 1)), 300, n)
    largest = 2.0 ** (q.base - 1)
    value = sum(largest * 2.0 ** (-q.base * i) for i in range(2))  # two digits, exactly
    q.digits = np.full((12, 1, n), largest)
    left = np.full((2, n), value)
    left[1] *= -1.0
    true = exact(left) @ fractions(q)
    product, error = q.times(left)
    assert within(true, product, error, 300)
    product, error = q.combined(np.array([[value, -value]]))
    assert within(fractions(q) @ exact([[value, -value]]), product, error, 300)


def test_what_float64_cannot_scale_is_no_result():
    """The columns are far beyond float64, and the factors do not take them back."""
    q = Digits.exact(np.eye(2), 100, 2).scaled(np.array([-3000, 0]))
    with np.errstate(all="ignore"):
        _, error = q.combined(np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert error[0] == np.inf
    assert error[1] < 1.0


def test_blocks_and_columns():
    rng = np.random.default_rng(3)
    a, new = rng.standard_normal((5, 4)), rng.standard_normal((5, 2))
    q = Digits.exact(a, 200, 5).times(np.eye(5))[0].scaled(np.array([0, 3, -2, 0]))
    expected = a * [1, 8, 0.25, 1]
    np.testing.assert_array_equal(q.floats(), expected)
    np.testing.assert_array_equal(q.leading(3, 2).floats(), expected[:3, :2])
    replaced = q.with_columns(np.array([1, 3]), new).floats()
    np.testing.assert_array_equal(replaced[:, [1, 3]], new)
    np.testing.assert_array_equal(replaced[:, [0, 2]], expected[:, [0, 2]])
