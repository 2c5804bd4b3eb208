"""Products inside of compiled loops, of matrices whose rows may lie apart in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from .blas import DGEMM, ONE, PLAIN, TRANS, ZERO, call
from .jit import jit


@jit
def _multiply(
    blas: Any, turned: int, rows: int, depth: int, left: Any, right: Any, out: Any, add: bool
) -> None:
    """Multiply by BLAS, the left side as it is or turned; `depth` is what is summed over."""
    sizes = np.empty(6, dtype=np.int32)
    sizes[0], sizes[1], sizes[2] = right.shape[1], rows, depth
    sizes[3], sizes[4], sizes[5] = right.strides[0] // 8, left.strides[0] // 8, out.strides[0] // 8
    at = sizes.ctypes.data
    how = blas[PLAIN], blas[turned], at, at + 4, at + 8, blas[ONE], right.ctypes.data, at + 12
    beta = blas[ONE] if add else blas[ZERO]
    call(blas[DGEMM], (*how, left.ctypes.data, at + 16, beta, out.ctypes.data, at + 20))
    sizes[0] = 0  # after the call: the sizes must live as long


@jit
def product(blas: Any, x: Any, W: Any, out: Any, add: bool) -> None:
    """Write the product of ``x (m, q)`` and ``W (q, p)``, or add it to what is there."""
    _multiply(blas, PLAIN, x.shape[0], x.shape[1], x, W, out, add)


@jit
def outer(blas: Any, left: Any, right: Any, out: Any, add: bool = False) -> None:
    """Write the sum of the outer products of rows ``(m, p)`` and ``(m, q)``, or add it."""
    _multiply(blas, TRANS, left.shape[1], left.shape[0], left, right, out, add)


@jit
def times(a: Any, b: Any, out: Any) -> None:
    """Multiply arrays of one axis."""
    for i in range(len(out)):
        out[i] = a[i] * b[i]


@jit
def scale(a: Any, out: Any) -> None:
    """Multiply an array of one axis in place."""
    for i in range(len(out)):
        out[i] *= a[i]


@jit
def add_times(a: Any, b: Any, out: Any) -> None:
    """Add the product of arrays of one axis."""
    for i in range(len(out)):
        out[i] += a[i] * b[i]


@jit
def scale_and_add(a: Any, b: Any, out: Any) -> None:
    """Multiply an array of one axis in place, and add another."""
    for i in range(len(out)):
        out[i] = out[i] * a[i] + b[i]
