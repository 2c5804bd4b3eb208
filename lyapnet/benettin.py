"""Benettin's algorithm: run the loop, gather growth, and stop when the error is small enough."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .errors import LyapnetError
from .linalg import Array, blas_threads
from .longrun import LOOK_FACTOR
from .orbit import Orbit
from .progress import progress_bar
from .streaming import GrowthStatistics
from .systems import System
from .trajectory import (
    Plan,
    check_states,
    choose_interval,
    forward,
    run_orbit,
    stretch_length,
)

#: Automatic intervals: round numbers, so that blocks fill round windows.
_INTERVALS = (50, 25, 20, 10, 5, 4, 3, 2, 1)

#: An automatic interval leaves at least so many blocks, for error bars and windows.
_BLOCKS = 100

#: Steps of the basis transient in which the basis of the trial settles.
_SETTLE = 50

#: Intervals tried one after the other on the way to an automatic one.
_TRIALS = 5


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
    n_done: int = 0
    growth: list[Array] = field(default_factory=list)
    durations: list[Array] = field(default_factory=list)
    statistics: GrowthStatistics = field(default_factory=GrowthStatistics)
    x0: Array | None = None
    engine: System | None = None

    def __post_init__(self) -> None:
        if self.x0 is None:
            self.x0 = self.x

    def prepare(self) -> System:
        """Return the system as it is best run; done once."""
        if self.engine is None:
            k = self.rows.shape[-2]
            self.engine = self.system.prepared(self.x, self.inputs, k, self.plan.total)
        return self.engine

    def run(self) -> Benettin:
        """Run to the end of the plan, or until the tolerance is met."""
        look = 0.0
        system = self.prepare()
        lead, k = self.x.shape[:-1], self.rows.shape[-2]
        length = stretch_length(system, lead, k)
        work = self.rows.size * self.system.dim
        with (
            blas_threads(work),
            progress_bar(self.plan.total, show=self.progress, unit="step") as bar,
        ):
            for phase, start, stop in self.plan.stretches(length):
                try:
                    orbit = run_orbit(system, self.x, self.inputs, start, stop)
                    if phase == "transient":
                        check_states(orbit, start)
                    else:
                        self._advance(orbit, start, count=phase == "n_steps")
                except LyapnetError as error:
                    if phase == "n_steps":
                        self._keep_what_is_good(start, error.step)
                    raise
                self.x = orbit.last
                bar.update(stop - start)
                if phase == "n_steps":
                    self.n_done += stop - start
                    if self.tol is not None and self.n_done >= look:
                        if self.statistics.estimate().settled(self.tol).all():
                            break
                        look = LOOK_FACTOR * self.n_done
        return self

    def _advance(self, orbit: Orbit, start: int, *, count: bool) -> None:
        """Carry the basis along a stretch, and count its growth."""
        plan = self.plan
        growth, self.rows, _, _ = forward(
            orbit, self.rows, plan.interval, start=start, forgiving=plan.forgiving
        )
        if not count:
            return
        steps = np.full(len(growth), plan.interval)
        steps[-1] = orbit.n_steps - (len(growth) - 1) * plan.interval
        durations = steps * self.system.dt
        self.statistics.update(growth, durations)
        if self.record:
            self.durations.append(durations)
            self.growth.append(growth)

    def _keep_what_is_good(self, start: int, failed: int | None) -> None:
        """Count the steps of a stretch before the one that failed."""
        good = 0 if failed is None else failed - 1 - start
        if good < 1:
            return
        try:
            orbit = run_orbit(self.prepare(), self.x, self.inputs, start, start + good)
            self._advance(orbit, start, count=True)
        except LyapnetError:
            return  # the same failure, a little earlier: what was counted before stays
        self.x = orbit.last
        self.n_done += good

    def within(self, tol: float) -> bool:
        """Say whether all 95 % half-widths are below a tolerance, ``-inf`` exponents apart."""
        estimate = self.statistics.estimate()
        half = estimate.half_width()
        return bool(np.all((half < tol) | np.isneginf(estimate.mean)))


def automatic_interval(
    system: System, x: Array, rows: Array, inputs: Array | None, plan: Plan
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
    """
    longest = min(_INTERVALS[0], plan.n_steps // _BLOCKS)
    if longest <= 1:
        return 1
    warm = min(plan.transient + plan.basis_transient, 1000, plan.total - _TRIALS * longest)
    settle = min(warm, plan.basis_transient, _SETTLE)
    found = longest
    fitting = sorted(q for q in _INTERVALS if q <= longest)
    with blas_threads(rows.size * system.dim):
        if warm > settle:
            orbit = run_orbit(system, x, inputs, 0, warm - settle)
            check_states(orbit, 0)
            x = orbit.last
        if settle:
            orbit = run_orbit(system, x, inputs, warm - settle, warm)
            rows = forward(orbit, rows, 1, start=warm - settle, forgiving=True)[1]
            x = orbit.last
        for trial in range(_TRIALS):
            start = warm + trial * longest
            orbit = run_orbit(system, x, inputs, start, start + longest)
            check_states(orbit, start)
            if _returns(orbit):
                return 1
            found = min(found, choose_interval(orbit, rows, fitting))
            rows = forward(orbit, rows, 1, start=start, forgiving=True)[1]
            x = orbit.last
    fitting = [q for q in _INTERVALS if q <= found]
    exact = [q for q in fitting if plan.n_steps % q == 0]
    return exact[0] if 3 * exact[0] > 2 * fitting[0] else fitting[0]


def _returns(orbit: Orbit) -> bool:
    """Say whether a trajectory is back where it started, in any member."""
    start, later = orbit.states[0], orbit.states[1:]
    return bool((np.abs(later - start) <= 1e-8 * (1 + np.abs(start))).all(axis=-1).any())
