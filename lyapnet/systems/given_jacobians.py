"""Sequences of Jacobians as a system, of whose states nothing is known."""

from __future__ import annotations

import copy
import math
from typing import Self

import numpy as np

from ..numerics.arrays import Array
from .engine import engine_for, missing
from .jacobian_orbit import SMALL_DIM, JacobianOrbit
from .orbit import Orbit
from .protocol import System

#: So many members of small dimension NumPy multiplies at once in the time of compiled loops.
_SIDE_BY_SIDE = 200


class GivenJacobians(System):
    """A system whose inputs are its Jacobians ``(T, ..., n, n)``."""

    tangent_apart = True

    def __init__(self, dim: int, dt: float) -> None:
        self.dim = dim
        self.dt = dt

    def cannot_compile(self) -> str:
        """Return why no compiled loops run it; see `System.cannot_compile`."""
        return missing()

    def prepared(self, x: Array, inputs: Array | None, k: int, n_steps: int) -> Self:
        """Return the system with compiled loops where they pay; see `System.prepared`."""
        other, members = copy.copy(self), math.prod(x.shape[:-1])
        if self.dim <= SMALL_DIM and members > _SIDE_BY_SIDE:
            return other
        other.engine_used = engine_for(self, self.dim * k * members, n_steps)
        return other

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Return the orbit along Jacobians that are given; see `System.orbit`."""
        assert inputs is not None
        # Of states nothing is known but that none is met again.
        passed = np.arange(n_steps + 1.0).reshape(-1, *(1,) * x.ndim)
        states = np.broadcast_to(passed, (n_steps + 1, *x.shape))
        D = np.broadcast_to(inputs, (n_steps, *x.shape, self.dim))
        if self.engine_used[0] == "compiled":
            from .compiled_jacobians import CompiledJacobians

            return CompiledJacobians(states, jacobians=D)
        return JacobianOrbit(states, jacobians=D)
