"""Arrays that a function makes, or copies, and writes to, number by number."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np

from ..steady import NUMPY
from .array import RULES, Lanes, as_lanes, index_of, lifted

#: Functions of NumPy that write to their first argument, or ask for no number.
_AS_OBJECTS = {"copyto", "fill_diagonal", "put", "shape", "ndim", "size", "shares_memory"}


def _of_lanes(name: str) -> Callable[..., Any]:
    return lambda self, *args, **options: RULES[name](as_lanes(self), *args, **options)


class Written(np.ndarray[Any, Any]):
    """An array of objects, each of which is a number or that of all lanes.

    Its slices are views, as those of any array; functions of NumPy are given `Lanes` for it.
    """

    sum, mean, prod, max, min, var, std = map(
        _of_lanes, ("sum", "mean", "prod", "max", "min", "var", "std")
    )
    cumsum, dot, trace, clip, argmax, argmin = map(
        _of_lanes, ("cumsum", "dot", "trace", "clip", "argmax", "argmin")
    )

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(index_of(at))
        alone = isinstance(found, np.ndarray) and not found.ndim
        return found.item() if alone else found

    def __setitem__(self, at: Any, value: Any) -> None:
        super().__setitem__(index_of(at), _objects(value))

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **options: Any) -> Any:
        if method == "at":
            return ufunc.at(self.view(np.ndarray), args[1], *map(_objects, args[2:]))
        (out,) = options.pop("out", (None,))
        found = getattr(ufunc, method)(*map(lifted, args), **options)
        if out is None:
            return found
        out[...] = found
        return out

    def __array_function__(self, function: Any, kinds: Any, args: Any, options: Any) -> Any:
        if function.__name__ in _AS_OBJECTS:
            return super().__array_function__(function, kinds, args, options)
        if function.__name__ == "copy":
            return self.copy()
        options = {name: _each_lifted(x) for name, x in options.items()}
        return function(*map(_each_lifted, args), **options)

    def astype(self, dtype: Any, *args: Any, **options: Any) -> Any:
        """Return a copy, of floats."""
        return written(as_lanes(self).astype(dtype, *args, **options))


def written(x: Any) -> Written:
    """Return an array of lanes or numbers as one that can be written to: a copy."""
    found = _objects(x)
    return np.array(found, dtype=object).view(Written)


def _objects(x: Any) -> Any:
    """Return what an array of objects can be set to."""
    x = lifted(x)
    if not isinstance(x, Lanes):
        return x
    found = np.empty(x.shape, dtype=object)
    for i in np.ndindex(x.shape):
        found[i] = Lanes(x.data[i])
    return found


def _each_lifted(x: Any) -> Any:
    if isinstance(x, list | tuple):
        return type(x)(map(_each_lifted, x))
    return lifted(x)


def _made(found: Any) -> Any:
    """Return an array that a function has made: as one to be written to, if it is of floats."""
    return written(found) if found.dtype.kind in "fcO" else found


def _making(name: str) -> Callable[..., Any]:
    """Return a function that makes an array of a shape, or of that of another array."""
    make = getattr(np, name)

    def made(like: Any, *args: Any, **options: Any) -> Any:
        like = np.empty(like.shape) if isinstance(like, Lanes | Written) else like
        return _made(make(like, *args, **options))

    return made


def _filling(name: str) -> Callable[..., Any]:
    """Return one that fills what it makes with something, which may be lanes."""
    make = _making(name.replace("full", "empty"))

    def made(like: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Any:
        if dtype is None and name == "full" and not isinstance(fill_value, Lanes):
            dtype = np.asarray(fill_value).dtype
        found = make(like, dtype=dtype, **options)
        found[...] = fill_value
        return found

    return made


def _array(x: Any, dtype: Any = None, **_: Any) -> Any:
    """Make an array of what may be lanes."""
    x = lifted(x)
    return written(x) if isinstance(x, Lanes) else _made(np.array(x, dtype=dtype))


_MADE = {
    **{name: _making(name) for name in ("zeros", "ones", "empty")},
    **{name: _making(name) for name in ("zeros_like", "ones_like", "empty_like")},
    **{name: _filling(name) for name in ("full", "full_like")},
    **dict.fromkeys(("array", "asarray", "asanyarray", "ascontiguousarray"), _array),
}


def _taking_out(function: Any) -> Any:
    """Return a function that writes into `out`, if that is given."""

    def call(*args: Any, **options: Any) -> Any:
        out = options.pop("out", None)
        found = function(*args, **options)
        if out is None:
            return found
        out[...] = found
        return out

    return call if isinstance(function, types.FunctionType) else function


def _joined(x: Any, *args: Any, **options: Any) -> Any:
    found = lifted(x)
    return found if isinstance(found, Lanes) else NUMPY.array(x, *args, **options)


#: To be called in the place of autograd.numpy by a function of lanes, ...
LANES = types.SimpleNamespace(**(vars(NUMPY) | {"array": _joined}))
#: ... and by one that writes to arrays.
WRITING = types.SimpleNamespace(
    **({name: _taking_out(x) for name, x in vars(NUMPY).items()} | _MADE)
)
