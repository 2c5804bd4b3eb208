r"""Whether the derivative vanishes along an orbit, but for rounding.

On a superstable cycle a critical point of the map is a point of the orbit: a derivative is zero,
and an exponent -inf. In floating-point numbers the orbit, or a parameter, misses that point by some
units of the last place, or meets it by chance, and what is measured hangs on them alone. It is seen
by the derivative a few units away, which is another by a factor.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..numerics.arrays import Array
from ..systems import System
from ..systems.composed import ComposedOrbit
from ..systems.orbit import Orbit
from .forward import forward
from .growth import logs
from .qr import orthonormalise
from .stretches import Surviving

#: Growth in one step, in nats, that may be that of a derivative which vanishes.
_DEEP = -15.0

#: Units in the last place of the largest states, by which derivatives are looked at beside the
#: orbit, and the change of growth, in nats, from which on a derivative hangs on rounding.
_UNITS, _CHANGE = 16.0, 1.0

#: Sines of that many units of rounding are rounding.
_NO_SINE = 100.0

#: Steps that are looked at, at most, fewer where a basis has many numbers, and none if these are
#: less than a block; deep ones among them.
_STEPS, _NUMBERS, _LOOKS = 1024, 2**18, 32


class Superstable(NamedTuple):
    """Growth that hangs on rounding.

    Attributes
    ----------
    which : array (..., k) of bool
        The vectors whose growth does.
    bound : array (..., k)
        Their growth per step with derivatives some units of rounding beside the orbit.
    """

    which: NDArray[np.bool_]
    bound: Array


def superstable(
    system: System,
    orbit: Orbit,
    x: Array,
    rows: Array,
    inputs: Array | None,
    growth: Array,
    interval: int,
) -> Superstable | None:
    """Look for growth that hangs on rounding in the first steps of a stretch.

    Parameters
    ----------
    system : System
    orbit : Orbit
        The stretch.
    x : array (..., n)
        The state at its beginning.
    rows : array (..., k, n)
        The basis there.
    inputs : array (T, ..., m) or None
        Of the stretch.
    growth : array (blocks, ..., k)
        Log growth of its blocks.
    interval : int
        Steps in a block.
    """
    limit = int(np.clip(_NUMBERS // rows.size, 1, _STEPS))
    if isinstance(orbit, ComposedOrbit):  # of flows, which have no critical points
        return None
    if interval > limit or not growth[: -(-limit // interval)].min() < _DEEP:
        return None
    steps = min(limit, len(growth) * interval if inputs is None else len(inputs))
    inputs = None if inputs is None else inputs[:steps]
    again = system.orbit(x, inputs, steps)
    orbit = Surviving(again, orbit.lost) if isinstance(orbit, Surviving) else again
    each = forward(orbit, rows, 1, start=0, forgiving=True)[0]
    if not each.min() < _DEEP:
        return None
    return _Beside(system, orbit, inputs).of(rows)


class _Beside:
    """Looks at derivatives some units of rounding beside an orbit."""

    def __init__(self, system: System, orbit: Orbit, inputs: Array | None) -> None:
        self.system, self.orbit, self.inputs = system, orbit, inputs
        states = orbit.states
        signs = np.random.default_rng(0).choice([-1.0, 1.0], states[0].shape)
        scale = np.abs(states).max(axis=0)
        self.away = _UNITS * float(np.finfo(float).eps) * scale * signs

    def of(self, rows: Array) -> Superstable | None:
        """Carry a basis along, and look at the steps in which a vector all but vanishes."""
        which = np.zeros(rows.shape[:-1], dtype=bool)
        bound, looks = np.zeros(rows.shape[:-1]), _LOOKS
        for s in range(self.orbit.n_steps):
            grown, sine, following = _one(self.orbit, s, rows)
            if looks and grown.min() < _DEEP:
                looks -= 1
                grown, hangs = self._look(s, rows, grown, sine)
                which |= hangs
            bound += grown
            rows = following
            if not looks:
                break
        return Superstable(which, bound / (s + 1)) if which.any() else None

    def _look(self, s: int, rows: Array, grown: Array, sine: Array) -> tuple[Array, Any]:
        """Return the largest growth of step s beside the orbit, and where it is another."""
        now = None if self.inputs is None else self.inputs[s : s + 1]
        most, hangs = grown, np.zeros(grown.shape, dtype=bool)
        no_sine = _NO_SINE * rows.shape[-1] * float(np.finfo(float).eps)
        for away in (self.away, -self.away):
            with np.errstate(all="ignore"):
                beside = self.system.orbit(self.orbit.states[s] + away, now, 1)
                other, other_sine, _ = _one(beside, 0, rows)
                changed = np.abs(other - grown) > _CHANGE
            changed &= np.maximum(sine, other_sine) > no_sine
            hangs |= changed & (np.maximum(other, grown) < _DEEP)
            most = np.fmax(most, other)
        return np.where(hangs, most, grown), hangs


def _one(orbit: Orbit, s: int, rows: Array) -> tuple[Array, Array, Array]:
    """Carry a basis through step s: return log growth, sines, and the basis that follows."""
    following = orbit.through(rows, s, s + 1)
    diagonal, length = orthonormalise(following)
    with np.errstate(divide="ignore"):
        return *logs(diagonal, length, rows.shape[-1]), following
