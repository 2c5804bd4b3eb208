"""Systems of functions that a user wrote for one state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from ..compiled.array_symbol import ArraySymbol
from ..compiled.branches import on_all_paths
from ..compiled.symbols import Symbols, symbol_in
from ..compiled.trace import as_symbols
from ..numerics.arrays import own
from ..numerics.autodiff import (
    Function,
    Tree,
    is_traced,
    jacobian_of,
    leaves,
    member,
    over_states,
    value,
)
from ..numerics.current import Current
from ..numerics.lanes import Lanes, lifted
from ..numerics.lanes.written import written
from ..numerics.plain_numpy import for_autograd_and_lanes
from ..numerics.refusals import refuse_foreign, refuse_objects
from .forward_orbit import LARGE
from .modes import WAYS, InModes
from .portable import Portable
from .protocol import System
from .user_errors import clearer
from .user_function import of_shape, same, scattered
from .variation import Variation

#: What a user's function is written down with.
_NOTED = Symbols, ArraySymbol


class UserSystem(Portable, InModes):
    """What maps and flows of user's functions have in common.

    How these are called is decided in `modes`.

    Attributes
    ----------
    vectorized, time : bool
    """

    time: bool
    #: What tangent vectors are carried by instead of the derivative: made of it.
    _variation: Variation | None = None
    #: Whether the user's Jacobian runs in lanes, None as long as that is not known.
    _derivative_in_lanes: bool | None = None
    #: Attributes that are only remembered, or follow from others: they tell no map from another.
    _remembered: tuple[str, ...] = (
        "_known_vectorized", "_derivative_in_lanes", "_told", "_seen_apart", "_seen_right", "seen",
        "_function", "_derivative",
    )  # fmt: skip
    #: The user's functions of (x, input and time, p), the latter None where autograd derives it.
    _function: Function
    _derivative: Function | None
    #: Integers among the parameters.
    _counts: int

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
        versions = Current(function, for_autograd_and_lanes)
        remedy = "give `jacobian=`" if name == self.named else "write it with NumPy alone"

        def call(x: Any, now: Any, p: Tree) -> Any:
            traced = is_traced(x, now, p)
            try:
                if isinstance(x, _NOTED):
                    return self._written(function, x, now, p, shape, name)
                if isinstance(x, Lanes):
                    _, in_lanes, by_lanes = versions.now()
                    out = in_lanes(*self._passed(written(x) if by_lanes else x, now, p))
                elif traced:
                    out = versions.now()[0](*self._passed(x, now, p))
                else:
                    out = function(*self._passed(x, now, p))
                if isinstance(out, list | tuple):
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

        vars(call)["traced_in_lanes"] = versions.now()[2]  # see `over_states`
        return call

    def _written(
        self, function: Any, x: Any, now: Any, p: Tree, shape: tuple[int, ...] | None, name: str
    ) -> Any:
        """Return what a user's function makes of symbols, on all paths through it."""

        def follow() -> Any:
            return self._returned(function(*self._passed(x, now, p)), x, shape, name)

        return on_all_paths(symbol_in(x).graph, follow)

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
            derivative = jacobian_of(function, self.dim, self.named, at_once=mode in WAYS)
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

    def alike(self, lead: tuple[int, ...]) -> bool:
        """Say whether all members of an ensemble of this shape have the same parameters."""
        each = (np.asarray(value(x)) for x in leaves(self.params))
        own = [x.reshape(-1, *x.shape[len(lead) :]) for x in each if x.shape[: len(lead)] == lead]
        return not lead or all((x == x[:1]).all() for x in own)

    def _at(self, mode: str, lead: tuple[int, ...]) -> tuple[Function, Function]:
        """Return step and Jacobian for many states at once; u are rows of the `drive`."""
        return self._over_states(mode, lead)
