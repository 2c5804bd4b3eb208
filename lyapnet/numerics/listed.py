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
from autograd.tracer import isbox

#: Functions whose first argument is a list of arrays.
_JOINING = {
    "block", "column_stack", "concatenate", "dstack", "hstack", "row_stack", "stack", "vstack",
}  # fmt: skip


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

    return call


def _whole(x: Any) -> Any:
    """Return a list that holds something traced as one array."""
    return anp.array(x) if isinstance(x, list | tuple) and _holds_traced(x) else x


def _holds_traced(x: Any) -> bool:
    return any(isbox(i) or (isinstance(i, list | tuple) and _holds_traced(i)) for i in x)
