"""A user's function as it should be called on symbols: where it makes arrays, they can hold these.

``np.array([...], dtype=float)``, an assignment to elements of ``np.empty(3)`` and functions of
``math`` would ask symbols for their values. So the function is called with other modules in the
place of these; those of numba are taken for what they were written as.
"""

from __future__ import annotations

import builtins
import functools
import math
import types
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from ..numerics.more_functions import (
    convolve,
    gradient,
    piecewise,
    polyval,
    rounded,
    select,
    vectorize,
)
from ..numerics.replaced import MATH_NAMES, Standing, float_but, package_of, replaced
from .graph import Symbol
from .operations import Untraceable
from .symbols import Symbols, symbol_in


def _making(name: str) -> Callable[..., Any]:
    """Return a function of NumPy that makes arrays which can hold symbols."""
    make = getattr(np, name)

    def made(like: Any, *args: Any, dtype: Any = None, **options: Any) -> Any:
        if name in ("array", "asarray", "asanyarray", "ascontiguousarray"):
            if symbol_in(like) is not None:
                return _array(like)
        elif name.endswith("_like"):
            like = np.empty(np.shape(like), getattr(like, "dtype", None))
        found = make(like, *args, dtype=dtype, **options)
        # Counts and truths, which may be indices, stay what they are.
        return found.astype(object).view(Symbols) if found.dtype.kind in "fcO" else found

    return made


def _array(x: Any) -> Any:
    if isinstance(x, list | tuple):
        x = [_array(item) for item in x]
        if any(getattr(item, "whole", False) for item in x):
            return np.stack(x)
        shapes = {np.shape(item) for item in x}
        if len(shapes) > 1:
            raise Untraceable("it joins arrays of different shapes")
        parts = [np.asarray(_whole(item), dtype=object) for item in x]
        return np.stack(parts).view(Symbols) if parts else np.empty(0, dtype=object).view(Symbols)
    return x.copy() if isinstance(x, np.ndarray | Symbol) else x


def _whole(x: Any) -> Any:
    if isinstance(x, Symbols):
        return x.view(np.ndarray)
    if isinstance(x, Symbol):
        alone = np.empty((), dtype=object)
        alone[()] = x
        return alone
    return x


#: Tables of more numbers are NumPy's.
_LONG_TABLE = 100


def _interp(x: Any, xp: Any, fp: Any, *outside: Any, **options: Any) -> Any:
    """Look up in a table of numbers: a line with a bend at each of its places."""
    if outside or options or len(xp) > _LONG_TABLE:
        raise Untraceable(f"it looks up in a table of more than {_LONG_TABLE}, or with options")
    xp, fp = (np.array(np.asarray(t).tolist(), dtype=float) for t in (xp, fp))
    slopes = np.diff(fp) / np.diff(xp)
    x = np.minimum(np.maximum(x, xp[0]), xp[-1])
    bends = zip(np.diff(slopes), xp[1:-1], strict=True)
    return fp[0] + slopes[0] * (x - xp[0]) + sum(b * np.maximum(x - at, 0.0) for b, at in bends)


_MAKERS = (
    "array", "asarray", "asanyarray", "ascontiguousarray", "empty", "zeros", "ones", "full",
    "empty_like", "zeros_like", "ones_like", "full_like",
)  # fmt: skip

_ARRAYS = {name: _making(name) for name in _MAKERS}

#: What autograd writes with `concatenate`, whose result it makes a plain array.
_JOINING = (
    "append", "column_stack", "concatenate", "dstack", "hstack", "stack", "vstack",
)  # fmt: skip

#: What asks for values, made of what does not.
_MADE_OF_OTHERS = {
    "select": select, "piecewise": piecewise, "vectorize": vectorize, "interp": _interp,
    "polyval": polyval, "convolve": convolve, "gradient": gradient, "round": rounded,
    "around": rounded,
}  # fmt: skip

_OTHERS: dict[Any, Any] = {
    np: Standing(np, {**_ARRAYS, **_MADE_OF_OTHERS}),
    anp: Standing(
        anp, {**_ARRAYS, **_MADE_OF_OTHERS, **{name: getattr(np, name) for name in _JOINING}}
    ),
    math: Standing(
        math,
        {**{name: getattr(np, name) for name in dir(math) if isinstance(getattr(np, name, None),
            np.ufunc)}, **{name: getattr(np, there) for name, there in MATH_NAMES.items()}},
    ),
}  # fmt: skip


def _extreme(function: Any, ufunc: Any) -> Callable[..., Any]:
    def found(*args: Any, **kwargs: Any) -> Any:
        items = args if len(args) > 1 else list(args[0])
        if kwargs or not any(isinstance(x, Symbol) for x in items):
            return function(*args, **kwargs)
        return functools.reduce(ufunc, items)

    return found


_BUILTINS = {
    "max": _extreme(builtins.max, np.maximum),
    "min": _extreme(builtins.min, np.minimum),
    "float": float_but(lambda x: isinstance(x, Symbol)),
}


def rewritten(function: Any, depth: int = 3) -> Any:
    """Return a function to be called on symbols in the place of a user's."""
    function = getattr(function, "py_func", function)  # of numba
    return replaced(function, lambda f: rewritten(f, depth), lambda x: _other(x, depth), _BUILTINS)


def _other(x: Any, depth: int) -> Any:
    """Return what to call in the place of a function or module that a user's function names."""
    if isinstance(x, types.ModuleType):
        return _OTHERS.get(x, x)
    for module in (np, anp, math):
        name = getattr(x, "__name__", None)
        if isinstance(name, str) and callable(x) and getattr(module, name, None) is x:
            return getattr(_OTHERS[module], name)
    own = isinstance(x, types.FunctionType) and package_of(x) not in ("numpy", "autograd")
    return rewritten(x, depth - 1) if depth and (own or hasattr(x, "py_func")) else x
