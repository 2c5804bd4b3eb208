"""One plain verdict on a run or an ensemble: what its intervals support, and what they do not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Array, ArrayLike
from ...results.axes import new_axes
from ...results.result import Result
from ...results.storage import register
from .blocks import checked, coarsened
from .clusters import clusters, clusters_in_words
from .conserved import chaotic_directions
from .drift import drift_pvalue, effective_sample_size, running
from .ensemble import agreement_pvalue, common_drift, split_r_hat
from .estimate import Estimate
from .phases import is_heavy_tailed, is_regular
from .plot import plot_diagnosis
from .stderr import mean_and_stderr
from .verdict import SIGNIFICANT, drifting_together, in_words, outlasted, unbounded, within

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@register
@dataclass(frozen=True, repr=False, eq=False)
class Diagnosis(Result):
    """What speaks for and against the convergence of a run.

    Attributes
    ----------
    verdict : str
        One sentence, that begins with "converged:", "stationary:" (nothing speaks against the
        run, but the signs of some exponents are open), "too short:", "drifting:",
        "disagreeing:", "not yet:", "unbounded:", "superstable:" (an exponent is -inf but for
        rounding), or "too coarse:" (the step of the integrator changes exponents by more than
        their error bars).
    converged : bool
        Whether it begins with "converged:".
    exponents, stderr, dof : ndarray, shape (..., k)
        As `mean_and_stderr` returns them, in the order of the columns: from a `Spectrum` in that
        of its exponents, descending.
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
    clusters : list of dict
        Of one run: exponents that it does not tell apart, with the sum that it knows
        (`lyapnet.spectrum.uncertainty.clusters`).
    step_error : ndarray, shape (..., k), or None
        What half the step would change in the exponents of a flow, as far as the growth along
        the trajectory tells; None for maps, and where it is not looked at, as under noise.
    step_verdict : str
        That beside the error bars, in one sentence: "fine:" or "too coarse:", or why it is not
        looked at.
    unit : str
        Of the exponents.
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
    clusters: list[dict[str, Any]] = field(default_factory=list)
    step_error: Array | None = None
    step_verdict: str = ""
    unit: str = "nats per unit time"

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
        "step_error": ("exponent",),
    }

    def _summary(self) -> dict[str, Any]:
        return {"verdict": self.verdict, "exponents": self.exponents, "stderr": self.stderr}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the running estimates beside the final ones, and the intervals of these as bands.

        They are drawn less the final estimates (of an ensemble of one system, their mean), which
        the legend has: exponents of -14.6 and 0.9 settle within the same few hundredths. Of more
        than 50 members the medians are drawn, and bands in which half and 95 % of them lie.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Axes to draw on; new ones by default.

        Returns
        -------
        matplotlib.axes.Axes
        """
        return plot_diagnosis(self, new_axes(ax))


def diagnose(
    growth: ArrayLike,
    durations: ArrayLike,
    *,
    tol: float | None = None,
    level: float = 0.95,
    same_system: bool = True,
    x0: ArrayLike | None = None,
    state: ArrayLike | None = None,
    systematic: ArrayLike = 0.0,
    conserved: ArrayLike = False,
    together: bool = False,
) -> Diagnosis:
    """Judge whether a run has converged.

    In this order: a run is unbounded if its state has grown by many orders; it drifts if a first
    fifth differs from the last half; it is too short if an exponent has no standard error; an
    ensemble disagrees if its members' means differ by more than their errors. The two tests are
    made at a level of 0.01 for all exponents and members together (Bonferroni). A drift that
    leaves an exponent within `tol`, half-width included, is tolerated. Members of one system that
    are too short are left out, and counted in words, as long as they are a quarter of all at most
    and do not drift; heavy tails are looked for in all members laid end to end.

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
    systematic : array_like, shape (..., k), optional
        What exponents may be off by beside their error bars, as by an integrator's step: of those
        that are no larger no sign is settled.
    conserved : array_like of bool, shape (...), optional
        As of `mean_and_stderr`.
    together : bool, optional
        Whether the members' average is judged, too: it may drift by far more than its error where
        each of them does not seem to.

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
    'converged: 95 % half-width 0.06, no drift (p = 0.32), all signs settled'
    >>> diagnose(growth[:10], np.ones(10)).verdict
    'too short: 10 blocks cannot tell the error of 1 of 1 exponents; run longer'
    """
    growth, durations = checked(growth, durations)
    if growth.ndim < 2:
        raise ValueError(f"growth must have shape (blocks, ..., k), got {growth.shape}")
    estimate = mean_and_stderr(growth, durations, conserved)
    batches, batch_durations = coarsened(growth, durations)
    ensemble = same_system and growth[0, ..., 0].size > 1
    drift = drift_pvalue(growth, durations, ensemble)
    if tol is not None:
        drift = np.where(within(estimate, batches, batch_durations, tol, level), 1.0, drift)
    r_hat = split_r_hat(growth, durations) if ensemble else None
    agreement = agreement_pvalue(batches, batch_durations) if ensemble else None
    regular = is_regular(growth, durations) | np.isneginf(estimate.mean)
    heavy = is_heavy_tailed(growth, durations)
    if ensemble:
        heavy = heavy | _end_to_end_heavy(growth, durations)
    heavy = heavy & ~regular  # a decay is one long episode, and bounded
    sea = chaotic_directions(batches, batch_durations, len(growth), conserved)
    systematic = np.broadcast_to(np.asarray(systematic, dtype=float), estimate.mean.shape)
    judged = np.ones(estimate.mean.shape[:-1], dtype=bool)
    if ensemble:  # a transient may be why a member does not tell
        judged = _that_tell(estimate) | (drift * drift.size < SIGNIFICANT).any(axis=-1)
    known = outlasted(estimate, growth, durations, regular, level) if tol is None else ""
    drifts = drifting_together(*common_drift(growth, durations)[1:], tol) if together else ""
    words = unbounded(x0, state, len(growth)) or known or drifts or in_words(
        Estimate(*(part[judged] for part in estimate)),
        drift[judged], agreement, r_hat, len(growth), tol, level, regular[judged], heavy[judged],
        sea[judged], systematic[judged],
    )  # fmt: skip
    alike = []
    if growth.ndim == 2 and words.startswith(("too short:", "drifting:")):
        unknown = (estimate.too_short & ~heavy) | (drift * drift.size < SIGNIFICANT)
        alike = clusters(batches, batch_durations, len(growth), unknown)
    left_out = int(np.size(judged) - np.sum(judged))
    if left_out:
        words += f"; {left_out} of {np.size(judged)} members alone are too short to tell"
    verdict = words + clusters_in_words(alike)
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
        clusters=alike,
    )


def _end_to_end_heavy(growth: Array, durations: Array) -> NDArray[np.bool_]:
    """Return where members of one system, laid end to end, have heavy tails, shape (..., k).

    Each is taken against its own mean: whether these agree is another test.
    """
    members = growth[0, ..., 0].size
    finite = np.where(np.isneginf(growth.min(axis=0)), 0.0, growth)
    rates = finite.sum(axis=0) / durations.sum()
    own = finite - durations.reshape(-1, *[1] * rates.ndim) * rates
    joined = np.moveaxis(own.reshape(len(own), members, -1), 1, 0).reshape(-1, own.shape[-1])
    return np.broadcast_to(is_heavy_tailed(joined, np.tile(durations, members)), growth.shape[1:])


def _that_tell(estimate: Estimate) -> NDArray[np.bool_]:
    """Return the members whose errors are known, shape (...); all of them if these are few."""
    tell: NDArray[np.bool_] = np.asarray(~estimate.too_short.any(axis=-1))
    return tell if 4 * tell.sum() >= 3 * tell.size else np.ones_like(tell)
