"""The factorisation of tangent bases, whichever method it takes, against what a QR must be."""

import numpy as np
import pytest

from lyapnet.tangent import cholesky_qr
from lyapnet.tangent.cholesky_qr import Habit
from lyapnet.tangent.qr import orthonormalise

EPS = np.finfo(float).eps


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def graded(n, k, least, rng):
    """Return vectors of very different lengths; without these, their condition is 1 / least."""
    left = np.linalg.qr(rng.standard_normal((k, k)))[0] * np.geomspace(1.0, least, k)
    right = np.linalg.qr(rng.standard_normal((n, k)))[0]
    return np.ascontiguousarray(np.geomspace(1.0, 1e5, k)[:, None] * (left @ right.T))


def check(rows, q, factor, diagonal, length):
    """Hold a factorisation against its definition, each vector by its own length."""
    k = len(rows)
    lower = np.tril(factor)
    size = np.linalg.norm(rows, axis=1)
    # Rounding, over the sine at which a panel is not projected a second time.
    assert np.abs(q @ q.T - np.eye(k)).max() < 3e-11
    assert np.abs((lower @ q - rows) / size[:, None]).max() < 1e-14 * np.sqrt(k)
    np.testing.assert_allclose(length, size, rtol=1e-14)
    np.testing.assert_allclose(np.abs(lower.diagonal()), diagonal, rtol=1e-15)
    exact = np.abs(np.linalg.qr(rows.T, mode="r").diagonal())
    # The condition number of a triangular factor's diagonal is at most that of the matrix.
    condition = np.linalg.cond(rows / size[:, None])
    assert (np.abs(diagonal / exact - 1) <= 100 * EPS * condition).all()


