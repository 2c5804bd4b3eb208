"""Growth that is regular: of fixed points, cycles and quasi-periodic rotations.

Averages of such growth converge as 1/T, and its errors are bounds rather than standard deviations.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Array
from ...numerics.buffers import empty

Mask = NDArray[np.bool_]

FEWEST_BATCHES = 64  # below, an eighth of the run is hardly a window
WINDOWS = 6  # eighths of the run, the last six
WHOLE = 0.5  # least share of the range that every window shows
SETTLED = 0.01  # share of the range that is left to the last half of a decay
# Relative rounding of log growth, per block: a product of some 50 Jacobians, then a QR step. Phases
# that are not wrapped are rounded to eps of their size, and growth drifts with it: 4e-12 at 10^4.
NOISE = 2**15 * float(np.finfo(np.float64).eps)


def constant_to_rounding(growth: Array, durations: Array, blocks_per_batch: float) -> Mask:
    """Return where growth (batches, m) is proportional to durations but for rounding, (m,)."""
    mean = growth.sum(axis=0) / durations.sum()
    rows = np.multiply(mean[:, None], durations, out=empty(growth.T.shape))
    spread = _range(np.subtract(growth.T, rows, out=rows).T)
    return spread <= NOISE * (blocks_per_batch + np.abs(mean) * durations.max())


def regular_bound(
    growth: Array, durations: Array, blocks_per_batch: float = 1.0
) -> tuple[Mask, Array]:
    r"""Find the columns whose growth is regular, and bound the error of their means.

    With the mean rate m of the later run, let :math:`S_b = \sum_{a \le b} (g_a - d_a m)`. Growth is
    regular if S is bounded: growth is then :math:`d_b λ + φ(x_{b+1}) - φ(x_b)`, and its mean over
    a time T is off by :math:`(φ(x_T) - φ(x_0))/T`, at most the range of S over T. Taken for
    bounded is S

    - that shows half of its range in each of the last six eighths of the run (a cycle, or a
      rotation with a period below a quarter of the run; diffusing sums do so in 2 to 4 of 100
      runs, where the bound is a fair interval; slow drifts in fewer than 1 of 1000);
    - whose range over the last half is a hundredth of that over the run (a decay, which a factor
      of 10 longer runs than its time suffice for);
    - that is constant to rounding over the last half.

    Parameters
    ----------
    growth : ndarray, shape (batches, m)
        Log growth per batch, in nats, finite.
    durations : ndarray, shape (batches,)
        Durations of the batches.
    blocks_per_batch : float, optional
        How many blocks, each with its rounding, are in a batch.

    Slow beats between a rotation and the batches, and columns whose exponents differ by less than a
    few units of 1/T, are not recognised: they look like drifts until the run is long enough.

    Returns
    -------
    regular : ndarray of bool, shape (m,)
    bound : ndarray, shape (m,)
        Range of S over T, per unit time; of what is constant to rounding, the range of its rates.
    """
    n = len(growth)
    constant = constant_to_rounding(growth, durations, blocks_per_batch)
    rates = np.divide(growth.T, durations, out=empty(growth.T.shape))
    spread = _range(rates.T)  # rounding may be alike in all blocks
    if n < FEWEST_BATCHES:
        return constant, spread
    start, half = n - WINDOWS * (n // 8), n // 2
    sums = _sums(growth, durations)
    low, high = _extremes(_less_the_rate(sums, durations, start), [*range(start, n + 1, n // 8)])
    late, whole = high[1:].max(axis=0) - low[1:].min(axis=0), high.max(axis=0) - low.min(axis=0)
    recurrent = (high[1:] - low[1:]).min(axis=0) >= WHOLE * late
    low, high = _extremes(_less_the_rate(sums, durations, half), [half, n])
    whole = np.maximum(whole, high.max(axis=0) - low.min(axis=0))
    settled = high[1] - low[1] <= SETTLED * whole
    settled |= constant_to_rounding(growth[half:], durations[half:], blocks_per_batch)
    bound = np.where(constant, spread, whole / durations.sum())
    return constant | recurrent | settled, bound


def _range(x: Array) -> Array:
    """Return by how much the rows of an array differ at most, (m,): `numpy.ptp` costs twice."""
    span: Array = np.maximum.reduce(x) - np.minimum.reduce(x)
    return span


def _extremes(x: Array, edges: list[int]) -> tuple[Array, Array]:
    """Return the least and the largest row up to the first edge, and from each to the next."""
    parts = [x[first : last + 1] for first, last in pairwise([0, *edges])]
    low, high = (np.array([f.reduce(part) for part in parts]) for f in (np.minimum, np.maximum))
    return low, high


def _sums(growth: Array, durations: Array) -> Array:
    """Return the cumulated growth less the mean rate, (batches + 1, m), columns in memory."""
    rows = growth.T
    rate = np.add.reduce(rows, axis=1) / durations.sum()
    sums = empty((len(rows), len(growth) + 1))
    sums[:, 0] = 0.0
    np.multiply(rate[:, None], durations, out=sums[:, 1:])
    np.subtract(rows, sums[:, 1:], out=sums[:, 1:])
    np.cumsum(sums[:, 1:], axis=1, out=sums[:, 1:])
    return sums.T


def _less_the_rate(sums: Array, durations: Array, start: int) -> Array:
    """Return cumulated growth less its mean rate from batch `start` on."""
    time = np.concatenate([[0.0], np.cumsum(durations)])
    rate = (sums[-1] - sums[start]) / (time[-1] - time[start])
    rows = np.multiply(rate[:, None], time, out=empty(sums.T.shape))
    np.subtract(sums.T, rows, out=rows)
    return rows.T
