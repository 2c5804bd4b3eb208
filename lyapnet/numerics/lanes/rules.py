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
    numbers_of,
    plain,
)
from .decisions import is_recording


def along(axis: int, ndim: int) -> int:
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
            axis = tuple(along(i, x.ndim) for i in axes)
        if not axis:
            return x
        axis = axis[0] if len(axis) == 1 else axis
        return Lanes(function(x.data, axis=axis, keepdims=keepdims))

    return rule


def _cumsum(x: Any, axis: int | None = None) -> Any:
    x = as_lanes(x)
    x = reshape(x, (-1,)) if axis is None else x
    return Lanes(anp.cumsum(x.data, axis=along(axis or 0, x.ndim)))


def reshape(x: Any, *shape: Any, order: str | None = "C", **_: Any) -> Any:
    """Give lanes another shape."""
    if order not in ("C", None):
        raise TypeError("lanes are reshaped in C order alone")
    x = as_lanes(x)
    wanted = shape[0] if len(shape) == 1 and np.ndim(shape[0]) else shape
    known = math.prod(i for i in wanted if i != -1)
    wanted = tuple(x.size // max(known, 1) if i == -1 else i for i in wanted)
    return Lanes(anp.reshape(x.data, (*wanted, plain(x.data).shape[-1])))


def transpose(x: Any, *axes: Any) -> Any:
    """Turn the axes of lanes."""
    x = as_lanes(x)
    order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
    order = tuple(reversed(range(x.ndim))) if order is None else order
    return Lanes(anp.transpose(x.data, (*(along(i, x.ndim) for i in order), x.ndim)))


def same_lanes(*lanes: Lanes) -> list[Any]:
    """Return the data of several with as many lanes each."""
    count = max(plain(x.data).shape[-1] for x in lanes)
    return [anp.broadcast_to(x.data, (*x.shape, count)) for x in lanes]


def _joined(stacked: bool, default: int) -> Callable[..., Any]:
    def rule(arrays: Any, axis: int = default, **options: Any) -> Any:
        if options:
            raise TypeError(f"lanes have no rule for joining with {[*options]}")
        lanes = [as_lanes(x) for x in arrays]
        join = anp.stack if stacked else anp.concatenate
        return Lanes(join(same_lanes(*lanes), axis=along(axis, lanes[0].ndim + stacked)))

    return rule


def _split(x: Any, parts: Any, axis: int = 0) -> list[Any]:
    x = as_lanes(x)
    return [Lanes(part) for part in anp.array_split(x.data, parts, axis=along(axis, x.ndim))]


def _roll(x: Any, shift: Any, axis: Any = None) -> Any:
    x = as_lanes(x)
    if axis is None and x.ndim > 1:
        return reshape(_roll(reshape(x, -1), shift), x.shape)
    return Lanes(anp.roll(x.data, shift, axis=along(axis or 0, x.ndim)))


def _diff(x: Any, n: int = 1, axis: int = -1, **options: Any) -> Any:
    if options:
        raise TypeError(f"lanes have no rule for diff with {[*options]}")
    x = as_lanes(x)
    for _ in range(n):
        moved = anp.moveaxis(x.data, along(axis, x.ndim), 0)
        x = Lanes(anp.moveaxis(moved[1:] - moved[:-1], 0, along(axis, x.ndim)))
    return x


def _moved(name: str) -> Callable[..., Any]:
    function = getattr(anp, name)

    def rule(x: Any, *axes: int) -> Any:
        x = as_lanes(x)
        return Lanes(function(x.data, *(along(i, x.ndim) for i in axes)))

    return rule


def _flip(x: Any, axis: int | None = None) -> Any:
    x = as_lanes(x)
    axes = range(x.ndim) if axis is None else [along(axis, x.ndim)]
    return x[tuple(slice(None, None, -1 if i in axes else 1) for i in range(x.ndim))]


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


def _truth(name: str) -> Callable[..., Any]:
    """Return a function of truths."""
    function = getattr(np, name)

    def rule(x: Any, axis: int | None = None, **_: Any) -> Any:
        x = as_lanes(x)
        axes = tuple(range(x.ndim)) if axis is None else along(axis, x.ndim)
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
    "diff": _diff,
    "where": _where,
    **{name: _place_of(name) for name in ("argmax", "argmin")},
    "interp": lambda x, *table, **options: Lanes(NUMPY.interp(as_lanes(x).data, *table, **options)),
    **{name: _truth(name) for name in ("any", "all", "count_nonzero")},
    "repeat": lambda x, *args, **options: NUMPY.repeat(as_lanes(x), *args, **options),
    "atleast_2d": lambda x: x if as_lanes(x).ndim > 1 else reshape(x, 1, -1),
    "mask": _mask,
    "clip": _clip,
    "roll": _roll,
    "flip": _flip,
    "reshape": reshape,
    "ravel": lambda x, *_, **__: reshape(x, -1),
    "flatten": lambda x, *_: reshape(x, -1),
    "transpose": transpose,
    "swapaxes": _moved("swapaxes"),
    "moveaxis": _moved("moveaxis"),
    "squeeze": lambda x: reshape(x, tuple(i for i in as_lanes(x).shape if i != 1)),
    "expand_dims": lambda x, axis: Lanes(
        anp.expand_dims(as_lanes(x).data, along(axis, as_lanes(x).ndim + 1))
    ),
    "atleast_1d": lambda x: reshape(x, 1) if not as_lanes(x).ndim else as_lanes(x),
    "broadcast_to": lambda x, shape, **_: as_lanes(x) + np.zeros(shape),
    "take": lambda x, at, axis=0: Lanes(anp.moveaxis(
        anp.moveaxis(as_lanes(x).data, along(axis, as_lanes(x).ndim), 0)[np.asarray(at)], 0,
        along(axis, as_lanes(x).ndim),
    )),
    "concatenate": _joined(stacked=False, default=0),
    "array_split": _split,
    "split": _split,
    "add.at": _add_at,
    "stack": _joined(stacked=True, default=0),
    "hstack": lambda arrays: _joined(False, 0)([RULES["atleast_1d"](x) for x in arrays], axis=(
        0 if max(as_lanes(x).ndim for x in arrays) < 2 else 1)),
    "shape": lambda x: as_lanes(x).shape,
    "ndim": lambda x: as_lanes(x).ndim,
    "size": lambda x: as_lanes(x).size,
    "result_type": lambda *_: np.dtype(object),  # of what arrays of lanes could be put into
    "iscomplexobj": lambda x: np.iscomplexobj(plain(x.data)),
    **{name: _of_each(name) for name in ("real", "imag", "angle")},
})  # fmt: skip
