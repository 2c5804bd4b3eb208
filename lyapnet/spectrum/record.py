"""The growth of each block of a run, as it comes."""

from __future__ import annotations

import numpy as np

from ..numerics.arrays import Array
from ..numerics.buffers import empty


class Record:
    """Growth of all blocks, and when each ends, kept in one piece.

    Parameters
    ----------
    growth : array (blocks, ..., k), optional
        Of a run that goes on.
    times : array (blocks,), optional
        When these blocks have ended.
    """

    def __init__(self, growth: Array | None = None, times: Array | None = None) -> None:
        self._growth = growth
        self._times = np.zeros(0) if times is None else times
        self._size = len(self._times)

    def add(self, growth: Array, times: Array, expected: int = 0) -> None:
        """Add blocks that end at `times`; so many are `expected` from now on, if that is known."""
        first, last = self._size, self._size + len(growth)
        if self._growth is None or last > len(self._growth):
            more = max(last, first + expected) if expected else max(last, 2 * first)
            self._growth = _longer(self._growth, first, (more, *growth.shape[1:]))
            self._times = _longer(self._times, first, (more,))
        self._growth[first:last] = growth
        self._times[first:last] = times
        self._size = last

    @property
    def growth(self) -> Array | None:
        """Logarithms of growth ``(blocks, ..., k)``; None if there is not a single block."""
        if self._growth is None or len(self._growth) == self._size:
            return self._growth
        return self._growth[: self._size].copy()

    @property
    def times(self) -> Array:
        """Ends of the blocks ``(blocks,)``."""
        whole = len(self._times) == self._size
        return self._times if whole else self._times[: self._size].copy()


def _longer(x: Array | None, used: int, shape: tuple[int, ...]) -> Array:
    """Return room for an array of this shape that begins like the one before."""
    room = empty(shape)
    if x is not None and used:
        room[:used] = x[:used]
    return room
