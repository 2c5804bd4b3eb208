"""Orbits whose Jacobians are arrays, by compiled loops."""

from __future__ import annotations

import numpy as np

from ..compiled import steps
from ..compiled.blas import addresses
from ..numerics.arrays import Array
from .compiled_blocks import CompiledBlocks
from .jacobian_orbit import JacobianOrbit


class CompiledJacobians(CompiledBlocks, JacobianOrbit):
    """A `JacobianOrbit` whose blocks are done by one call."""

    def _push(self, k: int) -> steps.Step:
        return steps.dense()

    def _addresses(self, rows: Array) -> Array:
        return addresses(rows.shape[-2] * rows.shape[-1] ** 2)

    def _by_member(self, at: slice) -> list[Array]:
        """Return the transposed Jacobians ``(T, n, n)`` of each member's steps."""
        n = self.states.shape[-1]
        turned = self.jacobians[at].swapaxes(-1, -2)
        flat = turned.reshape(len(turned), -1, n, n)
        return [np.ascontiguousarray(flat[:, m]) for m in range(flat.shape[1])]
