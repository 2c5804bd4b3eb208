"""QR of one tangent basis inside of compiled loops; `tangent.qr` says what it has to do.

Whole vectors are combined, :math:`Q = A R^{-1}`, as there: what is zero in all vectors stays zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, types

from .blas import (
    COUNT,
    DGEMM,
    DGEQRF,
    DPOTRF,
    DSYRK,
    DTRSM,
    MINUS,
    ONE,
    PLAIN,
    RIGHT,
    TRANS,
    UPPER,
    ZERO,
    call,
)
from .jit import callback, jit
from .limits import EPS, LONG, ONCE_WITHIN, ORTHONORMAL, SHORT, TWICE


def room(k: int, n: int) -> int:
    """Return the numbers that `orthonormalise` needs as scratch."""
    return k * n + k * k + 66 * k + n


@jit
def _solve(blas: Any, rows: Any, triangle: Any, width: int, sizes: Any) -> None:
    """Multiply the matrix whose columns are `rows` by the inverse of an upper triangle."""
    k, n = rows.shape
    sizes[0], sizes[1], sizes[2] = n, k, width
    how = blas[RIGHT], blas[UPPER], blas[PLAIN], blas[PLAIN]
    N, K, W = sizes[:1].ctypes.data, sizes[1:].ctypes.data, sizes[2:].ctypes.data
    call(blas[DTRSM], (*how, N, K, blas[ONE], triangle, W, rows.ctypes.data, N))


@jit
def cholesky(blas: Any, rows: Any, gram: Any, length: Any, least: float, sizes: Any) -> bool:
    """Factorise once in place, R^T in the lower triangle of `gram`; say whether it went well.

    The rows are left alone where it did not.
    """
    k, n = rows.shape
    sizes[0], sizes[1], sizes[2] = n, k, 0
    N, K, info = sizes[:1].ctypes.data, sizes[1:].ctypes.data, sizes[2:].ctypes.data
    a, g = rows.ctypes.data, gram.ctypes.data
    call(blas[DSYRK], (blas[UPPER], blas[TRANS], K, N, blas[ONE], a, N, blas[ZERO], g, K))
    for i in range(k):
        length[i] = np.sqrt(gram[i, i])
    call(blas[DPOTRF], (blas[UPPER], K, g, K, info))
    if sizes[2] != 0:
        return False
    for i in range(k):
        if not (gram[i, i] >= least * length[i] + SHORT and length[i] < LONG):
            return False
    _solve(blas, rows, g, k, sizes)
    return True


@jit
def _by_householder(blas: Any, rows: Any, diagonal: Any, scratch: Any, sizes: Any) -> None:
    """Multiply by the inverse of Householder's triangle."""
    k, n = rows.shape
    copy = scratch[: k * n].reshape(k, n)
    for i in range(k):  # numba takes seconds to compile the message of `copy[...] = rows`
        for j in range(n):
            copy[i, j] = rows[i, j]
    work = scratch[k * n :]
    sizes[0], sizes[1], sizes[2] = n, k, 64 * k
    N, K, size = sizes[:1].ctypes.data, sizes[1:].ctypes.data, sizes[2:].ctypes.data
    info = sizes[3:].ctypes.data
    a = copy.ctypes.data
    call(blas[DGEQRF], (N, K, a, N, work.ctypes.data, work[k:].ctypes.data, size, info))
    for i in range(k):
        diagonal[i] = abs(copy[i, i])
    _solve(blas, rows, a, n, sizes)


@jit
def _is_orthonormal(rows: Any, scratch: Any, error: float) -> bool:
    """Say whether Q is orthonormal, as far as the sum of its columns tells."""
    k, n = rows.shape
    total = scratch[:n]
    total[:] = 0.0
    for i in range(k):
        for j in range(n):
            total[j] += rows[i, j]
    for i in range(k):
        overlap = 0.0
        for j in range(n):
            overlap += total[j] * rows[i, j]
        if not abs(overlap - 1.0) <= error:
            return False
    return True


