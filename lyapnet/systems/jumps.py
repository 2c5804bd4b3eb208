r"""Flows whose field jumps across surfaces: steps that end and begin there.

A step of a Runge-Kutta method that goes on across a jump of the field has an error of the order of
the step, and its derivative misses what the surface does to a perturbation: of two neighbours one
meets it a little later, and moves on for so long with the velocity of the other side (the saltation
matrix of M. A. Aizerman and F. R. Gantmakher, Q. J. Mech. Appl. Math. 11, 382 (1958)),

.. math:: S = 1 + \frac{(f_+ - f_-)\, \nabla g^T}{\nabla g \cdot f_-}

So functions that jump (signs, comparisons, whole parts) are asked what they decide, and decisions
are held fixed along a step, until the surface :math:`g = 0` on which one of them changes. Up to
there goes one step of the method and from there another; the time :math:`\theta(x)` of the former
is a function of the state, and the tangent step the exact derivative of both together.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import grad
from autograd.tracer import isbox
from scipy.optimize import brentq

from ..numerics.arrays import Array
from ..numerics.autodiff import (
    Function,
    Tree,
    jacobian_of,
    leaves,
    member,
    over_states,
    rebuild,
    value,
)
from ..numerics.lanes import Decision, Lanes, in_lanes, recording
from .map import same
from .orbit import JacobianOrbit, Orbit

#: Surfaces that a state may meet within one step.
_MOST = 20

#: Surfaces at which a field must be continuous to be taken for so.
_KINKS = 5

#: What changes less than this, relative to the field, between neighbours is no jump of a field that
#: only its values tell about.
JUMP = 1e-3

#: Bends of a trajectory that are looked at more closely.
_BENDS = 3

#: A step so short, relative to the state, ends where it began.
_AT_REST = 1e-9

#: How far from the edge of a region, relative to itself, something is as good as on it.
_ON_EDGE = 1e-9

#: Jumps smaller than this, relative to the field, are none: the field is continuous there.
_NO_JUMP = 1e-9


#: What is said of a field whose states slide along a surface.
SLIDES = "leads back, from both sides, to a surface where it jumps"


class Sliding(Exception):
    """The fields of both sides lead back to the surface."""


@dataclass
class Seen:
    """What is known of the jumps of a flow's field; copies of the flow share it.

    Attributes
    ----------
    decides : bool or None
        Whether decisions of the field can be told apart; None if that is not known.
    one_by_one : bool
        Whether only for one state at a time, as with ``if``.
    jumps, kinks : int
        Surfaces met so far where it jumps, and where it is continuous.
    without : str
        How the field jumps where steps go on across it.
    looks : int
        Stretches in which such jumps have been looked for.
    """

    decides: bool | None = None
    one_by_one: bool = False
    jumps: int = 0
    kinks: int = 0
    without: str = ""
    looks: int = 0

    @property
    def matter(self) -> bool:
        """Whether steps should end at surfaces: not where the field is found to be continuous."""
        return bool(self.decides) and not self.without and (self.jumps > 0 or self.kinks < _KINKS)


@dataclass
class Part:
    """A part of a step, in which decisions are fixed, up to a surface or the end of the step.

    `meets` is the decision that changes at its end, the element of it, and the edge of its region.
    """

    outcomes: list[Array]
    duration: float
    meets: tuple[int, int, float] | None = None
    slope: float = 1.0


class JumpingSteps:
    """The steps of a flow with a field that jumps.

    Parameters
    ----------
    flow : Flow
        With an explicit method.
    lead : tuple of int
        Shape of the ensemble.
    """

    def __init__(self, flow: Any, lead: tuple[int, ...]) -> None:
        self.flow, self.lead = flow, lead
        self.plans: dict[bytes, list[Part] | None] = {}

    # One state

    def _field(self, x: Any, u: Any, p: Tree, c: Any, forced: list[Array]) -> Any:
        """Return the field at a state ``(n,)`` and a fraction of the step, and its decisions."""
        now = self.flow.drive.now(u, c)
        with recording(forced) as made:
            one = None if now is None else now[None]
            f = in_lanes(self.flow._function, x[None], one, _own(p))
        return f[0], made

    def _advance(self, x: Any, u: Any, p: Tree, begin: Any, h: Any, forced: list[Array]) -> Any:
        """Return the state after a step h of the method, decisions fixed."""
        dt = self.flow.dt

        def field(y: Any, c: float) -> Any:
            return self._field(y, u, p, (begin + c * h) / dt, forced)[0]

        return self.flow._method.step(field, None, x, h)

    def _margin(
        self, x: Any, u: Any, p: Tree, begin: Any, h: Any, part: Part, meets: tuple[int, int, float]
    ) -> Any:
        """Return how far beyond the edge of its region a decision is after a step h."""
        which, element, edge = meets
        y = self._advance(x, u, p, begin, h, part.outcomes)
        made = self._field(y, u, p, (begin + h) / self.flow.dt, part.outcomes)[1]
        return anp.reshape(made[which].of, (-1,))[element] - edge

    def plan(self, x: Array, u: Array | None, p: Tree) -> list[Part] | None:
        """Divide the step from a state ``(n,)`` at surfaces, None if the field jumps at none."""
        dt, begin, jumps = self.flow.dt, 0.0, False
        outcomes = [d.outcome for d in self._field(x, u, p, 0.0, [])[1]]
        parts: list[Part] = []
        for _ in range(_MOST):
            left = dt - begin
            part = Part(outcomes, left)
            meets = self._first(x, u, p, begin, left, part)
            if meets is None:
                self.flow.seen.jumps += jumps
                self.flow.seen.kinks += not jumps
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
                jumps = self._leads_away(y, u, p, begin, after, part) or jumps
                parts.append(part)
            x, outcomes = y, after
        raise Sliding

    def _first(
        self, x: Array, u: Any, p: Tree, begin: float, left: float, part: Part
    ) -> tuple[float, tuple[int, int, float]] | None:
        """Return when and where the first decision leaves its region, None if none does."""
        y = self._advance(x, u, p, begin, left, part.outcomes)
        here = self._field(x, u, p, begin / self.flow.dt, part.outcomes)[1]
        there = self._field(y, u, p, (begin + left) / self.flow.dt, part.outcomes)[1]
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
        made = self._field(y, u, p, c, part.outcomes)[1]
        decision = made[which]
        outcome = np.array(decision.outcome, dtype=float)
        _, high = (e.ravel() for e in decision.edges)
        up = edge == high[element]
        if decision.kind == "sign":
            outcome.ravel()[element] = 1.0 if up else -1.0
        else:
            outcome.ravel()[element] += 1.0 if up else -1.0
        forced = [d.outcome for d in made[:which]] + [outcome]
        free = self._field(y, u, p, c, forced)[1]
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
        before, beyond = (self._field(y, u, p, c, o)[0] for o in (part.outcomes, after))
        if np.abs(beyond - before).max() <= _NO_JUMP * np.abs(before).max():
            return False
        which, element, _ = part.meets
        rates = []
        for outcomes in (part.outcomes, after):
            moved = self._advance(y, u, p, begin, small, outcomes)
            there = [(y, c), (moved, c + small / self.flow.dt)]
            ends = [self._field(z, u, p, at, outcomes)[1][which].of for z, at in there]
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

    # Many states

    def crossing(self, x: Array, u: Array | None, p: Tree, y: Array) -> Array:
        """Say which steps ``x -> y``, of states ``(..., n)``, meet a surface."""
        if not self.flow.seen.one_by_one:
            try:
                return self._crossing(x, u, p, y)
            except TypeError:  # a condition differs between lanes
                self.flow.seen.one_by_one = True
        found = np.zeros(x.shape[:-1], dtype=bool)
        at = np.argwhere(np.ones(found.shape))
        for i, given in zip(map(tuple, at), self._each(x, u, p, at), strict=True):
            found[i] = self._crosses(*given, y[i])
        return found

    def _crosses(self, x: Array, u: Array | None, p: Tree, y: Array) -> bool:
        """Say whether one step meets a surface."""
        records: list[list[Array]] = []

        def recorded(y: Any, c: float) -> Any:
            f, made = self._field(y, u, p, c, [])
            records.append([d.outcome for d in made])
            return f

        self.flow._method.step(recorded, None, x, self.flow.dt)
        recorded(y, 1.0)
        return any(
            len(made) != len(records[0])
            or any((a != b).any() for a, b in zip(records[0], made, strict=True))
            for made in records[1:]
        )

    def _crossing(self, x: Array, u: Array | None, p: Tree, y: Array) -> Array:
        """Say which steps of many meet a surface, of all at once."""
        flow, drive = self.flow, self.flow.drive
        field = over_states(flow._function, "lanes", self.lead)
        records: list[list[Decision]] = []

        def recorded(y: Any, c: float) -> Any:
            with recording() as made:
                f = field(y, drive.now(u, c), p)
            records.append(made)
            return f

        flow._method.step(recorded, None, x, flow.dt)
        recorded(y, 1.0)
        meets = np.zeros(x[..., 0].size, dtype=bool)
        for made in records[1:]:
            for first, other in zip(records[0], made, strict=True):
                differ = np.atleast_2d(first.outcome != other.outcome)
                meets |= differ.reshape(-1, differ.shape[-1]).any(axis=0)
        return meets.reshape(x.shape[:-1])

    def _parts(self, x: Array, u: Array | None, p: Tree) -> list[Part] | None:
        """Return the plan of a step, from those made already if it is among them."""
        key = b"".join(
            np.asarray(a, dtype=float).tobytes() for a in (x, u, *leaves(p)) if a is not None
        )
        if key not in self.plans:
            try:
                self.plans[key] = None if self.flow.seen.without else self.plan(x, u, p)
            except Sliding:
                self.flow.seen.without = SLIDES
                self.plans[key] = None
        return self.plans[key]

    def _each(self, x: Any, u: Any, p: Tree, at: Array) -> list[tuple[Any, Any, Tree]]:
        """Return state, input and parameters of single steps."""
        n_lead = len(self.lead)
        found = []
        for i in map(tuple, at):
            rows = None
            if u is not None:
                rows = u[tuple(j if m > 1 else 0 for j, m in zip(i, u.shape[:-1], strict=True))]
            found.append((x[i], rows, member(p, self.lead, i[len(i) - n_lead :])))
        return found

    def functions(self, mode: str) -> tuple[Function, Function]:
        """Return step and Jacobian of all states ``(..., *lead, n)`` at once."""
        smooth, smooth_jacobian = self.flow._smooth(mode, self.lead)

        def replaced(whole: Any, x: Any, u: Any, p: Tree, one: Any) -> Any:
            plain, rows, params = value(x), None if u is None else value(u), _plain(p)
            after = smooth(plain, rows, params)
            crossing = np.asarray(self.crossing(plain, rows, params, after))
            if not crossing.any():
                return whole
            at = np.argwhere(crossing)
            plans = [self._parts(*given) for given in self._each(plain, rows, params, at)]
            traced = zip(self._each(x, u, p, at), plans, strict=True)
            single = [one(*given, parts) for given, parts in traced]
            shape = np.shape(value(whole))
            tail = shape[x.ndim - 1 :]
            flat = anp.concatenate([anp.reshape(whole, (-1, *tail)), anp.stack(single)])
            index = np.arange(crossing.size)
            index[crossing.ravel()] = crossing.size + np.arange(len(at))
            return anp.reshape(flat[index], shape)

        def step(x: Any, u: Any, p: Tree) -> Any:
            return replaced(smooth(x, u, p), x, u, p, self.through)

        def jacobian(x: Any, u: Any, p: Tree) -> Any:
            n = x.shape[-1]
            whole = smooth_jacobian(x, u, p)
            whole = anp.broadcast_to(whole, (*x.shape, n))

            def one(x: Any, u: Any, p: Tree, parts: list[Part] | None) -> Any:
                derivative = jacobian_of(lambda x, u, p: self.through(x, u, p, parts), n, "field")
                return derivative(x, u, p)

            return replaced(whole, x, u, p, one)

        return step, jacobian

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `System.orbit`."""
        flow, p = self.flow, self.flow.params
        run = flow._smooth(flow.forward_mode(x, inputs), self.lead)[0]
        states = np.empty((n_steps + 1, *x.shape))
        states[0] = x
        s, length = 0, 1 if self.lead else 32
        with np.errstate(over="ignore", invalid="ignore"):
            while s < n_steps:
                stop = min(s + length, n_steps)
                for i in range(s, stop):
                    states[i + 1] = run(states[i], None if inputs is None else inputs[i], p)
                if not np.isfinite(states[stop]).all():
                    break
                rows = None if inputs is None else inputs[s:stop]
                meets = self.crossing(states[s:stop], rows, p, states[s + 1 : stop + 1])
                steps = np.flatnonzero(meets.reshape(stop - s, -1).any(axis=1))
                if len(steps):
                    stop = s + int(steps[0]) + 1
                    self._mend(states, stop - 1, meets[steps[0]], inputs)
                if not self.lead:
                    length = max(1, length // 2) if len(steps) else min(2 * length, 256)
                s = stop
        states[s + 1 :] = states[s + 1 :] if s == n_steps else np.nan
        return JacobianOrbit(states, inputs, p, *self.functions(self._mode(states, inputs)))

    def _mode(self, states: Array, inputs: Array | None) -> str:
        """Return how all states are given to the field at once where it does not jump."""
        flow = self.flow
        few, rows = states[:3], None if inputs is None else inputs[:3]
        expected = np.asarray(flow._smooth(flow._mode, self.lead)[0](few, rows, flow.params))
        for mode in ("lanes", "columns"):
            if same(flow._smooth(mode, self.lead)[0], expected, few, rows, flow.params):
                return mode
        return str(flow._mode)

    def _mend(self, states: Array, s: int, meets: Array, inputs: Array | None) -> None:
        """Do a step once more for the members that meet a surface in it."""
        at = np.argwhere(meets) if self.lead else np.zeros((1, 0), dtype=int)
        u = None if inputs is None else inputs[s]
        given = self._each(states[s], u, self.flow.params, at)
        for i, (x, row, p) in zip(map(tuple, at), given, strict=True):
            states[s + 1][i] = self.through(x, row, p, self._parts(x, row, p))


def _plain(tree: Tree) -> Tree:
    return rebuild(tree, [value(leaf) for leaf in leaves(tree)])


def _own(tree: Tree) -> Tree:
    """Return parameters that autograd traces as lanes."""

    def own(x: Any) -> Any:
        return Lanes(anp.reshape(x, (*np.shape(value(x)), 1))) if isbox(x) else x

    return rebuild(tree, [own(leaf) for leaf in leaves(tree)])


def can_decide(flow: Any, x: Array, u: Array | None, p: Tree) -> bool:
    """Say whether the field at a state ``(n,)`` makes decisions that can be told."""
    steps = JumpingSteps(flow, ())
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return len(steps._field(x, u, p, 0.0, [])[1]) > 0
    except Exception:  # whatever a function raises that lanes do not do
        return False


def jump_along(field: Any, states: Array, dt: float) -> float:
    """Return how much a field jumps at the sharpest bends of a trajectory, relative to itself.

    Parameters
    ----------
    field : callable
        From the number of a step and a state ``(n,)`` to the velocity.
    states : array (T + 1, n)
        With T at least 4.
    dt : float
    """
    velocity = np.diff(states, axis=0) / dt
    bend = np.abs(np.diff(velocity, axis=0)).max(axis=1)
    around = np.minimum(np.roll(bend, 3), np.roll(bend, -3))
    sharp = np.argsort(bend / (around + 1e-12 * (1e-300 + np.abs(velocity).max())))[-_BENDS:]
    largest = 0.0
    for s in sharp:
        for i in (s, s + 1):
            a, b = states[i], states[i + 1]
            if np.abs(b - a).max() <= _AT_REST * np.abs(a).max():
                continue  # what the field does there is rounding
            f, g = field(i, a), field(i, b)
            size = max(np.abs(f).max(), np.abs(g).max())
            for _ in range(60):
                if np.abs(g - f).max() <= JUMP * size:
                    break
                m = (a + b) / 2
                h = field(i, m)
                if np.abs(h - f).max() >= np.abs(g - h).max():
                    b, g = m, h
                else:
                    a, f = m, h
            else:
                largest = max(largest, float(np.abs(g - f).max() / size))
    return largest
