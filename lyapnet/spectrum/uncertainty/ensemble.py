"""Whether the members of an ensemble agree, and what they say together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ...numerics.arrays import Array
from .blocks import checked, coarsened
from .cosines import MOST_COSINES, cosine_power
from .drift import drift_pvalue, parts
from .estimate import Estimate
from .laminar import laminar
from .phases import is_regular
from .stderr import mean_and_stderr

ENOUGH = 9  # members whose spread alone is an error: t quantile 2.3
DEPENDENT = 0.1  # level at which members are taken to depend on each other
RARE = 0.25  # share of the members from which on what they live on has not been seen by all either
DRIFTS = 0.1  # level at which what the first fifth differs by is an error of the average
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
    all: only a spread that is clearly larger than the errors explain is significant. It is the
    mean over those members that are not too short to tell.

    Parameters
    ----------
    growth : array_like, shape (blocks, ..., k)
        Log growth per block, in nats; ``...`` are the members.
    durations : array_like, shape (blocks,)
        Durations of the blocks.

    Returns
    -------
    ndarray, shape (k,)
        One-sided p-values. 1 for a single member, and where none is long enough to tell; ``nan``
        where a mean is ``-inf``.
    """
    growth, durations = _members(growth, durations)
    mean, stderr, dof = mean_and_stderr(growth, durations)
    members = len(mean)
    singular = np.any(np.isneginf(mean), axis=0)
    if members < 2:
        return np.where(singular, np.nan, 1.0)
    spread = np.where(singular, 0.0, mean).var(axis=0, ddof=1)
    tell = np.isfinite(stderr)
    count = np.maximum(tell.sum(axis=0), 1)
    within = np.sum(np.where(tell, stderr, 0.0) ** 2, axis=0) / count
    within_dof = np.maximum(np.sum(np.where(tell, dof, 0.0), axis=0) / count, 1.0)
    known = tell.any(axis=0) & ~singular
    ratio = np.divide(spread, within, out=np.zeros_like(spread), where=known)
    pvalue = special.fdtrc(members - 1.0, within_dof, ratio)
    return np.where(singular, np.nan, pvalue)


def pooled(growth: ArrayLike, durations: ArrayLike) -> Estimate:
    """Average an ensemble, its spread and its within-run errors combined.

    Two standard errors of the ensemble's mean are at hand. The spread of the M members over √M
    (M - 1 degrees of freedom) is right for independent members, even if they differ; the error of
    the average of their growths (`mean_and_stderr`) is right for members of the same exponents,
    even if they depend on each other, as under a common input. The spread alone counts where nine
    members or more are seen to be independent: the lowest cosines of their average then have an
    M-th of the power that those of the members have (F test, level 0.1). Elsewhere, where an F
    test at the level 0.25 on either side lets the two errors differ, the larger counts, else
    their average.

    What all members are off by alike, as by transients too short for their number, does not spread:
    where their average is seen to drift (`common_drift`, level 0.1), by how much it differs from
    that of the last half is an error, too.

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
        spread alone, whose members must then be independent; ``inf`` if a quarter of the members
        live on rare laminar phases (`laminar`), whose means are all off to one side.

    Examples
    --------
    >>> growth = np.random.default_rng(0).standard_normal((100, 50, 1))  # 50 members
    >>> mean, stderr, dof = pooled(growth, np.ones(100))
    >>> print(stderr.round(3), dof)
    [0.013] [49.]
    """
    found, pvalue, off = common_drift(growth, durations)
    stderr = np.where(pvalue < DRIFTS, np.hypot(found.stderr, off), found.stderr)
    return Estimate(found.mean, stderr, found.dof)


def pooled_combination(growth: ArrayLike, durations: ArrayLike, weights: Array) -> Estimate:
    """Return what `pooled` says of a linear combination of the exponents, each of shape ().

    Parameters
    ----------
    growth : array_like, shape (blocks, ..., k)
        Log growth per block, in nats; ``...`` are the members.
    durations : array_like, shape (blocks,)
        Durations of the blocks.
    weights : ndarray, shape (k,)
        Finite; where one is zero, the exponent plays no part, be it ``-inf``.
    """
    growth, durations = _members(growth, durations)
    combined = growth[..., weights != 0] @ weights[weights != 0]
    return Estimate(*(x[0] for x in pooled(combined[..., None], durations)))


def _average(growth: Array, durations: Array) -> Estimate:
    """Return what `pooled` does, of members that do not drift."""
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
    only_spread |= np.isposinf(within) | _independent(batches, batch_durations)
    only_within = special.fdtr(spread_dof, dof, ratio) < DOUBT
    only_within &= ~only_spread
    spread_share = np.where(only_within, 0.0, spread_dof)
    within_share = np.where(only_spread, 0.0, dof)
    total = spread_share + within_share
    variance = (spread_share * spread + within_share * np.where(only_spread, 0.0, within)) / total
    # Equal members are rounded alike, and their spread is not an error.
    floor = 8 * np.finfo(np.float64).eps * np.abs(np.where(singular, 0.0, mean))
    combined = np.where(singular, np.nan, np.hypot(np.sqrt(variance), floor))
    rare = np.mean(laminar(batches, batch_durations, len(growth)), axis=0) > RARE
    combined[rare & ~singular] = np.inf
    return Estimate(mean, combined, total)


