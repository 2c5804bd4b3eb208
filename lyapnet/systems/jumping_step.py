"""One step of a flow whose field jumps, in parts that end at the surfaces where it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import grad
from autograd.tracer import isbox

from ..numerics.arrays import Array
from ..numerics.autodiff import Tree, leaves, rebuild, value
from ..numerics.lanes import Decision, Lanes, in_lanes, recording

#: Surfaces that a state may meet within one step.
_MOST = 20

#: How far from the edge of a region, relative to itself, something is as good as on it.
_ON_EDGE = 1e-9

#: Jumps smaller than this, relative to the field, are none: the field is continuous there.
_NO_JUMP = 1e-9


#: What is said of a field whose states slide along a surface.
SLIDES = "leads back, from both sides, to a surface where it jumps"


class Sliding(Exception):
    """The fields of both sides lead back to the surface."""


@dataclass
class Part:
    """A part of a step, in which decisions are fixed, up to a surface or the end of the step.

    `meets` is the decision that changes at its end, the element of it, and the edge of its region.
    """

    outcomes: list[Array]
    duration: float
    meets: tuple[int, int, float] | None = None
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
        self, x: Any, u: Any, p: Tree, begin: Any, h: Any, part: Part, meets: tuple[int, int, float]
    ) -> Any:
        """Return how far beyond the edge of its region a decision is after a step h."""
        which, element, edge = meets
        y = self._advance(x, u, p, begin, h, part.outcomes)
        made = self.field(y, u, p, (begin + h) / self.flow.dt, part.outcomes)[1]
        return anp.reshape(made[which].of, (-1,))[element] - edge

    def plan(self, x: Array, u: Array | None, p: Tree) -> list[Part] | None:
        """Divide the step from a state ``(n,)`` at surfaces, None if the field jumps at none."""
        dt, begin, jumps = self.flow.dt, 0.0, False
        outcomes = [d.outcome for d in self.field(x, u, p, 0.0, [])[1]]
        parts: list[Part] = []
        for _ in range(_MOST):
            left = dt - begin
            part = Part(outcomes, left)
            meets = self._first(x, u, p, begin, left, part)
            if meets is None:
                return [*parts, part] if jumps else None
            part.duration, part.meets = meets
            y = self._advance(x, u, p, begin, part.duration, outcomes)
            begin += part.duration
            after = self._changed(y, u, p, begin / dt, part)
            if part.duration > 0:
                part.slope = grad(
                    lambda h, x=x, b=begin - part.duration, part=part: self._margin(
                        x, u, p, b, h, part, part.meets
                    )
                )(part.duration)
                jumps_here = self._leads_away(y, u, p, begin, after, part)
                self.flow.seen.meet(len(outcomes), meets[1][0], jumps_here)
                jumps = jumps or jumps_here
                parts.append(part)
            x, outcomes = y, after
        raise Sliding

    def _first(
        self, x: Array, u: Any, p: Tree, begin: float, left: float, part: Part
    ) -> tuple[float, tuple[int, int, float]] | None:
        """Return when and where the first decision leaves its region, None if none does."""
        y = self._advance(x, u, p, begin, left, part.outcomes)
        here = self.field(x, u, p, begin / self.flow.dt, part.outcomes)[1]
        there = self.field(y, u, p, (begin + left) / self.flow.dt, part.outcomes)[1]
        found = []
        for which, (a, b) in enumerate(zip(here, there, strict=True)):
            low, high = (edge.ravel() for edge in b.edges)
            start, end = np.ravel(a.of), np.ravel(b.of)
            for element in np.flatnonzero((end < low) | (end > high)):
                edge = low[element] if end[element] < low[element] else high[element]
                meets = (which, int(element), float(edge))
                found.append((self._time(x, u, p, begin, left, part, meets, start[element]), meets))
        return min(found, default=None)

    def _time(
        self, x: Array, u: Any, p: Tree, begin: float, left: float, part: Part,
        meets: tuple[int, int, float], start: float,
    ) -> float:  # fmt: skip
        """Return the time at which a decision meets an edge."""
        from scipy.optimize import brentq  # a tenth of a second to load

        edge = meets[2]
        end = self._margin(x, u, p, begin, left, part, meets)
        if (start - edge) * end >= 0:  # on the edge, to rounding
            return 0.0
        return float(
            brentq(
                lambda h: self._margin(x, u, p, begin, h, part, meets) if h else start - edge,
                0.0, left, xtol=1e-15 * self.flow.dt, rtol=1e-15,
            )
        )  # fmt: skip

    def _changed(self, y: Array, u: Any, p: Tree, c: float, part: Part) -> list[Array]:
        """Return the outcomes beyond a surface; those of later decisions may depend on it."""
        assert part.meets is not None
        which, element, edge = part.meets
        made = self.field(y, u, p, c, part.outcomes)[1]
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
        later = [d.outcome for d in free[which + 1 :]]
        for i, (old, new) in enumerate(zip(made[which + 1 :], free[which + 1 :], strict=False)):
            if old.outcome.shape == new.outcome.shape:
                # What lies on the edge of its region, to rounding, stays in it.
                away = np.minimum(*(np.abs(new.of - edge) for edge in old.edges))
                later[i] = np.where(away <= _ON_EDGE * (1 + np.abs(new.of)), old.outcome, later[i])
        return forced + later

    def _leads_away(
        self, y: Array, u: Any, p: Tree, begin: float, after: list[Array], part: Part
    ) -> bool:
        """Say whether the field jumps at a surface, and refuse it if it then leads back there."""
        assert part.meets is not None
        c, small = begin / self.flow.dt, 1e-6 * self.flow.dt
        before, beyond = (self.field(y, u, p, c, o)[0] for o in (part.outcomes, after))
        if np.abs(beyond - before).max() <= _NO_JUMP * np.abs(before).max():
            return False
        which, element, _ = part.meets
        rates = []
        for outcomes in (part.outcomes, after):
            moved = self._advance(y, u, p, begin, small, outcomes)
            there = [(y, c), (moved, c + small / self.flow.dt)]
            ends = [self.field(z, u, p, at, outcomes)[1][which].of for z, at in there]
            rates.append(np.ravel(ends[1])[element] - np.ravel(ends[0])[element])
        if rates[0] * rates[1] <= 0:
            raise Sliding
        return True

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
            meets: Any = part.meets  # only the last part meets no surface
            for _ in range(2):
                h = h - self._margin(x, u, p, begin, h, part, meets) / part.slope
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
