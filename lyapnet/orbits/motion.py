r"""How orbits move: whether they rest, return, escape, or go around on a torus.

Tangent vectors grow near unstable fixed points, on unstable cycles and on the way to infinity as
they do in chaos. There the motion grows with them: by as much as the speed :math:`|x_{t+1} - x_t|`
rises on the way, growth is explained by other things than chaos. On a torus averages over the
second and the last third of a run agree far better than they do in chaos, if both ends are given
little weight [1]_: better than any power of time, against its square root, also where an orbit
sticks to islands and its tangent vectors hardly grow yet.

References
----------
.. [1] E. Sander and J. D. Meiss, "Birkhoff averages and rotational invariant circles for
   area-preserving maps", Physica D 411, 132569 (2020).
"""

from __future__ import annotations

import numpy as np

from ..numerics.arrays import Array

#: Ratios of speeds below this, in chaos, are nothing that growth must be held against.
_USUAL = 1e3

#: An orbit that moves by less, relative to the size of its state, rests.
_RESTS = 1e-6

#: A state that has grown by such a factor is on the way to infinity.
_FAR = 1e6

#: Steps in which a cycle through the first state is looked for.
_CYCLE = 1024

#: Averages of both parts of a run on a torus differ by less of the standard deviation.
_ALIKE = 1e-3

#: The same where vectors align, on a cycle or torus that attracts: weak chaos comes near the other.
_ALIKE_ATTRACTED = 1e-6

#: Turns, with two reversals of a component each, in which chaos as slow as Roessler's is not seen.
_TURNS = 20

#: Of what the second third of a run moves: what the last one does if motion dies out.
_DYING = 0.5

#: The same of those that do not vary, of the average.
_ROUNDING = 1e-10


class Motion:
    """Watches orbits on their way.

    Parameters
    ----------
    x : array (..., n)
        Where they start.
    n_steps : int
        How many steps they will be seen.
    units : array (..., n)
        What is much of each component, see `extents`. Speeds are judged in these as in those that
        are given, and components that go further than a turn by parts of their way.
    """

    def __init__(self, x: Array, n_steps: int, units: Array) -> None:
        self.start = self.end = x
        self.n_steps, self.part = n_steps, n_steps // 3
        lead = x.shape[:-1]
        self.units = np.stack([np.ones_like(units), units])
        self.turn = np.minimum(1.0, 2 * np.pi / units)
        self.slowest, self.fastest = np.full((2, *lead), np.inf), np.zeros((2, *lead))
        self.size, self.away = _largest(x), np.zeros(lead)
        self.nearest = np.ones(lead)
        self.sums, self.squares = np.zeros((2, *x.shape)), np.zeros((2, *x.shape))
        self.weight = np.zeros((2, *[1] * x.ndim))
        self.reversals = np.zeros(x.shape)

    def see(self, first: int, states: Array) -> None:
        """Look at the states ``(T + 1, ..., n)`` from step `first` on."""
        self.end = states[-1]
        moves = np.diff(states, axis=0)
        self.reversals += np.add.reduce(moves[1:] * moves[:-1] < 0)
        speed = np.stack([_largest(moves / unit) for unit in self.units], axis=1)
        slowest = np.where(speed > 0, speed, np.inf).min(axis=0)
        self.slowest = np.minimum(self.slowest, slowest)
        self.fastest = np.maximum(self.fastest, speed.max(axis=0))
        self.size = np.maximum(self.size, _largest(states).max(axis=0))
        away = _largest(states[1:] - self.start)
        if first < _CYCLE:
            farthest = np.maximum(np.maximum.accumulate(away), self.away)
            back = np.divide(away, farthest, out=np.ones_like(away), where=farthest > 0)
            self.nearest = np.minimum(self.nearest, back[: _CYCLE - first].min(axis=0))
        self.away = np.maximum(self.away, away.max(axis=0))
        self._average(first, moves)

    def _average(self, first: int, moves: Array) -> None:
        """Take a function of the moves, which whole turns do not change, into both averages."""
        seen = np.sin(moves * self.turn / 2) ** 2
        for i in range(2):
            begin = (i + 1) * self.part
            some = slice(max(begin - first, 0), max(begin + self.part - first, 0))
            part = seen[some]
            t = (first + some.start - begin + np.arange(len(part)) + 0.5) / self.part
            weight = np.exp(-1 / (t * (1 - t)))
            self.sums[i] += np.tensordot(weight, part, 1)
            self.squares[i] += np.tensordot(weight, part**2, 1)
            self.weight[i] += weight.sum()

    @property
    def rests(self) -> Array:
        """Where an orbit has not moved, ``(...)`` of bool."""
        return self.away <= _RESTS * self.size

    @property
    def cycles(self) -> Array:
        """Where it has come back to its very start, ``(...)`` of bool."""
        return self.nearest == 0

    @property
    def escapes(self) -> Array:
        """Where it is on the way to infinity, ``(...)`` of bool."""
        return _largest(self.end) > _FAR * np.maximum(1.0, _largest(self.start))

    @property
    def explained(self) -> Array:
        """Log growth that is not that of chaos, ``(...)``: infinite at rest and on cycles."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.fmax((self.fastest / self.slowest).max(axis=0), 1 / self.nearest)
        ratio = np.where(self.rests, np.inf, ratio)
        return np.where(ratio > _USUAL, np.log(ratio), 0.0)

    @property
    def steps_of_a_radian(self) -> Array:
        """What the motion takes for a radian of a turn, ``(...)``; few turns are taken for more."""
        halves = np.maximum(self.reversals.max(axis=-1), 2 * _TURNS)
        steps: Array = np.maximum(self.n_steps / (np.pi * halves), 1.0)
        return steps

    @property
    def on_torus(self) -> Array:
        """Where both parts of the run agree as on a torus, ``(...)`` of bool."""
        return self._alike(_ALIKE)

    @property
    def seen_shortly(self) -> Array:
        """Where it has turned only a few times, and goes on to, ``(...)`` of bool."""
        few = self.reversals.max(axis=-1) < 2 * _TURNS
        moved = self.sums / self.weight
        found: Array = few & ~(moved[1] <= _DYING * moved[0]).all(axis=-1)
        return found

    @property
    def attracted(self) -> Array:
        """Where they agree as on a cycle or a torus that attracts, ``(...)`` of bool."""
        return self._alike(_ALIKE_ATTRACTED)

    def _alike(self, part: float) -> Array:
        """Return where both averages differ by less than a part of the spread."""
        mean = self.sums / self.weight
        spread = np.sqrt(np.maximum(self.squares / self.weight - mean**2, 0.0)).max(axis=0)
        apart = np.abs(mean[1] - mean[0])
        found: Array = (apart <= part * spread + _ROUNDING * mean.max(axis=0)).all(axis=-1)
        return found


def _largest(x: Array) -> Array:
    """Return the largest component, ``(...)``."""
    largest: Array = np.abs(x).max(axis=-1)
    return largest
