"""The orbit of a system written in JAX: no Jacobian is formed, forward or in reverse."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..numerics.arrays import Array
from ..numerics.autodiff import Tree, leaves, rebuild
from ..systems.foreign import ForeignOrbit, Traced
from ..systems.orbit import Cotangent

Step = Callable[[Tree, Any, Any], Any]


class Functions(Traced):
    """A step's map, tangent map and adjoints, compiled once for each shape of their arguments.

    Parameters
    ----------
    step : callable
        ``step(params, x, u)`` of one state ``(n,)`` and input ``(m,)``.
    dtype : dtype
        To compute in.
    """

    def __init__(self, step: Step, dtype: Any) -> None:
        self.step, self.dtype = step, dtype
        self.forget()

    def once(self, params: Tree, h: Array, u: Array) -> Array:
        """Return what the step as it is written makes of one state."""
        with jax.enable_x64(True):
            *p, h, u = (jnp.asarray(x, self.dtype) for x in (*leaves(params), h, u))
            return np.asarray(self.step(rebuild(params, p), h, u))

    def forget(self) -> None:
        """Forget what was compiled: JAX knows functions that it has traced by their identity."""

        def anew(function: Callable[..., Any]) -> Callable[..., Any]:
            return jax.jit(lambda *args: function(*args))

        self.run, self.push, self.pull = anew(self._run), anew(self._push), anew(self._pull)
        self.tangent_adjoint = anew(self._tangent_adjoint)
        self.state_adjoint = anew(self._state_adjoint)

    def _mapped(self, function: Callable[..., Any], axes: int) -> Callable[..., Any]:
        return jax.vmap(function) if axes else function

    def _run(self, params: Tree, x: Any, u: Any) -> Any:
        """Return the states ``(T, ..., n)`` that T steps end in."""

        def advance(x: Any, u: Any) -> tuple[Any, Any]:
            new = self._mapped(partial(self.step, params), x.ndim - 1)(x, u)
            return new, new

        return jax.lax.scan(advance, x, u)[1]

    def _push(self, params: Tree, x: Any, u: Any, rows: Any) -> Any:
        """Multiply rows ``(..., k, n)`` by the Jacobian."""

        def one(x: Any, u: Any, rows: Any) -> Any:
            _, tangent = jax.linearize(lambda x: self.step(params, x, u), x)
            return jax.vmap(tangent)(rows)

        return self._mapped(one, x.ndim - 1)(x, u, rows)

    def _pull(self, params: Tree, x: Any, u: Any, rows: Any) -> Any:
        """Multiply rows ``(..., k, n)`` by the transposed Jacobian."""

        def one(x: Any, u: Any, rows: Any) -> Any:
            _, back = jax.vjp(lambda x: self.step(params, x, u), x)
            return jax.vmap(lambda row: back(row)[0])(rows)

        return self._mapped(one, x.ndim - 1)(x, u, rows)

    def _tangent_adjoint(self, params: Tree, x: Any, u: Any, rows: Any, bars: Any) -> Any:
        """Differentiate ``sum(bars * (D rows))`` in parameters, states and inputs."""

        def total(params: Tree, x: Any, u: Any) -> Any:
            return jnp.sum(bars * jax.vmap(partial(self._push, params))(x, u, rows))

        return jax.grad(total, argnums=(0, 1, 2))(params, x, u)

    def _state_adjoint(self, params: Tree, x: Any, u: Any, bars: Any) -> Any:
        """Differentiate ``sum(bars * states)`` in parameters, first state and inputs."""
        return jax.vjp(self._run, params, x, u)[1](bars)


class JaxOrbit(ForeignOrbit):
    """A stretch of trajectory of a `lyapnet.jax.System`; see `Orbit` for the contract.

    The axes of the ensemble are one for JAX, of B members. Without inputs u has no components.
    """

    def __init__(
        self,
        functions: Functions,
        params: Tree,
        x: Array,
        inputs: Array | None,
        n_steps: int,
        n_inputs: int,
        dtype: Any,
    ) -> None:
        self.inputs = None if inputs is None else inputs[:n_steps]
        self._functions, self._params, self._dtype = functions, params, dtype
        self._lead = x.shape[:-1]
        given = np.zeros((n_steps, n_inputs)) if self.inputs is None else self.inputs
        ones = (1,) * (len(self._lead) - given.ndim + 2)
        given = given.reshape(n_steps, *ones, *given.shape[1:])
        shape = (n_steps, *self._lead, given.shape[-1])
        self._u = self._flat(np.broadcast_to(given, shape), 1)
        first = self._flat(x, 0)
        with jax.enable_x64(True):
            found = np.asarray(functions.run(self._tree(), first, self._u), dtype=float)
        self.states = np.concatenate([x[None], found.reshape(n_steps, *x.shape)])
        self._x = np.concatenate([first[None], found[:-1].astype(dtype)])

    def _tree(self) -> Tree:
        return rebuild(self._params, [np.asarray(p, self._dtype) for p in leaves(self._params)])

    def _flat(self, x: Array, front: int) -> Array:
        """Return ``(*front, ..., n)`` with the ensemble's axes made one, in the precision used."""
        members = (math.prod(self._lead),) if self._lead else ()
        rest = x.shape[front + len(self._lead) :]
        return np.ascontiguousarray(x, self._dtype).reshape(*x.shape[:front], *members, *rest)

    def _apply(self, name: str, s: int, rows: Array, out: Array) -> None:
        function = getattr(self._functions, name)
        with jax.enable_x64(True):
            found = function(self._tree(), self._x[s], self._u[s], self._flat(rows, 0))
        out[...] = np.asarray(found, dtype=float).reshape(rows.shape)

    def tangent_adjoint(self, rows: Array, rows_bar: Array) -> Cotangent:
        """Differentiate ``sum(rows_bar * (D rows))``, reverse mode of forward mode."""
        vectors = (self._flat(x, 1) for x in (rows, rows_bar))
        with jax.enable_x64(True):
            params, x, u = self._functions.tangent_adjoint(self._tree(), self._x, self._u, *vectors)
        return self._cotangent(params, x, u, self.states[:-1].shape)

    def state_adjoint(self, states_bar: Array, inputs: bool = True) -> Cotangent:
        """Backpropagate through time."""
        with jax.enable_x64(True):
            params, x, u = self._functions.state_adjoint(
                self._tree(), self._x[0], self._u, self._flat(states_bar[1:], 1)
            )
        found = self._cotangent(params, x, u, self.states[0].shape)
        found.states = found.states + states_bar[0]
        return found

    def _cotangent(self, params: Tree, x: Any, u: Any, shape: tuple[int, ...]) -> Cotangent:
        inputs = self._inputs_bar(np.array(u, dtype=float))
        bars = [np.array(p, dtype=float) for p in leaves(params)]
        tree = rebuild(self._params, bars) if bars else None
        return Cotangent(np.array(x, dtype=float).reshape(shape), inputs, tree)
