"""What has Lyapunov exponents: the protocol, and maps and flows written by the user."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from . import validate
from .autodiff import (
    Function,
    Tree,
    jacobian_of,
    leaves,
    over_states,
    rebuild,
    refuse_objects,
    value,
)
from .linalg import Array
from .orbit import JacobianOrbit, Orbit

#: Explicit Runge-Kutta methods: the rows of their Butcher tableau, and its weights.
TABLEAUS: dict[str, tuple[list[list[float]], list[float]]] = {
    "euler": ([[]], [1.0]),
    "heun": ([[], [1.0]], [0.5, 0.5]),
    "rk4": ([[], [0.5], [0.0, 0.5], [0.0, 0.0, 1.0]], [1 / 6, 1 / 3, 1 / 3, 1 / 6]),
}


class System:
    """A discrete-time system with state ``(..., n)``: the one protocol of lyapnet.

    Any object with these six members has exponents; a subclass needs to supply only
    `dim`, `step` and `jacobian`, and `orbit` where it can do better than one step at a
    time.

    Attributes
    ----------
    dim : int
        Dimension n of the state.
    n_inputs : int
        Dimension m of the input, 0 for an autonomous system.
    dt : float
        Time that a step takes: 1 for maps and networks.
    """

    dim: int
    n_inputs: int = 0
    dt: float = 1.0
    params: Tree = None

    def step(self, x: Any, u: Any = None) -> Any:
        """Return the next state ``(..., n)``."""
        raise NotImplementedError

    def jacobian(self, x: Any, u: Any = None) -> Any:
        """Return the Jacobian of `step` in the state, ``(..., n, n)``."""
        raise NotImplementedError

    def pushforward(self, x: Any, Q: Any, u: Any = None) -> Any:
        """Return the Jacobian times a tangent basis ``(..., n, k)``."""
        return anp.matmul(self.jacobian(x, u), Q)

    def _to_state(self) -> dict[str, Any] | None:
        """Return nothing: no file can hold the functions of a user's system."""
        return None

    def with_params(self, params: Tree) -> System:
        """Return the same system with other parameters."""
        other = copy.copy(self)
        other.params = rebuild(self.params, leaves(params))
        return other

    def default_state(self, rng: np.random.Generator) -> Array | None:
        """Return a state to start from, None where the user must give one."""
        return None

    def ensemble(self, x: Array, u: Array | None) -> tuple[int, ...]:
        """Return the shape of the ensemble that states and inputs ``(..., m)`` span."""
        return np.broadcast_shapes(x.shape[:-1], () if u is None else u.shape[:-1])

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps from ``x (..., n)`` under inputs ``(n_steps, ..., m)``.

        Parameters
        ----------
        x : array (..., n)
            With the axes of the whole ensemble.
        inputs : array (n_steps, ..., m) or None
        n_steps : int
        """
        states = np.empty((n_steps + 1, *x.shape))
        states[0] = x
        for s in range(n_steps):
            u = () if inputs is None else (inputs[s],)
            states[s + 1] = self.step(states[s], *u)

        def over_time(function: Callable[..., Any]) -> Function:
            def run(x: Any, u: Any, p: Tree) -> Any:
                at = range(len(value(x)))
                steps = [function(x[s], *(() if u is None else (u[s],))) for s in at]
                return anp.stack(steps)

            return run

        return JacobianOrbit(states, inputs, None, over_time(self.step), over_time(self.jacobian))


def as_system(system: Any) -> System:
    """Return a `System`, wrapping any object that has the members of the protocol."""
    if isinstance(system, System):
        return system
    missing = [name for name in ("dim", "step", "jacobian") if not hasattr(system, name)]
    if missing:
        raise TypeError(
            f"`system` must be a System (a Map, a Flow, a cell, or an object with dim, n_inputs, "
            f"dt, step, jacobian and pushforward); {type(system).__name__} has no {missing[0]}"
        )
    return _Foreign(system)


class _Foreign(System):
    """An object that follows the protocol without inheriting from `System`."""

    def __init__(self, system: Any) -> None:
        self.dim = validate.integer("system.dim", system.dim, low=1)
        self.n_inputs = validate.integer("system.n_inputs", getattr(system, "n_inputs", 0), low=0)
        self.dt = validate.real("system.dt", getattr(system, "dt", 1.0), positive=True)
        self.step = system.step  # type: ignore[method-assign]
        self.jacobian = system.jacobian  # type: ignore[method-assign]

    def with_params(self, params: Tree) -> System:
        return self


class Map(System):
    """A map written by the user.

    Parameters
    ----------
    step : callable
        ``step(x)``, ``step(x, u)`` with inputs, ``step(x, p)`` or ``step(x, u, p)`` with
        `params`; takes one state ``(n,)`` and returns the next one. Written with
        `autograd.numpy` it needs no Jacobian, and its exponents are differentiable.
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
        `solve_ivp`: much the faster for an ensemble.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import lyapnet as ln
    >>> henon = ln.Map(lambda x: np.array([1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]]), 2)
    >>> henon.jacobian(np.array([0.5, 0.1]))
    array([[-1.4,  1. ],
           [ 0.3,  0. ]])
    """

    _initial: Array | None = None

    def __init__(
        self,
        step: Callable[..., Any],
        dim: int,
        *,
        jacobian: Callable[..., Any] | None = None,
        n_inputs: int = 0,
        params: Tree = None,
        vectorized: bool = False,
    ) -> None:
        if not callable(step):
            raise TypeError(f"`step` must be callable, got {step!r}")
        if jacobian is not None and not callable(jacobian):
            raise TypeError(f"`jacobian` must be callable or None, got {jacobian!r}")
        self.dim = validate.integer("dim", dim, low=1)
        self.n_inputs = validate.integer("n_inputs", n_inputs, low=0)
        self.vectorized = bool(vectorized)
        self.params = _checked_params(params)
        self._step = self._normalised(step)
        self._jacobian = None if jacobian is None else self._normalised(jacobian)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(dim={self.dim}, n_inputs={self.n_inputs}, dt={self.dt:g})"

    def _normalised(self, function: Callable[..., Any]) -> Function:
        """Give a user's function the signature (x, u, p), whatever it leaves out."""
        driven, with_params = self.n_inputs > 0, self.params is not None

        def call(x: Any, u: Any, p: Tree) -> Any:
            args = (x, *((u,) if driven else ()), *((p,) if with_params else ()))
            out = function(*args)
            if isinstance(out, list | tuple):
                return anp.array(out)
            return refuse_objects(out, getattr(function, "__name__", "step"))

        return call

    def _at(self, mode: str, lead: tuple[int, ...]) -> tuple[Function, Function]:
        """Return step and Jacobian for many states at once."""
        step = over_states(self._step, mode, lead)
        if self._jacobian is None:
            return step, jacobian_of(step, self.dim)
        return step, over_states(self._jacobian, "loop" if mode == "columns" else mode, lead)

    @property
    def _mode(self) -> str:
        return "vectorized" if self.vectorized else "loop"

    def step(self, x: Any, u: Any = None) -> Any:
        """Return the next state ``(..., n)``; without an input, under zero input."""
        x, u = self._arguments(x, u)
        return self._at(self._mode, x.shape[:-1])[0](x, u, self.params)

    def jacobian(self, x: Any, u: Any = None) -> Any:
        """Return the Jacobian of the step, ``(..., n, n)``."""
        x, u = self._arguments(x, u)
        found = self._at(self._mode, x.shape[:-1])[1](x, u, self.params)
        return anp.broadcast_to(found, (*x.shape, self.dim))

    def _arguments(self, x: Any, u: Any) -> tuple[Any, Any]:
        x = x if hasattr(x, "shape") else np.asarray(x, dtype=float)
        if not self.n_inputs:
            return x, None
        return x, np.zeros(self.n_inputs) if u is None else u

    def default_state(self, rng: np.random.Generator) -> Array | None:
        """Return the catalog's initial state; a system of the user's own has none."""
        return self._initial

    def ensemble(self, x: Array, u: Array | None) -> tuple[int, ...]:
        """Return the shape of the ensemble that states, inputs and parameters span."""
        if not self.vectorized:
            return super().ensemble(x, u)
        y = np.shape(self._step(x, u, self.params))
        if y[-1:] != (self.dim,):
            raise ValueError(f"`step` must return states (..., {self.dim}), got shape {y}")
        return np.broadcast_shapes(super().ensemble(x, u), y[:-1])

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `System.orbit`."""
        lead = x.shape[:-1]
        step, _ = self._at(self._mode, lead)
        columns, _ = self._at("columns", lead)
        fast = bool(lead) and not self.vectorized and self._agree(columns, step, x, inputs)
        states = np.empty((n_steps + 1, *x.shape))
        states[0] = x
        run = columns if fast else step
        for s in range(n_steps):
            y = run(states[s], None if inputs is None else inputs[s], self.params)
            if np.shape(y) != x.shape:
                raise ValueError(
                    f"`step` must return an array of the state's shape {x.shape}, got {np.shape(y)}"
                )
            states[s + 1] = y
        mode = self._mode
        if not self.vectorized and n_steps and self._reproduces(columns, states, inputs):
            mode = "columns"
        return JacobianOrbit(states, inputs, self.params, *self._at(mode, lead))

    def _agree(self, columns: Function, step: Function, x: Array, inputs: Array | None) -> bool:
        """Say whether the function may be given the states of the ensemble as columns."""
        u = None if inputs is None or not len(inputs) else inputs[0]
        return _same(columns, np.asarray(step(x, u, self.params)), x, u, self.params)

    def _reproduces(self, columns: Function, states: Array, inputs: Array | None) -> bool:
        """Say whether all steps at once, as columns, give the trajectory itself."""
        return _same(columns, states[1:], states[:-1], inputs, self.params)


def _same(columns: Function, expected: Array, x: Array, u: Array | None, p: Tree) -> bool:
    """Compare a trial evaluation by columns with known values.

    A function that is not made for columns may fail in any way; all of these mean no.
    """
    try:
        with np.errstate(all="ignore"):
            found = np.asarray(columns(x, u, p), dtype=float)
    except (TypeError, ValueError, IndexError, AttributeError, ArithmeticError):
        return False
    return found.shape == expected.shape and np.allclose(found, expected, rtol=1e-9, atol=1e-12)


class Flow(Map):
    r"""A flow :math:`\dot x = f(x)`, integrated with a fixed step.

    One step is one step of an explicit Runge-Kutta method, under constant input, and the
    tangent step is its exact derivative: what is measured are the exponents of the
    numerical map, which converge to those of the flow with the order of the method.

    Parameters
    ----------
    field : callable
        ``field(x)``, ``field(x, u)``, ``field(x, p)`` or ``field(x, u, p)``, written like
        the step of a `Map`.
    dim : int
        Dimension n of the state.
    dt : float
        Time step.
    jacobian : callable, optional
        The derivative of the *field* in x, ``(n, n)``; by autograd if left out.
    n_inputs, params, vectorized
        As for `Map`.
    method : {"rk4", "heun", "euler"}, optional
        Of order 4, 2 and 1.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import lyapnet as ln
    >>> decay = ln.Flow(lambda x: -x, 1, dt=0.1)
    >>> float(decay.step(np.array([1.0]))[0])  # exp(-0.1) up to dt^5 / 120
    0.9048375
    """

    def __init__(
        self,
        field: Callable[..., Any],
        dim: int,
        *,
        dt: float,
        jacobian: Callable[..., Any] | None = None,
        n_inputs: int = 0,
        params: Tree = None,
        method: str = "rk4",
        vectorized: bool = False,
    ) -> None:
        self.dt = validate.real("dt", dt, positive=True)
        self.method = validate.option("method", method, TABLEAUS)
        if not callable(field):
            raise TypeError(f"`field` must be callable, got {field!r}")
        super().__init__(
            field, dim, jacobian=jacobian, n_inputs=n_inputs, params=params, vectorized=vectorized
        )
        self._field, self._field_jacobian = self._step, self._jacobian
        self._step = self._stepped
        self._jacobian = None if jacobian is None else self._stepped_jacobian

    def _stages(self, x: Any, u: Any, p: Tree) -> tuple[list[Any], list[Any]]:
        """Return the states and the slopes of the stages."""
        states: list[Any] = []
        slopes: list[Any] = []
        for row in TABLEAUS[self.method][0]:
            states.append(_combine(x, self.dt, row, slopes))
            slopes.append(self._field(states[-1], u, p))
        return states, slopes

    def _stepped(self, x: Any, u: Any, p: Tree) -> Any:
        return _combine(x, self.dt, TABLEAUS[self.method][1], self._stages(x, u, p)[1])

    def _stepped_jacobian(self, x: Any, u: Any, p: Tree) -> Any:
        """Differentiate the step: the same combination of the stages' derivatives."""
        assert self._field_jacobian is not None
        rows, weights = TABLEAUS[self.method]
        unit = np.eye(self.dim)
        slopes: list[Any] = []
        for row, state in zip(rows, self._stages(x, u, p)[0], strict=True):
            inner = _combine(unit, self.dt, row, slopes)
            slopes.append(anp.matmul(self._field_jacobian(state, u, p), inner))
        return _combine(unit, self.dt, weights, slopes)


def _combine(x: Any, dt: float, weights: list[float], slopes: list[Any]) -> Any:
    for weight, slope in zip(weights, slopes, strict=False):
        if weight:
            x = x + (dt * weight) * slope
    return x


def _checked_params(params: Tree) -> Tree:
    """Turn the leaves of a parameter tree into float arrays, traced ones excepted."""
    if params is None:
        return None
    checked = [
        leaf if hasattr(leaf, "_value") else validate.array("params", leaf)
        for leaf in leaves(params)
    ]
    return rebuild(params, checked)
