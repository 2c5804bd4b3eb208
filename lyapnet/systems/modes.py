"""How functions that a user wrote for one state are called with many."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..numerics.arrays import Array
from ..numerics.autodiff import Function, Tree, is_traced, member, value
from .protocol import System
from .user_function import check_repeatable, same, scattered

#: From a mode and the shape of an ensemble to a function of its states.
_Steps = Callable[[str, tuple[int, ...]], Function]

#: Modes that are tried where a function is not said to be vectorized.
WAYS = "columns", "lanes", "rows"

#: So many steps of a run are looked at by themselves.
_LOOKED_AT = 2

#: So many members of an ensemble are looked at, and others believed to be alike.
_MEMBERS = 16

#: So often a mode has to be right before it is believed to be right for other states as well.
_SURE = 3

#: So many states are too many to be silent about calling a function for each.
_MANY = 512

NOT_VECTORIZED = (
    "`{}` is not vectorized: given states (..., n) it does not do what it does for each; index "
    "components as x[..., 0] and join them by np.stack([...], axis=-1), or leave out "
    "vectorized=True"
)


class InModes(System):
    """A system that finds out how its functions are called with many states.

    Functions are called in a *mode*: "vectorized" with states ``(..., n)``, as the user says they
    can be; "columns" with ``(n, M)``, which most functions of one state ``(n,)`` stand; "lanes"
    with `Lanes`; "rows" with ``(..., n)``, as Fourier transforms want it; or "loop", with one state
    after the other. A faster mode is used where it is seen to do what the user's own does.
    """

    vectorized: bool
    #: What the user's function is called here.
    named = "step"
    #: Whether it has been seen that a function said to be vectorized is.
    _known_vectorized = False
    #: Functions of which it has been said that they are slow.
    _told: set[str]
    #: Ways to call it with many states, and axes of these, which have been seen to be right.
    _seen_apart: set[tuple[str, int]]
    #: How often, at states of runs; with the axes in front of the ensemble's.
    _seen_right: dict[tuple[str, int, int], int]

    def _at(self, mode: str, lead: tuple[int, ...]) -> tuple[Function, Function]:
        """Return step and Jacobian for many states at once; u are rows of the `drive`."""
        raise NotImplementedError

    def over_time(self, lead: tuple[int, ...]) -> tuple[Function, Function]:
        """Return step and Jacobian for states ``(*lead, n)``, or ``(T, *lead, n)`` of an orbit."""

        def at_once(which: int) -> Function:
            def function(x: Any, u: Any, p: Tree) -> Any:
                return self._at(self._mode_along(value(x), value(u), lead), lead)[which](x, u, p)

            return function

        return at_once(0), at_once(1)

    def _mode_along(self, x: Array, u: Array | None, lead: tuple[int, ...]) -> str:
        """Return how all states of an orbit are given to the user's function, seen on a few."""
        if self.vectorized or x.ndim < len(lead) + 2 or x[..., 0].size <= _LOOKED_AT:
            return self._mode
        few = x[:_LOOKED_AT], None if u is None else u[:_LOOKED_AT]
        return self._way(*few, lead, axes=1) or self._mode

    def _way(
        self,
        x: Array,
        u: Array | None,
        lead: tuple[int, ...],
        axes: int = 0,
        steps: _Steps | None = None,
    ) -> str | None:
        """Return a mode that does to states what is done to each; see `_apart`."""
        steps = steps or (lambda mode, lead: self._at(mode, lead)[0])
        sure = (m for m in WAYS if self._seen_right.get((m, x.ndim, axes), 0) >= _SURE)
        if (known := next(sure, None)) and x[..., 0].size > 1:
            return known
        one = steps(self._mode, lead)
        members = _some(np.asarray(np.isfinite(x).all(axis=(*range(axes), -1))))
        at = (slice(None),) * axes + members
        few = len(members[0]) if members else 0
        rows = None if u is None else np.broadcast_to(u, (*x.shape[:-1], u.shape[-1]))[at]
        each = steps(self._mode, (few,) if lead else ())
        with np.errstate(all="ignore"):
            expected = np.asarray(each(x[at], rows, member(self.params, lead, members)))
        now = u[0] if axes and u is not None else u
        for mode in self._ways(x[0] if axes else x, now, lead, steps):
            step = steps(mode, lead)

            def of_some(x: Any, u: Any, p: Tree, step: Function = step) -> Any:
                return np.asarray(step(x, u, p))[at]

            alike = same(of_some, expected, x, u, self.params)
            if alike and self._apart(mode, step, one, x, u, axes):
                key = mode, x.ndim, axes
                self._seen_right[key] = self._seen_right.get(key, 0) + (x[..., 0].size > 1)
                return mode
        return None

    def _ways(
        self, x: Array, u: Array | None, lead: tuple[int, ...], step: _Steps
    ) -> Iterator[str]:
        """Find modes that do to two states near the first of ``(*lead, n)`` what is done to each.

        Where all pairs of numbers meet, as in `numpy.subtract.outer`, those of many states as
        columns would fill the memory.
        """
        yield from (mode for mode in WAYS if (mode, 0) in self._seen_apart)
        first = (0,) * len(lead)
        x, p = x[first], member(self.params, lead, first)
        count = 2 if self.dim != 2 else 3  # no square
        z = scattered(np.tile(x, (count, 1)))
        rows = None if u is None else np.tile(u[(0,) * (u.ndim - 1)], (count, 1))
        one = step(self._mode, ())
        try:
            with np.errstate(all="ignore"):
                each = [one(z[i], None if rows is None else rows[i], p) for i in range(count)]
        except Exception:  # of the user's function, beside the states of the run
            return
        for mode in WAYS:
            if (mode, 0) in self._seen_apart:
                continue
            if same(step(mode, ()), np.asarray(each, dtype=float), z, rows, p):
                self._seen_apart.add((mode, 0))
                yield mode

    @property
    def _mode(self) -> str:
        return "vectorized" if self.vectorized else "loop"

    def _mode_of(self, x: Any, row: Any) -> str:
        """Return how states ``(..., n)`` are given to the user's function by whoever steps them."""
        plain = isinstance(x, np.ndarray) and x.ndim > 1 and x.dtype != object
        if not plain or is_traced(row, self.params):
            return self._mode
        return self.forward_mode(x, None if row is None else row[None])

    def forward_mode(self, x: Array, inputs: Array | None, steps: _Steps | None = None) -> str:
        """Return how the states ``(..., n)`` of an ensemble are given to the user's function.

        It is seen in a step, or what `steps` makes of a mode and the shape of an ensemble.
        """
        lead = x.shape[:-1]
        if x[..., 0].size < 2 or self.vectorized:
            return self._mode
        now = None if inputs is None or not len(inputs) else inputs[0]
        way = self._way(x, now, lead, steps=steps)
        if way is None:
            self._tell_slow(self.named, x)
        return way or self._mode

    def _apart(
        self, mode: str, many: Function, each: Function, x: Array, u: Array | None, axes: int = 0
    ) -> bool:
        """Say whether a function does to each of many states what it does to it alone.

        This is seen once, at states near x ``(..., n)`` that differ. So many axes stand in front of
        those of the ensemble.
        """
        shape, key = x.shape[:-1], (mode, x.ndim)
        if key in self._seen_apart or x[..., 0].size < 2:
            return True
        z = scattered(x)
        some = {tuple(0 for _ in shape), tuple(m - 1 for m in shape)}
        rows = None if u is None else np.broadcast_to(u, (*shape, u.shape[-1]))
        try:
            with np.errstate(all="ignore"):
                alone = [
                    each(
                        z[at],
                        None if rows is None else rows[at],
                        member(self.params, shape[axes:], at[axes:]),
                    )
                    for at in some
                ]
        except Exception:  # of the user's function, beside the states of the run
            return False
        where = tuple(np.transpose(list(some)))
        if not same(
            lambda x, u, p: np.asarray(many(x, u, p))[where],
            np.asarray(alone, dtype=float), z, u, self.params,
        ):  # fmt: skip
            return False
        self._seen_apart.add(key)
        return True

    def tangent_mode(self, states: Array, inputs: Array | None, step: _Steps) -> str:
        """Return how all states of a trajectory are given to the user's function at once.

        Parameters
        ----------
        states : array (T + 1, ..., n)
        inputs : array (T, ..., c) or None
        step : callable
            From the mode, and the shape of an ensemble, to the step that leads from each state to
            the next.
        """
        n_steps, lead = len(states) - 1, states.shape[1:-1]
        few = slice(0, min(n_steps, _LOOKED_AT))
        some = states[few], None if inputs is None else inputs[few]

        def reproduces(mode: str) -> bool:
            function, one = step(mode, lead), step(self._mode, lead)
            if not same(function, states[1:], states[:-1], inputs, self.params):
                return False
            return self._apart(mode, function, one, *some, axes=1)

        if not np.isfinite(states[-1]).all():
            pass  # refused by whoever runs this
        elif not self.vectorized and n_steps:
            now = None if inputs is None else inputs[0]
            for mode in self._ways(states[0], now, lead, step):
                if reproduces(mode):
                    return mode
            first = states[:1], None if inputs is None else inputs[:1], self.params
            check_repeatable(step(self._mode, lead), first, self.named)
            self._tell_slow(self.named, states[1:])
        elif self.vectorized and n_steps > 1 and not self._known_vectorized:
            if not reproduces(self._mode):
                raise ValueError(NOT_VECTORIZED.format(self.named))
            self._known_vectorized = True
        return self._mode

    def _tell_slow(self, name: str, x: Array) -> None:
        """Warn once where a function is called for one of many states after the other."""
        count = x[..., 0].size
        if count < _MANY or name in self._told:
            return
        self._told.add(name)
        warnings.warn(
            f"`{name}` is called for one state after the other, {count} times in a stretch, since "
            "it does not run on several at once: write it with NumPy's functions of arrays, "
            "without an index that is computed, or setting elements of arrays made outside of it; "
            "or let it take states (..., n), with vectorized=True",
            stacklevel=2,
        )


def _some(known: Array) -> tuple[Array, ...]:
    """Return where a few members ``(...)`` of an ensemble are, of those that are known if any."""
    flat = np.flatnonzero(known) if known.any() else np.arange(known.size)
    chosen = flat[np.unique(np.linspace(0, len(flat) - 1, _MEMBERS).astype(int))]
    return np.unravel_index(chosen, known.shape) if known.ndim else ()
