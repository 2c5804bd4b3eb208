"""One plain verdict on a run or an ensemble: converged, too short, drifting or in disagreement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .convergence import (
    agreement_pvalue,
    drift_pvalue,
    effective_sample_size,
    mean_and_stderr,
    running,
    split_r_hat,
)
from .longrun import Array, Estimate, checked, coarsened, is_regular
from .results import Result

SIGNIFICANT = 0.01  # of a whole diagnosis: single p-values are multiplied by their number


@dataclass(frozen=True, repr=False, eq=False)
class Diagnosis(Result):
    """What speaks for and against the convergence of a run.

    Attributes
    ----------
    verdict : str
        One sentence, that begins with "converged:", "too short:", "drifting:", "disagreeing:" or
        "not yet:".
    converged : bool
        Whether it begins with "converged:".
    exponents, stderr, dof : ndarray, shape (..., k)
        As `lyapnet.longrun.mean_and_stderr` returns them, in the order of the columns.
    drift_pvalue : ndarray, shape (..., k)
        Of the first fifth against the last half.
    effective_sample_size : ndarray, shape (..., k)
        Blocks' worth of independent growth.
    r_hat, agreement_pvalue : ndarray, shape (k,), or None
        Of the ensemble, if there is one of a single system.
    times : ndarray, shape (m,)
        Ends of at most 1024 batches of blocks.
    running : ndarray, shape (m, ..., k)
        Average growth up to these times.
    level : float
        Of the intervals that the verdict and the plot show.
    """

    verdict: str
    converged: bool
    exponents: Array
    stderr: Array
    dof: Array
    drift_pvalue: Array
    effective_sample_size: Array
    r_hat: Array | None
    agreement_pvalue: Array | None
    times: Array
    running: Array
    level: float

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {
        "exponents": ("exponent",),
        "stderr": ("exponent",),
        "dof": ("exponent",),
        "drift_pvalue": ("exponent",),
        "effective_sample_size": ("exponent",),
        "r_hat": ("exponent",),
        "agreement_pvalue": ("exponent",),
        "times": ("time",),
        "running": ("time", "exponent"),
    }

    def _summary(self) -> dict[str, Any]:
        return {"verdict": self.verdict, "exponents": self.exponents, "stderr": self.stderr}

    def plot(self, ax: Any = None) -> Any:
        """Draw the running estimates, and the final intervals as bands.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Axes to draw on; new ones by default.

        Returns
        -------
        matplotlib.axes.Axes
        """
        from . import plotting

        ax = plotting.new_axes(ax)
        k = self.exponents.shape[-1]
        estimate = Estimate(self.exponents, self.stderr, self.dof)
        low, high = estimate.confidence_interval(self.level)
        low, high = low.reshape(-1, k), high.reshape(-1, k)
        curves = self.running.reshape(len(self.times), -1, k)
        for i, color in enumerate(plotting.by_index(k)):
            for member in range(curves.shape[1]):
                drawn = np.isfinite(curves[:, member, i])
                ax.plot(self.times[drawn], curves[drawn, member, i], color=color, lw=0.8)
            ends = np.isfinite(low[:, i]) & np.isfinite(high[:, i])
            if ends.any():
                ax.axhspan(low[ends, i].min(), high[ends, i].max(), color=color, alpha=0.2, lw=0)
        ax.set(xlabel="time", ylabel="running exponents (nats per unit time)")
        ax.set_title(self.verdict.split(":")[0])
        return ax


def diagnose(
    growth: ArrayLike,
    durations: ArrayLike,
    *,
    tol: float | None = None,
    level: float = 0.95,
    same_system: bool = True,
) -> Diagnosis:
    """Judge whether a run has converged.

    In this order: a run is too short if an exponent has no standard error; it drifts if a first
    fifth differs from the last half; an ensemble disagrees if its members' means differ by more
    than their errors; it is not there yet if a half-width exceeds `tol`. The two tests are
    made at a level of 0.01 for all exponents and members together (Bonferroni). A drift that
    leaves an exponent within `tol`, half-width included, is tolerated.

    Parameters
    ----------
    growth : array_like, shape (blocks, ..., k)
        Log growth per block, in nats; ``...`` are members of an ensemble.
    durations : array_like, shape (blocks,)
        Durations of the blocks.
    tol : float, optional
        Largest acceptable half-width of the intervals, in nats per unit time.
    level : float, optional
        Level of the intervals.
    same_system : bool, optional
        Whether the members are trajectories of one system, that ought to agree.

    Returns
    -------
    Diagnosis

    Raises
    ------
    ValueError
        If the shapes disagree, or a growth is ``nan`` or ``+inf``.

    Examples
    --------
    >>> growth = 0.3 + np.random.default_rng(0).standard_normal((1000, 1))
    >>> diagnose(growth, np.ones(1000)).verdict
    'converged: 95 % half-widths up to 0.06, no drift (p = 0.32)'
    >>> diagnose(growth[:10], np.ones(10)).verdict
    'too short: 10 blocks cannot tell the error of 1 of 1 exponents; run longer'
    """
    growth, durations = checked(growth, durations)
    if growth.ndim < 2:
        raise ValueError(f"growth must have shape (blocks, ..., k), got {growth.shape}")
    estimate = mean_and_stderr(growth, durations)
    batches, batch_durations = coarsened(growth, durations)
    ensemble = same_system and growth[0, ..., 0].size > 1
    drift = drift_pvalue(growth, durations)
    if tol is not None:
        drift = np.where(_within(estimate, batches, batch_durations, tol, level), 1.0, drift)
    r_hat = split_r_hat(growth, durations) if ensemble else None
    agreement = agreement_pvalue(batches, batch_durations) if ensemble else None
    regular = bool(np.all(is_regular(growth, durations) | np.isneginf(estimate.mean)))
    verdict = _verdict(estimate, drift, agreement, r_hat, len(growth), tol, level, regular)
    return Diagnosis(
        verdict=verdict,
        converged=verdict.startswith("converged:"),
        exponents=estimate.mean,
        stderr=estimate.stderr,
        dof=estimate.dof,
        drift_pvalue=drift,
        effective_sample_size=effective_sample_size(growth, durations),
        r_hat=r_hat,
        agreement_pvalue=agreement,
        times=np.cumsum(batch_durations),
        running=running(batches, batch_durations),
        level=level,
    )


def _verdict(
    estimate: Estimate,
    drift: Array,
    agreement: Array | None,
    r_hat: Array | None,
    n_blocks: int,
    tol: float | None,
    level: float,
    regular: bool,
) -> str:
    """Put into a sentence what decides."""
    finite = ~np.isneginf(estimate.mean)
    if not finite.any():
        return "converged: every exponent is -inf, the Jacobian is singular"
    short = estimate.too_short
    if short.any():
        return (
            f"too short: {n_blocks} blocks cannot tell the error of {short.sum()} of {short.size} "
            "exponents; run longer"
        )
    p_drift = _familywise(drift[finite])
    if p_drift < SIGNIFICANT:
        where = ", ".join(_columns(drift * finite.sum() < SIGNIFICANT))
        return (
            f"drifting: the first fifth differs from the last half (p = {p_drift:.1g}) in "
            f"exponents {where}; take longer transients"
        )
    if agreement is not None and r_hat is not None and not np.isnan(agreement).all():
        p_agree = _familywise(agreement[~np.isnan(agreement)])
        if p_agree < SIGNIFICANT:
            where = ", ".join(_columns(agreement * agreement.size < SIGNIFICANT))
            return (
                f"disagreeing: members differ by more than their errors (p = {p_agree:.1g}, R-hat "
                f"up to {np.nanmax(r_hat):.3g}) in exponents {where}; several attractors, or runs "
                "too short to visit the whole of one"
            )
    widest = estimate.half_width(level)[finite].max()
    widths = f"{100 * level:g} % half-widths up to {widest:.2g}"
    if tol is not None and widest > tol:
        return f"not yet: {widths}, more than tol = {tol:g}; run longer"
    if regular:
        return f"converged: regular growth, {widths}, that fall as 1/time"
    return f"converged: {widths}, no drift (p = {p_drift:.2g})"


def _within(
    estimate: Estimate, batches: Array, durations: Array, tol: float, level: float
) -> NDArray[np.bool_]:
    """Return where an average is within `tol` even if the last half alone were right."""
    n = len(batches) // 2
    last = batches[n:].sum(axis=0) / durations[n:].sum()
    finite = ~np.isneginf(last)
    shift = np.abs(np.where(finite, estimate.mean, 0.0) - np.where(finite, last, 0.0))
    within: NDArray[np.bool_] = finite & (shift + estimate.half_width(level) <= tol)
    return within


def _familywise(pvalues: Array) -> float:
    """Return the least p-value, corrected for the number of tests."""
    return float(min(1.0, pvalues.min() * pvalues.size))


def _columns(significant: NDArray[np.bool_]) -> list[str]:
    """Name the exponents, from 1, for which any member is significant."""
    columns = significant.reshape(-1, significant.shape[-1]).any(axis=0)
    return [str(i + 1) for i in np.flatnonzero(columns)]
