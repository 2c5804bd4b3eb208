"""Neighbouring exponents that a run does not tell apart, and what it knows of them together.

Where two exponents nearly coincide (a Jordan block, a rotation that beats slowly with the blocks)
their directions exchange growth over times that no run may reach. The growth of the volume that
they span is well known all the same: their sum, and so their mean. So it is where rounding mixes
directions, as between the layers of a network of which one drives the next.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Array
from .blocks import coarsened
from .floor import LOGARITHM
from .stderr import estimate


def clusters(
    batches: Array, durations: Array, n_blocks: int, unknown: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """Find groups of neighbours around unknown exponents whose sum is known.

    Two neighbours belong together if what their growth differs by in the whole run is no more
    than a power of time, and one of them is unknown. A sum is known if its own error is less than
    that.

    Parameters
    ----------
    batches : ndarray, shape (batches, k)
        Log growth of one run, in nats.
    durations : ndarray, shape (batches,)
    n_blocks : int
        Blocks that are in these batches.
    unknown : ndarray of bool, shape (k,)
        Exponents without a standard error, or that drift.

    Returns
    -------
    list of dict
        With `exponents`, numbers from 1 in descending order of the averages, `sum`, its `stderr`,
        and `mean`.
    """
    total_time = durations.sum()
    means = batches.sum(axis=0) / total_time
    order = np.argsort(-means, kind="stable")
    with np.errstate(invalid="ignore"):  # -inf from -inf
        gaps = -np.diff(means[order])
    together = LOGARITHM * np.log1p(n_blocks)
    close = gaps * total_time <= together
    close &= unknown[order][1:] | unknown[order][:-1]
    groups = np.split(order, np.flatnonzero(~close) + 1)
    found = [_summed(batches, durations, n_blocks, group) for group in groups if len(group) > 1]
    return [each for each in found if each["stderr"] * total_time <= together]


def clusters_between(growth: Array, durations: Array, known: list[int]) -> list[dict[str, Any]]:
    """Return the groups of exponents that rounding mixes, between sums that it does not change.

    Parameters
    ----------
    growth : ndarray, shape (blocks, k)
        Log growth of one run, in nats, in the order of its vectors.
    durations : ndarray, shape (blocks,)
    known : list of int
        For how many leading vectors the sum is known.

    Returns
    -------
    list of dict
        As of `clusters`.
    """
    batches, batch_durations = coarsened(growth, durations)
    groups = [np.arange(start, stop) for start, stop in itertools.pairwise([0, *known])]
    return [
        _summed(batches, batch_durations, len(growth), group) for group in groups if len(group) > 1
    ]


def not_mixed(growth: Array, known: list[int]) -> NDArray[np.bool_]:
    """Return the exponents (k,), in descending order, that are known one by one.

    Their vectors stand between two sums that are known; arguments as of `clusters_between`.
    """
    sums = np.isin(np.arange(growth.shape[1] + 1), [0, *known])
    order = np.argsort(-growth.sum(axis=0), kind="stable")
    return (sums[:-1] & sums[1:])[order]


def _summed(
    batches: Array, durations: Array, n_blocks: int, columns: NDArray[np.intp]
) -> dict[str, Any]:
    """Say what is known of the sum of some columns."""
    rank = np.argsort(np.argsort(-batches.sum(axis=0), kind="stable"))
    total = estimate(batches[:, columns].sum(axis=1), durations, n_blocks)
    return {
        "exponents": sorted(int(i) + 1 for i in rank[columns]),
        "sum": float(total.mean),
        "stderr": float(total.stderr),
        "mean": float(total.mean) / len(columns),
    }


def clusters_in_words(found: list[dict[str, Any]]) -> str:
    """Say what is known of each cluster, to follow a verdict; empty without any."""
    return "".join(
        f"; exponents {', '.join(map(str, each['exponents']))} are not told apart: their sum is "
        f"{each['sum']:.6g} ± {each['stderr']:.1g}, their mean {each['mean']:.6g}"
        for each in found
    )
