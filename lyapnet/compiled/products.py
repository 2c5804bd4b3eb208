"""Products inside of compiled loops, of matrices whose rows may lie apart in memory."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import carray

from ..numerics.arrays import Array
from ..numerics.buffers import LINE, empty
from .blas import (
    COUNT,
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
    shown,
)
from .jit import jit, loop
from .tiles import ROWS

#: Tiles are better than BLAS up to so many numbers of the right side where that is not in panels,
#: as it passes from a large cache, ...
_DIRECT = 2**18

#: ... or up to so many numbers of the left side where the right one has more columns than that: it
#: passes once for each panel, ...
_LEFT, _NARROW = 2**16, 32

#: ... and up to so many numbers of the result, where both sides are long, ...
_OUTER = 2**16

#: ... of which so many rows at a time stay in a small cache.
_LENGTH = 64

#: Rows, of members and steps, whose share in the gradient of weights is one product.
_ROWS = 128


def at_once(members: int) -> int:
    """Return the steps whose share in the gradient of weights is one product."""
    return max(1, _ROWS // members)


def in_panels(blas: Array, W: Array, turned: bool) -> Array:
    """Return a copy ``(panels, q, columns)`` of weights ``(q, p)``, for `by_panels`.

    They are given as they are, or turned. It begins where a line of the cache does. Where BLAS
    multiplies it is one panel.
    """
    depth, columns = W.shape[::-1] if turned else W.shape
    panels = empty(panels_of.py_func(blas, depth, columns))
    _cut(np.ascontiguousarray(W), turned, panels)
    return panels


@loop
def _cut(W: Any, turned: bool, panels: Any) -> None:
    """Write weights, or their transpose, into panels; what is over is zero."""
    parts, depth, width = panels.shape
    columns = W.shape[0] if turned else W.shape[1]
    for part in range(parts):
        for first in range(0, width, LINE):  # line by line, whichever way the weights lie
            for d in range(depth):
                for j in range(first, min(first + LINE, width)):
                    at = part * width + j
                    there = at < columns
                    panels[part, d, j] = (W[at, d] if turned else W[d, at]) if there else 0.0


@jit
def panels_of(blas: Any, depth: int, columns: int) -> tuple[int, int, int]:
    """Return the shape of what `in_panels` returns."""
    if not blas[LANES]:
        return 1, depth, columns
    lanes = -(-columns // blas[LANES])
    parts = -(-lanes // blas[WIDEST])
    return parts, depth, -(-lanes // parts) * blas[LANES]


class _Matrix(NamedTuple):
    """Where a matrix is: all that products know of it, so that they are compiled once."""

    #: With a sign: numba makes the sum of a number without and one with a sign a float.
    address: Any
    rows: int
    columns: int
    #: Numbers from one row, and from one column, to the next.
    next_row: int
    next_column: int


@jit
def _place(x: Any) -> Any:
    """Return where an array is."""
    next_row, next_column = x.strides[0] // 8, x.strides[1] // 8
    return _Matrix(np.int64(x.ctypes.data), x.shape[0], x.shape[1], next_row, next_column)


@jit
def _turned(x: Any) -> Any:
    """Return where the transpose is."""
    return _Matrix(x.address, x.columns, x.rows, x.next_column, x.next_row)


@jit
def by_panels(blas: Any, x: Any, panels: Any, out: Any, add: bool) -> None:
    """Write the product of ``x (m, q)`` and weights in panels, or add it to what is there."""
    _, depth, width = panels.shape
    apart, next_row = panels.strides[0] // 8, panels.strides[1] // 8
    right = _Matrix(np.int64(panels.ctypes.data), depth, width, next_row, 1)
    if blas[LANES]:
        _by_tiles(blas, PRODUCTS, _place(x), right, apart, _place(out), add)
    else:
        _multiply(blas, ONE, _place(x), right, _place(out), add)


@jit
def product(blas: Any, x: Any, W: Any, out: Any, add: bool) -> None:
    """Write the product of ``x (m, q)`` and ``W (q, p)``, or add it to what is there."""
    _product(blas, ONE, PRODUCTS, _place(x), _place(W), _place(out), add)


def by_jacobian(
    blas: Any, turned: Any, A: Any, leak: Any, rows: Any, out: Any, scratch: Any, k: int, n: int
) -> None:
    """Multiply rows by a transposed Jacobian; see `steps.PUSH`."""
    right = carray(A, (n, n))
    product(carray(blas, COUNT), carray(rows, (k, n)), right, carray(out, (k, n)), False)


@jit
def subtract(blas: Any, x: Any, W: Any, out: Any) -> None:
    """Take the product of ``x (m, q)`` and ``W (q, p)`` from what is there."""
    _product(blas, MINUS, SOLUTIONS, _place(x), _place(W), _place(out), True)


@jit
def _product(blas: Any, sign: int, table: int, left: Any, right: Any, out: Any, add: bool) -> None:
    """Multiply by tiles of a table, or by BLAS with a sign; see `product` and `subtract`."""
    again = right.columns > _NARROW and left.rows * left.columns > _LEFT
    if blas[LANES] and right.rows * right.columns <= _DIRECT and not again:
        panel, width = _panel(blas, right)
        _by_tiles(blas, table, left, panel, width, out, add and table == PRODUCTS)
    else:
        _multiply(blas, sign, left, right, out, add)


@loop
def outer(blas: Any, left: Any, right: Any, out: Any, add: bool) -> None:
    """Write the sum of the outer products of rows ``(m, p)`` and ``(m, q)``, or add it.

    Rows may have more numbers than are asked for.
    """
    if not blas[LANES] or out.size > _OUTER:
        _multiply(blas, ONE, _turned(_place(left)), _place(right), _place(out), add)
        return
    for first in range(0, len(left), _LENGTH):
        a, b = left[first : first + _LENGTH], right[first : first + _LENGTH]
        panel, width = _panel(blas, _place(b[:, : out.shape[1]]))
        _by_tiles(blas, PRODUCTS, _turned(_place(a)), panel, width, _place(out), add or first > 0)


@jit
def _panel(blas: Any, x: Any) -> Any:
    """Return the first of the panels into which a matrix is cut as it lies, and its width."""
    width = panels_of(blas, x.rows, x.columns)[2]
    return _Matrix(x.address, x.rows, width, x.next_row, x.next_column), width


@jit
def _by_tiles(
    blas: Any, table: int, left: Any, panel: Any, apart: int, out: Any, add: bool
) -> None:
    """Multiply panel by panel, which are so many numbers apart, and tile by tile."""
    lanes, adds, right, first = blas[LANES], 1 if add else 0, panel.address, 0
    while first < out.columns:
        many = min(out.columns - first, panel.columns)
        wide = (many + lanes - 1) // lanes
        last = many - (wide - 1) * lanes
        row = 0
        for kind in range(len(ROWS)):
            tile = blas[table + kind * EACH + wide - 1]
            while out.rows - row >= ROWS[kind]:
                call(
                    tile,
                    (left.address + 8 * row * left.next_row, left.next_row, left.next_column,
                     right, panel.next_row, out.address + 8 * (first + row * out.next_row),
                     out.next_row, left.columns, last, adds),
                )  # fmt: skip
                row += ROWS[kind]
        first += panel.columns
        right += 8 * apart


@jit
def _multiply(blas: Any, sign: int, left: Any, right: Any, out: Any, add: bool) -> None:
    """Multiply by BLAS; numbers of one row or column of the left side lie side by side."""
    turned = left.next_column != 1
    next_left = left.next_column if turned else left.next_row
    at = shown((out.columns, out.rows, left.columns, right.next_row, next_left, out.next_row, 1))
    beta = blas[ONE] if add else blas[ZERO]
    a, b, c = left.address, right.address, out.address
    if out.rows == 1 and not turned:
        how = blas[PLAIN], at, at + 8, blas[sign], b, at + 12
        call(blas[DGEMV], (*how, a, at + 24, beta, c, at + 24))
    else:
        how = blas[PLAIN], blas[TRANS if turned else PLAIN], at, at + 4, at + 8, blas[sign]
        call(blas[DGEMM], (*how, b, at + 12, a, at + 16, beta, c, at + 20))


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
