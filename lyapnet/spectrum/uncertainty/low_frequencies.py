"""The spectrum of growth near frequency zero: how far it is flat, and where it is not.

The variance of a time average is the spectral density at zero, seen through the lowest cosines.
More of them give a sharper error, as long as they see the same density. A slow component raises
the lowest ones, growth that is nearly the increment of a bounded function lowers them: both show
in bands of cosines, far sooner than in correlations of neighbouring blocks.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Array
from .cosines import BANDS, FEWEST_COSINES, LOWEST, MOST_COSINES, means_of_bands

Count = NDArray[np.intp]
Mask = NDArray[np.bool_]

CAUTIOUS = 5  # cosines where the spectrum is not seen to be flat
CHOICE = 0.1  # what such a choice adds to the relative variance 2/5: 4 degrees of freedom, 2.78
FLAT = 2.0  # standard errors by which the log power of neighbouring bands may differ
REFERENCE = 8, 48  # cosines that the lowest four are held against
RISING = 2.0  # their ratio from which on only these four count
NEXT = 5, 16  # cosines above the few, that tell of these, too
POOLED, FARTHEST = 0.3, 1.4  # how much, and up to which log ratio of power
FALL = 2.0  # ratio of the power of the first two bands from which on a spectrum falls
SMOOTH = 48  # cosines that parabolas are held against, where it does
CURVATURES = np.geomspace(1e-4, 1.0, 24)  # of these parabolas, relative to their level at zero
MOST_FIT = 16.0  # degrees of freedom: that a spectrum falls may be chance, in the same cosines
STEPS_A_COSINE = 3  # keeps the variance of an AR(1) process within a tenth


def number_of_cosines(power: Array, steps: Array, neighbours: Array) -> Count:
    r"""Return how many cosines tell the variance, of each column; fewer than 4 where none do.

    24 where the power of the first 8 is that of the next 16, and bands up to the 216th have no
    more, but for chance; else 5. If the lowest four have twice the power of those from the ninth
    to the 48th, there is a slow component, and only they count. In no case more than a third of
    the independent steps: an AR(1) process has :math:`S(ω)/S(0) \approx 1 - ρ/(1-ρ)^2 ω^2`, and is
    then within a tenth [1]_.

    Parameters
    ----------
    power : ndarray, shape (cosines, m)
        Of `cosines.cosine_power`.
    steps, neighbours : ndarray, shape (m,)
        Of `steps.independent_steps`. The second are not always what they are called, and leave 5.

    References
    ----------
    .. [1] D. W. K. Andrews, "Heteroskedasticity and autocorrelation consistent covariance matrix
       estimation", Econometrica 59, 817 (1991).
    """
    most = most_cosines(power)
    count = np.where(_flat(power), most, min(CAUTIOUS, most))
    if len(power) >= REFERENCE[0] + LOWEST:
        lowest, others = means_of_bands(len(power), ((0, FEWEST_COSINES), REFERENCE)) @ power
        count = np.where(lowest > RISING * others, np.minimum(count, FEWEST_COSINES), count)
    allowed = np.minimum(steps, np.maximum(neighbours, CAUTIOUS * STEPS_A_COSINE))
    return np.minimum(count, allowed / STEPS_A_COSINE).astype(np.intp)


def level_at_zero(power: Array, count: Count) -> tuple[Array, Array]:
    """Return the spectral density at zero, and the relative variance of what is said of it, (m,).

    Parameters
    ----------
    power : ndarray, shape (cosines, m)
        Of `cosines.cosine_power`.
    count : ndarray of int, shape (m,)
        Of `number_of_cosines`.
    """
    count = np.maximum(count, 1)
    cumulated = np.cumsum(power[:MOST_COSINES], axis=0)
    level = cumulated[count - 1, np.arange(len(count))] / count
    doubt = 2 / count
    doubt[count < most_cosines(power)] += CHOICE
    falling = falls(power, count)
    if not falling.all():
        level -= at_the_ends(power, level)
        if (count <= CAUTIOUS).any():
            level = np.where(count <= CAUTIOUS, with_the_next(power, level), level)
    if falling.any():
        level[falling], degrees = at_zero(power[:, falling])
        doubt[falling] = 2 / degrees
    return level, doubt


def most_cosines(power: Array) -> int:
    """Return how many cosines a flat spectrum allows."""
    return min(MOST_COSINES, 2 * len(power) // 3)


def at_the_ends(power: Array, level: Array) -> Array:
    r"""Return what of `level` is due to both ends of the run and not to the mean, shape (m,).

    If growth is the increment of a bounded function φ, beside anything else, the mean is off by
    :math:`(φ(x_T) - φ(x_0))/T`, but each of the lowest cosines has twice the square of that: at
    the ends, their squares are 1, not 1/2. The power of φ beyond the lowest cosines, which is
    :math:`(T/πj)^2` of that of growth, says how much it is.

    Parameters
    ----------
    power : ndarray, shape (cosines, m)
        Of `cosines.cosine_power`.
    level : ndarray, shape (m,)
        Mean power of the lowest cosines. At most half of it is due to the ends.
    """
    weights, total = _beyond_the_lowest(len(power))
    # Twice of them is in `level`, which is no power of φ.
    ends = (weights @ power - total * level) / (1 - 2 * total)
    return np.minimum(np.maximum(ends, 0.0), level / 2)


@lru_cache(maxsize=8)
def _beyond_the_lowest(count: int) -> tuple[Array, float]:
    """Return what the powers of so many cosines say of both ends, and the sum of these weights."""
    weights = 2 / (np.pi * np.arange(1, count + 1)) ** 2
    weights[:2] = 0.0
    return weights, float(weights.sum())


def with_the_next(power: Array, level: Array) -> Array:
    r"""Return a level of few cosines, moved towards the power of the next ones, shape (m,).

    Few cosines give a level that chance makes low or high, and spectra are smooth: where the next
    ones have more power, the level is more often too low than too high. The best linear
    prediction of the log power at zero has some weight on them,

    .. math:: \log S(0) \approx \log S_{1:5} + 0.3\,\log(S_{6:16} / S_{1:5}) ,

    the logarithm cut off at 1.4. The weight was found on one half of 70 chaotic systems.

    Parameters
    ----------
    power : ndarray, shape (cosines, m)
        Of `cosines.cosine_power`.
    level : ndarray, shape (m,)
        Of the lowest few.
    """
    if len(power) < NEXT[1]:
        return level
    above = (means_of_bands(len(power), (NEXT,)) @ power)[0]
    ratio = np.divide(above, level, out=np.ones_like(level), where=(level > 0) & (above > 0))
    moved = np.minimum(np.maximum(np.log(ratio), -FARTHEST), FARTHEST)
    found: Array = level * np.exp(POOLED * moved)
    return found


def falls(power: Array, count: Count) -> Mask:
    """Return where the spectrum is not flat, and falls towards zero, shape (m,).

    That is, where the lowest band has less than half of the power of the next: less of a fall is
    chance too often, and a fit would then be to what chance has made low.
    """
    found: Mask = np.asarray(count == CAUTIOUS)
    if len(power) < BANDS[2] or not found.any():
        return np.zeros_like(found)
    low, next_ = (np.add.reduce(power[a:b]) / (b - a) for a, b in pairwise(BANDS[:3]))
    return found & (next_ > FALL * low)


def at_zero(power: Array) -> tuple[Array, Array]:
    r"""Return the level at zero, and its degrees of freedom, of spectra that fall towards it.

    Spectra are even in frequency, and smooth where correlations die out exponentially: there
    :math:`S_j \approx a (1 + c j^2)`. The first n = 48 cosines each have a χ² distribution of one
    degree of freedom about that. For a given c the best a is their mean
    :math:`\langle Y_j^2 / (1 + c j^2) \rangle`, and the likelihood
    :math:`a^{-n/2} \prod_j (1 + c j^2)^{-1/2}`. The level is the geometric mean of a by these
    weights: the best c alone takes what chance has made low for the level. Its logarithm has the
    variance v that is among these, and 2/n; that of a χ² distribution of ν degrees is nearly
    2/(ν - 1).

    Parameters
    ----------
    power : ndarray, shape (cosines, m)
        Of `cosines.cosine_power`.
    """
    n = len(power[:SMOOTH])
    unit = np.add.reduce(power[:n]) / n  # squares of rounding are below all numbers
    inverse, log_determinant = _parabolas(n)
    log_level = np.log(inverse @ (power[:n] / unit) / n)
    weights = -(log_determinant[:, None] + n * log_level) / 2
    weights = np.exp(weights - np.maximum.reduce(weights))
    weights /= np.add.reduce(weights)
    mean = np.add.reduce(weights * log_level)
    spread = np.add.reduce(weights * (log_level - mean) ** 2)
    return np.exp(mean) * unit, np.minimum(1 + 2 / (spread + 2 / n), MOST_FIT)


@lru_cache(maxsize=8)
def _parabolas(n: int) -> tuple[Array, Array]:
    """Return 1 / (1 + c j²) of so many cosines for each c, and minus the sums of its logarithms."""
    shapes = 1 + CURVATURES[:, None] * np.arange(1, n + 1) ** 2
    return 1 / shapes, np.log(shapes).sum(axis=1)


def _flat(power: Array) -> Mask:
    """Return where the first two bands have the same power, and later ones no more, shape (m,).

    What falls further up is no harm to the first 24: steps see to that. Of a short run the last
    band is what there is of it, if that is half.
    """
    whole = ((a, min(b, len(power)), b) for a, b in pairwise(BANDS))
    bands = tuple((a, end) for a, end, b in whole if 2 * (end - a) >= b - a)
    if len(bands) < 2:
        return np.ones(power.shape[1], dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):  # growth without any noise
        level = np.log(means_of_bands(len(power), bands) @ power)
        ratio = level[1:] - level[:-1]
    np.abs(ratio[0], out=ratio[0])
    widths = [b - a for a, b in bands]
    limits = [FLAT * np.sqrt(2 / few + 2 / more) for few, more in pairwise(widths)]
    flat: Mask = ~(ratio > np.array(limits)[:, None]).any(axis=0)
    return flat
