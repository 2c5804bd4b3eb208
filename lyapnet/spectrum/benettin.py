"""Benettin's algorithm: run the loop, gather growth, and stop when the error is small enough."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..errors import LyapnetError
from ..numerics.arrays import Array, blas_threads
from ..numerics.buffers import empty
from ..runs.progress import compilations, compiling, progress_bar
from ..systems import Map, System
from ..systems.orbit import Orbit
from ..tangent.forward import forward
from ..tangent.plan import Plan
from ..tangent.rounding import LONGEST
from ..tangent.stretches import Losses, run_orbit, run_stretches, stretch_length
from .doubts import Doubts, doubts
from .record import Record
from .step_defect import MOST, MOST_AGAIN, Sample
from .uncertainty.batches import GrowthStatistics
from .uncertainty.estimate import LOOK_FACTOR
from .volume import CHEAP, conserves


class Seen(NamedTuple):
    """A stretch with state, basis and inputs at its beginning, and the growth of its blocks."""

    orbit: Orbit
    x: Array
    inputs: Array | None
    rows: Array
    growth: Array


#: Numbers in the Jacobians of a run whose orbits are kept, in case that it is done again.
_ORBITS = 2**20

#: Numbers in inputs that are kept with a spectrum.
_INPUTS = 2**20

#: Numbers in a basis from which on a stretch more costs little beside its steps.
_LARGE = 256


@dataclass
class Benettin:
    """A run in progress.

    Attributes
    ----------
    system : System
    x : array (..., n)
        State, with the axes of the ensemble.
    rows : array (..., k, n)
        Orthonormal tangent vectors.
    inputs : array (T, ..., m) or None
    plan : Plan
    record : bool
        Whether to keep the growth of each block.
    tol : float or None
        Half-width of the 95 % intervals at which to stop.
    checked : bool
        Whether to look for what speaks against the numbers, into `doubts`.
    losses : Losses or None
        Where members of an ensemble may diverge; else the first that does ends the run.
    kept : Record
        The growth of each block so far.
    x0 : array (..., n)
        State at the start of the run, or of the one that it continues.
    engine : System or None
        The system as it is run, see `System.prepared`.
    """

    system: System
    x: Array
    rows: Array
    inputs: Array | None
    plan: Plan
    record: bool = True
    tol: float | None = None
    progress: bool = False
    checked: bool = True
    losses: Losses | None = None
    n_done: int = 0
    kept: Record = field(default_factory=Record)
    statistics: GrowthStatistics = field(default_factory=GrowthStatistics)
    x0: Array | None = None
    engine: System | None = None

    def __post_init__(self) -> None:
        if self.x0 is None:
            self.x0 = self.x
        self.doubts = Doubts()
        self.start = self.x, self.rows, self.n_done
        self._grown_before = self.statistics.total
        before = self.kept.times  # whose steps may have been others
        self._time_offset = before[-1] - self.n_done * self.system.dt if len(before) else 0.0
        #: State, basis and number of the first step that is averaged.
        self.counted: tuple[Array, Array, int] | None = None
        #: The stretch that is done.
        self.orbit: Orbit | None = None
        self.seen: Seen | None = None
        #: All stretches so far, of a run in which these are few.
        self.orbits: list[Orbit] = []
        #: Whether the run has ended before its time, where the system may not be asked again.
        self.failed = False
        #: Steps that are done, transients included.
        self._gone = 0

    def prepare(self) -> System:
        """Return the system as it is best run; done once."""
        if self.losses is not None and not isinstance(self.system, Map):
            self.engine = self.system  # where other loops carry a basis, none may be lost
        if self.engine is None:
            k = self.rows.shape[-2]
            with compiling(show=self.progress):
                steps = self.n_done + self.plan.total  # as of one run, where this one goes on
                self.engine = self.system.prepared(self.x, self.inputs, k, steps)
        return self.engine

    def run(self) -> Benettin:
        """Run to the end of the plan, or until the tolerance is met."""
        self.prepare()
        bars = progress_bar(self.plan.total, show=self.progress, unit="step")
        shown = compilations(show=self.progress)
        with blas_threads(self.rows.size * self.system.dim), bars as bar, shown:
            try:
                self._advance(bar)
            except LyapnetError as error:
                self.failed = True
                self._keep_what_is_good(error.step)
                raise
            if self.checked:
                self._look_at_volume()
                self.doubts = doubts(self)
        return self

    def _advance(self, bar: Any) -> None:
        """Go through the stretches of the plan."""
        look = 0.0
        system = self.prepare()
        lead, k = self.x.shape[:-1], self.rows.shape[-2]
        interval, looks = self.plan.interval, self.tol is not None
        length = stretch_length(system, lead, k, interval=interval, looks=looks)
        # Rounding is looked for late in the run, where the last stretch begins.
        late = LONGEST if self.rows.size >= _LARGE else 0
        stretches = self.plan.stretches(length, late)
        room = _ORBITS if self.checked and self.losses is None else 0
        for phase, start, orbit in run_stretches(
            system, self.x, self.inputs, stretches, losses=self.losses, bar=bar
        ):
            room -= _ORBITS if orbit.runs_along else orbit.finest.states.size * system.dim
            self.orbits = [*self.orbits, orbit] if room >= 0 else []
            if phase != "transient":
                self._carry(orbit, start, count=phase == "n_steps")
            self.x, self.orbit = orbit.last, orbit
            self._gone = start + orbit.n_steps
            if phase == "n_steps":
                self.n_done += orbit.n_steps
                if self.tol is not None and self.n_done >= look:
                    self._look_at_volume()
                    if self.statistics.estimate().settled(self.tol).all():
                        break
                    look = LOOK_FACTOR * self.n_done

    def _look_at_volume(self) -> None:
        """See whether volumes are conserved, where determinants are cheap and growth is of few."""
        k, n = self.rows.shape[-2:]
        sample = self.seen
        if k == n or n > CHEAP or sample is None or np.any(self.statistics.conserved):
            return
        grown = np.abs(self.statistics.total).sum(axis=-1) / (self.n_done * self.system.dt)
        if not np.isfinite(grown).any() or self.system.tangent_apart:
            return
        self.statistics.conserved = conserves(
            self.prepare(), sample.orbit, sample.x, sample.inputs, grown
        )

    def again(self, system: System, n_steps: int, which: Any = ...) -> Benettin:
        """Do the run again, over `n_steps` averaged steps, or that of some members."""
        x, rows, inputs = *self.start[:2], self.inputs
        if inputs is not None and which is not ...:
            inputs = np.broadcast_to(inputs, (len(inputs), *x.shape[:-1], inputs.shape[-1]))
            inputs = inputs[:, which]
        x, rows = x[which], rows[which]
        run = Benettin(
            system, x, rows, inputs, replace(self.plan, n_steps=n_steps),
            record=self.record, checked=False, engine=system,
            losses=None if self.losses is None else Losses(x.shape[:-1]),
        )  # fmt: skip
        return run.run()

    def _carry(self, orbit: Orbit, start: int, *, count: bool) -> None:
        """Carry the basis along a stretch, and count its growth."""
        plan = self.plan
        rows = self.rows
        growth, self.rows, _, _ = forward(
            orbit, rows, plan.interval, start=start, forgiving=plan.forgiving
        )
        if not count:
            return
        self.counted = self.counted or (self.x, rows, start)
        if orbit.n_steps >= LONGEST:
            self.seen = None
        if self.checked and (self.seen is None or orbit.n_steps >= LONGEST):
            now = None if self.inputs is None else self.inputs[start : start + orbit.n_steps]
            self.seen = Seen(orbit, self.x, now, rows, growth)
        blocks, dt = len(growth), self.system.dt
        durations = empty((blocks,))
        durations.fill(plan.interval * dt)
        durations[-1] = (orbit.n_steps - (blocks - 1) * plan.interval) * dt
        self.statistics.update(growth, durations)
        if self.record:
            left = plan.n_steps - (self.n_done - self.start[2])
            # Products, for a long sum is three times as slow, and rounded over and over.
            times = np.multiply(_numbers(blocks), plan.interval, out=durations)
            times += self.n_done
            times[-1] = self.n_done + orbit.n_steps
            times *= dt
            times += self._time_offset
            self.kept.add(growth, times, -(-left // plan.interval) if self.tol is None else 0)

    @property
    def trusted(self) -> bool:
        """Whether nothing speaks against the numbers but their errors."""
        return not self.doubts.reservations and self.doubts.superstable is None

    def sample(self) -> Sample | None:
        """Return where the steps of a driven flow may be looked at, once the run is done."""
        if self.counted is None or self.inputs is None or self.system.finer() is None:
            return None
        x, rows, start = self.counted
        each = max(1, self.inputs[0].size)
        steps = min(self._gone - start, max(MOST, min(MOST_AGAIN, _INPUTS // each)))
        return Sample(x, rows, np.array(self.inputs[start : start + steps]), self.start[2])

    def grown(self, which: Any = ...) -> Array:
        """Return how much tangent vectors have grown in this run, or those of some members."""
        statistics = self.statistics if which is ... else self.statistics.of_members(which)
        before = self._grown_before
        return statistics.total - (before[which] if before.ndim else before)

    def _keep_what_is_good(self, failed: int | None) -> None:
        """Count the steps of a stretch before the one that failed."""
        start = self._gone
        good = 0 if failed is None else failed - 1 - start
        if good < 1 or start < self.plan.warm_up:
            return
        try:
            orbit = run_orbit(self.prepare(), self.x, self.inputs, start, start + good)
            self._carry(orbit, start, count=True)
        except LyapnetError:
            return  # the same failure, a little earlier: what was counted before stays
        self.x = orbit.last
        self.n_done += good

    def within(self, tol: float) -> bool:
        """Say whether all 95 % half-widths are below a tolerance, ``-inf`` exponents apart."""
        estimate = self.statistics.estimate()
        half = estimate.half_width()
        return bool(np.all((half < tol) | np.isneginf(estimate.mean)))


@lru_cache(maxsize=2)
def _numbers(count: int) -> Array:
    """Return the numbers of so many blocks, from 1 on, as floats."""
    return np.arange(1.0, count + 1.0)
