"""What tells an argument or a function from another, in words that a file can hold."""

from __future__ import annotations

import functools
import hashlib
import inspect
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

import numpy as np

from ..numerics.autodiff import value

#: Which compiler made a function's code: that of another one says nothing.
PYTHON = f"{sys.implementation.cache_tag} -O{sys.flags.optimize}"


def describe(x: Any, seen: dict[int, Any] | None = None) -> Any:
    """Return what distinguishes an argument from others, as JSON would hold it.

    Arrays by a digest, generators by their state, other objects by their type and attributes.
    Functions by their names, their code and the numbers, text, arrays and functions that they
    close over, not other objects, which may change from call to call. Comments, layout and
    docstrings are free, and so is the code of lyapnet: it may change with its version, and need
    not mean another result. Neither globals nor what a function calls are looked at.

    `seen` are the objects described so far, by their ids: they may hold each other.
    """
    seen = {} if seen is None else seen
    x = value(x)
    if x is None or isinstance(x, bool | int | float | str):
        return x
    if isinstance(x, np.ndarray | np.generic):
        x = np.ascontiguousarray(x)
        return f"{x.dtype.str}{x.shape} {hashlib.sha256(x.tobytes()).hexdigest()}"
    if isinstance(x, tuple | range):
        return [describe(item, seen) for item in x]
    if id(x) in seen:
        return "as before"
    seen[id(x)] = x
    if isinstance(x, dict):
        return {str(key): describe(item, seen) for key, item in x.items()}
    if isinstance(x, list):
        return [describe(item, seen) for item in x]
    if isinstance(x, np.random.Generator):
        return describe(x.bit_generator.state)
    if isinstance(x, functools.partial):
        given = {"args": x.args, "keywords": x.keywords}
        return {"partial": describe(x.func, seen), **describe(given, seen)}
    if callable(x) and hasattr(x, "__qualname__"):
        return _function(x, seen)
    attributes = getattr(x, "__dict__", {})
    return {"type": type(x).__qualname__, **describe(attributes, seen)}


def alike(then: Any, now: Any) -> bool:
    """Say whether two descriptions may be of the same thing: other Pythons compile differently."""
    if isinstance(then, dict) and isinstance(now, dict):
        free = {"python"} if then.get("python") == now.get("python") else {"python", "code"}
        names = (then.keys() | now.keys()) - free
        return all(x in then and x in now and alike(then[x], now[x]) for x in names)
    if isinstance(then, list) and isinstance(now, list):
        return len(then) == len(now) and all(map(alike, then, now))
    return bool(then == now)


def function_name(function: Callable[..., Any]) -> str:
    """Return the module and name of a function, of a callable object those of its type."""
    while isinstance(function, functools.partial):
        function = function.func
    named: Any = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def _function(function: Callable[..., Any], seen: dict[int, Any]) -> dict[str, Any]:
    """Describe a function or a class."""
    found: dict[str, Any] = {"function": function_name(function)}
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return found
    if str(function.__module__).partition(".")[0] != "lyapnet":
        defaults = [getattr(function, name, None) for name in ("__defaults__", "__kwdefaults__")]
        text = repr([_code(code, function.__doc__), _constant(defaults)])
        found["python"] = PYTHON
        found["code"] = hashlib.sha256(text.encode()).hexdigest()[:16]
    found["closure"] = [_held(cell, seen) for cell in getattr(function, "__closure__", None) or ()]
    return found


def _held(cell: Any, seen: dict[int, Any]) -> Any:
    """Describe what a function closes over."""
    try:
        x = cell.cell_contents
    except ValueError:  # not bound yet
        return None
    plain = isinstance(x, np.ndarray | np.generic | functools.partial) or hasattr(x, "__code__")
    return describe(x, seen) if plain else _constant(x)


def _code(code: CodeType, doc: str | None = None) -> list[Any]:
    """Return what a code object does, without where it stands."""
    constants = list(code.co_consts)
    if doc is not None and constants[:1] == [doc]:
        constants[0] = None
    names = [code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars]
    return [code.co_code.hex(), names, [_constant(x) for x in constants]]


def _constant(x: Any) -> Any:
    """Return a constant as text that is the same in each process."""
    if isinstance(x, CodeType):
        return _code(x)
    if isinstance(x, frozenset | set):
        return sorted(map(repr, x))
    if isinstance(x, dict):
        return {str(key): _constant(item) for key, item in x.items()}
    if isinstance(x, list | tuple):
        return [_constant(item) for item in x]
    if x is None or x is ... or isinstance(x, bool | int | float | complex | str | bytes):
        return repr(x)
    return type(x).__qualname__  # an object of any kind: its address is not its own
