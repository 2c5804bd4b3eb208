"""What a sweep has found, on the grid of its parameters: as arrays, and as a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..numerics.arrays import Array
from ..results import storage
from ..results.axes import BLUE, new_axes
from ..results.result import Result, import_optional
from ..results.storage import register

if TYPE_CHECKING:
    import pandas
    import xarray
    from matplotlib.axes import Axes


Point = dict[str, Any]


def _distinct(values: Sequence[Any]) -> dict[str, Any]:
    """Return the different ones among parameters' values, in their order, by their text."""
    return {_text(x): x for x in values}


def _text(value: Any) -> str:
    return json.dumps(storage.plain(value), sort_keys=True)


def columns(values: Sequence[Any], errors: Sequence[str | None]) -> dict[str, Array]:
    """Return arrays ``(runs, ...)`` of what the runs returned, by name; NaN where one failed.

    Raises
    ------
    TypeError, ValueError
        If values are not numbers, arrays or dictionaries of such, all of the same shapes.
    """
    good = [i for i, error in enumerate(errors) if error is None]
    if not good:
        raise ValueError("all runs have failed, see `errors`: there are no values")
    trees = [values[i] if isinstance(values[i], Mapping) else {"value": values[i]} for i in good]
    names = list(trees[0])
    if any(set(tree) != set(names) for tree in trees):
        raise ValueError("the runs returned different names: use `values`, or `to_dataframe`")
    found = {}
    for name in names:
        parts = [_array(name, tree[name]) for tree in trees]
        shapes = sorted({x.shape for x in parts})
        if len(shapes) > 1:
            raise ValueError(
                f"the runs returned {name!r} of different shapes, {shapes[0]} and {shapes[1]}: "
                "use `values`"
            )
        failed = len(good) < len(values)
        kind = np.result_type(*parts, float) if failed else np.result_type(*parts)
        found[str(name)] = np.full((len(values), *shapes[0]), np.nan if failed else 0, kind)
        found[str(name)][good] = parts
    return found


def _array(name: Any, value: Any) -> Array:
    numbers = (np.ndarray, np.generic, list, tuple, int, float, complex)
    x = np.asarray(value) if isinstance(value, numbers) else None
    if x is None or x.dtype.kind not in "biufc":
        raise TypeError(
            f"the function returned for {name!r} a {type(value).__name__}, and only numbers and "
            "arrays make a grid: let it return these, such as {'first': s.exponents[0]}, or use "
            "`values`"
        )
    return x


def dataset(
    points: Sequence[Point],
    seeds: Sequence[int],
    values: Sequence[Any],
    errors: Sequence[str | None],
) -> Any:
    """Return an `xarray.Dataset` with a dimension for each parameter, and one for the seeds.

    Raises
    ------
    ValueError
        If the runs are not all points of a grid, with the same seeds each.
    """
    xarray = import_optional("xarray")
    names = list(points[0]) if points else []
    if not points or any(set(point) != set(names) for point in points):
        raise ValueError("the points do not make a grid: use `to_dataframe`")
    axes = {name: _distinct([point[name] for point in points]) for name in names}
    axes["seed"] = _distinct(sorted(seeds))
    keys = {name: {key: i for i, key in enumerate(axis)} for name, axis in axes.items()}
    shape = tuple(len(axis) for axis in axes.values())
    runs = [{**point, "seed": seed} for point, seed in zip(points, seeds, strict=True)]
    at = [tuple(keys[name][_text(run[name])] for name in axes) for run in runs]
    if len(set(at)) != len(points) or len(points) != np.prod(shape):
        raise ValueError(
            f"{len(points)} runs do not make a grid of {' x '.join(map(str, shape))} ("
            f"{', '.join(axes)}): use `to_dataframe`, or wait until all runs are done"
        )
    where = np.array(at).T
    found = columns(values, errors)
    both = sorted(set(found) & set(axes))
    if both:
        raise ValueError(f"{both[0]!r} is both a parameter and a value: use `to_dataframe`")
    arrays = {}
    for name, x in found.items():
        out = np.empty((*shape, *x.shape[1:]), x.dtype)
        out[tuple(where)] = x
        arrays[name] = ((*axes, *(f"{name}_{i}" for i in range(x.ndim - 1))), out)
    ticks = {name: [_tick(x) for x in axis.values()] for name, axis in axes.items()}
    return xarray.Dataset(arrays, coords=ticks)


