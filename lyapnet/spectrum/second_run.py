"""Two runs held against each other: of half the step, or of what an orbit does later on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import special

from ..errors import LyapnetError
from ..numerics.arrays import Array
from ..systems import DelayFlow, Map, NoisyFlow, Stroboscopic, System
from ..tangent.plan import Plan
from .benettin import Benettin
from .in_no_time import in_no_time
from .step_defect import MOST_AGAIN, NEGLIGIBLE, divided_inputs
from .uncertainty.estimate import Estimate
from .uncertainty.phases import phases
from .uncertainty.stderr import mean_and_stderr
from .uncertainty.verdict import listed

#: Error of a step, relative to how far it goes, from which on it may well lead to other orbits.
#: Those of the catalog's flows are off by 3e-4 at most.
STRAYS = 1e-3

#: Level of the test that two runs agree, of all exponents together; and where steps stray by less,
#: which leads elsewhere at the edge of an attractor alone.
_LEVEL, _AT_AN_EDGE = 0.01, 1e-3

#: Degrees of freedom of a difference, at most: beyond, a normal distribution is as good.
_MOST_DOF = 1000.0

#: Steps times numbers in tangent vectors that compiled loops do in no time, steps at most.
_CHEAP, _LONG = 2**22, 100_000

#: Part of given inputs that each warm-up takes.
_WARM_UP = 0.05


class Pair(NamedTuple):
    """Exponents of two runs, with the step as it is and with half of it, in descending order.

    Of a map, those of a run and of another one on from its end.
    """

    coarse: Estimate
    fine: Estimate
    away: Array  #: By how much they differ, 0 where errors may explain it.
    perhaps: Array  #: The same, where steps stray by `STRAYS` whether errors may explain it or not.
    stuck: Array  #: Where volumes are conserved, and the other run, no shorter, tells no error.


def apart(one: Estimate, other: Estimate, level: float = _LEVEL) -> Array:
    """Return by how much exponents (..., k) of two runs differ, 0 where errors may explain it.

    Welch's test, for all exponents together.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        away = np.abs(one.mean - other.mean)
        both = np.hypot(one.stderr, other.stderr)
        dof = 1 / sum((x.stderr / both) ** 4 / x.dof for x in (one, other))
        p = 2 * special.stdtr(np.fmin(dof, _MOST_DOF), -away / both) * away.size
        scale = np.where(np.isfinite(one.mean), np.abs(one.mean), 0.0).max(axis=-1, keepdims=True)
        differ = (p < level) & (away > NEGLIGIBLE * scale)
    return np.where(differ, away, 0.0)


