"""Arrays that a function makes, or copies, and writes to, in lanes."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any

import autograd.numpy as anp
import numpy as np

from ..arrays import Array
from ..steady import NUMPY
from .array import RULES, Lanes, Operators, as_lanes, index_of, lifted, plain

#: What NumPy's arrays give views of.
_SEEN_IN = ("reshape", "ravel", "transpose", "swapaxes", "squeeze")


class _Memory:
    """Where numbers lie: each has been written by one of some assignments, the last of them.

    Nothing is written over, so that autograd can trace all of it.

    Parameters
    ----------
    flat : array (size, M) or (size, 1)
    """

    def __init__(self, flat: Any) -> None:
        size = plain(flat).shape[0]
        self.size, self._sources = size, [flat]
        self._source, self._row = np.zeros(size, dtype=int), np.arange(size)

    def read(self, places: Array) -> Any:
        """Return the numbers at some places, ``(*shape, M)``."""
        if not places.size:
            return np.zeros((*places.shape, 1))
        flat = places.ravel()
        used = np.unique(self._source[flat])
        if len(used) == 1:
            found, rows = self._sources[used[0]], self._row[flat]
        else:
            parts = [self._sources[i] for i in used]
            count = max(plain(part).shape[-1] for part in parts)
            parts = [anp.broadcast_to(part, (plain(part).shape[0], count)) for part in parts]
            starts = np.cumsum([0, *(plain(part).shape[0] for part in parts)])
            found = anp.concatenate(parts)
            rows = starts[np.searchsorted(used, self._source[flat])] + self._row[flat]
        if not np.array_equal(rows, np.arange(plain(found).shape[0])):
            found = found[rows]
        if np.array_equal(flat, np.arange(self.size)):  # all of it: the next time it is at hand
            self._sources = [found]
            self._source, self._row = np.zeros(self.size, dtype=int), np.arange(self.size)
        return anp.reshape(found, (*places.shape, plain(found).shape[-1]))

    def write(self, places: Array, value: Lanes) -> None:
        """Put numbers, which are broadcast, at some places."""
        if value.dtype.kind == "c" and plain(self._sources[0]).dtype.kind != "c":
            raise TypeError("complex numbers are assigned to an array of real ones")
        data = anp.broadcast_to(value.data, (*places.shape, plain(value.data).shape[-1]))
        self._sources.append(anp.reshape(data, (places.size, plain(data).shape[-1])))
        self._source[places] = len(self._sources) - 1
        self._row[places] = np.arange(places.size).reshape(places.shape)


class Written(Lanes):
    """Lanes that can be assigned to.

    Slices are views, as those of any array.

    Parameters
    ----------
    memory : _Memory
    places : array of int (*shape)
        Where in the memory the numbers lie.
    """

    def __init__(self, memory: _Memory, places: Array) -> None:
        self._memory, self._places = memory, places

    @property
    def data(self) -> Any:
        """The numbers ``(*shape, M)`` of all lanes."""
        return self._memory.read(self._places)

    @data.setter
    def data(self, data: Any) -> None:
        self[...] = Lanes(data)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of each lane."""
        return self._places.shape

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, at: Any) -> Any:
        return self._at(self._places[index_of(at)])

    def __setitem__(self, at: Any, value: Any) -> None:
        self._memory.write(np.asarray(self._places[index_of(at)]), as_lanes(value))

    def _at(self, places: Any) -> Any:
        """Return a view of some places, or a copy where NumPy's arrays give one."""
        if not np.ndim(places):
            return Lanes(self._memory.read(np.asarray(places)))
        if np.shares_memory(places, self._places) or not places.size:
            return Written(self._memory, places)
        return written(Lanes(self._memory.read(places)))

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **options: Any) -> Any:
        (out,) = options.pop("out", (None,))
        found = super().__array_ufunc__(ufunc, method, *args, **options)
        return _made(found) if out is None else _put(out, found)

    def __array_function__(self, function: Any, kinds: Any, args: Any, options: Any) -> Any:
        if function.__name__ in ("copyto", "fill_diagonal"):
            return _WRITERS[function.__name__](*args)
        if function.__name__ in _SEEN_IN and args[0] is self:
            return self._at(function(self._places, *args[1:], **options))
        return _made(super().__array_function__(function, kinds, args, options))

    def __getattr__(self, name: str) -> Any:
        """Return a method of an array, of those that give views one that does."""
        if name in _SEEN_IN:
            return lambda *args: self._at(getattr(self._places, name)(*args))
        if name == "fill":
            return lambda value: self.__setitem__(..., value)
        return super().__getattr__(name)

    @property
    def T(self) -> Any:
        """The transpose of each lane, a view."""
        return self._at(self._places.T)

    # As ufuncs with `out`, which write.
    __iadd__, __isub__ = Operators.__iadd__, Operators.__isub__
    __imul__, __itruediv__ = Operators.__imul__, Operators.__itruediv__
    __ipow__, __imod__, __imatmul__ = (
        Operators.__ipow__, Operators.__imod__, Operators.__imatmul__,
    )  # fmt: skip


