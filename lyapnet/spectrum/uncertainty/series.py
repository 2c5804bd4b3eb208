"""Growth by columns, as the rows of memory that they become, and sums over each.

Large ensembles are done by compiled loops, if there are any, a column at a time; else each sum is
a pass over all of them, by NumPy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...numerics.arrays import Array
from ...numerics.buffers import empty

SCALES = 128, 32  # numbers of batches at which growth must be skewed alike


class Series(NamedTuple):
    """Columns of growth, none of them with ``-inf``, and what errors are made of.

    Attributes
    ----------
    rows, deviation : array (m, batches)
        Growth, zero where its sum is ``-inf``; and less its expectation.
    total : array (m,)
        Sums, ``-inf`` where there is one.
    squares, lagged : array (m,)
        Sums of squares of the deviations, and of products of neighbours.
    uneven : array (m,)
        See `unevenness`.
    skewness : array (scales, m)
        Of sums over so many parts as `SCALES` says, zero in runs of fewer batches.
    """

    rows: Array
    deviation: Array
    total: Array
    squares: Array
    lagged: Array
    uneven: Array
    skewness: Array


def series(columns: Array, durations: Array, by_loops: bool = False) -> Series:
    """Return what columns (batches, m) tell, by compiled loops if so wanted.

    Raises
    ------
    ValueError
        If a growth is nan or ``+inf``.
    """
    return (_by_loops if by_loops else _by_numpy)(columns, durations)


def _check(total: Array) -> None:
    if not (total < np.inf).all():
        raise ValueError("growth holds nan or +inf: average only the blocks before the failure")


def _by_numpy(columns: Array, durations: Array) -> Series:
    rows = empty((columns.shape[1], len(columns)))
    rows[...] = columns.T
    total = np.add.reduce(rows, axis=1)  # pairwise
    _check(total)
    singular = np.isneginf(total)
    if singular.any():
        rows[singular] = 0.0
    mean = np.where(singular, 0.0, total) / durations.sum()
    deviation = np.subtract(rows, (mean * durations[0])[:, None], out=empty(rows.shape))
    others = np.flatnonzero(durations != durations[0])
    deviation[:, others] = rows[:, others] - mean[:, None] * durations[others]
    squares = np.vecdot(deviation, deviation)
    lagged = np.vecdot(deviation[:, 1:], deviation[:, :-1])
    skewness = np.reshape([_skewness(deviation, n) for n in _scales(len(columns))], (-1, len(rows)))
    return Series(rows, deviation, total, squares, lagged, unevenness(deviation), skewness)


def _by_loops(columns: Array, durations: Array) -> Series:
    from ...compiled.series import moments

    n, m = columns.shape
    scales = np.array(_scales(n), dtype=np.int64)
    total, squares, lagged, uneven = np.empty((4, m))
    skewness = np.empty((len(scales), m))
    rows = empty((m, n))
    rows[...] = columns.T
    found = Series(rows, empty((m, n)), total, squares, lagged, uneven, skewness)
    moments(rows, durations, scales, 2 * SCALES[1], *found[1:], np.empty((2, n)))
    _check(found.total)
    return found


def _scales(n: int) -> list[int]:
    """Return the scales of which runs of n batches have a skewness."""
    return [parts for parts in SCALES if parts <= n]


def unevenness(deviation: Array) -> Array:
    r"""Return what uneven batches add to the relative variance of a variance, shape (m,).

    Of n independent batches, the variance of a variance over its square is
    :math:`2/n + κ/n`, with the excess kurtosis κ; this is the second term,
    :math:`\sum d^4 / (\sum d^2)^2 - 3/n`, the largest over dyadic scales: 0 for normal growth,
    1 where a single batch carries everything.

    Parameters
    ----------
    deviation : ndarray, shape (m, batches)
        Growth less its expectation.
    """
    numbers, totals, shares = [], [], []
    rows, room = deviation, empty(deviation.shape)
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
    m, length = len(deviation), deviation.shape[1] // n
    sums = np.einsum("mij->mi", deviation[:, : n * length].reshape(m, n, length))
    sums -= (np.add.reduce(sums, axis=1) / n)[:, None]
    squares = sums * sums
    spread = (np.add.reduce(squares, axis=1) / n) ** 1.5
    third = np.vecdot(squares, sums) / n
    skewness: Array = np.divide(third, spread, out=np.zeros_like(third), where=spread > 0)
    return skewness
