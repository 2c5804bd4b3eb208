"""The orbit of an echo state network: its run, its tangent steps and their adjoints."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..numerics.arrays import Array
from ..systems.orbit import Cotangent, Orbit
from .products import overlap, through_drive, times


class EchoStateOrbit(Orbit):
    r"""A stretch of an echo state network's trajectory; see `Orbit` for the contract.

    `slope` is the diagonal :math:`\alpha \phi'(a_s)` of the pre-activations
    :math:`a_s = W x_s + V u_{s+1} + b`, so that :math:`D_s = (1 - \alpha) I +
    \mathrm{diag}(\mathrm{slope}_s) W`.
    """

    def __init__(self, cell: Any, x: Array, inputs: Array | None, n_steps: int) -> None:
        self.cell, self.leak, self.weights = cell, cell.leak, cell.weights
        self.V, self.b = cell.params["V"], cell.params["b"]
        self.inputs = None if inputs is None else inputs[:n_steps]
        self.states = np.empty((n_steps + 1, *x.shape))
        self.states[0] = x
        arguments = np.empty((n_steps, *x.shape))
        rates = np.empty((n_steps, *x.shape))
        with np.errstate(over="ignore", invalid="ignore"):
            for s, drive in enumerate(self._drive(n_steps)):
                h = self.states[s]
                arguments[s] = self.weights.forward(h[..., None, :])[..., 0, :]
                arguments[s] += drive
                rates[s] = cell.activation.function(arguments[s])
                self.states[s + 1] = (1 - self.leak) * h + self.leak * rates[s]
            slope, self._curvature = cell.activation.along(arguments, rates)
            self.slope = self.leak * cell.activation.resolved(arguments, slope)

    def _drive(self, n_steps: int) -> Array:
        """Return V u + b of all steps."""
        if self.inputs is None or not self.cell.n_inputs:
            return np.broadcast_to(self.b, (n_steps, *self.b.shape))
        return times(self.inputs[..., None, :], self.V.swapaxes(-1, -2))[..., 0, :] + self.b

    @property
    def jacobians(self) -> Array:
        """Jacobians of all steps ``(T, ..., n, n)``."""
        unit = (1 - self.leak) * np.eye(self.cell.dim)
        return unit + self.slope[..., None] * self.weights.matrix()

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry tangent vectors through step s."""
        np.multiply(self.weights.forward(rows), self.slope[s][..., None, :], out=out)
        if self.leak != 1:
            out += (1 - self.leak) * rows

    def pull(self, s: int, rows: Array, out: Array, forward: Array | None = None) -> None:
        """Carry cotangent vectors back through step s."""
        out[...] = self.weights.back(rows * self.slope[s][..., None, :])
        if self.leak != 1:
            out += (1 - self.leak) * rows

    def tangent_adjoint(self, rows: Array, rows_bar: Array) -> Cotangent:
        """Differentiate in the slopes, hence the pre-activations, and in the weights."""
        slope_bar = np.stack(
            [overlap(self.weights.forward(q), bar) for q, bar in zip(rows, rows_bar, strict=True)]
        )
        W = self.weights.gradient(rows_bar * self.slope[..., None, :], rows)
        found = self._through(slope_bar * (self.leak * self._curvature()))
        found.params["W"] += W
        return found

    def state_adjoint(self, states_bar: Array, inputs: bool = True) -> Cotangent:
        """Backpropagate through time; see `_through` for what is left on each step."""
        bars = np.array(states_bar)
        back = np.empty((*bars.shape[1:-1], 1, bars.shape[-1]))
        for s in reversed(range(self.n_steps)):
            self.pull(s, bars[s + 1][..., None, :], back)
            bars[s] += back[..., 0, :]
        found = self._through(bars[1:] * self.slope)
        return Cotangent(bars[0], found.inputs, found.params)

    def _through(self, bar: Array) -> Cotangent:
        """Return cotangents of states, inputs and parameters, given those of pre-activations."""
        x = self.states[:-1]
        states = self.weights.back(bar[..., None, :])[..., 0, :]
        inputs, params = through_drive(bar, self.inputs, self.V, self.b)
        params["W"] = self.weights.gradient(bar[..., None, :], x[..., None, :])
        return Cotangent(states, inputs, params)