def written(x: Any) -> Written:
    """Return an array, or lanes of one, as one that can be written to: a copy."""
    data = as_lanes(x).data
    *shape, count = plain(data).shape
    places = np.arange(int(np.prod(shape))).reshape(shape)
    return Written(_Memory(anp.reshape(data, (places.size, count))), places)


def _made(found: Any) -> Any:
    """Return what a function has made: an array as one to be written to, if it is of numbers."""
    if isinstance(found, list | tuple):
        return type(found)(map(_made, found))
    if isinstance(found, np.ndarray) and found.dtype.kind == "O":
        found = lifted(found)
    array = isinstance(found, np.ndarray | Lanes) and found.ndim and found.dtype.kind in "fc"
    return written(found) if array and not isinstance(found, Written) else found


def _put(out: Any, found: Any) -> Any:
    out[...] = found
    return out


def _fill_diagonal(x: Written, value: Any) -> None:
    i = np.arange(min(x.shape))
    x[i, i] = value


_WRITERS: dict[str, Callable[..., Any]] = {"copyto": _put, "fill_diagonal": _fill_diagonal}


def _making(name: str) -> Callable[..., Any]:
    """Return a function that makes an array of a shape, or of that of another array."""
    make = getattr(np, name)

    def made(like: Any, *args: Any, **options: Any) -> Any:
        like = np.empty(like.shape) if isinstance(like, Lanes) else like
        return _made(make(like, *args, **options))

    return made


def _filling(name: str) -> Callable[..., Any]:
    """Return one that fills what it makes with something, which may be lanes."""
    make = _making(name.replace("full", "empty"))

    def made(like: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Any:
        if dtype is None and name == "full" and not isinstance(fill_value, Lanes):
            dtype = np.asarray(fill_value).dtype
        return _put(make(like, dtype=dtype, **options), fill_value)

    return made


def _array(x: Any, dtype: Any = None, **_: Any) -> Any:
    """Make an array of what may be lanes."""
    x = lifted(x)
    return written(x) if isinstance(x, Lanes) else _made(np.array(x, dtype=dtype))


_MAKERS = {
    **{name: _making(name) for name in ("zeros", "ones", "empty")},
    **{name: _making(name) for name in ("zeros_like", "ones_like", "empty_like")},
    **{name: _filling(name) for name in ("full", "full_like")},
    **dict.fromkeys(("array", "copy"), _array),
    **dict.fromkeys(
        ("asarray", "asanyarray", "ascontiguousarray"),
        lambda x, *args, **options: x if isinstance(x, Written) else _array(x, *args, **options),
    ),
}


def _taking_out(function: Any) -> Any:
    """Return a function that writes into `out`, if that is given."""

    def call(*args: Any, **options: Any) -> Any:
        out = options.pop("out", None)
        found = function(*args, **options)
        return found if out is None else _put(out, found)

    return call if isinstance(function, types.FunctionType) else function


def _joined(x: Any, *args: Any, **options: Any) -> Any:
    found = lifted(x)
    return found if isinstance(found, Lanes) else NUMPY.array(x, *args, **options)


#: To be called in the place of autograd.numpy by a function of lanes, ...
LANES = types.SimpleNamespace(**(vars(NUMPY) | {"array": _joined}))
#: ... and by one that writes to arrays.
WRITING = types.SimpleNamespace(
    **({name: _taking_out(x) for name, x in vars(NUMPY).items()} | _MAKERS)
)

RULES.update({
    "copy": lambda x, *_, **__: written(x),
    **{name: _MAKERS[name] for name in ("zeros_like", "ones_like", "empty_like", "full_like")},
})  # fmt: skip
