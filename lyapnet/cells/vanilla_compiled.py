"""The orbit of a vanilla network, run by compiled loops."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ..compiled import gated, vanilla
from ..compiled.blas import LANES
from ..compiled.products import in_panels
from ..numerics.arrays import Array
from ..systems.orbit import Cotangent
from .compiled_network import CompiledNetwork, members_of
from .products import contract, drive
from .vanilla_orbit import VanillaOrbit

_ACTIVATIONS = {"tanh": vanilla.TANH, "relu": vanilla.RELU, "linear": vanilla.LINEAR}


def runs(cell: Any, x: Array) -> bool:
    """Say whether there are loops for a cell: one network, with an activation that they know."""
    return np.ndim(cell.params["W"]) == 2 and cell.activation.name in _ACTIVATIONS and x.size > 0


class CompiledVanilla(CompiledNetwork, VanillaOrbit):
    """The same as `VanillaOrbit`, by one call for a stretch."""

    kind = gated.VANILLA

    def _run(self) -> None:
        drive(self.inputs, self.V, self.b, self.states[1:])
        n = self.cell.dim
        blas = self._addresses(self.states[0].reshape(-1, n))
        vanilla.run(
            blas,
            _ACTIVATIONS[self.cell.activation.name],
            self._turned(blas),
            self.cell.leak,
            self.states.reshape(self.n_steps + 1, -1, n),
            self._empty_rates().reshape(self.n_steps, -1, n),
        )

    def _turned(self, blas: Array) -> Array:
        return self._in_panels(blas, True)

    def _weights_back(self, blas: Array) -> Array:
        return self._in_panels(blas, False)

    def _in_panels(self, blas: Array, turned: bool) -> Array:
        """Return W or its transpose in panels, which are made once."""
        key = turned, bool(blas[LANES])
        if key not in self._panels:
            self._panels[key] = in_panels(blas, self.W.T if turned else self.W)
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
        members = zip(members_of(rows_bar), members_of(rows), strict=True)
        W = sum(contract(bar, row, self.W.shape) for bar, row in members)
        return Cotangent(states, None, {"W": W, "V": 0.0, "b": 0.0})

    def state_adjoint(self, states_bar: Array, inputs: bool = True) -> Cotangent:
        """Backpropagate through time."""
        n = self.cell.dim
        slopes = self._slope if self.cell.leak == 1 else self.cell.leak * self._slope
        bars = np.ascontiguousarray(states_bar)
        blas = self._addresses(bars[0].reshape(-1, n))
        vanilla.back_in_time(
            blas,
            self._weights_back(blas),
            np.ascontiguousarray(slopes).reshape(self.n_steps, -1, n),
            self.cell.leak,
            bars.reshape(self.n_steps + 1, -1, n),
        )
        return self._through_steps(bars, inputs)
