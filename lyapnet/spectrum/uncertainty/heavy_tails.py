"""Growth that lives on rare long episodes: laminar phases, stays near islands.

Where the sizes of episodes fall off like a power below two, averages have no variance, and near it
none that a run can tell: a single episode carries a large share, and the largest share does not
fall as the run grows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Array
from ...numerics.buffers import chosen, empty

FEWEST_BATCHES = 256  # below, there are too few episodes to judge their tail
SCALES = 128, 32  # numbers of batches at which growth must be skewed alike
SKEWED = 0.7, 0.5  # skewness at these; of normal growth the first is three standard errors
ROUNDING = 1e-6  # nats: what only rounding (eps over a squared sine) leaves has no episodes
LARGEST = 0.2  # share of the episodes whose sizes are looked at
POWER = 2.0  # of the tail: below, sizes have no variance
DOUBT = 1.5  # standard errors by which the power must be below
LASTING = 5.0  # batches in an episode, weighted by size; 3 where they are independent


def heavy_tailed(deviation: Array) -> NDArray[np.bool_]:
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
    deviation : ndarray, shape (batches, m)
        Growth less its expectation. Nothing is found in fewer than 256 batches.

    References
    ----------
    .. [1] B. M. Hill, "A simple general approach to inference about the tail of a distribution",
       Ann. Statist. 3, 1163 (1975).
    """
    if len(deviation) < FEWEST_BATCHES:
        return np.zeros(deviation.shape[1], dtype=bool)
    fine, coarse = (_skewness(deviation, n) for n in SCALES)
    heavy: NDArray[np.bool_] = (np.abs(fine) > SKEWED[0]) & (np.abs(coarse) > SKEWED[1])
    heavy &= fine * coarse > 0
    if heavy.any():
        rows = chosen(deviation.T, heavy)
        rows *= np.sign(fine[heavy])[:, None]
        largest = np.maximum(np.maximum.reduce(rows, axis=1), -np.minimum.reduce(rows, axis=1))
        heavy[heavy] = (largest > ROUNDING) & (_power(rows) < POWER)
    return heavy


def unevenness(deviation: Array) -> Array:
    r"""Return what uneven batches add to the relative variance of a variance, shape (m,).

    Of n independent batches, the variance of a variance over its square is
    :math:`2/n + κ/n`, with the excess kurtosis κ; this is the second term,
    :math:`\sum d^4 / (\sum d^2)^2 - 3/n`, the largest over dyadic scales: 0 for normal growth,
    1 where a single batch carries everything.

    Parameters
    ----------
    deviation : ndarray, shape (batches, m)
        Growth less its expectation.
    """
    numbers, totals, shares = [], [], []
    rows, room = deviation.T, empty(deviation.T.shape)
    while True:
        n = rows.shape[1]
        squares = np.multiply(rows, rows, out=room[:, :n])
        numbers.append(n)
        totals.append(np.vecdot(rows, rows))
        shares.append(np.vecdot(squares, squares))
        if n < 2 * SCALES[1]:
            break
        pairs = rows[:, 0 : n - 1 : 2], rows[:, 1:n:2]
        rows = np.add(*pairs, out=empty((len(rows), n // 2)))
    square, share = np.array(totals) ** 2, np.array(shares)
    share = np.divide(share, square, out=np.zeros_like(share), where=square > 0)
    share -= 3 / np.array(numbers)[:, None]
    uneven: Array = np.maximum(0.0, np.maximum.reduce(share))
    return uneven


def _skewness(deviation: Array, n: int) -> Array:
    """Return the skewness of sums over `n` equal parts, shape (m,)."""
    length, m = len(deviation) // n, deviation.shape[1]
    sums = np.einsum("mij->mi", deviation.T[:, : n * length].reshape(m, n, length))
    sums -= (np.add.reduce(sums, axis=1) / n)[:, None]
    squares = sums * sums
    spread = (np.add.reduce(squares, axis=1) / n) ** 1.5
    third = np.vecdot(squares, sums) / n
    skewness: Array = np.divide(third, spread, out=np.zeros_like(third), where=spread > 0)
    return skewness


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
    table = np.zeros((m, max(6, number.max())))  # a row for each of them, the largest first
    table[np.arange(table.shape[1]) < number[:, None]] = -sizes
    table.sort(axis=1)
    count = np.maximum(5, (LARGEST * number).astype(int))
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


def _beyond_exponential(excess: Array, count: Array) -> NDArray[np.bool_]:
    """Return where excesses (m, k), of which so many count, scatter by more than exponential ones.

    The standard deviation of these is their mean, with a relative standard error of 1/√k.
    """
    mean = np.add.reduce(excess, axis=1) / count
    square = np.vecdot(excess, excess) / count - mean**2
    beyond: NDArray[np.bool_] = square > ((1 + 1 / np.sqrt(count)) * mean) ** 2
    return beyond
