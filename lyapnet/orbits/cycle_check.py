"""What speaks against a cycle: a derivative that misses something, or steps that are too long."""

from __future__ import annotations

import numpy as np

from ..errors import LyapnetError
from ..numerics.arrays import Array
from ..systems.known_jumps import MISSES
from .floquet import floquet_logs, in_doubt
from .shooting import Shot, newton

#: Logarithm of the multiplier along an autonomous flow, in one turn, that is 0 but for the step.
_ALONG = 0.02

#: What half the step may change, relative to the period and to the largest exponent.
_CHANGE = 1e-3

#: Singular values that tell no direction, relative to the largest: along a family of cycles.
_RANK = 1e-8

#: What multipliers are off by where a cycle is regular: its error times how fast they change.
_OFF = 1e-8


def at_a_bifurcation(shot: Shot, x: Array, logs: Array, others: Array) -> str:
    """Say that it is not known on which side of the unit circle a multiplier is.

    Where a cycle is degenerate it is known to the root of its residual alone, and its multipliers
    are as far from those on the circle.

    Parameters
    ----------
    shot : Shot
    x : array (n,)
        Its first state.
    logs : array (n,), complex
        Logarithms of the multipliers.
    others : array of int
        Those that stability hangs on.
    """
    end, D, velocity = shot.run(x)
    move, longer = newton(end - x, D, velocity if shot.free else None, _RANK)
    try:
        there = shot.with_period(shot.period + longer).orbit(x + move)
    except LyapnetError:
        return ""  # the step led away: it was none from a cycle to a nearer one
    doubt = in_doubt(logs, floquet_logs(there.finest.jacobians))[others]
    unknown = (np.abs(logs.real[others]) <= doubt) & (doubt > _OFF)
    if not unknown.any():
        return ""
    size = np.abs(logs.real[others][unknown]).max()
    return (
        f"the cycle is at a bifurcation: the logarithm of a multiplier is {size:.1g}, and a "
        "further step of Newton's method changes that by a third or more"
    )


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
