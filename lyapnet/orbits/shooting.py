"""Shooting: the trajectory over a period, and what brings its end back to its beginning."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DivergedError, LyapnetError
from ..numerics.arrays import Array
from ..systems import Flow, System
from ..tangent.stretches import run_orbit

#: A return is a minimum of the distance that is this much nearer than the farthest point.
_RETURN = 0.2

#: Steps in which a first return is looked for.
_HORIZON = 20_000

#: Returns that are tried as a guess of the period.
_RETURNS = 3

#: Part of a guess below which a period has shrunk to nothing.
_NOTHING = 0.1

#: Steps of a flow in a cycle.
_LEAST_STEPS = 4

#: Turns that differ by less, relative to the extent of the cycle, are the same.
_SAME = 1e-3


class Shot:
    """The flow over a period, in steps that divide it; states are of the size of `unit`."""

    def __init__(self, system: System, period: float, t0: float, unit: float = 1.0) -> None:
        self.system, self.period, self.t0, self.unit = system, period, t0, unit
        self.steps = max(1, round(period / system.dt)) if not isinstance(system, Flow) else max(
            _LEAST_STEPS, int(np.ceil(period / system.dt - 1e-9))
        )  # fmt: skip
        self.fine = system
        if isinstance(system, Flow):
            self.fine = system.with_dt(period / self.steps)
        elif abs(self.steps * system.dt - period) > 1e-9 * period:
            raise ValueError(f"`period` must be a multiple of dt={system.dt:g}, got {period:g}")

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

    def run(self, x: Array) -> tuple[Array, Array, Array]:
        """Return the last state, the Jacobian over the period and the velocity at its end."""
        orbit = self.orbit(x)
        D = np.eye(len(x))
        for J in orbit.jacobians:
            D = J @ D
        return orbit.states[-1], D, self._velocity(orbit.states[-1])

    def _velocity(self, x: Array) -> Array:
        if not self.free:
            return np.zeros_like(x)
        assert isinstance(self.fine, Flow)
        return np.asarray(self.fine.velocity(x))


def closed(shot: Shot, x: Array, tol: float, max_iterations: int) -> tuple[Shot, Array]:
    """Return the cycle near a state by Newton's method: its period, and a state on it."""
    guess = shot.period
    for i in range(max_iterations):
        try:
            end, D, velocity = shot.run(x)
        except DivergedError as error:
            if not i:
                raise
            raise _not_found("Newton's method leads to where the solution diverges") from error
        away = end - x
        size = max(shot.unit, float(np.abs(x).max()))
        if np.abs(away).max() <= tol * size:
            return shot, x
        move, dT = newton(away, D, velocity if shot.free else None)
        # A step that changes the period by more than a part leads to another cycle, or none.
        length = float(np.linalg.norm(move))
        damp = min(1.0, 0.25 * shot.period / max(abs(dT), 1e-300))
        damp = min(damp, 0.5 * (shot.unit + float(np.linalg.norm(x))) / max(length, 1e-300))
        x = x + damp * move
        shot = shot.with_period(shot.period + damp * dT)
        if shot.period < _NOTHING * guess:
            raise _not_found(f"the period shrinks from the guess of {guess:.6g} to nothing")
    raise _not_found(
        f"after {max_iterations} iterations the state misses itself by {np.abs(away).max():.2g} "
        f"after {shot.period:.6g}"
    )


def _not_found(why: str) -> LyapnetError:
    return LyapnetError(
        f"no cycle found from this state: {why}; start nearer to the cycle (a `transient` leads to "
        "one that attracts), or give another `period`"
    )


def newton(
    away: Array, D: Array, velocity: Array | None, rcond: float | None = None
) -> tuple[Array, float]:
    """Return the steps of state and period; `rcond` as of `numpy.linalg.lstsq`."""
    n = len(away)
    A = D - np.eye(n)
    if velocity is None:
        return np.linalg.lstsq(A, -away, rcond=rcond)[0], 0.0
    speed = float(np.linalg.norm(velocity)) or 1.0
    along = velocity / speed  # whatever the unit of the state
    bordered = np.block([[A, along[:, None]], [along[None], np.zeros((1, 1))]])
    found = np.linalg.lstsq(bordered, np.append(-away, 0.0), rcond=rcond)[0]
    return found[:n], float(found[n]) / speed


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
    size = max(shot.unit, float(np.abs(states).max()))
    extent = float(np.abs(states - states[0]).max())
    flow = isinstance(shot.system, Flow)
    if extent <= np.sqrt(tol) * size:
        if shot.free:
            raise LyapnetError(
                "no cycle found from this state: Newton's method ends at a fixed point, which has "
                "any period (see `fixed_points`); start nearer to the cycle"
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
