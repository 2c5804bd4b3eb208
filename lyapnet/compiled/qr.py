"""QR of one tangent basis inside of compiled loops; `tangent.qr` says what it has to do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, cfunc, njit, types

from .blas import DPOTRF, DSYRK, DTRSM, ONE, PLAIN, RIGHT, TRANS, UPPER, ZERO, call

#: Cholesky's method, once, down to this sine; twice, and the method of Gram and Schmidt below.
_ONCE, _TWICE = 0.01, 1e-5

#: Lengths whose squares are in range.
SHORT, LONG = 1e-140, 1e140


@njit(cache=True, nogil=True, error_model="numpy", inline="never")
def cholesky(blas: Any, rows: Any, gram: Any, length: Any, least: float) -> bool:
    """Factorise once in place, R^T in the lower triangle of `gram`; say whether it went well.

    The rows are left alone where it did not.
    """
    k, n = rows.shape
    sizes = np.array([n, k, 0], dtype=np.int32)
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
    how = blas[RIGHT], blas[UPPER], blas[PLAIN], blas[PLAIN]
    call(blas[DTRSM], (*how, N, K, blas[ONE], g, K, a, N))
    return sizes[2] == 0  # read after the last call: the sizes must live as long


@njit(cache=True, nogil=True, error_model="numpy", inline="never")
def gram_schmidt(rows: Any, diagonal: Any, length: Any) -> bool:
    """Factorise by the modified method, each vector projected twice."""
    k, n = rows.shape
    good = True
    for j in range(k):
        total = 0.0
        for i in range(n):
            total += rows[j, i] * rows[j, i]
        length[j] = np.sqrt(total)
        for _ in range(2 if j else 0):
            for a in range(j):
                overlap = 0.0
                for i in range(n):
                    overlap += rows[a, i] * rows[j, i]
                for i in range(n):
                    rows[j, i] -= overlap * rows[a, i]
        total = 0.0
        for i in range(n):
            total += rows[j, i] * rows[j, i]
        diagonal[j] = np.sqrt(total)
        gone = not diagonal[j] > n * 2.2e-16 * length[j]
        good = good and not gone and length[j] > SHORT and length[j] < LONG
        if not good:
            return False
        scale = 1.0 / diagonal[j]
        for i in range(n):
            rows[j, i] *= scale
    return good


@njit(cache=True, nogil=True, error_model="numpy")
def orthonormalise(
    blas: Any, rows: Any, scratch: Any, diagonal: Any, length: Any, least: float
) -> bool:
    """Factorise in place; say whether all sines are above `least`, and no vector is gone."""
    k = len(rows)
    gram = scratch[: k * k].reshape(k, k)
    done = cholesky(blas, rows, gram, length, _TWICE)
    if done:
        once = True
        for i in range(k):
            diagonal[i] = gram[i, i]
            once = once and diagonal[i] >= _ONCE * length[i]
        if not once:
            more = scratch[k * k : k * k + k]
            done = cholesky(blas, rows, gram, more, 0.5)
            for i in range(k):
                diagonal[i] *= gram[i, i]
    else:
        done = gram_schmidt(rows, diagonal, length)
    if done:
        for i in range(k):
            done = done and diagonal[i] >= least * length[i]
    return done


_POINTER = types.CPointer(types.float64)


@cfunc(
    types.int64(
        types.CPointer(types.int64), _POINTER, types.int64, types.int64, _POINTER, _POINTER,
        _POINTER, types.float64,
    ),
    cache=True, error_model="numpy",
)  # fmt: skip
def factorise(
    blas: Any, rows: Any, k: int, n: int, scratch: Any, diagonal: Any, length: Any, least: float
) -> int:
    """Factorise for a loop that is not numba's."""
    good = orthonormalise(
        carray(blas, 13), carray(rows, (k, n)), carray(scratch, k * k + k),
        carray(diagonal, k), carray(length, k), least,
    )  # fmt: skip
    return 1 if good else 0
