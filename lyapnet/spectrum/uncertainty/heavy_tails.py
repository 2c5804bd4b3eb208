"""Growth that lives on rare long episodes: laminar phases, stays near islands.

Where the sizes of episodes fall off like a power below two, averages have no variance, and near it
none that a run can tell: a single episode carries a large share, and the largest share does not
fall as the run grows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Array

FEWEST_BATCHES = 256  # below, there are too few episodes to judge their tail
SKEWED = 0.7, 0.5  # skewness at both `SCALES`; of normal growth three standard errors
ROUNDING = 1e-6  # nats: what only rounding (eps over a squared sine) leaves has no episodes
LARGEST, FEWEST = 0.2, 5  # share of the episodes whose sizes are looked at, at least so many
POWER = 2.0  # of the tail: below, sizes have no variance
DOUBT = 1.5  # standard errors by which the power must be below
LASTING = 5.0  # batches in an episode, weighted by size; 3 where they are independent


def heavy_tailed(deviation: Array, skewness: Array, by_loops: bool = False) -> NDArray[np.bool_]:
    r"""Return the columns with heavy tails, shape (m,).

    Episodes are runs of batches that all lie above, or all below, the mean. Called heavy is growth
    that is skewed on two scales a factor of four apart, to the same side, and whose largest
    episodes of that side, with sizes :math:`A_1 \ge \dots \ge A_k`, fall off slowly: Hill's
    estimator [1]_ of the power, :math:`k / \sum_i \log(A_i / A_{k+1})`, is below two by 1.5
    standard errors, each :math:`1/\sqrt{k}` of it. Tails that fall off exponentially, as of a
    Jacobian that comes near to singular ones, have such powers by chance: of episodes that hardly
    last, the excess of the sizes over the smallest must scatter by more than its mean, too, by a
    standard error. Growth of finite variance that is independent of its past loses half of its
    skewness between the scales.

    Parameters
    ----------
    deviation : ndarray, shape (m, batches)
        Growth less its expectation. Nothing is found in fewer than 256 batches.
    skewness : ndarray, shape (scales, m)
        Of `series.Series`.
    by_loops : bool, optional
        Whether compiled loops do it.

    References
    ----------
    .. [1] B. M. Hill, "A simple general approach to inference about the tail of a distribution",
       Ann. Statist. 3, 1163 (1975).
    """
    if deviation.shape[1] < FEWEST_BATCHES:
        return np.zeros(len(deviation), dtype=bool)
    fine, coarse = skewness
    heavy: NDArray[np.bool_] = (np.abs(fine) > SKEWED[0]) & (np.abs(coarse) > SKEWED[1])
    heavy &= fine * coarse > 0
    if heavy.any():
        which = np.flatnonzero(heavy)
        find = _tails_by_loops if by_loops else _tails
        largest, power = find(deviation, which, np.sign(fine[which]))
        heavy[which] = (largest > ROUNDING) & (power < POWER)
    return heavy


def _tails(deviation: Array, which: Array, sign: Array) -> tuple[Array, Array]:
    """Return the largest numbers of some rows, and the powers of their tails on one side, (m,)."""
    rows = deviation[which] * sign[:, None]
    return np.abs(rows).max(axis=1), _power(rows)


def _power(rows: Array) -> Array:
    """Return powers (m,) that the tails of rows' episodes above their mean do not exceed."""
    m, n = rows.shape
    flat = rows.ravel()
    above = flat > 0
    begins = above.copy()
    begins[1:] &= ~above[:-1]
    begins[::n] |= above[::n]
    starts = np.flatnonzero(begins)
    sizes = np.add.reduceat(np.maximum(flat, 0.0), starts)  # what follows an episode adds nothing
    number = np.count_nonzero(begins.reshape(m, n), axis=1)
    table = np.zeros((m, max(FEWEST + 1, number.max())))  # a row for each, the largest first
    table[np.arange(table.shape[1]) < number[:, None]] = -sizes
    table.sort(axis=1)
    count = np.maximum(FEWEST, (LARGEST * number).astype(int))
    table = -table[:, : min(count.max() + 1, table.shape[1])]
    told = number > count
    count = np.where(told, count, 1)
    least = np.where(told, table[np.arange(m), count], 1.0)
    among = (np.arange(table.shape[1]) < count[:, None]) & told[:, None]
    total = np.log(np.where(among, table / least[:, None], 1.0)).sum(axis=1)
    power = np.full(m, np.inf)
    np.divide(count * (1 + DOUBT / np.sqrt(count)), total, out=power, where=total > 0)
    beyond = _beyond_exponential(np.where(among, table - least[:, None], 0.0), count)
    row, lengths = starts // n, np.add.reduceat(above.astype(float), starts)
    lasting = np.bincount(row, sizes * (lengths - LASTING), m) > 0
    power[~(beyond | lasting)] = np.inf
    return power


def _tails_by_loops(deviation: Array, which: Array, sign: Array) -> tuple[Array, Array]:
    """Return the same as `_tails`."""
    from ...compiled.tails import tails

    largest, power = np.empty((2, len(which)))
    sizes = np.empty(deviation.shape[1])
    tails(deviation, which, sign, LARGEST, FEWEST, DOUBT, LASTING, largest, power, sizes)
    return largest, power


def _beyond_exponential(excess: Array, count: Array) -> NDArray[np.bool_]:
    """Return where excesses (m, k), of which so many count, scatter by more than exponential ones.

    The standard deviation of these is their mean, with a relative standard error of 1/√k.
    """
    mean = np.add.reduce(excess, axis=1) / count
    square = np.vecdot(excess, excess) / count - mean**2
    beyond: NDArray[np.bool_] = square > ((1 + 1 / np.sqrt(count)) * mean) ** 2
    return beyond
