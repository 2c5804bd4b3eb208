"""Maps written by the user."""

from __future__ import annotations

import copy
import inspect
import re
import warnings
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from .. import validate
from ..compiled.loop import untraceable
from ..compiled.rewrite import rewritten
from ..compiled.trace import Symbols, as_symbols, with_jacobian
from ..numerics.arrays import Array
from ..numerics.autodiff import (
    Function,
    Tree,
    is_traced,
    jacobian_of,
    leaves,
    over_states,
    rebuild,
    refuse_complex,
    refuse_objects,
    refuse_traced,
)
from ..numerics.lanes import Lanes, lifted
from ..numerics.plain_numpy import for_autograd
from .compiled_orbit import CompiledOrbit
from .drive import Drive
from .engine import loop_of, missing
from .orbit import JacobianOrbit, Orbit
from .protocol import System

#: So many states are too many to be silent about calling a function for each.
_MANY = 512


class Map(System):
    """A map written by the user.

    Parameters
    ----------
    step : callable
        ``step(x)``, ``step(x, u)`` with inputs, ``step(x, p)`` or ``step(x, u, p)`` with
        `params`, and with `time` t after x: ``step(x, t, u, p)``. Takes one state ``(n,)`` and
        returns the next one. Written with `autograd.numpy` it needs no Jacobian, and its
        exponents are differentiable.
    dim : int
        Dimension n of the state.
    jacobian : callable, optional
        The derivative of `step` in x, ``(n, n)``, with the same arguments; by autograd
        if left out.
    n_inputs : int, optional
        Dimension of the input u.
    params : float, array, or dict, list or tuple of such, optional
        Parameters p. In an ensemble a parameter may be per member, with the ensemble's
        axes in front.
    vectorized : bool, optional
        Whether `step` and `jacobian` take states ``(..., n)``, as in SciPy's
        `solve_ivp`: much the faster for an ensemble. t then has shape (...).
    time : bool, optional
        Whether `step` and `jacobian` depend on the time t, at which a step begins; runs start
        at their `t0`.
    dt : float, optional
        Time that a step takes: exponents are per unit of it.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import lyapnet as ln
    >>> henon = ln.Map(lambda x: np.array([1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]]), 2)
    >>> henon.jacobian(np.array([0.5, 0.1]))
    array([[-1.4,  1. ],
           [ 0.3,  0. ]])
    """

    #: What the user's function is called here.
    named = "step"
    #: Whether its step can be written down for compiled loops, and the loops of a run.
    _writable = True
    _loop: Any = None
    _initial: Array | None = None
    #: What tangent vectors are carried by instead of the derivative: made of it.
    _variation: Callable[[Any], Any] | None = None
    #: What of the Jacobian of a step is left: a matrix of zeros and ones.
    _part: Array | None = None
    #: Whether it has been seen that a function said to be vectorized is.
    _known_vectorized = False
    #: Whether the user's Jacobian runs in lanes, None as long as that is not known.
    _derivative_in_lanes: bool | None = None
    #: Attributes that are only remembered: they tell no map from another.
    _remembered = ("_known_vectorized", "_derivative_in_lanes", "_told", "seen")

    def __init__(
        self,
        step: Callable[..., Any],
        dim: int,
        *,
        jacobian: Callable[..., Any] | None = None,
        n_inputs: int = 0,
        params: Tree = None,
        vectorized: bool = False,
        time: bool = False,
        dt: float = 1.0,
    ) -> None:
        if not callable(step):
            raise TypeError(f"`{self.named}` must be callable, got {step!r}")
        if jacobian is not None and not callable(jacobian):
            raise TypeError(f"`jacobian` must be callable or None, got {jacobian!r}")
        #: Functions of which it has been said that they run state by state; copies know it, too.
        self._told: set[str] = set()
        self.dim = validate.integer("dim", dim, low=1)
        self.n_inputs = validate.integer("n_inputs", n_inputs, low=0)
        self.vectorized = bool(vectorized)
        self.time = bool(time)
        self.dt = validate.real("dt", dt, positive=True)
        self.params = _checked_params(params)
        self._counts = sum(isinstance(leaf, int | np.integer) for leaf in leaves(params))
        for name, function in ((self.named, step), ("jacobian", jacobian)):
            check_arguments(name, function, self._arguments_of)
        self._given = step, jacobian
        self._function, self._derivative = self._called(step, jacobian)

    @property
    def _arguments_of(self) -> tuple[str, ...]:
        """Names of what the user's function is called with."""
        there = (True, self.time, self.n_inputs > 0, self.params is not None)
        return tuple(name for name, given in zip("xtup", there, strict=True) if given)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(dim={self.dim}, n_inputs={self.n_inputs}, dt={self.dt:g})"

    def _called(self, step: Any, jacobian: Any) -> tuple[Function, Function | None]:
        """Return the user's function and Jacobian as they are called here."""
        n = self._size
        function = self._normalised(step, self.named, (n,))
        if jacobian is None:
            return function, None
        return function, self._normalised(jacobian, "jacobian", (n, n))

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
        driven, with_params = self.n_inputs > 0, self.params is not None
        traceable = for_autograd(function)

        def call(x: Any, now: Any, p: Tree) -> Any:
            given = self._split(x)
            if self.time:
                given.append(now[..., -1] if self.vectorized else now[-1])
                now = now[..., :-1] if self.vectorized else now[:-1]
            given += [*((now,) if driven else ()), *((p,) if with_params else ())]
            try:
                out = (traceable if is_traced(x, now, p) else function)(*given)
                if isinstance(out, list | tuple) and not isinstance(x, Symbols):
                    out = anp.array(out)
            except ValueError as error:
                if "inhomogeneous" not in str(error):
                    raise
                raise ValueError(
                    f"`{name}` joins components of different shapes for one state, where each is "
                    "a number; if parameters are those of an ensemble, give `x0` its axes in front"
                ) from error
            except (TypeError, IndexError) as error:
                if not (self._counts and re.search("integer|indices", str(error))):
                    raise
                raise TypeError(
                    f"`{name}` needs an integer ({error}), and `params`, of which {self._counts} "
                    "were given as integers, become arrays of floats: leave counts and indices "
                    f"out of `params`, and let `{name}` take them from around it"
                ) from error
            if isinstance(x, Symbols):
                out = as_symbols(out)
                return out if shape is None else of_shape(out, shape, name)
            out = refuse_complex(refuse_objects(lifted(out), name), name)
            alone = not self.vectorized and (isinstance(x, Lanes) or np.ndim(x) == 1)
            return of_shape(out, shape, name) if alone and shape is not None else out

        return call

    def _split(self, x: Any) -> list[Any]:
        """Return the user's arguments that what the function is given as x stands for."""
        return [x]

    def _over_states(self, mode: str, lead: tuple[int, ...]) -> tuple[Function, Function]:
        """Return the user's function and its Jacobian for many states at once."""
        function = over_states(self._function, mode, lead)
        if self._derivative is None:
            derivative = jacobian_of(function, self.dim, self.named)
        elif mode in ("columns", "lanes"):
            derivative = self._derivative_over_states(lead)
        else:
            derivative = over_states(self._derivative, mode, lead)
        if self._variation is None:
            return function, derivative
        vary = self._variation
        return function, lambda x, u, p: vary(derivative(x, u, p))

    def _derivative_over_states(self, lead: tuple[int, ...]) -> Function:
        """Return the user's Jacobian for many states: in lanes, if that does what it does for one.

        This is seen at the first two steps. Values of a Jacobian there are none to compare with.
        """
        assert self._derivative is not None
        lanes, loop = (over_states(self._derivative, mode, lead) for mode in ("lanes", "loop"))

        def derivative(x: Any, u: Any, p: Tree) -> Any:
            if self._derivative_in_lanes is None and not is_traced(x, u, p):
                few, now = (x, u) if x.ndim == len(lead) + 1 else (x[:2], u if u is None else u[:2])
                expected = np.asarray(loop(few, now, p))
                self._derivative_in_lanes = same(lanes, expected, few, now, p)
                if not self._derivative_in_lanes:
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

    def _at(self, mode: str, lead: tuple[int, ...]) -> tuple[Function, Function]:
        """Return step and Jacobian for many states at once; u are rows of the `drive`."""
        return self._over_states(mode, lead)

    def over_time(self, lead: tuple[int, ...]) -> tuple[Function, Function]:
        """Return step and Jacobian for many states of an ensemble at once."""
        return self._at(self._mode, lead)

    @property
    def _mode(self) -> str:
        return "vectorized" if self.vectorized else "loop"

    def step(self, x: Array, u: Array | None = None, t: float | Array = 0.0) -> Array:
        """Return the next state ``(..., n)``; without an input, under zero input.

        Parameters
        ----------
        x : array (..., n)
        u : array (..., m), optional
            Constant over the step of a flow.
        t : float or array (...), optional
            Time at the beginning of the step, where the system depends on it.
        """
        x, row = self._arguments(x, u, t)
        return self._at(self._mode, x.shape[:-1])[0](x, row, self.params)

    def jacobian(self, x: Array, u: Array | None = None, t: float | Array = 0.0) -> Array:
        """Return the Jacobian of the step, ``(..., n, n)``; arguments as for `step`."""
        x, row = self._arguments(x, u, t)
        found = self._at(self._mode, x.shape[:-1])[1](x, row, self.params)
        return anp.broadcast_to(found, (*x.shape, self.dim))

    def pushforward(self, x: Any, Q: Any, u: Any = None, t: Any = 0.0) -> Any:
        """Return the Jacobian times a tangent basis ``(..., n, k)``; arguments as for `step`."""
        return anp.matmul(self.jacobian(x, u, t), Q)

    @property
    def drive(self) -> Drive:
        """How steps are told their input and time."""
        return Drive(self.n_inputs, self.time, 0, self.dt)

    def _arguments(self, x: Any, u: Any, t: Any) -> tuple[Any, Any]:
        x = x if hasattr(x, "shape") else np.asarray(x, dtype=float)
        return x, self.drive.row(u, t)

    def default_state(self, rng: np.random.Generator) -> Array | None:
        """Return the catalog's initial state; a system of the user's own has none."""
        return self._initial

    def ensemble(self, x: Array, u: Array | None) -> tuple[int, ...]:
        """Return the shape of the ensemble that states, inputs and parameters span."""
        if not self.vectorized:
            return super().ensemble(x, u)
        now = Drive(self.n_inputs, self.time).row(u, 0.0)
        y = np.shape(self._function(x, now, self.params))
        if y[-1:] != (self.dim,):
            raise ValueError(f"`{self.named}` must return states (..., {self.dim}), got shape {y}")
        return np.broadcast_shapes(super().ensemble(x, u), y[:-1])

    def written(self, x: Any, row: Any, p: Tree, dt: Any) -> Any:
        """Return the next state of arrays of symbols, which compiled loops are made of.

        Parameters
        ----------
        x : array (n,)
        row : array or None
            See `Drive`.
        p : tree
        dt : symbol
        """
        return self._on_symbols()(x, row, p)

    def _on_symbols(self) -> Function:
        """Return the user's function as it is called on symbols, its own Jacobian with it."""
        step, jacobian = self._given
        function, derivative = self._called(
            rewritten(step), None if jacobian is None else rewritten(jacobian)
        )
        if derivative is None:
            return function
        return lambda x, now, p: with_jacobian(x, function(x, now, p), derivative(x, now, p))

    def cannot_compile(self) -> str:
        """Return why the system cannot be run by compiled loops, nothing if it can."""
        if not self._writable:
            return f"there are no loops for a {type(self).__name__}"
        if self._variation is not None or self._part is not None:
            return "there are no loops for a part of its tangent vectors"
        return missing() or untraceable(self)

    def prepared(self, x: Array, inputs: Array | None, k: int, n_steps: int) -> System:
        """Return the system with compiled loops where they pay; see `System.prepared`."""
        other = copy.copy(self)
        other._loop, reason = loop_of(self, x, inputs, k, n_steps)
        other.engine_used = "numpy" if other._loop is None else "compiled", reason
        return other

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `System.orbit`."""
        lead = x.shape[:-1]
        inputs = None if inputs is None else inputs[:n_steps]
        if self._loop is not None and self._loop.lead == lead:
            return CompiledOrbit(self._loop, x, inputs, n_steps, self.params, *self.over_time(lead))
        run = self._at(self.forward_mode(x, inputs), lead)[0]
        states = np.empty((n_steps + 1, *x.shape))
        states[0] = x
        with np.errstate(over="ignore", invalid="ignore"):
            for s in range(n_steps):
                y = run(states[s], None if inputs is None else inputs[s], self.params)
                if np.shape(y) != x.shape:
                    raise ValueError(
                        f"`step` must return an array of the state's shape {x.shape}, got "
                        f"{np.shape(y)}; for an ensemble give `x0` its axes in front"
                    )
                states[s + 1] = refuse_traced(y, self.named)
        mode = self.tangent_mode(states, inputs, lambda mode: self._at(mode, lead)[0])
        return JacobianOrbit(states, inputs, self.params, *self._at(mode, lead))

    def forward_mode(self, x: Array, inputs: Array | None) -> str:
        """Return how the states ``(..., n)`` of an ensemble are given to the user's function."""
        lead = x.shape[:-1]
        if not lead or self.vectorized:
            return self._mode
        u = None if inputs is None or not len(inputs) else inputs[0]
        expected = np.asarray(self._at(self._mode, lead)[0](x, u, self.params))
        for mode in ("columns", "lanes"):
            if same(self._at(mode, lead)[0], expected, x, u, self.params):
                return mode
        self._tell_slow(self.named, x)
        return self._mode

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

        def reproduces(mode: str) -> bool:
            return same(step(mode), states[1:], states[:-1], inputs, self.params)

        n_steps = len(states) - 1
        if not np.isfinite(states[-1]).all():
            pass  # refused by whoever runs this
        elif not self.vectorized and n_steps:
            for mode in ("columns", "lanes"):
                if reproduces(mode):
                    return mode
            self._tell_slow(self.named, states[1:])
        elif self.vectorized and n_steps > 1 and not self._known_vectorized:
            if not reproduces(self._mode):
                raise ValueError(
                    "`step` is not vectorized: given states (..., n) it does not do what it does "
                    "for each; index components as x[..., 0] and join them by "
                    "np.stack([...], axis=-1), or leave out vectorized=True"
                )
            self._known_vectorized = True
        return self._mode


