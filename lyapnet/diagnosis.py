"""One plain verdict on a run or an ensemble: what its intervals support, and what they do not."""

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
from .storage import register

SIGNIFICANT = 0.01  # of a whole diagnosis: single p-values are multiplied by their number
NEGLIGIBLE = 0.05  # of the leading exponent: half-width within which a zero counts as zero
UNBOUNDED = 1e6  # factor by which no state grows on the way from its start to an attractor
SETTLED = 0.05  # of a run: what a plot shows of the estimates before that may be cut off
FASTEST = 1e3  # the same, per block: phases that are not wrapped grow, but only so fast


@register
@dataclass(frozen=True, repr=False, eq=False)
class Diagnosis(Result):
    """What speaks for and against the convergence of a run.

    Attributes
    ----------
    verdict : str
        One sentence, that begins with "converged:", "stationary:" (nothing speaks against the
        run, but the signs of some exponents are open), "too short:", "drifting:",
        "disagreeing:", "not yet:" or "unbounded:".
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
        named = plotting.few_of(k)
        for i, color in enumerate(plotting.by_index(k)):
            for member in range(curves.shape[1]):
                drawn = np.isfinite(curves[:, member, i])
                name = rf"$\lambda_{{{i + 1}}}$" if i in named and not member else None
                ax.plot(
                    self.times[drawn], curves[drawn, member, i], color=color, lw=0.8, label=name
                )
            ends = np.isfinite(low[:, i]) & np.isfinite(high[:, i])
            if ends.any():
                name = f"{100 * self.level:g} % interval" if i == 0 else None
                bottom, top = low[ends, i].min(), high[ends, i].max()
                ax.axhspan(bottom, top, color=color, alpha=0.2, lw=0, label=name)
        settled = curves[self.times >= SETTLED * self.times[-1]]
        shown = np.concatenate([settled.ravel(), low.ravel(), high.ravel()])
        shown = shown[np.isfinite(shown)]
        if shown.size and np.ptp(shown) > 0:
            margin = 0.1 * np.ptp(shown)
            ax.set_ylim(shown.min() - margin, shown.max() + margin)
        handles, names = ax.get_legend_handles_labels()
        order = sorted(range(len(names)), key=lambda i: names[i].endswith("interval"))
        ax.legend(
            [handles[i] for i in order], [names[i] for i in order], frameon=False,
            loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0,
        )  # fmt: skip
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
    x0: ArrayLike | None = None,
    state: ArrayLike | None = None,
) -> Diagnosis:
    """Judge whether a run has converged.

    In this order: a run is unbounded if its state has grown by many orders; it is too short if an
    exponent has no standard error; it drifts if a first fifth differs from the last half; an
    ensemble disagrees if its members' means differ by more than their errors. The two tests are
    made at a level of 0.01 for all exponents and members together (Bonferroni). A drift that
    leaves an exponent within `tol`, half-width included, is tolerated.

    With `tol`, it is not there yet if a half-width exceeds it, else converged. Without, it is
    stationary as long as the signs of some exponents are not settled, and converged when
    all are: their intervals exclude zero, or hold it with a half-width of at most a twentieth of
    the leading exponent, as of the exponent along a flow, which is zero.

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
    x0, state : array_like, shape (..., n), optional
        States at the start, before the transients, and at the end.

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
    'converged: 95 % half-widths up to 0.06, no drift (p = 0.32), all signs settled'
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
    regular = is_regular(growth, durations) | np.isneginf(estimate.mean)
    verdict = _unbounded(x0, state, len(growth)) or _verdict(
        estimate, drift, agreement, r_hat, len(growth), tol, level, regular
    )
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
    regular: NDArray[np.bool_],
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
                f"up to {np.nanmax(r_hat):.3g}) in exponents {where}; several attractors, inputs "
                "that differ in kind, or runs too short to visit the whole of an attractor"
            )
    widest = estimate.half_width(level)[finite].max()
    widths = f"{100 * level:g} % half-widths up to {widest:.2g}"
    if tol is not None and widest > tol:
        return f"not yet: {widths}, more than tol = {tol:g}; run longer"
    holds_zero, settled = _signs(estimate, level, regular)
    which = _listed(holds_zero)
    if tol is None and not settled:
        signs = (
            f"sign of exponent {which} is" if which.isdigit() else f"signs of exponents {which} are"
        )
        return (
            f"stationary: no drift found (p = {p_drift:.2g}), {widths}; the {signs} not settled: "
            "run longer"
        )
    plural = "" if which.isdigit() else "s"
    signs = f"exponent{plural} {which} not told from 0" if which else "all signs settled"
    # The sums of one chaotic run in thirty look bounded, too.
    chaotic = (estimate.mean > estimate.half_width(level)) & (estimate.stderr > 1e-9)
    if regular.all() and not chaotic.any():
        return f"converged: regular growth, {widths}, that fall as 1/time; {signs}"
    return f"converged: {widths}, no drift (p = {p_drift:.2g}), {signs}"


def _signs(
    estimate: Estimate, level: float, regular: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], bool]:
    """Return which intervals hold zero, and whether all of these are as good as zero.

    They are measured against the leading exponent. If that holds zero itself, it takes a run of
    regular growth (a cycle, a torus), and the next one of a known sign counts.
    """
    low, high = estimate.confidence_interval(level)
    holds_zero: NDArray[np.bool_] = (low <= 0) & (high >= 0)
    k = estimate.mean.shape[-1]
    half = estimate.half_width(level).reshape(-1, k)
    members = zip(
        estimate.mean.reshape(-1, k), half, holds_zero.reshape(-1, k), regular.reshape(-1, k),
        strict=True,
    )  # fmt: skip
    for mean, width, unknown, even in members:
        if not unknown.any():
            continue
        if unknown[np.argmax(mean)] and not even.all():
            return holds_zero, False
        known = np.isfinite(mean) & ~unknown
        if known.any() and width[unknown].max() > NEGLIGIBLE * np.abs(mean[known].max()):
            return holds_zero, False
    return holds_zero, True


def _unbounded(x0: ArrayLike | None, state: ArrayLike | None, n_blocks: int) -> str:
    """Say if a state has grown by more than a way to an attractor, or a phase, ever takes."""
    if x0 is None or state is None:
        return ""
    start, end = (np.abs(np.atleast_1d(x)).max(axis=-1) for x in (x0, state))
    far = end > np.maximum(1.0, start) * max(UNBOUNDED, FASTEST * n_blocks)
    if not np.any(far):
        return ""
    worst = np.unravel_index(np.argmax(np.where(far, end, 0.0)), far.shape)
    who = "the state" if far.size == 1 else f"the state of {far.sum()} of {far.size} members"
    return (
        f"unbounded: {who} grows without bound, from {start[worst]:.1g} to {end[worst]:.1g}; these "
        "are not the exponents of an attractor"
    )


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


def _listed(which: NDArray[np.bool_]) -> str:
    """List exponents as "1, 4 to 7", from 1, for which any member is true."""
    numbers = np.array([int(i) for i in _columns(which)], dtype=int)
    if not numbers.size:
        return ""
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    names = []
    for run in runs:
        names += [str(run[0])] if len(run) == 1 else [f"{run[0]} to {run[-1]}"]
        if len(run) == 2:
            names[-1:] = [str(i) for i in run]
    return ", ".join(names)
