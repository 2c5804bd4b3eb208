"""The orbit of a vanilla network, run by compiled loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..compiled import networks
from ..compiled.blas import addresses
from ..compiled.qr import room
from ..numerics.arrays import Array
from ..numerics.buffers import empty
from ..systems.orbit import Cotangent
from .products import contract
from .vanilla_orbit import VanillaOrbit

_ACTIVATIONS = {"tanh": networks.TANH, "relu": networks.RELU, "linear": networks.LINEAR}


def runs(cell: Any, x: Array) -> bool:
    """Say whether there are loops for a cell: one network, with an activation that they know."""
    return np.ndim(cell.params["W"]) == 2 and cell.activation.name in _ACTIVATIONS and x.size > 0


class CompiledVanilla(VanillaOrbit):
    """The same as `VanillaOrbit`, by one call for a stretch.

    Each member of a batch goes through the tangent loop by itself.
    """

    tapes = True

    def _run(self) -> None:
        self.turned = np.ascontiguousarray(self.W.T)
        self._drive(self.states[1:])
        n = self.cell.dim
        networks.run(
            addresses(),
            _ACTIVATIONS[self.cell.activation.name],
            self.turned,
            self.cell.leak,
            self.states.reshape(self.n_steps + 1, -1, n),
            self._empty_rates().reshape(self.n_steps, -1, n),
        )

    def blocks(
        self, rows: Array, first: int, count: int, interval: int, least: float
    ) -> tuple[int, Array, Array]:
        """Carry a basis through blocks of steps; see `Orbit.blocks`."""
        *lead, k, n = rows.shape
        done, bases, sizes = count, [], []
        scratch = np.empty(3 * k * n + k * k + room(k, n))
        steps = slice(first, first + count * interval)
        for i in np.ndindex(*lead):
            slopes = np.ascontiguousarray(self.slope[steps][(slice(None), *i)])
            for _ in range(2):  # once more where another member has stopped earlier
                here, size = rows[i].copy(), np.empty((2, done, k))
                found = networks.blocks(
                    addresses(), self.turned, slopes, self.cell.leak, here, interval, least,
                    size[0], size[1], scratch,
                )  # fmt: skip
                if found == done:
                    break
                done = found
            bases.append(here)
            sizes.append(size[0, :done])
        if any(len(size) > done for size in sizes):
            return self.blocks(rows, first, done, interval, least)
        diagonal = np.stack(sizes, axis=1).reshape(done, *lead, k)
        return done, np.stack(bases).reshape(rows.shape), diagonal

    def tape(
        self, rows: Array, sine: float, lengths: tuple[float, float]
    ) -> tuple[Array, list[tuple[Array, Array]], list[Array]] | None:
        """Carry a basis along and keep all bases; see `Orbit.tape`."""
        *lead, k, n = rows.shape
        n_steps, members = self.n_steps, math.prod(lead)
        bases = empty((members, n_steps + 1, k, n))
        bases[:, 0] = rows.reshape(members, k, n)
        scratch = np.empty(k * n + k * k + room(k, n))
        blocks, sizes = [], []
        for m, slopes in enumerate(self._by_member(self.slope)):
            factors, length = empty((n_steps, k, k)), np.empty((n_steps, k))
            edges = np.empty(n_steps + 1, dtype=np.int64)
            done = networks.tape(
                addresses(), self.turned, slopes, self.cell.leak, bases[m], factors, edges,
                length, scratch, sine, *lengths,
            )  # fmt: skip
            if done < 0:
                return None
            blocks.append((factors[:done], edges[: done + 1]))
            sizes.append(length[:done])
        return self._member_first(bases, lead), blocks, sizes

    def back(
        self, rows: Array, blocks: list[tuple[Array, Array]], clear: list[list[bool]],
        rows_bar: Array | None, bar: Array, next_bar: Array,
    ) -> Array:  # fmt: skip
        """Carry cotangents back through a tape; see `Orbit.back`."""
        *lead, k, n = rows.shape[1:]
        bases = self._members_of(rows)
        bars = empty(bases.shape)
        bars[:, -1] = 0.0 if rows_bar is None else rows_bar.reshape(-1, k, n)
        slopes_bar = np.empty((len(bases), self.n_steps, n))
        W, scratch = np.ascontiguousarray(self.W), np.empty(k * k)
        each_bar, each_next = bar.reshape(-1, k), next_bar.reshape(-1, k)
        for m, slopes in enumerate(self._by_member(self.slope)):
            networks.back(
                addresses(), W, slopes, self.cell.leak, bases[m], *blocks[m], np.array(clear[m]),
                bars[m], each_bar[m], each_next[m], slopes_bar[m], scratch,
            )  # fmt: skip
        self._slope_bar = np.moveaxis(slopes_bar, 0, 1).reshape(self.rates.shape)
        self._scaled = True
        return self._member_first(bars, lead)

    _scaled = False

    def _by_member(self, x: Array) -> list[Array]:
        """Return what each member has ``(T, n)`` of ``(T, ..., n)``."""
        flat = x.reshape(len(x), -1, x.shape[-1])
        return [np.ascontiguousarray(flat[:, m]) for m in range(flat.shape[1])]

    @staticmethod
    def _member_first(x: Array, lead: list[int]) -> Array:
        """Return ``(members, T, k, n)`` in memory as ``(T, ..., k, n)``."""
        if len(x) == 1:
            return x.reshape(x.shape[1], *lead, *x.shape[2:])
        by_time = np.moveaxis(x.reshape(*lead, *x.shape[1:]), len(lead), 0)
        return by_time

    @staticmethod
    def _members_of(x: Array) -> Array:
        """Return the array that `_member_first` has made another of."""
        steps, *lead, k, n = x.shape
        if math.prod(lead) == 1:
            return x.reshape(1, steps, k, n)
        return np.moveaxis(x, 0, len(lead)).reshape(-1, steps, k, n)

    def tangent_adjoint(self, rows: Array, rows_bar: Array) -> Cotangent:
        """Differentiate in the slopes, hence the states, and in the weights."""
        if not self._scaled:
            return super().tangent_adjoint(rows, rows_bar)
        assert self._slope_bar is not None
        states = self._slope_bar * (self.cell.leak * self._curvature())
        members = zip(self._members_of(rows_bar), self._members_of(rows), strict=True)
        W = sum(contract(bar, row, self.W.shape) for bar, row in members)
        return Cotangent(states, None, {"W": W, "V": 0.0, "b": 0.0})

    def state_adjoint(self, states_bar: Array, inputs: bool = True) -> Cotangent:
        """Backpropagate through time."""
        n = self.cell.dim
        slopes = self._slope if self.cell.leak == 1 else self.cell.leak * self._slope
        bars = np.ascontiguousarray(states_bar)
        networks.back_in_time(
            addresses(),
            np.ascontiguousarray(self.W),
            np.ascontiguousarray(slopes).reshape(self.n_steps, -1, n),
            self.cell.leak,
            bars.reshape(self.n_steps + 1, -1, n),
        )
        return self._through_steps(bars, inputs)
