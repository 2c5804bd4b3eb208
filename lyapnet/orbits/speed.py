"""Minima of the speed of a system, by the method of Levenberg and Marquardt.

Components are counted in units, so that none is lost beside others, and speeds per step: whatever
is metres or seconds.
"""

from __future__ import annotations

import numpy as np

from ..numerics.arrays import Array, unit_of
from ..systems import System
from ..systems.orbit import Orbit
from .starts import constant_rows
from .units import in_units, sizes

#: The squared speed has a minimum where it falls by less than this part.
_FLAT = 1e-9

#: Singular values of a Jacobian that rounding makes, over its size and its entries'.
_ROUNDING = 16 * np.finfo(float).eps

#: Part of the tolerance at which a search is over.
_SETTLED = 1e-4

#: Damping of the first step, and its bounds, relative to the squared size of the Jacobian.
_DAMPING, _LEAST, _MOST = 1e-2, 1e-14, 1e10


class SpeedMinima:
    """Minima of the speed, for many states at once.

    Parameters
    ----------
    system : System
    u : array (m,) or None
        The constant input.
    t0 : float
    starts : array (m, n)
    tol : float
        To which ways of a step are known at best.

    Attributes
    ----------
    units : array (n,)
        What is no small change of each component: the same of all, but where sizes differ much.
    """

    def __init__(
        self, system: System, u: Array | None, t0: float, starts: Array, tol: float
    ) -> None:
        self.system = system
        self.given = u, t0
        self.settled = np.zeros(0, dtype=bool)
        with np.errstate(all="ignore"):
            D = self.step(starts).jacobians[0]
        self.units = sizes(unit_of(starts), starts, D, 1, tol)

    def _in_units(self, D: Array) -> Array:
        """Return (D - 1) / dt in units, for Jacobians of steps."""
        J = (D - np.eye(D.shape[-1])) / self.system.dt
        return in_units(J, self.units)

    def step(self, x: Array) -> Orbit:
        """Do a step from all states, at once where calls of `step` do one after the other."""
        u, t0 = self.given
        return self.system.orbit(x, constant_rows(self.system, u, x.shape[:-1], 1, t0), 1)

    def residual(self, x: Array) -> Array:
        """Return (f(x) - x) / dt."""
        with np.errstate(all="ignore"):
            return (self.step(x).states[1] - x) / self.system.dt

    def size(self, x: Array) -> Array:
        """Return the size of states in units, at least 1."""
        return np.maximum(1.0, np.linalg.norm(x / self.units, axis=-1))

    def way(self, x: Array) -> Array:
        """Return how far a step goes, in units."""
        return np.linalg.norm(self.residual(x) / self.units, axis=-1) * self.system.dt

    def speed(self, x: Array) -> Array:
        """Return |f(x) - x| / dt."""
        return np.linalg.norm(self.residual(x), axis=-1)

    def newton(self, x: Array) -> Array:
        """Return where Newton's method would move points ``(m, n)``, in units: by their errors.

        Directions in which the Jacobian tells no velocity, but for rounding, are left out: those
        along a line of fixed points.
        """
        n, dt = x.shape[-1], self.system.dt
        moves = np.zeros_like(x)
        if not len(x):
            return moves
        with np.errstate(all="ignore"):
            orbit = self.step(x)
            residuals = (orbit.states[1] - x) / dt / self.units
        for i, (r, J) in enumerate(zip(residuals, self._in_units(orbit.jacobians[0]), strict=True)):
            U, s, V = np.linalg.svd(J)
            known = s > _ROUNDING * n * (2 / dt + np.abs(J).max())
            moves[i] = -((U.T @ r)[known] / s[known]) @ V[known]
        return moves

    def minimise(self, x: Array, tol: float, max_iterations: int) -> Array:
        """Descend from all states; `settled` says which have come to rest."""
        n = x.shape[-1]
        damping = np.full(len(x), _DAMPING)
        self.settled = np.zeros(len(x), dtype=bool)
        r = self.residual(x) / self.units
        for _ in range(max_iterations):
            at = np.flatnonzero(~self.settled & np.isfinite(r).all(axis=-1))
            if not len(at):
                break
            here, res = x[at], r[at]
            with np.errstate(all="ignore"):
                J = self._in_units(self.step(here).jacobians[0])
            gradient = np.matmul(res[:, None, :], J)[:, 0]
            square = np.matmul(J.swapaxes(-1, -2), J)
            scale = np.trace(square, axis1=-2, axis2=-1) / n + 1e-300
            damped = square + (damping[at] * scale)[:, None, None] * np.eye(n)
            move = -np.linalg.solve(damped, gradient[..., None])[..., 0]
            there = here + move * self.units
            new = self.residual(there) / self.units
            now, then = (np.sum(y**2, axis=-1) for y in (new, res))
            better = np.isfinite(now) & (now < then)
            x[at[better]], r[at[better]] = there[better], new[better]
            factor = np.where(better, 0.1, 10.0)
            damping[at] = np.clip(damping[at] * factor, _LEAST, _MOST)
            size = 1 + np.linalg.norm(here / self.units, axis=-1)
            still = np.linalg.norm(move, axis=-1) < 1e-12 * size
            # At a minimum above zero it hardly falls any more, or not at all.
            flat = better & (then - now < _FLAT * then)
            stuck = ~better & (damping[at] >= _MOST)
            small = np.sqrt(then) * self.system.dt < _SETTLED * tol * size
            self.settled[at] |= still | flat | stuck | small
        return x