@jit
def orthonormalise(
    blas: Any, rows: Any, scratch: Any, diagonal: Any, length: Any, least: float, error: float
) -> bool:
    """Factorise in place; say whether all sines are at least `least`, and no vector is gone."""
    k, n = rows.shape
    gram, more = scratch[: k * k].reshape(k, k), scratch[k * k : k * k + k]
    rest = scratch[k * k + k :]
    sizes = np.empty(4, dtype=np.int32)
    once = cholesky(blas, rows, gram, length, TWICE, sizes)
    if once:
        for i in range(k):
            diagonal[i] = gram[i, i]
            once = once and diagonal[i] >= ONCE_WITHIN * length[i]
        once = once and _is_orthonormal(rows, rest, error)
    else:
        for i in range(k):
            if not (SHORT < length[i] < LONG):
                return False
        _by_householder(blas, rows, diagonal, rest, sizes)
        for i in range(k):
            if not diagonal[i] > n * EPS * length[i]:
                return False
    for i in range(k):
        if not diagonal[i] >= least * length[i]:
            return False
    if not once:
        if not cholesky(blas, rows, gram, more, 0.5, sizes):
            return False
        for i in range(k):
            diagonal[i] *= gram[i, i]
    return sizes[0] == n  # read after the last call: the sizes must live as long


@jit
def with_factor(
    blas: Any, rows: Any, factor: Any, scratch: Any, length: Any, least: float, error: float
) -> bool:
    """Factorise in place by Cholesky's method, once or twice, with R^T in the factor.

    The rows are left alone where it fails, or where a sine is below `least`.
    """
    k = len(rows)
    sizes = np.empty(4, dtype=np.int32)
    if not cholesky(blas, rows, factor, length, least, sizes):
        return False
    if _is_orthonormal(rows, scratch, error):
        return True
    more, unit = scratch[: k * k].reshape(k, k), scratch[k * k : k * k + k]
    cholesky(blas, rows, more, unit, 0.5, sizes)
    for i in range(k - 1, -1, -1):  # the lower triangle of R^T times that of the second pass
        for j in range(i + 1):
            total = 0.0
            for m in range(j, i + 1):
                total += factor[i, m] * more[m, j]
            factor[i, j] = total
    return True


@jit
def pull_back(
    blas: Any, q: Any, factor: Any, q_bar: Any, bar: Any, next_bar: Any, clear: bool, scratch: Any
) -> None:
    """Pull cotangents of Q back to those of A, in place; see `tangent.qr.pull_back_qr`."""
    k, n = q.shape
    sizes = np.array([n, k], dtype=np.int32)
    N, K = sizes[:1].ctypes.data, sizes[1:].ctypes.data
    a, b = q.ctypes.data, q_bar.ctypes.data
    if clear:
        correction = scratch[: k * k].reshape(k, k)
        c = correction.ctypes.data
        how = blas[TRANS], blas[PLAIN], K, K, N, blas[ONE]
        call(blas[DGEMM], (*how, a, N, b, N, blas[ZERO], c, K))
        for i in range(k):
            correction[i, i] -= bar[i]
            for j in range(i + 1, k):
                correction[i, j] = 0.0
        how = blas[PLAIN], blas[PLAIN], N, K, K, blas[MINUS]
        call(blas[DGEMM], (*how, a, N, c, K, blas[ONE], b, N))
    else:
        for i in range(k):
            if bar[i] != next_bar[i]:
                for j in range(n):
                    q_bar[i, j] += (bar[i] - next_bar[i]) * q[i, j]
    solve = blas[RIGHT], blas[UPPER], blas[TRANS], blas[PLAIN]
    call(blas[DTRSM], (*solve, N, K, blas[ONE], factor.ctypes.data, K, b, N))
    sizes[0] = 0


_POINTER = types.CPointer(types.float64)


@callback(  # type: ignore[untyped-decorator]
    types.int64(
        types.CPointer(types.int64), _POINTER, types.int64, types.int64, _POINTER, _POINTER,
        _POINTER, types.float64,
    )
)  # fmt: skip
def factorise(
    blas: Any, rows: Any, k: int, n: int, scratch: Any, diagonal: Any, length: Any, least: float
) -> int:
    """Factorise for a loop that is not numba's."""
    good = orthonormalise(
        carray(blas, COUNT), carray(rows, (k, n)), carray(scratch, k * n + k * k + 66 * k + n),
        carray(diagonal, k), carray(length, k), least, ORTHONORMAL,
    )  # fmt: skip
    return 1 if good else 0
