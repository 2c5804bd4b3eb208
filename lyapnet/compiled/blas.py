"""BLAS and LAPACK from inside compiled loops: SciPy's, through the pointers that it exports."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..numerics.arrays import Array

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
    COUNT,
) = range(15)  # fmt: skip


@cache
def addresses() -> Array:
    """Return where BLAS's and LAPACK's functions, and what they are shown, are in this process."""
    import scipy.linalg.cython_blas as cython_blas
    import scipy.linalg.cython_lapack as cython_lapack

    modules: dict[str, Any] = {"blas": cython_blas, "lapack": cython_lapack}
    functions = [_address(modules[m].__pyx_capi__[name]) for m, name in _NAMES]
    shown = [x[i:].ctypes.data for x in (_LETTERS, _NUMBERS) for i in range(len(x))]
    return np.array([*functions, *shown], dtype=np.int64)


def _address(capsule: Any) -> int:
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return int(api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule)))


@intrinsic  # type: ignore[untyped-decorator]
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
