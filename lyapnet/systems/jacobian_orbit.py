"""Orbits whose Jacobians are arrays, or whose tangent steps are the user's products."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from ..numerics.arrays import Array, own, unbroadcast
from ..numerics.autodiff import Function, Tree, traced
from ..numerics.refusals import refuse_foreign
from .orbit import Cotangent, Orbit

#: Up to this dimension an ensemble's tangent step is written out in components.
SMALL_DIM = 4


class JacobianOrbit(Orbit):
    """An orbit whose Jacobians are arrays; derivatives of these come from autograd.

    Parameters
    ----------
    states : array (T + 1, ..., n)
    inputs : array (T, ..., m) or None
    params : tree
    step, jacobian : callable (x, u, p)
        The system's step and its Jacobian for all states at once.
    jacobians : array (T, ..., n, n), optional
        Known already.
    """

    def __init__(
        self,
        states: Array,
        inputs: Array | None = None,
        params: Tree = None,
        step: Function | None = None,
        jacobian: Function | None = None,
        jacobians: Array | None = None,
    ) -> None:
        self.states = states
        self.inputs = inputs
        self._params = params
        self._step = step
        self._jacobian = jacobian
        if jacobians is not None:
            self.__dict__["jacobians"] = jacobians
        self.members_last = states.ndim > 2 and states.shape[-1] <= SMALL_DIM

    @cached_property
    def jacobians(self) -> Array:
        """Jacobians of all steps ``(T, ..., n, n)``."""
        assert self._jacobian is not None
        found = self._jacobian(self.states[:-1], self.inputs, self._params)
        found = np.asarray(refuse_foreign(found, "jacobian"), dtype=float)
        n = self.states.shape[-1]
        if found.shape[-2:] != (n, n):
            raise ValueError(
                f"`jacobian` must return arrays (..., {n}, {n}), got shape {found.shape} for "
                f"states of shape {self.states[:-1].shape}"
            )
        return np.broadcast_to(found, self.states[:-1].shape + self.states.shape[-1:])

    @cached_property
    def _components(self) -> Array:
        """Jacobians with the ensemble as the last axis in memory, for work by components."""
        moved = np.moveaxis(self.jacobians, (-2, -1), (1, 2))
        return np.ascontiguousarray(moved)

    @property
    def _points(self) -> Array:
        """What step and Jacobian are functions of, for all steps."""
        return self.states[:-1]

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry tangent vectors through step s."""
        if rows.ndim == 2:
            np.dot(rows, self.jacobians[s].T, out=out)
        elif self.members_last:
            _by_components(self._components[s].swapaxes(0, 1), rows, out)
        else:
            np.matmul(rows, self.jacobians[s].swapaxes(-1, -2), out=out)

    def pull(self, s: int, rows: Array, out: Array, forward: Array | None = None) -> None:
        """Carry cotangent vectors back through step s."""
        np.matmul(rows, self.jacobians[s], out=out)

    def tangent_adjoint(self, rows: Array, rows_bar: Array) -> Cotangent:
        """Differentiate ``sum(rows_bar * (D rows))`` through the Jacobian function."""
        jacobians_bar = np.matmul(rows_bar.swapaxes(-1, -2), rows)
        return self._pull_through(self._jacobian, jacobians_bar, "jacobian")

    def state_adjoint(self, states_bar: Array, inputs: bool = True) -> Cotangent:
        """Carry cotangents of the states back to the first one, then through all steps at once."""
        bars = states_bar.copy()
        for s in reversed(range(self.n_steps)):
            bars[s] += np.matmul(bars[s + 1][..., None, :], self.jacobians[s])[..., 0, :]
        through = self.through_steps(bars[1:])
        return Cotangent(bars[0], through.inputs, through.params)

    def through_steps(self, bars: Array) -> Cotangent:
        """Pull cotangents ``(T, ..., n)`` of what steps yield back to inputs and parameters."""
        return self._pull_through(self._step, bars, "step", states=False)

    def _pull_through(
        self, function: Function | None, bar: Array, name: str, states: bool = True
    ) -> Cotangent:
        """Apply the vector-Jacobian product of step or Jacobian in states, inputs, parameters."""
        if function is None:
            return Cotangent(np.zeros_like(self.states[:-1]), None, None)
        x = self._points
        fixed = {"x": x, "u": self.inputs, "p": self._params}
        free = {k: v for k, v in fixed.items() if v is not None and (states or k != "x")}

        def call(free: Any) -> Any:
            a = {**fixed, **{k: free[k] for k in free.keys()}}  # noqa: SIM118 - autograd's box
            return function(a["x"], a["u"], a["p"])

        if not free:
            return Cotangent(np.zeros_like(x), None, None)
        vjp, y = traced(call, name)(free)
        found = vjp(unbroadcast(bar, np.shape(y)))
        return Cotangent(found.get("x", np.zeros_like(x)), found.get("u"), found.get("p"))


class PushforwardOrbit(JacobianOrbit):
    """An orbit whose tangent steps are products that need no Jacobians.

    Attributes
    ----------
    pushforward : callable (x, Q) or (x, Q, u)
        From a state ``(..., n)`` and a basis ``(..., n, k)`` to the Jacobian times the basis. Only
        derivatives ask for Jacobians.
    """

    pushforward: Callable[..., Any]

    @cached_property
    def jacobians(self) -> Array:  # of products with unit vectors
        """Jacobians of all steps ``(T, ..., n, n)``."""
        n = self.states.shape[-1]
        unit = np.broadcast_to(np.eye(n), (*self.states.shape[1:-1], n, n))
        found = np.empty((self.n_steps, *unit.shape))
        for s in range(self.n_steps):
            self.push(s, unit, found[s])
        return found.swapaxes(-1, -2)

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry tangent vectors through step s."""
        now = () if self.inputs is None else (self.inputs[s],)
        found = self.pushforward(own(self.states[s]), own(rows.swapaxes(-1, -2)), *now)
        expected = (*rows.shape[:-2], rows.shape[-1], rows.shape[-2])
        if np.shape(found) != expected:
            raise ValueError(
                f"`pushforward` must return the shape {expected} of the basis that it is given, "
                f"got {np.shape(found)}"
            )
        out[...] = refuse_foreign(found, "pushforward").swapaxes(-1, -2)


def _by_components(jacobian: Array, rows: Array, out: Array) -> None:
    """Multiply ``(n, n, ..., )`` by rows ``(..., k, n)``: vectorised over the ensemble."""
    n = rows.shape[-1]
    for i in range(n):
        target = out[..., i]
        np.multiply(jacobian[0, i][..., None], rows[..., 0], out=target)
        for j in range(1, n):
            target += jacobian[j, i][..., None] * rows[..., j]
