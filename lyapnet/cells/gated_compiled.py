"""The orbits of gated networks, run by compiled loops."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np

from ..compiled import gated
from ..compiled.blas import addresses
from ..compiled.products import at_once
from ..numerics.arrays import Array, unbroadcast
from ..numerics.buffers import LINE, copied, empty
from ..systems.orbit import Cotangent
from .compiled_network import CompiledNetwork
from .gated_orbit import GatedOrbit
from .gru_orbit import GRUOrbit, ResetAfter, ResetBefore
from .lstm_orbit import LSTMOrbit


class CompiledGated(CompiledNetwork, GatedOrbit):
    """What they share: the run and backpropagation through time, one call for a stretch each.

    h, the inputs and a one lie beside each other, so that all sums of a step are one product.
    """

    def _begin(self, n_steps: int, lead: tuple[int, ...]) -> None:
        self.lead, self.members = lead, math.prod(lead)
        self.coefficients = empty((n_steps, gated.KEPT[self.kind], self.members * self.n))
        # Gates are only asked for in gradients of exponents, which are seldom those of a batch.
        self._gates_of(n_steps if self.members == 1 else 1)
        self._linearise()

    def _gates_of(self, steps: int) -> tuple[Array, Array]:
        """Run all steps; keep the gates of so many."""
        T, size = self.n_steps, self.members * self.n
        lead, n, m = self.lead, self.n, self.cell.n_inputs
        width = -(-(n + m + 1) // LINE) * LINE  # each row begins where a line of the cache does
        self.beside = empty((T, self.members, width))
        flat = self.beside.reshape(T, *lead, width)
        flat[..., n : n + m] = 0.0 if self.inputs is None else self.inputs
        flat[..., n + m] = 1.0
        gates, reset = empty((steps, len(self.cell.gates), size)), empty((steps, size))
        gated.run(
            addresses(), self.kind, self._weights, self.states.reshape(T + 1, self.members, -1),
            self.beside, gates, reset, self.coefficients, empty((11, size)),
        )  # fmt: skip
        self._steps_gates = gates, reset
        return self._steps_gates

    @cached_property
    def _whole(self) -> tuple[Array, Array]:
        """The gates of all steps, and what r multiplies."""
        found = self._steps_gates
        return found if len(found[0]) == self.n_steps else self._gates_of(self.n_steps)

    def _by_member(self, at: slice) -> list[Array]:
        n, found = self.n, self.coefficients[at]
        each = range(self.members)
        return [np.ascontiguousarray(found[..., m * n : (m + 1) * n]) for m in each]

    def tangent_adjoint(self, rows: Array, rows_bar: Array) -> Cotangent:
        """Differentiate in the coefficients, hence gates and states, and in the weights."""
        if self.swept is None:
            return super().tangent_adjoint(rows, rows_bar)
        bars, W_bar = self.swept
        each = np.moveaxis(bars, 2, 0).reshape(bars.shape[2], len(bars), *self.lead, self.n)
        return self._from_sweep(each, W_bar)

    def _from_sweep(self, each: Array, W_bar: Array) -> Cotangent:
        """Go on from the cotangents of the coefficients ``(KEPT, T, ..., N)`` and of W."""
        raise NotImplementedError

    def _shaped(self, x: Array) -> Array:
        return x.reshape(*x.shape[:-1], *self.lead, self.n)

    @cached_property
    def values(self) -> Array:  # type: ignore[override]  # an attribute there
        """The gates ``(gates, T, ..., N)``."""
        return np.moveaxis(self._shaped(self._whole[0]), 1, 0)

    @cached_property
    def _weights(self) -> Array:
        """What multiplies h, u and 1 in each sum, ``(N + m + 1, sums N)``."""
        n, m = self.n, self.cell.n_inputs
        found = empty((n + m + 1, gated.SUMS[self.kind] * n))
        self._put_weights(found[:n], found[n:-1], found[-1])
        return found

    def _put_weights(self, W: Array, V: Array, b: Array) -> None:
        """Write them."""
        W[...], V[...], b[...] = self.W.T, self.V.T, self.b

    def _parameters(self, bar: Array) -> dict[str, Array]:
        """Return the cotangents of the parameters, given those of the weights."""
        n, m = self.n, self.cell.n_inputs
        flat = bar.reshape(-1, n + m + 1)
        return {"W": flat[:, :n], "V": flat[:, n:-1], "b": flat[:, -1]}

    def state_adjoint(self, states_bar: Array, inputs: bool = True) -> Cotangent:
        """Backpropagate through time."""
        n, m, steps = self.n, self.cell.n_inputs, self.n_steps
        wanted = inputs and self.inputs is not None and m > 0
        inputs_bar = np.empty((steps if wanted else 0, self.members, m))
        nothing = np.empty((0, self.members, 1)), np.empty((1, n))
        found = self._back(np.ascontiguousarray(states_bar), *nothing, inputs_bar)
        if wanted:
            assert self.inputs is not None
            each = inputs_bar.reshape(steps, *self.lead, m)
            found.inputs = unbroadcast(each, self.inputs.shape)
        return found

    def readout_adjoint(self, outputs_bar: Array, W: Array, visible: slice) -> Cotangent:
        """Backpropagate from what is read out; see `Orbit.readout_adjoint`."""
        flat = np.ascontiguousarray(outputs_bar).reshape(len(outputs_bar), -1, len(W))
        bar, no_inputs = np.empty((1, *self.last.shape)), np.empty((0, self.members, 1))
        return self._back(bar, flat, np.ascontiguousarray(W), no_inputs)

    def _back(
        self, bars: Array, outputs_bar: Array, readout: Array, inputs_bar: Array
    ) -> Cotangent:
        """Carry cotangents back, and write those of the inputs; see `gated.back_in_time`."""
        depth, sums = len(self._weights), gated.SUMS[self.kind]
        by_sum = self._weights[:-1].reshape(depth - 1, sums, self.n).transpose(1, 2, 0)
        weights_bar = np.zeros((sums, self.n, depth))
        steps, size = at_once(self.members), self.members * self.n
        received = empty((sums, steps, size))
        scaled, scratch = empty((steps, *self.beside.shape[1:])), empty((5, size))
        gated.back_in_time(
            addresses(), self.kind, copied(by_sum), self.beside,
            self.coefficients, bars.reshape(len(bars), self.members, -1), outputs_bar, readout,
            inputs_bar, weights_bar, received, scaled, scratch,
        )  # fmt: skip
        return Cotangent(bars[0], None, self._parameters(weights_bar))


class CompiledLSTM(CompiledGated, LSTMOrbit):
    """The same as `LSTMOrbit`."""

    kind = gated.LSTM

    def _linearise(self) -> None:
        *self.A, self.S, self.F = self._shaped(self.coefficients).swapaxes(0, 1)

    def _from_sweep(self, each: Array, W_bar: Array) -> Cotangent:
        return self._through(list(each[:4]), each[4], each[5], W_bar)

    @cached_property
    def tanh(self) -> Array:  # type: ignore[override]  # an attribute there
        """The tanh of each new cell state ``(T, ..., N)``."""
        return np.tanh(self.states[1:, ..., self.n :])

    @cached_property
    def _gates(self) -> Any:  # type: ignore[override]  # an attribute there
        return (*self.values, self.states[:-1, ..., self.n :], self.tanh)


class CompiledGRU(CompiledGated, GRUOrbit):
    """What both conventions share."""

    @cached_property
    def reset(self) -> Array:  # type: ignore[override]  # an attribute there
        """What r multiplies ``(T, ..., N)``."""
        return self._shaped(self._whole[1])

    @cached_property
    def _gates(self) -> Any:  # type: ignore[override]  # an attribute there
        return (*self.values, self.states[:-1], self.reset)


class CompiledAfter(CompiledGRU, ResetAfter):
    """The same as `ResetAfter`."""

    kind = gated.AFTER

    def _linearise(self) -> None:
        A_r, self.Z, A_n, self.E, self.z = self._shaped(self.coefficients).swapaxes(0, 1)
        self.A = [A_r, self.Z, A_n]

    def _from_sweep(self, each: Array, W_bar: Array) -> Cotangent:
        return self._through(each[0], each[1], each[2], each[4], W_bar)

    @cached_property
    def r(self) -> Array:
        """The reset gate ``(T, ..., N)``."""
        return self.values[0]

    @cached_property
    def R(self) -> Array:
        """What its argument gives to what it multiplies ``(T, ..., N)``."""
        return self.r * (1 - self.r) * self.reset

    def _put_weights(self, W: Array, V: Array, b: Array) -> None:
        """Give the candidate's recurrent part and its drive a sum each."""
        n = self.n
        W[:, : 3 * n], W[:, 3 * n :] = self.W.T, 0.0
        for out, drive, recurrent in ((V, self.V.T, 0.0), (b, self.b, self.c)):
            gates, new = drive[..., : 2 * n], drive[..., 2 * n :]
            out[..., : 2 * n], out[..., 2 * n : 3 * n], out[..., 3 * n :] = gates, recurrent, new

    def _parameters(self, bar: Array) -> dict[str, Array]:
        n = self.n
        drive = np.concatenate([bar[:2, :, n:], bar[3:, :, n:]]).reshape(3 * n, -1)
        recurrent = bar[:3].reshape(3 * n, -1)
        return {
            "W": recurrent[:, :n], "V": drive[:, :-1],
            "b": drive[:, -1], "c": recurrent[2 * n :, -1],
        }  # fmt: skip


class CompiledBefore(CompiledGRU, ResetBefore):
    """The same as `ResetBefore`."""

    kind = gated.BEFORE

    def _linearise(self) -> None:
        self.R, self.Z, self.r, self.E, self.z = self._shaped(self.coefficients).swapaxes(0, 1)

    def _from_sweep(self, each: Array, W_bar: Array) -> Cotangent:
        R, Z, r, E, z = each
        return self._through(R, Z, r, E, z, W_bar)
