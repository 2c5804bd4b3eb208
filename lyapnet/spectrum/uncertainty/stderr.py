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

from .regular import regular_bound

Array = NDArray[np.float64]

MOST_BATCHES = 1024  # low frequencies are all that is used: finer batches would change nothing
MOST_COSINES = 24  # t quantile 2.06 instead of 1.96; more would only narrow the intervals by 5 %
FEWEST_COSINES = 4  # below, the run is too short to tell
BIAS_ALLOWED = 0.1  # of the variance: 95 % intervals then hold the truth 94 times in 100
COARSEST = 64  # batches; correlation is looked for on all dyadic scales down to this one
COSINES_TO_STOP = 20  # with looks a factor LOOK_FACTOR apart, a rule that stops keeps its coverage
LOOK_FACTOR = 1.5
ROUNDING = 8 * float(np.finfo(np.float64).eps)  # of a block's log growth, absolute and relative


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
        at least 20 degrees of freedom (a run worth about 100 independent steps), and looks whose
        run lengths differ by a factor of `LOOK_FACTOR` or more, 95 % intervals still hold the
        truth 93 times in 100. A mean of ``-inf`` has no width and counts as settled.
        """
        narrow = (self.half_width(level) <= tol) & (self.dof >= COSINES_TO_STOP)
        return narrow | np.isneginf(self.mean)


def mean_and_stderr(growth: ArrayLike, durations: ArrayLike) -> Estimate:
    r"""Average growth per unit time, with a standard error that accounts for autocorrelation.

    With the growth ``g_b`` of block b less its expectation ``d_b × mean``, and ``t_b`` the middle
    of the block in units of the run's length T,

    .. math:: Y_j = \sqrt{2/T}\,\sum_b (g_b - d_b\,\bar g) \cos(\pi j t_b), \qquad
              \mathrm{stderr}^2 = \frac{1}{\nu T} \sum_{j=1}^{\nu} Y_j^2 .

    ν is 24, or fewer where the spectrum bends within that band: an AR(1) plug-in [3]_, at the most
    cautious of the dyadic time scales, keeps the expected bias of ``stderr²`` below a tenth. Where
    this leaves fewer than 4 (a run worth less than about 20 independent steps, or 12 blocks), the
    run is too short to tell and ``stderr`` is infinite.

    If the growth is a coboundary (zero asymptotic variance: a zero exponent of a flow, the logistic
    map at r = 4), the error is ``(φ(x_T) - φ(x_0)) / T``, and ``stderr`` falls as 1/T with it. If
    it is regular (fixed points, cycles, rotations of the basis), that error is bounded, and where
    fewer than 20 cosines are left, ``stderr`` is the bound of `regular.regular_bound`:
    such intervals hold the truth more often than their level says.

    Parameters
    ----------
    growth : array_like, shape (blocks, ...)
        Log growth per block, in nats; the trailing axes (ensemble, exponents) are independent
        of each other here. ``-inf`` is a block that annihilates the direction.
    durations : array_like, shape (blocks,)
        Durations of the blocks, positive; equal, but for a shorter last one.

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
    return estimate(*coarsened(growth, durations), len(growth))


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
    -1.000000 ± 4e-15
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
    return estimate(np.sum(parts * weights, axis=-1), batch_durations, len(growth))


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


def estimate(batches: Array, durations: Array, n_blocks: int) -> Estimate:
    """Apply the estimator to batch sums (batches, ...) that `n_blocks` blocks went into."""
    total_time = durations.sum()
    total = batches.sum(axis=0)
    if np.any(np.isnan(total)) or np.any(np.isposinf(total)):
        raise ValueError("growth holds nan or +inf: average only the blocks before the failure")
    singular = np.isneginf(total)
    mean = total / total_time
    finite_mean = np.where(singular, 0.0, mean)
    # Each block is rounded alike where the growth is constant: the errors need not average out.
    floor = ROUNDING * (n_blocks / total_time + np.abs(finite_mean))
    n = len(batches)
    most = min(MOST_COSINES, n // 3)
    if most < FEWEST_COSINES:
        stderr = np.where(singular, np.nan, np.inf)
        return Estimate(mean, stderr, np.ones_like(mean))

    rates = finite_mean * durations.reshape(-1, *[1] * mean.ndim)
    deviation = (np.where(singular, 0.0, batches) - rates).reshape(n, -1)
    n_cosines = np.minimum(_cosines_allowed(deviation), most)

    middles = (np.cumsum(durations) - durations / 2) / total_time
    cosines = np.sqrt(2 / total_time) * np.cos(np.pi * np.outer(np.arange(1, most + 1), middles))
    power = np.cumsum((cosines @ deviation) ** 2, axis=0)
    dof = np.maximum(n_cosines, 1)
    variance = np.take_along_axis(power, dof[None] - 1, axis=0)[0] / (dof * total_time)
    stderr = np.where(n_cosines < FEWEST_COSINES, np.inf, np.sqrt(variance))
    regular, bound = regular_bound(
        np.where(singular, 0.0, batches).reshape(n, -1), durations, n_blocks / n
    )
    bounded = regular & (n_cosines < COSINES_TO_STOP)
    stderr = np.hypot(np.where(bounded, bound, stderr), floor.ravel()).reshape(mean.shape)
    dof = np.where(bounded, MOST_COSINES, dof).astype(np.float64).reshape(mean.shape)
    return Estimate(mean, np.where(singular, np.nan, stderr), dof)


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
    return regular.reshape(singular.shape) & ~singular


def _cosines_allowed(deviation: Array) -> NDArray[np.intp]:
    """Return how many low frequencies see a flat spectrum, for each column of (n, m).

    An AR(1) process has ``S(ω)/S(0) ≈ 1 - ρ/(1-ρ)² ω²``; over ``ω_j = πj/n, j = 1..ν``, the mean
    falls short of S(0) by ``ρ/(1-ρ)² (πν/n)²/3``. A slow component under fast noise hides from
    the first ρ of the finest scale but not from that of coarser batches: the least ν counts.
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
