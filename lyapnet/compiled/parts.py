"""The parts of a step of a field that jumps, and how states and tangent vectors go through them.

What a field and its steps do is written down for each (see `crossings`), and called through
addresses.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .blas import call
from .jit import jit_in_order
from .products import copy


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
    states : array (3, n)
        Where a part begins, and room.
    ends : array (3, m)
        What decides at both ends, and when it leaves its region.
    outcomes : array (parts + 1, m)
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
def run(it: Division, function: int, x: Any, begin: float, h: float, outcomes: Any) -> None:
    """Write the field at a state, or the state after a step h; and what decides there."""
    it.times[0], it.times[1] = begin, h
    given = x.ctypes.data, it.row, it.p, outcomes.ctypes.data, it.times.ctypes.data
    call(function, (*given, it.found.ctypes.data))


@jit_in_order
def run_tangent(
    it: Division, x: Any, v: Any, begin: float, d_begin: float, h: float, dh: float, outcomes: Any
) -> None:
    """Write the state after a step, and what decides there, with their tangents."""
    it.times[0], it.times[1], it.times[3], it.times[4] = begin, h, d_begin, dh
    given = x.ctypes.data, it.row, it.p, outcomes.ctypes.data, it.times.ctypes.data
    call(it.tangent, (*given, v.ctypes.data, it.found[0].ctypes.data, it.found[1].ctypes.data))


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
            run(it, it.advance, x, begin, h, outcomes)
            h -= (it.found[0, decision] - it.edges[part]) / it.slopes[part]
        moved[:] = 0.0
        run_tangent(it, x, moved, begin, 0.0, h, 1.0, outcomes)
        slope = it.found[1, decision]
        copy(it.found[1], moved)
        for j in range(len(it.rows)):
            v = it.rows[j]
            run_tangent(it, x, v, begin, v[n], h, 0.0, outcomes)
            dh = -it.found[1, decision] / slope
            for i in range(n):
                v[i] = it.found[1, i] + dh * moved[i]
            v[n] += dh
        copy(it.found[0], x)
        begin += h
    h, outcomes = it.dt - begin, it.outcomes[parts - 1]
    for j in range(len(it.rows)):
        v = it.rows[j]
        run_tangent(it, x, v, begin, v[n], h, -v[n], outcomes)
        copy(it.found[1], v[:n])
    run(it, it.advance, x, begin, h, outcomes)
    copy(it.found[0], x)
