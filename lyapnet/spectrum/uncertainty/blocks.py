"""Growth in blocks and their durations, and the sums of neighbours that errors are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ...numerics.arrays import Array

MOST_BATCHES = 1024  # low frequencies are all that is used: finer batches would change nothing


def checked(growth: ArrayLike, durations: ArrayLike) -> tuple[Array, Array]:
    """Return both as float64 arrays, or raise ValueError about their shapes and durations."""
    growth = np.asarray(growth, dtype=np.float64)
    durations = np.asarray(durations, dtype=np.float64)
    if durations.ndim != 1 or growth.ndim < 1 or len(growth) != len(durations) or not len(growth):
        raise ValueError(
            "growth (blocks, ...) and durations (blocks,) must agree on at least one block, "
            f"got shapes {growth.shape} and {durations.shape}"
        )
    if not np.all(durations > 0) or not np.all(np.isfinite(durations)):
        raise ValueError("durations must be positive and finite: drop the empty blocks")
    return growth, durations


def batched(growth: ArrayLike, durations: ArrayLike) -> tuple[Array, Array, int]:
    """Return both `checked` and `coarsened`, and how many blocks there were."""
    growth, durations = checked(growth, durations)
    return *coarsened(growth, durations), len(growth)


def coarsened(growth: Array, durations: Array, most: int = MOST_BATCHES) -> tuple[Array, Array]:
    """Sum neighbouring blocks into at most `most` equal batches, the last one perhaps shorter."""
    per_batch = -(-len(growth) // most)
    if per_batch == 1:
        return growth, durations
    starts = np.arange(0, len(growth), per_batch)
    return np.add.reduceat(growth, starts, axis=0), np.add.reduceat(durations, starts)
