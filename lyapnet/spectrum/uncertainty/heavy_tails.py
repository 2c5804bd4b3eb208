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
    for column in np.flatnonzero(heavy):
        heavy[column] = _power(deviation[:, column] * np.sign(fine[column])) < POWER
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
    sums = deviation[: n * length].reshape(n, length, -1).sum(axis=1)
    sums = sums - sums.mean(axis=0)
    variance = np.mean(sums**2, axis=0)
    third = np.mean(sums**3, axis=0)
    skewness: Array = np.divide(
        third, variance**1.5, out=np.zeros_like(third), where=variance**1.5 > 0
    )
    return skewness


def _power(deviation: Array) -> float:
    """Return a power that the tail of a column's episodes above its mean does not exceed."""
    above = deviation > 0
    starts = np.flatnonzero(np.concatenate([[True], above[1:] != above[:-1]]))
    sizes = np.add.reduceat(deviation, starts)
    sizes = np.sort(sizes[sizes > 0])[::-1]
    count = max(5, int(LARGEST * len(sizes)))
    if len(sizes) <= count:
        return np.inf
    logs = np.log(sizes[:count] / sizes[count]).sum()
    return float(count / logs) * (1 + DOUBT / np.sqrt(count)) if logs > 0 else np.inf
