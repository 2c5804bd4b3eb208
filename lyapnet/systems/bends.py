"""Jumps of a field that only its values tell about."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..numerics.arrays import Array

#: What changes less than this, relative to the field, between neighbours is no jump of a field that
#: only its values tell about.
JUMP = 1e-3

#: Halvings of a step after which what the field still changes is a jump, not a steep slope; and
#: those after which it is a slope that the stages of a method hardly ever meet.
TO_A_JUMP, TO_A_SLOPE = 60, 6

#: What a field that steps resolve does not change by, relative to itself, on so short a way: those
#: of the catalog by 0.03 at most.
STEEP = 0.1

#: Bends of a trajectory that are looked at more closely, of either kind.
_BENDS = 3

#: A field as small as this is rounding, too.
_TINY = 1e-290

#: A step so short, relative to the state, ends where it began; or so short at all, near zero,
#: where the field is what rounding leaves of larger numbers.
AT_REST, ROUNDING = 1e-9, 1e-12


def jump_along(field: Any, states: Array, dt: float, halvings: int = TO_A_JUMP) -> float:
    """Return how much a field jumps at the sharpest bends of a trajectory, relative to itself.

    Parameters
    ----------
    field : callable
        From the number of a step and a state ``(n,)`` to the velocity.
    states : array (T + 1, n)
        With T at least 4.
    dt : float
    """
    sharp = _sharpest(np.diff(states, axis=0) / dt)
    steps = {i for s in sharp for i in (s, s + 1)}
    return max(_jump(field, i, states[i], states[i + 1], halvings) for i in steps)


def _sharpest(velocity: Array) -> Array:
    """Return where velocities ``(T, n)`` change by more than before and after.

    What they change by more than the mean of three steps before and three after is of third order
    in the step of a smooth field, and of none in a jump. Against the speed a jump stands out where
    all else is smooth, against what is around it also where the trajectory bends as much elsewhere.
    """
    bend = np.diff(velocity, axis=0)
    away = min(3, (len(bend) - 1) // 2)
    middle = slice(away, len(bend) - away)
    before, after = bend[: len(bend) - 2 * away], bend[2 * away :]
    excess = np.abs(bend[middle] - (before + after) / 2)
    speed = np.abs(velocity[middle]).max(axis=1)
    fastest = np.abs(velocity).max(axis=0)
    by_speed = excess.max(axis=1) / (speed + _TINY + 1e-12 * fastest.max())
    alone = (excess / (fastest + _TINY)).max(axis=1)
    around = np.maximum(np.roll(alone, away + 1), np.roll(alone, -away - 1))
    ranks = by_speed, alone / (around + 1e-12)
    return away + np.unique([np.argsort(rank)[-_BENDS:] for rank in ranks])


def jump_between(field: Any, states: Array, halvings: int = TO_A_JUMP) -> float:
    """Return the same where a field changes most from one state to the next.

    For trajectories that have bends anyway, by noise, and states that are more than the present.
    """
    values = np.stack([field(i, x) for i, x in enumerate(states[:-1])])
    change = np.abs(np.diff(values, axis=0)).max(axis=1)
    steps = np.argsort(change)[-_BENDS:]
    return max(_jump(field, i, states[i], states[i + 1], halvings) for i in steps)


def _jump(field: Any, i: int, a: Array, b: Array, halvings: int) -> float:
    """Return by how much the field changes where it changes most between two states."""
    if np.abs(b - a).max() <= AT_REST * np.abs(a).max() + ROUNDING:
        return 0.0  # what the field does there is rounding
    f, g = field(i, a), field(i, b)
    size = max(np.abs(f).max(), np.abs(g).max(), _TINY)
    for _ in range(halvings):
        if np.abs(g - f).max() <= JUMP * size:
            return 0.0
        m = (a + b) / 2
        h = field(i, m)
        if np.abs(h - f).max() >= np.abs(g - h).max():
            b, g = m, h
        else:
            a, f = m, h
    return float(np.abs(g - f).max() / size)
