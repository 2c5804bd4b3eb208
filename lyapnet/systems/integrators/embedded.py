"""Dormand and Prince's method of order 8 with its own estimate of the error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...compiled.scheme import Scheme
from ...numerics.arrays import Array
from .explicit import ExplicitRungeKutta
from .tableaus import TABLEAUS


class DormandPrince853(ExplicitRungeKutta):
    """A step of order 8 beside which methods of order 5 and 3 stand in the same stages.

    References
    ----------
    E. Hairer, S. P. Norsett and G. Wanner, Solving Ordinary Differential Equations I (Springer,
    1993), II.10.
    """

    #: The estimate of the error is of this order in the step.
    error_order = 8

    def __init__(self) -> None:
        from scipy.integrate import DOP853  # which takes a while to import

        super().__init__(TABLEAUS["dop853"]())
        self._weights = np.stack([DOP853.E5, DOP853.E3])

    def scheme(self) -> Scheme:
        """Return the method as compiled loops are given it."""
        tableau = self.tableau
        matrix = np.zeros((len(tableau.nodes), len(tableau.nodes)))
        for row, given in zip(matrix, tableau.rows, strict=True):
            row[: len(given)] = given
        return Scheme(
            np.array(tableau.nodes), matrix, np.array(tableau.weights), self._weights, 0.0
        )

    def attempt(
        self, f: Callable[..., Any], j: Any, x: Array, h: Array, rtol: float, atol: float
    ) -> tuple[Array, Array]:
        """Return the next state ``(..., n)``, and its error in units of the tolerance ``(...)``."""
        slopes = self.stages(f, x, h)[1]
        new = x + h * np.tensordot(self.tableau.weights, slopes, 1)
        slopes.append(f(new, 1.0))
        scale = atol + rtol * np.maximum(np.abs(x), np.abs(new))
        fifth, third = ((e / scale**2 * e).sum(axis=-1) for e in self._errors(slopes))
        both = np.sqrt((fifth + 0.01 * third) * x.shape[-1])
        ratio = np.divide(fifth, both, out=np.zeros_like(both), where=both != 0)
        return new, np.abs(h[..., 0]) * ratio

    def _errors(self, slopes: list[Array]) -> Array:
        return np.tensordot(self._weights, slopes, 1)
