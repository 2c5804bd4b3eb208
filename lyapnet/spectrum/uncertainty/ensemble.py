"""Whether the members of an ensemble agree, and what they say together."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from .stderr import Array, Estimate, checked, coarsened, mean_and_stderr

DOUBT = 0.25  # level at which spread and within-run errors of an ensemble are not averaged


def split_r_hat(growth: ArrayLike, durations: ArrayLike) -> Array:
    r"""Potential scale reduction of an ensemble whose members are cut into halves.

    .. math:: \hat R^2 = \frac{n-1}{n} + \frac{\mathrm{Var}(\bar g_i)}{\mathrm{mean}(s_i^2)},

    with the means and variances of n block rates in each half [1]_. Near 1 if members, and
    their halves, agree on the scale of single blocks; `agreement_pvalue` asks on the finer scale
    of the standard errors.

    Parameters
    ----------
    growth : array_like, shape (blocks, ..., k)
        Log growth per block, in nats; ``...`` are the members, all of the same system.
    durations : array_like, shape (blocks,)
        Durations of the blocks. The last is left out if it is shorter.

    Returns
    -------
    ndarray, shape (k,)
        1 for equal constants, ``inf`` for different ones; ``nan`` for fewer than 4 blocks, and
        where a growth is ``-inf``.

    References
    ----------
    .. [1] A. Gelman, J. B. Carlin, H. S. Stern, D. B. Dunson, A. Vehtari and D. B. Rubin,
       Bayesian Data Analysis, 3rd ed., CRC Press (2013), sect. 11.4.
    """
    growth, durations = _members(growth, durations)
    if durations[-1] < durations[0]:
        growth, durations = growth[:-1], durations[:-1]
    n = len(growth) // 2
    if n < 2:
        return np.full(growth.shape[-1], np.nan)
    singular = np.isneginf(growth.min(axis=(0, 1)))
    rates = np.where(singular, 0.0, growth) / durations[:, None, None]
    halves = np.concatenate([rates[:n], rates[n : 2 * n]], axis=1)
    within = halves.var(axis=0, ddof=1).mean(axis=0)
    between = halves.mean(axis=0).var(axis=0, ddof=1)
    alike = between <= (8 * np.finfo(np.float64).eps * np.abs(halves).max(axis=(0, 1))) ** 2
    ratio = np.divide(between, within, out=np.full_like(between, np.inf), where=within > 0)
    r_hat = np.sqrt((n - 1) / n + np.where(alike, 1 / n, ratio))
    return np.where(singular, np.nan, r_hat)


def agreement_pvalue(growth: ArrayLike, durations: ArrayLike) -> Array:
    """Test whether the members of an ensemble have the same exponents.

    The variance of the members' means over the mean of their ``stderr²`` is F-distributed if they
    do. The denominator gets the degrees of freedom of one member, as its bias is shared by
    all: only a spread that is clearly larger than the errors explain is significant.

    Parameters
    ----------
    growth : array_like, shape (blocks, ..., k)
        Log growth per block, in nats; ``...`` are the members.
    durations : array_like, shape (blocks,)
        Durations of the blocks.

    Returns
    -------
    ndarray, shape (k,)
        One-sided p-values. 1 for a single member, and where a member is too short to tell; ``nan``
        where a mean is ``-inf``.
    """
    growth, durations = _members(growth, durations)
    mean, stderr, dof = mean_and_stderr(growth, durations)
    members = len(mean)
    singular = np.any(np.isneginf(mean), axis=0)
    if members < 2:
        return np.where(singular, np.nan, 1.0)
    spread = np.where(singular, 0.0, mean).var(axis=0, ddof=1)
    ratio = spread / np.mean(stderr**2, axis=0)
    pvalue = special.fdtrc(members - 1.0, dof.mean(axis=0), np.where(singular, 0.0, ratio))
    return np.where(singular, np.nan, pvalue)


def pooled(growth: ArrayLike, durations: ArrayLike) -> Estimate:
    """Average an ensemble, its spread and its within-run errors combined.

    Two standard errors of the ensemble's mean are at hand. The spread of the M members over √M
    (M - 1 degrees of freedom) is right for independent members, even if they differ; the error of
    the average of their growths (`mean_and_stderr`) is right for members of the same exponents,
    even if they depend on each other, as under a common input. Where an F test, at the level 0.25
    on either side, lets them differ, the larger counts, else their average.

    Two to four members that differ by more than their errors cannot be told with certainty from
    members that agree: there, 95 % intervals may hold the truth only 86 times in 100.

    Parameters
    ----------
    growth : array_like, shape (blocks, ..., k)
        Log growth per block, in nats; ``...`` are the members, weighted equally.
    durations : array_like, shape (blocks,)
        Durations of the blocks.

    Returns
    -------
    Estimate
        Each of shape (k,), in the order of the columns. If the average is too short to tell, the
        spread alone, whose members must then be independent.

    Examples
    --------
    >>> growth = np.random.default_rng(0).standard_normal((100, 50, 1))  # 50 members
    >>> mean, stderr, dof = pooled(growth, np.ones(100))
    >>> print(stderr.round(3), dof)
    [0.013] [73.]
    """
    growth, durations = _members(growth, durations)
    batches, batch_durations = coarsened(growth, durations)
    members = batches.shape[1]
    average = mean_and_stderr(batches.mean(axis=1), batch_durations)
    if members < 2:
        return average
    mean, stderr, dof = average
    singular = np.isneginf(mean)
    means = batches.sum(axis=0) / batch_durations.sum()
    spread = np.where(singular, 0.0, means).var(axis=0, ddof=1) / members
    within = np.where(singular, 1.0, stderr) ** 2
    spread_dof = members - 1.0
    ratio = spread / within
    only_spread = special.fdtrc(spread_dof, dof, ratio) < DOUBT
    only_spread |= np.isposinf(within)
    only_within = special.fdtr(spread_dof, dof, ratio) < DOUBT
    only_within &= ~only_spread
    spread_share = np.where(only_within, 0.0, spread_dof)
    within_share = np.where(only_spread, 0.0, dof)
    total = spread_share + within_share
    variance = (spread_share * spread + within_share * np.where(only_spread, 0.0, within)) / total
    # Equal members are rounded alike, and their spread is not an error.
    floor = 8 * np.finfo(np.float64).eps * np.abs(np.where(singular, 0.0, mean))
    combined = np.where(singular, np.nan, np.hypot(np.sqrt(variance), floor))
    return Estimate(mean, combined, total)


def _members(growth: ArrayLike, durations: ArrayLike) -> tuple[Array, Array]:
    """Return growth as (blocks, members, k)."""
    growth, durations = checked(growth, durations)
    if growth.ndim < 2:
        raise ValueError(f"growth must have shape (blocks, ..., k), got {growth.shape}")
    return growth.reshape(len(growth), -1, growth.shape[-1]), durations
