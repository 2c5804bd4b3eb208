"""How many steps may pass between two factorisations."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..numerics.arrays import Array, blas_threads, unit_of
from ..systems import System
from ..systems.orbit import Orbit
from .forward import forward
from .plan import Plan, Stretch, interval_of
from .qr import SMALL, orthonormalise
from .stretches import Losses, check_states, run_stretches

#: Automatic intervals: round numbers, so that blocks fill round windows.
_INTERVALS = (50, 25, 20, 10, 5, 4, 3, 2, 1)

#: An automatic interval leaves at least so many blocks, for error bars and windows; more of a map
#: of one dimension, which needs no factorisation, so that error bars see its laminar phases.
_BLOCKS, _BLOCKS_OF_ONE = 64, 512

#: Steps of the basis transient in which the basis of the trial settles.
_SETTLE = 50

#: Intervals tried one after the other on the way to an automatic one.
_TRIALS = 5

#: So near to where it started a trajectory is back, of its size and what is no small one.
_BACK = 1e-8

#: The automatic interval aims at this sine between the vectors of a basis before they are
#: orthonormalised, ten times `forward.SMALLEST_SINE`, so that it hardly ever meets that limit.
SPECTRUM_AIM = 1e-7

#: With more vectors than `qr.SMALL` at this one: down to it Cholesky's method is enough, which is
#: faster than fewer factorisations by another.
CHOLESKY_AIM = 1e-4

#: That of flossing is learnt from the window before, which may have met less than the next one
#: will: it stays a thousand times above `forward.SMALLEST_SINE`.
GRADIENT_AIM = 1e-5


def automatic_interval(
    system: System,
    x: Array,
    rows: Array,
    inputs: Array | None,
    plan: Plan,
    losses: Losses | None = None,
) -> int:
    """Choose the QR interval on a trial: how long the basis stays well conditioned.

    At a fixed point or on a short cycle it is 1. There tangent vectors may rotate by the same
    angle in each step, and where blocks of several steps bring them nearly back, growth drifts so
    slowly that no error can be given.

    Parameters
    ----------
    system, x, rows, inputs
        As the run starts.
    plan : Plan
        With interval 1; the trial takes some of its transients.
    losses : Losses, optional
        Where members may diverge.
    """
    blocks = _BLOCKS_OF_ONE if x.shape[-1] == 1 else _BLOCKS
    candidates = [q for q in reversed(_INTERVALS) if q <= plan.n_steps // blocks]
    if len(candidates) <= 1:
        return 1
    longest = candidates[-1]
    unit = unit_of(x)
    warm = min(plan.warm_up, 1000, plan.total - _TRIALS * longest)
    settle = min(warm, plan.basis_transient, _SETTLE)
    before = [("transient", 0, warm - settle), ("basis_transient", warm - settle, warm)]
    with blas_threads(rows.size * system.dim):
        stretches = [one for one in before if one[1] < one[2]]
        for phase, start, orbit in run_stretches(system, x, inputs, stretches, losses=losses):
            if phase != "transient":
                rows = forward(orbit, rows, 1, start=start, forgiving=True)[1]
            x = orbit.last
        trial = Trial(system, x, rows, inputs, warm, unit, losses)
        found = trial.longest(candidates)
    fitting = [q for q in _INTERVALS if q <= found]
    exact = [q for q in fitting if plan.n_steps % q == 0]
    return exact[0] if 3 * exact[0] > 2 * fitting[0] else fitting[0]


@dataclass(frozen=True)
class Trial:
    """Some steps from `start` on, on which intervals are tried; see `automatic_interval`."""

    system: System
    x: Array
    rows: Array
    inputs: Array | None
    start: int
    unit: float
    losses: Losses | None

    def longest(self, candidates: Sequence[int]) -> int:
        """Return the longest of some intervals, ascending, that stands all trials."""
        found = most = candidates[-1]
        starts = range(self.start, self.start + _TRIALS * most, most)
        whole = ("trial", self.start, starts.stop)
        for *_, orbit in self._run([whole]):
            if orbit.runs_along:
                check_states(orbit, self.start)
            if orbit.returns(most, _BACK, self.unit):
                return 1
            if orbit.blocks(self.rows, 0, _TRIALS, most, _aim(self.rows))[0] == _TRIALS:
                return most
        rows = self.rows
        for _, start, orbit in self._run([("trial", start, start + most) for start in starts]):
            found, after = choose_interval(orbit, rows, [q for q in candidates if q <= found])
            if found == 1:
                break
            if after is None or found < most:
                after = forward(orbit, rows, found, start=start, forgiving=True)[1]
            rows = after
        return found

    def _run(self, stretches: Sequence[Stretch]) -> Iterator[tuple[str, int, Orbit]]:
        return run_stretches(self.system, self.x, self.inputs, stretches, losses=self.losses)


def choose_interval(
    orbit: Orbit, rows: Array, intervals: Sequence[int]
) -> tuple[int, Array | None]:
    """Return the longest interval after which a basis is still well conditioned along an orbit.

    With it comes the basis there, orthonormal, from orbits with loops for blocks.

    Appendix J of the paper: propagate without factorising until the condition is no longer
    acceptable. The basis should have been warmed up.

    Parameters
    ----------
    orbit : Orbit
    rows : array (..., k, n)
    intervals : sequence of int
        Those to choose from, ascending; the last one at most the orbit's length.
    """
    aim = _aim(rows)
    if orbit.runs_along or orbit.tapes:
        return _by_loops(orbit, rows, intervals, aim)
    carried, here = [], rows
    for before, interval in itertools.pairwise((0, *intervals)):
        here = orbit.through(here, before, interval)
        carried.append(here)
    both = zip(reversed(intervals), reversed(carried), strict=True)
    return next((q for q, vectors in both if _stands(vectors, aim)), 1), None


def _aim(rows: Array) -> float:
    """Return the sine that a block should leave between vectors."""
    return SPECTRUM_AIM if rows.shape[-2] <= SMALL else CHOLESKY_AIM


def _by_loops(
    orbit: Orbit, rows: Array, intervals: Sequence[int], aim: float
) -> tuple[int, Array | None]:
    """Ask loops whether a block is good enough: the longest, and if it is not, those from 2 on."""
    *shorter, longest = intervals
    done, after, _ = orbit.blocks(rows, 0, 1, longest, aim)
    if done:
        return longest, after
    found: tuple[int, Array | None] = 1, None
    for interval in shorter[1:]:
        done, after, _ = orbit.blocks(rows, 0, 1, interval, aim)
        if not done:
            break
        found = interval, after
    return found


def _stands(rows: Array, aim: float) -> bool:
    """Say whether vectors have come no closer to each other than a sine."""
    if not np.isfinite(rows).all():
        return False
    with np.errstate(over="ignore"):
        diagonal, length = orthonormalise(rows.copy())
    return not (diagonal < aim * length).any()


@dataclass
class Interval:
    """Steps between factorisations, adapted from epoch to epoch.

    Without a factorisation the sine between the tangent vectors shrinks; the last window
    tells how far. Exponents and gradients depend on the interval by rounding only.
    """

    steps: int
    automatic: bool

    @classmethod
    def of(cls, qr_interval: Any) -> Interval:
        """Return the interval that an argument means."""
        steps = interval_of(qr_interval)
        return cls(1, True) if steps is None else cls(steps, False)

    def within(self, plan: Plan) -> Plan:
        """Return a plan with this interval."""
        return replace(plan, interval=self.steps, forgiving=self.automatic)

    def adapt(self, smallest_sine: float, most: int) -> None:
        """Choose the next interval by the smallest sine seen in the last window.

        The sine does not shrink by the same factor in each step: a single step may bring two
        vectors close, and the next ones leave them so. Hence the next interval is tried rather
        than extrapolated to.
        """
        if not self.automatic:
            return
        if smallest_sine > 100 * GRADIENT_AIM:
            self.steps = min(2 * self.steps, most)
        elif smallest_sine > 5 * GRADIENT_AIM:
            self.steps = min(self.steps + 1, most)
        elif smallest_sine < GRADIENT_AIM / 100:
            self.steps = max(1, self.steps // 2)
        elif smallest_sine < GRADIENT_AIM:
            self.steps = max(1, self.steps - 1)
