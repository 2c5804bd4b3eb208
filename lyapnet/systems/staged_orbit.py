"""Orbits of flows that carry tangent vectors through the stages of a step, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..numerics.arrays import Array
from .integrators import CONTROLLED
from .integrators.explicit import ExplicitRungeKutta
from .jacobian_orbit import JacobianOrbit

#: Dimension from which on autograd carries few tangent vectors through a step in less time than it
#: takes for the Jacobians of its stages.
_LARGE = 160

#: Numbers in the Jacobians of the stages of some steps, which are found at once.
_AT_ONCE = 2**22

#: From an input and parameters to field and Jacobian within a step.
Bound = Callable[[Any, Any], tuple[Any, Any]]


class StagedOrbit(JacobianOrbit):
    """An orbit that never forms the Jacobian of a step, unless something else asks for it.

    Those of its stages are found for many steps at once, so that what is called for each of them
    costs little, and they are multiplied by tangent vectors alone, not by each other.

    Parameters
    ----------
    method : ExplicitRungeKutta
    dt : float
    bound : callable (u, p)
        Returns field and Jacobian within a step (see `Flow`).
    given
        As for `JacobianOrbit`.
    """

    def __init__(self, method: ExplicitRungeKutta, dt: float, bound: Bound, *given: Any) -> None:
        super().__init__(*given)
        self.method, self.dt, self._bound = method, dt, bound
        self._first, self._some = 0, np.zeros((0, 0))

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry tangent vectors through step s."""
        if self.has_jacobians:
            super().push(s, rows, out)
        else:
            out[...] = self.method.through(self._stages_of(s), rows, self.dt)

    def _stages_of(self, s: int) -> Array:
        """Return the Jacobians of the stages of step s, found with those of the next ones."""
        if not 0 <= s - self._first < self._some.shape[1]:
            last = min(self.n_steps, s + _AT_ONCE // _of_a_step(self.method, self.states))
            u = None if self.inputs is None else self.inputs[s:last]
            self._first, self._some = s, self._stages(self.states[s:last], u)
        found: Array = self._some[:, s - self._first]
        return found

    def _stages(self, x: Array, u: Array | None) -> Array:
        """Return the Jacobians of the field at the stages of steps from states ``(S, ..., n)``.

        They have the shape ``(stages, S, ..., n, n)``.
        """
        field, derivative = self._bound(u, self._params)
        n, nodes = x.shape[-1], self.method.tableau.nodes
        states = self.method.stages(field, x, self.dt)[0]
        # Of all stages at once; what has been seen to work with a single state may not with more.
        if u is None and x[..., 0].size > 1:
            found = np.asarray(derivative(np.concatenate(states), 0.0))
            found = np.broadcast_to(found, (len(nodes) * len(x), *x.shape[1:], n))
            return found.reshape(len(nodes), *x.shape, n)
        each = (derivative(y, c) for y, c in zip(states, nodes, strict=True))
        return np.stack([np.broadcast_to(D, (*x.shape, n)) for D in each])


def goes_by_stages(flow: Any, states: Array) -> bool:
    """Say whether few tangent vectors are best carried so, and there is room for the Jacobians."""
    cheap = not flow.differentiated or flow.dim < _LARGE
    explicit = isinstance(flow._method, ExplicitRungeKutta) and flow.method not in CONTROLLED
    return cheap and explicit and _of_a_step(flow._method, states) <= _AT_ONCE


def _of_a_step(method: ExplicitRungeKutta, states: Array) -> int:
    """Return the numbers in the Jacobians of a step from states ``(T, ..., n)``."""
    return int(states[0].size * states.shape[-1] * len(method.tableau.nodes))
