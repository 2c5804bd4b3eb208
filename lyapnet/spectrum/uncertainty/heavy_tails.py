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
SCALES = 128, 32  # numbers of batches at which growth must be skewed alike
SKEWED = 0.7, 0.5  # skewness at these; of normal growth the first is three standard errors
ROUNDING = 1e-6  # nats: what only rounding (eps over a squared sine) leaves has no episodes
LARGEST = 0.2  # share of the episodes whose sizes are looked at
POWER = 2.0  # of the tail: below, sizes have no variance
DOUBT = 1.5  # standard errors by which the power must be below


def heavy_tailed(deviation: Array) -> NDArray[np.bool_]:
    r"""Return the columns with heavy tails, shape (m,).

    Episodes are runs of batches that all lie above, or all below, the mean. Called heavy is growth
    that is skewed on two scales a factor of four apart, to the same side, and whose largest
    episodes of that side, with sizes :math:`A_1 \ge \dots \ge A_k`, fall off slowly: Hill's
    estimator [1]_ of the power, :math:`k / \sum_i \log(A_i / A_{k+1})`, is below two by 1.5
    standard errors, each :math:`1/\sqrt{k}` of it. Growth of finite variance that is independent
    of its past loses half of its skewness between the scales.

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
    heavy &= (fine * coarse > 0) & (np.abs(deviation).max(axis=0) > ROUNDING)
    if heavy.any():
        heavy[heavy] = _power(deviation[:, heavy] * np.sign(fine[heavy])) < POWER
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
    uneven = np.zeros(deviation.shape[1])
    while True:
        n = len(deviation)
        squares = deviation**2
        total = squares.sum(axis=0)
        share = np.einsum("ij,ij->j", squares, squares)
        share = np.divide(share, total**2, out=np.zeros_like(total), where=total**2 > 0)
        uneven = np.maximum(uneven, share - 3 / n)
        if n < 2 * SCALES[1]:
            return uneven
        deviation = deviation[: n // 2 * 2 : 2] + deviation[1 : n // 2 * 2 : 2]


def _skewness(deviation: Array, n: int) -> Array:
    """Return the skewness of sums over `n` equal parts, shape (m,)."""
    length = len(deviation) // n
    sums = np.add.reduceat(deviation[: n * length], range(0, n * length, length), axis=0)
    sums -= sums.mean(axis=0)
    squares = sums * sums
    variance = squares.mean(axis=0)
    third = np.einsum("ij,ij->j", squares, sums) / n
    skewness: Array = np.divide(
        third, variance**1.5, out=np.zeros_like(third), where=variance**1.5 > 0
    )
    return skewness


def _power(deviation: Array) -> Array:
    """Return powers (m,) that the tails of columns' episodes above their mean do not exceed."""
    n, m = deviation.shape
    flat = deviation.T.ravel()
    above = flat > 0
    begins = np.ones(len(flat), dtype=bool)
    begins[1:] = above[1:] != above[:-1]
    begins[::n] = True
    starts = np.flatnonzero(begins)
    sizes = np.add.reduceat(flat, starts)
    column, sizes = starts[sizes > 0] // n, sizes[sizes > 0]
    number = np.bincount(column, minlength=m)
    first = np.cumsum(number) - number
    table = np.zeros((m, max(6, number.max())))  # a row for each column, the largest last
    table[column, np.arange(len(sizes)) - first[column]] = sizes
    table = np.sort(table, axis=1)[:, ::-1]
    count = np.maximum(5, (LARGEST * number).astype(int))
    told = number > count
    count = np.where(told, count, 1)
    least = np.where(told, np.take_along_axis(table, count[:, None], axis=1)[:, 0], 1.0)
    among = np.arange(table.shape[1]) < count[:, None]
    logs = np.log(np.where(among & told[:, None], table, least[:, None]) / least[:, None])
    total = logs.sum(axis=1)
    power = np.full(m, np.inf)
    np.divide(count * (1 + DOUBT / np.sqrt(count)), total, out=power, where=total > 0)
    return power
