"""What an estimate supports, in a sentence."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...numerics.arrays import Array
from .estimate import Estimate
from .stderr import mean_and_stderr

SIGNIFICANT = 0.01  # of a whole diagnosis: single p-values are multiplied by their number
NEGLIGIBLE = 0.05  # of the leading exponent: half-width within which a zero counts as zero
TORUS = 10.0  # times the logarithm of the time: growth that is not that of a torus
UNBOUNDED = 1e6  # factor by which no state grows on the way from its start to an attractor
FASTEST = 1e3  # the same, per block: phases that are not wrapped grow, but only so fast

#: Part of an exponent that rounding may be off by, where growth is constant.
ROUNDING = 1e-9

#: Of float64 no more can be said: `condition_number` tells one from the other.
SINGULAR = "the Jacobian is singular, exactly or within rounding"


def in_words(
    estimate: Estimate,
    drift: Array,
    agreement: Array | None,
    r_hat: Array | None,
    n_blocks: int,
    tol: float | None,
    level: float,
    regular: NDArray[np.bool_],
    heavy: NDArray[np.bool_],
    sea: NDArray[np.bool_],
    systematic: Array,
) -> str:
    """Put into a sentence what decides, and which exponents are -inf."""
    finite = ~np.isneginf(estimate.mean)
    if not finite.any():
        return f"converged: every exponent is -inf, {SINGULAR}"
    p_drift = _familywise(drift[finite])
    words = (
        _drifting(drift, finite, p_drift)
        or _too_short(estimate.too_short, heavy, sea, n_blocks)
        or _disagreeing(agreement, r_hat)
        or _known(estimate, finite, p_drift, tol, level, regular, systematic)
    )
    if gone := listed(~finite):
        words += f"; {gone} {'is' if gone.isdigit() else 'are'} -inf: {SINGULAR}"
    return words


def _known(
    estimate: Estimate, finite: NDArray[np.bool_], p_drift: float, tol: float | None, level: float,
    regular: NDArray[np.bool_], systematic: Array,
) -> str:  # fmt: skip
    """Say how well exponents are known of which nothing is amiss."""
    widths, widest = _widths(estimate, level, finite)
    if tol is not None and widest > tol:
        return f"not yet: {widths}, more than tol = {tol:g}; run longer"
    holds_zero, settled = _signs(estimate, level, regular, systematic)
    which = listed(holds_zero)
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
    chaotic = estimate.mean > estimate.half_width(level)
    chaotic &= estimate.stderr > ROUNDING * np.abs(estimate.mean)
    if regular.all() and not chaotic.any():
        return f"converged: regular growth, {widths}, falling as 1/time; {signs}"
    return f"converged: {widths}, no drift (p = {p_drift:.2g}), {signs}"


def _drifting(drift: Array, finite: NDArray[np.bool_], p_drift: float) -> str:
    """Say if growth at first differs from that of the last half."""
    if p_drift >= SIGNIFICANT:
        return ""
    where = ", ".join(_columns(drift * finite.sum() < SIGNIFICANT))
    return (
        f"drifting: the first fifth differs from the last half (p = {p_drift:.1g}) in exponents "
        f"{where}; take longer transients"
    )


def drifting_together(pvalue: Array, off: Array, tol: float | None) -> str:
    """Say if the average of all members drifts, by more than `tol`."""
    which = (pvalue * pvalue.size < SIGNIFICANT) & (off > (tol or 0.0))
    if not which.any():
        return ""
    return (
        f"drifting: the average of all members differs from that of its last half by up to "
        f"{off[which].max():.1g} (p = {_familywise(pvalue[which]):.1g}) in exponents "
        f"{', '.join(_columns(which))}; take longer transients"
    )


def _too_short(
    short: NDArray[np.bool_], heavy: NDArray[np.bool_], sea: NDArray[np.bool_], n_blocks: int
) -> str:
    """Say if errors are not known, and why not."""
    if heavy.any():
        which = listed(heavy)
        others = int((~heavy).reshape(-1, heavy.shape[-1]).all(axis=0).sum())
        all_known = others > 1 and not (short & ~heavy).any()
        known = f"; the other {others} are known" * all_known
        return (
            f"too short: the growth of exponent{'' if which.isdigit() else 's'} {which} may live "
            "on rare long episodes (heavy tails), of which longer ones than it has met may carry "
            f"as much of it, and it tells no error{known}"
        )
    if (short & sea).any():
        return (
            f"too short: volumes are conserved, and in {n_blocks} blocks the growth of exponents "
            f"{listed(short & sea)} does not look free of long stays near islands of regular "
            "motion; run longer"
        )
    if short.any():
        return (
            f"too short: {n_blocks} blocks cannot tell the error of {short.sum()} of {short.size} "
            "exponents; run longer"
        )
    return ""


def _disagreeing(agreement: Array | None, r_hat: Array | None) -> str:
    """Say if members of an ensemble differ by more than their errors."""
    if agreement is None or r_hat is None or np.isnan(agreement).all():
        return ""
    p_agree = _familywise(agreement[~np.isnan(agreement)])
    if p_agree >= SIGNIFICANT:
        return ""
    where = ", ".join(_columns(agreement * agreement.size < SIGNIFICANT))
    return (
        f"disagreeing: members differ by more than their errors (p = {p_agree:.1g}, R-hat up to "
        f"{np.nanmax(r_hat):.3g}) in exponents {where}; several attractors, inputs that differ in "
        "kind, or runs too short to visit the whole of an attractor"
    )


def _widths(estimate: Estimate, level: float, finite: NDArray[np.bool_]) -> tuple[str, float]:
    """Say how wide the interval of the leading exponent is, and the widest; return this one, too.

    Of an ensemble, the widest among its members.
    """
    k = finite.shape[-1]
    half = np.where(finite, estimate.half_width(level), -np.inf).reshape(-1, k).max(axis=0)
    first, worst = int(np.argmax(np.isfinite(half))), int(np.argmax(half))
    kind, widest = f"{100 * level:g} % half-width", float(half[worst])
    if np.isfinite(half).sum() == 1:
        return f"{kind} {widest:.2g}", widest
    if first == worst or f"{half[first]:.2g}" == f"{widest:.2g}":
        return f"{kind}s up to {widest:.2g}", widest
    of = f"{half[first]:.2g} of exponent {first + 1}, up to {widest:.2g} (exponent {worst + 1})"
    return f"{kind} {of}", widest


def _signs(
    estimate: Estimate, level: float, regular: NDArray[np.bool_], systematic: Array
) -> tuple[NDArray[np.bool_], bool]:
    """Return which exponents may be zero, and whether all of these are as good as zero.

    Such are those whose intervals hold zero, systematic errors added.
    They are measured against the leading exponent. If that holds zero itself, it takes a run of
    regular growth (a cycle, a torus), and the next one of a known sign counts.
    """
    low, high = estimate.confidence_interval(level)
    holds_zero: NDArray[np.bool_] = (low - systematic <= 0) & (high + systematic >= 0)
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


def unbounded(x0: ArrayLike | None, state: ArrayLike | None, n_blocks: int) -> str:
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
        "are not the exponents of an attractor; of angles, keep them within a period"
    )


def outlasted(
    estimate: Estimate, growth: Array, durations: Array, regular: NDArray[np.bool_], level: float
) -> str:
    """Say if a transient goes on in the average, after which growth is regular.

    The last half alone then tells what the whole run does not: the sign of an exponent, by growth
    far beyond that of a torus, the logarithm of the time; or that growth is as good as none, where
    the first half has grown by as much.
    """
    low, high = estimate.confidence_interval(level)
    unknown = regular & (low <= 0) & (high >= 0)
    if not unknown.any():
        return ""
    half = len(growth) // 2
    last = mean_and_stderr(growth[half:], durations[half:])
    low, high = last.confidence_interval(level)
    beyond = TORUS * np.log(len(growth))
    first, behind = (np.abs(part.sum(axis=0)) for part in (growth[:half], growth[half:]))
    tells = (behind > beyond) & ((low > 0) | (high < 0))
    which = unknown & (tells | (first > beyond) & (behind < NEGLIGIBLE * first))
    if not which.any():
        return ""
    rates = ", ".join(f"{x:.3g}" for x in last.mean[which][:3]) + ", ..." * int(which.sum() > 3)
    names = listed(which)
    plural = "" if names.isdigit() else "s"
    return (
        f"drifting: the first half is a transient in exponent{plural} {names}, and growth is "
        f"regular behind it, at {rates}; take longer transients"
    )


def within(
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


def listed(which: NDArray[np.bool_]) -> str:
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
