"""Dormand and Prince's method of order 8 with its own estimate of the error."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...compiled.scheme import LACKING, Scheme
from ...numerics.arrays import Array
from .explicit import ExplicitRungeKutta
from .tableaus import TABLEAUS


def longest_reach(rtol: float) -> float:
    """Return the length of a part, times the `rate` of the field, that tolerances allow.

    What the part makes of tangent vectors lacks the ninth term of the exponential series and those
    after it. Where the state rests, or moves slowly while neighbours decay fast, the state's own
    error says nothing of that.
    """
    return float((math.factorial(LACKING) * rtol) ** (1 / LACKING))


def rate(J: Array) -> Array:
    """Return how fast a Jacobian ``(..., n, n)`` may move tangent vectors ``(...)``.

    The norm of its absolute values in units of the components that bring it near its least, their
    spectral radius (L. Collatz, Math. Z. 48, 221, 1942): in the user's units a norm may be as far
    above all rates as these differ. It is zero where no power is left that a step would lack.
    """
    sizes = np.abs(J)
    with np.errstate(all="ignore"):  # of a state on its way out
        power = units = np.ones((*J.shape[:-1], 1))
        for _ in range(LACKING):
            power = np.matmul(sizes, power)
        first = power.max(axis=-2, keepdims=True) ** (1 / LACKING)
        for _ in range(LACKING):
            units = units + np.matmul(sizes, units) / first
        found = (np.matmul(sizes, units) / units).max(axis=(-2, -1))
    return np.where(first[..., 0, 0] == 0, 0.0, found)


class DormandPrince853(ExplicitRungeKutta):
    """A step of order 8 beside which methods of order 5 and 3 stand in the same stages.

    Its error is that of the state, or of tangent vectors where that is larger: see `longest_reach`.

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
        self,
        f: Callable[..., Any],
        j: Callable[..., Any],
        x: Array,
        h: Array,
        rtol: float,
        atol: float,
    ) -> tuple[Array, Array]:
        """Return the next state ``(..., n)``, and its error in units of the tolerance ``(...)``."""
        slopes = self.stages(f, x, h)[1]
        new = x + h * np.tensordot(self.tableau.weights, slopes, 1)
        slopes.append(f(new, 1.0))
        scale = atol + rtol * np.maximum(np.abs(x), np.abs(new))
        fifth, third = ((e / scale**2 * e).sum(axis=-1) for e in self._errors(slopes))
        both = np.sqrt((fifth + 0.01 * third) * x.shape[-1])
        ratio = np.divide(fifth, both, out=np.zeros_like(both), where=both != 0)
        reach = np.abs(h[..., 0]) * rate(j(x, 0.0)) / longest_reach(rtol)
        return new, np.maximum(np.abs(h[..., 0]) * ratio, reach**self.error_order)

    def _errors(self, slopes: list[Array]) -> Array:
        return np.tensordot(self._weights, slopes, 1)
