"""How many independent steps a run is worth, and whether these are enough to tell an error."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Array
from .cosines import LOWEST, means_of_bands

Mask = NDArray[np.bool_]

FEWEST_STEPS, SHARE = 25, 0.4  # with fewer, a run is too short to tell; share of the batches
MOST_HIDDEN = 200  # steps from which on a run is long enough for correlations of several scales
FEWEST_SWINGS, ENOUGH = 12, 64  # of growth about its mean; batches from which on these are counted
STEEP = 3.5  # standard errors by which the whitened spectrum rises there


def independent_steps(
    squares: Array, lagged: Array, durations: Array, power: Array
) -> tuple[Array, Array]:
    """Return how many independent batches a run is worth, twice, each of shape (m,).

    Parameters
    ----------
    squares, lagged : ndarray, shape (m,)
        Of `series.Series`.
    durations : ndarray, shape (batches,)
    power : ndarray, shape (cosines, m)
        Of `cosines.cosine_power`.

    Returns
    -------
    steps : ndarray
        So many would have the power of the lowest cosines.
    neighbours : ndarray
        n (1-ρ)/(1+ρ), as of an AR(1) process with the correlation ρ of neighbouring batches.
    """
    n = len(durations)
    per_batch = durations.sum() / n * (means_of_bands(len(power), ((0, LOWEST),)) @ power)[0]
    steps = np.divide(squares, per_batch, out=np.full_like(squares, np.inf), where=per_batch > 0)
    rho = np.divide(lagged, squares, out=np.zeros_like(lagged), where=squares > 0)
    rho = np.minimum(np.maximum(rho + (1 + 3 * rho) / n, -0.99), 0.9999)  # Kendall's bias
    return steps, n * (1 - rho) / (1 + rho)


def whitened(power: Array, neighbours: Array, n: int) -> Array:
    """Return the power of growth whitened by an AR(1) process of the correlation of neighbours.

    Parameters
    ----------
    power : ndarray, shape (cosines, m)
        Of `cosines.cosine_power`.
    neighbours : ndarray, shape (m,)
        Of `independent_steps`. Anticorrelated growth stays as it is.
    n : int
        Batches.
    """
    rho = _correlation(neighbours, n)
    angle = np.pi * np.arange(1, len(power) + 1) / n
    white: Array = power * (1 - 2 * rho * np.cos(angle)[:, None] + rho**2)
    return white


def _correlation(neighbours: Array, n: int) -> Array:
    """Return the correlation of neighbours, at least 0, of `n` batches worth so many steps."""
    rho: Array = np.maximum(0.0, (n - neighbours) / (n + neighbours))
    return rho


def too_few_steps(power: Array, steps: Array, neighbours: Array, n: int) -> Mask:
    r"""Return where a run of `n` batches is too short to tell, shape (m,).

    That is, worth fewer than 25 independent steps. Or worth fewer than 200, with correlations of
    several scales, as those of sticky and intermittent chaos: the slowest may be beyond the run.
    Their spectrum, whitened by an AR(1) process of the correlation of neighbours, still rises
    towards zero like a power :math:`j^{-a}`. The test is the score of a at zero, over its
    standard error.
    """
    rho = _correlation(neighbours, n)
    # What whitens is (1-ρ)² + 2ρ (1 - cos ω): the sums over cosines are those of two spectra.
    level, level_cos, score, score_cos = _steepness(len(power), n) @ power
    flat, bent = (1 - rho) ** 2, 2 * rho
    steep = flat * score + bent * score_cos > STEEP * (flat * level + bent * level_cos)
    short: Mask = ((steps < MOST_HIDDEN) & steep) | (steps < min(FEWEST_STEPS, SHARE * n))
    return short


def few_swings(deviation: Array) -> Mask:
    """Return which growths (m, batches) have crossed their means fewer than twelve times.

    As growth does that switches between few values: the runs whose error looks small are those in
    which one value was met less by chance. Of growth that forgets evenly, worth as few steps, the
    batches cross several times as often.
    """
    if deviation.shape[1] < ENOUGH:
        return np.zeros(len(deviation), dtype=bool)
    above = deviation > 0
    few: Mask = np.count_nonzero(above[:, 1:] != above[:, :-1], axis=1) < FEWEST_SWINGS
    return few


@lru_cache(maxsize=8)
def _steepness(count: int, n: int) -> Array:
    """Return what takes power to its mean, the score of `too_few_steps`, and both of the bend.

    That is, of the power times 1 - cos ω. Scores are over their standard error at mean power 1.
    """
    j = np.arange(1, count + 1)
    bend = 2 * np.sin(np.pi * j / (2 * n)) ** 2
    x = np.log(j).mean() - np.log(j)
    x /= np.sqrt(2 * x @ x)
    return np.array([np.full(count, 1 / count), bend / count, x, x * bend])
