r"""Whether rounding in the products grows until it shows.

A relative error in a component of a tangent vector is carried along like the vector. Where vectors
lie in a way that few others do, errors outgrow them: along chains of units, or in the
pseudospectrum of Jacobians that are far from normal. Zeros and small components are kept by the
loop; what single products lose, nothing brings back. So it is seen in a little of a run whether
errors grow, and only then the whole run is done again, with errors a thousand times those of
rounding; of an ensemble those members in which they do, where these are run by themselves as they
are among others. Usual systems answer by some 1e-8 of what is looked for.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..numerics.arrays import Array
from ..numerics.buffers import empty
from ..systems import System
from ..systems.composed import ComposedOrbit
from ..systems.orbit import Orbit
from .forward import forward

_EPS = float(np.finfo(float).eps)

#: Errors that the sample makes, and the factor of growth, in the logarithm of growth, from which on
#: the run is done again: chaotic networks reach it now and then, a Jordan block of size 3 has 10^5.
_NOISE, _SUSPICIOUS = 1e-6, 5e3

#: Steps in the sample: a twentieth of the run, within these bounds.
_SHORTEST, LONGEST = 32, 128

#: Errors of the second run over those of rounding, and how much of its growth they may change, in
#: nats. Few times as large, two runs in which rounding rules are often alike by chance.
TIMES, SEEN = 1000.0, 1.0


class Disturbed(Orbit):
    """An orbit whose tangent steps make relative errors.

    Parameters
    ----------
    orbit : Orbit
    noise : float
        Largest relative error of a component.
    n_steps : int, optional
        Of the orbit; default all.
    """

    def __init__(self, orbit: Orbit, noise: float, n_steps: int | None = None) -> None:
        self.orbit, self.noise = orbit, noise
        self._length = orbit.n_steps if n_steps is None else n_steps
        self._rng = np.random.default_rng(0)
        #: Factors of steps that are not done yet.
        self._left: Array | None = None
        self.inputs, self.members_last = orbit.inputs, orbit.members_last
        volume = orbit.log_volume
        self.log_volume = volume if volume is None or n_steps is None else volume[:n_steps]

    def for_fewer(self, k: int) -> Disturbed:
        """Return the orbit with loops for k tangent vectors; see `Orbit.for_fewer`."""
        self.orbit = self.orbit.for_fewer(k)
        return self

    @property
    def states(self) -> Array:  # type: ignore[override]  # passed on
        """States ``(T + 1, ..., n)``, which compiled loops compute only when they are asked."""
        return self.orbit.states[: self._length + 1]

    @property
    def n_steps(self) -> int:
        """Number of steps."""
        return self._length

    def _factors(self, shape: tuple[int, ...]) -> Array:
        """Return factors that are a little off 1."""
        factors = self._rng.random(out=empty(shape))
        factors -= 0.5
        factors *= 2 * self.noise
        factors += 1.0
        return factors

    def _ahead(self, count: int, rows: Array) -> Array:
        """Return the factors of the next steps ``(count, 1 ..., k, n)``, drawn before or now.

        They are those of each member of an ensemble: errors of one do not meet those of another.
        """
        left, each = self._left, (*(1,) * (rows.ndim - 2), *rows.shape[-2:])
        if left is None:
            left = self._factors((count, *each))
        left = left[..., : rows.shape[-2], :]  # of vectors that have not been left out since
        if len(left) < count:
            left = np.concatenate([left, self._factors((count - len(left), *each))])
        self._left = left
        return left[:count]

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry tangent vectors through step s, their components a little off."""
        factors = self._ahead(1, rows)
        self.orbit.push(s, factors[0] * rows, out)
        self._left = None if self._left is None else self._left[1:]

    def blocks(
        self,
        rows: Array,
        first: int,
        count: int,
        interval: int,
        least: float,
        collapsed: float = np.inf,
    ) -> tuple[int, Array, Array]:
        """Carry a basis by the orbit's own loops, factorised in each step; see `Orbit.blocks`."""
        steps = count * interval
        factors = self._ahead(steps, rows)
        done, following, each = self.orbit.disturbed(rows, first, factors, least)
        blocks = done // interval
        growth = each[: blocks * interval].reshape(blocks, interval, *each.shape[1:])
        growth = growth.sum(axis=1) if interval > 1 else each
        if blocks * interval < done:
            whole = factors[: blocks * interval]
            following = self.orbit.disturbed(rows, first, whole, least)[1]
        self._left = None if self._left is None else self._left[blocks * interval :]
        return blocks, following, growth


def disturbed(orbit: Orbit, noise: float, n_steps: int | None = None) -> Orbit:
    """Return an orbit whose tangent steps, the finest that there are, make relative errors."""
    if not isinstance(orbit, ComposedOrbit):
        return Disturbed(orbit, noise, n_steps)
    shorter = orbit if n_steps is None else orbit.first(n_steps)
    inner = Disturbed(orbit.inner, noise, int(shorter.edges[-1]))
    return shorter.along(inner)


class DisturbedSystem(System):
    """A system whose orbits make errors as rounding does, `TIMES` as large.

    Parameters
    ----------
    system : System
    orbits : iterable of Orbit, optional
        Stretches of the run that is done again, one by one, as far as they are known.
    """

    def __init__(self, system: System, orbits: Iterable[Orbit] = ()) -> None:
        self.system, self.dim, self.dt = system, system.dim, system.dt
        self._known = iter(orbits)

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `System.orbit`."""
        orbit = next(self._known, None)
        if orbit is None or orbit.n_steps != n_steps or (orbit.states[0] != x).any():
            self._known = iter(())
            orbit = self.system.orbit(x, inputs, n_steps)
        return disturbed(orbit, TIMES * _EPS)


def errors_grow(
    orbit: Orbit, rows: Array, growth: Array, interval: int, n_steps: int
) -> NDArray[np.bool_]:
    """Return where relative errors grow by orders within the first steps of a stretch, shape (...).

    Parameters
    ----------
    orbit : Orbit
    rows : array (..., k, n)
        The basis at its beginning.
    growth : array (blocks, ..., k)
        Log growth of its blocks.
    interval : int
        Steps in a block.
    n_steps : int
        Length of the whole run.
    """
    wanted = int(np.clip(n_steps // 20, _SHORTEST, LONGEST))
    blocks = min(max(1, wanted // interval), orbit.n_steps // interval)
    if not blocks:
        return np.zeros(rows.shape[:-2], dtype=bool)
    sample = disturbed(orbit, _NOISE, blocks * interval)
    # A basis that is nearly dependent at the end of a block would answer errors by itself.
    found = forward(sample, rows, 1, start=0, forgiving=True)[0]
    if interval > 1:
        found = found.reshape(blocks, interval, *found.shape[1:]).sum(axis=1)
    limit = _SUSPICIOUS * _NOISE
    with np.errstate(invalid="ignore"):
        apart = np.subtract(found, growth[:blocks], out=found)
        size = np.abs(apart, out=empty(apart.shape))
        large = ~(size.sum(axis=0) <= limit)  # others cannot come to the limit
        change = np.abs(np.cumsum(apart[:, large], axis=0))
    large[large] = ((change > limit) & (change < np.inf)).any(axis=0)
    return np.asarray(large.any(axis=-1))
