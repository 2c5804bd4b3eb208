"""Pictures of sweeps."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..numerics.arrays import Array
from ..results.axes import BLUE, new_axes
from .grid import columns, distinct

#: So many values of a parameter are marked on the axis of a plane, each.
_FEW = 9


def plot_sweep(result: Any, value: str | None, ax: Any) -> Any:
    """Draw a value over one or two parameters that vary: see `SweepResult.plot`."""
    names = list(result.points[0]) if result.points else []
    vary = [n for n in names if len(distinct([p.get(n) for p in result.points])) > 1]
    given = ", ".join(map(repr, vary)) or "none"
    if len(vary) not in (1, 2):
        raise ValueError(
            f"`plot` needs one or two parameters that vary, got {given}: use `to_xarray`"
        )
    x = [_numbers(result, name) for name in vary]
    value, y = _chosen(result, value)
    ax = new_axes(ax)
    ax.set_xlabel(vary[0])
    if len(vary) == 2:
        ax.set_ylabel(vary[1])
        _draw_plane(ax, x[0], x[1], y, value)
        return ax
    ax.set_ylabel(value)
    _draw_line(ax, x[0], y, several=len(set(result.seeds)) > 1)
    return ax


def _numbers(result: Any, name: str) -> Array:
    """Return a parameter of all runs."""
    numbers = [point.get(name) for point in result.points]
    if not all(isinstance(x, int | float | np.number) for x in numbers):
        raise ValueError(f"`plot` needs a numeric parameter, not {name!r}: use `to_dataframe`")
    return np.asarray(numbers, dtype=float)


def _chosen(result: Any, value: str | None) -> tuple[str, Array]:
    """Return the name of what is to be drawn, and its values."""
    arrays = columns(result.values, result.errors)
    found = {key: y for key, y in arrays.items() if y.ndim == 1 and y.dtype.kind != "c"}
    if value is None and len(found) == 1:
        (value,) = found
    if value is None or value not in found:
        known = sorted(found)
        raise ValueError(f"`value` must be one of {known}, which are numbers; got {value!r}")
    return value, found[value]


def _median(y: Array) -> float:
    """Return the median of the runs that have not failed."""
    y = y[~np.isnan(y)]
    return float(np.median(y)) if len(y) else np.nan


def _draw_line(ax: Any, x: Array, y: Array, several: bool) -> None:
    if several:
        ax.plot(x, y, "o", ms=4, alpha=0.5, mec="none", color=BLUE, label="seeds")
    at = np.unique(x)
    middle = [_median(y[x == one]) for one in at]
    ax.plot(at, middle, ".-", color=BLUE, lw=1.4, label="median")
    if several:
        ax.legend(frameon=False)


def _draw_plane(ax: Any, a: Array, b: Array, y: Array, label: str) -> None:
    """Draw medians over a plane; values of both signs in colours that part at zero."""
    at = np.unique(a), np.unique(b)
    plane = np.array([[_median(y[(a == i) & (b == j)]) for i in at[0]] for j in at[1]])
    finite = plane[np.isfinite(plane)]
    look: dict[str, Any] = {"cmap": "viridis"}
    if len(finite) and finite.min() < 0 < finite.max():
        most = np.abs(finite).max()
        look = {"cmap": "RdBu_r", "vmin": -most, "vmax": most}
    shown = ax.pcolormesh(*at, np.ma.masked_invalid(plane), shading="nearest", **look)
    for values, set_ticks in zip(at, (ax.set_xticks, ax.set_yticks), strict=True):
        if len(values) <= _FEW:
            set_ticks(values)
    ax.set_facecolor("0.85")  # where there is none
    ax.figure.colorbar(shown, ax=ax, label=label)
