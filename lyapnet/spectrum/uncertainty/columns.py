"""The estimator of `stderr`, over columns of batch sums that do not know of each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ...numerics.arrays import Array
from ...numerics.buffers import chosen
from .conserved import not_seen_flat
from .cosines import FEWEST_COSINES, MOST_COSINES, cosine_power
from .estimate import Estimate
from .floor import logarithm, within_logarithm
from .heavy_tails import heavy_tailed
from .laminar import still_skewed
from .low_frequencies import level_at_zero, number_of_cosines
from .phases import Phases
from .regular import constant_to_rounding, regular_bound
from .series import series
from .steps import MOST_HIDDEN, few_swings, independent_steps, too_few_steps, whitened

Mask = NDArray[np.bool_]

CAUTION = 0.5  # of the relative variance: what a variance is known to by 4 degrees of freedom
FEW_STEPS = 60.0  # for which the bound of regular growth is better
FAINT = 0.01  # nats: growth over the whole run that tells no sign, however constant it is


def of_columns(
    columns: Array, durations: Array, n_blocks: int, phases: Phases, by_loops: bool
) -> Estimate:
    """Return the estimate of columns (batches, m) that `n_blocks` blocks went into, each of (m,).

    Rounding, and what columns of one run tell of each other, are left to `stderr.estimate`.
    """
    time, n = durations.sum(), len(columns)
    found = series(columns, durations, by_loops)
    rows, total = found.rows, found.total
    singular = np.isneginf(total)
    if n < 3 * FEWEST_COSINES:
        return Estimate(total / time, np.full_like(total, np.inf), np.ones_like(total))
    total = np.where(singular, 0.0, total)
    mean = total / time
    heavy = heavy_tailed(found.deviation, found.skewness, by_loops)
    power = cosine_power(found.deviation, durations)  # which needs that no more
    steps, neighbours = independent_steps(found.squares, found.lagged, durations, power)
    count = number_of_cosines(power, steps, neighbours)
    level, doubt = level_at_zero(power, count)
    doubt[still_skewed(rows, mean, durations)] += CAUTION
    dof = np.maximum(1.0, 2 / (doubt + found.uneven))
    short = too_few_steps(power, steps, neighbours, n) | phases.rare | heavy
    short |= count < FEWEST_COSINES
    slow = ~short & (neighbours < MOST_HIDDEN)
    if slow.any():
        short[slow] = few_swings(rows[slow] - mean[slow, None] * durations)
    unknown = within_logarithm(mean, time, n_blocks)  # the sign
    hidden = _hidden(phases.sticky, power, neighbours, total, n)
    short |= hidden & ~unknown
    stderr = np.where(short, np.inf, np.sqrt(level / time))
    if hidden.any():  # chaos that has stuck to an island so far, or no chaos: see `conserved`
        least = logarithm(time, n_blocks) / special.stdtrit(dof[hidden], 0.975)
        stderr[hidden] = np.maximum(stderr[hidden], least)
    few = short | hidden | (neighbours < FEW_STEPS)
    if few.any():
        regular, bound = regular_bound(chosen(rows, few).T, durations, n_blocks / n, by_loops)
        regular &= ~phases.rare[few]
        stderr[few] = np.where(regular, bound, stderr[few])
        dof[few] = np.where(regular, MOST_COSINES, dof[few])
    if unknown.any():  # tangent vectors of regular orbits grow like powers of time
        even = constant_to_rounding(chosen(rows, unknown).T, durations, n_blocks / n)
        unknown[unknown] = ~even | (np.abs(total[unknown]) <= FAINT)
        size = np.abs(mean[unknown])
        half, wider = (special.stdtrit(dof[unknown], p) for p in (0.975, 0.97))
        excluded = size > half * stderr[unknown]
        stderr[unknown] = np.where(excluded, size / wider, stderr[unknown])
    return Estimate(np.where(singular, -np.inf, mean), stderr, dof)


def _hidden(sticky: Mask, power: Array, neighbours: Array, nats: Array, n: int) -> Mask:
    """Return which sticky growths (m,) may have stays near islands hidden in their spectrum."""
    hidden = sticky.copy()
    if sticky.any():
        white = whitened(power[:, sticky], neighbours[sticky], n)
        hidden[sticky] = not_seen_flat(white, nats[sticky])
    return hidden
