"""Flows written by the user, integrated with a fixed step."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from .. import validate
from ..compiled.trace import as_symbols, linear
from ..numerics.autodiff import Tree
from .map import Map

#: Explicit Runge-Kutta methods: the rows of their Butcher tableau, and its weights.
TABLEAUS: dict[str, tuple[list[list[float]], list[float]]] = {
    "euler": ([[]], [1.0]),
    "heun": ([[], [1.0]], [0.5, 0.5]),
    "rk4": ([[], [0.5], [0.0, 0.5], [0.0, 0.0, 1.0]], [1 / 6, 1 / 3, 1 / 3, 1 / 6]),
}


class Flow(Map):
    r"""A flow :math:`\dot x = f(x)`, integrated with a fixed step.

    One step is one step of an explicit Runge-Kutta method, under constant input, and the
    tangent step is its exact derivative: what is measured are the exponents of the
    numerical map, which converge to those of the flow with the order of the method.

    Parameters
    ----------
    field : callable
        ``field(x)``, ``field(x, u)``, ``field(x, p)`` or ``field(x, u, p)``, written like
        the step of a `Map`.
    dim : int
        Dimension n of the state.
    dt : float
        Time step.
    jacobian : callable, optional
        The derivative of the *field* in x, ``(n, n)``; by autograd if left out.
    n_inputs, params, vectorized
        As for `Map`.
    method : {"rk4", "heun", "euler"}, optional
        Of order 4, 2 and 1.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import lyapnet as ln
    >>> decay = ln.Flow(lambda x: -x, 1, dt=0.1)
    >>> float(decay.step(np.array([1.0]))[0])  # exp(-0.1) up to dt^5 / 120
    0.9048375
    """

    named = "field"

    def __init__(
        self,
        field: Callable[..., Any],
        dim: int,
        *,
        dt: float,
        jacobian: Callable[..., Any] | None = None,
        n_inputs: int = 0,
        params: Tree = None,
        method: str = "rk4",
        vectorized: bool = False,
    ) -> None:
        self.dt = validate.real("dt", dt, positive=True)
        self.method = validate.option("method", method, TABLEAUS)
        super().__init__(
            field, dim, jacobian=jacobian, n_inputs=n_inputs, params=params, vectorized=vectorized
        )
        self._field, self._field_jacobian = self._step, self._jacobian
        self._step = self._stepped
        self._jacobian = None if jacobian is None else self._stepped_jacobian

    def _stages(self, x: Any, u: Any, p: Tree) -> tuple[list[Any], list[Any]]:
        """Return the states and the slopes of the stages."""
        states: list[Any] = []
        slopes: list[Any] = []
        for row in TABLEAUS[self.method][0]:
            states.append(_combine(x, self.dt, row, slopes))
            slopes.append(self._field(states[-1], u, p))
        return states, slopes

    def _stepped(self, x: Any, u: Any, p: Tree) -> Any:
        return _combine(x, self.dt, TABLEAUS[self.method][1], self._stages(x, u, p)[1])

    def _stepped_jacobian(self, x: Any, u: Any, p: Tree) -> Any:
        """Differentiate the step: the same combination of the stages' derivatives."""
        assert self._field_jacobian is not None
        rows, weights = TABLEAUS[self.method]
        unit = np.eye(self.dim)
        slopes: list[Any] = []
        for row, state in zip(rows, self._stages(x, u, p)[0], strict=True):
            inner = _combine(unit, self.dt, row, slopes)
            slopes.append(anp.matmul(self._field_jacobian(state, u, p), inner))
        return _combine(unit, self.dt, weights, slopes)

    def written(self, x: Any, u: Any, p: Tree, dt: Any) -> tuple[Any, Any]:
        """Return what compiled loops are made of; see `Map.written`."""
        other = copy.copy(self)
        other.dt = dt
        field, jacobian = self._on_symbols()
        other._field = lambda x, u, p: as_symbols(field(x, u, p))
        if jacobian is None:
            return other._stepped(x, u, p), None
        rows, weights = TABLEAUS[self.method]
        states, slopes = other._stages(x, u, p)
        jacobians = [jacobian(state, u, p) for state in states]

        def push(q: Any) -> Any:
            pushed: list[Any] = []
            for row, D in zip(rows, jacobians, strict=True):
                pushed.append(linear(D, _combine(q, dt, row, pushed)))
            return _combine(q, dt, weights, pushed)

        return _combine(x, dt, weights, slopes), push


def _combine(x: Any, dt: float, weights: list[float], slopes: list[Any]) -> Any:
    for weight, slope in zip(weights, slopes, strict=False):
        if weight:
            x = x + (dt * weight) * slope
    return x
