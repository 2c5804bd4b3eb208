"""What orbits of networks have in common that are run by compiled loops."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from ..compiled import networks, steps
from ..compiled.blas import addresses
from ..compiled.gated import VANILLA
from ..compiled.qr import room
from ..numerics.arrays import Array
from ..numerics.buffers import empty
from ..systems.compiled_blocks import CompiledBlocks


class CompiledNetwork(CompiledBlocks):
    """Tangent bases, forward and in reverse, by one call for a stretch."""

    tapes = True
    #: See `compiled.gated`.
    kind: ClassVar[int]
    W: Array
    #: What the sweep back has found: cotangents of the coefficients ``(T, members, KEPT, N)`` and
    #: of the weights.
    swept: tuple[Array, Array] | None = None

    def _push(self, k: int) -> steps.Step:
        return steps.push(self.kind, k, self.W.shape[-1])

    def _addresses(self, rows: Array) -> Array:
        """Return the addresses that tangent steps need."""
        return addresses(rows.shape[-2] * rows.shape[-1] * len(self.W.T))

    def _turned(self, blas: Array) -> Array:
        """Return :math:`W^T` as steps forward want it."""
        return np.ascontiguousarray(self.W.T)

    def _weights_back(self, blas: Array) -> Array:
        """Return W as steps back want it."""
        return np.ascontiguousarray(self.W)

    def tape(
        self, rows: Array, sine: float, lengths: tuple[float, float]
    ) -> tuple[Array, list[tuple[Array, Array]], list[Array]] | None:
        """Carry a basis along and keep all bases; see `Orbit.tape`."""
        *lead, k, n = rows.shape
        n_steps, members = self.n_steps, math.prod(lead)
        bases = empty((members, n_steps + 1, k, n))
        bases[:, 0] = rows.reshape(members, k, n)
        blas = self._addresses(rows)
        turned, step = self._turned(blas), self._push(k)
        scratch = np.empty(k * k + max(room(k, n), step.scratch))
        blocks, sizes = [], []
        for m, coefficients in enumerate(self._by_member(slice(None))):
            factors, length = empty((n_steps, k, k)), np.empty((n_steps, k))
            edges = np.empty(n_steps + 1, dtype=np.int64)
            done = networks.tape(
                blas, step.address, turned, coefficients, self._leak, bases[m], factors,
                edges, length, scratch, sine, *lengths,
            )  # fmt: skip
            if done < 0:
                return None
            blocks.append((factors[:done], edges[: done + 1]))
            sizes.append(length[:done])
        return member_first(bases, lead), blocks, sizes

    def back(
        self, rows: Array, blocks: list[tuple[Array, Array]], clear: list[list[bool]],
        rows_bar: Array | None, bar: Array, next_bar: Array,
    ) -> Array:  # fmt: skip
        """Carry cotangents back through a tape; see `Orbit.back`."""
        *lead, k, n = rows.shape[1:]
        bases = members_of(rows)
        bars = empty(bases.shape)
        bars[:, -1] = 0.0 if rows_bar is None else rows_bar.reshape(-1, k, n)
        blas = self._addresses(rows)
        W, turned = self._weights_back(blas), self._turned(blas)
        step = steps.pull(self.kind, k, self.W.shape[-1])
        scratch = np.empty(k * k + step.scratch)
        each_bar, each_next = bar.reshape(-1, k), next_bar.reshape(-1, k)
        found, W_bar = [], np.zeros(self.W.shape)
        for m, coefficients in enumerate(self._by_member(slice(None))):
            found.append(np.empty(coefficients.shape))
            networks.back(
                blas, step.address, W, turned, coefficients, self._leak, bases[m],
                *blocks[m], np.array(clear[m]), bars[m], each_bar[m], each_next[m], found[m], W_bar,
                self.kind == VANILLA, scratch,
            )  # fmt: skip
        self.swept = np.stack(found, axis=1), W_bar
        return member_first(bars, lead)


def member_first(x: Array, lead: list[int]) -> Array:
    """Return ``(members, T, k, n)`` in memory as ``(T, ..., k, n)``."""
    if len(x) == 1:
        return x.reshape(x.shape[1], *lead, *x.shape[2:])
    return np.moveaxis(x.reshape(*lead, *x.shape[1:]), len(lead), 0)


def members_of(x: Array) -> Array:
    """Return the array that `member_first` has made another of."""
    steps, *lead, k, n = x.shape
    if math.prod(lead) == 1:
        return x.reshape(1, steps, k, n)
    return np.moveaxis(x, 0, len(lead)).reshape(-1, steps, k, n)
