"""What to make of a run: whether it has converged, and what speaks against its numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .. import validate
from ..numerics.arrays import Array
from ..results.axes import rate_unit
from .own_direction import missing_zero
from .second_run import other_orbit
from .step_defect import change_of, judge_step, of_all
from .uncertainty.clusters import clusters_between, clusters_in_words, not_mixed
from .uncertainty.diagnosis import Diagnosis, diagnose
from .uncertainty.verdict import listed

#: How much more than halving the step changes the step may be wrong by, of a method of first order
#: twice, of those of higher order hardly more.
_RICHARDSON = 2.0

#: Verdicts on an ensemble that are about each member by itself.
_OF_MEMBERS = ("converged:", "stationary:", "too short:", "not yet:")

#: Part of an exponent that steps may change by rounding.
_ROUNDING = 1e-9


def diagnosis_of(s: Any, tol: float | None, level: float) -> Diagnosis:
    """Return the diagnosis of a `Spectrum`; see `Spectrum.diagnose`."""
    tol = s.settings["tol"] if tol is None else validate.real("tol", tol, positive=True)
    growth = s.statistics.growth
    order = np.broadcast_to(s._order, growth.shape[1:])
    growth = np.take_along_axis(growth, order[None], axis=-1)
    growth, x0, state = _surviving(s, growth, s.x0[None], s.state[None])
    (defect, unseen, steep, strays), there = s._of_the_step
    change = None if defect is None else change_of(defect, s, level)
    systematic = np.zeros_like(s.exponents) if change is None else _RICHARDSON * change
    if there is not None:
        systematic = np.maximum(systematic, there.perhaps)
    rounding = s.settings.get("rounding")
    if rounding is not None:
        systematic = np.maximum(systematic, rounding)
    found = diagnose(
        growth,
        s.statistics.durations,
        tol=tol,
        level=level,
        same_system=s.settings.get("one_system", True),
        x0=x0[0],
        state=state[0],
        conserved=_of_all(s),
        together="pooled" in s.settings,
        systematic=_surviving(s, systematic[None])[0][0],
    )
    found = replace(found, unit=rate_unit(s.settings["dt"]))
    if "pooled" in s.settings and found.verdict.startswith(_OF_MEMBERS):
        found = replace(found, verdict=found.verdict + _of_average(s, level))
    if rounding is not None:
        found = _with_rounding(s, found, rounding, tol)
    if defect is not None and change is not None:
        found = _with_step(s, found, change, of_all(defect, s.dim), tol)
    if there and (words := other_orbit(there, strays, a_map=defect is None)):
        found = _elsewhere(found, words)
    if "at_rest" in s.settings and found.verdict.startswith(("too short:", "drifting:")):
        found = _at_rest(s, found, tol, level)
    if "superstable" in s.settings:
        found = replace(found, verdict=_superstable(s), converged=False)
    reservations = list(s.settings.get("reservations") or ())
    if found.converged and (missing := _missing_zero(s, level)):
        reservations.append(missing)
    elif steep not in ("", *reservations) and not found.verdict.startswith("too coarse"):
        reservations.append(steep)
    if not reservations:
        return _unseen(found, unseen)
    together, known = found.clusters, s.settings.get("known_sums")
    verdict = f"unreliable: {'; and '.join(reservations)}"
    if known and growth.ndim == 2:
        together = clusters_between(s.statistics.growth, s.statistics.durations, known)
        alone = listed(not_mixed(s.statistics.growth, known))
        verdict += f"; it does not change exponents {alone}" * bool(alone)
    verdict += clusters_in_words(together)
    return _unseen(replace(found, verdict=verdict, converged=False, clusters=together), unseen)


def _of_average(s: Any, level: float) -> str:
    """Say how well the average of members is known, of each of which less is."""
    low, high = s.confidence_interval(level)
    with np.errstate(invalid="ignore"):
        half = ((high - low) / 2)[np.isfinite(s.exponents)]
    if not half.size or not np.isfinite(half).all():
        return ""
    return (
        f"; that is said of single members, of their average {100 * level:g} % half-widths are up "
        f"to {half.max():.2g}"
    )


def _with_rounding(s: Any, found: Diagnosis, rounding: Array, tol: float | None) -> Diagnosis:
    """Say what rounding in single steps makes of errors, where growth does not show it."""
    rounding, stderr = _surviving(s, rounding[None], s.stderr[None])
    if not (rounding > found.stderr).any():
        return found
    words = f"{found.verdict}; rounding in the products of single steps adds up to "
    words += f"{np.nanmax(rounding):.1g} to their errors"
    enough = found.converged and (tol is None or not (rounding > tol).any())
    return replace(found, verdict=words, converged=enough, stderr=stderr[0])


def _with_step(
    s: Any, found: Diagnosis, change: Array, total: Array | None, tol: float | None
) -> Diagnosis:
    """Hold what the integrator's step does to the exponents against their error bars."""
    low, high = s.confidence_interval(found.level)
    half = (high - low) / 2
    fine, words = judge_step(change, s.exponents, half, s.system, s.time, total, tol)
    if fine:
        verdict = found.verdict
        if (change > half + _ROUNDING * np.abs(s.exponents)).any():
            verdict += f"; half the step changes them by up to {change.max():.1g}"
        return replace(found, step_error=change, step_verdict=words, verdict=verdict)
    return _too_coarse(replace(found, step_error=change), words)