def of_shape(out: Any, shape: tuple[int, ...], name: str) -> Any:
    """Return what a user's function has returned for one state, if it has the right shape.

    A number alone is taken where only one is wanted. Any other shape is refused: it would be
    broadcast to something that looks right.
    """
    found = tuple(np.shape(out))
    if found == shape:
        return out
    if found in ((), (1,)) and set(shape) == {1}:
        return anp.reshape(out, shape) if isinstance(out, np.ndarray) else out + np.zeros(shape)
    raise ValueError(
        f"`{name}` must return an array of shape {shape} for a state of {shape[0]} components, got "
        f"shape {found}; if parameters are those of an ensemble, give `x0` its axes in front"
    )


def same(columns: Function, expected: Array, x: Array, u: Array | None, p: Tree) -> bool:
    """Compare a trial evaluation by columns with known values.

    A function that is not made for columns may fail in any way, by an assertion of its own or by
    one that its compiler raises: all of these mean no.
    """
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = np.asarray(columns(x, u, p), dtype=float)
    except Exception:
        return False
    # Members of an ensemble that have diverged are NaN both times.
    return found.shape == expected.shape and np.allclose(
        found, expected, rtol=1e-9, atol=1e-12, equal_nan=True
    )


def check_arguments(name: str, function: Any, given: tuple[str, ...]) -> None:
    """Refuse a function that cannot be called with x, and with t, u and p where there are such.

    What a function takes is not always known: that of NumPy, or one that is wrapped, may say
    something else, and is taken as it is.
    """
    if function is None or hasattr(function, "__signature__"):
        return
    try:
        # Of a decorated function it is the outer one that is called.
        signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*given)
    except TypeError as error:
        missing = [text for letter, text in _REMEDIES.items() if letter not in given]
        remedy = f": {', '.join(missing)}" if missing else ""
        raise TypeError(
            f"`{name}` must be a function of ({', '.join(given)}), got one of {signature} "
            f"({error}){remedy}"
        ) from None


#: How a function comes to be called with more, in this order.
_REMEDIES = {
    "t": "time t after x needs `time=True`",
    "u": "an input u needs `n_inputs=`",
    "p": "parameters p need `params=`",
}


def _checked_params(params: Tree) -> Tree:
    """Turn the leaves of a parameter tree into float arrays, traced ones excepted."""
    if params is None:
        return None
    checked = [
        leaf if hasattr(leaf, "_value") else validate.array("params", leaf)
        for leaf in leaves(params)
    ]
    return rebuild(params, checked)
