"""Where the states and inputs of each flossing epoch come from."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..numerics.arrays import Array
from ..systems import System
from ..tangent.start import check_inputs, noise_seed, start_state, start_time
from ..tangent.stretches import run_orbit

#: Numbers that are drawn at once.
_PART = 2**22


class Source:
    """States and inputs of one epoch after the other: fixed, or drawn afresh."""

    def __init__(
        self,
        system: System,
        inputs: Any,
        x0: Any,
        members: int,
        total: int,
        t0: Any = 0.0,
        relaxation: int = 0,
    ) -> None:
        self.relaxation = validate.integer("relaxation", relaxation, low=0)
        self.t0 = start_time(system, t0)
        self.inputs = inputs
        self.members = members
        self.total = total
        self.networks: tuple[int, ...] = getattr(system, "networks", ())
        self.x0 = None if x0 is None else start_state(system, x0, np.random.default_rng(0))
        shape = self._shape(system)
        if self.x0 is not None and self.x0.shape not in ((system.dim,), shape):
            raise ValueError(
                f"`x0` must have shape ({system.dim},) or {shape}, got {self.x0.shape}"
            )
        if inputs is not None and not callable(inputs):
            self.inputs = self._checked(system, inputs)

    def _shape(self, system: System) -> tuple[int, ...]:
        batch = () if self.members == 1 else (self.members,)
        return (*batch, *self.networks, system.dim)

    def _checked(self, system: System, inputs: Any) -> Array:
        u = validate.array("inputs", inputs, least=2)
        check_inputs(system, u, self.total)
        if u.ndim > 3 or (u.ndim == 3 and u.shape[1] != self.members):
            raise ValueError(
                f"`inputs` must have shape (n_steps, {system.n_inputs}) or (n_steps, batch_size, "
                f"{system.n_inputs}) with batch_size={self.members}, got {u.shape}"
            )
        if u.ndim == 3 and self.members == 1:
            u = u[:, 0]
        ones = len(self.networks) + (self.members > 1) * (u.ndim == 2)
        return u.reshape(*u.shape[:-1], *(1,) * ones, u.shape[-1])

    def draw(self, system: System, rng: np.random.Generator) -> tuple[Array, Array | None]:
        """Return the states of one epoch, and what its steps are given."""
        shape = self._shape(system)
        if self.x0 is not None:
            x = self.x0
        else:
            starts = [start_state(system, None, rng) for _ in range(self.members)]
            x = starts[0] if self.members == 1 else np.stack(starts)
            x = x.reshape(*shape[: x.ndim - 1], *(1,) * len(self.networks), system.dim)
        if not system.n_inputs or (system.drive.noisy and self.inputs is None):
            u = None
        elif callable(self.inputs):
            u = self._checked(system, self.inputs(rng))
        elif self.inputs is None:
            u = self._checked(system, _normal(rng, (self.total, self.members, system.n_inputs)))
        else:
            u = self.inputs
        seed = noise_seed(system, u, rng)
        rows = system.drive.rows(u, shape[:-1], self.total, t0=self.t0, seed=seed)
        x = np.broadcast_to(x, shape).copy()
        return (self._relaxed(system, x, rng) if self.relaxation else x), rows

    def _relaxed(self, system: System, x: Array, rng: np.random.Generator) -> Array:
        """Run states without input up to the time of the first step."""
        begin = self.t0 - self.relaxation * system.dt
        seed = noise_seed(system, None, rng)
        rows = system.drive.rows(None, x.shape[:-1], self.relaxation, t0=begin, seed=seed)
        return run_orbit(system, x, rows, 0, self.relaxation).states[-1].copy()


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return standard normal numbers, as in one call, but drawn in parts: Ctrl-C waits for one."""
    drawn = np.empty(shape)
    flat = drawn.reshape(-1)
    for start in range(0, flat.size, _PART):
        rng.standard_normal(out=flat[start : start + _PART])
    return drawn
