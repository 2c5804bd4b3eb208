"""Orbits whose blocks of steps are done by one call of a compiled loop."""

from __future__ import annotations

import numpy as np

from ..compiled import networks
from ..compiled.qr import room
from ..compiled.steps import Step
from ..numerics.arrays import Array
from .orbit import Orbit


class CompiledBlocks(Orbit):
    """Tangent bases, carried forward by one call for a stretch.

    Each member of an ensemble goes through the tangent loop by itself.
    """

    def _push(self, k: int) -> Step:
        """Return the tangent step of k vectors."""
        raise NotImplementedError

    def _by_member(self, at: slice) -> list[Array]:
        """Return what steps differ by, ``(T, ..., n)`` of each member."""
        raise NotImplementedError

    def _addresses(self, rows: Array) -> Array:
        """Return the addresses that tangent steps need."""
        raise NotImplementedError

    def _turned(self, blas: Array) -> Array:
        """Return what steps forward have in common."""
        return np.empty((0, 0))

    @property
    def _leak(self) -> Array:
        return np.ones(1)

    def blocks(
        self,
        rows: Array,
        first: int,
        count: int,
        interval: int,
        least: float,
        collapsed: float = np.inf,
    ) -> tuple[int, Array, Array]:
        """Carry a basis through blocks of steps, none of which is halved; see `Orbit.blocks`."""
        *lead, k, n = rows.shape
        if not count:
            return super().blocks(rows, first, count, interval, least)
        return self._blocks(rows, first, count, interval, least, np.empty((0, *lead, k, n)))

    def disturbed(
        self, rows: Array, first: int, factors: Array, least: float
    ) -> tuple[int, Array, Array]:
        """Do steps, each from a basis times factors; see `Orbit.disturbed`."""
        each = np.broadcast_to(factors, (len(factors), *rows.shape))
        return self._blocks(rows, first, len(factors), 1, least, each)

    def _blocks(
        self, rows: Array, first: int, count: int, interval: int, least: float, factors: Array
    ) -> tuple[int, Array, Array]:
        """Do blocks, each from a basis times its factors if there are some."""
        *lead, k, n = rows.shape
        done, bases, sizes = count, [], []
        blas = self._addresses(rows)
        turned, step = self._turned(blas), self._push(k)
        scratch = np.empty(2 * k * n + k * k + max(room(k, n), step.scratch))
        each = self._by_member(slice(first, first + count * interval))
        for i, coefficients in zip(np.ndindex(*lead), each, strict=True):
            for _ in range(2):  # once more where another member has stopped earlier
                here, size = rows[i].copy(), np.empty((2, done, k))
                found = networks.blocks(
                    blas, step.address, turned, coefficients, self._leak, here, interval,
                    least, size[0], size[1], scratch, np.array(factors[:, *i], order="C"),
                )  # fmt: skip
                if found == done:
                    break
                done = found
            bases.append(here)
            sizes.append(size[0, :done])
        if not done:
            return super().blocks(rows, first, 0, interval, least)
        if any(len(size) > done for size in sizes):
            return self._blocks(rows, first, done, interval, least, factors[:done])
        growth = np.log(np.stack(sizes, axis=1).reshape(done, *lead, k))
        return done, np.stack(bases).reshape(rows.shape), growth
