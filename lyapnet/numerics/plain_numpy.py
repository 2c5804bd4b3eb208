"""A user's function of plain NumPy or `math`, as autograd can trace it, or lanes run through it."""

from __future__ import annotations

import dis
import math
import types
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import isbox
from scipy.sparse import issparse

from .lanes.array import Lanes
from .lanes.written import WRITING
from .replaced import MATH_NAMES, is_own, replaced
from .steady import NUMPY

_MATH = types.SimpleNamespace(
    **{name: getattr(NUMPY, MATH_NAMES.get(name, name), getattr(math, name)) for name in dir(math)}
)
#: What is called in the place of what, to trace a function and to run lanes through it.
_TRACED = (np, NUMPY), (anp, NUMPY), (math, _MATH)
_WRITING = (np, WRITING), (anp, WRITING), (math, _MATH)

#: What stands in the place of builtins: a number that is traced stays what it is.
_BUILTINS = {"float": lambda x=0.0: x if isbox(x) or isinstance(x, Lanes) else float(x)}

#: Instructions of Python that assign to elements.
_STORES = {"STORE_SUBSCR", "STORE_SLICE"}


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


def for_autograd(function: Any) -> Any:
    """Return a function that calls autograd.numpy where the given one calls numpy or math.

    Its globals and what it closes over are looked through, and so are the functions among these,
    to some depth; what they hold otherwise is the same. Functions compiled by numba are taken for
    what they were written as.
    """
    return _through(function, lambda _: None, _TRACED)


def for_writing(function: Any) -> Any:
    """Return one, too, whose arrays are `Written`: lanes can be assigned to their elements.

    None if nothing in it assigns to elements.
    """
    stores: list[Any] = []

    def look(function: Any) -> None:
        if isinstance(function, types.FunctionType) and _assigns(function.__code__):
            stores.append(function)

    found = _through(function, look, _WRITING)
    return found if stores else None


def _assigns(code: types.CodeType) -> bool:
    """Say whether something in a function, or in those inside of it, assigns to elements."""
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return any(i.opname in _STORES for i in dis.get_instructions(code)) or any(map(_assigns, inner))


def _through(
    function: Any, look: Callable[[Any], None], others: tuple[Any, ...], depth: int = 3
) -> Any:
    """Return a function with others in the place of those that it names, and these likewise.

    Parameters
    ----------
    function : callable
    look : callable
        Called with each function that is gone through.
    others : sequence of (module, module)
        What is called in the place of what.
    depth : int, optional
    """
    function = getattr(function, "py_func", function)
    look(function)
    return replaced(
        function,
        lambda f: _through(f, look, others, depth),
        lambda x: _other(x, look, others, depth),
        _BUILTINS,
    )


def _other(x: Any, look: Callable[[Any], None], others: tuple[Any, ...], depth: int) -> Any:
    """Return what to call in the place of a module or function."""
    name = getattr(x, "__name__", None)
    for module, other in others:
        if x is module:
            return other
        if isinstance(name, str) and callable(x) and getattr(module, name, None) is x:
            return getattr(other, name, x)
    if issparse(x):
        return _SparseFactor(x)
    own = isinstance(x, types.FunctionType) and is_own(x)
    if depth and (own or hasattr(x, "py_func")):
        return _through(x, look, others, depth - 1)
    return x
