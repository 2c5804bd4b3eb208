"""What speaks against a cycle: a derivative that misses something, or steps that are too long."""

from __future__ import annotations

import numpy as np

from ..errors import LyapnetError
from ..numerics.arrays import Array
from ..systems.known_jumps import MISSES
from .floquet import in_doubt
from .shooting import Shot, loosest, newton

#: Logarithm of the multiplier along an autonomous flow, in one turn, that is 0 but for the step.
_ALONG = 0.02

#: What half the step may change, relative to the period and to the largest exponent.
_CHANGE = 1e-3

#: Singular values that tell no direction, relative to the largest: along a family of cycles.
_RANK = 1e-8

#: A direction of which closing a cycle tells as little, relative to the others, may be that of a
#: family; states are moved along it by a part of their size, and corrected so often, and have to
#: close to a part of that.
_LOOSE, _BESIDE, _CORRECTIONS, _CLOSED = 1e-5, 1e-2, 3, 1e-5

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
    away, D, along = shot.run(x)
    move, longer = newton(away, D, along, _RANK)
    try:
        there = shot.with_period(shot.period + longer).orbit(x + move * shot.unit)
    except LyapnetError:
        return ""  # the step led away: it was none from a cycle to a nearer one
    doubt = in_doubt(logs, shot.log_multipliers(there))[others]
    unknown = (np.abs(logs.real[others]) <= doubt) & (doubt > _OFF)
    if not unknown.any():
        return ""
    size = np.abs(logs.real[others][unknown]).max()
    return (
        f"the cycle is at a bifurcation: the logarithm of a multiplier is {size:.1g}, and a "
        "further step of Newton's method changes that by a third or more"
    )


def in_a_family(shot: Shot, x: Array) -> bool:
    """Say whether other cycles lie beside a cycle, as where a flow conserves its energy.

    A state beside it, along the direction that closing it tells nothing of, closes then by a move
    that is small beside its distance; at a bifurcation it has to come all the way back.

    Parameters
    ----------
    shot : Shot
    x : array (n,)
        First state of the cycle.
    """
    _, D, along = shot.run(x)
    direction, longer, certain = loosest(D, along)
    if certain > _LOOSE:
        return False
    beside = _BESIDE * max(1.0, float(np.abs(x / shot.unit).max()))
    try:
        y = x + beside * direction * shot.unit
        other = shot.with_period(shot.period + beside * longer)
        for _ in range(_CORRECTIONS):
            move, dT = newton(*other.run(y))
            y, other = y + move * shot.unit, other.with_period(other.period + dT)
        closes = np.abs(other.run(y)[0]).max() <= _CLOSED * beside
    except (LyapnetError, ValueError):  # periods that are negative
        return False
    speed = 0.0 if along is None else float(np.linalg.norm(along))  # whatever the unit of time
    way, later = (y - x) / shot.unit, speed * (other.period - shot.period)
    stays = abs(direction @ way) + abs(speed * longer * later)
    return bool(closes and stays >= 0.5 * beside * (direction @ direction + (speed * longer) ** 2))


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


def step_of_cycle(shot: Shot, x: Array, exponents: Array) -> tuple[str, Array]:
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
    words : str
        That begin with "fine:" or "too coarse:"; empty for maps.
    change : array (n,)
        Of the exponents.
    """
    finer = shot.fine.finer()
    if finer is None:
        return "", np.zeros_like(exponents)
    fine = Shot(finer[0], shot.period, shot.t0, shot.unit)
    try:
        move, longer = newton(*fine.run(x))
        if not -shot.period / 2 < longer < shot.period:
            raise LyapnetError("another cycle")
        fine = fine.with_period(shot.period + longer)
        there = fine.log_multipliers(fine.orbit(x + move * shot.unit)).real / fine.period
    except LyapnetError:
        words = "too coarse: in half the steps the cycle is not found; take a smaller dt"
        return words, np.full_like(exponents, np.inf)
    with np.errstate(invalid="ignore"):
        away = np.where(there == exponents, 0.0, np.abs(there - exponents))
        away = np.where(np.isfinite(away), away, 0.0)
        size = np.where(np.isfinite(exponents), np.abs(exponents), 0.0).max()
    change = float(away.max())
    of_period = f"the period by {abs(longer):.1g} and " if shot.free else ""
    words = f"halving the step changes {of_period}exponents by up to {change:.1g}"
    coarse = abs(longer) > _CHANGE * shot.period
    if coarse or change > _CHANGE * max(size, 1 / shot.period):
        return f"too coarse: {words}; take a smaller dt", away
    return f"fine: {words}", away
