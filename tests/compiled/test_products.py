"""Products, triangles and inverses by tiles, against sums in extended precision."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("numba")

from called import from_python

from lyapnet.compiled import blas, products, qr, triangles
from lyapnet.compiled.products import in_panels, outer
from lyapnet.compiled.tiles import MOST, tiles

by_panels, product, subtract = map(
    from_python, (products.by_panels, products.product, products.subtract)
)
divide, overlaps, triangle = map(
    from_python, (triangles.divide, triangles.overlaps, triangles.triangle)
)
orthonormalise, with_factor = map(from_python, (qr.orthonormalise, qr.with_factor))
EPS = np.finfo(float).eps
SIZES = [(1, 1, 1), (1, 5, 3), (3, 2, 8), (4, 7, 9), (16, 34, 32), (5, 80, 80), (7, 33, 101)]

#: Lanes for which tiles are compiled: this processor's, and fewer; 0 stands for BLAS.
WAYS = [0, *(lanes for lanes in MOST if tiles() is not None and lanes <= tiles().lanes)]


@pytest.fixture(params=WAYS)
def addresses(request, monkeypatch):
    if request.param == 0:
        return blas._addresses(False)
    monkeypatch.setattr(blas, "tiles", lambda: tiles(request.param))
    found = blas._addresses.__wrapped__(True)
    assert found[blas.LANES] == request.param
    return found


def in_wider(x):
    """Return the same array with rows further apart, and NaN between them."""
    wider = np.full((x.shape[0], x.shape[1] + 3), np.nan)
    wider[:, 1:-2] = x
    return wider[:, 1:-2]


def exact(x, W):
    """Return a product, and what rounding may make of it."""
    a, b = x.astype(np.longdouble), W.astype(np.longdouble)
    return (a @ b).astype(float), (x.shape[1] + 2) * EPS * (np.abs(x) @ np.abs(W))


@pytest.mark.parametrize("add", [False, True])
@pytest.mark.parametrize(("m", "q", "p"), SIZES)
def test_products(addresses, m, q, p, add):
    rng = np.random.default_rng(m)
    x, W, start = (in_wider(rng.standard_normal(s)) for s in ((m, q), (q, p), (m, p)))
    value, error = exact(x, W)
    for multiply, right in ((product, W), (by_panels, in_panels(addresses, W, False))):
        out = in_wider(start.copy())
        multiply(addresses, x, right, out, add)
        assert (np.abs(out - value - (start if add else 0)) <= error + EPS * np.abs(start)).all()
        assert np.isnan(out.base[:, [0, -2, -1]]).all()  # nothing beside it is touched
    turned = in_panels(addresses, np.ascontiguousarray(W.T), True)
    assert_array_equal(turned, in_panels(addresses, W, False))
    out = start.copy()
    subtract(addresses, x, W, out)
    assert (np.abs(start - out - value) <= error + 2 * EPS * np.abs(start)).all()


def test_products_are_compiled_once(addresses):
    """Whatever the layout of the arrays, and with which constants they are called."""
    x, wide = np.eye(9), in_wider(np.eye(9))
    for left in (x, wide):
        for right in (x, wide):
            out = np.zeros((9, 9))
            product(addresses, left, right, out, True)
            outer(addresses, left, right, out, True)
            by_panels(addresses, left, in_panels(addresses, right, False), out, False)
            subtract(addresses, left, right, out)
            assert_array_equal(out, 0.0)
    for function in (products._product, products._by_tiles, products._multiply):
        assert len(function.signatures) <= 1  # none where all comes from the disk


@pytest.mark.parametrize("rows", [1, 63, 64, 200])
def test_outer_products(addresses, rows):
    rng = np.random.default_rng(rows)
    left, right = (in_wider(rng.standard_normal((rows, n))) for n in (7, 21))
    value, error = exact(left.T.copy(), right)
    out = np.ones((7, 21))
    outer(addresses, left, right, out, True)
    assert (np.abs(out - 1.0 - value) <= error + EPS).all()
    outer(addresses, left, right, out, False)
    assert (np.abs(out - value) <= error).all()


@pytest.mark.parametrize(
    ("k", "n"), [(1, 3), (3, 3), (4, 4), (5, 9), (22, 40), (50, 50), (37, 130)]
)
def test_triangles(addresses, k, n):
    rng = np.random.default_rng(k)
    A, B = rng.standard_normal((2, k, n))
    found = np.empty((k, k))
    overlaps(addresses, A, B, False, found)
    value, error = exact(A, B.T.copy())
    assert (np.abs(found - value) <= error).all()
    overlaps(addresses, A, A, True, found)
    value, error = exact(A, A.T.copy())
    assert (np.abs(found - value) <= error)[np.triu_indices(k)].all()
    A += 3 * np.eye(k, n)
    overlaps(addresses, A, A, True, found)
    assert triangle(addresses, found)
    L = np.triu(found).T
    assert_allclose(L @ L.T, A @ A.T, rtol=0, atol=4 * k * EPS * (A * A).sum(axis=1).max())
    for back in (False, True):
        rows = B.copy()
        divide(addresses, rows, found, back)
        residual = (L.T if back else L) @ rows - B
        assert (np.abs(residual) <= 4 * k * EPS * (np.abs(L.T if back else L) @ np.abs(rows))).all()


@pytest.mark.parametrize("k", [3, 6, 30])
def test_what_has_no_triangle(addresses, k):
    gram = np.eye(k)
    gram[k - 1, k - 1] = -1.0
    assert not triangle(addresses, gram)
    rows, size = np.full((k, 40), np.nan), np.empty((2, k))
    assert not orthonormalise(addresses, rows, np.empty(qr.room(k, 40)), *size, 0, 1e-11)


def test_a_basis_is_factorised(addresses):
    A = np.random.default_rng(0).standard_normal((20, 33))
    rows, diagonal, length = A.copy(), np.empty(20), np.empty(20)
    assert orthonormalise(addresses, rows, np.empty(qr.room(20, 33)), diagonal, length, 0, 1e-11)
    assert_allclose(rows @ rows.T, np.eye(20), atol=1e-13)
    R = np.linalg.qr(A.T)[1]
    assert_allclose(diagonal, np.abs(np.diagonal(R)), rtol=1e-12)


@pytest.mark.parametrize("close", [1.0, 1e-4], ids=["one pass", "two passes"])
def test_a_basis_is_factorised_with_its_triangle(addresses, close):
    k, n = 21, 33
    A = np.random.default_rng(1).standard_normal((k, n))
    A[-1] = A[0] + close * A[-1]
    rows, factor, length = A.copy(), np.empty((k, k)), np.empty(k)
    assert with_factor(addresses, rows, factor, np.empty(qr.room(k, n)), length, 1e-6, 1e-11)
    assert_allclose(rows @ rows.T, np.eye(k), atol=1e-13)
    assert_allclose(np.triu(factor).T @ rows, A, atol=1e-13)
    before = A.copy()
    assert not with_factor(addresses, A, factor, np.empty(qr.room(k, n)), length, 0.9, 1e-11)
    assert_array_equal(A, before)


def test_large_products_are_shared_where_the_caller_allows_it(monkeypatch):
    monkeypatch.setattr(blas, "blas_limit", lambda: 4)
    assert blas.addresses(1e9)[blas.LANES] == 0
    assert (blas.addresses(1e6)[blas.LANES] > 0) == (tiles() is not None)
    monkeypatch.setattr(blas, "blas_limit", lambda: 1)
    assert (blas.addresses(1e9)[blas.LANES] > 0) == (tiles() is not None)
