"""Arrays of numbers of which all is known but the value, as NumPy's functions take them.

Slices, sums, products and rolls of such arrays are NumPy's own; every operation on elements is
passed on to these, one by one.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from autograd.tracer import isbox

from .array_functions import function_of_arrays, ufunc_of_arrays
from .matrices import OF_MATRICES
from .operations import Untraceable
from .operators import Noted


class Number(Noted):
    """One number, as NumPy's functions take it."""

    __slots__ = ()
    shape: tuple[int, ...] = ()
    ndim = 0

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **options: Any) -> Any:
        return ufunc_of_symbols(ufunc, method, operands, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return function_of_symbols(function, args, kwargs)


class Symbols(np.ndarray[Any, Any]):
    """An array of symbols: what a user's function is called on."""

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **options: Any) -> Any:
        if any(map(isbox, operands)):
            return NotImplemented  # left to autograd, which traces it inside of the function
        one = symbol_in(operands)
        if getattr(one, "whole", False):
            return ufunc_of_arrays(one.graph, ufunc, method, operands, options)
        return ufunc_of_symbols(ufunc, method, operands, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        one = symbol_in(args)
        if getattr(one, "whole", False):
            return function_of_arrays(one.graph, function, args, kwargs)
        return function_of_symbols(function, args, kwargs)

    def astype(self, dtype: Any, *_: Any, **__: Any) -> Any:
        """Return a copy: symbols stand for floats."""
        if np.dtype(dtype) != float:
            raise Untraceable(f"it turns numbers into {np.dtype(dtype)}")
        return self.copy()

    @property  # type: ignore[misc]  # which nobody sets
    def real(self) -> Any:
        """Their real parts."""
        return _each(operator.attrgetter("real"), [self])

    @property  # type: ignore[misc]
    def imag(self) -> Any:
        """Their imaginary parts."""
        return _each(operator.attrgetter("imag"), [self])

    def conj(self) -> Any:
        """Return their mirror images."""
        return np.conjugate(self)

    conjugate = conj

    def __setitem__(self, key: Any, value: Any) -> None:
        if getattr(value, "whole", False):
            value = array_of([value[i] for i in np.ndindex(value.shape)], value.shape)
        super().__setitem__(key, value)

    def _extreme(self, ufunc: Any, axis: Any, keepdims: bool) -> Any:
        return ufunc.reduce(self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:  # type: ignore[override]  # ndarray's has overloads
        """Return the largest elements."""
        return self._extreme(np.maximum, axis, keepdims)

    def min(self, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:  # type: ignore[override]  # ndarray's has overloads
        """Return the smallest elements."""
        return self._extreme(np.minimum, axis, keepdims)

    def argmax(self, axis: Any = None, out: Any = None, **_: Any) -> Any:
        """Return where the first of the largest elements is."""
        return _first_of(self, axis, np.greater, np.greater_equal)

    def argmin(self, axis: Any = None, out: Any = None, **_: Any) -> Any:
        """Return where the first of the smallest elements is."""
        return _first_of(self, axis, np.less, np.less_equal)

    def clip(self, low: Any = None, high: Any = None, out: Any = None) -> Any:  # type: ignore[override]  # ndarray's has overloads
        """Return elements kept between bounds."""
        above = self if low is None else np.maximum(self, low)
        return above if high is None else np.minimum(above, high)


def _first_of(x: Symbols, axis: Any, beyond: Any, not_below: Any) -> int:
    """Return the place of an element that is beyond those before it, and not below the others."""
    if x.ndim != 1 or axis not in (None, 0, -1):
        raise Untraceable("the place of an extreme along an axis")
    elements = list(x.view(np.ndarray))
    for i, one in enumerate(elements[:-1]):
        of_before = [beyond(one, other) for other in elements[:i]]
        if functools.reduce(
            np.logical_and, [*of_before, *(not_below(one, other) for other in elements[i + 1 :])]
        ):
            return i
    return len(elements) - 1


def array_of(symbols: Sequence[Any], shape: tuple[int, ...]) -> Symbols:
    """Return symbols in a row as an array of some shape."""
    out = np.empty(len(symbols), dtype=object)
    for i, symbol in enumerate(symbols):
        out[i] = symbol
    return out.reshape(shape).view(Symbols)


def _plain(x: Any) -> Any:
    """Return an operand as what object arrays work with."""
    return x.view(np.ndarray) if isinstance(x, Symbols) else x


def _each(function: Callable[..., Any], operands: Sequence[Any]) -> Any:
    """Apply a function of symbols and numbers to arrays of them."""
    arrays = [_plain(x) if isinstance(x, np.ndarray) else alone(x) for x in operands]
    if all(x.ndim == 0 for x in arrays):
        return function(*(x[()] for x in arrays))
    return np.frompyfunc(function, len(arrays), 1)(*arrays).view(Symbols)


def alone(x: Any) -> Any:
    """Return an array of objects of what is no array."""
    if isinstance(x, list | tuple):
        return np.array(x, dtype=object)
    out = np.empty((), dtype=object)
    out[()] = x
    return out


def symbol_in(x: Any) -> Any:
    """Find a symbol among operands."""
    if isinstance(x, Noted):
        return x
    if isinstance(x, np.ndarray) and x.dtype == object:
        return next((s for s in x.flat if isinstance(s, Noted)), None)
    if isinstance(x, list | tuple):
        return next((s for s in map(symbol_in, x) if s is not None), None)
    return None


def ufunc_of_symbols(
    ufunc: Any, method: str, operands: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    """Do to each symbol what a ufunc does to each number."""
    name = ufunc.__name__
    out = options.pop("out", None)
    where = options.pop("where", True)
    if where is not True:
        raise Untraceable(f"`{name}` with where=")
    if name in ("matmul", "vecdot", "matvec", "vecmat") and method == "__call__":
        found = _product(name, *map(_plain, operands))
    elif method == "__call__":
        one = symbol_in(operands)
        if one is None:  # an array of symbols without any
            found = ufunc(*(np.asarray(_plain(x), dtype=float) for x in operands), **options)
        else:
            found = _each(functools.partial(one.graph.apply, name), operands)
    elif method in ("reduce", "accumulate", "outer"):
        found = _over_axis(ufunc, method, operands, options)
    elif method == "at":
        return ufunc.at(_plain(operands[0]), operands[1], *map(without_class, operands[2:]))
    else:
        raise Untraceable(f"`{name}.{method}` cannot be compiled")
    if isinstance(found, np.ndarray):
        found = found.view(Symbols)
    if out is not None:
        out[0][...] = found
        return out[0]
    return found


def _over_axis(ufunc: Any, method: str, operands: Any, options: dict[str, Any]) -> Any:
    """Reduce, accumulate or combine by a function of two symbols."""
    binary = np.frompyfunc(lambda x, y: ufunc(x, y), 2, 1)
    options = {name: x for name, x in options.items() if name in ("axis", "keepdims")}
    x = _plain(operands[0])
    if method == "outer":
        return binary.outer(x, _plain(operands[1]))
    if method == "accumulate":
        return binary.accumulate(x, **options)
    axis = options.get("axis", operands[1] if len(operands) > 1 else 0)
    axes = tuple(range(x.ndim)) if axis is None else np.atleast_1d(axis) % x.ndim
    for a in sorted((int(a) for a in axes), reverse=True):
        if x.shape[a] == 0:
            raise Untraceable(f"`{ufunc.__name__}.reduce` of nothing")
        x = binary.reduce(x, axis=a, keepdims=bool(options.get("keepdims", False)))
    return x


def _product(name: str, a: Any, b: Any) -> Any:
    """Multiply matrices and vectors of symbols."""
    if name == "vecdot":
        return np.sum(a * b, axis=-1)
    if name == "matvec":
        return np.sum(a * b[..., None, :], axis=-1)
    if name == "vecmat":
        return np.sum(a[..., :, None] * b, axis=-2)
    return np.matmul(np.asarray(a, dtype=object), np.asarray(b, dtype=object))


def function_of_symbols(function: Any, args: Any, kwargs: Any) -> Any:
    """Do to symbols what a function of NumPy does, where objects alone would not do."""
    name = getattr(function, "__name__", str(function))
    if name == "where" and len(args) == 3:
        one = symbol_in(args)
        return _each(functools.partial(one.graph.apply, "where"), args)
    if name in ("real", "imag"):
        return getattr(args[0], name)
    if name == "angle":
        return np.arctan2(args[0].imag, args[0].real)
    if name in ("max", "amax", "min", "amin") and isinstance(args[0], Symbols):
        return getattr(args[0], name[-3:])(*args[1:], **kwargs)
    if name in ("argmax", "argmin"):
        x = np.asarray(without_class(args[0]), dtype=object).view(Symbols)
        return getattr(x, name)(*args[1:], **kwargs)
    if name == "clip":
        return without_class(args[0]).view(Symbols).clip(*args[1:], **kwargs)
    plain = without_class(args), without_class(kwargs)
    function = OF_MATRICES.get(name, function)
    try:
        found = function(*plain[0], **plain[1])
    except Untraceable:
        raise
    except Exception as error:
        raise Untraceable(f"`{name}` cannot be compiled ({error})") from error
    if isinstance(found, list):
        return list(map(_as_symbols, found))
    return _as_symbols(found)


def _as_symbols(x: Any) -> Any:
    return x.view(Symbols) if isinstance(x, np.ndarray) and x.dtype == object else x


def without_class(x: Any) -> Any:
    """Return arguments with plain arrays of objects in the place of arrays of symbols."""
    if isinstance(x, Symbols):
        return x.view(np.ndarray)
    if isinstance(x, Noted):
        return alone(x)
    if isinstance(x, list | tuple):
        return type(x)(map(without_class, x))
    if isinstance(x, dict):
        return {name: without_class(value) for name, value in x.items()}
    return x
