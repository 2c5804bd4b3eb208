"""Orbits of flows that carry tangent vectors through the stages of a step, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..numerics.arrays import Array
from .integrators.explicit import ExplicitRungeKutta
from .jacobian_orbit import JacobianOrbit

#: Numbers in the Jacobians of the stages of some steps, which are found at once.
_AT_ONCE = 2**22


class StagedOrbit(JacobianOrbit):
    """An orbit that never forms the Jacobian of a step, unless something else asks for it.

    Those of its stages are found for many steps at once, so that what is called for each of them
    costs little, and they are multiplied by tangent vectors alone, not by each other.

    Attributes
    ----------
    stages : callable (x, u, p)
        From states ``(S, ..., n)``, inputs and parameters to the Jacobians of the field at the
        stages of steps from there ``(stages, S, ..., n, n)``.
    method : ExplicitRungeKutta
    dt : float
    """

    stages: Callable[[Array, Any, Any], Array]
    method: ExplicitRungeKutta
    dt: float
    _first = 0
    _some: Array | None = None

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry tangent vectors through step s."""
        if self.has_jacobians:
            super().push(s, rows, out)
        else:
            out[...] = self.method.through(self._stages_of(s), rows, self.dt)

    def _stages_of(self, s: int) -> Array:
        """Return the Jacobians of the stages of step s, found with those of the next ones."""
        if self._some is None or not 0 <= s - self._first < self._some.shape[1]:
            last = min(self.n_steps, s + _AT_ONCE // _of_a_step(self.method, self.states))
            u = None if self.inputs is None else self.inputs[s:last]
            self._first, self._some = s, None
            self._some = self.stages(self.states[s:last], u, self._params)
        found: Array = self._some[:, s - self._first]
        return found


def few_enough(method: ExplicitRungeKutta, states: Array) -> bool:
    """Say whether there is room for the Jacobians of a step from states ``(T, ..., n)``."""
    return _of_a_step(method, states) <= _AT_ONCE


def _of_a_step(method: ExplicitRungeKutta, states: Array) -> int:
    """Return the numbers in them."""
    return int(states[0].size * states.shape[-1] * len(method.tableau.nodes))


def jacobians_of_stages(
    method: ExplicitRungeKutta,
    bound: Callable[[Any, Any], tuple[Any, Any]],
    dt: float,
) -> Callable[[Array, Any, Any], Array]:
    """Return `stages` of a method, given field and Jacobian within a step (see `Flow`)."""

    def stages(x: Array, u: Any, p: Any) -> Array:
        field, derivative = bound(u, p)
        n, nodes = x.shape[-1], method.tableau.nodes
        states = method.stages(field, x, dt)[0]
        # Of all stages at once; what has been seen to work with a single state may not with more.
        if u is None and x[..., 0].size > 1:
            found = np.asarray(derivative(np.concatenate(states), 0.0))
            found = np.broadcast_to(found, (len(nodes) * len(x), *x.shape[1:], n))
            return found.reshape(len(nodes), *x.shape, n)
        each = (derivative(y, c) for y, c in zip(states, nodes, strict=True))
        return np.stack([np.broadcast_to(D, (*x.shape, n)) for D in each])

    return stages
