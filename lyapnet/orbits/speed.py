"""Minima of the speed of a system, by the method of Levenberg and Marquardt."""

from __future__ import annotations

import numpy as np

from ..numerics.arrays import Array, unit_of
from ..systems import System
from ..systems.orbit import Orbit
from .starts import constant_rows

#: The squared speed has a minimum where it falls by less than this part.
_FLAT = 1e-9

#: Singular values of a Jacobian that rounding makes, over its size and its entries'.
_ROUNDING = 16 * np.finfo(float).eps

#: Damping of the first step, and its bounds, relative to the squared size of the Jacobian.
_DAMPING, _LEAST, _MOST = 1e-2, 1e-14, 1e10


class SpeedMinima:
    """Minima of the speed, for many states at once."""

    def __init__(self, system: System, u: Array | None, t0: float) -> None:
        self.system = system
        self.given = u, t0
        self.settled = np.zeros(0, dtype=bool)

    def _step(self, x: Array) -> Orbit:
        """Do a step from all states, at once where calls of `step` do one after the other."""
        u, t0 = self.given
        return self.system.orbit(x, constant_rows(self.system, u, x.shape[:-1], 1, t0), 1)

    def residual(self, x: Array) -> Array:
        """Return (f(x) - x) / dt."""
        with np.errstate(all="ignore"):
            return (self._step(x).states[1] - x) / self.system.dt

    def jacobian(self, x: Array) -> Array:
        """Return the Jacobian of the step."""
        with np.errstate(all="ignore"):
            return self._step(x).jacobians[0]

    def speed(self, x: Array) -> Array:
        """Return |f(x) - x| / dt."""
        return np.linalg.norm(self.residual(x), axis=-1)

    def newton(self, x: Array) -> Array:
        """Return where Newton's method would move points ``(m, n)``: by about their errors.

        Directions in which the Jacobian tells no velocity, but for rounding, are left out: those
        along a line of fixed points.
        """
        n, dt = x.shape[-1], self.system.dt
        moves = np.zeros_like(x)
        if not len(x):
            return moves
        with np.errstate(all="ignore"):
            orbit = self._step(x)
            residuals, jacobians = (orbit.states[1] - x) / dt, orbit.jacobians[0]
        for i, (r, D) in enumerate(zip(residuals, jacobians, strict=True)):
            U, s, V = np.linalg.svd((D - np.eye(n)) / dt)
            known = s > _ROUNDING * n * (1 + np.abs(D).max()) / dt
            moves[i] = -((U.T @ r)[known] / s[known]) @ V[known]
        return moves

    def minimise(self, x: Array, tol: float, max_iterations: int) -> Array:
        """Descend from all states; `settled` says which have come to rest."""
        n = x.shape[-1]
        damping = np.full(len(x), _DAMPING)
        self.settled = np.zeros(len(x), dtype=bool)
        r, unit = self.residual(x), unit_of(x)
        for _ in range(max_iterations):
            at = np.flatnonzero(~self.settled & np.isfinite(r).all(axis=-1))
            if not len(at):
                break
            here, res = x[at], r[at]
            J = (self.jacobian(here) - np.eye(n)) / self.system.dt
            gradient = np.matmul(res[:, None, :], J)[:, 0]
            square = np.matmul(J.swapaxes(-1, -2), J)
            scale = np.trace(square, axis1=-2, axis2=-1) / n + 1e-300
            damped = square + (damping[at] * scale)[:, None, None] * np.eye(n)
            move = -np.linalg.solve(damped, gradient[..., None])[..., 0]
            new = self.residual(here + move)
            now, then = (np.sum(y**2, axis=-1) for y in (new, res))
            better = np.isfinite(now) & (now < then)
            x[at[better]], r[at[better]] = (here + move)[better], new[better]
            factor = np.where(better, 0.1, 10.0)
            damping[at] = np.clip(damping[at] * factor, _LEAST, _MOST)
            size = unit + np.linalg.norm(here, axis=-1)
            still = np.linalg.norm(move, axis=-1) < 1e-12 * size
            # At a minimum above zero it hardly falls any more, or not at all.
            flat = better & (then - now < _FLAT * then)
            stuck = ~better & (damping[at] >= _MOST)
            self.settled[at] |= still | flat | stuck | (np.sqrt(then) < 1e-3 * tol * size)
        return x
