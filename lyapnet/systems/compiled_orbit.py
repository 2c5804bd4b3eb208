"""A stretch of trajectory that compiled loops run."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compiled.loop import Loop
from ..numerics.arrays import Array
from ..numerics.autodiff import Function, Tree, member
from .jacobian_orbit import SMALL_DIM, JacobianOrbit
from .orbit import comes_back


class CompiledOrbit(JacobianOrbit):
    """An orbit of a map or flow, whose states and tangent vectors compiled loops carry.

    States are computed when they are asked for: the tangent loop runs along with its own.

    Parameters
    ----------
    loop : Loop
    x : array (..., n)
    inputs : array (T, ..., m) or None
    n_steps : int
    params, step, jacobian
        As for `JacobianOrbit`; functions of this ensemble, or None where they are of a larger one.
    """

    n_steps: int = 0
    runs_along = True

    def __init__(
        self,
        loop: Loop,
        x: Array,
        inputs: Array | None,
        n_steps: int,
        params: Tree,
        step: Function | None,
        jacobian: Function | None,
    ) -> None:
        self.loop = loop
        self.n_steps = n_steps
        self.inputs = None if inputs is None else inputs[:n_steps]
        self._x = x
        self._params, self._step, self._jacobian = params, step, jacobian
        self.members_last = x.ndim > 1 and x.shape[-1] <= SMALL_DIM
        flat = x.reshape(-1, x.shape[-1])
        self._given = loop.inputs(inputs, n_steps), *loop.given
        self._start = loop.grouped(flat)
        self._reached: tuple[int, Array] = (0, self._start)

    def of_members(self, which: NDArray[np.bool_]) -> CompiledOrbit:
        """Return the orbit of some members; see `Orbit.of_members`."""
        inputs = self.inputs
        if inputs is not None:
            shape = self.n_steps, *which.shape, inputs.shape[-1]
            inputs = np.broadcast_to(inputs, shape)[:, which]
        params = member(self._params, which.shape, which)
        given = self.loop.of_members(which), self._x[which], inputs, self.n_steps, params
        return self._like(*given, None, None)

    def for_fewer(self, k: int) -> CompiledOrbit:
        """Return the orbit with loops for k tangent vectors; see `Orbit.for_fewer`."""
        given = self._x, self.inputs, self.n_steps, self._params
        return self._like(self.loop.of_size(k), *given, self._step, self._jacobian)

    def _like(self, *given: Any) -> CompiledOrbit:
        """Return an orbit of the same kind."""
        return CompiledOrbit(*given)

    @cached_property
    def _grouped(self) -> Array:
        """States after each step, in groups ``(groups, T, n, lanes)``."""
        return self.loop.kernel.run(self._start, *self._given, self.n_steps)

    @cached_property
    def states(self) -> Array:  # type: ignore[override]  # computed when it is asked for
        """States ``(T + 1, ..., n)``."""
        return np.concatenate([self._x[None], self.loop.members(self._grouped, 1)])

    @cached_property
    def jacobians(self) -> Array:
        """Jacobians of all steps ``(T, ..., n, n)``: where the field jumps, by loops of all steps.

        NumPy divides the steps that meet a surface one after the other.
        """
        loop, n = self.loop, self._x.shape[-1]
        if loop.known is None or not self.n_steps:
            return super().jacobians
        states = self.states[:-1]
        flat, lead = states.reshape(-1, n), states.shape[:-1]
        steps = loop.of_steps(n, self.n_steps)
        inputs = self.inputs
        if inputs is not None:
            inputs = np.broadcast_to(inputs, (*lead, inputs.shape[-1])).reshape(1, len(flat), -1)
        q = steps.grouped(np.broadcast_to(np.eye(n), (len(flat), n, n))).copy()
        given = steps.inputs(inputs, 1), *steps.given
        steps.kernel.blocks(
            steps.grouped(flat).copy(), q, *given, first=0, count=1, interval=1, least=-1.0
        )
        return steps.members(q, 0).swapaxes(-1, -2).reshape(*lead, n, n)

    def returns(self, steps: int, near: float, unit: float) -> bool:
        """Say whether the trajectory comes back; see `Orbit.returns`."""
        later = self._grouped.transpose(1, 0, 3, 2)
        first = self._start.swapaxes(1, 2)[None]
        return comes_back(np.concatenate([first, later[steps - 1 : -1 : steps]]), later, near, unit)

    @property
    def last(self) -> Array:
        """State at the end."""
        return self.loop.members(self._at(self.n_steps), 0)

    def _at(self, s: int) -> Array:
        """Return the state before step s, in groups."""
        step, x = self._reached
        if step == s:
            return x
        return self._start if s == 0 else np.ascontiguousarray(self._grouped[:, s - 1])

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry tangent vectors through step s: of small systems by Jacobians, made all at once."""
        small = self._x.shape[-1] <= SMALL_DIM and self._jacobian is not None
        if small or rows.shape[-2] != self.loop.kernel.k:
            super().push(s, rows, out)
        else:
            out[...] = self.through(rows, s, s + 1)

    def through(self, rows: Array, first: int, last: int) -> Array:
        """Return tangent vectors carried through steps ``first ... last``."""
        loop = self.loop
        k, n = rows.shape[-2:]
        if k != loop.kernel.k:
            return super().through(rows, first, last)
        x, q = self._at(first).copy(), loop.grouped(rows.reshape(-1, k, n)).copy()
        loop.kernel.blocks(
            x, q, *self._given, first=first, count=1, interval=last - first, least=-1.0
        )
        return loop.members(q, 0)

    def blocks(
        self,
        rows: Array,
        first: int,
        count: int,
        interval: int,
        least: float,
        collapsed: float = np.inf,
    ) -> tuple[int, Array, Array]:
        """Carry a basis through blocks of steps as long as it is good enough; see `Orbit.blocks`.

        As many blocks are done as went well in all members.
        """
        if rows.shape[-2] != self.loop.kernel.k:
            return super().blocks(rows, first, count, interval, least, collapsed)
        how = {"first": first, "interval": interval, "least": least, "collapsed": collapsed}
        return self._carried(rows, count, how)

    def disturbed(
        self, rows: Array, first: int, factors: Array, least: float
    ) -> tuple[int, Array, Array]:
        """Carry a basis through steps that are a little off; see `Orbit.disturbed`."""
        if rows.shape[-2] != self.loop.kernel.k:
            return super().disturbed(rows, first, factors, least)
        count = len(factors)
        each = factors.reshape(count, -1, *rows.shape[-2:]).swapaxes(0, 1)
        noise = self.loop.grouped(each, shared=True)
        how = {"first": first, "interval": 1, "least": least, "noise": noise}
        return self._carried(rows, count, how)

    def _carried(self, rows: Array, count: int, how: dict[str, Any]) -> tuple[int, Array, Array]:
        loop = self.loop
        x = self._at(how["first"]).copy()
        q = loop.grouped(rows.reshape(-1, *rows.shape[-2:])).copy()
        before = (x.copy(), q.copy()) if len(x) > 1 else (x, q)
        done, growth = loop.kernel.blocks(x, q, *self._given, count=count, **how)
        alone = len(done) == 1
        least_done = int(done[0] if alone else done.min())
        if not alone and least_done < done.max():  # groups that went on are taken back
            x, q = before
            if "noise" in how:
                how["noise"] = np.ascontiguousarray(how["noise"][:, :least_done])
            loop.kernel.blocks(x, q, *self._given, count=least_done, **how)
        self._reached = how["first"] + least_done * how["interval"], x
        growth = growth[:least_done, : max(1, rows[..., 0, 0].size)]
        return least_done, loop.members(q, 0), growth.reshape(least_done, *rows.shape[:-1])
