"""Orbits that rounding has put onto unstable cycles, whose exponents are then those of the cycle.

Chaos brings up digits that were not there before. Where a step makes no new ones, an orbit runs
out of them: ``2 * x % 1`` shifts the 52 bits of a state out, and is at 0 from then on; in single
precision orbits of one or two dimensions come back after some thousand steps. And where components
cancel exactly, an orbit may run into a saddle, along its stable manifold, and stay there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..numerics.arrays import Array
from ..systems import Map, System
from ..tangent.step_derivative import on_a_kink, stepped
from .fixed_point import RESTS, exponents_at_rest

#: Nats of growth after which none of the first digits of a state are left.
_TURNED_OVER = 37.0

#: Steps in which an orbit comes back whose states are exact in single precision, or in part.
_MOST, _IN_PART = 2**16, 2**10

#: Steps of small maps in which a state without most of its digits is looked for: of a cycle not
#: all states are.
_LOOK, _SMALL = 32, 4

#: Numbers in the states of an ensemble over so many steps.
_NUMBERS = 2**23

#: Members of an ensemble that are looked at one by one.
_LOOKED_AT = 8

#: Relative difference of derivatives that are the same.
_ALIKE = 1e-9


def lost_digits(system: System, x0: Array, state: Array, growth: Array, n_steps: int) -> str:
    """Say that a run has ended on an unstable cycle, if it has.

    Such a cycle repeats exactly, and some of its states are exact in single precision, or
    components of them are (by chance one in 2^29 is). A state that was there from the start is on
    purpose, and where derivatives are the same everywhere exponents are right on any orbit.
    A fixed point need not have such states: it is one where a step moves the state by rounding.

    Parameters
    ----------
    system : System
        Without inputs.
    x0, state : array (..., n)
        At the start and at the end.
    growth : array (..., k)
        Of all averaged steps, in nats.
    n_steps : int
        Of the run.
    """
    if system.n_inputs or system.time or system.tangent_apart:
        return ""
    grown = (growth.max(axis=-1) > _TURNED_OVER) & (state != x0).any(axis=-1)
    if not grown.any():
        return ""
    few = _LOOK if state.shape[-1] <= _SMALL and isinstance(system, Map) and system.dt == 1 else 1
    seen = system.orbit(state, None, few).states
    after = _cycles(system, seen, n_steps)
    lost = grown & (after > 0)
    if lost.any():
        lost &= ~_same_derivative(system, x0, state)
    if lost.any():
        steps = int(after[lost][0])
        where = "an unstable fixed point" if steps == 1 else f"an unstable cycle of {steps} steps"
        return (
            f"{_first(lost)} has ended exactly on {where}, where only rounding leads: a step that "
            "makes no new digits, as 2 * x % 1 or one in single precision, uses them up, and "
            "exponents are then those of the cycle. Compute in double precision, with factors that "
            "are no powers of two (1.9999999)"
        )
    rests = grown & _at_unstable_rest(system, x0, seen)
    if rests.any():
        return (
            f"{_first(rests)} has come to rest at an unstable fixed point, where only rounding "
            "leads, or a symmetry of the start, and exponents are those of this point. Start "
            "without the symmetry, or elsewhere"
        )
    return ""


def rests_on_a_kink(system: System, state: Array, inputs: Array | None, growth: Array) -> str:
    """Say that a run has ended at rest where a step has no derivative, if it has.

    Parameters
    ----------
    system : System
    state : array (..., n)
        At the end.
    inputs : array (T, ..., m) or None
        Late in the run.
    growth : array (..., k)
        Of all averaged steps, in nats.
    """
    if system.time or system.tangent_apart or not (growth.max(axis=-1) <= 0).any():
        return ""
    if bool(system.n_inputs) != (inputs is not None):
        return ""
    u = None if inputs is None else inputs[:1]
    if inputs is not None and np.any(inputs != u):
        return ""
    for at, stuck in _stuck(system, state, u, growth.max(axis=-1) <= 0):
        if stuck:
            return (
                f"{state_of(at)} has come to rest on a kink, where a step has no derivative: its "
                "slopes differ between two sides, and exponents hang on what is taken for one. A "
                "shorter run has those of the way there"
            )
    return ""


def _stuck(
    system: System, x: Array, u: Array | None, which: NDArray[np.bool_]
) -> Iterator[tuple[tuple[int, ...], bool]]:
    """Say of some members, a few alone or those of a network all at once, if they rest on a kink.

    A function that takes one state at a time is not called for all of a large ensemble.
    """
    lead, members = x.shape[:-1], [tuple(at) for at in np.argwhere(which)]
    if not lead or system.alone(x, members[0]) is None:
        found = _rest_there(system, x, u)
        yield from ((at, bool(found[at])) for at in members)
        return
    rows = None if u is None else np.broadcast_to(u[0], (*lead, u.shape[-1]))
    for at in members[:_LOOKED_AT]:
        own = None if rows is None else rows[at][None]
        yield at, bool(_rest_there(system.of_member(lead, at), x[at], own))


def _rest_there(system: System, x: Array, u: Array | None) -> NDArray[np.bool_]:
    moved = np.abs(stepped(system, x, u) - x).max(axis=-1)
    rests: NDArray[np.bool_] = np.asarray(moved <= RESTS * np.abs(x).max(axis=-1))
    return rests & on_a_kink(system, x, u) if rests.any() else rests


def _first(which: NDArray[np.bool_]) -> str:
    """Name the state of the first member."""
    return state_of(tuple(np.argwhere(which)[0]))


def state_of(member: tuple[int, ...]) -> str:
    """Name the state of a member of an ensemble, or of a single run."""
    return f"the state of member {', '.join(map(str, member))}" if member else "the state"


def _cycles(system: System, seen: Array, n_steps: int) -> Array:
    """Return after how many steps states without most of their digits come back, 0 if not.

    Of states (T, ..., n) the first ones, of which this or a later one may have lost them.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        exact = seen.astype(np.float32) == seen
    if not exact.any():
        return np.zeros(seen.shape[1:-1], dtype=int)
    most = _MOST if exact.all(axis=-1).any() else _IN_PART
    return _steps_to_come_back(system, seen[0], min(n_steps, most, _NUMBERS // seen[0].size))


def _at_unstable_rest(system: System, x0: Array, seen: Array) -> NDArray[np.bool_]:
    """Return which of the first of states (T, ..., n) stay where they are, at what is no sink."""
    state = seen[0]
    moved, size, before = (np.abs(x).max(axis=-1) for x in (seen[1] - state, state, x0))
    if (moved > RESTS * np.maximum(size, before)).all():
        return np.zeros(moved.shape, dtype=bool)
    rates = exponents_at_rest(system, system.orbit(state, None, 1), x0, None, 1)
    if rates is None:
        return np.zeros(moved.shape, dtype=bool)
    with np.errstate(invalid="ignore"):
        unstable: NDArray[np.bool_] = rates[..., 0] > 0
    return unstable


def _steps_to_come_back(system: System, state: Array, steps: int) -> Array:
    """Return after how many steps states (..., n) are the same again, 0 if they are not."""
    states = system.orbit(state, None, steps).states[1:]
    same = (states == state).all(axis=-1)
    found: Array = np.where(same.any(axis=0), np.argmax(same, axis=0) + 1, 0)
    return found


def _same_derivative(system: System, x: Array, y: Array) -> Array:
    """Return where tangent vectors grow alike at two states (..., n), but for signs."""
    vectors = np.broadcast_to(np.eye(x.shape[-1]), (*x.shape, x.shape[-1]))
    here, there = (np.abs(system.pushforward(state, vectors)) for state in (x, y))
    same: Array = (np.abs(here - there) <= _ALIKE * (here + there)).all(axis=(-1, -2))
    return same
