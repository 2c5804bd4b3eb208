"""Whole arrays of which all is known but the values, as NumPy's functions take them."""

from __future__ import annotations

import math
import weakref
from typing import Any

import numpy as np

from .array_functions import function_of_arrays, ufunc_of_arrays
from .graph import Symbol
from .operations import Untraceable

#: NumPy as its stubs do not know it: its functions take what says so itself.
_np: Any = np

#: Methods that are NumPy's functions of these names.
_METHODS = {"clip", "dot", "mean", "ravel", "repeat", "squeeze", "sum", "swapaxes", "take",
            "transpose"}  # fmt: skip


def places_of(shape: tuple[int, ...]) -> Any:
    """Return the numbers of what an array has."""
    return np.arange(math.prod(shape)).reshape(shape)


class ArraySymbol(Symbol):
    """An array of which all is known but the values."""

    __slots__ = ("__weakref__", "_seen_by")
    graph: Any
    whole = True

    def __init__(self, graph: Any, at: int) -> None:
        super().__init__(graph, at)
        #: Parts of it that are views in NumPy, and would change with it.
        self._seen_by: list[Any] = []

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **options: Any) -> Any:
        return ufunc_of_arrays(self.graph, ufunc, method, operands, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return function_of_arrays(self.graph, function, args, kwargs)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise Untraceable("it is turned into a plain array")

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]  # of one number it is fixed
        """Lengths of its axes."""
        return self.graph.shapes[self.at]

    @property
    def ndim(self) -> int:  # type: ignore[override]  # likewise
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Count of its numbers."""
        return self.graph.size(self.at)

    @property
    def T(self) -> Any:
        """With its axes in reverse."""
        return _np.transpose(self)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a number has no length")
        return self.shape[0]

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        places = places_of(self.shape)
        found = places[key]
        part = self.graph.take([self], found)
        if np.ndim(found) and np.shares_memory(found, places):
            part = part.seen_in(self)
        return part

    def __setitem__(self, key: Any, value: Any) -> None:
        if any(part() is not None for part in self._seen_by):
            raise Untraceable("it writes into an array of which it keeps a part")
        self.at = self.graph.put(self, key, value).at

    def seen_in(self, x: ArraySymbol) -> ArraySymbol:
        """Return itself as a part of another one: as long as it is kept, neither is written to."""
        part = self.copy()
        x._seen_by.append(weakref.ref(part))
        part._seen_by.append(weakref.ref(x))
        return part

    def copy(self) -> ArraySymbol:
        """Return another handle on the same: what is written into one is not in the other."""
        return ArraySymbol(self.graph, self.at)

    __pos__ = copy

    def __matmul__(self, other: Any) -> Any:
        return _np.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return _np.matmul(other, self)

    def view(self, kind: Any = None) -> ArraySymbol:
        """Return itself, as what makes plain arrays wants it."""
        return self

    def __getattr__(self, name: str) -> Any:
        """Return a method as NumPy's function of this name."""
        if name.startswith("_") or name not in _METHODS:
            raise AttributeError(name)
        return lambda *args, **kwargs: getattr(np, name)(self, *args, **kwargs)

    def reshape(self, *shape: Any, order: str = "C") -> Any:
        """Return it in another shape."""
        found = shape[0] if len(shape) == 1 else shape
        return _np.reshape(self, found, order=order)

    def flatten(self) -> Any:
        """Return it with one axis."""
        return _np.ravel(self)
