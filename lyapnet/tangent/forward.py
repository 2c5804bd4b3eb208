r"""The one loop: a trajectory with its tangent basis.

Eqs. 6 and 7: :math:`\tilde Q_{s+1} = D_s Q_s`, factorised as :math:`Q_{s+1} R_{s+1}` after every
block of `interval` steps; the exponents are the averages of :math:`\log |R_{ii}|`. Its reverse
stands in `lyapnet.tangent.gradient`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..numerics.arrays import Array
from ..numerics.buffers import empty
from ..systems.composed import ComposedOrbit
from ..systems.orbit import Orbit
from .cholesky_qr import Habit
from .growth import check_growth, degenerate, logs
from .parts import through_parts
from .qr import orthonormalise
from .stretches import check_states
from .tape import Tape

#: A vector may come this close to the span of those before it between two factorisations:
#: its growth factor then has a relative error of 1e-8. Closer, the block is divided.
SMALLEST_SINE = 1e-8

#: Where only the flag of a basis matters, one pass of Cholesky's method is enough down to this
#: sine: what it leaves of the inner products, 1e-2 at most in trials, is in the next factor.
_FLAG = 1e-6

#: Here the basis has lost rank to rounding: an interval that was asked for is refused.
_COLLAPSED = 1e-12

#: The last vectors are left out once they have vanished in so many parts of a stretch, and in one
#: of so many: Jacobians are singular, and their exponents -inf.
_GONE, _OFTEN = 8, 8


def forward(
    orbit: Orbit,
    rows: Array,
    interval: int,
    *,
    start: int,
    forgiving: bool,
    keep: bool = False,
    flag_only: bool = False,
) -> tuple[Array, Array, float, Tape | None]:
    """Carry a basis along an orbit.

    Parameters
    ----------
    orbit : Orbit
    rows : array (..., k, n)
        Orthonormal.
    interval : int
        Steps between factorisations; a last block may be shorter.
    start : int
        Number of the orbit's first step in the run, for messages.
    forgiving : bool
        See `Plan`.
    keep : bool
        Whether to return a tape.
    flag_only : bool
        Whether of the bases on the tape only the flags matter, the spans of their first vectors,
        and of the growth factors the product. The last basis is orthonormal in any case.

    Returns
    -------
    log_growth : array (blocks, ..., k)
        Logarithms of the growth factors.
    rows : array (..., k, n)
        The basis at the end.
    sine : float
        The smallest sine met, see `orthonormalise`.
    tape : Tape or None
    """
    if isinstance(orbit, ComposedOrbit):
        return through_parts(forward, orbit, rows, interval, start=start, keep=keep)
    run = _Run(orbit, rows, interval, start, forgiving, keep, flag_only)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        run.through()
        if orbit.runs_along:
            check_states(orbit, start)
        return run.growth()


class _Run:
    """Blocks of a stretch, done in order, each divided where the basis does not stand it."""

    def __init__(
        self,
        orbit: Orbit,
        rows: Array,
        interval: int,
        start: int,
        forgiving: bool,
        keep: bool,
        flag_only: bool,
    ) -> None:
        n_steps = orbit.n_steps
        self.orbit, self.interval, self.start = orbit, interval, start
        self.forgiving = forgiving
        self.keep, self.flag_only = keep, flag_only
        self.n_blocks = -(-n_steps // interval)
        length = n_steps if keep else min(interval, n_steps)
        self.buffer = _buffer(length + 1, rows, orbit.members_last)
        self.buffer[0] = rows
        self.views = list(self.buffer)
        self.factor_shape = (*rows.shape[:-1], rows.shape[-2])
        self.factors = list(empty((self.n_blocks, *self.factor_shape))) if keep else []
        self.tape = Tape(orbit, self.buffer) if keep else None
        # Of all blocks and parts of divided ones, in groups: where each ends, what it has grown.
        self.n_parts = 0
        self.ends: list[range] = []
        self.grown: list[Array] = []
        self.least = 1.0
        #: The first part of each block.
        self.starts: list[range] = []
        self.suspect: list[tuple[int, int, int, Array]] = []
        #: Of each vector, in how many parts it has vanished, of how many before this run's own.
        self.gone: Array = np.zeros(rows.shape[:-1], dtype=int)
        self.before = 0
        #: Of each member, how many vectors are not left out.
        self.stay: Array = np.full(rows.shape[:-2], rows.shape[-2])
        #: Runs of members that go on with fewer vectors, and of the others, with their places.
        self.others: list[tuple[Any, _Run]] = []
        #: The blocks that this run does itself.
        self.first, self.rest = 0, self.n_blocks
        self.qr, self.loop = Habit(), Habit()
        #: Blocks that compiled loops should try at once.
        self.reach = n_steps

    def through(self, done: int = 0) -> None:
        """Go through all blocks that are not done before."""
        self.first = done
        while done < self.n_blocks and not self._left_out(done):
            done += self._at_once(done * self.interval)
            if done < self.n_blocks:
                first = done * self.interval
                self.starts.append(range(self.n_parts, self.n_parts + 1))
                pending = [(first, min(first + self.interval, self.orbit.n_steps))]
                while pending:
                    a, b = pending.pop()
                    if not self._block(a, b):
                        pending += [((a + b) // 2, b), (a, (a + b) // 2)]
                done += 1

    def _at_once(self, first: int) -> int:
        """Do as many blocks as compiled loops can, the first of them from step `first` on."""
        steps = min(self.interval, self.orbit.n_steps - first)
        count = min(self.reach, (self.orbit.n_steps - first) // steps)
        if self.keep or not self.loop.ready():
            return 0
        n = self.buffer.shape[-1]
        least = SMALLEST_SINE if steps > 1 else n * np.finfo(float).eps
        refused = 0.0 if self.forgiving else _COLLAPSED
        found, rows, growth = self.orbit.blocks(self.buffer[0], first, count, steps, least, refused)
        self.loop.learn(found > 0)
        self.reach = max(1, 2 * found)
        if found:
            self.buffer[0] = rows
            self.starts.append(range(self.n_parts, self.n_parts + found))
            self._note(range(first + steps, first + steps * found + 1, steps), growth)
        return found

    def _note(self, ends: range, log_growth: Array) -> None:
        """Note how much blocks have grown, or parts of one, that end at some steps."""
        self.n_parts += len(ends)
        self.ends.append(ends)
        if (self.stay < self.gone.shape[-1]).any():
            log_growth = np.where(self._stays(), log_growth, -np.inf)
        self.grown.append(log_growth)

    def _stays(self) -> Array:
        """Say which vectors ``(..., k)`` are not left out."""
        found: Array = np.arange(self.gone.shape[-1]) < self.stay[..., None]
        return found

    def _block(self, first: int, last: int) -> bool:
        """Push through a block and factorise; say whether the basis stood it undivided."""
        here = first if self.keep else 0
        end = here + last - first
        self.orbit.carry(first, self.views[here : end + 1])
        factor = None
        if self.keep:
            factor = self.factors.pop() if self.factors else np.empty(self.factor_shape)
        least = _FLAG if self.flag_only and last < self.orbit.n_steps else None
        diagonal, length = orthonormalise(self.views[end], factor, self.qr, least)
        if last - first > 1:
            sine = diagonal / length
            if not sine.min() >= SMALLEST_SINE:  # NaN where it overflowed
                self.suspect.append((self.n_parts, first, last, sine))
                return False
        self._check(diagonal, length, last)
        log_growth, sine = logs(diagonal, length, self.buffer.shape[-1])
        self.least = min(self.least, float(sine.min()))
        self._note(range(last, last + 1), log_growth[None])
        if self.tape is not None and factor is not None:
            self.tape.blocks.append((first, last, factor))
        if not self.keep:
            self.buffer[0] = self.views[end]
            self.gone += np.isneginf(log_growth)
        return True

    def _left_out(self, done: int) -> bool:
        """Leave out last vectors that vanish again and again, of the members of which they do.

        Say whether others go on without them. Where loops do not run the members, these go on as
        they are, and growth of such vectors is none.
        """
        often = self.gone >= max(_GONE, (self.before + self.n_parts) / _OFTEN)
        if self.keep or not often[..., -1].any():
            return False
        k = self.gone.shape[-1]
        stay = np.where(often.all(axis=-1), 0, k - np.argmin(often[..., ::-1], axis=-1))
        self.stay = np.asarray(np.minimum(self.stay, stay))  # what is left out does not come back
        for number in np.unique(self.stay):
            which: Any = self.stay == number if self.stay.ndim else ...
            orbit = self.orbit.of_members(which) if self.stay.ndim else self.orbit
            if orbit is None:
                return False
            if number:
                orbit = orbit.for_fewer(int(number)) if number < k else orbit
                rows = self.buffer[0][which][..., :number, :]
                other = _Run(orbit, rows, self.interval, self.start, self.forgiving, False, False)
                other.gone = self.gone[which][..., :number]
                other.before = self.before + self.n_parts
                self.others.append((which, other))
        self.rest = done
        for _, other in self.others:
            other.through(done)
        return True

    def _check(self, diagonal: Array, length: Array, last: int) -> None:
        """Refuse what is not finite: states, or else Jacobians."""
        if not (np.isfinite(diagonal).all() and np.isfinite(length).all()):
            if self.orbit.runs_along:
                check_states(self.orbit, self.start)
            check_growth(diagonal[None], length[None], [self.start + last])

    def growth(self) -> tuple[Array, Array, float, Tape | None]:
        """Return what `forward` does, of the blocks from the first one on."""
        log_growth = self.grown[0] if len(self.grown) == 1 else np.concatenate(self.grown)
        volume = None if self.keep else self.orbit.log_volume
        if volume is not None and self.buffer.shape[-2] == self.buffer.shape[-1]:
            # The last direction of a full basis has what the others leave of the volume.
            begin = np.append(self.first * self.interval, _numbers(self.ends)[:-1])
            whole = np.add.reduceat(volume, begin, axis=0)
            log_growth[..., -1] = whole - log_growth[..., :-1].sum(axis=-1)
        growth = log_growth
        if sum(map(len, self.starts)) < self.n_parts:
            starts = _numbers(self.starts)
            growth = np.add.reduceat(log_growth, starts, axis=0)
            for part, first, last, collapsed in self.suspect:
                if self.forgiving or part not in starts or collapsed.min() >= _COLLAPSED:
                    continue
                if not np.isneginf(growth[np.searchsorted(starts, part)]).any():
                    raise degenerate(self.start + last, last - first, collapsed)
        if self.tape is not None:
            self.tape.log_growth = log_growth
        smallest = min((float(np.nan_to_num(s[3]).min()) for s in self.suspect), default=1.0)
        smallest = min(smallest, self.least)
        rows = self.buffer[self.orbit.n_steps if self.keep else 0].copy()
        if self.rest < self.n_blocks:
            rest = np.full((self.n_blocks - self.rest, *growth.shape[1:]), -np.inf)
            for which, other in self.others:
                found, vectors, sine, _ = other.growth()
                m = found.shape[-1]
                rest[:, which, :m] = found
                here = rows[which]
                here[..., :m, :] = vectors
                rows[which], self.stay[which] = here, other.stay
                smallest = min(smallest, sine)
            growth = np.concatenate([growth, rest])
        if (self.stay < rows.shape[-2]).any():
            rows = _completed(rows, self._stays())
        return growth, rows, smallest, self.tape


def _numbers(ranges: list[range]) -> Array:
    """Return the numbers of ranges in one array, without a list of them."""
    return np.concatenate([np.arange(r.start, r.stop, r.step) for r in ranges])


def _completed(rows: Array, stays: Array) -> Array:
    """Return orthonormal rows ``(..., k, n)``, of which some stay, with others behind these."""
    more = np.random.default_rng(0).standard_normal(rows.shape)
    found = np.where(stays[..., None], rows, more)
    orthonormalise(found)
    return np.where(stays[..., None], rows, found)


def _buffer(length: int, rows: Array, members_last: bool) -> Array:
    """Return room for bases, in memory with the ensemble's axes last where the orbit wants it."""
    if not members_last:
        return empty((length, *rows.shape))
    *lead, k, n = rows.shape
    return np.moveaxis(empty((length, k, n, *lead)), (1, 2), (-2, -1))
