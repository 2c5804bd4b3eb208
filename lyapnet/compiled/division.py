"""A step of a field that jumps, divided at the surfaces that it meets, inside of loops.

The same as `systems.jumping_step`, which says why.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import jit_in_order
from .limits import KINKS, MOST_SURFACES, NO_JUMP, ON_EDGE, SMALL
from .parts import Division, run, run_tangent
from .products import copy
from .regions import SIGN, decided, high, low

#: How close, relative to the step, the time at which a surface is met is found, and in how many
#: trials: Newton's method takes it on from there.
_CLOSE, _TRIALS = 1e-14, 100

#: What stands in the place of the time at which a decision leaves its region, once it has.
_MET = -1.0


@jit_in_order
def _time(
    it: Division, x: Any, begin: float, outcomes: Any, which: int, edge: float, left: float
) -> float:
    """Return when a decision meets an edge, by Anderson's and Bjoerck's method."""
    first, last = it.ends[0, which] - edge, it.ends[1, which] - edge
    if not first * last < 0:  # on the edge, to rounding
        return 0.0
    a, b, close = 0.0, left, _CLOSE * it.dt
    for _ in range(_TRIALS):
        c = b - last * ((b - a) / (last - first))
        run(it, it.advance, x, begin, c, outcomes)
        margin = it.found[0, len(x) + which] - edge
        moved = abs(c - b)
        if margin * last < 0:
            a, first = b, last
        else:
            factor = 1.0 - margin / last
            first *= factor if factor > 0.0 else 0.5
        b, last = c, margin
        if moved <= close or abs(b - a) <= close or margin == 0.0:
            break
    return b


@jit_in_order
def _first(it: Division, begin: float, part: int) -> float:
    """Return when decisions first leave their regions, infinity if none does; write for each."""
    x, outcomes, left = it.states[0], it.outcomes[part], it.dt - begin
    n, first, when = len(x), np.inf, it.ends[2]
    run(it, it.value, x, begin, 0.0, outcomes)
    copy(it.found[0, n:], it.ends[0])
    run(it, it.advance, x, begin, left, outcomes)
    copy(it.found[0, n:], it.ends[1])
    for j in range(len(outcomes)):
        edge, when[j] = _edge(it, outcomes, j), np.inf
        if abs(edge) < np.inf:
            when[j] = _time(it, x, begin, outcomes, j, edge, left)
            first = min(first, when[j])
    return first


@jit_in_order
def _edge(it: Division, outcomes: Any, j: int) -> float:
    """Return the edge of its region beyond which a decision is at the end, infinity if at none."""
    lowest, highest = low(it.kinds[j], outcomes[j]), high(it.kinds[j], outcomes[j])
    if it.ends[1, j] < lowest:
        return lowest
    return highest if it.ends[1, j] > highest else np.inf


@jit_in_order
def _change(it: Division, begin: float, which: int, edge: float, old: Any, new: Any) -> None:
    """Write the outcomes beyond a surface; those of later decisions may depend on it."""
    x = it.states[0]
    up = edge == high(it.kinds[which], old[which])
    copy(old, new)
    new[which] = (0.0 if it.kinds[which] == SIGN else old[which]) + (1.0 if up else -1.0)
    settled = False
    for _ in range(len(old)):
        if settled:
            break
        run(it, it.value, x, begin, 0.0, new)
        settled = True
        for j in range(which + 1, len(old)):
            of, kind = it.found[0, len(x) + j], it.kinds[j]
            away = min(abs(of - low(kind, old[j])), abs(of - high(kind, old[j])))
            # What lies on the edge of its region, to rounding, stays in it.
            outcome = decided(kind, of) if away > ON_EDGE * (1 + abs(of)) else old[j]
            settled = settled and outcome == new[j]
            new[j] = outcome


@jit_in_order
def _slope(it: Division, begin: float, outcomes: Any, which: int) -> float:
    """Return how fast a decision moves, and leave what it decides by."""
    it.states[1, :] = 0.0
    run_tangent(it, it.states[0], it.states[1], begin, 0.0, 0.0, 1.0, outcomes)
    return float(it.found[1, len(it.states[0]) + which])


@jit_in_order
def _across(it: Division, begin: float, duration: float, part: int) -> int:
    """Note the parts that end where surfaces are met at once; return the number of the next part.

    The first takes time, the others none; see `systems.jumping_step`.
    """
    here, when, slopes, now, count = it.states[0], it.ends[2], it.ends[0], begin + duration, part
    it.states[1, :] = 0.0
    run_tangent(it, here, it.states[1], begin, 0.0, duration, 1.0, it.outcomes[part])
    copy(it.found[1, len(here) :], slopes)
    copy(it.found[0], here)
    at_once = duration + (ON_EDGE * it.dt if duration > 0.0 else 0.0)
    while count < len(it.which):
        j = -1
        for i in range(len(when)):
            if 0.0 <= when[i] <= at_once and (j < 0 or when[i] < when[j]):
                j = i
        if j < 0:
            return count
        before, after, when[j] = it.outcomes[count], it.outcomes[count + 1], _MET
        edge, slope = _edge(it, it.outcomes[part], j), slopes[j]
        if count > part:
            slope = _slope(it, now, before, j)
        _change(it, now, j, edge, before, after)
        for i in range(len(when)):
            if not 0.0 <= when[i] <= at_once:
                continue
            if _slope(it, now, before, i) * _slope(it, now, after, i) <= 0.0:
                when[i] = _MET
                _change(it, now, i, _edge(it, it.outcomes[part], i), after, after)
        if not duration > 0.0:
            copy(after, before)
            continue
        it.durations[count] = 0.0 if count > part else duration
        it.which[count], it.edges[count], it.slopes[count] = j, edge, slope
        count += 1
    return count


@jit_in_order
def _differ(it: Division, x: Any, begin: float, before: Any, after: Any, least: float) -> bool:
    """Say whether fields with different outcomes differ by more than a part of themselves."""
    f, most, jump = it.states[1], 0.0, 0.0
    run(it, it.value, x, begin, 0.0, before)
    copy(it.found[0], f)
    run(it, it.value, x, begin, 0.0, after)
    for i in range(len(x)):
        most, jump = max(most, abs(f[i])), max(jump, abs(it.found[0, i] - f[i]))
    return bool(jump > least * most)


@jit_in_order
def _rate(it: Division, begin: float, outcomes: Any, which: int) -> float:
    """Return by how much a decision moves in a small part of the step."""
    x, n = it.states[0], it.states.shape[1]
    run(it, it.value, x, begin, 0.0, outcomes)
    before = it.found[0, n + which]
    run(it, it.advance, x, begin, SMALL * it.dt, outcomes)
    return float(it.found[0, n + which] - before)


@jit_in_order
def _meets(it: Division, begin: float, part: int, beyond: int) -> int:
    """Note what decisions have met: return 1 for a jump, 0 for none, -1 if it leads back.

    What is not felt at all, as in a branch that is not taken, may be a jump elsewhere.
    """
    m, which, near = len(it.kinds), it.which[part], it.states[2]
    before, after = it.outcomes[part], it.outcomes[beyond]
    jumps = _differ(it, it.states[0], begin, before, after, NO_JUMP)
    if jumps and not _rate(it, begin, before, which) * _rate(it, begin, after, which) > 0.0:
        return -1
    run(it, it.advance, it.states[0], begin, SMALL * it.dt, before)
    copy(it.found[0], near)
    felt = jumps or _differ(it, near, begin + SMALL * it.dt, before, after, 0.0)
    for j in range(m):
        if felt and it.ends[2, j] == _MET:
            met = np.inf if jumps else it.known[1 + m + j] + 1.0
            it.known[1 + m + j] = met
            it.known[1 + j] = 0.0 if KINKS <= met < np.inf else 1.0
    return int(jumps)


@jit_in_order
def _begin(it: Division, x: Any) -> None:
    """Write the outcomes with which a step begins; later decisions may depend on earlier ones."""
    outcomes, n, settled = it.outcomes[0], len(x), False
    for j in range(len(outcomes)):
        outcomes[j] = 0.0
    for _ in range(len(outcomes)):
        if settled:
            break
        run(it, it.value, x, 0.0, 0.0, outcomes)
        settled = True
        for j in range(len(outcomes)):
            outcome = decided(it.kinds[j], it.found[0, n + j])
            settled = settled and outcome == outcomes[j]
            outcomes[j] = outcome


@jit_in_order
def plan(it: Division, x: Any) -> int:
    """Divide the step from a state; return the number of parts, 0 if the field jumps at none.

    Where states slide along a surface, that is noted, and no step is divided any more.
    """
    begin, part, jumps = 0.0, 0, False
    copy(x, it.states[0])
    _begin(it, it.states[0])
    for _ in range(MOST_SURFACES):
        duration = _first(it, begin, part)
        if duration == np.inf:
            return part + 1 if jumps else 0
        beyond = _across(it, begin, duration, part)
        begin += duration
        met = _meets(it, begin, part, beyond) if duration > 0.0 else 0
        if met < 0 or beyond == len(it.which):
            break
        jumps, part = jumps or met > 0, beyond
    it.known[0] = 1.0
    return 0