def second_run(s: Any, strays: float) -> Pair | None:
    """Hold a `Spectrum` against a run with half the step: on from its end, or over its inputs.

    Along a given orbit nothing may be seen of what steps do to it. None where they are off by
    less than `STRAYS` and a run is no matter of milliseconds, or where it cannot be done.

    Maps are held against themselves, on from the end. An orbit that has not been everywhere that
    it goes, which is long in a sea of chaos among islands (see `conserved`), does not know it.
    """
    system, settings = s.system, s.settings
    if isinstance(system, DelayFlow | NoisyFlow) or not isinstance(system, Map | Stroboscopic):
        return None
    if "pooled" in settings or s._lost.any() or (settings["driven"] and s.sample is None):
        return None
    if system.finer() is None and s.sample is not None:  # it would be the same run
        return None
    least = min(s.n_steps, max(1, MOST_AGAIN // system.substeps))
    if strays >= STRAYS:
        found = _held_against(s, least, _LEVEL, over=s.sample is not None)
        if found is None:
            return None
        with np.errstate(invalid="ignore"):  # -inf from -inf
            off = np.nan_to_num(np.abs(found.fine.mean - found.coarse.mean), nan=0.0)
        return found._replace(perhaps=off)
    whole = settings.get("engine") == "compiled" and not settings.get("engine_reason")
    if not whole or (steps := _in_no_time(s)) < least:
        return None
    if settings["driven"]:
        return _held_against(s, steps, _AT_AN_EDGE, over=True)
    if s.sample is not None:  # of a field that depends on time, which may be another later on
        now = _held_against(s, steps, _LEVEL, over=True)
        if now is None or not now.away.any():
            return now
    return _held_against(s, steps, _AT_AN_EDGE, over=False)


def _in_no_time(s: Any) -> int:
    """Return how many steps compiled loops do in no time."""
    system, lead, k = s.system, s.state.shape[:-1], s.basis.shape[-1]
    steps, own = min(_CHEAP // s.basis.size, _LONG), s.n_steps * system.substeps
    if steps > own:
        once = system.flow if isinstance(system, Stroboscopic) else system
        steps = max(own, min(steps, in_no_time(once, lead, k)))
    return int(steps // system.substeps)


def _held_against(s: Any, steps: int, level: float, *, over: bool) -> Pair | None:
    """Do a run `over` inputs or times of a `Spectrum`, or on from its end, and compare."""
    run, window = _over_its_inputs(s) if over else _from_the_end(s, steps)
    run.statistics.conserved = s.statistics.conserved
    try:
        fine = _sorted(run.run().statistics.estimate())
    except LyapnetError:  # far from the attractor, where steps that are too long have led
        return None
    if not run.trusted:
        return None
    coarse = _within(s, *window)
    away = apart(coarse, fine, level)
    longer = not over and steps >= s.n_steps
    stuck = longer & _in_a_sea(s) & np.isfinite(coarse.stderr) & np.isinf(fine.stderr)
    return Pair(coarse, fine, away, away, stuck)


def _finer(system: System) -> tuple[System, int]:
    """Return a system with a finer step, and how many make one of these; a map as it is."""
    return system.finer() or (system, 1)


def _in_a_sea(s: Any) -> Array:
    """Return which exponents (..., k) may be those of a sea of chaos among islands."""
    found = s.statistics
    sticky = phases(found.growth, found.durations, found.n_blocks, found.conserved).sticky
    return np.take_along_axis(sticky, np.broadcast_to(s._order, sticky.shape), axis=-1)


def _from_the_end(s: Any, steps: int) -> tuple[Benettin, tuple[float, float]]:
    """Return a run with half the step from the end of a `Spectrum`, and what it is held against."""
    fine, m = _finer(s.system)
    warm = m * max(100, steps // 10)
    plan = Plan(warm, warm, m * steps, s.settings["qr_interval"], forgiving=True)
    times = fine.drive.rows(
        None, s.state.shape[:-1], plan.total, t0=s.settings.get("t0", 0.0),
        first=m * s.steps_so_far,
    )  # fmt: skip
    rows = np.ascontiguousarray(s.basis.swapaxes(-1, -2))
    run = Benettin(fine, s.state, rows, times, plan, record=False, checked=fine is s.system)
    return run, (0.0, np.inf)


def _over_its_inputs(s: Any) -> tuple[Benettin, tuple[float, float]]:
    """Return a run with half the step over inputs of a `Spectrum`, and what it is held against.

    Other inputs than the same, or other times, would make other exponents.
    """
    (fine, m), at = s.system.finer(), s.sample
    at = at._replace(inputs=at.inputs[: max(1, MOST_AGAIN // s.system.substeps)])
    warm = int(_WARM_UP * len(at.inputs))
    steps = len(at.inputs) - 2 * warm
    plan = Plan(m * warm, m * warm, m * steps, s.settings["qr_interval"], forgiving=True)
    inputs = divided_inputs(s.system, at.inputs, m)
    run = Benettin(fine, at.x, at.rows, inputs, plan, record=False, checked=False)
    dt = s.settings["dt"]
    return run, ((at.first + 2 * warm) * dt, (at.first + len(at.inputs)) * dt)


def _within(s: Any, begin: float, end: float) -> Estimate:
    """Return the exponents of a `Spectrum` within a part of its time."""
    statistics = s.statistics
    times = np.cumsum(statistics.durations)
    inside = (times - statistics.durations / 2 >= begin) & (times - statistics.durations / 2 <= end)
    if inside.all():
        return Estimate(s.exponents, s.stderr, s.dof)
    part = statistics.growth[inside], statistics.durations[inside]
    return _sorted(mean_and_stderr(*part, statistics.conserved))


def _sorted(found: Estimate) -> Estimate:
    """Return exponents in descending order."""
    order = np.argsort(-found.mean, axis=-1, kind="stable")
    return Estimate(*(np.take_along_axis(x, order, axis=-1) for x in found))


def other_orbit(there: Pair, strays: float, *, a_map: bool) -> str:
    """Say that another run has other exponents, or cannot tell them, if it is so."""
    if not there.away.any():
        return _stuck(there)
    at = np.unravel_index(int(np.argmax(there.away)), there.away.shape)
    apart = f"{there.fine.mean[at]:.3g} for {there.coarse.mean[at]:.3g}, more apart than their "
    apart += "error bars"
    if a_map:
        return (
            f"too short: a run on from its end has {apart}: the orbit has not been everywhere "
            "that it goes; run longer"
        )
    cause = "the step leads to another orbit; take a smaller dt"
    if strays < STRAYS:
        cause = "the step leads to another orbit, or this one has not been everywhere that it goes"
        cause += "; take a smaller dt, and run longer"
    return (
        f"too coarse: steps are off by {100 * strays:.2g} % of themselves, and a run with half the "
        f"step has {apart}: {cause}"
    )


def _stuck(there: Pair) -> str:
    """Say that an orbit goes on to stick where it has not been, if it does."""
    if not there.stuck.any():
        return ""
    which = listed(there.stuck)
    return (
        "too short: volumes are conserved, and a run on from its end does not look free of long "
        "stays near islands of regular motion: the orbit has not been everywhere that it goes, and "
        f"no error of exponent{'' if which.isdigit() else 's'} {which} is known; run longer"
    )
