"""The orbit of a vanilla network, run by compiled loops."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from ..compiled import gated, vanilla
from ..compiled.blas import LANES
from ..compiled.products import at_once, in_panels, outer
from ..numerics.arrays import Array, unbroadcast
from ..numerics.buffers import empty
from ..systems.orbit import Cotangent
from .compiled_network import CompiledNetwork, members_of
from .products import times
from .vanilla_orbit import VanillaOrbit

_ACTIVATIONS = {"tanh": vanilla.TANH, "relu": vanilla.RELU, "linear": vanilla.LINEAR}


def runs(cell: Any, x: Array) -> bool:
    """Say whether there are loops for a cell: one network, with an activation that they know."""
    return np.ndim(cell.params["W"]) == 2 and cell.activation.name in _ACTIVATIONS and x.size > 0


class CompiledVanilla(CompiledNetwork, VanillaOrbit):
    """The same as `VanillaOrbit`, by one call for a stretch."""

    kind = gated.VANILLA

    def _run(self) -> None:
        blas, n, m = self._blas_of_states, self.cell.dim, self.V.shape[1]
        self.given = np.ones((self.n_steps, *self.states.shape[1:-1], m + 1))
        self.given[..., :m] = 0.0 if self.inputs is None else self.inputs
        others = np.ascontiguousarray(np.concatenate([self.V.T, self.b[None]]))
        self.rates = empty(self.states[1:].shape)
        vanilla.run(
            blas, self._which, self._turned(blas), others, float(self.cell.leak),
            self.states.reshape(self.n_steps + 1, -1, n), *self._flat(),
        )  # fmt: skip

    def _flat(self) -> tuple[Array, Array]:
        """Return rates, and inputs and ones, with one axis for the members."""
        found = (x.reshape(self.n_steps, -1, x.shape[-1]) for x in (self.rates, self.given))
        return tuple(found)  # type: ignore[return-value]  # of the two

    @property
    def _blas_of_states(self) -> Array:
        """The addresses that steps of the states need."""
        return self._addresses(self.states[0].reshape(-1, self.cell.dim))

    @property
    def _which(self) -> int:
        return _ACTIVATIONS[self.cell.activation.name]

    def _linearise(self) -> None:
        """Do it when it is asked for: backpropagation needs rates only."""

    @cached_property
    def _along(self) -> tuple[Array, Callable[[], Array]]:
        return self.cell.activation.along(self.states[:-1], self.rates)

    @property
    def _slope(self) -> Array:
        return self._along[0]

    @property
    def _curvature(self) -> Callable[[], Array]:
        return self._along[1]

    def _turned(self, blas: Array) -> Array:
        return self._in_panels(blas, True)

    def _weights_back(self, blas: Array) -> Array:
        return self._in_panels(blas, False)

    def _in_panels(self, blas: Array, turned: bool) -> Array:
        """Return W or its transpose in panels, which are made once."""
        key = turned, bool(blas[LANES])
        if key not in self._panels:
            self._panels[key] = in_panels(blas, self.W, turned)
        return self._panels[key]

    @cached_property
    def _panels(self) -> dict[tuple[bool, bool], Array]:
        return {}

    @property
    def _leak(self) -> Array:
        return np.array([float(self.cell.leak)])

    def _by_member(self, at: slice) -> list[Array]:
        slopes = self.slope[at]
        flat = slopes.reshape(len(slopes), -1, slopes.shape[-1])
        return [np.ascontiguousarray(flat[:, m])[:, None] for m in range(flat.shape[1])]

    def tangent_adjoint(self, rows: Array, rows_bar: Array) -> Cotangent:
        """Differentiate in the slopes, hence the states, and in the weights."""
        if self.swept is None:
            return super().tangent_adjoint(rows, rows_bar)
        slope_bar = self.swept[0].reshape(self.rates.shape)
        states = slope_bar * (self.cell.leak * self._curvature())
        W, n = np.zeros(self.W.shape), self.cell.dim
        for bar, row in zip(members_of(rows_bar), members_of(rows), strict=True):
            outer(self._addresses(row[0]), bar.reshape(-1, n), row.reshape(-1, n), W, True)
        return Cotangent(states, None, {"W": W, "V": 0.0, "b": 0.0})

    def state_adjoint(self, states_bar: Array, inputs: bool = True) -> Cotangent:
        """Backpropagate through time."""
        bars = np.ascontiguousarray(states_bar)
        flat, weights_bar = bars.reshape(self.n_steps + 1, -1, self.cell.dim), self._no_weights()
        room = at_once(flat.shape[1]), np.empty(flat.shape[1:])
        vanilla.back_in_time(*self._steps_back(), flat, *weights_bar, *room)
        inputs_bar = None
        if inputs and self.inputs is not None and self.V.shape[1]:
            driven = bars[1:] if self.cell.leak == 1 else self.cell.leak * bars[1:]
            inputs_bar = unbroadcast(times(driven, self.V), self.inputs.shape)
        return Cotangent(bars[0], inputs_bar, self._parameters(*weights_bar))

    def readout_adjoint(self, outputs_bar: Array, W: Array, visible: slice) -> Cotangent:
        """Backpropagate from what is read out; see `Orbit.readout_adjoint`."""
        flat = np.ascontiguousarray(outputs_bar).reshape(len(outputs_bar), -1, len(W))
        readout, weights_bar = np.ascontiguousarray(W), self._no_weights()
        members, n = flat.shape[1], self.cell.dim
        bars, step = np.zeros((at_once(members) + 1, members, n)), np.empty((members, n))
        vanilla.back_from_outputs(*self._steps_back(), flat, readout, *weights_bar, bars, step)
        return Cotangent(bars[0].reshape(self.last.shape), None, self._parameters(*weights_bar))

    def _steps_back(self) -> tuple[Any, ...]:
        """Return what all sweeps back are given."""
        blas = self._blas_of_states
        return blas, self._which, self._weights_back(blas), float(self.cell.leak), *self._flat()

    def _no_weights(self) -> tuple[Array, Array]:
        """Return where the cotangents of the weights add up."""
        return np.zeros(self.W.shape), np.zeros((self.given.shape[-1], self.cell.dim))

    def _parameters(self, W: Array, others: Array) -> dict[str, Array]:
        """Return the cotangents of the parameters, given those of the weights over the leak."""
        leak = self.cell.leak
        return {"W": leak * W, "V": leak * others[:-1].T, "b": leak * others[-1]}
