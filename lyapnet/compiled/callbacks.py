"""Functions of whole arrays that loops call which are not numba's, by their names."""

from __future__ import annotations

from functools import cache
from typing import Any

from numba import carray, types

from .across import SIGNATURE, across
from .blas import COUNT
from .functions import tanh
from .jit import callback, jit
from .products import product

_WORDS, _NUMBERS, _COUNT = types.CPointer(types.int64), types.CPointer(types.float64), types.int64


@jit
def _by_vector(matrix: Any, x: Any, out: Any) -> None:
    """Write the product of a matrix and a vector, four rows at a time."""
    rows, depth = matrix.shape
    i = 0
    while i + 4 <= rows:
        a = b = c = d = 0.0
        for j in range(depth):
            a += matrix[i, j] * x[j]
            b += matrix[i + 1, j] * x[j]
            c += matrix[i + 2, j] * x[j]
            d += matrix[i + 3, j] * x[j]
        out[i], out[i + 1], out[i + 2], out[i + 3] = a, b, c, d
        i += 4
    while i < rows:
        a = 0.0
        for j in range(depth):
            a += matrix[i, j] * x[j]
        out[i] = a
        i += 1


def _product(blas: Any, matrix: Any, x: Any, out: Any, rows: int, depth: int, columns: int) -> None:
    """Multiply ``(rows, depth)`` by ``(depth, columns)``."""
    matrix = carray(matrix, (rows, depth))
    if columns == 1:
        _by_vector(matrix, carray(x, depth), carray(out, rows))
    else:
        many = carray(x, (depth, columns)), carray(out, (rows, columns))
        product(carray(blas, COUNT), matrix, *many, False)


def _tanh(x: Any, out: Any, room: Any, size: int) -> None:
    """Write tanh of an array."""
    tanh(carray(x, size), carray(out, size), carray(room, size))


_FUNCTIONS: dict[str, tuple[Any, Any]] = {
    "lyapnet.product": (types.void(_WORDS, *[_NUMBERS] * 3, *[_COUNT] * 3), _product),
    "lyapnet.tanh": (types.void(*[_NUMBERS] * 3, _COUNT), _tanh),
    "lyapnet.across": (SIGNATURE, across),
}


@cache
def link(name: str) -> None:
    """Compile a function, and let the compiler know where it is."""
    import llvmlite.binding as llvm

    signature, function = _FUNCTIONS[name]
    llvm.add_symbol(name, callback(signature)(function).address)


def link_all(text: str) -> None:
    """Link all functions that a module's text calls."""
    for name in _FUNCTIONS:
        if f"@{name}(" in text:
            link(name)
