"""What phases do to the error of a run: stays longer than those it has met, and regular growth.

Cosines tell the error of growth that forgets. Where growth lives on phases whose lengths have no
bound that a run could have seen, near marginal states or near islands, they tell that of what was
seen; and regular growth has no standard deviation, but a bound.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...numerics.arrays import Array
from .blocks import batched
from .conserved import chaotic_directions, conserved_volume
from .floor import within_logarithm
from .heavy_tails import heavy_tailed
from .laminar import laminar
from .regular import regular_bound
from .series import series

Mask = NDArray[np.bool_]


class Phases(NamedTuple):
    """Growths whose phases may be longer than those that a run has met.

    Attributes
    ----------
    sticky : ndarray of bool, shape (...)
        Of a chaotic sea among islands, as in `conserved`.
    rare : ndarray of bool, shape (...)
        That come down to zero in laminar phases, as in `laminar`.
    """

    sticky: Mask
    rare: Mask


def phases(batches: Array, durations: Array, n_blocks: int, conserved: ArrayLike = False) -> Phases:
    """Return what growths of a run (batches, ..., k) tell together, each of shape (..., k).

    Those of fewer than two directions do not tell what volumes do, unless these are `conserved`.
    """
    rare = laminar(batches, durations, n_blocks)
    if batches.ndim < 2 or (batches.shape[-1] < 2 and not np.any(conserved)):
        return Phases(np.zeros_like(rare), rare)
    return Phases(chaotic_directions(batches, durations, n_blocks, conserved), rare)


def phases_together(
    batches: Array, durations: Array, n_blocks: int, weights: Array, mean: Array
) -> Phases:
    """Return those of a combination of growths with some weights, and its `mean`, shape (...)."""
    sea = conserved_volume(batches, durations, n_blocks)
    sea = sea & ~within_logarithm(mean, durations.sum(), n_blocks)
    rare = laminar(batches, durations, n_blocks) & (weights != 0)
    return Phases(sea, np.any(rare, axis=-1))


def is_heavy_tailed(growth: ArrayLike, durations: ArrayLike) -> Mask:
    """Return where growth lives on rare long episodes, shape (...).

    See `heavy_tails.heavy_tailed` and `laminar.laminar`.

    Parameters
    ----------
    growth : array_like, shape (blocks, ...)
        Log growth per block, in nats.
    durations : array_like, shape (blocks,)
        Durations of the blocks.
    """
    batches, durations, n_blocks = batched(growth, durations)
    found = series(batches.reshape(len(batches), -1), durations)
    heavy = heavy_tailed(found.deviation, found.skewness).reshape(batches.shape[1:])
    return heavy | laminar(batches, durations, n_blocks)


def is_regular(growth: ArrayLike, durations: ArrayLike) -> Mask:
    """Return where growth is that of a fixed point, a cycle or a rotation, shape (...).

    Parameters
    ----------
    growth : array_like, shape (blocks, ...)
        Log growth per block, in nats. A block of ``-inf`` is not regular.
    durations : array_like, shape (blocks,)
        Durations of the blocks.
    """
    batches, durations, n_blocks = batched(growth, durations)
    finite, singular = _finite(batches)
    regular = regular_bound(finite, durations, n_blocks / len(batches))[0]
    regular = regular.reshape(singular.shape) & ~singular
    return regular & ~laminar(batches, durations, n_blocks)


def _finite(batches: Array) -> tuple[Array, Mask]:
    """Return columns (batches, m) with zeros for those that hold -inf, and which do, (...)."""
    singular: Mask = np.isneginf(batches.min(axis=0))
    return np.where(singular, 0.0, batches).reshape(len(batches), -1), singular
