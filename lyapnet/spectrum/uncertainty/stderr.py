"""Standard errors of time averages of correlated growth rates.

The estimator is the equally weighted cosine (EWC) long-run variance of [1]_ and [2]_: the
growth's first ν cosine coefficients, frequencies ``πj/T`` just above zero, are all measurements
of its spectral density at zero, which is what a time average's variance is made of. They are
independent and nearly Gaussian, so the mean over ``stderr`` follows Student's t with ν degrees of
freedom. `benchmarks/calibration.py` compares it with batch means, kernels, autoregressions and
initial sequences; `docs/validation/calibration.md` has the table.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ...numerics.arrays import Array, blas_threads
from ...numerics.buffers import chosen, empty
from ...numerics.threads import in_pieces
from .conserved import chaotic_directions, conserved_volume, not_seen_flat
from .floor import logarithm, rounding, within_logarithm
from .heavy_tails import heavy_tailed, unevenness
from .laminar import laminar, still_skewed
from .low_frequencies import (
    CAUTIOUS,
    CHOICE,
    CHOSEN,
    FEWEST_COSINES,
    MOST_COSINES,
    at_the_ends,
    at_zero,
    cosine_power,
    falls,
    independent_steps,
    most_cosines,
    number_of_cosines,
    too_few_steps,
    whitened,
    with_the_next,
)
from .regular import constant_to_rounding, regular_bound

MOST_BATCHES = 1024  # low frequencies are all that is used: finer batches would change nothing
DOF_TO_STOP = 16  # with looks a factor LOOK_FACTOR apart, a rule that stops keeps its coverage
MARGIN_TO_STOP = 2.0  # of the width, with fewer: chance makes such intervals narrow more often
CAUTION = 0.5  # of the relative variance: what a variance is known to by 4 degrees of freedom
FEW_STEPS = 60.0  # for which the bound of regular growth is better
LOOK_FACTOR = 1.5
AT_ONCE = 2**20  # numbers: many, for threads take turns between NumPy's calls
EACH = 200  # numbers that a column takes as much time as, beside its own


class Estimate(NamedTuple):
    """A mean, its standard error and the degrees of freedom of that error.

    Attributes
    ----------
    mean : ndarray, shape (...)
        Per unit time.
    stderr : ndarray, shape (...)
        Same unit. ``inf`` where the run is too short to tell; ``nan`` where ``mean`` is ``-inf``.
    dof : ndarray, shape (...)
        Of Student's t, at least 1.
    """

    mean: Array
    stderr: Array
    dof: Array

    @property
    def too_short(self) -> NDArray[np.bool_]:
        """Where the run is too short for a standard error, shape (...)."""
        return np.isposinf(self.stderr)

    def half_width(self, level: float = 0.95) -> Array:
        """Return half the width of the two-sided interval, shape (...)."""
        if not 0 < level < 1:
            raise ValueError(f"`level` must lie between 0 and 1, got {level}; 0.95 is usual")
        return special.stdtrit(self.dof, (1 + level) / 2) * self.stderr

    def confidence_interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Return the two-sided interval ``mean ± t stderr``; both ends ``-inf`` for such a mean."""
        half = np.where(np.isneginf(self.mean), 0.0, self.half_width(level))
        return self.mean - half, self.mean + half

    def settled(self, tol: float, level: float = 0.95) -> NDArray[np.bool_]:
        """Return where a run may stop for ``half_width(level) <= tol``, shape (...).

        A rule that stops at the first narrow interval prefers those that are too narrow. With
        at least 16 degrees of freedom, and looks whose run lengths differ by a factor of
        `LOOK_FACTOR` or more, 95 % intervals still hold the truth about 90 times in 100, and the
        error is below `tol` 95 times or more. With fewer, twice the half-width must be below
        `tol`. A mean of ``-inf`` has no width and counts as settled.
        """
        margin = np.where(self.dof >= DOF_TO_STOP, 1.0, MARGIN_TO_STOP)
        narrow = margin * self.half_width(level) <= tol
        return narrow | np.isneginf(self.mean)


