"""QR of one tangent basis inside of compiled loops; `tangent.qr` says what it has to do.

Whole vectors are combined, :math:`Q = A R^{-1}`, as there: what is zero in all vectors stays zero.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import carray, types

from .blas import COUNT, DGEQRF, DTRSM, ONE, PLAIN, RIGHT, UPPER, call, shown
from .jit import callback, jit
from .limits import EPS, LONG, ONCE_WITHIN, ORTHONORMAL, SHORT, TWICE
from .products import copy, subtract
from .triangles import divide, overlaps, triangle


def room(k: int, n: int) -> int:
    """Return the numbers that `orthonormalise` needs as scratch."""
    return k * n + k * k + 66 * k + n


@jit
def cholesky(blas: Any, rows: Any, gram: Any, length: Any, least: float) -> bool:
    """Factorise once in place, R in the upper triangle of `gram`; say whether it went well.

    The rows are left alone where it did not.
    """
    overlaps(blas, rows, rows, True, gram)
    for i in range(len(rows)):
        length[i] = np.sqrt(gram[i, i])
    if not triangle(blas, gram):
        return False
    for i in range(len(rows)):
        if not (gram[i, i] >= least * length[i] + SHORT and length[i] < LONG):
            return False
    divide(blas, rows, gram, False)
    return True


@jit
def _by_householder(blas: Any, rows: Any, diagonal: Any, scratch: Any) -> None:
    """Multiply by the inverse of Householder's triangle."""
    k, n = rows.shape
    kept = scratch[: k * n].reshape(k, n)
    copy(rows.reshape(k * n), kept.reshape(k * n))
    work = scratch[k * n :]
    N = shown((n, k, 64 * k, 0))
    K, size, info = N + 4, N + 8, N + 12
    a = kept.ctypes.data
    call(blas[DGEQRF], (N, K, a, N, work.ctypes.data, work[k:].ctypes.data, size, info))
    for i in range(k):
        diagonal[i] = abs(kept[i, i])
    how = blas[RIGHT], blas[UPPER], blas[PLAIN], blas[PLAIN]
    call(blas[DTRSM], (*how, N, K, blas[ONE], a, N, rows.ctypes.data, N))


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
    once = cholesky(blas, rows, gram, length, TWICE)
    if once:
        for i in range(k):
            diagonal[i] = gram[i, i]
            once = once and diagonal[i] >= ONCE_WITHIN * length[i]
        once = once and _is_orthonormal(rows, rest, error)
    elif least > TWICE:
        return False
    else:
        for i in range(k):
            if not (SHORT < length[i] < LONG):
                return False
        _by_householder(blas, rows, diagonal, rest)
        for i in range(k):
            if not diagonal[i] > n * EPS * length[i]:
                return False
    for i in range(k):
        if not diagonal[i] >= least * length[i]:
            return False
    if not once:
        if not cholesky(blas, rows, gram, more, 0.5):
            return False
        for i in range(k):
            diagonal[i] *= gram[i, i]
    return True


@jit
def with_factor(
    blas: Any, rows: Any, factor: Any, scratch: Any, length: Any, least: float, error: float
) -> bool:
    """Factorise in place by Cholesky's method, once or twice, with R in the factor.

    The rows are left alone where it fails, or where a sine is below `least`.
    """
    k = len(rows)
    if not cholesky(blas, rows, factor, length, least):
        return False
    if _is_orthonormal(rows, scratch, error):
        return True
    more, unit = scratch[: k * k].reshape(k, k), scratch[k * k : k * k + k]
    cholesky(blas, rows, more, unit, 0.5)
    for i in range(k):  # R of the second pass times that of the first
        for j in range(i, k):
            total = 0.0
            for m in range(i, j + 1):
                total += more[i, m] * factor[m, j]
            factor[i, j] = total
            factor[j, i] = total
    return True


@jit
def pull_back(
    blas: Any, q: Any, factor: Any, q_bar: Any, bar: Any, next_bar: Any, clear: bool, scratch: Any
) -> None:
    """Pull cotangents of Q back to those of A, in place; see `tangent.qr.pull_back_qr`."""
    k, n = q.shape
    if clear:
        correction = scratch[: k * k].reshape(k, k)
        overlaps(blas, q_bar, q, False, correction)
        for i in range(k):
            correction[i, i] -= bar[i]
            for j in range(i + 1, k):
                correction[i, j] = 0.0
        subtract(blas, correction, q, q_bar)
    else:
        for i in range(k):
            if bar[i] != next_bar[i]:
                for j in range(n):
                    q_bar[i, j] += (bar[i] - next_bar[i]) * q[i, j]
    divide(blas, q_bar, factor, True)


def _factorise(
    blas: Any, rows: Any, k: int, n: int, scratch: Any, diagonal: Any, length: Any, least: float
) -> int:
    """Factorise for a loop that is not numba's."""
    good = orthonormalise(
        carray(blas, COUNT), carray(rows, (k, n)), carray(scratch, k * n + k * k + 66 * k + n),
        carray(diagonal, k), carray(length, k), least, ORTHONORMAL,
    )  # fmt: skip
    return 1 if good else 0


@cache
def factorisation() -> int:
    """Return the address of a function that factorises."""
    numbers = types.CPointer(types.float64)
    takes = types.CPointer(types.int64), numbers, types.int64, types.int64, *[numbers] * 3
    address: int = callback(types.int64(*takes, types.float64))(_factorise).address
    return address
