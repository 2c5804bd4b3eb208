"""Maps written by the user."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, ClassVar

import autograd.numpy as anp
import numpy as np
from numpy.typing import NDArray

from .. import validate
from ..compiled.loop import untraceable
from ..compiled.rewrite import rewritten
from ..compiled.trace import with_jacobian
from ..compiled.unchanging import made_of
from ..numerics.arrays import Array
from ..numerics.autodiff import Function, Tree, leaves, member, rebuild
from ..numerics.refusals import refuse_traced
from .compiled_orbit import CompiledOrbit
from .drive import Drive
from .engine import loop_of, missing
from .forward_orbit import LARGE, ForwardOrbit, forward_through
from .jacobian_orbit import JacobianOrbit
from .modes import NOT_VECTORIZED
from .orbit import Orbit
from .protocol import System
from .user_function import check_arguments, refuse_input_first
from .user_system import UserSystem


class Map(UserSystem):
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

    #: The compiled loops of a run.
    _loop: Any = None
    _initial: Array | None = None
    _made: ClassVar[tuple[str, ...]] = ("_function", "_derivative", "_loop")

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
        if isinstance(step, type):
            raise TypeError(
                f"`{self.named}` must be a function of a state, got the class {step.__name__}: an "
                "object with `step` and `jacobian` is a system as it is"
            )
        if hasattr(step, "state_dict"):
            raise TypeError(
                f"`{self.named}` must be a function of NumPy's arrays, got a module of PyTorch: "
                "make a lyapnet.torch.System of it, or lyapnet.torch.from_module"
            )
        if jacobian is not None and not callable(jacobian):
            raise TypeError(f"`jacobian` must be callable or None, got {jacobian!r}")
        #: Functions of which it has been said that they run state by state; copies know it, too.
        self._told: set[str] = set()
        self._seen_apart: set[tuple[str, int]] = set()
        self._seen_right: dict[tuple[str, int, int], int] = {}
        self.dim = validate.integer("dim", dim, low=1)
        self.n_inputs = validate.integer("n_inputs", n_inputs, low=0)
        self.vectorized = validate.flag("vectorized", vectorized)
        self.time = validate.flag("time", time)
        self.dt = validate.real("dt", dt, positive=True)
        self.params = _checked_params(params)
        self._counts = sum(isinstance(leaf, int | np.integer) for leaf in leaves(params))
        for name, function in ((self.named, step), ("jacobian", jacobian)):
            check_arguments(name, function, self._arguments_of)
            if function is not None and self._sees_inputs:
                remedy = f"give lambda x, u: {name}(u, x)"
                alike = self.n_inputs == self.dim and not self.time
                refuse_input_first(name, function, "x", True, remedy, alike)
        self._given = step, jacobian
        self._make()

    def _make(self) -> None:
        """Make of the user's functions what is called here; see `Portable`."""
        self._function, self._derivative = self._called(*self._given)

    @property
    def _arguments_of(self) -> tuple[str, ...]:
        """Names of what the user's function is called with."""
        there = (True, self.time, self._sees_inputs, self.params is not None)
        return tuple(name for name, given in zip("xtup", there, strict=True) if given)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(dim={self.dim}, n_inputs={self.n_inputs}, dt={self.dt:g})"

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
        return self._at(self._mode_of(x, row), x.shape[:-1])[0](x, row, self.params)

    def jacobian(self, x: Array, u: Array | None = None, t: float | Array = 0.0) -> Array:
        """Return the Jacobian of the step, ``(..., n, n)``; arguments as for `step`."""
        x, row = self._arguments(x, u, t)
        found = self._at(self._mode_of(x, row), x.shape[:-1])[1](x, row, self.params)
        return anp.broadcast_to(found, (*x.shape, self.dim))

    def pushforward(self, x: Any, Q: Any, u: Any = None, t: Any = 0.0) -> Any:
        """Return the Jacobian times a tangent basis ``(..., n, k)``; arguments as for `step`."""
        return anp.matmul(self.jacobian(x, u, t), Q)

    @property
    def runs_along(self) -> bool:  # type: ignore[override]  # an attribute of the class where nothing is decided
        """Whether compiled loops run it, which keep nothing of a step."""
        return self._loop is not None

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
        lead = super().ensemble(x, u)
        try:
            y = np.shape(self._function(x, now, self.params))
            found = np.broadcast_shapes(lead, y[:-1])
        except (ValueError, IndexError) as error:
            if lead:
                raise ValueError(f"{NOT_VECTORIZED.format(self.named)} ({error})") from error
            if self.params is not None:
                raise
            raise ValueError(
                f"`{self.named}` fails for one state ({error}): numbers of which each member of an "
                "ensemble has its own are given as `params`"
            ) from error
        if y[-1:] != (self.dim,):
            raise ValueError(f"`{self.named}` must return states (..., {self.dim}), got shape {y}")
        return found

    def written(self, x: Any, row: Any, p: Tree, dt: Any) -> Any:
        """Return the next state of arrays of symbols, which compiled loops are made of.

        Parameters
        ----------
        x : array (n,)
        row : array or None
            See `Drive`.
        p : tree
            Like `numbers`.
        dt : symbol
        """
        return self._on_symbols()(x, row, p)

    @property
    def fresh(self) -> int:
        """Number of components of the next state that are `written`; the others move on."""
        return self.dim

    def written_by(self) -> Any:
        """Return what tells what is `written` from all else, None where that may change unseen."""
        return self._written_by(Map)

    def _written_by(self, kind: type[Map], *how: Any) -> Any:
        step, jacobian = self._given
        functions = made_of(step), () if jacobian is None else made_of(jacobian)
        other = type(self).written is not kind.written or self._variation is not None
        if other or None in functions:
            return None
        return (*functions, *how, self.dim, self.n_inputs, self.time, self.vectorized)

    def _on_symbols(self) -> Function:
        """Return the user's function as it is called on symbols, its own Jacobian with it."""
        step, jacobian = self._given
        function, derivative = self._called(
            rewritten(step), None if jacobian is None else rewritten(jacobian)
        )

        def noted(x: Any, now: Any, p: Tree) -> Any:
            y = function(x, now, p)
            return y if derivative is None else with_jacobian(x, y, derivative(x, now, p))

        vary = self._variation
        if vary is None:
            return noted
        return lambda x, now, both: vary.written(lambda x: noted(x, now, both[0]), x, both[1])

    @property
    def numbers(self) -> Tree:
        """All parameters of what is `written`: the variation's, too."""
        return self.params if self._variation is None else [self.params, self._variation.numbers]

    def cannot_compile(self) -> str:
        """Return why the system cannot be run by compiled loops, nothing if it can."""
        return missing() or untraceable(self)

    def prepared(self, x: Array, inputs: Array | None, k: int, n_steps: int) -> System:
        """Return the system with compiled loops where they pay; see `System.prepared`."""
        other = copy.copy(self)
        other._loop, reason = loop_of(self, x, inputs, k, n_steps)
        other.engine_used = "numpy" if other._loop is None else "compiled", reason
        return other

    def of_members(self, which: NDArray[np.bool_]) -> System | None:
        """Return the map of some members; see `System.of_members`."""
        if self._loop is None:
            return None
        other = copy.copy(self)
        other.params = member(self.params, which.shape, which)
        other._loop = self._loop.of_members(which)
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
        mode = self.tangent_mode(states, inputs, lambda mode, lead: self._at(mode, lead)[0])
        if self.dim < LARGE or self._variation is not None:
            return JacobianOrbit(states, inputs, self.params, *self._at(mode, lead))
        return self._of_few(mode, lead, states, inputs, self.params, *self._at(mode, lead))

    def _of_few(self, mode: str, lead: tuple[int, ...], *given: Any) -> Orbit:
        """Return an orbit of a large system that is good at carrying few tangent vectors."""
        orbit = ForwardOrbit(*given)
        orbit.carry_through = self._forward(mode, lead)
        return orbit

    def _first_member(self, x: Array, u: Array | None) -> tuple[Array, Array | None, Tree]:
        """Return state, input and parameters of the first member of an ensemble."""
        lead = x.shape[:-1]
        first = (0,) * len(lead)
        return (
            x[first],
            None if u is None else u[(0,) * (u.ndim - 1)],
            member(self.params, lead, first),
        )

    def _forward(self, mode: str, lead: tuple[int, ...]) -> Any:
        """Return how few tangent vectors are carried, see `ForwardOrbit`; or None."""
        return forward_through(self._at(mode, lead)[0]) if self.differentiated else None


def _checked_params(params: Tree) -> Tree:
    """Turn the leaves of a parameter tree into float arrays, traced ones excepted."""
    if params is None:
        return None
    checked = [
        leaf if hasattr(leaf, "_value") else validate.array("params", leaf)
        for leaf in leaves(params)
    ]
    return rebuild(params, checked)