def _tick(x: Any) -> Any:
    """Return a parameter as a coordinate: a number or text, whatever else as its text."""
    return x if isinstance(x, str | bool | int | float | np.generic) else str(x)


def plot_sweep(result: Any, value: str | None, ax: Any) -> Any:
    """Draw a value over the one parameter that varies: see `SweepResult.plot`."""
    names = list(result.points[0]) if result.points else []
    vary = [n for n in names if len(_distinct([p.get(n) for p in result.points])) > 1]
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


@register
@dataclass(frozen=True, repr=False, eq=False)
class SweepResult(Result):
    """What `sweep` returns, in the order of the grid, all seeds of a point together.

    Attributes
    ----------
    points : list of dict
        Parameters of each run.
    seeds : list of int
        Number of each run among those of its point.
    values : list
        What the function returned; None where it failed.
    errors : list of str or None
        The traceback where it failed.
    seconds : list of float
        Time that each run took.
    """

    points: list[Point]
    seeds: list[int]
    values: list[Any] = field(repr=False)
    errors: list[str | None] = field(repr=False)
    seconds: list[float] = field(repr=False)

    def _summary(self) -> dict[str, Any]:
        failed = sum(error is not None for error in self.errors)
        names = ", ".join(self.points[0]) if self.points else ""
        return {"runs": len(self.points), "failed": failed, "parameters": names}

    def to_dataframe(self) -> pandas.DataFrame:
        """Return a `pandas.DataFrame`: a row for each run, a column for each parameter and value.

        A dictionary gives a column for each of its entries, anything else a column ``value``.
        Where runs have failed, a column ``error`` has the last line of their traceback.

        Raises
        ------
        ImportError
            Without pandas: ``pip install "lyapnet[io]"``.
        """
        rows = []
        for i, (point, seed) in enumerate(zip(self.points, self.seeds, strict=True)):
            value, error = self.values[i], self.errors[i]
            found = value if isinstance(value, Mapping) else {"value": value}
            if error is not None:
                found = {"error": error.strip().splitlines()[-1]}
            rows.append({**point, "seed": seed, **found})
        return import_optional("pandas").DataFrame(rows)

    def to_xarray(self) -> xarray.Dataset:
        """Return an `xarray.Dataset`: dimensions are the parameters, ``seed``, the value's.

        A dictionary gives a variable for each of its entries, anything else a variable
        ``value``; the own axes of an array ``x`` are called ``x_0``, ``x_1`` and so on. Where a
        run has failed, its numbers are NaN.

        Raises
        ------
        ImportError
            Without xarray: ``pip install "lyapnet[io]"``.
        ValueError
            If the points are not a full grid, or the values differ in names or shapes.
        TypeError
            If the function returned something else than numbers, arrays or dictionaries of such.
        """
        return dataset(self.points, self.seeds, self.values, self.errors)

    def plot(self, ax: Axes | None = None, *, value: str | None = None) -> Axes:
        """Draw a value over the one parameter that varies: seeds and their median; return the Axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        value : str, optional
            Which entry, where the function returned a dictionary with several numbers.

        Raises
        ------
        ValueError
            If not exactly one parameter varies, or it or the value is not a number.
        """
        return plot_sweep(self, value, ax)


def result_of(runs: list[dict[str, Any]]) -> SweepResult:
    """Gather what runs have found."""
    return SweepResult(
        points=[run["point"] for run in runs],
        seeds=[run["seed"] for run in runs],
        values=[run["value"] for run in runs],
        errors=[run["error"] for run in runs],
        seconds=[run["seconds"] for run in runs],
    )
