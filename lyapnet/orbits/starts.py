"""States from which fixed points are looked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import LyapnetError
from ..numerics.arrays import Array
from ..systems import System
from ..tangent.start import start_state
from ..tangent.stretches import run_orbit

#: Steps of the one trajectory that states are drawn from, and of each of many.
_TRAJECTORY, _EACH = 2000, 100


def starts_of(
    system: System,
    u: Array | None,
    x0: Any,
    n_starts: int,
    spread: float,
    t0: float,
    rng: np.random.Generator,
) -> Array:
    """Return states ``(n_starts, n)``: those given, or of trajectories; see `fixed_points`."""
    if x0 is None and not _is_own(system, rng):
        x = _on_the_way(system, _drawn(system, n_starts, rng), u, t0, rng)
        return x + spread * rng.standard_normal(x.shape)
    start = start_state(system, x0, rng)
    if start.ndim == 2:
        if len(start) != n_starts and n_starts != 100:
            raise ValueError(f"`x0` has {len(start)} states, and `n_starts` is {n_starts}")
        return start.copy()
    if start.ndim > 2:
        raise ValueError(f"`x0` must have shape (n,) or (n_starts, n), got {start.shape}")
    rows = constant_rows(system, u, (), _TRAJECTORY, t0)
    try:
        states = run_orbit(system, start, rows, 0, _TRAJECTORY).states
    except LyapnetError as error:
        error.add_note(
            "`fixed_points` draws its starts from a trajectory: give all, `x0` (n_starts, n)."
        )
        raise
    x = states[rng.integers(len(states), size=n_starts)]
    return x + spread * rng.standard_normal(x.shape)


def constant_rows(
    system: System, u: Array | None, lead: tuple[int, ...], n_steps: int, t0: float
) -> Array | None:
    """Return the rows of the `drive` under a constant input ``(m,)``, zeros if left out."""
    inputs = None
    if system.n_inputs:
        inputs = np.broadcast_to(0.0 if u is None else u, (n_steps, system.n_inputs))
    return system.drive.rows(inputs, lead, n_steps, t0=t0)


def _is_own(system: System, rng: np.random.Generator) -> bool:
    """Say whether a system has a state of its own to start from, the same in every call."""
    first, second = system.default_state(rng), system.default_state(rng)
    return first is not None and second is not None and np.array_equal(first, second)


def _drawn(system: System, n_starts: int, rng: np.random.Generator) -> Array:
    """Return states that are drawn as the system draws them, or normal ones."""
    states = [system.default_state(rng) for _ in range(n_starts)]
    known = [x for x in states if x is not None]
    return np.stack(known) if known else rng.standard_normal((n_starts, system.dim))


def _on_the_way(
    system: System, x: Array, u: Array | None, t0: float, rng: np.random.Generator
) -> Array:
    """Return states of trajectories from each start, early ones more often than late ones."""
    rows = constant_rows(system, u, x.shape[:1], _EACH, t0)
    with np.errstate(all="ignore"):
        states = system.orbit(x, rows, _EACH).states
    at = ((_EACH + 1) * rng.random(len(x)) ** 2).astype(int)
    found: Array = states[at, np.arange(len(x))]
    return np.where(np.isfinite(found).all(axis=-1, keepdims=True), found, x)
