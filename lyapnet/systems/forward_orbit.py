"""Orbits of large systems, through which few tangent vectors go without Jacobians."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..numerics.arrays import Array
from ..numerics.autodiff import Function, Tree, pushed
from .jacobian_orbit import JacobianOrbit

#: Dimension from which on a forward pass for each step costs less than n reverse passes for all
#: steps, and the components that a state then has for each tangent vector at least.
LARGE, _EACH = 64, 8


class ForwardOrbit(JacobianOrbit):
    """An orbit that pushes tangent vectors forward where these are few.

    It is a `JacobianOrbit` for many of them, and for whatever else asks for Jacobians.

    Attributes
    ----------
    carry_through : callable (x, rows, u, p) or None
        From a state, tangent vectors ``(..., k, n)``, the input and parameters of a step to the
        tangent vectors after it.
    """

    carry_through: Any = None

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry tangent vectors through step s."""
        k, n = rows.shape[-2:]
        if self.carry_through is None or k * _EACH > n or self.has_jacobians:
            super().push(s, rows, out)
            return
        now = None if self.inputs is None else self.inputs[s]
        try:
            out[...] = self.carry_through(self.states[s], rows, now, self._params)
        except (NotImplementedError, TypeError, ValueError, AttributeError):
            # Autograd has no rule for going forward, or none at all: going back will say so.
            self.carry_through = None
            super().push(s, rows, out)


def forward_through(step: Function) -> Any:
    """Return how tangent vectors go through a step by forward differentiation."""

    def carry(x: Array, rows: Array, u: Any, p: Tree) -> Array:
        with np.errstate(all="ignore"):
            return pushed(step, x, rows, u, p)

    return carry
