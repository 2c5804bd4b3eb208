"""A user's function of plain NumPy or `math`, as autograd can trace it, or lanes run through it."""

from __future__ import annotations

import dis
import math
import sys
import types
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import autograd.numpy as anp
import numpy as np
import scipy
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import isbox
from scipy import special
from scipy.sparse import issparse

from .lanes.array import Lanes
from .lanes.written import LANES, WRITING
from .more_functions import SPECIAL
from .replaced import DEPTH, MATH_NAMES, Standing, float_but, is_own, named_by, replaced
from .steady import NUMPY

_MATH = types.SimpleNamespace(
    **{name: getattr(NUMPY, MATH_NAMES.get(name, name), getattr(math, name)) for name in dir(math)}
)
#: What is called in the place of what, to trace a function and to run lanes through it.
_TRACED, _LANES, _WRITING = (
    ((np, found), (anp, found), (math, _MATH)) for found in (NUMPY, LANES, WRITING)
)

#: What is called in the place of functions and modules of SciPy, by their names.
_OF_SCIPY: dict[str, Any] = {
    **SPECIAL,
    "scipy": Standing(scipy, {"special": Standing(special, SPECIAL)}),
    "scipy.special": Standing(special, SPECIAL),
}

#: What stands in the place of builtins: a number that is traced stays what it is.
_BUILTINS = {"float": float_but(lambda x: isbox(x) or isinstance(x, Lanes))}

#: Instructions of Python that assign to elements, ...
_STORES = {"STORE_SUBSCR", "STORE_SLICE"}
_PLUS = "UNARY_POSITIVE" if sys.version_info < (3, 12) else "INTRINSIC_UNARY_POSITIVE"
#: ... and what arrays and lanes have, but not what autograd traces.
_OF_ARRAYS = {
    "conj", "conjugate", "copy", "dot", "fill", "imag", "item", "real", "repeat", "tolist",
}  # fmt: skip


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
        if isinstance(x, Lanes):
            return Lanes(_product(x.data, self._matrix))
        return _product(x, self._matrix)

    dot = __matmul__


def for_autograd_and_lanes(function: Any) -> tuple[Any, Any, bool]:
    """Return functions that call autograd.numpy where the given one calls numpy or math.

    Its globals and what it closes over are looked through, and so are the functions among these,
    to some depth; what they hold otherwise is the same. Functions compiled by numba are taken for
    what they were written as.

    Returns
    -------
    for_autograd, for_lanes : callable
        What autograd traces, and what is called with lanes.
    by_lanes : bool
        Whether autograd traces it in lanes alone. It does if something in it assigns to elements,
        or takes of arrays what boxes have not: then arrays of lanes are `Written`.
    """
    stores: list[Any] = []

    def look(function: Any) -> None:
        if isinstance(function, types.FunctionType):
            scope = named_by(function).items()
            known = (types.ModuleType, np.ndarray)
            others = frozenset(name for name, x in scope if isinstance(x, known))
            if _assigns(function.__code__, others):
                stores.append(function)

    traced = _through(function, look, _TRACED)
    in_lanes = _through(function, lambda _: None, _WRITING if stores else _LANES)
    return traced, in_lanes, bool(stores)


@lru_cache
def _assigns(code: types.CodeType, others: frozenset[str]) -> bool:
    """Say whether a function, or one inside of it, does to arrays what boxes do not stand.

    What it names otherwise, such as modules, is no concern.
    """
    before: Any = None
    for one in dis.get_instructions(code):
        if one.opname in _STORES or _PLUS in (one.opname, one.argrepr):
            return True
        of_array = one.opname in ("LOAD_ATTR", "LOAD_METHOD") and one.argval in _OF_ARRAYS
        if of_array and before.argval not in others:
            return True
        before = one
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    by_out = any(isinstance(names, tuple) and "out" in names for names in code.co_consts)
    return by_out or any(_assigns(c, others) for c in inner)


def _through(
    function: Any, look: Callable[[Any], None], others: tuple[Any, ...], depth: int = DEPTH
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
    if isinstance(x, np.ufunc | types.ModuleType) and name in _OF_SCIPY:
        return _OF_SCIPY[name]
    if issparse(x):
        return _SparseFactor(x)
    own = isinstance(x, types.FunctionType) and is_own(x)
    if depth and (own or hasattr(x, "py_func")):
        return _through(x, look, others, depth - 1)
    return x
