"""Two runs held against each other: what a step does to the orbit, not to growth along it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import special

from ..errors import LyapnetError
from ..numerics.arrays import Array
from ..systems import DelayFlow, Flow, Stroboscopic
from ..tangent.plan import Plan
from .benettin import Benettin
from .step_defect import MOST_AGAIN, NEGLIGIBLE, divided_inputs
from .uncertainty.estimate import Estimate
from .uncertainty.stderr import mean_and_stderr

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
    """Exponents of two runs, with the step as it is and with half of it, in descending order."""

    coarse: Estimate
    fine: Estimate
    away: Array  #: By how much they differ, 0 where errors may explain it.
    perhaps: Array  #: The same, where steps stray by `STRAYS` whether errors may explain it or not.


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
    """
    system, settings = s.system, s.settings
    if isinstance(system, DelayFlow) or not isinstance(system, (Flow, Stroboscopic)):
        return None
    if "pooled" in settings or s._lost.any() or (settings["driven"] and s.sample is None):
        return None
    least = min(s.n_steps, max(1, MOST_AGAIN // system.substeps))
    if strays >= STRAYS:
        found = _held_against(s, least, _LEVEL, over=s.sample is not None)
        if found is None:
            return None
        with np.errstate(invalid="ignore"):  # -inf from -inf
            off = np.nan_to_num(np.abs(found.fine.mean - found.coarse.mean), nan=0.0)
        return found._replace(perhaps=off)
    steps = min(_CHEAP // (s.basis.size * system.substeps), _LONG // system.substeps)
    whole = settings.get("engine") == "compiled" and not settings.get("engine_reason")
    if steps < least or not whole:
        return None
    if settings["driven"]:
        return _held_against(s, steps, _AT_AN_EDGE, over=True)
    if s.sample is not None:  # of a field that depends on time, which may be another later on
        now = _held_against(s, steps, _LEVEL, over=True)
        if now is None or not now.away.any():
            return now
    return _held_against(s, steps, _AT_AN_EDGE, over=False)


def _held_against(s: Any, steps: int, level: float, *, over: bool) -> Pair | None:
    """Do a run `over` inputs or times of a `Spectrum`, or on from its end, and compare."""
    run, window = _over_its_inputs(s) if over else _from_the_end(s, steps)
    run.statistics.conserved = s.statistics.conserved
    try:
        fine = _sorted(run.run().statistics.estimate())
    except LyapnetError:  # far from the attractor, where steps that are too long have led
        return None
    coarse = _within(s, *window)
    away = apart(coarse, fine, level)
    return Pair(coarse, fine, away, away)


def _from_the_end(s: Any, steps: int) -> tuple[Benettin, tuple[float, float]]:
    """Return a run with half the step from the end of a `Spectrum`, and what it is held against."""
    fine, m = s.system.finer()
    warm = m * max(100, steps // 10)
    plan = Plan(warm, warm, m * steps, s.settings["qr_interval"], forgiving=True)
    times = fine.drive.rows(
        None, s.state.shape[:-1], plan.total, t0=s.settings.get("t0", 0.0),
        first=m * s.steps_so_far,
    )  # fmt: skip
    rows = np.ascontiguousarray(s.basis.swapaxes(-1, -2))
    run = Benettin(fine, s.state, rows, times, plan, record=False, checked=False)
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


def other_orbit(there: Pair, strays: float) -> str:
    """Say that a run with half the step has other exponents, if it has."""
    if not there.away.any():
        return ""
    at = np.unravel_index(int(np.argmax(there.away)), there.away.shape)
    cause = "the step leads to another orbit; take a smaller dt"
    if strays < STRAYS:
        cause = "the step leads to another orbit, or this one has not been everywhere that it goes"
        cause += "; take a smaller dt, and run longer"
    return (
        f"too coarse: steps are off by {100 * strays:.2g} % of themselves, and a run with half the "
        f"step has {there.fine.mean[at]:.3g} for {there.coarse.mean[at]:.3g}, more apart than "
        f"their error bars: {cause}"
    )
