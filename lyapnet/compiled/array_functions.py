"""What NumPy's functions do to arrays of which all is known but the values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .operations import Untraceable

#: Functions that move numbers to other places, of one array or of several.
_MOVING = {
    "atleast_1d", "atleast_2d", "broadcast_to", "expand_dims", "flip", "fliplr", "flipud",
    "moveaxis", "ravel", "repeat", "reshape", "roll", "rollaxis", "rot90", "squeeze", "swapaxes",
    "take", "tile", "transpose", "split", "array_split", "hsplit",
}  # fmt: skip
_JOINING = {"append", "column_stack", "concatenate", "dstack", "hstack", "stack", "vstack"}


def ufunc_of_arrays(graph: Any, ufunc: Any, method: str, operands: Any, options: Any) -> Any:
    """Note what a ufunc does to arrays."""
    name = ufunc.__name__
    if options.get("where") is not None:
        raise Untraceable(f"`{name}` with where=")
    if options.get("out") is not None:
        (out,) = options.pop("out")
        out[...] = ufunc_of_arrays(graph, ufunc, method, operands, options)
        return out
    if method == "__call__":
        if name == "matmul":
            return _product(graph, *operands)
        if name in ("vecdot", "matvec", "vecmat"):
            return _PRODUCTS[name](graph, *map(graph.symbol, operands))
        return graph.apply(name, *operands)
    if method == "reduce" and name == "add":
        given = {"axis": options.get("axis", 0), "keepdims": options.get("keepdims", False)}
        return _sum(graph, operands[0], **given)
    if method == "outer":
        a, b = map(graph.symbol, operands)
        return graph.apply(name, a[(..., *[None] * b.ndim)], b)
    raise Untraceable(f"`{name}.{method}` of whole arrays")


def function_of_arrays(graph: Any, function: Any, args: Any, kwargs: Any) -> Any:
    """Note what a function of NumPy does to arrays."""
    name = getattr(function, "__name__", str(function))
    if name in ("shape", "ndim", "size") and len(args) == 1:
        return getattr(graph.symbol(args[0]), name)
    if name in _MOVING:
        return _moved(graph, function, [args[0]], lambda x: x[0], args[1:], kwargs)
    if name in _JOINING:
        # Of `append` there are two, given one by one.
        parts, rest = (list(args[:2]), args[2:]) if name == "append" else (list(args[0]), args[1:])
        function = _append if name == "append" else function
        return _moved(graph, function, parts, lambda x: x, rest, kwargs)
    if name not in _FUNCTIONS:
        raise Untraceable(f"`{name}` of whole arrays")
    return _FUNCTIONS[name](graph, *args, **kwargs)


def _append(both: Any, *args: Any, **kwargs: Any) -> Any:
    return np.append(*both, *args, **kwargs)


def _moved(
    graph: Any, function: Any, arrays: Any, given: Callable[[Any], Any], args: Any, kwargs: Any
) -> Any:
    """Do to the places of numbers what is done to these."""
    parts = [graph.symbol(x) for x in arrays]
    places, first = [], 0
    for part in parts:
        count = math.prod(part.shape)
        places.append(np.arange(first, first + count).reshape(part.shape))
        first += count
    found = function(given(places), *args, **kwargs)
    if isinstance(found, list | tuple):
        return [graph.take(parts, each) for each in found]
    part = graph.take(parts, found)
    seen = len(arrays) == 1 and np.shares_memory(found, places[0])
    return part.seen_in(arrays[0]) if seen and arrays[0] is parts[0] else part


def _axes(x: Any, axis: Any) -> tuple[int, ...]:
    given = range(x.ndim) if axis is None else np.atleast_1d(axis)
    return tuple(sorted(int(a) % x.ndim for a in given))


def _sum(graph: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = graph.symbol(x)
    axes = _axes(x, axis)
    found = graph.sum(x, axes)
    kept = tuple(None if a in axes else slice(None) for a in range(x.ndim))
    return found[kept] if keepdims else found


def _mean(graph: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = graph.symbol(x)
    count = math.prod(x.shape[a] for a in _axes(x, axis))
    return _sum(graph, x, axis, keepdims) / count


def _product(graph: Any, a: Any, b: Any) -> Any:
    """Multiply as `@` does: by BLAS where one side is the same in all steps."""
    a, b = graph.symbol(a), graph.symbol(b)
    if not 0 < a.ndim <= 2 or not 0 < b.ndim <= 2 or a.shape[-1] != b.shape[0]:
        raise Untraceable(f"a product of arrays of shapes {a.shape} and {b.shape}")
    if a.ndim == 2 and graph.static[a.at]:
        return graph.product(a, b)
    if b.ndim == 2 and graph.static[b.at]:
        return graph.product(b.T, a.T).T
    if a.ndim == b.ndim == 2:
        return graph.sum(a[:, :, None] * b, (1,))
    return graph.sum(a[:, None] * b, (0,)) if b.ndim == 2 else graph.sum(a * b, (a.ndim - 1,))


def _dot(graph: Any, a: Any, b: Any) -> Any:
    a, b = graph.symbol(a), graph.symbol(b)
    return _product(graph, a, b) if a.ndim and b.ndim else a * b


def _inner(graph: Any, a: Any, b: Any) -> Any:
    return _dot(graph, a, graph.symbol(b).T)


def _outer(graph: Any, a: Any, b: Any) -> Any:
    a, b = graph.symbol(a), graph.symbol(b)
    return a.reshape(-1)[:, None] * b.reshape(-1)


def _clip(graph: Any, x: Any, low: Any = None, high: Any = None) -> Any:
    above = x if low is None else graph.apply("maximum", x, low)
    return above if high is None else graph.apply("minimum", above, high)


def _einsum(graph: Any, rule: str, *operands: Any) -> Any:
    """Sum products of one or two arrays over what is not named behind the arrow."""
    # Of one state there are no more axes than are named.
    sides = rule.replace(" ", "").replace("...", "").split("->")
    named = sides[0].split(",")
    if len(sides) != 2 or len(named) != len(operands) or len(named) > 2:
        raise Untraceable(f"`einsum` by {rule!r}")
    left = sides[1]
    summed = [x for x in dict.fromkeys("".join(named)) if x not in left]
    if len(named) == 2 and len(summed) == 1 and len(set(named[1])) == len(named[1]) <= 2:
        matrix, other = named
        if matrix == left[:1] + summed[0] and other == summed[0] + left[1:]:
            return _product(graph, *operands)
    order, whole = left + "".join(summed), []
    for letters, x in zip(named, map(graph.symbol, operands), strict=True):
        if len(set(letters)) < len(letters) or len(letters) != x.ndim:
            raise Untraceable(f"`einsum` by {rule!r}")
        turned = np.transpose(x, [letters.index(c) for c in order if c in letters])
        whole.append(turned[tuple(slice(None) if c in letters else None for c in order)])
    found = whole[0] if len(whole) == 1 else whole[0] * whole[1]
    return graph.sum(found, tuple(range(len(left), len(order))))


def _where(graph: Any, *operands: Any) -> Any:
    return graph.apply("where", *operands)


_PRODUCTS: dict[str, Callable[..., Any]] = {
    "vecdot": lambda graph, a, b: graph.sum(a * b, (max(a.ndim, b.ndim) - 1,)),
    "matvec": lambda graph, a, b: _product(graph, a, b),
    "vecmat": lambda graph, a, b: _product(graph, a, b),
}

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sum": _sum, "mean": _mean, "dot": _dot, "inner": _inner, "outer": _outer, "clip": _clip,
    "einsum": _einsum, "where": _where, "copy": lambda graph, x: x.copy(),
    "zeros_like": lambda graph, x: np.zeros(x.shape),
    "ones_like": lambda graph, x: np.ones(x.shape),
}  # fmt: skip
