"""A user's function of plain NumPy or `math`, as autograd can trace it."""

from __future__ import annotations

import math
import types
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from scipy.sparse import issparse

from .replaced import MATH_NAMES, replaced
from .steady import NUMPY

_MATH = types.SimpleNamespace(
    **{name: getattr(NUMPY, MATH_NAMES.get(name, name), getattr(math, name)) for name in dir(math)}
)
#: What is called in the place of what.
_OTHERS = (np, NUMPY), (anp, NUMPY), (math, _MATH)


def _multiplied(x: Any, matrix: Any) -> Any:
    return matrix @ x


_product = primitive(_multiplied)
defvjp(_product, lambda ans, x, matrix: lambda g: _product(g, matrix.T), None)
defjvp(_product, lambda g, ans, x, matrix: _product(g, matrix), None)


class _SparseFactor:
    """A sparse matrix of SciPy, which multiplies what autograd traces."""

    def __init__(self, matrix: Any) -> None:
        self._matrix = matrix

    def __getattr__(self, name: str) -> Any:
        return getattr(self._matrix, name)

    @property
    def T(self) -> Any:
        return _SparseFactor(self._matrix.T)

    def __matmul__(self, x: Any) -> Any:
        return _product(x, self._matrix)

    dot = __matmul__


def for_autograd(function: Any, depth: int = 3) -> Any:
    """Return a function that calls autograd.numpy where the given one calls numpy or math.

    Its globals and what it closes over are looked through, and so are the functions among these,
    to some depth; what they hold otherwise is the same. Functions compiled by numba are taken for
    what they were written as.
    """
    function = getattr(function, "py_func", function)
    return replaced(function, lambda f: for_autograd(f, depth), lambda x: _traceable(x, depth))


def _traceable(x: Any, depth: int) -> Any:
    """Return what to call in the place of a module or function."""
    name = getattr(x, "__name__", None)
    for module, other in _OTHERS:
        if x is module:
            return other
        if isinstance(name, str) and callable(x) and getattr(module, name, None) is x:
            return getattr(other, name, x)
    if issparse(x):
        return _SparseFactor(x)
    own = isinstance(x, types.FunctionType) and not _is_installed(x)
    if depth and (own or hasattr(x, "py_func")):
        return for_autograd(x, depth - 1)
    return x


def _is_installed(x: types.FunctionType) -> bool:
    """Say whether a function is of a package that knows by itself what it calls."""
    return (x.__module__ or "").partition(".")[0] in ("autograd", "numpy", "scipy", "lyapnet")
