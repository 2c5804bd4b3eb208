"""The estimator of `stderr`, over columns of batch sums that do not know of each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ...numerics.arrays import Array
from ...numerics.buffers import chosen, empty
from .conserved import not_seen_flat
from .cosines import FEWEST_COSINES, MOST_COSINES, cosine_power
from .estimate import Estimate
from .floor import logarithm, within_logarithm
from .heavy_tails import heavy_tailed, unevenness
from .laminar import still_skewed
from .low_frequencies import level_at_zero, number_of_cosines
from .phases import Phases
from .regular import constant_to_rounding, regular_bound
from .steps import independent_steps, too_few_steps, whitened

Mask = NDArray[np.bool_]

CAUTION = 0.5  # of the relative variance: what a variance is known to by 4 degrees of freedom
FEW_STEPS = 60.0  # for which the bound of regular growth is better
FAINT = 0.01  # nats: growth over the whole run that tells no sign, however constant it is


def of_columns(columns: Array, durations: Array, n_blocks: int, phases: Phases) -> Estimate:
    """Return the estimate of columns (batches, m) that `n_blocks` blocks went into, each of (m,).

    Rounding, and what columns of one run tell of each other, are left to `stderr.estimate`.
    """
    time, n = durations.sum(), len(columns)
    rows, total = _rows(columns)
    singular = np.isneginf(total)
    if n < 3 * FEWEST_COSINES:
        return Estimate(total / time, np.full_like(total, np.inf), np.ones_like(total))
    if singular.any():
        rows[singular] = 0.0
        total = np.where(singular, 0.0, total)
    mean = total / time
    deviation = _deviation(rows, mean, durations)
    power = cosine_power(deviation, durations)
    steps, neighbours = independent_steps(deviation, durations, power)
    count = number_of_cosines(power, steps, neighbours)
    level, doubt = level_at_zero(power, count)
    doubt[still_skewed(rows, mean * durations[0], durations)] += CAUTION
    dof = np.maximum(1.0, 2 / (doubt + unevenness(deviation)))
    short = too_few_steps(power, steps, neighbours, n) | phases.rare | heavy_tailed(deviation)
    short |= count < FEWEST_COSINES
    unknown = within_logarithm(mean, time, n_blocks)  # the sign
    hidden = _hidden(phases.sticky, power, neighbours, total, n)
    short |= hidden & ~unknown
    stderr = np.where(short, np.inf, np.sqrt(level / time))
    if hidden.any():  # chaos that has stuck to an island so far, or no chaos: see `conserved`
        least = logarithm(time, n_blocks) / special.stdtrit(dof, 0.975)
        stderr = np.where(hidden, np.maximum(stderr, least), stderr)
    few = short | hidden | (neighbours < FEW_STEPS)
    if few.any():
        regular, bound = regular_bound(chosen(rows, few).T, durations, n_blocks / n)
        regular &= ~phases.rare[few]
        stderr[few] = np.where(regular, bound, stderr[few])
        dof[few] = np.where(regular, MOST_COSINES, dof[few])
    if unknown.any():  # tangent vectors of regular orbits grow like powers of time
        even = constant_to_rounding(chosen(rows, unknown).T, durations, n_blocks / n)
        unknown[unknown] = ~even | (np.abs(total[unknown]) <= FAINT)
        excluded = unknown & (np.abs(mean) > special.stdtrit(dof, 0.975) * stderr)
        stderr = np.where(excluded, np.abs(mean) / special.stdtrit(dof, 0.97), stderr)
    return Estimate(np.where(singular, -np.inf, mean), stderr, dof)


def _rows(columns: Array) -> tuple[Array, Array]:
    """Return columns as rows of memory (m, batches), and their sums (m,)."""
    rows = empty((columns.shape[1], len(columns)))
    rows[...] = columns.T
    total = np.add.reduce(rows, axis=1)  # pairwise
    if not (total < np.inf).all():
        raise ValueError("growth holds nan or +inf: average only the blocks before the failure")
    return rows, total


def _deviation(rows: Array, mean: Array, durations: Array) -> Array:
    """Return growth (batches, m) less its expectation."""
    deviation = np.subtract(rows, (mean * durations[0])[:, None], out=empty(rows.shape)).T
    others = np.flatnonzero(durations != durations[0])
    deviation[others] = rows.T[others] - durations[others, None] * mean
    return deviation


def _hidden(sticky: Mask, power: Array, neighbours: Array, nats: Array, n: int) -> Mask:
    """Return which sticky growths (m,) may have stays near islands hidden in their spectrum."""
    hidden = sticky.copy()
    if sticky.any():
        white = whitened(power[:, sticky], neighbours[sticky], n)
        hidden[sticky] = not_seen_flat(white, nats[sticky])
    return hidden
