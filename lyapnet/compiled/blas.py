"""BLAS and LAPACK from inside compiled loops: SciPy's, through the pointers that it exports.

With them goes what multiplies small matrices, see `tiles`.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..numerics.arrays import Array, blas_limit, worth_sharing
from .tiles import MOST, ROWS, tiles

_NAMES = (
    ("blas", "dgemm"), ("blas", "dsyrk"), ("blas", "dtrsm"), ("blas", "dgemv"),
    ("lapack", "dpotrf"), ("lapack", "dgeqrf"),
)  # fmt: skip

#: What BLAS wants to be shown: letters, and the numbers 1, 0 and -1.
_LETTERS = np.frombuffer(b"UTNLR", dtype=np.uint8).copy()
_NUMBERS = np.array([1.0, 0.0, -1.0])

#: Where each address stands in the array that `addresses` returns.
(
    DGEMM, DSYRK, DTRSM, DGEMV, DPOTRF, DGEQRF, UPPER, TRANS, PLAIN, LEFT, RIGHT, ONE, ZERO, MINUS,
    LANES, WIDEST, OVERLAPS, PRODUCTS,
) = range(18)  # fmt: skip

#: Where each stands in the array that `solver` returns.
FACTORISE, SOLVE, TRANSPOSED = range(3)

#: Of tiles with as many rows there are so many.
EACH = max(MOST.values())

#: Where the tiles of solutions begin, and the length of the array that `addresses` returns.
SOLUTIONS = PRODUCTS + len(ROWS) * EACH
COUNT = SOLUTIONS + len(ROWS) * EACH


def addresses(multiplications: float = 0.0) -> Array:
    """Return where BLAS's and LAPACK's functions, and what they are shown, are in this process.

    Parameters
    ----------
    multiplications : float, optional
        Of the largest product: one that is worth sharing is left to BLAS if that may use more than
        one thread, and tiles have zero lanes.
    """
    return _addresses(not worth_sharing(multiplications) or blas_limit() == 1)


@cache
def _addresses(own: bool) -> Array:
    import scipy.linalg.cython_blas as cython_blas
    import scipy.linalg.cython_lapack as cython_lapack

    modules: dict[str, Any] = {"blas": cython_blas, "lapack": cython_lapack}
    functions = [_address(modules[m].__pyx_capi__[name]) for m, name in _NAMES]
    shown = [x[i:].ctypes.data for x in (_LETTERS, _NUMBERS) for i in range(len(x))]
    known = tiles() if own else None
    if known is None:
        return np.array([*functions, *shown, *[0] * (COUNT - LANES)], dtype=np.int64)
    table = np.zeros((2, len(ROWS), EACH), dtype=np.int64)
    by_kind = known.products, known.solutions
    table[..., : known.most] = np.reshape(by_kind, (2, len(ROWS), known.most))
    own_ones = known.lanes, known.most, known.overlap
    return np.array([*functions, *shown, *own_ones, *table.flat], dtype=np.int64)


@cache
def solver() -> Array:
    """Return where LAPACK's factorisation and solution of equations are, and the letter T."""
    from scipy.linalg.cython_lapack import __pyx_capi__ as lapack

    found = [_address(lapack[name]) for name in ("dgetrf", "dgetrs")]
    return np.array([*found, _LETTERS[1:].ctypes.data], dtype=np.int64)


def _address(capsule: Any) -> int:
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return int(api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule)))


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def call(typing: Any, address: Any, arguments: Any) -> Any:
    """Call a function of pointers, given as a tuple of addresses."""
    signature = types.void(address, arguments)

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        from llvmlite import ir

        pointer, packed = values
        word = ir.IntType(64)
        given = cgutils.unpack_tuple(builder, packed)
        function = ir.FunctionType(ir.VoidType(), [word] * len(given))
        builder.call(builder.inttoptr(pointer, function.as_pointer()), given)
        return context.get_dummy_value()

    return signature, code


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def shown(typing: Any, numbers: Any) -> Any:
    """Return where a tuple of numbers is to be seen, of 32 bits each, until the function returns.

    BLAS and LAPACK want to be shown sizes, and to write there.
    """
    signature = types.int64(numbers)

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        from llvmlite import ir

        given, half = cgutils.unpack_tuple(builder, values[0]), ir.IntType(32)
        room = cgutils.alloca_once(builder, ir.ArrayType(half, len(given)))
        for i, number in enumerate(given):
            place = cgutils.gep_inbounds(builder, room, 0, i)
            builder.store(builder.trunc(number, half), place)
        return builder.ptrtoint(room, ir.IntType(64))

    return signature, code


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def seen(typing: Any, address: Any) -> Any:
    """Return one of the numbers that `shown` shows."""
    signature = types.int32(address)

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        from llvmlite import ir

        return builder.load(builder.inttoptr(values[0], ir.IntType(32).as_pointer()))

    return signature, code
