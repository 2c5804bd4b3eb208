"""The lowest cosine coefficients of growth: measurements of its spectral density near zero."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from scipy import fft

from ...numerics.arrays import Array
from ...numerics.buffers import empty

MOST_COSINES = 24  # t quantile 2.06 instead of 1.96; more would only narrow the intervals by 5 %
FEWEST_COSINES = 4  # below, the run is too short to tell; also where the lowest rise
BANDS = (0, 8, MOST_COSINES, 72, 216)  # of cosines: flat ones have the same mean power
LOWEST = 8  # cosines whose power says how many independent steps a run is worth
EQUAL = 1e-12  # of a duration: by how much equal ones may differ by rounding


def cosine_power(deviation: Array, durations: Array) -> Array:
    r"""Return :math:`Y_j^2` for the lowest cosines, shape (cosines, m).

    Parameters
    ----------
    deviation : ndarray, shape (m, batches)
        Growth less its expectation; it may be written over.
    durations : ndarray, shape (batches,)
    """
    total_time = durations.sum()
    count = min(BANDS[-1], len(durations) // 2)
    if np.ptp(durations) <= EQUAL * durations[0]:
        sums = fft.dct(deviation, type=2, overwrite_x=True)[:, 1 : count + 1]  # twice of them
        power = np.multiply(sums, sums, out=empty(sums.shape)).T
        power *= 0.5 / total_time
    else:
        sums = _cosines(durations.tobytes(), count) @ deviation.T
        power = 2 / total_time * sums**2
    return power


@lru_cache(maxsize=4)
def _cosines(durations: bytes, count: int) -> Array:
    """Return the lowest cosines at the middles of batches of any durations, (count, batches)."""
    d = np.frombuffer(durations)
    middles = (np.cumsum(d) - d / 2) / d.sum()
    # cos((q + r) x) for a few r at a time, from powers of one exponential: cosines cost more.
    few = max(1, int(np.ceil(np.sqrt(count))))
    fine = _powers(np.exp(1j * np.pi * middles), few)
    coarse = _powers(fine[-1], -(-count // few) - 1)
    parts = [x.real * fine.real - x.imag * fine.imag for x in coarse]
    return np.concatenate([fine.real, *parts])[:count]


def _powers(x: Array, count: int) -> Array:
    """Return the first powers of numbers, ``(count, ...)``."""
    powers = np.empty((count, *x.shape), dtype=x.dtype)
    powers[:1] = x
    known = 1
    while known < count:
        more = min(known, count - known)
        np.multiply(powers[:more], powers[known - 1], out=powers[known : known + more])
        known += more
    return powers


@lru_cache(maxsize=32)
def means_of_bands(count: int, bands: Sequence[tuple[int, int]]) -> Array:
    """Return what takes the powers of so many cosines to the mean powers of bands of them."""
    weights = np.zeros((len(bands), count))
    for row, (first, last) in zip(weights, bands, strict=True):
        row[first:last] = 1 / len(row[first:last])
    return weights
