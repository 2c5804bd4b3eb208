"""What speaks against a cycle: a derivative that misses something, or steps that are too long."""

from __future__ import annotations

import numpy as np

from ..errors import LyapnetError
from ..numerics.arrays import Array
from ..systems.known_jumps import MISSES
from .floquet import floquet_logs
from .shooting import Shot, newton

#: Logarithm of the multiplier along an autonomous flow, in one turn, that is 0 but for the step.
_ALONG = 0.02

#: What half the step may change, relative to the period and to the largest exponent.
_CHANGE = 1e-3


def missing_one(shot: Shot, logs: Array, turns: int) -> str:
    """Say that a cycle of an autonomous flow has no multiplier 1, if it has none.

    Parameters
    ----------
    shot : Shot
    logs : array (n,), complex
        Logarithms of the multipliers.
    turns : int
        How often the period goes around.
    """
    if not shot.free or np.abs(logs).min() <= _ALONG * turns:
        return ""
    nearest = np.exp(logs[np.argmin(np.abs(logs))])
    return f"no multiplier is near 1, the nearest is {nearest:.3g}, {MISSES}"


def step_of_cycle(shot: Shot, x: Array, exponents: Array) -> str:
    """Say what half the step changes: by one step of Newton's method from the cycle.

    Parameters
    ----------
    shot : Shot
    x : array (n,)
        Its first state.
    exponents : array (n,)
        In descending order.

    Returns
    -------
    str
        That begins with "fine:" or "too coarse:"; empty for maps.
    """
    finer = shot.fine.finer()
    if finer is None:
        return ""
    fine = Shot(finer[0], shot.period, shot.t0)
    try:
        end, D, velocity = fine.run(x)
        move, longer = newton(end - x, D, velocity if fine.free else None)
        if not -shot.period / 2 < longer < shot.period:
            raise LyapnetError("another cycle")
        fine = fine.with_period(shot.period + longer)
        there = floquet_logs(fine.orbit(x + move).finest.jacobians).real / fine.period
    except LyapnetError:
        return "too coarse: in half the steps the cycle is not found; take a smaller dt"
    with np.errstate(invalid="ignore"):
        away = np.where(there == exponents, 0.0, np.abs(there - exponents))
        size = np.where(np.isfinite(exponents), np.abs(exponents), 0.0).max()
    change = float(np.where(np.isfinite(away), away, 0.0).max())
    of_period = f"the period by {abs(longer):.1g} and " if shot.free else ""
    words = f"halving the step changes {of_period}exponents by up to {change:.1g}"
    coarse = abs(longer) > _CHANGE * shot.period
    if coarse or change > _CHANGE * max(size, 1 / shot.period):
        return f"too coarse: {words}; take a smaller dt"
    return f"fine: {words}"
