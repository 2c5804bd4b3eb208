"""A user's function of plain NumPy or `math`, as autograd can trace it."""

from __future__ import annotations

import functools
import math
import types
from typing import Any

import autograd.numpy as anp
import numpy as np

#: Functions of `math` whose names NumPy does not have.
_NAMES = {
    "fabs": "abs", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
    "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "pow": "power",
}  # fmt: skip

_MATH = types.SimpleNamespace(
    **{name: getattr(anp, _NAMES.get(name, name), getattr(math, name)) for name in dir(math)}
)


def for_autograd(function: Any, depth: int = 3) -> Any:
    """Return a function that calls autograd.numpy where the given one calls numpy or math.

    Its globals and what it closes over are looked through, and so are the functions among these,
    to some depth; what they hold otherwise is the same.
    """
    if isinstance(function, functools.partial):
        inner = for_autograd(function.func, depth)
        return functools.partial(inner, *function.args, **function.keywords)
    if isinstance(function, types.MethodType):
        return types.MethodType(for_autograd(function.__func__, depth), function.__self__)
    if not isinstance(function, types.FunctionType):
        return function
    scope = dict(function.__globals__)
    for name in _names(function.__code__):
        if name in scope:
            scope[name] = _traceable(scope[name], depth)
    closure = function.__closure__
    if closure is not None:
        closure = tuple(_cell(cell, depth) for cell in closure)
    made = types.FunctionType(
        function.__code__, scope, function.__name__, function.__defaults__, closure
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def _names(code: types.CodeType) -> set[str]:
    """Return the names that a function, and functions inside of it, use."""
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return {*code.co_names}.union(*map(_names, inner))


def _cell(cell: Any, depth: int) -> Any:
    try:
        return types.CellType(_traceable(cell.cell_contents, depth))
    except ValueError:  # empty
        return cell


def _traceable(x: Any, depth: int) -> Any:
    """Return what to call in the place of a module or function."""
    if x is np or x is math:
        return anp if x is np else _MATH
    name = getattr(x, "__name__", None)
    for module, other in ((np, anp), (math, _MATH)):
        if isinstance(name, str) and callable(x) and getattr(module, name, None) is x:
            return getattr(other, name, x)
    if depth and isinstance(x, types.FunctionType) and not _is_installed(x):
        return for_autograd(x, depth - 1)
    return x


def _is_installed(x: types.FunctionType) -> bool:
    """Say whether a function is of a package that knows by itself what it calls."""
    return x.__module__.partition(".")[0] in ("autograd", "numpy", "scipy", "lyapnet")
