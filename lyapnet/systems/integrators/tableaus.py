"""Butcher tableaus of explicit Runge-Kutta methods, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Tableau:
    """An explicit Runge-Kutta method.

    Attributes
    ----------
    rows : tuple of tuple of float
        Row i has the weights of the slopes of stages 0 ... i - 1 in the state of stage i.
    weights : tuple of float
        Of the slopes in the next state.
    nodes : tuple of float
        Fraction of the step at which each stage stands.
    order : int
        Of the global error.
    """

    rows: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]
    nodes: tuple[float, ...]
    order: int


def _of(rows: list[list[float]], weights: list[float], order: int) -> Tableau:
    nodes = tuple(sum(row) for row in rows)
    return Tableau(tuple(tuple(row) for row in rows), tuple(weights), nodes, order)


def _dop853() -> Tableau:
    """Return Dormand and Prince's method of order 8, with SciPy's coefficients."""
    from scipy.integrate import DOP853  # which takes a while to import

    s = len(DOP853.B)
    rows = [[float(a) for a in DOP853.A[i, :i]] for i in range(s)]
    nodes = tuple(float(c) for c in DOP853.C[:s])
    return Tableau(tuple(map(tuple, rows)), tuple(map(float, DOP853.B)), nodes, 8)


#: E. Hairer, S. P. Norsett and G. Wanner, Solving Ordinary Differential Equations I (Springer,
#: 1993), II.1 and II.5.
TABLEAUS: dict[str, Callable[[], Tableau]] = {
    "euler": cache(lambda: _of([[]], [1.0], 1)),
    "heun": cache(lambda: _of([[], [1.0]], [0.5, 0.5], 2)),
    "rk4": cache(
        lambda: _of([[], [0.5], [0.0, 0.5], [0.0, 0.0, 1.0]], [1 / 6, 1 / 3, 1 / 3, 1 / 6], 4)
    ),
    "dop853": cache(_dop853),
}
