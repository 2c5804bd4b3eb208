"""Products inside of compiled loops, of matrices whose rows may lie apart in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..numerics.buffers import LINE
from .blas import (
    DGEMM,
    DGEMV,
    EACH,
    LANES,
    MINUS,
    ONE,
    PLAIN,
    PRODUCTS,
    SOLUTIONS,
    TRANS,
    WIDEST,
    ZERO,
    call,
)
from .jit import jit
from .tiles import ROWS

#: Tiles are better than BLAS up to so many numbers of the right side where that is not in panels,
#: as it passes from a large cache, ...
_DIRECT = 2**18

#: ... and up to so many numbers of the result, where both sides are long, ...
_OUTER = 2**16

#: ... of which so many rows at a time stay in a small cache.
_LENGTH = 64


@jit
def in_panels(blas: Any, W: Any) -> Any:
    """Return a copy ``(panels, q, columns)`` of weights ``(q, p)``, for `by_panels`.

    It begins where a line of the cache does. Where BLAS multiplies it is one panel.
    """
    depth, columns = W.shape
    parts, _, width = panels_of(blas, depth, columns)
    room = np.empty(parts * depth * width + LINE)
    skip = -(room.ctypes.data // 8) % LINE
    panels = room[skip : skip + parts * depth * width].reshape(parts, depth, width)
    for part in range(parts):
        for first in range(0, width, LINE):  # line by line, whichever way the weights lie
            for d in range(depth):
                for j in range(first, min(first + LINE, width)):
                    at = part * width + j
                    panels[part, d, j] = W[d, at] if at < columns else 0.0
    return panels


@jit
def panels_of(blas: Any, depth: int, columns: int) -> tuple[int, int, int]:
    """Return the shape of what `in_panels` returns."""
    if not blas[LANES]:
        return 1, depth, columns
    lanes = -(-columns // blas[LANES])
    parts = -(-lanes // blas[WIDEST])
    return parts, depth, -(-lanes // parts) * blas[LANES]


@jit
def by_panels(blas: Any, x: Any, panels: Any, out: Any, add: bool) -> None:
    """Write the product of ``x (m, q)`` and weights in panels, or add it to what is there."""
    if blas[LANES]:
        apart, next_row = panels.strides[0] // 8, panels.strides[1] // 8
        _by_tiles(blas, x, False, panels.ctypes.data, apart, next_row, out, add)
    else:
        _multiply(blas, PLAIN, x.shape[0], x.shape[1], x, panels[0], out, add)


@jit
def product(blas: Any, x: Any, W: Any, out: Any, add: bool) -> None:
    """Write the product of ``x (m, q)`` and ``W (q, p)``, or add it to what is there."""
    if blas[LANES] and W.size <= _DIRECT:
        width = panels_of(blas, W.shape[0], W.shape[1])[2]
        _by_tiles(blas, x, False, W.ctypes.data, width, W.strides[0] // 8, out, add)
    else:
        _multiply(blas, PLAIN, x.shape[0], x.shape[1], x, W, out, add)


@jit
def subtract(blas: Any, x: Any, W: Any, out: Any) -> None:
    """Take the product of ``x (m, q)`` and ``W (q, p)`` from what is there."""
    if blas[LANES] and W.size <= _DIRECT:
        width = panels_of(blas, W.shape[0], W.shape[1])[2]
        _by_tiles(blas, x, False, W.ctypes.data, width, W.strides[0] // 8, out, False, SOLUTIONS)
    else:
        _multiply(blas, PLAIN, x.shape[0], x.shape[1], x, W, out, True, MINUS)


@jit
def outer(blas: Any, left: Any, right: Any, out: Any, add: bool = False) -> None:
    """Write the sum of the outer products of rows ``(m, p)`` and ``(m, q)``, or add it.

    Rows may have more numbers than are asked for.
    """
    if not blas[LANES] or out.size > _OUTER:
        _multiply(blas, TRANS, out.shape[0], len(left), left, right, out, add)
        return
    for first in range(0, len(left), _LENGTH):
        a, b = left[first : first + _LENGTH], right[first : first + _LENGTH]
        width = panels_of(blas, 1, out.shape[1])[2]
        _by_tiles(blas, a, True, b.ctypes.data, width, b.strides[0] // 8, out, add or first > 0)


@jit
def _by_tiles(
    blas: Any, left: Any, turned: bool, panels: int, apart: int, next_row: int, out: Any,
    add: bool, table: int = PRODUCTS,
) -> None:  # fmt: skip
    """Multiply panel by panel, which are so many numbers apart, and tile by tile."""
    lanes, (rows, columns) = blas[LANES], out.shape
    width = panels_of(blas, 1, columns)[2]
    next_left, next_depth = left.strides[0] // 8, left.strides[1] // 8
    depth = left.shape[1]
    if turned:
        next_left, next_depth, depth = next_depth, next_left, left.shape[0]
    adds = 1 if add else 0
    for first in range(0, columns, width):
        many = min(columns - first, width)
        wide = -(-many // lanes)
        last = many - (wide - 1) * lanes
        right = panels + 8 * apart * (first // width)
        row = 0
        for kind in range(len(ROWS)):
            tile = blas[table + kind * EACH + wide - 1]
            while rows - row >= ROWS[kind]:
                call(
                    tile,
                    (left.ctypes.data + 8 * row * next_left, next_left, next_depth, right,
                     next_row, out.ctypes.data + 8 * first + row * out.strides[0],
                     out.strides[0] // 8, depth, last, adds),
                )  # fmt: skip
                row += ROWS[kind]


@jit
def _multiply(
    blas: Any, turned: int, rows: int, depth: int, left: Any, right: Any, out: Any, add: bool,
    sign: int = ONE,
) -> None:  # fmt: skip
    """Multiply by BLAS, the left side as it is or turned; `depth` is what is summed over."""
    sizes = np.empty(7, dtype=np.int32)
    sizes[0], sizes[1], sizes[2] = out.shape[1], rows, depth
    sizes[3], sizes[4], sizes[5] = right.strides[0] // 8, left.strides[0] // 8, out.strides[0] // 8
    sizes[6] = 1
    at = sizes.ctypes.data
    beta = blas[ONE] if add else blas[ZERO]
    a, b, c = left.ctypes.data, right.ctypes.data, out.ctypes.data
    if rows == 1 and turned == PLAIN:
        how = blas[PLAIN], at, at + 8, blas[sign], b, at + 12
        call(blas[DGEMV], (*how, a, at + 24, beta, c, at + 24))
    else:
        how = blas[PLAIN], blas[turned], at, at + 4, at + 8, blas[sign]
        call(blas[DGEMM], (*how, b, at + 12, a, at + 16, beta, c, at + 20))
    sizes[0] = 0  # after the call: the sizes must live as long


@jit
def copy(a: Any, out: Any) -> None:
    """Copy an array of one axis: numba takes seconds to compile the message of ``out[:] = a``."""
    for i in range(len(out)):
        out[i] = a[i]


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
