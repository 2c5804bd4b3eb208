"""What is made of a user's function, as long as that is what it was.

In a notebook globals change from cell to cell, and helpers are defined again: what was made of a
function before knows the old ones.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping
from typing import Any

from .replaced import DEPTH, is_own, names_of, written_by


class Current:
    """Something made of a function, made again where what the function names has changed.

    Parameters
    ----------
    function : callable
    make : callable
        From the function to what is made of it.
    """

    def __init__(self, function: Any, make: Callable[[Any], Any]) -> None:
        self._function, self._make = function, make
        self._functions: list[tuple[types.FunctionType, Any, Any]] = []
        self._named: list[tuple[Mapping[str, Any], str, Any]] = []
        self._cells: list[tuple[Any, Any]] = []
        self._again()

    def now(self) -> Any:
        """Return what is made of the function as it is now."""
        same = all(
            f.__code__ is code and f.__defaults__ is given for f, code, given in self._functions
        )
        same = same and all(scope.get(name) is x for scope, name, x in self._named)
        if not (same and all(_content(cell) is x for cell, x in self._cells)):
            self._again()
        return self._made

    def _again(self) -> None:
        for noted in (self._functions, self._named, self._cells):
            noted.clear()
        self._look(self._function, DEPTH)
        self._made = self._make(self._function)

    def _look(self, function: Any, depth: int) -> None:
        """Note what a function is made of, and the functions that it calls."""
        function = getattr(function, "py_func", function)
        if isinstance(function, functools.partial):
            self._note(function.keywords, function.keywords, depth)
            return self._look(function.func, depth)
        if not isinstance(function, types.FunctionType):
            call = getattr(function, "__func__", vars(type(function)).get("__call__"))
            return self._look(call, depth) if isinstance(call, types.FunctionType) else None
        self._functions.append((function, function.__code__, function.__defaults__))
        names = names_of(function.__code__) - written_by(function.__code__)
        self._note(function.__globals__, names, depth)
        for cell in function.__closure__ or ():
            self._cells.append((cell, _content(cell)))
            self._called(_content(cell), depth)
        return None

    def _note(self, scope: Mapping[str, Any], names: Any, depth: int) -> None:
        for name in names:
            self._named.append((scope, name, scope.get(name)))
            self._called(scope.get(name), depth)

    def _called(self, x: Any, depth: int) -> None:
        own = isinstance(x, types.FunctionType) and is_own(x)
        if depth and (own or hasattr(x, "py_func")):
            self._look(x, depth - 1)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # empty so far
        return None
