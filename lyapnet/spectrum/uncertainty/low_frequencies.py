"""The spectrum of growth near frequency zero: how far it is flat, and where it is not.

The variance of a time average is the spectral density at zero, seen through the lowest cosines.
More of them give a sharper error, as long as they see the same density. A slow component raises
the lowest ones, growth that is nearly the increment of a bounded function lowers them: both show
in bands of cosines, far sooner than in correlations of neighbouring blocks.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Array

Count = NDArray[np.intp]
Mask = NDArray[np.bool_]

MOST_COSINES = 24  # t quantile 2.06 instead of 1.96; more would only narrow the intervals by 5 %
CAUTIOUS = 5  # cosines where the spectrum is not seen to be flat
CHOICE = 0.1  # what such a choice adds to the relative variance 2/5: 4 degrees of freedom, 2.78
FEWEST_COSINES = 4  # below, the run is too short to tell; also where the lowest rise
BANDS = (0, 8, MOST_COSINES, 72, 216)  # of cosines: flat ones have the same mean power
FLAT = 2.0  # standard errors by which the log power of neighbouring bands may differ
REFERENCE = slice(8, 48)  # cosines that the lowest four are held against
RISING = 2.0  # their ratio from which on only these four count
LOWEST = 8  # cosines whose power says how many independent steps a run is worth
STEPS_A_COSINE = 3  # keeps the variance of an AR(1) process within a tenth
FEWEST_STEPS, SHARE = 25, 0.4  # with fewer, a run is too short to tell; share of the batches
MOST_HIDDEN = 200  # steps from which on a run is long enough for correlations of several scales
STEEP = 3.5  # standard errors by which the whitened spectrum rises there


def cosine_power(deviation: Array, durations: Array) -> Array:
    r"""Return :math:`Y_j^2` for the lowest cosines, shape (cosines, m).

    Parameters
    ----------
    deviation : ndarray, shape (batches, m)
        Growth less its expectation.
    durations : ndarray, shape (batches,)
    """
    total_time = durations.sum()
    count = min(BANDS[-1], len(durations) // 2)
    middles = (np.cumsum(durations) - durations / 2) / total_time
    # cos((q + r) x), a few r at a time, from powers of one exponential: cosines cost more.
    few = max(1, int(np.ceil(np.sqrt(count))))
    first = np.exp(1j * np.pi * middles)
    fine = np.cumprod(np.broadcast_to(first, (few, len(middles))), axis=0)
    real, imag = fine.real.copy(), fine.imag.copy()
    coarse, parts = np.ones(len(middles), dtype=complex), []
    for _ in range(0, count, few):
        parts.append((coarse.real * real - coarse.imag * imag) @ deviation)
        coarse = coarse * fine[-1]
    sums = np.concatenate([*parts, np.empty((0, deviation.shape[1]))])[:count]
    power: Array = 2 / total_time * sums**2
    return power


def number_of_cosines(power: Array, steps: Array, neighbours: Array) -> Count:
    r"""Return how many cosines tell the variance, of each column; fewer than 4 where none do.

    24 where the power of the first 8 is that of the next 16, and bands up to the 216th have no
    more, but for chance; else 5. If
    the lowest four have twice the power of those from the ninth to the 48th, there is a slow
    component, and only they count. In no case more than a third of the independent steps: an
    AR(1) process has :math:`S(ω)/S(0) \approx 1 - ρ/(1-ρ)^2 ω^2`, and is then within a tenth
    [1]_.

    Parameters
    ----------
    power : ndarray, shape (cosines, m)
        Of `cosine_power`.
    steps, neighbours : ndarray, shape (m,)
        Of `independent_steps`. The second are not always what they are called, and leave 5.

    References
    ----------
    .. [1] D. W. K. Andrews, "Heteroskedasticity and autocorrelation consistent covariance matrix
       estimation", Econometrica 59, 817 (1991).
    """
    most = most_cosines(power)
    count = np.where(_flat(power), most, min(CAUTIOUS, most))
    reference = power[REFERENCE]
    if len(reference) >= LOWEST:
        lowest, others = power[:FEWEST_COSINES].mean(axis=0), reference.mean(axis=0)
        count = np.where(lowest > RISING * others, np.minimum(count, FEWEST_COSINES), count)
    allowed = np.minimum(steps, np.maximum(neighbours, CAUTIOUS * STEPS_A_COSINE))
    return np.minimum(count, allowed / STEPS_A_COSINE).astype(np.intp)


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
        Of `cosine_power`.
    level : ndarray, shape (m,)
        Mean power of the lowest cosines. At most half of it is due to the ends.
    """
    weights = 2 / (np.pi * np.arange(3, len(power) + 1)) ** 2
    ends: Array = weights @ (power[2:] - level)
    ends /= 1 - 2 * weights.sum()  # twice of them is in `level`, which is no power of φ
    return np.clip(ends, 0.0, level / 2)


