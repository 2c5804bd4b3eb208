"""What a sweep has found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..results.result import Result, import_optional
from ..results.storage import register
from .grid import Point, dataset
from .plot import plot_sweep

if TYPE_CHECKING:
    import pandas
    import xarray
    from matplotlib.axes import Axes


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
        """Draw a value over the one or two parameters that vary; return the Axes.

        Over one, seeds and their median; over two, medians in a plane, in colours that part at
        zero if values of both signs occur.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        value : str, optional
            Which entry, where the function returned a dictionary with several numbers.

        Raises
        ------
        ValueError
            If no parameter varies, or more than two, or one of them or the value is not a number.
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
