"""What functions of arrays do to lanes, by autograd's function of the same name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from ..steady import NUMPY
from .array import (
    RULES,
    ConditionDiffers,
    Lanes,
    as_lanes,
    elementwise,
    lifted,
    numbers_of,
    plain,
)
from .decisions import is_recording


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
        x = as_lanes(x)
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


def _cumsum(x: Any, axis: int | None = None) -> Any:
    x = as_lanes(x)
    x = _reshape(x, (-1,)) if axis is None else x
    return Lanes(anp.cumsum(x.data, axis=_along(axis or 0, x.ndim)))


def _matmul(a: Any, b: Any) -> Any:
    """Multiply matrices or vectors; a matrix that all lanes share is multiplied once."""
    a, b = lifted(a), lifted(b)
    m, n = (x.ndim if isinstance(x, Lanes) else np.ndim(plain(x)) for x in (a, b))
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
    count = max(plain(x.data).shape[-1] for x in lanes)
    return [anp.broadcast_to(x.data, (*x.shape, count)) for x in lanes]


def _einsum(subscripts: str, *operands: Any, **options: Any) -> Any:
    if options or "." in subscripts or "z" in subscripts:
        raise TypeError("lanes have no rule for this einsum")
    inputs, _, out = subscripts.replace(" ", "").partition("->")
    if "->" not in subscripts:
        letters = sorted(set(inputs) - {","})
        out = "".join(letter for letter in letters if inputs.count(letter) == 1)
    lanes = _same_lanes(*(as_lanes(x) for x in operands))
    inputs = ",".join(term + "z" for term in inputs.split(","))
    return Lanes(anp.einsum(f"{inputs}->{out}z", *lanes))


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = _same_lanes(as_lanes(a), as_lanes(b))
    m, n = np.ndim(plain(a)) - 1, np.ndim(plain(b)) - 1
    if np.ndim(axes) == 0:
        axes = range(m - axes, m), range(axes)
    left, right = (np.atleast_1d(x).tolist() for x in axes)
    first, second = list(range(m)), list(range(m, m + n))
    for i, j in zip(left, right, strict=True):
        second[j] = first[i]
    out = [i for i in (*first, *second) if (i in first) != (i in second)]
    z = m + n
    return Lanes(anp.einsum(a, [*first, z], b, [*second, z], [*out, z]))


def _outer(a: Any, b: Any) -> Any:
    a, b = (_reshape(as_lanes(x), (-1,)).data for x in (a, b))
    return Lanes(a[:, None] * b[None])


def _reshape(x: Any, *shape: Any, order: str | None = "C", **_: Any) -> Any:
    if order not in ("C", None):
        raise TypeError("lanes are reshaped in C order alone")
    x = as_lanes(x)
    wanted = shape[0] if len(shape) == 1 and np.ndim(shape[0]) else shape
    known = math.prod(i for i in wanted if i != -1)
    wanted = tuple(x.size // max(known, 1) if i == -1 else i for i in wanted)
    return Lanes(anp.reshape(x.data, (*wanted, plain(x.data).shape[-1])))


def _transpose(x: Any, *axes: Any) -> Any:
    x = as_lanes(x)
    order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
    order = tuple(reversed(range(x.ndim))) if order is None else order
    return Lanes(anp.transpose(x.data, (*(_along(i, x.ndim) for i in order), x.ndim)))


def _joined(stacked: bool, default: int) -> Callable[..., Any]:
    def rule(arrays: Any, axis: int = default, **options: Any) -> Any:
        if options:
            raise TypeError(f"lanes have no rule for joining with {[*options]}")
        lanes = [as_lanes(x) for x in arrays]
        join = anp.stack if stacked else anp.concatenate
        return Lanes(join(_same_lanes(*lanes), axis=_along(axis, lanes[0].ndim + stacked)))

    return rule


def _split(x: Any, parts: Any, axis: int = 0) -> list[Any]:
    x = as_lanes(x)
    return [Lanes(part) for part in anp.array_split(x.data, parts, axis=_along(axis, x.ndim))]


def _roll(x: Any, shift: Any, axis: Any = None) -> Any:
    x = as_lanes(x)
    if axis is None and x.ndim > 1:
        return _reshape(_roll(_reshape(x, -1), shift), x.shape)
    return Lanes(anp.roll(x.data, shift, axis=_along(axis or 0, x.ndim)))


def _diff(x: Any, n: int = 1, axis: int = -1, **options: Any) -> Any:
    if options:
        raise TypeError(f"lanes have no rule for diff with {[*options]}")
    x = as_lanes(x)
    for _ in range(n):
        moved = anp.moveaxis(x.data, _along(axis, x.ndim), 0)
        x = Lanes(anp.moveaxis(moved[1:] - moved[:-1], 0, _along(axis, x.ndim)))
    return x


def _moved(name: str) -> Callable[..., Any]:
    function = getattr(anp, name)

    def rule(x: Any, *axes: int) -> Any:
        x = as_lanes(x)
        return Lanes(function(x.data, *(_along(i, x.ndim) for i in axes)))

    return rule


def _flip(x: Any, axis: int | None = None) -> Any:
    x = as_lanes(x)
    axes = range(x.ndim) if axis is None else [_along(axis, x.ndim)]
    return x[tuple(slice(None, None, -1 if i in axes else 1) for i in range(x.ndim))]


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = as_lanes(x)
    if ord not in (None, 2) or (ord == 2 and axis is None and x.ndim > 1):
        raise TypeError("lanes have no rule for this norm")
    return elementwise(anp.sqrt, RULES["sum"](x * x, axis=axis, keepdims=keepdims))


def _diag(x: Any, k: int = 0) -> Any:
    x = as_lanes(x)
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
        return np.full(as_lanes(x).shape, fill, dtype=object)

    return rule


def _of_each(name: str) -> Callable[..., Any]:
    """Return the function of single numbers of this name, which is no ufunc."""
    return lambda x: elementwise(getattr(anp, name), as_lanes(x))


def _clip(x: Any, low: Any = None, high: Any = None, **_: Any) -> Any:
    x = x if low is None else elementwise(anp.maximum, x, low)
    return x if high is None else elementwise(anp.minimum, x, high)


def _where(condition: Any, *choices: Any) -> Any:
    if len(choices) != 2:
        raise TypeError("lanes differ in where a condition holds")
    return elementwise(anp.where, condition, *choices)


def _place_of(name: str) -> Callable[..., Any]:
    """Return what finds the place of an extreme, in lanes where it is the same."""

    def rule(x: Any, axis: int | None = None, **_: Any) -> int:
        if x.ndim != 1 or axis not in (None, 0, -1) or is_recording():
            raise TypeError(f"lanes have no rule for {name} along an axis, nor in a field")
        at = getattr(np, name)(plain(x.data), axis=0)
        if (at != at[0]).any():
            raise ConditionDiffers(at == at[0])
        return int(at[0])

    return rule


def _of_matrices(name: str) -> Callable[..., Any]:
    """Return a function of linear algebra, of the matrices of all lanes."""
    function = getattr(anp.linalg, name)

    def rule(*arrays: Any) -> Any:
        lanes = [anp.moveaxis(x, -1, 0) for x in _same_lanes(*map(as_lanes, arrays))]
        vector = len(lanes) == 2 and np.ndim(plain(lanes[1])) == 2
        if vector:
            lanes[1] = lanes[1][..., None]
        found = function(*lanes)
        return Lanes(anp.moveaxis(found[..., 0] if vector else found, 0, -1))

    return rule


def _transform(name: str) -> Callable[..., Any]:
    """Return a Fourier transform along one axis."""
    function = getattr(anp.fft, name)

    def rule(x: Any, n: int | None = None, axis: int = -1) -> Any:
        x = as_lanes(x)
        return Lanes(function(x.data, n, axis=_along(axis, x.ndim)))

    return rule


def _truth(name: str) -> Callable[..., Any]:
    """Return a function of truths."""
    function = getattr(np, name)

    def rule(x: Any, axis: int | None = None, **_: Any) -> Any:
        x = as_lanes(x)
        axes = tuple(range(x.ndim)) if axis is None else _along(axis, x.ndim)
        return Lanes(function(plain(x.data), axis=axes))

    return rule


def _mask(at: Lanes) -> Any:
    """Return lanes of truths as a mask, where they are the same in all."""
    if at.dtype.kind != "b" or is_recording():
        raise TypeError("an index differs between lanes")
    mask = np.asarray(plain(at.data))
    as_first = (mask == mask[..., :1]).reshape(-1, mask.shape[-1]).all(axis=0)
    if not as_first.all():
        raise ConditionDiffers(as_first)
    return mask[..., 0]


def _add_at(x: Lanes, at: Any, more: Any) -> None:
    """Add to elements of lanes, to one as often as it is named; autograd asks for it."""
    where = np.arange(x.size).reshape(x.shape)[at]
    place = np.eye(x.size)[:, where.ravel()]
    added = anp.broadcast_to(numbers_of(more), (*where.shape, plain(as_lanes(more).data).shape[-1]))
    x.data = x.data + anp.reshape(place @ anp.reshape(added, (where.size, -1)), (*x.shape, -1))


RULES.update({
    **{name: _reduction(name) for name in ("sum", "mean", "prod", "max", "min", "var", "std")},
    "amax": _reduction("max"),
    "amin": _reduction("min"),
    "cumsum": _cumsum,
    "matmul": _matmul,
    "dot": _matmul,
    "inner": lambda a, b: _matmul(a, _transpose(b) if np.ndim(b) == 2 else b),
    "vdot": lambda a, b: _matmul(_reshape(a, -1), _reshape(b, -1)),
    "einsum": _einsum,
    "tensordot": _tensordot,
    "outer": _outer,
    "trace": lambda x: RULES["sum"](_diag(x)),
    "diag": _diag,
    "diff": _diff,
    "norm": _norm,
    "where": _where,
    **{name: _place_of(name) for name in ("argmax", "argmin")},
    "interp": lambda x, *table, **options: Lanes(NUMPY.interp(as_lanes(x).data, *table, **options)),
    **{name: _of_matrices(name) for name in ("solve", "inv", "det")},
    **{name: _transform(name) for name in ("fft", "ifft", "rfft", "irfft")},
    **{name: _truth(name) for name in ("any", "all", "count_nonzero")},
    "repeat": lambda x, *args, **options: NUMPY.repeat(as_lanes(x), *args, **options),
    "atleast_2d": lambda x: x if as_lanes(x).ndim > 1 else _reshape(x, 1, -1),
    "mask": _mask,
    "clip": _clip,
    "roll": _roll,
    "flip": _flip,
    "reshape": _reshape,
    "ravel": lambda x, *_, **__: _reshape(x, -1),
    "flatten": lambda x, *_: _reshape(x, -1),
    "transpose": _transpose,
    "swapaxes": _moved("swapaxes"),
    "moveaxis": _moved("moveaxis"),
    "squeeze": lambda x: _reshape(x, tuple(i for i in as_lanes(x).shape if i != 1)),
    "expand_dims": lambda x, axis: Lanes(
        anp.expand_dims(as_lanes(x).data, _along(axis, as_lanes(x).ndim + 1))
    ),
    "atleast_1d": lambda x: _reshape(x, 1) if not as_lanes(x).ndim else as_lanes(x),
    "broadcast_to": lambda x, shape, **_: as_lanes(x) + np.zeros(shape),
    "take": lambda x, at, axis=0: Lanes(anp.moveaxis(
        anp.moveaxis(as_lanes(x).data, _along(axis, as_lanes(x).ndim), 0)[np.asarray(at)], 0,
        _along(axis, as_lanes(x).ndim),
    )),
    "concatenate": _joined(stacked=False, default=0),
    "array_split": _split,
    "split": _split,
    "add.at": _add_at,
    "stack": _joined(stacked=True, default=0),
    "hstack": lambda arrays: _joined(False, 0)([RULES["atleast_1d"](x) for x in arrays], axis=(
        0 if max(as_lanes(x).ndim for x in arrays) < 2 else 1)),
    "zeros_like": _like(0.0),
    "empty_like": _like(0.0),
    "ones_like": _like(1.0),
    "copy": lambda x, *_, **__: Lanes(as_lanes(x).data),
    "shape": lambda x: as_lanes(x).shape,
    "ndim": lambda x: as_lanes(x).ndim,
    "size": lambda x: as_lanes(x).size,
    "result_type": lambda *_: np.dtype(object),  # of what arrays of lanes could be put into
    "iscomplexobj": lambda x: np.iscomplexobj(plain(x.data)),
    **{name: _of_each(name) for name in ("real", "imag", "angle")},
})  # fmt: skip
