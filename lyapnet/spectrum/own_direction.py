"""The direction in which a flow itself moves, whose exponent is known."""

from __future__ import annotations

import numpy as np

from ..numerics.arrays import Array, unit_of
from ..systems import Flow, Stroboscopic, System
from ..systems.known_jumps import MISSES

#: Steps that are looked at, at most, and where each is expensive.
_MOST, _FEW = 2048, 300

#: Who moves by less in all of them, relative to its state, is at rest.
_AT_REST = 1e-6

#: What moves by less of no small state may be rounding of the field, at rest near zero.
_ROUNDING = 1e-13

#: Growth over the whole run, in nats, that says nothing about an exponent.
_UNSETTLED = 7.0

#: A speed that changes at this part of an exponent's rate explains it.
_EXPLAINS = 1 / 3


def missing_zero(
    system: System | None,
    exponents: Array,
    half_width: Array,
    ends: tuple[Array, Array],
    n_steps: int,
) -> str:
    """Say that the exponent of an autonomous flow along itself is not there, if it is not.

    The velocity is a tangent vector that is carried along, so where it neither dies out nor
    explodes one exponent is 0. If none of all that could be it is, then the derivative of the step
    misses something, and halving the step may show nothing of it: jumps, or what is as steep.

    Parameters
    ----------
    system : System or None
        That is not driven.
    exponents, half_width : array (..., k)
        In descending order, and of their intervals.
    ends : arrays (..., n)
        States at the start and at the end of the run.
    n_steps : int
        Of the run.
    """
    if not isinstance(system, Flow | Stroboscopic) or system.time or system.tangent_apart:
        return ""
    with np.errstate(invalid="ignore"):
        allowed = np.where(np.isneginf(exponents), 0.0, half_width)
        allowed = allowed + _UNSETTLED / (n_steps * system.dt)
        near = np.argmin(np.where(np.isnan(exponents), np.inf, np.abs(exponents)), axis=-1)
        beyond = np.abs(exponents) > allowed
        wrong = beyond.all(axis=-1)
        if exponents.shape[-1] < system.dim:  # it may be one of those that were not asked for
            wrong &= exponents[..., -1] < -allowed[..., -1]
    if not wrong.any():
        return ""
    nearest = np.take_along_axis(exponents, near[..., None], axis=-1)[..., 0]
    wrong &= ~explains(rate_of_speed(system, ends, n_steps, exponents.shape[-1]), nearest)
    if not wrong.any():
        return ""
    at = tuple(np.argwhere(wrong)[0])
    who = f" of member {', '.join(map(str, at))}" if at else ""
    return f"no exponent{who} is near 0, the nearest is {nearest[at]:.3g}, {MISSES}"


def rate_of_speed(system: System, ends: tuple[Array, Array], n_steps: int, k: int) -> Array:
    """Return the rate at which a flow's speed grows from where a run ended, NaN at rest.

    The run, from one of two states to the other, had `n_steps` steps and k tangent vectors: the
    loops that did it are used again, for steps that are divided may be dear.
    """
    dear = isinstance(system, Flow) and system.seen.matter
    x0, state = ends
    steps = int(np.clip(n_steps, 50, _FEW if dear else _MOST))
    states = system.prepared(state, None, k, n_steps).orbit(state, None, steps).states
    unit = max(unit_of(x0), unit_of(state))
    with np.errstate(all="ignore"):
        speed = np.linalg.norm(np.diff(states, axis=0), axis=-1)
        moved = np.ptp(states, axis=0).max(axis=-1)
        moves = moved > _AT_REST * np.abs(states).max(axis=(0, -1)) + unit * _ROUNDING
        third = steps // 3
        first, last = speed[:third].max(axis=0), speed[-third:].max(axis=0)
        rate = np.log(last / first) / ((steps - third) * system.dt)
    return np.where(moves, rate, np.nan)


def explains(rate: Array, exponent: Array) -> Array:
    """Say where an exponent is that of a speed that dies out or explodes, or where all rests."""
    with np.errstate(invalid="ignore"):
        same = rate * np.sign(exponent) >= _EXPLAINS * np.abs(exponent)
    return same | ~np.isfinite(rate)
