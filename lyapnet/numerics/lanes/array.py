"""An array that stands for many of its shape."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.tracer import isbox

from ..arrays import Array
from ..insistent import Insistent
from ..listed import REDUCTIONS
from ..steady import NUMPY

#: Python's operators as ufuncs.
Operators = np.lib.mixins.NDArrayOperatorsMixin

#: What functions of NumPy do to lanes, by their names: see `rules` and `decisions`.
RULES: dict[str, Callable[..., Any]] = {}

#: Those that an array has as methods.
METHODS = {"sum", "mean", "prod", "max", "min", "var", "std", "cumsum", "dot", "trace", "clip"}
METHODS |= {"reshape", "ravel", "flatten", "transpose", "swapaxes", "squeeze", "take"}
METHODS |= {"argmax", "argmin", "any", "all", "repeat"}


class ConditionDiffers(Insistent):
    """A function asks for a condition that some lanes meet and others do not.

    Attributes
    ----------
    met : array (M,)
        Which do.
    """

    def __init__(self, met: Array) -> None:
        super().__init__("a condition differs between lanes")
        self.met = met


class Lanes(Operators):
    """An array that stands for many of its shape.

    Parameters
    ----------
    data : array (*shape, M) or (*shape, 1)
        The lanes lie along the last axis; `shape` is what the function is told.
    """

    def __init__(self, data: Any) -> None:
        self.data = data

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of each lane."""
        return tuple(np.shape(plain(self.data))[:-1])

    @property
    def ndim(self) -> int:
        """Number of its axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of its elements."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> Any:
        """Of the data."""
        return plain(self.data).dtype

    @property
    def T(self) -> Any:
        """The transpose of each lane."""
        return RULES["transpose"](self)

    @property
    def real(self) -> Any:
        """The real parts."""
        return RULES["real"](self)

    @property
    def imag(self) -> Any:
        """The imaginary parts."""
        return RULES["imag"](self)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (Lanes(self.data[i]) for i in range(len(self)))

    def __getitem__(self, at: Any) -> Any:
        at = index_of(at)
        at = at if isinstance(at, tuple) else (at,)
        dots = any(i is Ellipsis for i in at)
        return Lanes(self.data[(*at, slice(None)) if dots else at])

    # What it was may have other names.
    __iadd__, __isub__ = Operators.__add__, Operators.__sub__
    __imul__, __itruediv__ = Operators.__mul__, Operators.__truediv__
    __ipow__, __imod__, __imatmul__ = Operators.__pow__, Operators.__mod__, Operators.__matmul__

    def __bool__(self) -> bool:
        if self.shape not in ((), (1,)):
            raise TypeError("the truth of an array of more than one element is ambiguous")
        met = np.ravel(plain(self.data)) != 0
        if met.all() or not met.any():
            return bool(met[0])
        raise ConditionDiffers(met)

    def __int__(self) -> int:
        if self.dtype.kind != "b":
            raise TypeError("a number differs between lanes")
        return int(bool(self))

    __index__ = __int__

    def __float__(self) -> float:
        return float(int(self))

    def __getattr__(self, name: str) -> Any:
        """Return a method of the name: one of an array, or what NumPy calls on objects."""
        if name in METHODS:
            return lambda *args, **options: RULES[name](self, *args, **options)
        ufunc = getattr(np, name, None)
        if isinstance(ufunc, np.ufunc):
            return lambda *args: ufunc(self, *args)
        raise AttributeError(name)

    def item(self) -> Any:
        """Return the only number of each lane."""
        return RULES["reshape"](self, ())

    def tolist(self) -> list[Any]:
        """Return lists of single lanes."""
        return [x.tolist() if x.ndim else x for x in self]

    def copy(self, *_: Any, **__: Any) -> Any:
        """Return lanes that can be written to."""
        return RULES["copy"](self)

    def view(self, *_: Any) -> Any:
        """Return the same lanes; autograd asks for them."""
        return self

    def astype(self, dtype: Any, *_: Any, **__: Any) -> Any:
        """Return the same lanes as floats."""
        if np.dtype(dtype) != float:
            raise TypeError(f"lanes are not turned into {dtype}")
        return Lanes(self.data * 1.0)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **options: Any) -> Any:
        name = ufunc.__name__
        if any(isbox(x) and isinstance(plain(x), Lanes) for x in args):
            return NotImplemented  # left to autograd, which traces it inside of the function
        if method == "reduce" and name in REDUCTIONS:
            return RULES[REDUCTIONS[name]](*args, **options)
        if method == "at" and name == "add":
            return RULES["add.at"](*args)
        if method != "__call__" or options.keys() - {"dtype"}:
            raise TypeError(f"lanes have no rule for {name} with {method} {[*options]}")
        if name in RULES:
            return RULES[name](*args)
        return elementwise(getattr(NUMPY, name), *args)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        rule = RULES.get(function.__name__)
        if rule is None:
            raise TypeError(f"lanes have no rule for {function.__name__}")
        return rule(*args, **options)


def index_of(at: Any) -> Any:
    """Return an index without lanes: a mask, if it is the same in all of them."""
    if isinstance(at, tuple):
        return tuple(map(index_of, at))
    if not isinstance(at, Lanes):
        return at
    return RULES["mask"](at)


def plain(x: Any) -> Any:
    """Return what autograd traces, itself."""
    while isbox(x):
        x = x._value
    return x


def lifted(x: Any) -> Any:
    """Return `Lanes` for an array of objects that holds some, anything else as it is."""
    x = _unwrapped(x)
    if isinstance(x, list | tuple):
        x = np.array([lifted(item) for item in x] if _holds_lanes(x) else x)
    if not (isinstance(x, np.ndarray) and x.dtype == object):
        return x
    x = x.view(np.ndarray)
    if not x.size:
        return x.astype(float)  # else what it is joined with would become objects
    if not any(isinstance(_unwrapped(item), Lanes) for item in x.ravel()):
        return np.array(x.tolist())  # of numbers, if it has them
    items = [as_lanes(item) for item in map(_unwrapped, x.ravel())]
    n_lanes = max((plain(item.data).shape[-1] for item in items), default=1)
    rows = [anp.broadcast_to(item.data, (*item.shape, n_lanes)) for item in items]
    return Lanes(anp.reshape(anp.stack(rows), (*x.shape, *items[0].shape, n_lanes)))


def _holds_lanes(x: Any) -> bool:
    if isinstance(x, list | tuple):
        return any(_holds_lanes(item) for item in x)
    return isinstance(x, Lanes) or (isinstance(x, np.ndarray) and x.dtype == object)


def _unwrapped(x: Any) -> Any:
    """Return what autograd's `array` has put into an array of no axes."""
    while isinstance(x, np.ndarray) and x.dtype == object and not x.ndim:
        x = x.item()
    return x


def _apart(x: Any) -> Any:
    """Give what is the same in all lanes an axis for them."""
    x = x if isbox(x) else np.asarray(x)
    return x[..., None]


def numbers_of(x: Any) -> Any:
    """Return what broadcasts against lanes' data."""
    x = lifted(x)
    if isinstance(x, Lanes):
        return x.data
    return _apart(x) if np.ndim(plain(x)) else x


def elementwise(function: Callable[..., Any], *args: Any) -> Any:
    """Apply a function of single numbers: shapes broadcast as they do without lanes."""
    return Lanes(function(*(numbers_of(x) for x in args)))


def as_lanes(x: Any) -> Lanes:
    """Return lanes; what is none is the same in all."""
    x = lifted(x)
    return x if isinstance(x, Lanes) else Lanes(_apart(x))
