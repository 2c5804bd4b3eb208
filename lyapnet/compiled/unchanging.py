"""What a user's function is made of, where none of it can change unseen.

Such a function does again what it did, and need not be written down again. All others are: what a
list, an array or an object of the user's says may be something else the next time.
"""

from __future__ import annotations

import math
import types
from typing import Any

import autograd.numpy as anp
import numpy as np

from ..numerics.replaced import package_of

#: How deep functions may call others.
_DEPTH = 3

#: Values that cannot be changed, and modules that nobody changes.
_PLAIN = bool, int, float, complex, str, type(None), np.generic
_MODULES = np, anp, math

#: What functions may name: builtins, and what modules and arrays have, none of which reads a file
#: or draws at random.
_NAMES = {
    "abs", "all", "any", "append", "arange", "array", "asarray", "clip", "column_stack",
    "concatenate", "copy", "cumsum", "diag", "diff", "dot", "empty", "empty_like", "enumerate",
    "eye", "flip", "float", "float64", "full", "hstack", "identity", "inner", "int", "len", "list",
    "max", "mean", "min", "newaxis", "ones", "ones_like", "outer", "prod", "range", "ravel",
    "reshape", "reversed", "roll", "round", "shape", "size", "stack", "sum", "take", "transpose",
    "tuple", "vstack", "where", "zeros", "zeros_like", "zip", "T",
    *(name for name in dir(math) if not name.startswith("_")),
    *(name for name in dir(np) if isinstance(getattr(np, name), np.ufunc)),
}  # fmt: skip


def made_of(function: Any, depth: int = _DEPTH) -> tuple[Any, ...] | None:
    """Return what tells a function from what it is not, None where it may become that unseen."""
    if not isinstance(function, types.FunctionType) or vars(function) or not depth:
        return None
    scope = function.__globals__
    named = sorted(_names(function.__code__))
    if not all(name in scope or name in _NAMES for name in named):
        return None
    used = [(name, scope[name]) for name in named if name in scope]
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    try:
        used += [(name, cell.cell_contents) for name, cell in cells]
    except ValueError:  # empty so far
        return None
    used += [("", x) for x in (function.__defaults__, function.__kwdefaults__)]
    parts = [_part(x, depth) for _, x in used]
    if None in parts:
        return None
    return function.__code__, *(name for name, _ in used), *parts


def _part(x: Any, depth: int) -> Any:
    """Return what tells something that a function uses from all else, None where it may change."""
    if isinstance(x, _PLAIN):
        return type(x), repr(x)
    if type(x) is tuple:
        parts = tuple(_part(item, depth) for item in x)
        return None if None in parts else parts
    if any(x is module for module in _MODULES):
        return x.__name__
    if isinstance(x, np.ufunc | types.BuiltinFunctionType) and x.__name__ in _NAMES:
        return x
    if isinstance(x, types.FunctionType) and package_of(x) == "lyapnet":
        return x
    return made_of(x, depth - 1)


def _names(code: types.CodeType) -> set[str]:
    """Return the names that a function looks up, and functions within it."""
    inner = (x for x in code.co_consts if isinstance(x, types.CodeType))
    return {*code.co_names}.union(*map(_names, inner))
