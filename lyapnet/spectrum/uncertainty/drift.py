"""Whether runs have settled, and agree: running estimates, drift, ensembles."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ...numerics.arrays import Array
from .blocks import checked
from .phases import is_regular
from .stderr import mean_and_stderr

FIRST, LAST = 0.2, 0.5  # parts of a run that the drift test compares


def running(growth: ArrayLike, durations: ArrayLike) -> Array:
    """Return the average growth from the start to the end of each block, shape (blocks, ...).

    Parameters
    ----------
    growth : array_like, shape (blocks, ...)
        Log growth per block, in nats.
    durations : array_like, shape (blocks,)
        Durations of the blocks.
    """
    growth, durations = checked(growth, durations)
    times = np.cumsum(durations)
    return np.cumsum(growth, axis=0) / times.reshape(-1, *[1] * (growth.ndim - 1))


def effective_sample_size(growth: ArrayLike, durations: ArrayLike) -> Array:
    """Return how many independent blocks would give the same standard error, shape (...).

    The variance of the blocks' rates over ``stderr²``: more than the blocks for anticorrelated
    growth, 0 for a run too short to tell, ``nan`` where the mean is ``-inf``.

    Parameters
    ----------
    growth : array_like, shape (blocks, ...)
        Log growth per block, in nats.
    durations : array_like, shape (blocks,)
        Durations of the blocks.
    """
    growth, durations = checked(growth, durations)
    mean, stderr, _ = mean_and_stderr(growth, durations)
    shares = durations / durations.sum()
    shares = shares.reshape(-1, *[1] * mean.ndim)
    finite = np.isfinite(mean)
    rates = growth / durations.reshape(shares.shape)
    spread = np.where(finite, rates - np.where(finite, mean, 0.0), np.nan)
    return np.sum(shares * spread**2, axis=0) / stderr**2


def parts(durations: Array) -> tuple[slice, slice]:
    """Return the blocks of the first fifth of a run, and of its last half: at least one each."""
    ends = np.cumsum(durations) / durations.sum()
    n_first = max(1, int(np.searchsorted(ends, FIRST * (1 + 1e-12), side="right")))
    n_last = max(1, len(durations) - int(np.searchsorted(ends, 1 - LAST, side="right")))
    return slice(None, n_first), slice(-n_last, None)


def drift_pvalue(growth: ArrayLike, durations: ArrayLike, one_system: bool = False) -> Array:
    r"""Test whether the first fifth of a run differs in mean from its last half.

    As Geweke's diagnostic [1]_, but with the long-run variance S of the last half alone, which a
    transient at the start cannot inflate, and Student's t:

    .. math:: t_\nu = \frac{\bar g_1 - \bar g_2}{\sqrt{S\,(1/T_1 + 1/T_2)}} .

    Parameters
    ----------
    growth : array_like, shape (blocks, ...)
        Log growth per block, in nats.
    durations : array_like, shape (blocks,)
        Durations of the blocks.
    one_system : bool, optional
        Whether growth ``(blocks, ..., k)`` is that of members ``...`` of one system. Of many short
        runs some have a variance that is far too small by chance, and seem to drift; so none is
        taken to be smaller than the members' average.

    Returns
    -------
    ndarray, shape (...)
        Two-sided p-values. 1 where the last half is too short to tell, and where the growth is
        regular (`regular`): its error accounts for decays. ``nan`` where the mean is
        ``-inf``.

    References
    ----------
    .. [1] J. Geweke, "Evaluating the accuracy of sampling-based approaches to the calculation of
       posterior moments", in: Bayesian Statistics 4, Oxford University Press, 169 (1992).
    """
    growth, durations = checked(growth, durations)
    first, last = parts(durations)
    singular = np.isneginf(growth.min(axis=0))
    growth = np.where(singular, 0.0, growth)
    first_time, last_time = durations[first].sum(), durations[last].sum()
    mean, stderr, dof = mean_and_stderr(growth[last], durations[last])
    difference = growth[first].sum(axis=0) / first_time - mean
    if one_system:
        stderr = np.maximum(stderr, _usual(stderr))
    t = difference / (stderr * np.sqrt(1 + last_time / first_time))
    pvalue = np.where(is_regular(growth, durations), 1.0, 2 * special.stdtr(dof, -np.abs(t)))
    return np.where(singular, np.nan, pvalue)


def _usual(stderr: Array) -> Array:
    """Return the root mean square of standard errors (..., k) of those members that have one."""
    errors = stderr.reshape(-1, stderr.shape[-1])
    known = np.isfinite(errors)
    squares = np.sum(np.where(known, errors, 0.0) ** 2, axis=0)
    usual: Array = np.sqrt(squares / np.maximum(known.sum(axis=0), 1))
    return usual
