"""Orbits whose state is a past that moves on: all but the first components are shifted."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ..numerics.arrays import Array
from ..numerics.autodiff import Function, Tree
from .compiled_orbit import CompiledOrbit
from .jacobian_orbit import JacobianOrbit
from .orbit import Cotangent


class DelayOrbit(JacobianOrbit):
    """An orbit of states (x(t), x(t - dt), ...), where a step looks at few of the components.

    Parameters
    ----------
    states, inputs, params
        As for `JacobianOrbit`.
    step, jacobian : callable (z, u, p)
        The new x ``(..., n)``, and its Jacobian, as functions of the components looked at.
    columns : array (c,) of int
        Which these are.
    n : int
        Components of x.
    """

    def __init__(
        self,
        states: Array,
        inputs: Array | None,
        params: Tree,
        step: Function,
        jacobian: Function,
        columns: Array,
        n: int,
    ) -> None:
        super().__init__(states, inputs, params, step, jacobian)
        self.members_last = False
        self._columns, self._n = columns, n

    @property
    def _points(self) -> Array:
        return self.states[:-1][..., self._columns]

    @cached_property
    def _compact(self) -> Array:
        """Jacobians of the new x, ``(T, ..., n, c)``."""
        assert self._jacobian is not None
        found = np.asarray(self._jacobian(self._points, self.inputs, self._params), dtype=float)
        return np.broadcast_to(found, (*self.states[:-1].shape[:-1], self._n, len(self._columns)))

    @property
    def jacobians(self) -> Array:
        """Jacobians of all steps ``(T, ..., dim, dim)``, mostly zeros."""
        dim, n = self.states.shape[-1], self._n
        found = np.zeros((*self.states[:-1].shape, dim))
        found[..., n:, :-n] = np.eye(dim - n)
        found[..., :n, self._columns] = self._compact
        return found

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry tangent vectors through step s."""
        n = self._n
        out[..., n:] = rows[..., :-n]
        out[..., :n] = np.matmul(rows[..., self._columns], self._compact[s].swapaxes(-1, -2))

    def pull(self, s: int, rows: Array, out: Array, forward: Array | None = None) -> None:
        """Carry cotangent vectors back through step s."""
        n = self._n
        out[..., -n:] = 0.0
        out[..., :-n] = rows[..., n:]
        out[..., self._columns] += np.matmul(rows[..., :n], self._compact[s])

    def tangent_adjoint(self, rows: Array, rows_bar: Array) -> Cotangent:
        """Differentiate ``sum(rows_bar * (D rows))`` through the Jacobian of the new x."""
        bar = np.matmul(rows_bar[..., : self._n].swapaxes(-1, -2), rows[..., self._columns])
        through = self._pull_through(self._jacobian, bar, "jacobian")
        return Cotangent(self._spread(through.states), through.inputs, through.params)

    def state_adjoint(self, states_bar: Array, inputs: bool = True) -> Cotangent:
        """Carry cotangents of the states back to the first one, then through all steps at once."""
        bars = states_bar.copy()
        for s in reversed(range(self.n_steps)):
            back = np.empty_like(bars[s][..., None, :])
            self.pull(s, bars[s + 1][..., None, :], back)
            bars[s] += back[..., 0, :]
        through = self.through_steps(bars[1:][..., : self._n])
        return Cotangent(bars[0], through.inputs, through.params)

    def _spread(self, bar: Any) -> Array:
        """Put the cotangent of what a step looks at into that of the state."""
        found = np.zeros_like(self.states[:-1])
        found[..., self._columns] = bar
        return found


class CompiledDelayOrbit(CompiledOrbit, DelayOrbit):
    """The same, run by compiled loops.

    Parameters
    ----------
    columns, n
        As for `DelayOrbit`.
    given
        As for `CompiledOrbit`, with the step and Jacobian of a `DelayOrbit`.
    """

    def __init__(self, columns: Array, n: int, *given: Any) -> None:
        CompiledOrbit.__init__(self, *given)
        self.members_last = False
        self._columns, self._n = columns, n

    def _like(self, *given: Any) -> CompiledOrbit:
        return CompiledDelayOrbit(self._columns, self._n, *given)
