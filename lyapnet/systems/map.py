"""Maps written by the user."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from .. import validate
from ..compiled.loop import untraceable
from ..compiled.rewrite import rewritten
from ..compiled.trace import Symbols, linear
from ..numerics.arrays import Array
from ..numerics.autodiff import (
    Function,
    Tree,
    jacobian_of,
    leaves,
    over_states,
    rebuild,
    refuse_objects,
)
from .compiled_orbit import CompiledOrbit
from .engine import loop_of, missing
from .orbit import JacobianOrbit, Orbit
from .protocol import System


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

    #: What the user's function is called here.
    named = "step"
    _loop: Any = None
    _initial: Array | None = None
    #: Whether it has been seen that a function said to be vectorized is.
    _known_vectorized = False

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
            raise TypeError(f"`{self.named}` must be callable, got {step!r}")
        if jacobian is not None and not callable(jacobian):
            raise TypeError(f"`jacobian` must be callable or None, got {jacobian!r}")
        self.dim = validate.integer("dim", dim, low=1)
        self.n_inputs = validate.integer("n_inputs", n_inputs, low=0)
        self.vectorized = bool(vectorized)
        self.params = _checked_params(params)
        for name, function in ((self.named, step), ("jacobian", jacobian)):
            _check_arguments(name, function, self.n_inputs > 0, self.params is not None)
        self._given = step, jacobian
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
            if isinstance(x, Symbols):
                return out
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

    def written(self, x: Any, u: Any, p: Tree, dt: Any) -> tuple[Any, Any]:
        """Return what compiled loops are made of: the next state, and what pushes a vector.

        All arguments are arrays of symbols, see `lyapnet.compiled.trace`. Without a Jacobian of
        the user's own nothing pushes: the step is differentiated.
        """
        step, jacobian = self._on_symbols()
        y = step(x, u, p)
        if jacobian is None:
            return y, None
        D = jacobian(x, u, p)
        return y, lambda q: linear(D, q)

    def _on_symbols(self) -> tuple[Function, Function | None]:
        """Return the user's functions as they are called on symbols."""
        step, jacobian = self._given
        inner = None if jacobian is None else self._normalised(rewritten(jacobian))
        return self._normalised(rewritten(step)), inner

    def cannot_compile(self) -> str:
        """Return why the system cannot be run by compiled loops, nothing if it can."""
        if reason := missing():
            return reason
        return untraceable(self)

    def prepared(self, x: Array, inputs: Array | None, k: int, n_steps: int) -> System:
        """Return the system with compiled loops where they pay; see `System.prepared`."""
        other = copy.copy(self)
        other._loop, reason = loop_of(self, x, inputs, k, n_steps)
        other.engine_used = "numpy" if other._loop is None else "compiled", reason
        return other

    def over_time(self, lead: tuple[int, ...]) -> tuple[Function, Function]:
        """Return step and Jacobian for many states of an ensemble at once."""
        return self._at(self._mode, lead)

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `System.orbit`."""
        lead = x.shape[:-1]
        if self._loop is not None and self._loop.lead == lead:
            return CompiledOrbit.of(self._loop, self, x, inputs, n_steps)
        step, _ = self._at(self._mode, lead)
        columns, _ = self._at("columns", lead)
        fast = bool(lead) and not self.vectorized and self._agree(columns, step, x, inputs)
        states = np.empty((n_steps + 1, *x.shape))
        states[0] = x
        run = columns if fast else step
        with np.errstate(over="ignore", invalid="ignore"):
            for s in range(n_steps):
                y = run(states[s], None if inputs is None else inputs[s], self.params)
                if np.shape(y) != x.shape:
                    raise ValueError(
                        f"`step` must return an array of the state's shape {x.shape}, got "
                        f"{np.shape(y)}; for an ensemble give `x0` its axes in front"
                    )
                states[s + 1] = y
        mode = self._mode
        if not np.isfinite(states[-1]).all():
            pass  # refused by whoever runs this
        elif not self.vectorized and n_steps and self._reproduces(columns, states, inputs):
            mode = "columns"
        elif self.vectorized and n_steps > 1 and not self._known_vectorized:
            if not self._reproduces(step, states, inputs):
                raise ValueError(
                    "`step` is not vectorized: given states (..., n) it does not do what it does "
                    "for each; index components as x[..., 0] and join them by "
                    "np.stack([...], axis=-1), or leave out vectorized=True"
                )
            self._known_vectorized = True
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


def _check_arguments(name: str, function: Any, driven: bool, with_params: bool) -> None:
    """Refuse a function that cannot be called with x, and with u and p where there are such.

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
    given = ["x", *(["u"] if driven else []), *(["p"] if with_params else [])]
    try:
        signature.bind(*given)
    except TypeError as error:
        remedies = {
            (False, False): "an input u needs `n_inputs=`, and parameters p need `params=`",
            (True, False): "`n_inputs` brings an input u; parameters p need `params=`",
            (False, True): "`params` brings parameters p; an input u needs `n_inputs=`",
            (True, True): "`n_inputs` brings an input u, and `params` parameters p",
        }
        raise TypeError(
            f"`{name}` must be a function of ({', '.join(given)}), got one of {signature} "
            f"({error}): {remedies[driven, with_params]}; time does not appear"
        ) from None


def _checked_params(params: Tree) -> Tree:
    """Turn the leaves of a parameter tree into float arrays, traced ones excepted."""
    if params is None:
        return None
    checked = [
        leaf if hasattr(leaf, "_value") else validate.array("params", leaf)
        for leaf in leaves(params)
    ]
    return rebuild(params, checked)