@pytest.mark.parametrize("least", [1.0, 1e-1, 1e-3, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize(("n", "k"), [(20, 9), (64, 64), (80, 75), (120, 120), (300, 200)])
def test_factorises_whatever_the_angles(n, k, least, rng):
    rows = graded(n, k, least, rng)
    q, factor = rows.copy(), np.full((k, k), np.nan)
    check(rows, q, factor, *orthonormalise(q, factor))


@pytest.mark.parametrize("least", [0.3, 1e-3, 1e-4])
def test_panels_are_taken_and_need_no_householder(least, rng, monkeypatch):
    rows = graded(200, 200, least, rng)
    q, factor = rows.copy(), np.empty((200, 200))
    monkeypatch.delattr(cholesky_qr, "_householder")
    check(rows, q, factor, *orthonormalise(q, factor))


def test_panels_agree_with_householder(rng):
    rows = graded(150, 130, 1e-3, rng)
    one, two = rows.copy(), rows.copy()
    diagonal, _ = orthonormalise(one)
    length = np.linalg.norm(rows, axis=1)
    np.testing.assert_allclose(diagonal, cholesky_qr._by_householder(two, None, length), rtol=1e-11)
    signs = np.sign(np.einsum("ij,ij->i", one, two))
    np.testing.assert_allclose(one, signs[:, None] * two, atol=1e-11)


@pytest.mark.parametrize("where", [3, 60, 119])
@pytest.mark.parametrize("what", ["zero", "copy"])
def test_a_dependent_vector_leaves_an_orthonormal_basis(where, what, rng):
    rows = rng.standard_normal((120, 120))
    rows[where] = 0.0 if what == "zero" else rows[where - 1] + rows[where - 2]
    q, factor = rows.copy(), np.empty((120, 120))
    diagonal, length = orthonormalise(q, factor)
    assert diagonal[where] <= 1e3 * EPS * max(length[where], 1e-300)
    assert np.abs(q @ q.T - np.eye(120)).max() < 1e-11
    assert np.abs(np.tril(factor) @ q - rows).max() < 1e-12


@pytest.mark.parametrize(("n", "k"), [(80, 80), (300, 200)])
def test_a_copy_of_an_axis_leaves_nothing_at_all(n, k):
    rows = np.eye(k, n)
    rows[60] = rows[3]
    rows[k - 1] = rows[7]
    q, factor = rows.copy(), np.empty((k, k))
    diagonal, _ = orthonormalise(q, factor)
    assert (diagonal[[60, k - 1]] <= 1e-14).all()
    assert np.abs(q @ q.T - np.eye(k)).max() < 1e-11
    assert np.abs(np.tril(factor) @ q - rows).max() < 1e-12


@pytest.mark.parametrize(("n", "k"), [(64, 60), (80, 75), (200, 200)])
@pytest.mark.parametrize("least", [1e-1, 1e-3, 1e-6])
def test_a_condition_far_worse_than_the_sines_tell(n, k, least, rng):
    # The inverse of a random triangle grows exponentially with its size.
    mix = np.triu(rng.standard_normal((k, k)), 1) / np.sqrt(k)
    mix[range(k), range(k)] = np.geomspace(1.0, least, k)
    rows = np.ascontiguousarray(mix.T @ np.linalg.qr(rng.standard_normal((n, k)))[0].T)
    q, factor = rows.copy(), np.empty((k, k))
    orthonormalise(q, factor)
    assert np.abs(q @ q.T - np.eye(k)).max() < 1e-11
    assert np.abs(np.tril(factor) @ q - rows).max() < 1e-13


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_lengths_out_of_the_range_of_squares(scale, rng):
    rows = rng.standard_normal((80, 80))
    expected, _ = orthonormalise(rows.copy())
    with np.errstate(over="ignore"):  # as the loop has it
        diagonal, length = orthonormalise(rows * scale)
    np.testing.assert_allclose(diagonal / scale, expected, rtol=1e-11)
    if scale > 1:
        np.testing.assert_allclose(length / scale, np.linalg.norm(rows, axis=1), rtol=1e-13)


def test_vectors_that_are_not_finite_are_not_taken_for_a_basis(rng):
    rows = rng.standard_normal((80, 80))
    rows[70, 3] = np.inf
    diagonal, _ = orthonormalise(rows)
    assert not np.isfinite(diagonal).all()


def test_a_habit_waits_longer_after_each_failure():
    habit = Habit()
    tried = []
    for _ in range(40):
        tried.append(habit.ready())
        if tried[-1]:
            habit.learn(False)
    assert np.diff(np.flatnonzero(tried)).tolist() == [3, 5, 9, 17]
    habit.learn(True)
    assert habit.ready()
    assert habit.ready()


def test_long_products_in_panels_have_the_exponents_of_householder(rng, monkeypatch):
    # Errors of one factorisation must be caught by the next, and never add up.
    steps = rng.standard_normal((60, 100, 100)) / 10

    def growth():
        rows, total = np.eye(100), np.zeros(100)
        for D in steps:
            rows = np.ascontiguousarray(rows @ D.T)
            total += np.log(orthonormalise(rows)[0])
        return total

    panels = growth()
    monkeypatch.setattr(cholesky_qr, "_CHOLESKY_PAYS", np.inf)
    np.testing.assert_allclose(panels, growth(), atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n", "k"), [(32, 16), (80, 75)])
@pytest.mark.parametrize("least", [1e-2, 1e-4, 1e-7, 1e-12])
def test_one_pass_is_taken_down_to_its_sine_and_loses_nothing_of_the_product(n, k, least, seed):
    rows = graded(n, k, least, np.random.default_rng(seed))
    size = np.linalg.norm(rows, axis=1)
    q, factor = rows.copy(), np.empty((k, k))
    diagonal, length = orthonormalise(q, factor, least=1e-6)
    # Householder's factors are the truth to rounding over the sine.
    sine = np.abs(np.linalg.qr(rows.T, mode="r").diagonal()) / size
    error = np.abs(q @ q.T - np.eye(k)).max()
    if sine.min() < 1e-7:
        assert error < 3e-11
    else:
        # A pass of Cholesky's method leaves rounding times the square of the condition of the unit
        # vectors (at most 0.33 of it in 300 draws with five sets of BLAS kernels). The least sine
        # is the inverse of the condition only to a factor, of 3000 in the square.
        assert error < EPS * np.linalg.cond(rows / size[:, None]) ** 2
    assert np.abs((np.tril(factor) @ q - rows) / size[:, None]).max() < 1e-14 * np.sqrt(k)
    np.testing.assert_allclose(length, size, rtol=1e-13)
    # What is missing in this factor is in the next one.
    more = np.empty((k, k))
    rest = orthonormalise(q, more)[0]
    np.testing.assert_allclose(diagonal * rest, sine * size, rtol=1e3 * EPS / sine.min())
    assert np.abs(q @ q.T - np.eye(k)).max() < 3e-11


@pytest.mark.parametrize("where", [0, 2, 5, slice(None)])
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200, 1e-200, 0.0])
def test_one_pass_leaves_what_it_cannot_square_to_the_others(bad, where):
    rows = np.random.default_rng(0).standard_normal((6, 9))
    scale = np.ones((6, 1))
    scale[where] = bad
    rows *= scale
    found, expected = rows.copy(), rows.copy()
    factors = np.zeros((2, 6, 6))
    with np.errstate(all="ignore"):
        one = orthonormalise(found, factors[0], least=1e-6)
        other = orthonormalise(expected, factors[1])
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(*np.tril(factors))
    if np.isfinite(bad):
        size = np.linalg.norm(rows / np.where(scale, scale, 1.0), axis=1)
        np.testing.assert_allclose(one[1], size * scale[:, 0], rtol=1e-13)
