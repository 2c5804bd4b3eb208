"""What both backends promise: exact where they say so, and rounding within its bound."""

from fractions import Fraction

import flint
import mpmath
import numpy as np
import pytest

from lyapnet.condition.precision.backends import make_arithmetic

BITS = [53, 128, 700]


@pytest.fixture(params=[(name, bits) for name in ("flint", "mpmath") for bits in BITS], ids=str)
def arithmetic(request):
    with make_arithmetic(*request.param) as found:
        yield found


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def fraction(x):
    """Return a number of either backend as it is."""
    if isinstance(x, flint.arb):
        assert x.is_exact()
        mantissa, exponent = x.man_exp()
        return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    sign, mantissa, exponent, _ = x._mpf_
    return (-1) ** sign * Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def fractions(arithmetic, matrix):
    """Return the rows of a matrix of either backend, exactly."""
    columns = arithmetic.numbers(matrix)
    return np.array([[fraction(x) for x in column] for column in columns], dtype=object).T


def exact(a):
    return np.array([[Fraction(float(x)) for x in row] for row in a], dtype=object)


def within(arithmetic, error, true, matrix):
    """Whether column sums of the true error are within the bound."""
    sums = np.abs(true - fractions(arithmetic, matrix)).sum(axis=0)
    unit = Fraction(1, 2**arithmetic.bits)
    return all(s <= Fraction(float(e)) * unit for s, e in zip(sums, error, strict=True))


def test_floats_are_taken_exactly(arithmetic, rng):
    a = rng.standard_normal((3, 4)) * 2.0 ** rng.integers(-300, 300, (3, 4))
    a[0, 0], a[1, 1] = 0.0, 5e-324
    if arithmetic.bits > 600:  # numbers of fewer bits cannot show all that a matrix holds
        assert np.all(fractions(arithmetic, arithmetic.exact(a)) == exact(a))
    np.testing.assert_array_equal(arithmetic.floats(arithmetic.exact(a)), a)


def test_product(arithmetic, rng):
    a, b, c = (rng.standard_normal((5, 5)) * 10.0 ** rng.integers(-9, 9, 5) for _ in range(3))
    first, error = arithmetic.product(arithmetic.exact(b), arithmetic.exact(c))
    assert within(arithmetic, error, exact(b) @ exact(c), first)
    second, error = arithmetic.product(arithmetic.exact(a), first)
    assert within(arithmetic, error, exact(a) @ fractions(arithmetic, first), second)
    np.testing.assert_allclose(arithmetic.floats(second), a @ b @ c, rtol=1e-9)
    size = np.abs(a @ b @ c).max(axis=0)
    assert np.all(error < 100 * np.linalg.norm(a) * np.linalg.norm(b @ c) + 100 * size)


def test_scale_and_take(arithmetic, rng):
    a = rng.standard_normal((4, 4))
    matrix = arithmetic.exact(a)
    scaled = arithmetic.scale(matrix, np.array([0, 5, -3, 2000]))
    expected = exact(a) * np.array([Fraction(2) ** e for e in (0, 5, -3, 2000)])
    assert np.all(fractions(arithmetic, scaled) == expected)
    order = np.array([2, 0, 3, 1])
    np.testing.assert_array_equal(arithmetic.floats(arithmetic.take(matrix, order)), a[:, order])


@pytest.mark.parametrize("slope", [-400, -3, 2])
def test_grade(arithmetic, rng, slope):
    a = np.triu(rng.standard_normal((4, 4)))
    rows = slope * np.arange(4)
    graded, error = arithmetic.grade(arithmetic.exact(a), -rows, rows)
    power = np.array([[Fraction(2) ** int(c - r) for c in rows] for r in rows])
    assert within(arithmetic, error, exact(a) * power, graded)


def test_gram_residual_and_norm(arithmetic, rng):
    a = np.linalg.qr(rng.standard_normal((5, 3)))[0]
    gram, error = arithmetic.gram(arithmetic.exact(a))
    true = exact(a).T @ exact(a) - exact(np.eye(3))
    distance = np.linalg.norm((true - exact(gram)).astype(float))
    assert distance <= error < 1e-13
    r = np.triu(rng.standard_normal((4, 4))) + 3 * np.eye(4)
    inverse = arithmetic.triangular_inverse(arithmetic.exact(r))
    assert np.all(np.tril(arithmetic.floats(inverse), -1) == 0)
    bound = arithmetic.residual(arithmetic.exact(r), inverse)
    true = exact(r) @ fractions(arithmetic, inverse) - exact(np.eye(4))
    assert np.linalg.norm(true.astype(float)) <= bound < 1e-13
    assert np.log2(np.linalg.norm(a)) <= arithmetic.log2_norm(arithmetic.exact(a)) < 4


def test_singular_triangle_has_a_large_residual(arithmetic):
    a = arithmetic.exact(np.array([[1.0, 1.0], [0.0, 0.0]]))
    assert not arithmetic.residual(arithmetic.triangular_inverse(a), a) < 0.5


def test_numbers_and_back(arithmetic, rng):
    a = rng.standard_normal((4, 3)) * 10.0 ** rng.integers(-20, 20, (4, 3))
    columns = [
        [x / arithmetic.number(3.0) for x in c] for c in arithmetic.numbers(arithmetic.exact(a))
    ]
    matrix, error = arithmetic.matrix(columns)
    assert within(arithmetic, error, exact(a) / 3, matrix)
    assert fraction(arithmetic.power(-3000)) == Fraction(1, 2**3000)
    big = arithmetic.power(40000)
    assert arithmetic.log10(big) == pytest.approx(40000 * np.log10(2), rel=1e-15)
    assert float(arithmetic.sqrt(arithmetic.number(2.0))) == pytest.approx(np.sqrt(2), rel=1e-15)


def test_rank(arithmetic):
    assert arithmetic.rank([[0, 2, 4], [0, 1, 2], [3, 0, 1]]) == 2
    assert arithmetic.rank([[0, 0], [0, 0]]) == 0
    assert arithmetic.rank([[10**40, 1], [10**40 + 1, 1], [5, 5]]) == 2


def test_global_precision_is_put_back():
    before = flint.ctx.prec, mpmath.mp.prec
    for name in ("flint", "mpmath"):
        with pytest.raises(RuntimeError), make_arithmetic(name, 999):
            raise RuntimeError
    assert (flint.ctx.prec, mpmath.mp.prec) == before
