"""Functions of autograd.numpy that take lists of traced numbers for arrays, as NumPy's do.

Autograd's look for traced arrays among their arguments, not within lists of these: what such a list
holds is the value, and has no derivative.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.tracer import isbox

#: Functions whose first argument is a list of arrays.
_JOINING = {
    "block", "column_stack", "concatenate", "dstack", "hstack", "row_stack", "stack", "vstack",
}  # fmt: skip

#: What NumPy calls the reductions by ufuncs.
REDUCTIONS = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min"}


def taking_lists(functions: Mapping[str, Any]) -> dict[str, Any]:
    """Return a namespace with functions that see what is traced in lists, too."""
    return {
        name: _taking_lists(name, x) if isinstance(x, types.FunctionType) else x
        for name, x in functions.items()
    }


def _taking_lists(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **more: Any) -> Any:
        if args and name in _JOINING and isinstance(args[0], list | tuple):
            args = [_whole(part) for part in args[0]], *args[1:]
        else:
            args = tuple(map(_whole, args))
        return function(*args, **{key: _whole(x) for key, x in more.items()})

    if isinstance(getattr(np, name, None), np.ufunc):
        vars(call).update(outer=_outer(call), reduce=_reduced(name))
    return call


def _outer(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what applies a function to all pairs of numbers."""

    def outer(a: Any, b: Any) -> Any:
        return function(anp.reshape(a, (*anp.shape(a), *(1 for _ in anp.shape(b)))), b)

    return outer


def _reduced(name: str) -> Callable[..., Any]:
    """Return what a ufunc of this name does along an axis."""

    def reduce(x: Any, axis: Any = 0, **options: Any) -> Any:
        if name not in REDUCTIONS:
            raise TypeError(f"`np.{name}.reduce` has no derivative")
        return getattr(anp, REDUCTIONS[name])(x, axis=axis, **options)

    return reduce


def _whole(x: Any) -> Any:
    """Return a list that holds something traced as one array."""
    return anp.array(x) if isinstance(x, list | tuple) and _holds_traced(x) else x


def _holds_traced(x: Any) -> bool:
    return any(isbox(i) or (isinstance(i, list | tuple) and _holds_traced(i)) for i in x)