def _flat(power: Array) -> Mask:
    """Return where the first two bands have the same power, and later ones no more, shape (m,).

    What falls further up is no harm to the first 24: steps see to that.
    """
    flat = np.ones(power.shape[1], dtype=bool)
    bands = [(a, b) for a, b in pairwise(BANDS) if b <= len(power)]
    with np.errstate(divide="ignore", invalid="ignore"):  # growth without any noise
        for (a, b), (c, d) in pairwise(bands):
            ratio = np.log(power[c:d].mean(axis=0) / power[a:b].mean(axis=0))
            ratio = np.abs(ratio) if a == 0 else ratio
            flat &= ~(ratio > FLAT * np.sqrt(2 / (b - a) + 2 / (d - c)))
    return flat


def independent_steps(deviation: Array, durations: Array, power: Array) -> tuple[Array, Array]:
    """Return how many independent batches a run is worth, twice, each of shape (m,).

    Parameters
    ----------
    deviation : ndarray, shape (batches, m)
        Growth less its expectation.
    durations : ndarray, shape (batches,)
    power : ndarray, shape (cosines, m)
        Of `cosine_power`.

    Returns
    -------
    steps : ndarray
        So many would have the power of the lowest cosines.
    neighbours : ndarray
        n (1-ρ)/(1+ρ), as of an AR(1) process with the correlation ρ of neighbouring batches.
    """
    n = len(deviation)
    total = np.einsum("ij,ij->j", deviation, deviation)
    per_batch = durations.mean() * power[:LOWEST].mean(axis=0)
    steps = np.divide(total, per_batch, out=np.full_like(total, np.inf), where=per_batch > 0)
    rho = np.einsum("ij,ij->j", deviation[1:], deviation[:-1])
    rho = np.divide(rho, total, out=np.zeros_like(rho), where=total > 0)
    rho = np.clip(rho + (1 + 3 * rho) / n, -0.99, 0.9999)  # Kendall's bias
    return steps, n * (1 - rho) / (1 + rho)


def too_few_steps(power: Array, steps: Array, neighbours: Array, n: int) -> Mask:
    r"""Return where a run of `n` batches is too short to tell, shape (m,).

    That is, worth fewer than 25 independent steps. Or worth fewer than 200, with correlations of
    several scales, as those of sticky and intermittent chaos: the slowest may be beyond the run.
    Their spectrum, whitened by an AR(1) process of the correlation of neighbours, still rises
    towards zero like a power :math:`j^{-a}`. The test is the score of a at zero, over its
    standard error.
    """
    rho = np.maximum(0.0, (n - neighbours) / (n + neighbours))
    j = np.arange(1, len(power) + 1)
    white = power * (1 - 2 * rho * np.cos(np.pi * j / n)[:, None] + rho**2)
    level = white.mean(axis=0)
    excess = np.divide(white, level, out=np.ones_like(white), where=level > 0) - 1
    x = -np.log(j)
    x -= x.mean()
    several_scales = (steps < MOST_HIDDEN) & (x @ excess > STEEP * np.sqrt(2 * x @ x))
    short: Mask = several_scales | (steps < min(FEWEST_STEPS, SHARE * n))
    return short
