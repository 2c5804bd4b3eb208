"""Shooting: the trajectory over a period, and what brings its end back to its beginning."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import numpy as np

from ..errors import DivergedError, LyapnetError
from ..numerics.arrays import Array, unit_of
from ..systems import Flow, System
from ..tangent.stretches import run_orbit
from .floquet import floquet_logs
from .units import in_units, sizes

#: A return is a minimum of the distance that is this much nearer than the farthest point.
_RETURN = 0.2

#: Steps in which a first return is looked for.
_HORIZON = 20_000

#: Returns that are tried as a guess of the period.
_RETURNS = 3

#: Part of a guess below which a period has shrunk to nothing.
_NOTHING = 0.1

#: A direction of which closing a cycle tells as little, relative to the others, may be that of a
#: family, but for the step.
_LOOSE = 0.05

#: Change of the period by which its derivative is found.
_STRETCH = 1e-5

#: Steps of a flow in a cycle.
_LEAST_STEPS = 4

#: Part of the distance to close for which no step is made that is mostly along a family of cycles.
_LITTLE = 0.3

#: Turns that differ by less, relative to the extent of the cycle, are the same.
_SAME = 1e-3


class Shot:
    """The flow over a period, in steps that divide it; components are counted in `unit`."""

    def __init__(self, system: System, period: float, t0: float, unit: Array) -> None:
        self.system, self.period, self.t0, self.unit = system, period, t0, unit
        self.steps = max(1, round(period / system.dt)) if not isinstance(system, Flow) else max(
            _LEAST_STEPS, int(np.ceil(period / system.dt - 1e-9))
        )  # fmt: skip
        self.fine = system
        if isinstance(system, Flow):
            self.fine = system.with_dt(period / self.steps)
        elif abs(self.steps * system.dt - period) > 1e-9 * period:
            raise ValueError(f"`period` must be a multiple of dt={system.dt:g}, got {period:g}")

    @classmethod
    def at_first(cls, system: System, period: float, t0: float, x: Array, tol: float) -> Shot:
        """Return the flow over a guess of the period, with units of the states on its way."""
        shot = cls(system, period, t0, np.full(len(x), unit_of(x)))
        with contextlib.suppress(LyapnetError):  # which will be said of the first iteration
            orbit = shot.orbit(x)
            along = orbit.states[:-1], orbit.jacobians
            shot.unit = sizes(unit_of(x), *along, shot.steps, tol)
        return shot

    @property
    def free(self) -> bool:
        """Whether the period is unknown: of an autonomous flow."""
        return isinstance(self.system, Flow) and not self.system.time

    def with_period(self, period: float) -> Shot:
        """Return the same with another period."""
        if period == self.period:
            return self
        return Shot(self.system, period, self.t0, self.unit)

    def orbit(self, x: Array) -> Any:
        """Return the orbit over one period."""
        rows = self.fine.drive.rows(None, (), self.steps, t0=self.t0)
        return run_orbit(self.fine, x, rows, 0, self.steps)

    def log_multipliers(self, orbit: Any) -> Array:
        """Return the logarithms of the multipliers of an orbit, by Jacobians in units."""
        return floquet_logs(in_units(orbit.finest.jacobians, self.unit))

    def run(self, x: Array) -> tuple[Array, Array, Array | None]:
        """Return the last state less the first, and the derivatives of the last one, in units.

        They are those in the first state and, if free, in the period. The latter is the velocity;
        where cycles may form a family, that of the steps, which keep to another one than the
        field.
        """
        orbit = self.orbit(x)
        D = np.eye(len(x))
        for J in orbit.jacobians:
            D = J @ D
        D = in_units(D, self.unit)
        end = orbit.states[-1]
        away = (end - x) / self.unit
        if not self.free:
            return away, D, None
        assert isinstance(self.fine, Flow)
        velocity = np.asarray(self.fine.velocity(end)) / self.unit
        if loosest(D, velocity)[2] > _LOOSE:
            return away, D, velocity
        longer, shorter = (self._stretched(x, 1 + e) for e in (_STRETCH, -_STRETCH))
        return away, D, (longer - shorter) / (2 * _STRETCH * self.period) / self.unit

    def _stretched(self, x: Array, factor: float) -> Array:
        """Return the last state of as many steps that are longer by a factor."""
        other = copy.copy(self)
        assert isinstance(self.fine, Flow)
        other.fine = self.fine.with_dt(factor * self.fine.dt)
        return other.orbit(x).states[-1]


def closed(shot: Shot, x: Array, tol: float, max_iterations: int) -> tuple[Shot, Array]:
    """Return the cycle near a state by Newton's method: its period, and a state on it."""
    guess = shot.period
    for i in range(max_iterations):
        try:
            away, D, along = shot.run(x)
        except DivergedError as error:
            if not i:
                raise
            raise _not_found(
                shot, "Newton's method leads to where the solution diverges"
            ) from error
        if np.abs(away).max() <= tol * max(1.0, np.abs(x / shot.unit).max()):
            return shot, x
        move, dT = newton(away, D, along)
        # A step that changes the period by more than a part leads to another cycle, or none.
        length = float(np.linalg.norm(move))
        damp = min(1.0, 0.25 * shot.period / max(abs(dT), 1e-300))
        size = float(np.linalg.norm(x / shot.unit))
        damp = min(damp, 0.5 * (1 + size) / max(length, 1e-300))
        x = x + damp * move * shot.unit
        shot = shot.with_period(shot.period + damp * dT)
        if shot.period < _NOTHING * guess:
            why = f"the period shrinks from the guess of {guess:.6g} to nothing"
            raise _not_found(shot, why)
    raise _not_found(
        shot,
        f"after {max_iterations} iterations the state misses itself by "
        f"{np.abs(away * shot.unit).max():.2g} after {shot.period:.6g}",
    )


