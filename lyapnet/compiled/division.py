"""A step of a field that jumps, divided at the surfaces that it meets, inside of loops.

The same as `systems.jumping_step`, which says why.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .jit import jit_in_order
from .limits import KINKS, MOST_SURFACES, NO_JUMP, ON_EDGE, SMALL
from .operations import KINDS
from .stages import Stages, advance, advance_tangent, decide, decide_tangent

_SIGN, _FLOOR, _CEIL, _TRUNC, _RINT = range(len(KINDS))

#: How close, relative to the step, the time at which a surface is met is found, and in how many
#: trials: Newton's method takes it on from there.
_CLOSE, _TRIALS = 1e-14, 100


class Division(NamedTuple):
    """What a step is divided into, and room.

    Attributes
    ----------
    kinds : array (m,)
        Of the decisions, see `operations.KINDS`.
    known : array (1 + 2 m,)
        Whether states slide; of each decision whether it matters, and how often it has met a
        surface where the field is continuous, infinity if it jumps at one.
    durations, slopes, edges, which : array (parts,)
        Of each part; how fast a decision comes to the edge of its region at its end, and which.
    outcomes : array (parts, m)
    here, start, later, vh : array
        Of `plan` and `through`.
    rows, begins : array (k, n), (k,)
        Tangent vectors, and what they do to the time at which a part begins.
    """

    kinds: Any
    known: Any
    durations: Any
    slopes: Any
    edges: Any
    which: Any
    outcomes: Any
    here: Any
    start: Any
    later: Any
    vh: Any
    rows: Any
    begins: Any


@jit_in_order
def _low(kind: int, o: float) -> float:
    """Return the lower end of the region of an outcome."""
    if kind == _SIGN:
        return -np.inf if o < 0 else 0.0
    if kind == _TRUNC:
        return o - 1.0 if o <= 0 else o
    return o - (1.0 if kind == _CEIL else 0.5 if kind == _RINT else 0.0)


@jit_in_order
def _high(kind: int, o: float) -> float:
    """Return the upper end of the region of an outcome."""
    if kind == _SIGN:
        return np.inf if o > 0 else 0.0
    if kind == _TRUNC:
        return o + 1.0 if o >= 0 else o
    return o + (0.0 if kind == _CEIL else 0.5 if kind == _RINT else 1.0)


@jit_in_order
def _outcome(kind: int, of: float) -> float:
    """Return what is decided."""
    if kind == _SIGN:
        return float(np.sign(of))
    if kind == _FLOOR:
        return float(np.floor(of))
    if kind == _CEIL:
        return float(np.ceil(of))
    return float(np.trunc(of)) if kind == _TRUNC else float(np.rint(of))


@jit_in_order
def _margin(
    it: Stages, x: Any, begin: float, h: float, outcomes: Any, which: int, edge: float
) -> float:
    """Return how far beyond the edge of its region a decision is after a step h."""
    advance(it, x, begin, h, outcomes)
    decide(it, it.y, begin + h, outcomes)
    return float(it.values[-1, len(x) + which] - edge)


@jit_in_order
def _time(
    it: Stages, x: Any, begin: float, left: float, outcomes: Any, which: int, edge: float,
    first: float, last: float,
) -> float:  # fmt: skip
    """Return when a decision meets an edge, by Anderson's and Bjoerck's method.

    `first` and `last` are the margins at the ends.
    """
    if not first * last < 0:  # on the edge, to rounding
        return 0.0
    a, b = 0.0, left
    for _ in range(_TRIALS):
        c = b - last * ((b - a) / (last - first))
        margin = _margin(it, x, begin, c, outcomes, which, edge)
        close = abs(c - b) <= _CLOSE * it.field.dt
        if margin * last < 0:
            a, first = b, last
        else:
            factor = 1.0 - margin / last
            first *= factor if factor > 0.0 else 0.5
        b, last = c, margin
        if close or margin == 0.0 or abs(b - a) <= _CLOSE * it.field.dt:
            break
    return b


@jit_in_order
def _first(it: Stages, to: Division, begin: float, left: float, part: int) -> bool:
    """Note when and where the first decision leaves its region; say whether one does."""
    x, outcomes, n = to.here, to.outcomes[part], len(to.here)
    m = len(outcomes)
    decide(it, x, begin, outcomes)
    for j in range(m):
        to.start[j] = it.values[-1, n + j]
    advance(it, x, begin, left, outcomes)
    decide(it, it.y, begin + left, outcomes)
    for j in range(m):
        to.later[j] = it.values[-1, n + j]
    met = False
    for j in range(m):
        low, high = _low(to.kinds[j], outcomes[j]), _high(to.kinds[j], outcomes[j])
        if not (to.later[j] < low or to.later[j] > high):
            continue
        edge = low if to.later[j] < low else high
        when = _time(
            it, x, begin, left, outcomes, j, edge, to.start[j] - edge, to.later[j] - edge
        )
        if not met or when < to.durations[part]:
            to.durations[part], to.edges[part], to.which[part] = when, edge, float(j)
            met = True
    return met


@jit_in_order
def _change(it: Stages, to: Division, after: float, part: int) -> None:
    """Write the outcomes beyond a surface; those of later decisions may depend on it."""
    old, new, n = to.outcomes[part], to.outcomes[part + 1], len(to.here)
    which, m = int(to.which[part]), len(old)
    up = to.edges[part] == _high(to.kinds[which], old[which])
    for j in range(m):
        new[j] = old[j]
    if to.kinds[which] == _SIGN:
        new[which] = 1.0 if up else -1.0
    else:
        new[which] += 1.0 if up else -1.0
    decide(it, to.here, after, new)
    for j in range(which + 1, m):
        of, kind = it.values[-1, n + j], to.kinds[j]
        away = min(abs(of - _low(kind, old[j])), abs(of - _high(kind, old[j])))
        decided = _outcome(kind, of)
        # What lies on the edge of its region, to rounding, stays in it.
        if away > ON_EDGE * (1 + abs(of)) and decided != old[j]:
            new[j] = decided
            decide(it, to.here, after, new)


@jit_in_order
def _rate(it: Stages, to: Division, begin: float, outcomes: Any, which: int) -> float:
    """Return by how much a decision moves in a small part of the step."""
    n, small = len(to.here), SMALL * it.field.dt
    decide(it, to.here, begin, outcomes)
    before = it.values[-1, n + which]
    advance(it, to.here, begin, small, outcomes)
    decide(it, it.y, begin + small, outcomes)
    return float(it.values[-1, n + which] - before)


@jit_in_order
def _jumps(it: Stages, to: Division, begin: float, part: int) -> bool:
    """Say whether the field jumps at a surface."""
    n = len(to.here)
    decide(it, to.here, begin, to.outcomes[part])
    most = jump = 0.0
    for i in range(n):
        to.vh[i] = it.values[-1, i]
        most = max(most, abs(it.values[-1, i]))
    decide(it, to.here, begin, to.outcomes[part + 1])
    for i in range(n):
        jump = max(jump, abs(it.values[-1, i] - to.vh[i]))
    return bool(jump > NO_JUMP * most)


@jit_in_order
def _meet(to: Division, which: int, jumps: bool) -> None:
    """Note that a decision has met a surface; where it makes kinks only, it does not matter."""
    m = len(to.kinds)
    met = np.inf if jumps else to.known[1 + m + which] + 1.0
    to.known[1 + m + which] = met
    to.known[1 + which] = 0.0 if KINKS <= met < np.inf else 1.0


@jit_in_order
def plan(it: Stages, to: Division, x: Any) -> int:
    """Divide the step from a state; return the number of parts, 0 if the field jumps at none.

    Where states slide along a surface, that is noted, and no step is divided any more.
    """
    n, m = len(x), len(to.kinds)
    for i in range(n):
        to.here[i] = x[i]
    for j in range(m):
        to.outcomes[0, j] = 0.0
    decide(it, to.here, 0.0, to.outcomes[0])
    for j in range(m):
        decided = _outcome(to.kinds[j], it.values[-1, n + j])
        if decided != to.outcomes[0, j]:
            to.outcomes[0, j] = decided
            decide(it, to.here, 0.0, to.outcomes[0])
    begin, part, jumps = 0.0, 0, False
    for _ in range(MOST_SURFACES):
        left = it.field.dt - begin
        if not _first(it, to, begin, left, part):
            to.durations[part] = left
            return part + 1 if jumps else 0
        duration, which = to.durations[part], int(to.which[part])
        outcomes = to.outcomes[part]
        for i in range(n):
            to.vh[i] = 0.0
        advance_tangent(it, to.here, to.vh, begin, 0.0, duration, 1.0, outcomes)
        begin += duration
        to.slopes[part] = decide_tangent(it, it.y, it.dy, begin, 1.0, outcomes, which)
        for i in range(n):
            to.here[i] = it.y[i]
        _change(it, to, begin, part)
        if not duration > 0.0:
            for j in range(m):
                outcomes[j] = to.outcomes[part + 1, j]
            continue
        jumps_here = _jumps(it, to, begin, part)
        if jumps_here:
            rate = _rate(it, to, begin, outcomes, which)
            if not rate * _rate(it, to, begin, to.outcomes[part + 1], which) > 0.0:
                break
        _meet(to, which, jumps_here)
        jumps = jumps or jumps_here
        part += 1
    to.known[0] = 1.0
    return 0


@jit_in_order
def through(it: Stages, to: Division, x: Any, parts: int) -> None:
    """Take a state and tangent vectors through the parts of a step, in place.

    The times at which surfaces are met are found again by two steps of Newton's method.
    """
    n, begin = len(x), 0.0
    for j in range(len(to.begins)):
        to.begins[j] = 0.0
    for part in range(parts - 1):
        outcomes, which, edge = to.outcomes[part], int(to.which[part]), to.edges[part]
        h = to.durations[part]
        for _ in range(2):
            h -= _margin(it, x, begin, h, outcomes, which, edge) / to.slopes[part]
        for i in range(n):
            to.vh[i] = 0.0
        advance_tangent(it, x, to.vh, begin, 0.0, h, 1.0, outcomes)
        for i in range(n):
            to.vh[i] = it.dy[i]
        slope = decide_tangent(it, it.y, to.vh, begin + h, 1.0, outcomes, which)
        for j in range(len(to.begins)):
            v = to.rows[j]
            advance_tangent(it, x, v, begin, to.begins[j], h, 0.0, outcomes)
            later = decide_tangent(it, it.y, it.dy, begin + h, to.begins[j], outcomes, which)
            for i in range(n):
                v[i] = it.dy[i] - later / slope * to.vh[i]
            to.begins[j] -= later / slope
        for i in range(n):
            to.here[i] = it.y[i]
        for i in range(n):
            x[i] = to.here[i]
        begin += h
    h, outcomes = it.field.dt - begin, to.outcomes[parts - 1]
    for j in range(len(to.begins)):
        v = to.rows[j]
        advance_tangent(it, x, v, begin, to.begins[j], h, -to.begins[j], outcomes)
        for i in range(n):
            v[i] = it.dy[i]
    advance(it, x, begin, h, outcomes)
    for i in range(n):
        x[i] = it.y[i]
