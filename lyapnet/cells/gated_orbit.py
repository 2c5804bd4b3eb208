"""What the orbits of gated cells share."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from ..numerics.arrays import Array
from ..numerics.buffers import empty
from ..systems.orbit import Cotangent, Orbit
from .gated import GatedCell
from .products import contract, through_drive, times, transposed

#: Closer to saturation than this the derivatives of all gates are taken from their arguments:
#: in 1 - sigma and 1 - tanh**2 digits cancel.
_SATURATED = 1e-5

#: A step's matrices may have this many numbers, and so many times those of the tangent vectors.
_FEW, _DENSE = 2**14, 8


def rowwise(x: Array, W: Array, out: Array) -> None:
    """Multiply states ``(..., n)`` by matrices ``(..., n, m)`` that one or all networks have."""
    if W.ndim == 2:
        times(x, W, out=out)
    else:
        np.matmul(x[..., None, :], W, out=out[..., None, :])


class GatedOrbit(Orbit):
    """The frame of a gated cell's orbit: what does not depend on its gates.

    A subclass has `_run`, `_linearise`, `push`, `pull` and `tangent_adjoint`, coefficients A of the
    gates if it uses `stacked`, and

    ``_driven(received)``
        given the cotangents ``(T, ..., dim)`` of the states that steps end in: those of the
        gates' recurrent parts and of their drives V u + b, ``(T, ..., gates N)`` each, and of
        parameters beyond W, V and b;
    """

    #: Coefficients ``(T, ..., N)`` of the gates in the tangent step.
    A: list[Array]

    def __init__(self, cell: GatedCell, x: Array, inputs: Array | None, n_steps: int) -> None:
        self.cell = cell
        self.n = cell.units
        self.W, self.V, self.b = (cell.params[name] for name in "WVb")
        self.inputs = None if inputs is None else inputs[:n_steps]
        self.states = empty((n_steps + 1, *x.shape))
        self.states[0] = x
        self._scratch: dict[str, Array] = {}
        self._size = x.size * self.n  # numbers in the matrices of one step
        with np.errstate(over="ignore", invalid="ignore"):
            self._begin(n_steps, x.shape[:-1])

    @cached_property
    def transposed(self) -> Array:
        """:math:`W^T` for `times`."""
        return transposed(self.W)

    def _begin(self, n_steps: int, lead: tuple[int, ...]) -> None:
        """Run all steps and linearise them."""
        values = np.empty((n_steps, *lead, len(self.cell.gates) * self.n))
        self._run(values, self._drive(n_steps))
        gates = values.reshape(*values.shape[:-1], -1, self.n)
        self.values = np.ascontiguousarray(np.moveaxis(gates, -2, 0))
        self._linearise()

    def _resolved(self, *slopes: Array) -> tuple[Any, ...]:
        """Return 1 - sigma and 1 - tanh**2, of the arguments where digits would cancel in these."""
        if not any(x.size and x.min() < _SATURATED for x in slopes):
            return slopes
        exact: tuple[Any, ...] = self.cell._values(self.states[:-1], self._u)[1]
        return exact

    @property
    def _u(self) -> Array | None:
        """The inputs as the cell's functions take them."""
        return self.inputs if self.cell.n_inputs else None

    def _run(self, values: Array, drive: Array) -> None:
        """Run all steps; put the gates into `values`, ``(T, ..., gates N)``."""
        raise NotImplementedError

    def _linearise(self) -> None:
        """Compute the coefficients of all tangent steps."""
        raise NotImplementedError

    def _dense(self, rows: Array) -> bool:
        """Say whether to multiply tangent vectors by a step's matrices, not by all weights.

        These are fewer numbers than the weights, unless members share them; but a single vector
        is multiplied sooner than they are made.
        """
        if rows.shape[-2] > 1 and self._size <= self.W.size:
            return True
        return self._size <= _FEW + _DENSE * rows.size

    @cached_property
    def stacked(self) -> list[Array]:
        """Coefficients of all gates ``(..., 1, gates N)`` for each step."""
        return list(np.concatenate(self.A, axis=-1)[..., None, :])

    def _into(self, vectors: Iterable[Array], at: int | slice, out: Array) -> None:
        """Put the coefficients times a vector for each gate into `out`, ``(..., k, gates N)``."""
        n = self.n
        for j, (A, x) in enumerate(zip(self.A, vectors, strict=True)):
            np.multiply(x, A[at][..., None, :], out=out[..., j * n : (j + 1) * n])

    def _drive(self, n_steps: int) -> Array:
        """Return V u + b for all steps in one matrix product."""
        if self.inputs is None or not self.cell.n_inputs:
            return np.broadcast_to(self.b, (n_steps, *self.b.shape))
        return times(self.inputs[..., None, :], transposed(self.V))[..., 0, :] + self.b

    def _room(self, name: str, shape: tuple[int, ...]) -> Array:
        """Return scratch of a shape, the same one at every call."""
        if name not in self._scratch or self._scratch[name].shape != shape:
            self._scratch[name] = np.empty(shape)
        return self._scratch[name]

    @property
    def jacobians(self) -> Array:
        """Jacobians of all steps ``(T, ..., n, n)``."""
        return np.asarray(self.cell.jacobian(self.states[:-1], self._u))

    def _driven(self, received: Array) -> tuple[Array, Array, dict[str, Array]]:
        raise NotImplementedError

    def state_adjoint(self, states_bar: Array, inputs: bool = True) -> Cotangent:
        """Backpropagate through time: a state's cotangent is pulled like a tangent vector's."""
        bars = np.array(states_bar)
        rows = list(bars[..., None, :])
        back = np.empty(rows[0].shape)
        for s in reversed(range(self.n_steps)):
            self.pull(s, rows[s + 1], back)
            rows[s] += back
        recurrent, drive, more = self._driven(bars[1:])
        inputs_bar, params = self._into_gates(recurrent, drive)
        return Cotangent(bars[0], inputs_bar, {**params, **more})

    def _into_gates(self, recurrent: Array, drive: Array) -> tuple[Array | None, dict[str, Array]]:
        """Return the cotangents of inputs and of W, V, b, given those of the gates."""
        h = self.states[:-1, ..., : self.n]
        inputs, params = through_drive(drive, self.inputs, self.V, self.b)
        params["W"] = contract(recurrent[..., None, :], h[..., None, :], self.W.shape)
        return inputs, params
