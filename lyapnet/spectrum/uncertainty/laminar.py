r"""Growth that comes down to zero for long times, and never below: phases near marginal states.

Near a state that is neutral, :math:`x' = x + x^z` of Pomeau and Manneville [1]_, an orbit grows
apart from its neighbours only like a power of time, and stays for times whose distribution falls
off like one. Averages then have heavy tails, and the runs that look best are those that have not
met a long phase: their exponents are too large, by more than their errors, which are those of what
they have seen. The size of what they have not seen shows in a property of single phases instead:
growth of other chaos scatters to both sides of zero, and hardly ever stays there.

References
----------
.. [1] Y. Pomeau and P. Manneville, "Intermittent transition to turbulence in dissipative
   dynamical systems", Commun. Math. Phys. 74, 189 (1980).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Array
from .floor import within_logarithm
from .heavy_tails import ROUNDING

Mask = NDArray[np.bool_]

FEWEST_BATCHES = 64  # below, there are too few parts to tell what a phase adds to the error
PARTS = 32  # of a run, whose growth says how large an error is
LOW, BELOW = 0.25, 0.05  # of the mean rate: what laminar growth is below, and goes below zero by
LONG = 1.0  # nats of growth that are missing in a phase
UNLIKELY = 0.01  # number of phases as long as that, if batches were independent
COARSE = 15.0  # nats in a batch, of which not a single one is low by chance
SHARE = 0.12  # of the error of the whole growth: phases that are shorter do no harm
TIED = 0.7  # correlation with such growth, that of other exponents in the same phases
ENOUGH, EVEN = 80, 1.15  # phases, whose excess over their median scatters as if exponential
SLOW = 128  # sums of batches that should not be skewed
SKEWED = -0.5  # more than two standard errors, if they were normal
FEW = 32  # growths that are copied before they are summed
SOON = 32  # batches, of which one is below zero in nearly all growths that go there
_EQUAL = 1e-9  # part by which durations differ that are equal
CANCEL = 0.5  # of the variance of independent batches: below, the increments of bounded functions


def laminar(batches: Array, durations: Array, n_blocks: int) -> Mask:
    r"""Return the growths (..., k) that live on laminar phases.

    They are positive in the mean, beyond a power of time; no batch is below zero by more than a
    twentieth of the mean; and of the phases in which all batches are below a quarter of it, the
    largest that is too long for chance lacks, to what would be the mean, more than a nat, and more
    than 0.12 of the error of the whole growth. This share falls as a run grows, but for heavy
    tails; and where there are eighty phases whose sizes fall off like an exponential, the tail is
    light. Growth that has come to rest, over the last half of the run, is a decay. Other growths of
    the same run that are correlated with such a one go with it.

    Parameters
    ----------
    batches : ndarray, shape (batches, ..., k)
        Log growth per batch; nothing is found in fewer than 64.
    durations : ndarray, shape (batches,)
    n_blocks : int
        That went into the batches.
    """
    lead = batches.shape[1:]
    rows = _whole(batches.reshape(len(batches), -1).T, durations)
    n = rows.shape[1]
    if n < FEWEST_BATCHES:
        return np.zeros(lead, dtype=bool)
    if len(rows) < FEW:
        rows = np.ascontiguousarray(rows)
    mean = np.add.reduce(rows, axis=1) / n
    least = _least(rows, mean)
    found = (least < LOW * mean) & ~within_logarithm(n * mean, 1.0, n_blocks)
    if found.any():
        found[found] = _in_one_phase(np.ascontiguousarray(rows[found]))
    if found.any() and lead:
        k = lead[-1]
        found = _with_the_tied(rows.reshape(-1, k, n), found.reshape(-1, k))
    return found.reshape(lead)


def still_skewed(rows: Array, mean: Array, durations: Array) -> Mask:
    """Return the growths (m,) that never go below zero, and are skewed to low values if slow.

    Phases that are longer than those that have been seen are likely then, and the error is less
    certain than its cosines tell.

    Parameters
    ----------
    rows : ndarray, shape (m, batches)
    mean : ndarray, shape (m,)
        Per unit time.
    durations : ndarray, shape (batches,)
    """
    rows, mean = _whole(rows, durations), mean * durations.max()
    n = rows.shape[1]
    if n < FEWEST_BATCHES:
        return np.zeros(len(rows), dtype=bool)
    found = _least(rows, mean) < np.inf
    if not found.any():
        return found
    deviation = rows[found] - mean[found, None]
    sums = _parts(deviation, min(n, SLOW))
    squares = sums * sums
    spread = squares.mean(axis=1)
    skewed = np.vecdot(squares, sums) / sums.shape[1] < SKEWED * spread**1.5
    if skewed.any():
        independent = np.vecdot(deviation, deviation) / sums.shape[1]
        skewed &= (spread > CANCEL * independent) & (spread > ROUNDING**2)
    found[found] = skewed
    return found


def _whole(rows: Array, durations: Array) -> Array:
    """Return rows (m, batches) of batches that are as long as the longest.

    Where a run was extended some may be shorter: their growth is small for that alone. Those of
    less than half are left out.
    """
    longest = durations.max()
    if durations.min() >= (1 - _EQUAL) * longest:
        return rows
    whole = durations > 0.5 * longest
    return rows[:, whole] * (longest / durations[whole])


def _least(rows: Array, mean: Array) -> Array:
    """Return the least of growths (m, batches) that never go below zero, inf of others (m,)."""
    bound = -BELOW * mean
    low = np.minimum.reduce(rows[:, :SOON], axis=1, initial=np.inf)
    found = (mean > 0) & (low > bound)  # most are below soon
    if found.any():
        low[found] = np.minimum.reduce(rows[found], axis=1)
        found &= low > bound
    return np.where(found, low, np.inf)


def _in_one_phase(rows: Array) -> Mask:
    """Return for which rows (m, batches) a single phase lacks as much as `laminar` says."""
    m, n = rows.shape
    mean = np.add.reduce(rows, axis=1, keepdims=True) / n
    lacking = mean - rows
    low = rows < LOW * mean
    begins = low.copy()
    begins[:, 1:] &= ~low[:, :-1]
    starts = np.flatnonzero(begins)  # each row has one
    sizes = np.add.reduceat(np.where(low, lacking, 0.0).ravel(), starts)
    counts = np.add.reduceat(low.ravel().astype(np.intp), starts)
    row = starts // n
    by_chance = n * (low.sum(axis=1) / n)[row] ** counts  # so many phases, of independent batches
    long = np.where((by_chance < UNLIKELY) | (mean.ravel()[row] > COARSE), sizes, 0.0)
    first = np.searchsorted(row, np.arange(m + 1))
    parts = _parts(lacking, PARTS)
    error = np.sqrt(np.vecdot(parts, parts))
    found: Mask = np.maximum.reduceat(long, first[:-1]) > np.maximum(LONG, SHARE * error)
    found &= np.ptp(rows[:, n // 2 :], axis=1) > ROUNDING
    for i in np.flatnonzero(found & (np.diff(first) >= ENOUGH)):
        found[i] = not _exponential(sizes[first[i] : first[i + 1]])
    return found


def _exponential(sizes: Array) -> bool:
    """Return whether sizes fall off as fast as exponential ones, of which no longer ones matter."""
    excess = np.maximum(sizes - np.median(sizes), 0.0)
    excess = excess[excess > 0]
    return not excess.size or bool(excess.std() < EVEN * excess.mean())


def _with_the_tied(rows: Array, found: Mask) -> Mask:
    """Add the growths (m, k, batches) that go with those found (m, k)."""
    found = found.copy()
    some = np.flatnonzero(found.any(axis=-1))
    with np.errstate(invalid="ignore", divide="ignore"):  # -inf, and growth without any change
        parts = _parts(rows[some] - rows[some].mean(axis=-1, keepdims=True), PARTS)
        parts = parts / np.sqrt(np.vecdot(parts, parts))[..., None]
        correlation = np.abs(parts @ parts.swapaxes(-1, -2))
    found[some] |= ((correlation > TIED) & found[some][:, None, :]).any(axis=-1)
    return found


def _parts(rows: Array, number: int) -> Array:
    """Return sums of rows (..., batches) over so many equal parts of the run."""
    length = rows.shape[-1] // number
    parts = rows[..., : number * length].reshape(*rows.shape[:-1], number, length)
    sums: Array = parts.sum(axis=-1)
    return sums
