r"""Inner products of a basis, Cholesky's triangle, and its inverse times vectors.

Rows of an array are the vectors. Of a triangle :math:`R` with :math:`A^T A = R^T R` an array holds
:math:`R^T` below and on the diagonal. Small ones are worked on by tiles, see `tiles`, others by
LAPACK.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .blas import (
    DGEMM,
    DPOTRF,
    DSYRK,
    DTRSM,
    EACH,
    LANES,
    ONE,
    OVERLAPS,
    PLAIN,
    RIGHT,
    SOLUTIONS,
    TRANS,
    UPPER,
    ZERO,
    call,
)  # fmt: skip
from .jit import jit
from .products import panels_of
from .tiles import OVERLAP, ROWS

#: Inner products of vectors with more numbers than this, all in all, are left to BLAS.
_OVERLAPS = 2**17


@jit
def overlaps(blas: Any, left: Any, right: Any, half: bool, out: Any) -> None:
    """Write inner products of rows ``(k, n)``, of which only a half may be asked for.

    That is the one with the diagonal in which rows come before columns, or which lies opposite.
    """
    k, n = left.shape
    if not blas[LANES] or k < OVERLAP or left.size > _OVERLAPS:
        sizes = np.array([n, k], dtype=np.int32)
        N, K = sizes[:1].ctypes.data, sizes[1:].ctypes.data
        a, b, c = left.ctypes.data, right.ctypes.data, out.ctypes.data
        if half:
            call(blas[DSYRK], (blas[UPPER], blas[TRANS], K, N, blas[ONE], a, N, blas[ZERO], c, K))
            mirror(out)
        else:
            how = blas[TRANS], blas[PLAIN], K, K, N, blas[ONE]
            call(blas[DGEMM], (*how, b, N, a, N, blas[ZERO], c, K))
        sizes[0] = 0  # after the call: the sizes must live as long
        return
    a, b, c = left.ctypes.data, right.ctypes.data, out.ctypes.data
    for i in range(0, k, OVERLAP):
        row = min(i, k - OVERLAP)  # the last ones once more, where they do not fit
        for j in range(i if half else 0, k, OVERLAP):
            at = min(j, k - OVERLAP)
            call(
                blas[OVERLAPS],
                (a + 8 * row * n, b + 8 * at * n, n, n, c + 8 * (row * k + at), k),
            )  # fmt: skip


@jit
def mirror(square: Any) -> None:
    """Copy what lies below the diagonal to the other side."""
    for i in range(len(square)):
        for j in range(i):
            square[j, i] = square[i, j]


@jit
def triangle(blas: Any, gram: Any) -> bool:
    """Put R and R^T in place of inner products; say whether there is one."""
    k = len(gram)
    if not blas[LANES] or k < OVERLAP:
        sizes = np.array([k, 0], dtype=np.int32)
        K, info = sizes[:1].ctypes.data, sizes[1:].ctypes.data
        call(blas[DPOTRF], (blas[UPPER], K, gram.ctypes.data, K, info))
        good = sizes[1] == 0
    else:
        good = _by_rows(blas, gram)
    return good


@jit
def _by_rows(blas: Any, gram: Any) -> bool:
    """Put R in place of inner products, a few rows at a time, and R^T below them."""
    k, row = len(gram), 0
    for kind in range(len(ROWS)):
        rows = ROWS[kind]
        while k - row >= rows:
            _row_of_tiles(blas, gram, kind, row, 0, row, 0)
            for r in range(row, row + rows):
                for s in range(row, r):
                    gram[r, r] -= gram[s, r] * gram[s, r]
                if not gram[r, r] > 0.0:
                    return False
                gram[r, r] = np.sqrt(gram[r, r])
                for c in range(r + 1, row + rows):
                    for s in range(row, r):
                        gram[r, c] -= gram[s, r] * gram[s, c]
                    gram[r, c] /= gram[r, r]
            _row_of_tiles(blas, gram, kind, row, row, 0, 1)
            for r in range(row, row + rows):
                for c in range(r + 1, k):
                    gram[c, r] = gram[r, c]
            row += rows
    return True


@jit
def _row_of_tiles(
    blas: Any, gram: Any, kind: int, row: int, above: int, depth: int, solves: int
) -> None:
    """Take from a few rows what the rows above them have in common, or solve for them."""
    k = len(gram)
    start = row + ROWS[kind] if solves else row
    width = panels_of(blas, 1, max(1, k - start))[2]
    left = gram.ctypes.data + 8 * (above * k + row)
    for first in range(start, k, width):
        many = min(k - first, width)
        wide = -(-many // blas[LANES])
        call(
            blas[SOLUTIONS + kind * EACH + wide - 1],
            (left, 1, k, gram.ctypes.data + 8 * first, k, gram.ctypes.data + 8 * (row * k + first),
             k, depth, many - (wide - 1) * blas[LANES], solves),
        )  # fmt: skip


@jit
def divide(blas: Any, rows: Any, factor: Any, back: bool) -> None:
    """Multiply the matrix A whose columns are the rows by R^-1, or by its transpose, in place."""
    k, n = rows.shape
    if not blas[LANES]:
        sizes = np.array([n, k], dtype=np.int32)
        N, K = sizes[:1].ctypes.data, sizes[1:].ctypes.data
        how = blas[RIGHT], blas[UPPER], blas[TRANS] if back else blas[PLAIN], blas[PLAIN]
        call(blas[DTRSM], (*how, N, K, blas[ONE], factor.ctypes.data, K, rows.ctypes.data, N))
        sizes[0] = 0  # after the call: the sizes must live as long
        return
    # Backwards, from the last row to the first, the upper triangle is a lower one.
    sign, start = (-1, k - 1) if back else (1, 0)
    next_row, next_column = (-1, -k) if back else (k, 1)
    left, last_row = factor.ctypes.data + 8 * start * (k + 1), rows.ctypes.data + 8 * start * n
    width = panels_of(blas, 1, n)[2]
    for first in range(0, n, width):
        many, row = min(n - first, width), 0
        wide = -(-many // blas[LANES])
        for kind in range(len(ROWS)):
            while k - row >= ROWS[kind]:
                call(
                    blas[SOLUTIONS + kind * EACH + wide - 1],
                    (left + 8 * row * next_row, next_row, next_column, last_row + 8 * first,
                     sign * n, last_row + 8 * (first + row * sign * n), sign * n, row,
                     many - (wide - 1) * blas[LANES], 1),
                )  # fmt: skip
                row += ROWS[kind]