def mean_and_stderr(
    growth: ArrayLike, durations: ArrayLike, conserved: ArrayLike = False
) -> Estimate:
    r"""Average growth per unit time, with a standard error that accounts for autocorrelation.

    With the growth ``g_b`` of block b less its expectation ``d_b × mean``, and ``t_b`` the middle
    of the block in units of the run's length T,

    .. math:: Y_j = \sqrt{2/T}\,\sum_b (g_b - d_b\,\bar g) \cos(\pi j t_b), \qquad
              \mathrm{stderr}^2 = \frac{1}{T} \Bigl(\frac{1}{\nu} \sum_{j=1}^{\nu} Y_j^2
              - E\Bigr) .

    ν is 24 where the spectrum is seen to be flat, 5 where it is not, 4 where the lowest cosines
    rise, and fewer where an AR(1) plug-in [3]_ asks for it; E is what both ends of the run add to
    every cosine but not to the mean. Where the spectrum falls towards zero, a parabola in frequency
    is fitted to more cosines instead (`low_frequencies.at_zero`). What 4 or 5 cosines give
    otherwise is moved towards the power of the next ones, as chance makes so few low or high. A run
    is too short to tell, and ``stderr`` infinite, if it is worth fewer than 25 independent steps
    (or has fewer than 12 blocks), or fewer than 200 and is correlated on several scales, so that
    something slower may be hidden; where single rare episodes carry the growth (`heavy_tails`,
    `laminar`); and where growth in all directions together conserves a volume, unless the spectrum
    is seen to be flat (`conserved`). There are fewer than ν degrees of freedom where few batches
    carry the variance (`heavy_tails.unevenness`), 4 where ν is 5, and at most 4 where growth that
    never falls below zero is skewed towards it (`laminar.still_skewed`).

    If the growth is a coboundary (zero asymptotic variance: a zero exponent of a flow, the logistic
    map at r = 4), the error is ``(φ(x_T) - φ(x_0)) / T``, and ``stderr`` falls as 1/T with it. If
    it is regular (fixed points, cycles, rotations of the basis), that error is bounded, and where
    a run is worth few steps, ``stderr`` is the bound of `regular.regular_bound`:
    such intervals hold the truth more often than their level says. The leading of several exponents
    whose growth over the whole run is no more than a power of time, and not regular, has an
    interval as wide as that power.

    Parameters
    ----------
    growth : array_like, shape (blocks, ...)
        Log growth per block, in nats; the trailing axes (ensemble, exponents) are independent
        of each other here, but where all exponents conserve a volume. ``-inf`` is a block that
        annihilates the direction.
    durations : array_like, shape (blocks,)
        Durations of the blocks, positive; equal, but for a shorter last one.
    conserved : array_like of bool, optional
        Whether the last axis of `growth`, (..., k), is of directions some of all, and volumes are
        known to be conserved; without its last axis, shape (...).

    Returns
    -------
    Estimate
        ``(mean, stderr, dof)``, each of shape (...). ``stderr`` is never below the rounding of the
        growths.

    Raises
    ------
    ValueError
        If the shapes disagree, a duration is not positive, or a growth is ``nan`` or ``+inf``.

    References
    ----------
    .. [1] E. Lazarus, D. J. Lewis, J. H. Stock and M. W. Watson, "HAR inference: recommendations
       for practice", J. Bus. Econ. Stat. 36, 541 (2018).
    .. [2] U. K. Müller, "A theory of robust long-run variance estimation", J. Econom. 141,
       1331 (2007).
    .. [3] D. W. K. Andrews, "Heteroskedasticity and autocorrelation consistent covariance matrix
       estimation", Econometrica 59, 817 (1991).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> mean, stderr, dof = mean_and_stderr(0.5 + rng.standard_normal(10_000), np.ones(10_000))
    >>> print(f"{mean:.2f} ± {stderr:.2f}")
    0.51 ± 0.01
    """
    growth, durations = checked(growth, durations)
    return estimate(*coarsened(growth, durations), len(growth), conserved=conserved)


