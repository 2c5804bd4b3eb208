"""Statistics of growth rates in bounded memory, for runs that keep no record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from ...numerics.arrays import Array
from ...numerics.buffers import empty
from ...numerics.threads import in_pieces
from ...results.storage import register
from .blocks import MOST_BATCHES, checked
from .estimate import Estimate
from .stderr import estimate

_Result = TypeVar("_Result")

#: Numbers that are summed at once, and that are worth another thread.
_AT_ONCE, _PER_THREAD = 2**18, 2**18

#: Columns from which on rows are added to rows: fewer are summed one by one.
_WIDE = 32


@register
class GrowthStatistics:
    """Batch sums of log growth: at most `capacity`, however long the run.

    Blocks are summed into batches of equal numbers of blocks. When `capacity` batches are full,
    neighbours are merged and batches are twice as long from then on (the dyadic scheme of [1]_).
    Sums are exact but for rounding; `estimate` is the estimator of
    `stderr.mean_and_stderr` on the batches, which sums into as many itself.

    `growth` and `durations` may go wherever a run's growth and durations may: to
    `stderr.linear_stderr`, `ensemble.pooled` or `diagnosis.diagnose`.

    Parameters
    ----------
    capacity : int, optional
        Even number of batches, at least 2. Between half of it and all of it are in use once the
        run has so many blocks.

    Attributes
    ----------
    n_blocks : int
        Blocks so far.
    blocks_per_batch : int
        A power of two.
    conserved : array of bool (...) or False
        Where volumes are known to be conserved, though growth is not of all directions.

    References
    ----------
    .. [1] G. S. Fishman, Discrete-Event Simulation: Modeling, Programming, and Analysis, Springer
       (2001), chap. 6.

    Examples
    --------
    >>> growth = np.random.default_rng(0).standard_normal((100_000, 3))
    >>> statistics = GrowthStatistics()
    >>> for chunk in np.split(growth, 1000):
    ...     statistics.update(chunk, np.ones(len(chunk)))
    >>> statistics.growth.shape, statistics.blocks_per_batch
    ((782, 3), 128)
    >>> np.allclose(statistics.estimate().mean, growth.mean(axis=0), rtol=1e-12)
    True
    """

    _names = "capacity", "n_blocks", "blocks_per_batch", "durations"

    def __init__(self, capacity: int = MOST_BATCHES) -> None:
        if capacity < 2 or capacity % 2:
            raise ValueError(f"capacity must be even and at least 2, got {capacity}")
        self.capacity = capacity
        self.n_blocks = 0
        self.blocks_per_batch = 1
        self.conserved: Any = False
        self._durations = np.zeros(capacity)
        self._batches: Array | None = None
        self._total: Array | None = None

    def update(self, growth: ArrayLike, durations: ArrayLike) -> None:
        """Add blocks.

        Parameters
        ----------
        growth : array_like, shape (blocks, ...)
            Log growth per block, in nats; the trailing shape is that of the first call.
        durations : array_like, shape (blocks,)
            Durations of the blocks.

        Raises
        ------
        ValueError
            If the shapes disagree with each other or with those of the first call.
        """
        growth, durations = checked(growth, durations)
        if self._batches is None:
            self._batches = empty((self.capacity, *growth.shape[1:]))
        if growth.shape[1:] != self._batches.shape[1:]:
            raise ValueError(
                f"growth has trailing shape {growth.shape[1:]}, the blocks before had "
                f"{self._batches.shape[1:]}"
            )
        while self.n_blocks + len(growth) >= self.capacity * self.blocks_per_batch:
            self._merge()
        full, open_blocks = divmod(self.n_blocks, self.blocks_per_batch)
        for sums, more in ((self._durations, durations), (self._batches, growth)):
            _add(sums[full:], more, open_blocks, self.blocks_per_batch)
        self.n_blocks += len(growth)
        self._total = None

    @property
    def growth(self) -> Array:
        """Batch sums, the open one last, shape (batches, ...)."""
        if self._batches is None:
            raise ValueError("no blocks yet: update() first")
        return self._batches[: len(self.durations)].copy()

    @property
    def durations(self) -> Array:
        """Durations of the batches, shape (batches,)."""
        return self._durations[: -(-self.n_blocks // self.blocks_per_batch)].copy()

    @property
    def total(self) -> Array:
        """Growth of all blocks, shape (...); 0 if there are none."""
        used = self._used
        if used is None:
            return np.zeros(())
        if self._total is None:
            parts = _by_columns(lambda columns: np.add.reduce(columns), used)
            self._total = np.concatenate(parts).reshape(used.shape[1:])
        return self._total

    def estimate(self) -> Estimate:
        """Return the mean, its standard error and degrees of freedom so far."""
        if self._batches is None:
            raise ValueError("no blocks yet: update() first")
        durations = self.durations
        return estimate(
            self._batches[: len(durations)], durations, self.n_blocks, conserved=self.conserved
        )

    def mean_over_members(self) -> GrowthStatistics:
        """Return the statistics of growth (blocks, ..., k) averaged over the ensemble."""
        used, known = self._used, np.all(self.conserved)
        if used is None:
            return self._of(None, known)
        return self._of(np.mean(used, axis=tuple(range(1, used.ndim - 1))), known)

    def of_members(self, chosen: Array) -> GrowthStatistics:
        """Return the statistics of some members ``chosen (...)`` of an ensemble, on one axis."""
        known = self.conserved[chosen] if np.ndim(self.conserved) else self.conserved
        used = self._used
        return self._of(None if used is None else used[:, chosen], known)

    @property
    def _used(self) -> Array | None:
        """Batch sums as they lie in memory; there is more of that."""
        return None if self._batches is None else self._batches[: len(self.durations)]

    def _of(self, growth: Array | None, conserved: Any) -> Self:
        """Return the statistics of as many blocks with other sums."""
        state = {name: getattr(self, name) for name in self._names}
        return self._from_state({**state, "growth": growth, "conserved": conserved})

    def __getstate__(self) -> dict[str, Any]:
        return self._to_state()  # nothing of what is not used yet

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(self._from_state(state).__dict__)

    def _to_state(self) -> dict[str, Any]:
        used = None if self._batches is None else self.growth
        state = {**{name: getattr(self, name) for name in self._names}, "growth": used}
        return {**state, "conserved": self.conserved} if np.any(self.conserved) else state

    @classmethod
    def _from_state(cls, state: dict[str, Any]) -> Self:
        # The first format had all batches, used or not.
        growth = state["_batches" if "_batches" in state else "growth"]
        durations = state["_durations" if "_durations" in state else "durations"]
        if not len(durations) <= state["capacity"] <= MOST_BATCHES:
            raise ValueError(f"a capacity of {state['capacity']} batches")
        new = cls(state["capacity"])
        new.n_blocks, new.blocks_per_batch = state["n_blocks"], state["blocks_per_batch"]
        new.conserved = state.get("conserved", False)
        new._durations[: len(durations)] = durations
        if growth is not None:
            new._batches = np.empty((new.capacity, *growth.shape[1:]))
            new._batches[: len(growth)] = growth
        return new

    def _merge(self) -> None:
        """Merge neighbours: half as many batches, twice as long."""
        used = -(-self.n_blocks // self.blocks_per_batch)
        self.blocks_per_batch *= 2
        if not used:
            return
        assert self._batches is not None
        half = -(-used // 2)

        def merge(sums: Array) -> None:
            sums[used : 2 * half] = 0.0
            pairs = sums[0 : 2 * half : 2], sums[1 : 2 * half : 2]
            sums[:half] = np.add(*pairs, out=empty((half, *sums.shape[1:])))

        merge(self._durations)
        _by_columns(merge, self._batches)


def _by_columns(function: Callable[[Array], _Result], x: Array) -> list[_Result]:
    """Return what a function yields for some columns of an array ``(rows, ...)`` at a time."""
    columns = x.reshape(len(x), -1)
    width = columns.shape[1]
    each = max(_WIDE, _AT_ONCE // len(x))
    return in_pieces(lambda a, b: function(columns[:, a:b]), width, each, x.size // _PER_THREAD)


def _add(sums: Array, x: Array, begun: int, per: int) -> None:
    """Add rows to batches of `per`, of the first of which so many are `begun`, in place."""
    width = x[0].size
    if per > 1 and width < _WIDE:
        found = np.add.reduceat(x, np.arange(-begun, len(x), per).clip(0))
        if begun:
            found[0] += sums[0]
        sums[: len(found)] = found
        return
    first = min(len(x), -begun % per)
    if first:
        sums[0] += np.add.reduce(x[:first])
        sums = sums[1:]
    count = (len(x) - first) // per
    whole = x[first : first + count * per].reshape(count, per, *x.shape[1:])

    def part(a: int, b: int) -> None:
        if per == 2:
            np.add(whole[a:b, 0], whole[a:b, 1], out=sums[a:b])  # half the time of a reduction
        else:
            np.add.reduce(whole[a:b], axis=1, out=sums[a:b])

    in_pieces(part, count, max(1, _AT_ONCE // (per * width)), count * per * width // _PER_THREAD)
    if first + count * per < len(x):
        np.add.reduce(x[first + count * per :], out=sums[count])
