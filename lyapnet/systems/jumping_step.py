"""One step of a flow whose field jumps, in parts that end at the surfaces where it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import grad
from autograd.tracer import isbox

from ..compiled.limits import MOST_SURFACES, NO_JUMP, ON_EDGE, SMALL
from ..numerics.arrays import Array
from ..numerics.autodiff import Tree, leaves, rebuild, value
from ..numerics.lanes import Decision, Lanes, in_lanes, recording

#: What is said of a field whose states slide along a surface.
SLIDES = "leads back, from both sides, to a surface where it jumps"


#: A decision that comes to the edge of its region: its number, the element of it, and the edge.
Meets = tuple[int, int, float]


class Sliding(Exception):
    """The fields of both sides lead back to the surface."""


@dataclass
class Part:
    """A part of a step, in which decisions are fixed, up to a surface or the end of the step.

    At its end the decision `meets` changes, which comes there with a `slope`.
    """

    outcomes: list[Array]
    duration: float
    meets: Meets | None = None
    slope: float = 1.0


class JumpingStep:
    """The step of a flow from single states.

    Parameters
    ----------
    flow : Flow
        With an explicit method.
    """

    def __init__(self, flow: Any) -> None:
        self.flow = flow

    def field(self, x: Any, u: Any, p: Tree, c: Any, forced: list[Array]) -> Any:
        """Return the field at a state ``(n,)`` and a fraction of the step, and its decisions."""
        now = self.flow.drive.now(u, c)
        with recording(forced) as made:
            one = None if now is None else now[None]
            own = _own(p)
            f = in_lanes(self.flow._function, x[None], one, lambda _: own)
        return f[0], made

    def _advance(self, x: Any, u: Any, p: Tree, begin: Any, h: Any, forced: list[Array]) -> Any:
        """Return the state after a step h of the method, decisions fixed."""
        dt = self.flow.dt

        def field(y: Any, c: float) -> Any:
            return self.field(y, u, p, (begin + c * h) / dt, forced)[0]

        return self.flow._method.step(field, None, x, h)

    def _margin(
        self, x: Any, u: Any, p: Tree, begin: Any, h: Any, outcomes: list[Array], meets: Meets
    ) -> Any:
        """Return how far beyond the edge of its region a decision is after a step h."""
        which, element, edge = meets
        y = self._advance(x, u, p, begin, h, outcomes)
        made = self.field(y, u, p, (begin + h) / self.flow.dt, outcomes)[1]
        return anp.reshape(made[which].of, (-1,))[element] - edge

    def plan(self, x: Array, u: Array | None, p: Tree) -> list[Part] | None:
        """Divide the step from a state ``(n,)`` at surfaces, None if the field jumps at none."""
        begin, jumps = 0.0, False
        outcomes = [d.outcome for d in self.field(x, u, p, 0.0, [])[1]]
        parts: list[Part] = []
        for _ in range(MOST_SURFACES):
            duration, met = self._first(x, u, p, begin, outcomes)
            if not met:
                return [*parts, Part(outcomes, duration)] if jumps else None
            found, after, y = self._across(x, u, p, begin, duration, outcomes, met)
            begin += duration
            if duration > 0:
                jumps_here = self._leads_away(y, u, p, begin, outcomes, after, met[0])
                if jumps_here or self._felt(y, u, p, begin, outcomes, after):
                    for which, *_ in met:
                        self.flow.seen.meet(len(outcomes), which, jumps_here)
                jumps = jumps or jumps_here
                parts += found
            x, outcomes = y, after
        raise Sliding

    def _across(
        self, x: Array, u: Any, p: Tree, begin: float, duration: float, outcomes: list[Array],
        met: list[Meets],
    ) -> tuple[list[Part], list[Array], Array]:  # fmt: skip
        """Return the parts that end where surfaces are met at once, what is beyond, and the state.

        The first takes time, the others none: perturbations meet one surface after the other. A
        surface that turns round, or rests, where another one is met, is the same written twice;
        one that is not asked for beyond another does nothing.
        """
        y = self._advance(x, u, p, begin, duration, outcomes)
        after, now, left = outcomes, begin + duration, list(met)
        parts: list[Part] = []
        while left:
            meets, before = left.pop(0), after
            if meets[0] >= len(before):
                continue
            if parts:
                slope = self._slope(y, u, p, now, 0.0, before, meets)
            else:
                slope = self._slope(x, u, p, begin, duration, before, meets)
            parts.append(Part(before, 0.0 if parts else duration, meets, slope))
            after = self._changed(y, u, p, now / self.flow.dt, before, meets)
            for other in list(left):
                if other[0] >= len(after):
                    continue
                slopes = [self._slope(y, u, p, now, 0.0, held, other) for held in (before, after)]
                if slopes[0] * slopes[1] <= 0:
                    after = self._changed(y, u, p, now / self.flow.dt, after, other)
                    left.remove(other)
        return parts, after, y

    def _slope(
        self, x: Array, u: Any, p: Tree, begin: float, h: float, outcomes: list[Array], meets: Meets
    ) -> float:
        """Return how fast a decision comes to the edge of its region after a step h."""
        return float(grad(lambda h: self._margin(x, u, p, begin, h, outcomes, meets))(h))

    def _first(
        self, x: Array, u: Any, p: Tree, begin: float, outcomes: list[Array]
    ) -> tuple[float, list[Meets]]:
        """Return when and where decisions first leave their regions: in all that is left if none.

        More than one does where units are alike, or where one surface is written twice.
        """
        dt = self.flow.dt
        left = dt - begin
        y = self._advance(x, u, p, begin, left, outcomes)
        here = self.field(x, u, p, begin / dt, outcomes)[1]
        there = self.field(y, u, p, (begin + left) / dt, outcomes)[1]
        found = []
        for which, (a, b) in enumerate(zip(here, there, strict=True)):
            low, high = (edge.ravel() for edge in b.edges)
            start, end = np.ravel(a.of), np.ravel(b.of)
            for element in np.flatnonzero((end < low) | (end > high)):
                edge = low[element] if end[element] < low[element] else high[element]
                meets = (which, int(element), float(edge))
                when = self._time(x, u, p, begin, left, outcomes, meets, start[element])
                found.append((when, meets))
        if not found:
            return left, []
        first = min(found)[0]
        at_once = ON_EDGE * dt if first > 0 else 0.0
        return first, [meets for when, meets in sorted(found) if when <= first + at_once]

    def _time(
        self, x: Array, u: Any, p: Tree, begin: float, left: float, outcomes: list[Array],
        meets: Meets, start: float,
    ) -> float:  # fmt: skip
        """Return the time at which a decision meets an edge."""
        from scipy.optimize import brentq  # a tenth of a second to load

        edge = meets[2]
        end = self._margin(x, u, p, begin, left, outcomes, meets)
        if (start - edge) * end >= 0:  # on the edge, to rounding
            return 0.0
        return float(
            brentq(
                lambda h: self._margin(x, u, p, begin, h, outcomes, meets) if h else start - edge,
                0.0, left, xtol=1e-15 * self.flow.dt, rtol=1e-15,
            )
        )  # fmt: skip

    def _changed(
        self, y: Array, u: Any, p: Tree, c: float, outcomes: list[Array], meets: Meets
    ) -> list[Array]:
        """Return the outcomes beyond a surface; those of later decisions may depend on it."""
        which, element, edge = meets
        made = self.field(y, u, p, c, outcomes)[1]
        decision = made[which]
        outcome = np.array(decision.outcome, dtype=float)
        _, high = (e.ravel() for e in decision.edges)
        up = edge == high[element]
        if decision.kind == "sign":
            outcome.ravel()[element] = 1.0 if up else -1.0
        else:
            outcome.ravel()[element] += 1.0 if up else -1.0
        forced = [d.outcome for d in made[:which]] + [outcome]
        free = self.field(y, u, p, c, forced)[1]
        while len(forced) < len(free):
            i = len(forced)
            forced.append(free[i].outcome)
            if i < len(made) and made[i].outcome.shape == free[i].outcome.shape:
                # What lies on the edge of its region, to rounding, stays in it.
                old, of = made[i].outcome, free[i].of
                away = np.minimum(*(np.abs(of - edge) for edge in made[i].edges))
                forced[i] = np.where(away <= ON_EDGE * (1 + np.abs(of)), old, forced[i])
                if (forced[i] != free[i].outcome).any():  # later ones may depend on it
                    free = self.field(y, u, p, c, forced)[1]
        return forced

    def _leads_away(
        self, y: Array, u: Any, p: Tree, begin: float, outcomes: list[Array], after: list[Array],
        meets: Meets,
    ) -> bool:  # fmt: skip
        """Say whether the field jumps at a surface, and refuse it if it then leads back there."""
        c, small = begin / self.flow.dt, SMALL * self.flow.dt
        before, beyond = (self.field(y, u, p, c, o)[0] for o in (outcomes, after))
        if np.abs(beyond - before).max() <= NO_JUMP * np.abs(before).max():
            return False
        which, element, _ = meets
        rates = []
        for held in (outcomes, after):
            moved = self._advance(y, u, p, begin, small, held)
            there = [(y, c), (moved, c + small / self.flow.dt)]
            ends = [self.field(z, u, p, at, held)[1][which].of for z, at in there]
            rates.append(np.ravel(ends[1])[element] - np.ravel(ends[0])[element])
        if rates[0] * rates[1] <= 0:
            raise Sliding
        return True

    def _felt(
        self, y: Array, u: Any, p: Tree, begin: float, outcomes: list[Array], after: list[Array]
    ) -> bool:
        """Say whether decisions do anything to the field beside a surface where it is continuous.

        If not, as in a branch that is not taken, it may jump there elsewhere.
        """
        small = SMALL * self.flow.dt
        moved, c = self._advance(y, u, p, begin, small, outcomes), (begin + small) / self.flow.dt
        fields = [self.field(moved, u, p, c, held)[0] for held in (outcomes, after)]
        return bool((fields[0] != fields[1]).any())

    def through(self, x: Any, u: Any, p: Tree, parts: list[Part] | None) -> Any:
        """Return the state after a step in parts, as a function that autograd may trace.

        The times at which surfaces are met are found again by two steps of Newton's method from
        where they are: these have their derivatives, first and second.
        """
        if parts is None:
            return self._advance(x, u, p, 0.0, self.flow.dt, [])
        begin: Any = 0.0
        for part in parts[:-1]:
            assert part.meets is not None
            h: Any = part.duration
            for _ in range(2):
                margin = self._margin(x, u, p, begin, h, part.outcomes, part.meets)
                h = h - margin / part.slope
            x = self._advance(x, u, p, begin, h, part.outcomes)
            begin = begin + h
        return self._advance(x, u, p, begin, self.flow.dt - begin, parts[-1].outcomes)

    def crosses(self, x: Array, u: Array | None, p: Tree, y: Array) -> bool:
        """Say whether one step meets a surface."""
        records: list[list[Decision]] = []

        def recorded(y: Any, c: float) -> Any:
            f, made = self.field(y, u, p, c, [])
            records.append(made)
            return f

        self.flow._method.step(recorded, None, x, self.flow.dt)
        recorded(y, 1.0)
        first, *others = records
        return any(
            len(made) != len(first) or self.flow.seen.differ(first, made).any() for made in others
        )


def _own(tree: Tree) -> Tree:
    """Return parameters that autograd traces as lanes."""

    def own(x: Any) -> Any:
        return Lanes(anp.reshape(x, (*np.shape(value(x)), 1))) if isbox(x) else x

    return rebuild(tree, [own(leaf) for leaf in leaves(tree)])
