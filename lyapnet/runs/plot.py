"""Pictures of sweeps."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..results.axes import BLUE, new_axes
from .grid import columns, distinct


def plot_sweep(result: Any, value: str | None, ax: Any) -> Any:
    """Draw a value over the one parameter that varies: see `SweepResult.plot`."""
    names = list(result.points[0]) if result.points else []
    vary = [n for n in names if len(distinct([p.get(n) for p in result.points])) > 1]
    given = ", ".join(map(repr, vary)) or "none"
    if len(vary) != 1:
        raise ValueError(f"`plot` needs one parameter that varies, got {given}: use `to_xarray`")
    (name,) = vary
    numbers = [point.get(name) for point in result.points]
    if not all(isinstance(x, int | float | np.number) for x in numbers):
        raise ValueError(f"`plot` needs a numeric parameter, not {name!r}: use `to_dataframe`")
    x = np.asarray(numbers, dtype=float)
    arrays = columns(result.values, result.errors)
    found = {key: y for key, y in arrays.items() if y.ndim == 1 and y.dtype.kind != "c"}
    if value is None and len(found) == 1:
        (value,) = found
    if value not in found:
        known = sorted(found)
        raise ValueError(f"`value` must be one of {known}, which are numbers; got {value!r}")
    y = found[value]
    ax = new_axes(ax)
    several = len(set(result.seeds)) > 1
    if several:
        ax.plot(x, y, "o", ms=4, alpha=0.5, mec="none", color=BLUE, label="seeds")
    at = np.unique(x)
    groups = [y[(x == one) & ~np.isnan(y)] for one in at]
    middle = [np.median(group) if len(group) else np.nan for group in groups]
    ax.plot(at, middle, ".-", color=BLUE, lw=1.4, label="median")
    ax.set_xlabel(name)
    ax.set_ylabel(value)
    if several:
        ax.legend(frameon=False)
    return ax