def _not_found(shot: Shot, why: str) -> LyapnetError:
    return LyapnetError(
        f"no cycle found from this state: {why}; start nearer to the cycle (a `transient` leads to "
        f"one that attracts), or give another `period`{_conserving(shot)}"
    )


def _conserving(shot: Shot) -> str:
    """Return what helps where a flow conserves what its steps do not."""
    if not shot.free or getattr(shot.system, "method", "") not in ("euler", "heun", "rk4"):
        return ""
    return (
        "; if energy or the like is conserved, cycles form a family, which these steps do not "
        'keep: take method="leapfrog" or "dop853"'
    )


def newton(
    away: Array, D: Array, along: Array | None, rcond: float | None = None
) -> tuple[Array, float]:
    """Return the steps of state and period.

    Where cycles form a family, as where a flow conserves its energy, what leads along the family
    is left out: no part of the state's distance needs it, and small ones would lead far away.

    Parameters
    ----------
    away : array (n,)
        Last state, less the first; all is in units.
    D : array (n, n)
        Derivative of the last state in the first.
    along : array (n,) or None
        And in the period, if that is free.
    rcond : float, optional
        Singular values that tell no direction, relative to the largest.
    """
    A, speed = _bordered(D, along)
    b = np.append(-away, np.zeros(len(A) - len(away)))
    U, s, Vt = np.linalg.svd(A)
    rcond = len(A) * np.finfo(float).eps if rcond is None else rcond
    rank = int((s > rcond * s[0]).sum())
    parts = U.T @ b
    moves = parts[:rank] / s[:rank]
    while rank > 1 and _leads_along(parts, moves, rank - 1):
        rank -= 1
    return _split(moves[:rank] @ Vt[:rank], len(away), speed)


def loosest(D: Array, along: Array | None) -> tuple[Array, float, float]:
    """Return the direction of state and period of which `newton` is told least, and how much.

    The last is relative to what it is told of the others.
    """
    A, speed = _bordered(D, along)
    _, s, Vt = np.linalg.svd(A)
    return *_split(Vt[-1], len(D), speed), float(s[-1] / (s[0] or 1.0))


def _bordered(D: Array, along: Array | None) -> tuple[Array, float]:
    """Return the derivative of the distance, with the phase if the period is free, and a speed."""
    A = D - np.eye(len(D))
    if along is None:
        return A, 1.0
    speed = float(np.linalg.norm(along)) or 1.0  # whatever the unit of the state
    side = along[:, None] / speed
    return np.block([[A, side], [side.T, np.zeros((1, 1))]]), speed


def _split(v: Array, n: int, speed: float) -> tuple[Array, float]:
    return v[:n], float(v[n:].sum()) / speed


def _leads_along(parts: Array, moves: Array, i: int) -> bool:
    """Say that a direction makes most of the step for little of the distance."""
    little = abs(parts[i]) <= _LITTLE * np.linalg.norm(parts)
    return bool(little and abs(moves[i]) > np.linalg.norm(moves[:i]))


def returns(flow: Flow, x: Array) -> Array:
    """Return the times of the first near returns to a state."""
    for n in (_HORIZON // 10, _HORIZON):
        states = run_orbit(flow, x, flow.drive.rows(None, (), n), 0, n).states
        extent = np.ptp(states, axis=0)
        # in units of the components' own, or one that is large would hide that others differ
        away = np.linalg.norm((states - x) / np.where(extent > 0, extent, 1.0), axis=-1)
        left = int(np.argmax(away > 0.5 * away.max()))
        inner = away[left + 1 : -1]
        near = (inner <= away[left:-2]) & (inner <= away[left + 2 :])
        found = np.flatnonzero(near & (inner < _RETURN * away.max()))
        if away.max() > 0 and len(found):
            return (left + 1 + found[:_RETURNS]) * flow.dt
    raise LyapnetError(
        f"no return to the first state within {_HORIZON} steps: give a guess of the `period`, or a "
        "`transient` that leads to the cycle"
    )


def turns_of(shot: Shot, states: Array, tol: float) -> int:
    """Return how often a closed orbit goes around its shortest cycle."""
    states = states / shot.unit
    size = max(1.0, float(np.abs(states).max()))
    extent = float(np.abs(states - states[0]).max())
    flow = isinstance(shot.system, Flow)
    if extent <= np.sqrt(tol) * size:
        if shot.free:
            raise LyapnetError(
                "no cycle found from this state: Newton's method ends at a fixed point, which has "
                f"any period (see `fixed_points`); start nearer to the cycle{_conserving(shot)}"
            )
        return 1 if flow else shot.steps
    if not flow:
        parts = [n for n in range(1, shot.steps) if shot.steps % n == 0]
        found = [n for n in parts if np.abs(states[n:] - states[:-n]).max() <= _SAME * extent]
        return shot.steps // found[0] if found else 1
    from scipy.interpolate import CubicSpline  # slow to load

    times = np.linspace(0.0, 1.0, shot.steps + 1)
    along = CubicSpline(times, np.concatenate([states[:-1], states[:1]]), bc_type="periodic")

    def differ(at: Array, turns: Array) -> Array:
        later = along(at + 1 / turns[:, None])
        return np.asarray(np.abs(later - along(at)).max(axis=(1, 2)) > _SAME * extent)

    turns = np.arange(shot.steps // _LEAST_STEPS, 1, -1)
    turns = turns[~differ(times[:: -(-shot.steps // 16)], turns)]
    return next((int(n) for n in turns if not differ(times, np.array([n]))[0]), 1)