class CommonDrift(NamedTuple):
    """What the average of an ensemble drifts by.

    Attributes
    ----------
    estimate : Estimate
        The average and its errors but for the drift, each of shape (k,).
    pvalue : ndarray, shape (k,)
        Of two tests together, two-sided. 1 where the growth of all members is regular; ``nan``
        where a mean is ``-inf``.
    off : ndarray, shape (k,)
        By how much the average differs from that of the last half.
    """

    estimate: Estimate
    pvalue: Array
    off: Array


def common_drift(growth: ArrayLike, durations: ArrayLike) -> CommonDrift:
    """Test whether the average of all members drifts, and say by how much that may be off.

    It may by many of its errors, though each member drifts far less than its own error bar tells.
    The average is held against that of the last half, which differs from it by as much as it is
    uncertain itself; and first fifths against last halves, as in `drift_pvalue`. Where nine members
    or more are seen to be independent, how these differences spread over them is their error: for
    growth that is anticorrelated, as of the logistic map at r = 4, it is larger than that.

    Parameters
    ----------
    growth : array_like, shape (blocks, ..., k)
        Log growth per block, in nats; ``...`` are the members.
    durations : array_like, shape (blocks,)
        Durations of the blocks.

    Returns
    -------
    CommonDrift
    """
    growth, durations = _members(growth, durations)
    estimate = _average(growth, durations)
    singular = np.isneginf(estimate.mean)
    growth = np.where(singular, 0.0, growth)
    first, last = parts(durations)
    start, end = (growth[part].sum(axis=0) / durations[part].sum() for part in (first, last))
    later = end - growth.sum(axis=0) / durations.sum()
    off = np.abs(later.mean(axis=0))
    against_last = _two_sided(off, np.where(singular, np.inf, estimate.stderr), estimate.dof)
    pvalue = drift_pvalue(growth.mean(axis=1), durations)
    if len(start) > 1:
        alone = _independent(*coarsened(growth[last], durations[last]))
        pvalue = np.where(alone, _paired(end - start), pvalue)
        against_last = np.where(alone, _paired(later), against_last)
    pvalue = np.minimum(1.0, 2 * np.minimum(pvalue, against_last))
    regular = is_regular(growth, durations).all(axis=0)
    pvalue = np.where(singular, np.nan, np.where(regular, 1.0, pvalue))
    return CommonDrift(estimate, pvalue, off)


def _paired(differences: Array) -> Array:
    """Return p-values of differences (members, k) that ought to be zero in the mean."""
    members = len(differences)
    stderr = differences.std(axis=0, ddof=1) / np.sqrt(members)
    return _two_sided(differences.mean(axis=0), stderr, members - 1.0)


def _two_sided(difference: Array, stderr: Array, dof: Array | float) -> Array:
    """Return Student's p-values; 1 where nothing differs."""
    t = np.divide(difference, stderr, out=np.zeros_like(stderr), where=stderr > 0)
    pvalue: Array = 2 * special.stdtr(dof, -np.abs(t))
    return pvalue


def _independent(batches: Array, durations: Array) -> NDArray[np.bool_]:
    """Return where at least nine members are seen not to depend on each other, shape (k,)."""
    n, members, k = batches.shape
    if members < ENOUGH or n < 2:
        return np.zeros(k, dtype=bool)
    finite = np.where(np.isneginf(batches.min(axis=(0, 1))), 0.0, batches)
    deviation = finite - durations[:, None, None] * (finite.sum(axis=0) / durations.sum())
    average = cosine_power(deviation.mean(axis=1).T, durations)[:MOST_COSINES].mean(axis=0)
    own = cosine_power(deviation.reshape(n, -1).T, durations)[:MOST_COSINES]
    own = own.reshape(-1, members, k).mean(axis=(0, 1))
    ratio = np.divide(members * average, own, out=np.ones_like(own), where=own > 0)
    count = float(min(MOST_COSINES, n // 2))
    independent: NDArray[np.bool_] = special.fdtrc(count, count * members, ratio) > DEPENDENT
    return independent


def _members(growth: ArrayLike, durations: ArrayLike) -> tuple[Array, Array]:
    """Return growth as (blocks, members, k)."""
    growth, durations = checked(growth, durations)
    if growth.ndim < 2:
        raise ValueError(f"growth must have shape (blocks, ..., k), got {growth.shape}")
    return growth.reshape(len(growth), -1, growth.shape[-1]), durations
