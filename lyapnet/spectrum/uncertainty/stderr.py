"""Standard errors of time averages of correlated growth rates.

The estimator is the equally weighted cosine (EWC) long-run variance of [1]_ and [2]_: the
growth's first ν cosine coefficients, frequencies ``πj/T`` just above zero, are all measurements
of its spectral density at zero, which is what a time average's variance is made of. They are
independent and nearly Gaussian, so the mean over ``stderr`` follows Student's t with ν degrees of
freedom. `benchmarks/calibration.py` compares it with batch means, kernels, autoregressions and
initial sequences; `docs/validation/calibration.md` has the table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ...numerics.arrays import Array, blas_threads
from ...numerics.threads import in_pieces
from ...systems.engine import missing
from .blocks import batched, checked, coarsened
from .columns import of_columns
from .estimate import Estimate
from .floor import logarithm, rounding, within_logarithm
from .phases import Phases, phases, phases_together
from .regular import regular_bound

_Result = TypeVar("_Result")

AT_ONCE = 2**20  # numbers: many, for threads take turns between NumPy's calls
EACH = 200  # numbers that a column takes as much time as, beside its own
MUCH = 2**21  # numbers from which on compiled loops are worth it that numba has to be loaded for


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
    every cosine but not to the mean. Where the spectrum falls towards zero, parabolas in frequency
    are held against more cosines instead (`low_frequencies.at_zero`). What 4 or 5 cosines give
    otherwise is moved towards the power of the next ones, as chance makes so few low or high. A run
    is too short to tell, and ``stderr`` infinite, if it is worth fewer than 25 independent steps
    (or has fewer than 12 blocks), or fewer than 200 and is correlated on several scales, so that
    something slower may be hidden, or has crossed its mean fewer than twelve times
    (`steps.few_swings`); where single rare episodes carry the growth (`heavy_tails`, `laminar`);
    and where growth in all directions together conserves a volume, unless the spectrum is seen to
    be flat (`conserved`). There are fewer than ν degrees of freedom where few batches
    carry the variance (`series.unevenness`), 4 where ν is 5, and at most 4 where growth that
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
    return estimate(*batched(growth, durations), conserved=conserved)


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
    told = phases_together(batches, batch_durations, len(growth), weights, mean)
    found = estimate(combined, batch_durations, len(growth), told)
    total_time = durations.sum()
    means = parts.sum(axis=0) / total_time
    floor = np.abs(weights) * rounding(means, total_time, len(growth), len(batches))
    return found._replace(stderr=np.hypot(found.stderr, floor.sum(axis=-1)))


def estimate(
    batches: Array,
    durations: Array,
    n_blocks: int,
    told: Phases | None = None,
    conserved: ArrayLike = False,
) -> Estimate:
    """Apply the estimator to batch sums (batches, ..., k) that `n_blocks` blocks went into.

    What they tell of phases (..., k) may be given; by default they tell it together, with what is
    known to be `conserved` (...).
    """
    n, lead = len(batches), batches.shape[1:]
    together = lead[-1] if lead and told is None else 1  # columns that know of each other
    runs = batches.reshape(n, -1, together)
    kept = np.broadcast_to(conserved, lead[:-1]).ravel()
    work = _Work.of(runs[0].size * (n + EACH))

    def part(a: int, b: int) -> Estimate:
        some = runs[:, a:b]
        if told is None:
            seen = phases(some, durations, n_blocks, kept[a:b])
        else:
            seen = Phases(*(np.broadcast_to(x, lead).ravel()[a:b] for x in told))
        seen = Phases(*(x.ravel() for x in seen))
        return of_columns(some.reshape(n, -1), durations, n_blocks, seen, work.by_loops)

    found = work.shared(part, runs.shape[1])
    mean, stderr, dof = (np.concatenate(x).reshape(lead) for x in zip(*found, strict=True))
    singular = np.isneginf(mean)
    finite_mean = np.where(singular, 0.0, mean)
    unknown = within_logarithm(mean, durations.sum(), n_blocks)
    if lead and unknown.any():
        top = np.flatnonzero(unknown & (mean >= mean.max(axis=-1, keepdims=True)))
        least = _with_open_sign(batches.reshape(n, -1), top, durations, n_blocks, dof, work)
        stderr.flat[top] = np.maximum(stderr.flat[top], least)
    stderr = np.hypot(stderr, rounding(finite_mean, durations.sum(), n_blocks, n))
    return Estimate(mean, np.where(singular, np.nan, stderr), dof)


class _Work(NamedTuple):
    """How the work on columns is done: in how many pieces, and whether by compiled loops."""

    pieces: int
    by_loops: bool

    @classmethod
    def of(cls, size: int) -> Self:
        """Divide work on so many numbers."""
        pieces = 1 if size <= AT_ONCE // 4 else 4 * -(-size // (4 * AT_ONCE))
        return cls(pieces, size >= MUCH and not missing())

    def shared(self, part: Callable[[int, int], _Result], size: int) -> list[_Result]:
        """Return what a function of ranges yields for all pieces of a size."""
        with blas_threads(0):
            return in_pieces(part, size, max(1, -(-size // self.pieces)), self.pieces)


def _with_open_sign(
    columns: Array, top: Array, durations: Array, n_blocks: int, dof: Array, work: _Work
) -> Array:
    """Return errors of the `top` of columns (batches, m) as wide as a power of time.

    Where the largest growth of a run has not grown beyond one, chaos cannot be told from a torus,
    and the interval is as wide as what either could be; unless growth is seen to be regular.
    """
    least = logarithm(durations.sum(), n_blocks) / special.stdtrit(dof.flat[top], 0.975)

    def part(a: int, b: int) -> Array:
        rate = n_blocks / len(columns)
        regular, bound = regular_bound(columns[:, top[a:b]], durations, rate, work.by_loops)
        return np.where(regular, bound, least[a:b])

    return np.concatenate([least[:0], *work.shared(part, len(top))])
