"""The points of a sweep as a grid, and what its runs have returned as arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..numerics.arrays import Array
from ..results import storage
from ..results.result import import_optional

Point = dict[str, Any]


def distinct(values: Sequence[Any]) -> dict[str, Any]:
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
    axes = {name: distinct([point[name] for point in points]) for name in names}
    axes["seed"] = distinct(sorted(seeds))
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
