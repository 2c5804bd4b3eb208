"""The orbit of a vanilla network, run by compiled loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..compiled import networks
from ..compiled.blas import addresses
from ..compiled.qr import room
from ..numerics.arrays import Array
from .vanilla_orbit import VanillaOrbit

_ACTIVATIONS = {"tanh": networks.TANH, "relu": networks.RELU, "linear": networks.LINEAR}


def runs(cell: Any, x: Array) -> bool:
    """Say whether there are loops for a cell: one network, with an activation that they know."""
    return np.ndim(cell.params["W"]) == 2 and cell.activation.name in _ACTIVATIONS and x.size > 0


class CompiledVanilla(VanillaOrbit):
    """The same as `VanillaOrbit`, by one call for a stretch.

    Each member of a batch goes through the tangent loop by itself.
    """

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
    ) -> tuple[int, Array, Array, Array]:
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
            sizes.append(size[:, :done])
        if any(size.shape[1] > done for size in sizes):
            return self.blocks(rows, first, done, interval, least)
        diagonal, length = np.stack(sizes, axis=2).reshape(2, done, *lead, k)
        return done, np.stack(bases).reshape(rows.shape), diagonal, length
