"""Chaotic orbits that rounding has made periodic, and whose exponents are those of a cycle.

Chaos brings up digits that were not there before. Where a step makes no new ones, an orbit runs
out of them: ``2 * x % 1`` shifts the 52 bits of a state out, and is at 0 from then on; in single
precision orbits of one or two dimensions come back after some thousand steps.
"""

from __future__ import annotations

import numpy as np

from ..numerics.arrays import Array
from ..systems import System

#: Nats of growth after which none of the first digits of a state are left.
_TURNED_OVER = 37.0

#: Steps in which an orbit comes back whose states are exact in single precision, or in part.
_MOST, _IN_PART = 2**16, 2**10

#: Numbers in the states of an ensemble over so many steps.
_NUMBERS = 2**23

#: Relative difference of derivatives that are the same.
_ALIKE = 1e-9


def lost_digits(system: System, x0: Array, state: Array, growth: Array, n_steps: int) -> str:
    """Say that a run has ended on an unstable cycle, if it has.

    Such a cycle repeats exactly, and its states are exact in single precision, or components of
    them are (by chance one in 2^29 is). A state that was there from the start is on purpose, and
    where derivatives are the same everywhere exponents are right on any orbit.

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
    with np.errstate(over="ignore", invalid="ignore"):
        exact = state.astype(np.float32) == state
        lost = exact.any(axis=-1)
        lost &= (growth.max(axis=-1) > _TURNED_OVER) & (state != x0).any(axis=-1)
    if not lost.any():
        return ""
    most = _MOST if exact[lost].all() else _IN_PART
    after = _steps_to_come_back(system, state, min(n_steps, most, _NUMBERS // state.size))
    lost &= (after > 0) & ~_same_derivative(system, x0, state)
    if not lost.any():
        return ""
    at = tuple(np.argwhere(lost)[0])
    who = f"the state of member {', '.join(map(str, at))}" if at else "the state"
    steps = int(after[at])
    where = "an unstable fixed point" if steps == 1 else f"an unstable cycle of {steps} steps"
    return (
        f"{who} has ended exactly on {where}, where only rounding leads: a step that makes no "
        "new digits, as 2 * x % 1 or one in single precision, uses them up, and exponents are then "
        "those of the cycle. Compute in double precision, with factors that are no powers of two "
        "(1.9999999)"
    )


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
