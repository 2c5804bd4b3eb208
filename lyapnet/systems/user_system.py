"""Systems of functions that a user wrote for one state, and how these are called with many."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from ..compiled.array_symbol import ArraySymbol
from ..compiled.symbols import Symbols
from ..compiled.trace import as_symbols
from ..numerics.arrays import Array, own
from ..numerics.autodiff import (
    Function,
    Tree,
    is_traced,
    jacobian_of,
    leaves,
    member,
    over_states,
    refuse_foreign,
    refuse_objects,
    value,
)
from ..numerics.lanes import Lanes, lifted
from ..numerics.plain_numpy import for_autograd
from .forward_orbit import LARGE
from .portable import Portable
from .protocol import System
from .user_errors import clearer
from .user_function import check_repeatable, of_shape, same, scattered
from .variation import Variation

#: What a user's function is written down with.
_NOTED = Symbols, ArraySymbol

#: Modes that are tried where a function is not said to be vectorized.
WAYS = "columns", "lanes", "rows"

#: So many steps of a run are looked at by themselves.
_LOOKED_AT = 2

#: So many states are too many to be silent about calling a function for each.
_MANY = 512

NOT_VECTORIZED = (
    "`{}` is not vectorized: given states (..., n) it does not do what it does for each; index "
    "components as x[..., 0] and join them by np.stack([...], axis=-1), or leave out "
    "vectorized=True"
)


class UserSystem(Portable, System):
    """What maps and flows of user's functions have in common.

    Functions are called in a *mode*: "vectorized" with states ``(..., n)``, as the user says they
    can be; "columns" with ``(n, M)``, which most functions of one state ``(n,)`` stand; "lanes"
    with `Lanes`; "rows" with ``(..., n)``, as Fourier transforms want it; or "loop", with one state
    after the other. A faster mode is used where it is seen to do what the user's own does.

    Attributes
    ----------
    vectorized, time : bool
    """

    vectorized: bool
    time: bool
    #: What the user's function is called here.
    named = "step"
    #: What tangent vectors are carried by instead of the derivative: made of it.
    _variation: Variation | None = None
    #: Whether it has been seen that a function said to be vectorized is.
    _known_vectorized = False
    #: Whether the user's Jacobian runs in lanes, None as long as that is not known.
    _derivative_in_lanes: bool | None = None
    #: Attributes that are only remembered, or follow from others: they tell no map from another.
    _remembered: tuple[str, ...] = (
        "_known_vectorized", "_derivative_in_lanes", "_told", "_seen_apart", "seen", "_function",
        "_derivative",
    )  # fmt: skip
    #: The user's functions of (x, input and time, p), the latter None where autograd derives it.
    _function: Function
    _derivative: Function | None
    #: Integers among the parameters, and functions of which it has been said that they are slow.
    _counts: int
    _told: set[str]
    #: Ways to call it with many states, and axes of these, which have been seen to be right.
    _seen_apart: set[tuple[str, int]]

    def _called(self, step: Any, jacobian: Any) -> tuple[Function, Function | None]:
        """Return the user's function and Jacobian as they are called here."""
        n = self._size
        function = self._normalised(step, self.named, (n,))
        if jacobian is None:
            return function, None
        return function, self._normalised(jacobian, "jacobian", (n, n))

    @property
    def differentiated(self) -> bool:  # type: ignore[override]  # an attribute of the class where nothing is decided
        """Whether no Jacobian is given."""
        return self._derivative is None

    def of_member(self, lead: tuple[int, ...], at: Any) -> System:
        """Return the system with the parameters of one member."""
        return self.with_params(member(self.params, lead, at))

    @property
    def written_of(self) -> str:
        """What of the user's a step is made of, for messages of why that cannot be compiled."""
        return f"`{self.named}`"

    @property
    def _sees_inputs(self) -> bool:
        """Whether the user's functions are called with the input."""
        return self.n_inputs > 0

    @property
    def _size(self) -> int:
        """Length of what the user's function is given as a state."""
        return self.dim

    def _normalised(
        self, function: Callable[..., Any], name: str, shape: tuple[int, ...] | None
    ) -> Function:
        """Give a user's function the signature (x, now, p), now being input and time together.

        Parameters
        ----------
        function : callable
        name : str
        shape : tuple of int or None
            Of what it returns for one state; None to leave that to the caller.
        """
        traceable = for_autograd(function)
        by_numba = hasattr(function, "py_func")
        remedy = "give `jacobian=`" if name == self.named else "write it with NumPy alone"

        def call(x: Any, now: Any, p: Tree) -> Any:
            traced = is_traced(x, now, p)
            as_written = traced or (by_numba and isinstance(x, Lanes))
            try:
                out = (traceable if as_written else function)(*self._passed(x, now, p))
                if isinstance(out, list | tuple) and not isinstance(x, _NOTED):
                    out = anp.array(out)
            except Exception as error:
                known = clearer(
                    error, name, remedy=remedy, params=self.params is not None, time=self.time,
                    counts=self._counts, more=traced or isinstance(x, (Lanes, *_NOTED)),
                )  # fmt: skip
                if known is None:
                    raise
                raise known from error
            return self._returned(out, x, shape, name)

        return call

    def _passed(self, x: Any, now: Any, p: Tree) -> list[Any]:
        """Return what the user's function is called with: x, t, u and p, as far as it takes them.

        Of a state it is a copy: a function that writes into its argument has not changed it.
        """
        given = self._split(x.copy() if isinstance(x, np.ndarray | ArraySymbol) else x)
        if self.time:
            given.append(now[..., -1] if self.vectorized else now[-1])
            now = now[..., :-1] if self.vectorized else now[:-1]
        if self._sees_inputs:
            given.append(now)
        if self.params is not None:
            given.append(p)
        return given

    def _returned(self, out: Any, x: Any, shape: tuple[int, ...] | None, name: str) -> Any:
        """Return what the user's function has made of x, if that is of the right kind and shape."""
        if isinstance(x, _NOTED):
            out = as_symbols(out, x)
            return out if shape is None else of_shape(out, shape, name)
        if shape is not None and len(shape) == 2 and hasattr(out, "toarray"):
            out = out.toarray()  # of scipy.sparse
        out = own(refuse_foreign(refuse_objects(lifted(out), name), name))
        alone = not self.vectorized and (isinstance(x, Lanes) or np.ndim(x) == 1)
        return of_shape(out, shape, name) if alone and shape is not None else out

    def _split(self, x: Any) -> list[Any]:
        """Return the user's arguments that what the function is given as x stands for."""
        return [x]

    def _over_states(self, mode: str, lead: tuple[int, ...]) -> tuple[Function, Function]:
        """Return the user's function and its Jacobian for many states at once."""
        function = over_states(self._function, mode, lead)
        if self._derivative is None:
            derivative = jacobian_of(function, self.dim, self.named)
        elif mode in WAYS:
            derivative = self._derivative_over_states(lead)
        else:
            derivative = over_states(self._derivative, mode, lead)
        if self._variation is None:
            return function, derivative
        vary = self._variation
        return function, lambda x, u, p: vary.of_function(derivative(x, u, p))

    def _derivative_over_states(self, lead: tuple[int, ...]) -> Function:
        """Return the user's Jacobian for many states: in lanes, if that does what it does for one.

        This is seen at the first two steps. Values of a Jacobian there are none to compare with.
        """
        assert self._derivative is not None
        lanes, loop = (over_states(self._derivative, mode, lead) for mode in ("lanes", "loop"))

        def derivative(x: Any, u: Any, p: Tree) -> Any:
            if self._derivative_in_lanes is None and not is_traced(x, u, p):
                few, now = (x, u) if x.ndim == len(lead) + 1 else (x[:2], u if u is None else u[:2])
                few = scattered(few)
                expected = np.asarray(loop(few, now, p))
                self._derivative_in_lanes = same(lanes, expected, few, now, p)
                # Beside a large Jacobian its call costs little.
                if not self._derivative_in_lanes and self.dim < LARGE:
                    self._tell_slow("jacobian", x)
            return (lanes if self._derivative_in_lanes else loop)(x, u, p)

        return derivative

    def _tell_slow(self, name: str, x: Array) -> None:
        """Warn once where a function is called for one of many states after the other."""
        count = x[..., 0].size
        if count < _MANY or name in self._told:
            return
        self._told.add(name)
        warnings.warn(
            f"`{name}` is called for one state after the other, {count} times in a stretch, since "
            "it does not run on several at once: write it with NumPy's functions of arrays, "
            "without float(), math, `if` on the state, or setting elements of np.zeros (use "
            "np.zeros_like(x) or np.array([...])); or let it take states (..., n), with "
            "vectorized=True",
            stacklevel=2,
        )

    def alike(self, lead: tuple[int, ...]) -> bool:
        """Say whether all members of an ensemble of this shape have the same parameters."""
        each = (np.asarray(value(x)) for x in leaves(self.params))
        own = [x.reshape(-1, *x.shape[len(lead) :]) for x in each if x.shape[: len(lead)] == lead]
        return not lead or all((x == x[:1]).all() for x in own)

    def _at(self, mode: str, lead: tuple[int, ...]) -> tuple[Function, Function]:
        """Return step and Jacobian for many states at once; u are rows of the `drive`."""
        return self._over_states(mode, lead)

    def over_time(self, lead: tuple[int, ...]) -> tuple[Function, Function]:
        """Return step and Jacobian for states ``(T, *lead, n)`` of an orbit."""

        def at_once(which: int) -> Function:
            def function(x: Any, u: Any, p: Tree) -> Any:
                return self._at(self._mode_along(value(x), value(u), lead), lead)[which](x, u, p)

            return function

        return at_once(0), at_once(1)

    def _mode_along(self, x: Array, u: Array | None, lead: tuple[int, ...]) -> str:
        """Return how all states of an orbit are given to the user's function, seen on a few."""
        if self.vectorized or x.ndim < len(lead) + 2 or len(x) <= _LOOKED_AT:
            return self._mode
        few = x[:_LOOKED_AT], None if u is None else u[:_LOOKED_AT]
        return self._way(*few, lead, axes=1) or self._mode

    def _way(self, x: Array, u: Array | None, lead: tuple[int, ...], axes: int = 0) -> str | None:
        """Return a mode that does to states what is done to each; see `_apart`."""
        one = self._at(self._mode, lead)[0]
        with np.errstate(all="ignore"):
            expected = np.asarray(one(x, u, self.params))
        for mode in WAYS:
            step = self._at(mode, lead)[0]
            if same(step, expected, x, u, self.params) and self._apart(mode, step, one, x, u, axes):
                return mode
        return None

    @property
    def _mode(self) -> str:
        return "vectorized" if self.vectorized else "loop"

    def forward_mode(self, x: Array, inputs: Array | None) -> str:
        """Return how the states ``(..., n)`` of an ensemble are given to the user's function."""
        lead = x.shape[:-1]
        if not lead or self.vectorized:
            return self._mode
        way = self._way(x, None if inputs is None or not len(inputs) else inputs[0], lead)
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

    def tangent_mode(
        self, states: Array, inputs: Array | None, step: Callable[[str], Function]
    ) -> str:
        """Return how all states of a trajectory are given to the user's function at once.

        Parameters
        ----------
        states : array (T + 1, ..., n)
        inputs : array (T, ..., c) or None
        step : callable
            From the mode to the step that leads from each state to the next.
        """
        n_steps = len(states) - 1
        few = slice(0, min(n_steps, _LOOKED_AT))
        some = states[few], None if inputs is None else inputs[few]

        def reproduces(mode: str) -> bool:
            function, one = step(mode), step(self._mode)
            if not same(function, states[1:], states[:-1], inputs, self.params):
                return False
            return self._apart(mode, function, one, *some, axes=1)

        if not np.isfinite(states[-1]).all():
            pass  # refused by whoever runs this
        elif not self.vectorized and n_steps:
            for mode in WAYS:
                if reproduces(mode):
                    return mode
            first = states[:1], None if inputs is None else inputs[:1], self.params
            check_repeatable(step(self._mode), first, self.named)
            self._tell_slow(self.named, states[1:])
        elif self.vectorized and n_steps > 1 and not self._known_vectorized:
            if not reproduces(self._mode):
                raise ValueError(NOT_VECTORIZED.format(self.named))
            self._known_vectorized = True
        return self._mode
