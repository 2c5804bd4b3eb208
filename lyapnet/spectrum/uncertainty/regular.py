"""Growth that is regular: of fixed points, cycles and quasi-periodic rotations.

Averages of such growth converge as 1/T, and its errors are bounds rather than standard deviations.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

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
    mean, spread = _mean_and_range(growth, durations)
    return spread <= NOISE * (blocks_per_batch + np.abs(mean) * durations.max())


def _mean_and_range(growth: Array, durations: Array) -> tuple[Array, Array]:
    """Return the mean rates of growth (batches, m), and the ranges of growth less these, (m,)."""
    mean = growth.sum(axis=0) / durations.sum()
    rows = np.multiply(mean[:, None], durations, out=empty(growth.T.shape))
    return mean, _range(np.subtract(growth.T, rows, out=rows).T)


def regular_bound(
    growth: Array, durations: Array, blocks_per_batch: float = 1.0, by_loops: bool = False
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
    by_loops : bool, optional
        Whether compiled loops do it.

    Slow beats between a rotation and the batches, and columns whose exponents differ by less than a
    few units of 1/T, are not recognised: they look like drifts until the run is long enough.

    Returns
    -------
    regular : ndarray of bool, shape (m,)
    bound : ndarray, shape (m,)
        Range of S over T, per unit time; of what is constant to rounding, the range of its rates.
    """
    if len(growth) < FEWEST_BATCHES:
        constant = constant_to_rounding(growth, durations, blocks_per_batch)
        return constant, _range((growth.T / durations).T)
    found = (_by_loops if by_loops else _by_numpy)(growth, durations)
    limits = NOISE * (blocks_per_batch + np.abs(found.mean) * durations.max())
    constant, settled = found.apart <= limits
    low, high = found.late[:, 0], found.late[:, 1]
    late, whole = high[1:].max(axis=0) - low[1:].min(axis=0), high.max(axis=0) - low.min(axis=0)
    recurrent = (high[1:] - low[1:]).min(axis=0) >= WHOLE * late
    low, high = found.half[:, 0], found.half[:, 1]
    whole = np.maximum(whole, high.max(axis=0) - low.min(axis=0))
    settled |= high[1] - low[1] <= SETTLED * whole
    bound = np.where(constant, found.rates, whole / durations.sum())
    return constant | recurrent | settled, bound


class Extremes(NamedTuple):
    """What `regular_bound` looks at: of growth g, and of its sums S less the rate of a later part.

    Attributes
    ----------
    rates : array (m,)
        Range of the rates of batches, which rounding may change all alike.
    mean, apart : array (2, m)
        Mean rates, and ranges of growth less these, of the run and of its last half.
    late : array (1 + windows, 2, m)
        Least and largest S, less its rate in all windows, before and in each of them.
    half : array (2, 2, m)
        The same of both halves, less the rate of the last.
    """

    rates: Array
    mean: Array
    apart: Array
    late: Array
    half: Array


def _edges(n: int) -> Array:
    """Return where windows begin, and the last ends."""
    return np.arange(n - WINDOWS * (n // 8), n + 1, n // 8)


def _by_numpy(growth: Array, durations: Array) -> Extremes:
    n, half = len(growth), len(growth) // 2
    rates = np.divide(growth.T, durations, out=empty(growth.T.shape))
    parts = [_mean_and_range(growth[a:], durations[a:]) for a in (0, half)]
    mean, apart = (np.array(x) for x in zip(*parts, strict=True))
    sums, edges = _sums(growth, durations), [*map(int, _edges(n))]
    late = _extremes(_less_the_rate(sums, durations, edges[0]), edges)
    halves = _extremes(_less_the_rate(sums, durations, half), [half, n])
    return Extremes(_range(rates.T), mean, apart, late, halves)


def _by_loops(growth: Array, durations: Array) -> Extremes:
    from ...compiled.extremes import extremes

    n, m = growth.shape
    edges = _edges(n)
    found = Extremes(
        np.empty(m), np.empty((2, m)), np.empty((2, m)), np.empty((len(edges), 2, m)),
        np.empty((2, 2, m)),
    )  # fmt: skip
    extremes(np.ascontiguousarray(growth.T), durations, edges, *found, np.empty((2, n + 1)))
    return found


def _range(x: Array) -> Array:
    """Return by how much the rows of an array differ at most, (m,): `numpy.ptp` costs twice."""
    span: Array = np.maximum.reduce(x) - np.minimum.reduce(x)
    return span


def _extremes(x: Array, edges: list[int]) -> Array:
    """Return the least and the largest row up to the first edge, and from each to the next."""
    parts = [x[first : last + 1] for first, last in pairwise([0, *edges])]
    return np.array([[f.reduce(part) for f in (np.minimum, np.maximum)] for part in parts])


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
