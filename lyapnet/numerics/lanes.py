"""Many arrays in the place of one: a function that a user wrote for one state runs on all at once.

A `Lanes` answers like an array, to NumPy's and autograd's functions alike; every operation is done
on all lanes by autograd's function of the same name, so that it can be traced. What has no rule
here is refused with a TypeError: then the function is run state by state.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.tracer import isbox

from .arrays import Array


class Lanes(np.lib.mixins.NDArrayOperatorsMixin):
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
        return tuple(np.shape(_plain(self.data))[:-1])

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
        return _plain(self.data).dtype

    @property
    def T(self) -> Any:
        """The transpose of each lane."""
        return _RULES["transpose"](self)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (Lanes(self.data[i]) for i in range(len(self)))

    def __getitem__(self, at: Any) -> Any:
        at = at if isinstance(at, tuple) else (at,)
        if any(isinstance(i, Lanes) for i in at):
            raise TypeError("an index differs between lanes")
        return Lanes(self.data[(*at, slice(None)) if Ellipsis in at else at])

    def __bool__(self) -> bool:
        if _plain(self.data).size > 1:
            raise TypeError("a condition differs between lanes")
        return bool(_plain(self.data))

    def __getattr__(self, name: str) -> Any:
        """Return a method of the name: one of an array, or what NumPy calls on objects."""
        if name in _METHODS:
            return lambda *args, **options: _RULES[name](self, *args, **options)
        ufunc = getattr(np, name, None)
        if isinstance(ufunc, np.ufunc):
            return lambda *args: ufunc(self, *args)
        raise AttributeError(name)

    def copy(self, *_: Any, **__: Any) -> Any:
        """Return the same lanes: they are never written to."""
        return Lanes(self.data)

    def view(self, *_: Any) -> Any:
        """Return the same lanes; autograd asks for them."""
        return self

    def astype(self, dtype: Any, *_: Any, **__: Any) -> Any:
        """Return the same lanes as floats."""
        if dtype not in (float, np.float64):
            raise TypeError(f"lanes are not turned into {dtype}")
        return Lanes(self.data * 1.0)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *args: Any, **options: Any) -> Any:
        name = ufunc.__name__
        if method == "reduce" and name in _REDUCTIONS:
            return _RULES[_REDUCTIONS[name]](*args, **options)
        if method != "__call__" or options.keys() - {"dtype"}:
            raise TypeError(f"lanes have no rule for {name} with {method} {[*options]}")
        if name in _RULES:
            return _RULES[name](*args)
        if name in _DECISIONS:
            return _decided(name, *args)
        return elementwise(getattr(anp, name), *args)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        rule = _RULES.get(function.__name__)
        if rule is None:
            raise TypeError(f"lanes have no rule for {function.__name__}")
        return rule(*args, **options)


def _plain(x: Any) -> Any:
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
    if not any(isinstance(_unwrapped(item), Lanes) for item in x.ravel()):
        return x
    items = [_as_lanes(item) for item in map(_unwrapped, x.ravel())]
    n_lanes = max((_plain(item.data).shape[-1] for item in items), default=1)
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


def _data(x: Any) -> Any:
    """Return what broadcasts against lanes' data."""
    x = lifted(x)
    if isinstance(x, Lanes):
        return x.data
    return _apart(x) if np.ndim(_plain(x)) else x


def elementwise(function: Callable[..., Any], *args: Any) -> Any:
    """Apply a function of single numbers: shapes broadcast as they do without lanes."""
    return Lanes(function(*(_data(x) for x in args)))


def _along(axis: int, ndim: int) -> int:
    """Return the number of an axis, counted from the front."""
    if not -ndim <= axis < ndim:
        raise ValueError(f"axis {axis} is out of bounds for {ndim} axes")
    return axis % ndim


def _reduction(name: str) -> Callable[..., Any]:
    function = getattr(anp, name)

    def rule(x: Any, axis: Any = None, keepdims: bool = False, **options: Any) -> Any:
        if any(option is not None for option in options.values()):
            raise TypeError(f"lanes have no rule for {name} with {[*options]}")
        x = _as_lanes(x)
        if axis is None:
            axis = tuple(range(x.ndim))
        else:
            axes = axis if isinstance(axis, tuple) else (axis,)
            axis = tuple(_along(i, x.ndim) for i in axes)
        if not axis:
            return x
        axis = axis[0] if len(axis) == 1 else axis
        return Lanes(function(x.data, axis=axis, keepdims=keepdims))

    return rule


