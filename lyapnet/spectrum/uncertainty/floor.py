"""What no error of a run may fall below: rounding, and growth like a power of time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Array

LOGARITHM = 2.0  # powers of time: no sign is settled before growth has exceeded this one
MIXED = 16.0  # nats: automatic intervals end where vectors come within 1e-7 of each other's span


def logarithm(total_time: float, n_blocks: int) -> float:
    """Return the mean growth of a whole run that a power of time could have."""
    return float(LOGARITHM * np.log1p(n_blocks) / total_time)


def within_logarithm(mean: Array, total_time: float, n_blocks: int) -> NDArray[np.bool_]:
    """Return where growth over the whole run is no more than that."""
    return np.asarray(np.abs(mean) <= logarithm(total_time, n_blocks))


def rounding(mean: Array, total_time: float, n_blocks: int, n_batches: int) -> Array:
    """Return the errors of rounding of means (..., k), which need not average out.

    Where growth is constant each block is rounded alike. Within a block, rounding along the
    fastest direction grows against the others, up to the limit at which bases are orthonormalised.
    """
    eps = float(np.finfo(np.float64).eps)
    rate = n_blocks / total_time
    floor = 8 * eps * (rate + np.abs(mean)) + eps * np.abs(mean) * n_blocks / n_batches
    if not mean.ndim:
        return np.asarray(floor)
    gap = (mean.max(axis=-1, keepdims=True) - mean) / rate
    mixed: Array = floor + eps * rate * np.expm1(np.minimum(gap, MIXED))
    return mixed
