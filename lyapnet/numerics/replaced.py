"""A user's function with others in the place of those that it names."""

from __future__ import annotations

import dis
import functools
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import autograd.numpy as anp
import numpy as np

#: Functions of `math` that NumPy has under another name.
MATH_NAMES = {
    "fabs": "abs", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
    "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "pow": "power",
}  # fmt: skip


#: How deep functions that call others are gone through.
DEPTH = 3

#: Packages whose functions stay as they are.
_PACKAGES = {"autograd", "numpy", "scipy", "lyapnet", "torch", "jax", "keras", "numba"}


def float_but(stays: Callable[[Any], bool]) -> type:
    """Return what stands for `float`, as a type too, and leaves some numbers as they are."""

    class Kind(type):
        def __instancecheck__(cls, x: Any) -> bool:
            return isinstance(x, float) or stays(x)

    class Float(np.float64, metaclass=Kind):
        def __new__(cls, x: Any = 0.0) -> Any:
            return x if stays(x) else float(x)

    return Float


class Factor(np.ndarray[Any, Any]):
    """A constant array whose method `dot` multiplies whatever autograd's function does."""

    def dot(self, x: Any, out: Any = None) -> Any:
        """Return the product with an array, or with what stands for one."""
        return anp.dot(self.view(np.ndarray), x)

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **options: Any) -> Any:
        return getattr(ufunc, method)(*map(_plain, args), **options)

    def __array_function__(self, function: Any, kinds: Any, args: Any, options: Any) -> Any:
        return function(*map(_plain, args), **options)


def _plain(x: Any) -> Any:
    if isinstance(x, list | tuple):
        return type(x)(map(_plain, x))
    return x.view(np.ndarray) if isinstance(x, Factor) else x


class Standing:
    """A module some of whose functions are others."""

    def __init__(self, module: Any, others: Mapping[str, Any]) -> None:
        self._module, self._others = module, others

    def __getattr__(self, name: str) -> Any:
        found = self._others.get(name)
        return getattr(self._module, name) if found is None else found


def replaced(
    function: Any,
    again: Callable[[Any], Any],
    other: Callable[[Any], Any],
    builtin: Mapping[str, Any] | None = None,
) -> Any:
    """Return a function that does the same with other globals and another closure.

    Parameters
    ----------
    function : callable
        What is no function of Python's own, nor an object with one, comes back as it is.
    again : callable
        From what a partial function or a method stands for to what shall be called instead.
    other : callable
        From what the function names, or closes over, to what shall stand there instead.
    builtin : dict, optional
        What shall stand in the place of builtins, by name.
    """
    if isinstance(function, functools.partial):
        return functools.partial(again(function.func), *function.args, **function.keywords)
    if isinstance(function, types.MethodType):
        return types.MethodType(again(function.__func__), function.__self__)
    if not isinstance(function, types.FunctionType):
        call = vars(type(function)).get("__call__")
        own = isinstance(call, types.FunctionType) and is_own(call)
        return types.MethodType(again(call), function) if own else function
    scope = dict(function.__globals__)
    builtin = builtin or {}
    names = names_of(function.__code__)

    def instead(x: Any) -> Any:
        of_floats = type(x) is np.ndarray and x.dtype.kind == "f"
        return x.view(Factor) if of_floats and "dot" in names else other(x)

    for name in names:
        if name in scope:
            scope[name] = instead(scope[name])
        elif name in builtin:
            scope[name] = builtin[name]
    closure = function.__closure__
    if closure is not None:
        closure = tuple(_cell(cell, instead) for cell in closure)
    made = types.FunctionType(
        function.__code__, scope, function.__name__, function.__defaults__, closure
    )
    made.__kwdefaults__ = function.__kwdefaults__
    written = written_by(function.__code__)
    return _writing(made, written, function.__globals__) if written else made


@functools.lru_cache
def written_by(code: types.CodeType) -> frozenset[str]:
    """Return the globals that a function, or one inside of it, sets."""
    set_here = (x.argval for x in dis.get_instructions(code) if x.opname == "STORE_GLOBAL")
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return frozenset(set_here).union(*map(written_by, inner))


def _writing(made: Any, names: frozenset[str], scope: dict[str, Any]) -> Any:
    """Return a function that finds the globals that it sets in a scope, and leaves them there."""

    @functools.wraps(made)
    def function(*args: Any, **kwargs: Any) -> Any:
        own = made.__globals__
        own.update((name, scope[name]) for name in names if name in scope)
        try:
            return made(*args, **kwargs)
        finally:
            scope.update((name, own[name]) for name in names if name in own)

    return function


def package_of(function: types.FunctionType) -> str:
    """Return the name of the package that a function is from, of one made by `exec` none."""
    return (function.__module__ or "").partition(".")[0]


def is_own(function: types.FunctionType) -> bool:
    """Say whether a function is not of a package that knows by itself what it calls."""
    return package_of(function) not in _PACKAGES


def named_by(function: types.FunctionType) -> dict[str, Any]:
    """Return what a function names, and closes over, by these names."""
    found = {name: function.__globals__.get(name) for name in names_of(function.__code__)}
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in cells:
        with suppress(ValueError):  # empty
            found[name] = cell.cell_contents
    return found


def names_of(code: types.CodeType) -> set[str]:
    """Return the names that a function, and functions inside of it, use."""
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return {*code.co_names}.union(*map(names_of, inner))


def _cell(cell: Any, other: Callable[[Any], Any]) -> Any:
    """Return a cell with what shall stand in it: the same one, which may be set, if that stays."""
    try:
        content = cell.cell_contents
    except ValueError:  # empty
        return cell
    found = other(content)
    return cell if found is content else types.CellType(found)
