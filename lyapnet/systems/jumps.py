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
from typing import Any

import autograd.numpy as anp
import numpy as np

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
from ..numerics.lanes import Decision, recording
from .integrators import TABLEAUS
from .jacobian_orbit import JacobianOrbit
from .jumping_step import SLIDES, JumpingStep, Part, Sliding
from .orbit import Orbit
from .user_function import same, scattered
from .user_system import UserSystem


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
        self.one = JumpingStep(flow)
        self.plans: dict[bytes, list[Part] | None] = {}

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
            found[i] = self.one.crosses(*given, y[i])
        return found

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
            meets |= flow.seen.differ(records[0], made)
        return meets.reshape(x.shape[:-1])

    def _parts(self, x: Array, u: Array | None, p: Tree) -> list[Part] | None:
        """Return the plan of a step, from those made already if it is among them."""
        key = b"".join(
            np.asarray(a, dtype=float).tobytes() for a in (x, u, *leaves(p)) if a is not None
        )
        if key not in self.plans:
            try:
                self.plans[key] = None if self.flow.seen.without else self.one.plan(x, u, p)
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
            return replaced(smooth(x, u, p), x, u, p, self.one.through)

        def jacobian(x: Any, u: Any, p: Tree) -> Any:
            n = x.shape[-1]
            whole = smooth_jacobian(x, u, p)
            whole = anp.broadcast_to(whole, (*x.shape, n))

            def one(x: Any, u: Any, p: Tree, parts: list[Part] | None) -> Any:
                derivative = jacobian_of(
                    lambda x, u, p: self.one.through(x, u, p, parts), n, "field"
                )
                return derivative(x, u, p)

            return replaced(whole, x, u, p, one)

        return step, jacobian

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `System.orbit`."""
        flow, p = self.flow, self.flow.params
        mode = flow.forward_mode(x, inputs, lambda *at: flow._smooth(*at)[0])
        run = flow._smooth(mode, self.lead)[0]
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
        return JacobianOrbit(states, inputs, p, *self.functions(self.mode(states, inputs)))

    def mode(self, states: Array, inputs: Array | None) -> str:
        """Return how all states are given to the field at once where it does not jump."""
        flow = self.flow
        few, rows = scattered(states[:-1][:3]), None if inputs is None else inputs[:3]
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
            states[s + 1][i] = self.one.through(x, row, p, self._parts(x, row, p))


def _plain(tree: Tree) -> Tree:
    return rebuild(tree, [value(leaf) for leaf in leaves(tree)])


def look_for_decisions(flow: Any, x: Array, inputs: Array | None) -> None:
    """See whether the field has functions that jump, and the steps can end where they do."""
    given = flow._first_member(x, None if inputs is None or not len(inputs) else inputs[0])
    able = ends_steps(flow) and bool(np.isfinite(x).all())
    flow.seen.decides = able and can_decide(flow, *given)


def ends_steps(flow: Any) -> bool:
    """Say whether there are steps for a flow that can end at surfaces."""
    return flow.method in TABLEAUS and type(flow)._split is UserSystem._split


def can_decide(flow: Any, x: Array, u: Array | None, p: Tree) -> bool:
    """Say whether the field at a state ``(n,)`` makes decisions that can be told."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = JumpingStep(flow).field(x, u, p, 0.0, [])[1]
            flow.seen.differ(made, made)
            return len(made) > 0
    except Exception:  # whatever a function raises that lanes do not do
        return False