def linear_stderr(growth: ArrayLike, durations: ArrayLike, weights: ArrayLike) -> Estimate:
    """Estimate a linear combination of the exponents, their cross-covariances accounted for.

    The combination of the growths is one series, and `mean_and_stderr` does the rest. With a
    gradient as `weights`, this is the delta method for a function of the exponents.

    Parameters
    ----------
    growth : array_like, shape (blocks, ..., k)
        Log growth per block, in nats.
    durations : array_like, shape (blocks,)
        Durations of the blocks.
    weights : array_like, shape (..., k)
        Finite; where a weight is zero, the exponent plays no part, be it ``-inf``.

    Returns
    -------
    Estimate
        Of ``sum(weights * exponents, axis=-1)``, each of shape (...).

    Raises
    ------
    ValueError
        As `mean_and_stderr`; if a weight is not finite, or does not fit the growths.

    Examples
    --------
    >>> growth = np.random.default_rng(0).standard_normal((1000, 2))
    >>> growth[:, 1] = -1.0 - growth[:, 0]  # volume contracts evenly: the sum has no error
    >>> total = linear_stderr(growth, np.ones(1000), [1.0, 1.0])
    >>> print(f"{total.mean:.6f} ± {total.stderr:.0e}")
    -1.000000 ± 7e-15
    """
    growth, durations = checked(growth, durations)
    weights = np.asarray(weights, dtype=np.float64)
    if not np.all(np.isfinite(weights)):
        raise ValueError("weights must be finite; a gradient that is not has no standard error")
    if growth.ndim < 2 or np.broadcast_shapes(weights.shape, growth.shape[1:]) != growth.shape[1:]:
        raise ValueError(
            f"weights (..., k) must fit growth (blocks, ..., k), got shapes {weights.shape} "
            f"and {growth.shape}"
        )
    batches, batch_durations = coarsened(growth, durations)
    parts = np.where(weights == 0, 0.0, batches)  # 0 × -inf would be nan
    combined = np.sum(parts * weights, axis=-1)
    mean = combined.sum(axis=0) / batch_durations.sum()
    sea = conserved_volume(batches, batch_durations, len(growth))
    sea = sea & ~within_logarithm(mean, batch_durations.sum(), len(growth))
    rare = np.any(laminar(batches, batch_durations, len(growth)) & (weights != 0), axis=-1)
    found = estimate(combined, batch_durations, len(growth), sea, rare=rare)
    total_time = durations.sum()
    means = parts.sum(axis=0) / total_time
    floor = np.abs(weights) * rounding(means, total_time, len(growth), len(batches))
    return found._replace(stderr=np.hypot(found.stderr, floor.sum(axis=-1)))


def checked(growth: ArrayLike, durations: ArrayLike) -> tuple[Array, Array]:
    """Return both as float64 arrays, or raise ValueError about their shapes and durations."""
    growth = np.asarray(growth, dtype=np.float64)
    durations = np.asarray(durations, dtype=np.float64)
    if durations.ndim != 1 or growth.ndim < 1 or len(growth) != len(durations) or not len(growth):
        raise ValueError(
            "growth (blocks, ...) and durations (blocks,) must agree on at least one block, "
            f"got shapes {growth.shape} and {durations.shape}"
        )
    if not np.all(durations > 0) or not np.all(np.isfinite(durations)):
        raise ValueError("durations must be positive and finite: drop the empty blocks")
    return growth, durations


