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

MOST_COSINES = 24  # t quantile 2.06 instead of 1.96; more would only narrow the intervals by 5 %
CAUTIOUS = 8  # cosines where the spectrum is not seen to be flat: 2.31
FEWEST_COSINES = 4  # below, the run is too short to tell; also where the lowest rise
BANDS = (0, CAUTIOUS, MOST_COSINES, 72, 216)  # of cosines: flat ones have the same mean power
FLAT = 2.0  # standard errors by which the log power of neighbouring bands may differ
REFERENCE = slice(8, 48)  # cosines that the lowest four are held against
RISING = 2.0  # their ratio from which on only these four count
BIAS_ALLOWED = 0.1  # of the variance: 95 % intervals then hold the truth 94 times in 100
COARSEST = 64  # batches; correlation is looked for on all dyadic scales down to this one


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
    # cos((q + r) x), a few r at a time, from few exponentials: cosines themselves cost more.
    few = max(1, int(np.ceil(np.sqrt(count))))
    fine = np.exp(1j * np.pi * np.outer(np.arange(1, few + 1), middles))
    coarse = np.exp(1j * np.pi * np.outer(np.arange(0, count, few), middles))
    parts = [(x.real * fine.real - x.imag * fine.imag) @ deviation for x in coarse]
    sums = np.concatenate([*parts, np.empty((0, deviation.shape[1]))])[:count]
    power: Array = 2 / total_time * sums**2
    return power


def number_of_cosines(power: Array, limit: Count) -> Count:
    """Return how many cosines tell the variance, of each column; fewer than 4 where none do.

    24 where the power of bands of cosines up to the 216th is the same but for chance, else 8. If
    the lowest four have twice the power of those from the ninth to the 48th, there is a slow
    component, and only they count.

    Parameters
    ----------
    power : ndarray, shape (cosines, m)
        Of `cosine_power`.
    limit : ndarray, shape (m,)
        Of `autoregressive_limit`: in no case more.
    """
    most = min(MOST_COSINES, 2 * len(power) // 3)
    count = np.where(_flat(power), most, min(CAUTIOUS, most))
    reference = power[REFERENCE]
    if len(reference) >= CAUTIOUS:
        lowest, others = power[:FEWEST_COSINES].mean(axis=0), reference.mean(axis=0)
        count = np.where(lowest > RISING * others, np.minimum(count, FEWEST_COSINES), count)
    return np.minimum(count, limit)


def _flat(power: Array) -> NDArray[np.bool_]:
    """Return where neighbouring bands have the same power, shape (m,)."""
    flat = np.ones(power.shape[1], dtype=bool)
    bands = [(a, b) for a, b in pairwise(BANDS) if b <= len(power)]
    with np.errstate(divide="ignore", invalid="ignore"):  # growth without any noise
        for (a, b), (c, d) in pairwise(bands):
            ratio = np.log(power[c:d].mean(axis=0) / power[a:b].mean(axis=0))
            flat &= ~(np.abs(ratio) > FLAT * np.sqrt(2 / (b - a) + 2 / (d - c)))
    return flat


def autoregressive_limit(deviation: Array) -> Count:
    """Return how many cosines keep an AR(1) process [1]_ within the bias allowed, shape (m,).

    An AR(1) process has ``S(ω)/S(0) ≈ 1 - ρ/(1-ρ)² ω²``; over ``ω_j = πj/n, j = 1..ν``, the mean
    falls short of S(0) by ``ρ/(1-ρ)² (πν/n)²/3``. A slow component under fast noise hides from
    the first ρ of the finest scale but not from that of coarser batches: the least ν counts.

    Parameters
    ----------
    deviation : ndarray, shape (batches, m)
        Growth less its expectation.

    References
    ----------
    .. [1] D. W. K. Andrews, "Heteroskedasticity and autocorrelation consistent covariance matrix
       estimation", Econometrica 59, 817 (1991).
    """
    allowed = np.full(deviation.shape[1], np.inf)
    while True:
        n = len(deviation)
        rho = np.einsum("ij,ij->j", deviation[1:], deviation[:-1])
        power = np.einsum("ij,ij->j", deviation, deviation)
        rho = np.divide(rho, power, out=np.zeros_like(rho), where=power > 0)
        rho = np.clip(rho + (1 + 3 * rho) / n, -0.99, 1 - 1e-9)  # Kendall's bias of the first ρ
        width = np.sqrt(3 * BIAS_ALLOWED / np.maximum(np.abs(rho), 1e-9)) / np.pi
        allowed = np.minimum(allowed, n * (1 - rho) * width)
        if n < 2 * COARSEST:
            return np.floor(np.minimum(allowed, n)).astype(np.intp)
        deviation = deviation[: n // 2 * 2 : 2] + deviation[1 : n // 2 * 2 : 2]
