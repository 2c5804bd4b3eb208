"""Jumps of a field that only its values tell about."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..numerics.arrays import Array

#: What changes less than this, relative to the field, between neighbours is no jump of a field that
#: only its values tell about.
JUMP = 1e-3

#: Bends of a trajectory that are looked at more closely.
_BENDS = 3

#: A field as small as this is rounding, too.
_TINY = 1e-290

#: A step so short, relative to the state, ends where it began.
_AT_REST = 1e-9


def jump_along(field: Any, states: Array, dt: float) -> float:
    """Return how much a field jumps at the sharpest bends of a trajectory, relative to itself.

    Parameters
    ----------
    field : callable
        From the number of a step and a state ``(n,)`` to the velocity.
    states : array (T + 1, n)
        With T at least 4.
    dt : float
    """
    velocity = np.diff(states, axis=0) / dt
    bend = np.abs(np.diff(velocity, axis=0)).max(axis=1)
    around = np.minimum(np.roll(bend, 3), np.roll(bend, -3))
    sharp = np.argsort(bend / (around + 1e-12 * (1e-300 + np.abs(velocity).max())))[-_BENDS:]
    return max(_jump(field, i, states[i], states[i + 1]) for s in sharp for i in (s, s + 1))


def jump_between(field: Any, states: Array) -> float:
    """Return the same where a field changes most from one state to the next.

    For trajectories that have bends anyway, by noise, and states that are more than the present.
    """
    values = np.stack([field(i, x) for i, x in enumerate(states[:-1])])
    change = np.abs(np.diff(values, axis=0)).max(axis=1)
    steps = np.argsort(change)[-_BENDS:]
    return max(_jump(field, i, states[i], states[i + 1]) for i in steps)


def _jump(field: Any, i: int, a: Array, b: Array) -> float:
    """Return by how much the field jumps somewhere between two states, 0 if it does not."""
    if np.abs(b - a).max() <= _AT_REST * np.abs(a).max():
        return 0.0  # what the field does there is rounding
    f, g = field(i, a), field(i, b)
    size = max(np.abs(f).max(), np.abs(g).max(), _TINY)
    for _ in range(60):
        if np.abs(g - f).max() <= JUMP * size:
            return 0.0
        m = (a + b) / 2
        h = field(i, m)
        if np.abs(h - f).max() >= np.abs(g - h).max():
            b, g = m, h
        else:
            a, f = m, h
    return float(np.abs(g - f).max() / size)
