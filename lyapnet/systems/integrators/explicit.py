"""Explicit Runge-Kutta methods: one stepper for all tableaus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from .tableaus import Tableau


class ExplicitRungeKutta:
    r"""A step of an explicit Runge-Kutta method.

    .. math:: k_i = f(x + h \sum_{j<i} a_{ij} k_j,\; c_i), \qquad x' = x + h \sum_i b_i k_i

    Its derivative is the same combination of the stages' derivatives
    :math:`J_i\,(1 + h \sum_j a_{ij} K_j)`.
    """

    def __init__(self, tableau: Tableau) -> None:
        self.tableau = tableau
        self.order = tableau.order

    def stages(self, f: Callable[..., Any], x: Any, h: Any) -> tuple[list[Any], list[Any]]:
        """Return the states and the slopes of the stages."""
        states: list[Any] = []
        slopes: list[Any] = []
        for row, c in zip(self.tableau.rows, self.tableau.nodes, strict=True):
            states.append(combine(x, h, row, slopes))
            slopes.append(f(states[-1], c))
        return states, slopes

    def step(self, f: Callable[..., Any], j: Any, x: Any, h: Any) -> Any:
        """Return the next state ``(..., n)``."""
        return combine(x, h, self.tableau.weights, self.stages(f, x, h)[1])

    def jacobian(
        self, f: Callable[..., Any], j: Callable[..., Any], x: Any, h: Any, Q: Any = None
    ) -> Any:
        """Return the derivative of the step, ``(..., n, n)``, or what it makes of a basis Q."""
        unit = np.eye(x.shape[-1]) if Q is None else Q
        h_matrix = h[..., None] if np.ndim(h) else h
        slopes: list[Any] = []
        stages = zip(self.tableau.rows, self.tableau.nodes, self.stages(f, x, h)[0], strict=True)
        for row, c, state in stages:
            inner = combine(unit, h_matrix, row, slopes)
            first = Q is None and not slopes
            slopes.append(j(state, c) if first else anp.matmul(j(state, c), inner))
        return combine(unit, h_matrix, self.tableau.weights, slopes)

    def through(self, jacobians: Any, rows: Any, h: float) -> Any:
        """Return tangent vectors ``(..., k, n)`` after a step, given the stages' Jacobians."""
        slopes: list[Any] = []
        for row, D in zip(self.tableau.rows, jacobians, strict=True):
            slopes.append(np.matmul(combine(rows, h, row, slopes), D.swapaxes(-1, -2)))
        return combine(rows, h, self.tableau.weights, slopes)


def combine(x: Any, h: Any, weights: tuple[float, ...], slopes: list[Any]) -> Any:
    """Return x plus h times the weighted sum of slopes."""
    for weight, slope in zip(weights, slopes, strict=False):
        if weight:
            x = x + (h * weight) * slope
    return x