def coarsened(growth: Array, durations: Array, most: int = MOST_BATCHES) -> tuple[Array, Array]:
    """Sum neighbouring blocks into at most `most` equal batches, the last one perhaps shorter."""
    per_batch = -(-len(growth) // most)
    if per_batch == 1:
        return growth, durations
    starts = np.arange(0, len(growth), per_batch)
    return np.add.reduceat(growth, starts, axis=0), np.add.reduceat(durations, starts)


def estimate(
    batches: Array,
    durations: Array,
    n_blocks: int,
    sea: NDArray[np.bool_] | None = None,
    conserved: ArrayLike = False,
    rare: NDArray[np.bool_] | None = None,
) -> Estimate:
    """Apply the estimator to batch sums (batches, ..., k) that `n_blocks` blocks went into.

    `sea` says which of them (..., k) may be sticky, as in `conserved`, and `rare` which live on
    rare phases, as in `laminar`; by default they tell, with what is known to be `conserved` (...).
    """
    n, lead = len(batches), batches.shape[1:]
    columns = batches.reshape(n, -1)
    size = columns.shape[1] * (n + EACH)
    pieces = 1 if size <= AT_ONCE // 4 else 4 * -(-size // (4 * AT_ONCE))  # as many for each thread
    with blas_threads(0):
        if sea is None:
            sea = _sea(batches, durations, n_blocks, conserved)
        if rare is None:
            rare = laminar(batches, durations, n_blocks)
        sticky, heavy = (np.broadcast_to(x, lead).ravel() for x in (sea, rare))

        def part(a: int, b: int) -> Estimate:
            return _estimate(columns[:, a:b], durations, n_blocks, sticky[a:b], heavy[a:b])

        found = in_pieces(part, columns.shape[1], -(-columns.shape[1] // pieces), pieces)
    mean, stderr, dof = (np.concatenate(x).reshape(lead) for x in zip(*found, strict=True))
    singular = np.isneginf(mean)
    finite_mean = np.where(singular, 0.0, mean)
    unknown = within_logarithm(mean, durations.sum(), n_blocks)
    if lead and unknown.any():
        stderr = _with_open_sign(batches, durations, n_blocks, unknown, stderr, dof)
    stderr = np.hypot(stderr, rounding(finite_mean, durations.sum(), n_blocks, n))
    return Estimate(mean, np.where(singular, np.nan, stderr), dof)


def _sea(
    batches: Array, durations: Array, n_blocks: int, conserved: ArrayLike
) -> NDArray[np.bool_]:
    """Return which growths (batches, ..., k) are those of a chaotic sea; none of a single one."""
    if batches.ndim < 2 or (batches.shape[-1] < 2 and not np.any(conserved)):
        return np.zeros(batches.shape[1:], dtype=bool)
    return chaotic_directions(batches, durations, n_blocks, conserved)


def _with_open_sign(
    batches: Array, durations: Array, n_blocks: int, unknown: NDArray[np.bool_], stderr: Array,
    dof: Array,
) -> Array:  # fmt: skip
    """Return errors (..., k) no smaller than a power of time where nothing has grown beyond one.

    Where the largest growth of a run has not, chaos cannot be told from a torus, and the interval
    is as wide as what either could be; unless growth is seen to be regular.
    """
    total = np.add.reduce(batches)
    open_ = unknown & (total >= total.max(axis=-1, keepdims=True))
    if not open_.any():
        return stderr
    regular, bound = regular_bound(batches[:, open_], durations, n_blocks / len(batches))
    least = logarithm(durations.sum(), n_blocks) / special.stdtrit(dof[open_], 0.975)
    stderr[open_] = np.maximum(stderr[open_], np.where(regular, bound, least))
    return stderr


def _estimate(
    columns: Array,
    durations: Array,
    n_blocks: int,
    sticky: NDArray[np.bool_],
    heavy: NDArray[np.bool_],
) -> Estimate:
    """Do so for columns (batches, m), but for rounding."""
    total_time = durations.sum()
    rows = empty((columns.shape[1], len(columns)))
    rows[...] = columns.T
    total = np.add.reduce(rows, axis=1)  # pairwise
    if not (total < np.inf).all():
        raise ValueError("growth holds nan or +inf: average only the blocks before the failure")
    mean = finite_mean = total / total_time
    n = len(columns)
    if n < 3 * FEWEST_COSINES:
        return Estimate(mean, np.full_like(mean, np.inf), np.ones_like(mean))
    singular = np.isneginf(total)
    if singular.any():
        rows[singular] = 0.0
        finite_mean = np.where(singular, 0.0, mean)
    deviation = np.subtract(rows, (finite_mean * durations[0])[:, None], out=empty(rows.shape)).T
    others = np.flatnonzero(durations != durations[0])
    deviation[others] = rows.T[others] - durations[others, None] * finite_mean
    power = cosine_power(deviation, durations)
    worth = independent_steps(deviation, durations, power)
    n_cosines = number_of_cosines(power, *worth)
    short = too_few_steps(power, *worth, n) | heavy | heavy_tailed(deviation)
    short |= n_cosines < FEWEST_COSINES
    unknown = within_logarithm(finite_mean, total_time, n_blocks)
    hidden = sticky.copy()
    if sticky.any():
        white = whitened(power[:, sticky], worth[1][sticky], n)
        hidden[sticky] = not_seen_flat(white, total[sticky])
        short |= hidden & ~unknown
    count = np.maximum(n_cosines, 1)
    cumulated = np.cumsum(power[:MOST_COSINES], axis=0)
    level = cumulated[count - 1, np.arange(len(count))] / count
    doubt = 2 / count
    doubt[count < most_cosines(power)] += CHOICE
    falling = falls(power, n_cosines)
    if not falling.all():
        level -= at_the_ends(power, level)
        if (count <= CAUTIOUS).any():
            level = np.where(count <= CAUTIOUS, with_the_next(power, level), level)
    if falling.any():
        level[falling], degrees = at_zero(power[:, falling])
        doubt[falling] = 2 / (CHOSEN * degrees)
    doubt[still_skewed(rows, finite_mean * durations[0], durations)] += CAUTION
    variance = level / total_time
    stderr = np.where(short, np.inf, np.sqrt(variance))
    dof = np.maximum(1.0, 2 / (doubt + unevenness(deviation)))
    if hidden.any():  # chaos that has stuck to an island so far, or no chaos: see `conserved`
        least = logarithm(total_time, n_blocks) / special.stdtrit(dof, 0.975)
        stderr = np.where(hidden, np.maximum(stderr, least), stderr)
    few = short | hidden | (worth[1] < FEW_STEPS)
    if few.any():
        regular, bound = regular_bound(chosen(rows, few).T, durations, n_blocks / n)
        regular &= ~heavy[few]
        stderr[few] = np.where(regular, bound, stderr[few])
        dof[few] = np.where(regular, MOST_COSINES, dof[few])
    # Tangent vectors of regular orbits grow like powers of time: such a sign is not known.
    if unknown.any():
        unknown[unknown] = ~constant_to_rounding(chosen(rows, unknown).T, durations, n_blocks / n)
        excluded = unknown & (np.abs(finite_mean) > special.stdtrit(dof, 0.975) * stderr)
        stderr = np.where(excluded, np.abs(finite_mean) / special.stdtrit(dof, 0.97), stderr)
    return Estimate(mean, stderr, dof)


def is_heavy_tailed(growth: ArrayLike, durations: ArrayLike) -> NDArray[np.bool_]:
    """Return where growth lives on rare long episodes, shape (...).

    See `heavy_tails.heavy_tailed` and `laminar.laminar`.

    Parameters
    ----------
    growth : array_like, shape (blocks, ...)
        Log growth per block, in nats.
    durations : array_like, shape (blocks,)
        Durations of the blocks.
    """
    growth, durations = checked(growth, durations)
    batches, durations = coarsened(growth, durations)
    singular = np.isneginf(batches.min(axis=0))
    finite = np.where(singular, 0.0, batches).reshape(len(batches), -1)
    mean = finite.sum(axis=0) / durations.sum()
    heavy = heavy_tailed(finite - durations[:, None] * mean).reshape(singular.shape)
    return heavy | laminar(batches, durations, len(growth))


def is_regular(growth: ArrayLike, durations: ArrayLike) -> NDArray[np.bool_]:
    """Return where growth is that of a fixed point, a cycle or a rotation, shape (...).

    Parameters
    ----------
    growth : array_like, shape (blocks, ...)
        Log growth per block, in nats. A block of ``-inf`` is not regular.
    durations : array_like, shape (blocks,)
        Durations of the blocks.
    """
    growth, durations = checked(growth, durations)
    batches, batch_durations = coarsened(growth, durations)
    singular = np.isneginf(batches.min(axis=0))
    finite = np.where(singular, 0.0, batches).reshape(len(batches), -1)
    regular = regular_bound(finite, batch_durations, len(growth) / len(batches))[0]
    regular = regular.reshape(singular.shape) & ~singular
    return regular & ~laminar(batches, batch_durations, len(growth))
