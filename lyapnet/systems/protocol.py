"""What has Lyapunov exponents: the protocol."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, ClassVar, Self, TypeVar

import autograd.numpy as anp
import numpy as np
from numpy.typing import NDArray

from ..numerics.arrays import Array, broadcast_shapes, own
from ..numerics.autodiff import Function, Tree, leaves, rebuild, value
from ..numerics.refusals import refuse_foreign, refuse_traced
from .apart import refuse_mixing
from .drive import Drive
from .jacobian_orbit import JacobianOrbit, PushforwardOrbit
from .orbit import Orbit

#: What runs ask of a system, and those who use one do not: it does not come up in completion.
_INNER = {
    "alike", "alone", "along", "as_it_is", "cannot_compile", "default_state", "differentiated",
    "divergence", "drive", "engine", "engine_used", "ensemble", "finer", "forward_mode",
    "fresh", "if_it_diverges", "input_jacobian", "kept", "masked", "matrix_free", "named",
    "networks", "nodes", "numbers", "of_member", "of_members", "output_pullback",
    "output_pushforward", "over_time", "prepared", "resampled", "reservation", "runs_along",
    "seen", "split", "state_is", "substeps", "tangent_apart", "tangent_mode", "tells_decisions",
    "too_steep", "velocity", "visible", "with_dt", "with_loops", "within", "written",
    "written_by", "written_of",
}  # fmt: skip


#: What helps where states leave the range of numbers: those of linear steps do so for ever.
CLOSER = "start closer to the attractor, or at zero where steps are linear in the state"


class System:
    """A discrete-time system with state ``(..., n)``: the one protocol of lyapnet.

    Any object with `dim`, `n_inputs`, `dt`, `step`, and `jacobian` or `pushforward` has exponents.
    A subclass needs to supply only `dim`, `step` and one of these two, and `orbit` where it can do
    better than one step at a time. With a `pushforward` of its own no Jacobian is formed for
    exponents and covariant vectors, so that the system may have very many states.

    Attributes
    ----------
    dim : int
        Dimension n of the state.
    n_inputs : int
        Dimension m of the input, 0 for an autonomous system.
    dt : float
        Time that a step takes: 1 for maps and networks.
    time : bool
        Whether a step depends on the time at which it begins.
    """

    dim: int
    n_inputs: int = 0
    dt: float = 1.0
    time: bool = False
    params: Tree = None
    #: Steps of another system that make one of this.
    substeps: int = 1
    #: What a state is, for the message that refuses one of another length.
    state_is = "the system's dim"
    #: Whether tangent vectors are not meant to be those of the step, if there is one at all.
    tangent_apart: bool = False
    #: Whether the derivative is formed of the step itself: by autograd, or by compiled loops.
    differentiated: bool = False
    #: Whether its orbits keep no states, nor anything else of each step.
    runs_along: bool = False
    #: Who is to run it: "compiled", "numpy" or "auto".
    engine: str = "auto"
    #: Who does, and why if it is NumPy, or with what in part; see `prepared`.
    engine_used: tuple[str, str] = "numpy", "there are no compiled loops for its kind"

    #: What steps are made of when a system is made, so that it cannot be set later.
    _settled: ClassVar[tuple[str, ...]] = ()

    def __setattr__(self, name: str, value: Any) -> None:
        params = vars(self).get("params")
        if name in self._settled and name in vars(self):
            raise AttributeError(f"`{name}` of a {type(self).__name__} is settled: make another")
        if isinstance(params, dict) and name in params and not hasattr(self, name):
            raise AttributeError(
                f"`{name}` is one of the parameters: set params[{name!r}], or make another system, "
                f"with_params({{**params, {name!r}: ...}})"
            )
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in _INNER]

    @property
    def drive(self) -> Drive:
        """How steps are told their input and time."""
        return Drive(self.n_inputs, self.time, 0, self.dt)

    def step(self, x: Array, u: Array | None = None) -> Array:
        """Return the next state ``(..., n)``."""
        raise NotImplementedError

    def jacobian(self, x: Array, u: Array | None = None) -> Array:
        """Return the Jacobian of `step` in the state, ``(..., n, n)``."""
        if not self.matrix_free:
            raise NotImplementedError
        unit = np.broadcast_to(np.eye(self.dim), (*x.shape, self.dim))
        return self.pushforward(x, unit, *(() if u is None else (u,)))

    @property
    def matrix_free(self) -> bool:
        """Whether there is a `pushforward` of the system's own, that needs no Jacobian."""
        return type(self).pushforward is not System.pushforward

    @property
    def reservation(self) -> str:
        """What speaks against the exponents of runs so far, in a sentence; empty for nothing."""
        return ""

    def pushforward(self, x: Array, Q: Array, u: Array | None = None) -> Array:
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

    def as_it_is(self) -> Self:
        """Return the system as it is now, for a run that others may go on with."""
        return self

    def cannot_compile(self) -> str:
        """Return why the system cannot be run by compiled loops, nothing if it can."""
        return self.engine_used[1]

    def prepared(self, x: Array, inputs: Array | None, k: int, n_steps: int) -> System:
        """Return the system as it is best run: for some kinds with compiled loops.

        Parameters
        ----------
        x : array (..., n)
            State at the start.
        inputs : array (T, ..., m) or None
        k, n_steps : int
            Number of tangent vectors, and of steps.
        """
        return self

    def kept(self, k: int) -> int:
        """Return the numbers that a run with k tangent vectors keeps of each of a few steps."""
        return self.dim * min(k, self.dim)

    def with_loops(self, k: int, n_steps: int) -> Self:
        """Return the system as sweeps forward and in reverse are best run, again and again.

        Parameters
        ----------
        k : int
            Number of tangent vectors, or of trajectories in training.
        n_steps : int
            Steps of all sweeps.
        """
        return self

    def default_state(self, rng: np.random.Generator) -> Array | None:
        """Return a state to start from, None where the user must give one."""
        return None

    @property
    def visible(self) -> slice:
        """Components of the state that a readout sees: all, unless a system says otherwise."""
        return slice(0, self.dim)

    @property
    def if_it_diverges(self) -> str:
        """What a user may do about states that are not finite, for the message of the error."""
        return f"{CLOSER}{', or use smaller inputs' * (self.n_inputs > 0)}"

    def finer(self) -> tuple[System, int] | None:
        """Return the system with more accurate steps, and how many of them make one of these.

        None where there is no step to choose: of maps.
        """
        return None

    def ensemble(self, x: Array, u: Array | None) -> tuple[int, ...]:
        """Return the shape of the ensemble that states and inputs ``(..., m)`` span."""
        inputs = () if u is None else u.shape[:-1]
        try:
            return broadcast_shapes(x.shape[:-1], inputs)
        except ValueError:
            raise ValueError(
                f"the ensembles of `x0`, {x.shape[:-1]}, and of `inputs`, {inputs}, do not match: "
                "give them the same leading axes, or one of them none"
            ) from None

    def alike(self, lead: tuple[int, ...]) -> bool:
        """Say whether all members of an ensemble of this shape have the same parameters."""
        return True

    def of_member(self, lead: tuple[int, ...], at: Any) -> System:
        """Return the system of one member of an ensemble `lead`, whose parameters may be its own.

        Parameters
        ----------
        lead : tuple of int
        at : tuple of int
        """
        return self

    def alone(self, x: Array, at: Any) -> System | None:
        """Return the system of the member `at` of an ensemble of states ``x (..., n)``.

        None where members run together only: networks, and functions that hold numbers of all.
        """
        one = self.of_member(x.shape[:-1], at)
        try:
            return None if one.ensemble(x[at], None) else one
        except Exception:  # of the user's function
            return None

    def of_members(self, which: NDArray[np.bool_]) -> System | None:
        """Return the system of some members ``which (...)`` of an ensemble, on one axis.

        None where their states might be rounded otherwise than among all members.
        """
        return None

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps from ``x (..., n)`` under inputs ``(n_steps, ..., c)``.

        Parameters
        ----------
        x : array (..., n)
            With the axes of the whole ensemble.
        inputs : array (n_steps, ..., c) or None
            Rows of the `drive`: where there is neither time nor interpolation, the inputs.
        n_steps : int
        """
        if n_steps:
            refuse_mixing(self, x, None if inputs is None else inputs[0])
        states = np.empty((n_steps + 1, *x.shape))
        states[0] = x
        for s in range(n_steps):
            u = () if inputs is None else (inputs[s],)
            y = refuse_traced(self.step(own(states[s]), *u), "step")
            states[s + 1] = refuse_foreign(y, "step")

        def over_time(function: Callable[..., Any]) -> Function:
            def run(x: Any, u: Any, p: Tree) -> Any:
                at = range(len(value(x)))
                steps = [own(function(own(x[s]), *(() if u is None else (u[s],)))) for s in at]
                return anp.stack(steps)

            return run

        orbit = PushforwardOrbit if self.matrix_free else JacobianOrbit
        found = orbit(states, inputs, None, over_time(self.step), over_time(self.jacobian))
        if isinstance(found, PushforwardOrbit):
            found.pushforward = self.pushforward
        return found


#: A system of some kind: what comes back is of the same.
AnySystem = TypeVar("AnySystem", bound=System)
