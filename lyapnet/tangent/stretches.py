"""A run in stretches that stay in the cache."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import DivergedError
from ..numerics.arrays import Array, all_finite
from ..systems import System
from ..systems.orbit import Orbit
from .plan import Stretch

#: Numbers in the arrays of one stretch of trajectory; they should stay in the cache.
_STRETCH = 2**18

#: Numbers of growth, and of states if these are asked for, where nothing else is kept.
_GROWTH, _STATES = 2**21, 2**22


#: What to do about some members of an ensemble.
_OTHERS = (
    "; others stay finite: start without those that diverge "
    '(`lyapunov_spectrum` with on_divergence="nan" tells which)'
)

#: Steps of a stretch at most, and of one after which nobody looks at the errors.
_MOST, _LONGEST = 2**12, 2**16


def stretch_length(
    system: System, lead: tuple[int, ...], k: int, *, interval: int = 1, looks: bool = True
) -> int:
    """Return the steps that a stretch should have; many if nobody `looks` between two."""
    members = max(1, int(np.prod(lead)))
    each = system.dim * min(k, system.dim) if looks else system.kept(k)
    fitting = _STRETCH // (members * each)
    if system.runs_along:
        fitting = min(interval * _GROWTH // k, _STATES // system.dim) // members
    length = int(np.clip(fitting, 64, _MOST if looks else _LONGEST))
    return max(1, length // system.substeps)


class Losses:
    """Members of an ensemble whose states have diverged.

    Attributes
    ----------
    steps : array (...) of int
        The step after which a member's state was not finite, 0 for one that has not diverged.
    """

    def __init__(self, lead: tuple[int, ...]) -> None:
        self.steps = np.zeros(lead, dtype=int)

    @property
    def lost(self) -> Array:
        """Which members have diverged, (...) of bool."""
        return self.steps > 0


class Surviving(Orbit):
    """The orbit of an ensemble of which some members have diverged: their bases stand still."""

    def __init__(self, orbit: Orbit, lost: Array) -> None:
        self.orbit, self.lost = orbit, lost
        self.inputs, self.members_last = orbit.inputs, orbit.members_last
        #: That of the others, where compiled loops run it.
        self.others = orbit.of_members(~lost)

    @cached_property
    def states(self) -> Array:  # type: ignore[override]  # computed when it is asked for
        """States ``(T + 1, ..., n)``, NaN of what has diverged."""
        return self._finite(self.orbit.states)

    @property
    def n_steps(self) -> int:
        """Number of steps."""
        return self.orbit.n_steps

    @property
    def last(self) -> Array:
        """State at the end ``(..., n)``."""
        return self._finite(self.orbit.last)

    def _finite(self, states: Array) -> Array:
        return np.where(self.lost[..., None], np.nan, states)

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry the tangent vectors of the others through step s."""
        with np.errstate(all="ignore"):
            self.orbit.push(s, rows, out)
        out[self.lost] = rows[self.lost]

    def blocks(self, rows: Array, *how: Any) -> tuple[int, Array, Array]:
        """Carry the bases of the others through blocks of steps; see `Orbit.blocks`."""
        if self.others is None:
            return super().blocks(rows, *how)
        return self._beside(rows, self.others.blocks(rows[~self.lost], *how))

    def disturbed(self, rows: Array, *how: Any) -> tuple[int, Array, Array]:
        """Carry these bases through steps that are a little off; see `Orbit.disturbed`."""
        if self.others is None:
            return super().disturbed(rows, *how)
        return self._beside(rows, self.others.disturbed(rows[~self.lost], *how))

    def _beside(self, rows: Array, done: tuple[int, Array, Array]) -> tuple[int, Array, Array]:
        """Return what has been done with the others beside bases that stand still."""
        blocks, others, grown = done
        following, growth = rows.copy(), np.zeros((blocks, *rows.shape[:-1]))
        following[~self.lost], growth[:, ~self.lost] = others, grown
        return blocks, following, growth


def run_orbit(
    system: System,
    x: Array,
    inputs: Array | None,
    start: int,
    stop: int,
    partial: Any = None,
    losses: Losses | None = None,
) -> Orbit:
    """Run steps ``start ... stop`` of a trajectory; refuse one that diverges, or note its loss."""
    orbit = system.orbit(x, None if inputs is None else inputs[start:stop], stop - start)
    orbit.remedy = system.if_it_diverges
    if losses is None and (orbit.runs_along or all_finite(orbit.last)):
        return orbit
    finite: Array = np.asarray(np.isfinite(orbit.last).all(axis=-1))
    if finite.all() and (losses is None or not losses.lost.any()):
        return orbit
    steps = start + np.argmin(np.isfinite(orbit.states).all(axis=-1), axis=0)
    if losses is not None:
        fresh = ~finite & ~losses.lost
        losses.steps[fresh] = np.maximum(steps[fresh], 1)
        if not losses.lost.all():
            return Surviving(orbit, losses.lost)
        finite, steps = ~losses.lost, losses.steps
    raise _diverged(finite, steps, partial, orbit.remedy)


def run_stretches(
    system: System,
    x: Array,
    inputs: Array | None,
    stretches: Iterable[Stretch],
    *,
    losses: Losses | None = None,
    bar: Any = None,
) -> Iterator[tuple[str, int, Orbit]]:
    """Run a trajectory stretch by stretch, each from where the one before has ended.

    Yields the phase, the number of the first step, and the orbit, to do with it whatever one wants
    before the trajectory goes on.
    """
    for phase, start, stop in stretches:
        orbit = run_orbit(system, x, inputs, start, stop, losses=losses)
        yield phase, start, orbit
        if orbit.runs_along:
            check_states(orbit, start)
        x = orbit.last
        if bar is not None:
            bar.update(stop - start)


def check_states(orbit: Orbit, start: int) -> None:
    """Refuse an orbit that diverges; `start` is the number of its first step in the run."""
    if orbit.seen_finite:
        return
    each = np.isfinite(orbit.last)
    if not each.all():
        finite: Array = np.asarray(each.all(axis=-1))
        steps = start + np.argmin(np.isfinite(orbit.states).all(axis=-1), axis=0)
        raise _diverged(finite, steps, None, orbit.remedy)
    orbit.seen_finite = True


def _diverged(finite: Array, steps: Array, partial: Any, remedy: str) -> DivergedError:
    """Name the member that diverged first."""
    first = np.argwhere(~finite & (steps == np.min(steps[~finite])))[0]
    at = tuple(int(i) for i in first)
    who = f" of member {', '.join(map(str, at))}" if at else ""
    others = np.count_nonzero(~finite) - 1
    more = f", and of {others} others by then or later," if others else ""
    keep = _OTHERS if at and finite.any() else ""
    return DivergedError(
        f"the state{who}{more} is not finite after step {steps[at]}; {remedy}{keep}",
        step=int(steps[at]),
        partial=partial,
    )