def _as_lanes(x: Any) -> Lanes:
    x = lifted(x)
    return x if isinstance(x, Lanes) else Lanes(_apart(x))


def _cumsum(x: Any, axis: int | None = None) -> Any:
    x = _as_lanes(x)
    x = _reshape(x, (-1,)) if axis is None else x
    return Lanes(anp.cumsum(x.data, axis=_along(axis or 0, x.ndim)))


def _matmul(a: Any, b: Any) -> Any:
    """Multiply matrices or vectors; a matrix that all lanes share is multiplied once."""
    a, b = lifted(a), lifted(b)
    m, n = (x.ndim if isinstance(x, Lanes) else np.ndim(_plain(x)) for x in (a, b))
    if 0 in (m, n):
        return elementwise(anp.multiply, a, b)
    if max(m, n) > 2:
        raise TypeError("lanes have no rule for products of more than two axes")
    left, right = "ij"[2 - m :], "jk"[:n]
    if not isinstance(a, Lanes):
        return Lanes(anp.tensordot(a, b.data, 1))
    if not isinstance(b, Lanes):
        product = anp.tensordot(b.T if n == 2 else b, anp.moveaxis(a.data, m - 1, 0), 1)
        return Lanes(anp.moveaxis(product, 0, -2) if n == 2 and m == 2 else product)
    out = left.replace("j", "") + right.replace("j", "")
    return Lanes(anp.einsum(f"{left}z,{right}z->{out}z", *_same_lanes(a, b)))


def _same_lanes(*lanes: Lanes) -> list[Any]:
    """Return the data of several with as many lanes each."""
    count = max(_plain(x.data).shape[-1] for x in lanes)
    return [anp.broadcast_to(x.data, (*x.shape, count)) for x in lanes]


def _einsum(subscripts: str, *operands: Any, **options: Any) -> Any:
    if options or "." in subscripts or "z" in subscripts:
        raise TypeError("lanes have no rule for this einsum")
    inputs, _, out = subscripts.replace(" ", "").partition("->")
    if "->" not in subscripts:
        letters = sorted(set(inputs) - {","})
        out = "".join(letter for letter in letters if inputs.count(letter) == 1)
    lanes = _same_lanes(*(_as_lanes(x) for x in operands))
    inputs = ",".join(term + "z" for term in inputs.split(","))
    return Lanes(anp.einsum(f"{inputs}->{out}z", *lanes))


def _outer(a: Any, b: Any) -> Any:
    a, b = (_reshape(_as_lanes(x), (-1,)).data for x in (a, b))
    return Lanes(a[:, None] * b[None])


