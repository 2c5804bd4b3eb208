r"""Inner products of a basis, Cholesky's triangle, and its inverse times vectors.

Rows of an array are the vectors. A triangle :math:`R` with :math:`A^T A = R^T R` lies above and on
the diagonal of an array; where BLAS works on it, :math:`R^T` lies below. Small ones are worked on
by tiles, see `tiles`, others by LAPACK.
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
    seen,
    shown,
)  # fmt: skip
from .jit import jit
from .overlap import OVERLAP
from .products import panels_of
from .tiles import ROWS

#: Inner products of vectors with more numbers than this, all in all, are left to BLAS.
_OVERLAPS = 2**17


@jit
def overlaps(blas: Any, left: Any, right: Any, half: bool, out: Any) -> None:
    """Write inner products of rows ``(k, n)``, of which only a half may be asked for.

    That is the one with the diagonal in which rows come before columns, or which lies opposite.
    """
    k, n = left.shape
    if not blas[LANES] or k < OVERLAP or left.size > _OVERLAPS:
        N = shown((n, k))
        K = N + 4
        a, b, c = left.ctypes.data, right.ctypes.data, out.ctypes.data
        if half:
            call(blas[DSYRK], (blas[UPPER], blas[TRANS], K, N, blas[ONE], a, N, blas[ZERO], c, K))
            mirror(out)
        else:
            how = blas[TRANS], blas[PLAIN], K, K, N, blas[ONE]
            call(blas[DGEMM], (*how, b, N, a, N, blas[ZERO], c, K))
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
    """Put R in place of inner products; say whether there is one."""
    k = len(gram)
    if not blas[LANES] or k < OVERLAP:
        K = shown((k, 0))
        info = K + 4
        call(blas[DPOTRF], (blas[UPPER], K, gram.ctypes.data, K, info))
        good = seen(info) == 0
        mirror(gram)
    else:
        good = _by_rows(blas, gram)
    return good


@jit
def _by_rows(blas: Any, gram: Any) -> bool:
    """Put R in place of inner products, a few rows at a time."""
    k, row = len(gram), 0
    for kind in range(len(ROWS)):
        rows = ROWS[kind]
        while k - row >= rows:
            _row_of_tiles(blas, gram, kind, row, 0, row, 0)
            if not (_corner_of_four(gram, row) if rows == 4 else _corner(gram, row, rows)):
                return False
            _row_of_tiles(blas, gram, kind, row, row, 0, 1)
            row += rows
    return True


@jit
def _corner(gram: Any, row: int, rows: int) -> bool:
    """Factorise a few rows and columns on the diagonal; say whether that is possible."""
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
    return True


@jit
def _corner_of_four(gram: Any, i: int) -> bool:
    """Do the same for four rows, in registers."""
    p0 = gram[i, i]
    r0 = np.sqrt(p0)
    b01, b02, b03 = gram[i, i + 1] / r0, gram[i, i + 2] / r0, gram[i, i + 3] / r0
    p1 = gram[i + 1, i + 1] - b01 * b01
    r1 = np.sqrt(p1)
    b12, b13 = (gram[i + 1, i + 2] - b01 * b02) / r1, (gram[i + 1, i + 3] - b01 * b03) / r1
    p2 = gram[i + 2, i + 2] - b02 * b02 - b12 * b12
    r2 = np.sqrt(p2)
    b23 = (gram[i + 2, i + 3] - b02 * b03 - b12 * b13) / r2
    p3 = gram[i + 3, i + 3] - b03 * b03 - b13 * b13 - b23 * b23
    if not (p0 > 0.0 and p1 > 0.0 and p2 > 0.0 and p3 > 0.0):
        return False
    gram[i, i], gram[i, i + 1], gram[i, i + 2], gram[i, i + 3] = r0, b01, b02, b03
    gram[i + 1, i + 1], gram[i + 1, i + 2], gram[i + 1, i + 3] = r1, b12, b13
    gram[i + 2, i + 2], gram[i + 2, i + 3], gram[i + 3, i + 3] = r2, b23, np.sqrt(p3)
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
        N = shown((n, k))
        K = N + 4
        how = blas[RIGHT], blas[UPPER], blas[TRANS] if back else blas[PLAIN], blas[PLAIN]
        call(blas[DTRSM], (*how, N, K, blas[ONE], factor.ctypes.data, K, rows.ctypes.data, N))
        return
    # Backwards, from the last row to the first, the upper triangle is a lower one.
    sign, start = (-1, k - 1) if back else (1, 0)
    next_row, next_column = (-k, -1) if back else (1, k)
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