def _too_coarse(found: Diagnosis, words: str) -> Diagnosis:
    """Put what the step does in front of a verdict."""
    verdict = f"{words}. Apart from the step: {found.verdict}"
    return replace(found, step_verdict=words, converged=False, verdict=verdict)


def _elsewhere(found: Diagnosis, words: str) -> Diagnosis:
    """Put what another run has in front of a verdict that does not know of it."""
    if found.verdict.startswith("too coarse"):
        return found
    if words.startswith("too coarse"):
        return _too_coarse(found, words)
    if found.verdict.startswith(("too short", "drifting")):
        return found
    return replace(found, converged=False, verdict=f"{words}. Apart from that: {found.verdict}")


def _missing_zero(s: Any, level: float) -> str:
    """Say that an exponent is missing; see `own_direction`."""
    if s.settings["driven"] or "pooled" in s.settings:
        return ""
    low, high = s.confidence_interval(level)
    with np.errstate(invalid="ignore"):
        half = (high - low) / 2
    return missing_zero(s.system, s.exponents, half, (s.x0, s.state), s.settings["n_steps"])


def _unseen(found: Diagnosis, why: str) -> Diagnosis:
    """Say that the step has not been looked at, if there is a reason."""
    if not why:
        return found
    words = f"what the step does is not looked at{why}"
    return replace(found, verdict=f"{found.verdict}; {words}", step_verdict=words)


def _of_all(s: Any) -> Any:
    """Return where volumes are known to be conserved, of the members that have not diverged."""
    known = s.statistics.conserved
    return known[~s._lost] if np.ndim(known) and s._lost.any() else known


def _at_rest(s: Any, found: Diagnosis, tol: float | None, level: float) -> Diagnosis:
    """Judge a run that has come to rest by the exponents of its fixed point, if all are known."""
    rates = s.settings["at_rest"]
    low, high = s.confidence_interval(level)
    with np.errstate(invalid="ignore"):
        half = np.nan_to_num((high - low) / 2, nan=0.0, posinf=np.inf)
    if np.isnan(rates).any() or not np.isfinite(half).all():
        return found
    first = ", ".join(f"{x:.6g}" for x in rates.reshape(-1, rates.shape[-1])[0, :3])
    words = (
        f"at rest on a fixed point, whose exponents are known by eigenvalues, {first}"
        f"{', ...' * (rates.size > 3)}: this run differs by up to {half.max():.2g}"
    )
    enough = tol is None or half.max() <= tol
    verdict = f"converged: {words}" if enough else f"not yet: {words}, more than tol = {tol:g}"
    if np.any((rates[..., 0] > 0) & (s.state != s.x0).any(axis=-1)):
        enough = False
        verdict = f"unreliable: {words}. It is unstable: rounding, or a state that has become too "
        verdict += "small for a number, has led there"
    return replace(found, verdict=verdict, converged=enough, stderr=s.stderr, dof=s.dof)


def _superstable(s: Any) -> str:
    """Say which exponents hang on rounding, and what is known of them."""
    bound = s.settings["superstable"]
    which = ~np.isnan(bound)
    names = listed(which)
    plural = "" if names.isdigit() else "s"
    return (
        f"superstable: the derivative vanishes along the orbit but for rounding, on which the "
        f"measured exponent{plural} {names} hang{'' if plural else 's'}: -inf if it vanishes in "
        f"exact arithmetic, at most about {np.nanmax(bound):.2g} if not"
    )


def _surviving(s: Any, *arrays: Array) -> list[Array]:
    """Return of arrays ``(m, ..., j)`` what is of the members that have not diverged."""
    lost = s._lost
    return [x[:, ~lost] if lost.any() else x for x in arrays]