def _reshape(x: Any, *shape: Any, order: str = "C", **_: Any) -> Any:
    if order != "C":
        raise TypeError("lanes are reshaped in C order alone")
    x = _as_lanes(x)
    wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], list | tuple) else shape
    known = math.prod(i for i in wanted if i != -1)
    wanted = tuple(x.size // max(known, 1) if i == -1 else i for i in wanted)
    return Lanes(anp.reshape(x.data, (*wanted, _plain(x.data).shape[-1])))


def _transpose(x: Any, *axes: Any) -> Any:
    x = _as_lanes(x)
    order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
    order = tuple(reversed(range(x.ndim))) if order is None else order
    return Lanes(anp.transpose(x.data, (*(_along(i, x.ndim) for i in order), x.ndim)))


def _joined(stacked: bool, default: int) -> Callable[..., Any]:
    def rule(arrays: Any, axis: int = default, **options: Any) -> Any:
        if options:
            raise TypeError(f"lanes have no rule for joining with {[*options]}")
        lanes = [_as_lanes(x) for x in arrays]
        join = anp.stack if stacked else anp.concatenate
        return Lanes(join(_same_lanes(*lanes), axis=_along(axis, lanes[0].ndim + stacked)))

    return rule


def _roll(x: Any, shift: Any, axis: Any = None) -> Any:
    x = _as_lanes(x)
    if axis is None and x.ndim > 1:
        return _reshape(_roll(_reshape(x, -1), shift), x.shape)
    return Lanes(anp.roll(x.data, shift, axis=_along(axis or 0, x.ndim)))


def _diff(x: Any, n: int = 1, axis: int = -1, **options: Any) -> Any:
    if options:
        raise TypeError(f"lanes have no rule for diff with {[*options]}")
    x = _as_lanes(x)
    for _ in range(n):
        moved = anp.moveaxis(x.data, _along(axis, x.ndim), 0)
        x = Lanes(anp.moveaxis(moved[1:] - moved[:-1], 0, _along(axis, x.ndim)))
    return x


def _moved(name: str) -> Callable[..., Any]:
    function = getattr(anp, name)

    def rule(x: Any, *axes: int) -> Any:
        x = _as_lanes(x)
        return Lanes(function(x.data, *(_along(i, x.ndim) for i in axes)))

    return rule


def _flip(x: Any, axis: int | None = None) -> Any:
    x = _as_lanes(x)
    axes = range(x.ndim) if axis is None else [_along(axis, x.ndim)]
    return x[tuple(slice(None, None, -1 if i in axes else 1) for i in range(x.ndim))]


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = _as_lanes(x)
    if ord not in (None, 2) or (ord == 2 and axis is None and x.ndim > 1):
        raise TypeError("lanes have no rule for this norm")
    return elementwise(anp.sqrt, _RULES["sum"](x * x, axis=axis, keepdims=keepdims))


def _diag(x: Any, k: int = 0) -> Any:
    x = _as_lanes(x)
    if x.ndim == 2:
        rows = np.arange(max(0, -k), min(x.shape[0], x.shape[1] - k))
        return x[rows, rows + k]
    n = len(x) + abs(k)
    place = np.zeros((n, n, len(x)))
    place[np.arange(len(x)) + max(0, -k), np.arange(len(x)) + max(0, k), np.arange(len(x))] = 1.0
    return Lanes(anp.tensordot(place, x.data, 1))


def _like(fill: float) -> Callable[..., Any]:
    """Return an array of objects, whose elements may be set to lanes."""

    def rule(x: Any, *_: Any, **__: Any) -> Any:
        return np.full(_as_lanes(x).shape, fill, dtype=object)

    return rule


def _clip(x: Any, low: Any = None, high: Any = None, **_: Any) -> Any:
    x = x if low is None else elementwise(anp.maximum, x, low)
    return x if high is None else elementwise(anp.minimum, x, high)


def _where(condition: Any, *choices: Any) -> Any:
    if len(choices) != 2:
        raise TypeError("lanes differ in where a condition holds")
    return elementwise(anp.where, condition, *choices)


@dataclass
class Decision:
    """One evaluation of a function that jumps: its value is that of a region.

    Attributes
    ----------
    of : array (*shape, M)
        What decides, traced or not; its region lies between `low` and `high`.
    outcome : array (*shape, M)
        A sign, or a whole number.
    """

    of: Any
    outcome: Array
    kind: str

    @property
    def edges(self) -> tuple[Array, Array]:
        """Lower and upper end of the region."""
        o = self.outcome
        if self.kind == "sign":
            return np.where(o < 0, -np.inf, 0.0), np.where(o > 0, np.inf, 0.0)
        if self.kind == "trunc":
            return o - (o <= 0), o + (o >= 0)
        below, above = {"floor": (0.0, 1.0), "ceil": (1.0, 0.0), "rint": (0.5, 0.5)}[self.kind]
        return o - below, o + above


class Decisions(threading.local):
    """The record that is being kept, if any, and what decisions are made to be."""

    made: list[Decision] | None = None
    forced: Sequence[Array] = ()


_decisions = Decisions()


@contextmanager
def recording(forced: Sequence[Array] = ()) -> Iterator[list[Decision]]:
    """Record the decisions that functions make in here, the first of them as they are told.

    Parameters
    ----------
    forced : sequence of array
        Outcomes of the first decisions.
    """
    before = _decisions.made, _decisions.forced
    _decisions.made, _decisions.forced = [], forced
    try:
        yield _decisions.made
    finally:
        _decisions.made, _decisions.forced = before


def _decide(kind: str, x: Any) -> Any:
    """Return the outcome of a decision, as constant lanes."""
    data = _as_lanes(x).data
    outcome = getattr(np, kind)(_plain(data))
    made = _decisions.made
    if made is not None:
        if len(made) < len(_decisions.forced):
            outcome = _decisions.forced[len(made)]
        made.append(Decision(data, outcome, kind))
    return Lanes(outcome)


def _decided(name: str, *args: Any) -> Any:
    """Evaluate a function that jumps: constant, but for where it does."""
    if name in ("sign", "floor", "ceil", "trunc", "rint"):
        return _decide(name, args[0])
    if name in ("remainder", "floor_divide", "fmod"):
        x, m = args
        count = _decide("trunc" if name == "fmod" else "floor", _as_lanes(x) / m)
        return count if name == "floor_divide" else x - m * count
    if name == "heaviside":
        sign = _plain(_decide("sign", args[0]).data)
        return Lanes(np.where(sign == 0, _plain(_data(args[1])), sign > 0))
    sign = _plain(_decide("sign", _as_lanes(args[0]) - args[1]).data)
    return Lanes(getattr(np, name)(sign, 0))


#: Functions that jump.
_DECISIONS = {"sign", "heaviside", "floor", "ceil", "trunc", "rint", "remainder", "floor_divide"}
_DECISIONS |= {"fmod", "greater", "greater_equal", "less", "less_equal"}

_REDUCTIONS = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min"}

_RULES: dict[str, Callable[..., Any]] = {
    **{name: _reduction(name) for name in ("sum", "mean", "prod", "max", "min", "var", "std")},
    "amax": _reduction("max"),
    "amin": _reduction("min"),
    "cumsum": _cumsum,
    "matmul": _matmul,
    "dot": _matmul,
    "inner": lambda a, b: _matmul(a, _transpose(b) if np.ndim(b) == 2 else b),
    "vdot": lambda a, b: _matmul(_reshape(a, -1), _reshape(b, -1)),
    "einsum": _einsum,
    "outer": _outer,
    "trace": lambda x: _RULES["sum"](_diag(x)),
    "diag": _diag,
    "diff": _diff,
    "norm": _norm,
    "where": _where,
    "clip": _clip,
    "roll": _roll,
    "flip": _flip,
    "reshape": _reshape,
    "ravel": lambda x, *_, **__: _reshape(x, -1),
    "flatten": lambda x, *_: _reshape(x, -1),
    "transpose": _transpose,
    "swapaxes": _moved("swapaxes"),
    "moveaxis": _moved("moveaxis"),
    "squeeze": lambda x: _reshape(x, tuple(i for i in _as_lanes(x).shape if i != 1)),
    "expand_dims": lambda x, axis: Lanes(
        anp.expand_dims(_as_lanes(x).data, _along(axis, _as_lanes(x).ndim + 1))
    ),
    "atleast_1d": lambda x: _reshape(x, 1) if not _as_lanes(x).ndim else _as_lanes(x),
    "broadcast_to": lambda x, shape, **_: _as_lanes(x) + np.zeros(shape),
    "take": lambda x, at, axis=0: Lanes(anp.moveaxis(
        anp.moveaxis(_as_lanes(x).data, _along(axis, _as_lanes(x).ndim), 0)[np.asarray(at)], 0,
        _along(axis, _as_lanes(x).ndim),
    )),
    "concatenate": _joined(stacked=False, default=0),
    "stack": _joined(stacked=True, default=0),
    "hstack": lambda arrays: _joined(False, 0)([_RULES["atleast_1d"](x) for x in arrays], axis=(
        0 if max(_as_lanes(x).ndim for x in arrays) < 2 else 1)),
    "zeros_like": _like(0.0),
    "empty_like": _like(0.0),
    "ones_like": _like(1.0),
    "copy": lambda x, *_, **__: Lanes(_as_lanes(x).data),
    "shape": lambda x: _as_lanes(x).shape,
    "ndim": lambda x: _as_lanes(x).ndim,
    "size": lambda x: _as_lanes(x).size,
    "real": lambda x: _as_lanes(x),
}  # fmt: skip

#: Those that an array has as methods.
_METHODS = {"sum", "mean", "prod", "max", "min", "var", "std", "cumsum", "dot", "trace", "clip"}
_METHODS |= {"reshape", "ravel", "flatten", "transpose", "swapaxes", "squeeze", "take"}


def in_lanes(function: Callable[..., Any], x: Array, u: Any, p: Any) -> Any:
    """Evaluate a user's function of one state on all states ``(..., n)``.

    Parameters
    ----------
    function : callable (x, u, p)
    x : array (..., n)
    u : array (..., m) or None
        Of the same leading axes.
    p : tree
        Leaves that differ between states, or are traced, are `Lanes`.
    """
    lead = x.shape[:-1]
    count = math.prod(lead)

    def columns(a: Any) -> Lanes:
        return Lanes(anp.reshape(a, (-1, a.shape[-1])).T)

    y = _as_lanes(function(columns(x), None if u is None else columns(u), p))
    data = anp.broadcast_to(y.data, (*y.shape, count))
    return anp.reshape(anp.moveaxis(data, -1, 0), (*lead, *y.shape))
