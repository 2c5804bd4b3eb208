"""A step of a field that jumps, divided at the surfaces that it meets, inside of loops.

The same as `systems.jumping_step`, which says why. What a field and its steps do is written down
for each (see `crossings`), and called through addresses.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .blas import call
from .jit import jit_in_order
from .limits import KINKS, MOST_SURFACES, NO_JUMP, ON_EDGE, SMALL
from .regions import SIGN, decided, high, low

#: How close, relative to the step, the time at which a surface is met is found, and in how many
#: trials: Newton's method takes it on from there.
_CLOSE, _TRIALS = 1e-14, 100


class Division(NamedTuple):
    """A step, and what it is divided into.

    Attributes
    ----------
    value, advance, tangent : int
        Addresses of the functions of `crossings.functions`.
    row, p : int
        Where inputs and time of the step are, and parameters.
    dt : float
    kinds : array (m,)
        Of the decisions, see `operations.KINDS`.
    known : array (1 + 2 m,)
        Whether states slide; of each decision whether it matters, and how often it has met a
        surface where the field is continuous, infinity if it jumps at one.
    times : array (5,)
        Begin and length of a part, the step, and how the former two move.
    found : array (2, n + m)
        What functions write: states or the field, and what decides; and tangents of these.
    states : array (2, n)
        Where a part begins, and room.
    ends : array (2, m)
        What decides at both ends.
    outcomes : array (parts, m)
    durations, edges, slopes : array (parts,)
        Of each part; which edge is met at its end, and how fast.
    which : array (parts,) of int
        The decision that meets it.
    rows : array (k, n + 1)
        Tangent vectors, and what they do to the time at which a part begins.
    """

    value: int
    advance: int
    tangent: int
    row: int
    p: int
    dt: float
    kinds: Any
    known: Any
    times: Any
    found: Any
    states: Any
    ends: Any
    outcomes: Any
    durations: Any
    edges: Any
    slopes: Any
    which: Any
    rows: Any


@jit_in_order
def _run(it: Division, function: int, x: Any, begin: float, h: float, outcomes: Any) -> None:
    """Write the field at a state, or the state after a step h; and what decides there."""
    it.times[0], it.times[1] = begin, h
    given = x.ctypes.data, it.row, it.p, outcomes.ctypes.data, it.times.ctypes.data
    call(function, (*given, it.found.ctypes.data))


@jit_in_order
def _run_tangent(
    it: Division, x: Any, v: Any, begin: float, d_begin: float, h: float, dh: float, outcomes: Any
) -> None:
    """Write the state after a step, and what decides there, with their tangents."""
    it.times[0], it.times[1], it.times[3], it.times[4] = begin, h, d_begin, dh
    given = x.ctypes.data, it.row, it.p, outcomes.ctypes.data, it.times.ctypes.data
    call(it.tangent, (*given, v.ctypes.data, it.found[0].ctypes.data, it.found[1].ctypes.data))


@jit_in_order
def _copy(source: Any, to: Any) -> None:
    for i in range(len(to)):
        to[i] = source[i]


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
        _run(it, it.advance, x, begin, c, outcomes)
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
def _first(it: Division, begin: float, part: int) -> bool:
    """Note when and where the first decision leaves its region; say whether one does."""
    x, outcomes, left = it.states[0], it.outcomes[part], it.dt - begin
    n, met = len(x), False
    _run(it, it.value, x, begin, 0.0, outcomes)
    _copy(it.found[0, n:], it.ends[0])
    _run(it, it.advance, x, begin, left, outcomes)
    _copy(it.found[0, n:], it.ends[1])
    it.durations[part] = left
    for j in range(len(outcomes)):
        lowest, highest = low(it.kinds[j], outcomes[j]), high(it.kinds[j], outcomes[j])
        below = it.ends[1, j] < lowest
        if not (below or it.ends[1, j] > highest):
            continue
        edge = lowest if below else highest
        when = _time(it, x, begin, outcomes, j, edge, left)
        if not met or when < it.durations[part]:
            it.durations[part], it.edges[part], it.which[part], met = when, edge, j, True
    return met


@jit_in_order
def _change(it: Division, begin: float, part: int) -> None:
    """Write the outcomes beyond a surface; those of later decisions may depend on it."""
    x, old, new, which = it.states[0], it.outcomes[part], it.outcomes[part + 1], it.which[part]
    up = it.edges[part] == high(it.kinds[which], old[which])
    _copy(old, new)
    new[which] = (0.0 if it.kinds[which] == SIGN else old[which]) + (1.0 if up else -1.0)
    settled = False
    for _ in range(len(old)):
        if settled:
            break
        _run(it, it.value, x, begin, 0.0, new)
        settled = True
        for j in range(which + 1, len(old)):
            of, kind = it.found[0, len(x) + j], it.kinds[j]
            away = min(abs(of - low(kind, old[j])), abs(of - high(kind, old[j])))
            # What lies on the edge of its region, to rounding, stays in it.
            outcome = decided(kind, of) if away > ON_EDGE * (1 + abs(of)) else old[j]
            settled = settled and outcome == new[j]
            new[j] = outcome


@jit_in_order
def _jumps(it: Division, begin: float, part: int) -> bool:
    """Say whether the field jumps at a surface."""
    x, before, most, jump = it.states[0], it.states[1], 0.0, 0.0
    _run(it, it.value, x, begin, 0.0, it.outcomes[part])
    _copy(it.found[0], before)
    _run(it, it.value, x, begin, 0.0, it.outcomes[part + 1])
    for i in range(len(x)):
        most, jump = max(most, abs(before[i])), max(jump, abs(it.found[0, i] - before[i]))
    return bool(jump > NO_JUMP * most)


@jit_in_order
def _rate(it: Division, begin: float, outcomes: Any, which: int) -> float:
    """Return by how much a decision moves in a small part of the step."""
    x, n = it.states[0], it.states.shape[1]
    _run(it, it.value, x, begin, 0.0, outcomes)
    before = it.found[0, n + which]
    _run(it, it.advance, x, begin, SMALL * it.dt, outcomes)
    return float(it.found[0, n + which] - before)


@jit_in_order
def _meets(it: Division, begin: float, part: int) -> int:
    """Note what a decision has met: return 1 for a jump, 0 for a kink, -1 if it leads back."""
    m, which, jumps = len(it.kinds), it.which[part], _jumps(it, begin, part)
    if jumps:
        rate = _rate(it, begin, it.outcomes[part], which)
        if not rate * _rate(it, begin, it.outcomes[part + 1], which) > 0.0:
            return -1
    met = np.inf if jumps else it.known[1 + m + which] + 1.0
    it.known[1 + m + which] = met
    it.known[1 + which] = 0.0 if KINKS <= met < np.inf else 1.0
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
        _run(it, it.value, x, 0.0, 0.0, outcomes)
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
    n, here, begin, part, jumps = len(x), it.states[0], 0.0, 0, False
    _copy(x, here)
    _begin(it, here)
    for _ in range(MOST_SURFACES):
        if not _first(it, begin, part):
            return part + 1 if jumps else 0
        duration, outcomes = it.durations[part], it.outcomes[part]
        it.states[1, :] = 0.0
        _run_tangent(it, here, it.states[1], begin, 0.0, duration, 1.0, outcomes)
        it.slopes[part] = it.found[1, n + it.which[part]]
        _copy(it.found[0], here)
        begin += duration
        _change(it, begin, part)
        if not duration > 0.0:
            _copy(it.outcomes[part + 1], outcomes)
            continue
        met = _meets(it, begin, part)
        if met < 0:
            break
        jumps = jumps or met > 0
        part += 1
    it.known[0] = 1.0
    return 0


@jit_in_order
def through(it: Division, x: Any, parts: int) -> None:
    """Take a state and tangent vectors through the parts of a step, in place.

    The times at which surfaces are met are found again by two steps of Newton's method.
    """
    n, begin, moved = len(x), 0.0, it.states[1]
    it.rows[:, n] = 0.0
    for part in range(parts - 1):
        outcomes, h, decision = it.outcomes[part], it.durations[part], n + it.which[part]
        for _ in range(2):
            _run(it, it.advance, x, begin, h, outcomes)
            h -= (it.found[0, decision] - it.edges[part]) / it.slopes[part]
        moved[:] = 0.0
        _run_tangent(it, x, moved, begin, 0.0, h, 1.0, outcomes)
        slope = it.found[1, decision]
        _copy(it.found[1], moved)
        for j in range(len(it.rows)):
            v = it.rows[j]
            _run_tangent(it, x, v, begin, v[n], h, 0.0, outcomes)
            dh = -it.found[1, decision] / slope
            for i in range(n):
                v[i] = it.found[1, i] + dh * moved[i]
            v[n] += dh
        _copy(it.found[0], x)
        begin += h
    h, outcomes = it.dt - begin, it.outcomes[parts - 1]
    for j in range(len(it.rows)):
        v = it.rows[j]
        _run_tangent(it, x, v, begin, v[n], h, -v[n], outcomes)
        _copy(it.found[1], v[:n])
    _run(it, it.advance, x, begin, h, outcomes)
    _copy(it.found[0], x)
