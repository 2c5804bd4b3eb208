"""Flows written by the user, integrated step by step."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from .. import validate
from ..compiled.operations import Untraceable
from ..compiled.trace import depends, jumps_of
from ..numerics.arrays import Array
from ..numerics.autodiff import Function, Tree
from .bends import jump_along
from .compiled_parts import HOW, CompiledParts, cannot_divide, compiled_parts
from .divided import divided_orbit, undivided
from .drive import DEGREES, Drive
from .integrators import CONTROLLED, METHODS, check_separable, method_of, tolerances
from .jumps import JumpingSteps, ends_steps, look_for_decisions
from .known_jumps import Seen
from .map import Map
from .orbit import Orbit
from .protocol import CLOSER, System
from .staged_orbit import StagedOrbit, goes_by_stages
from .steepness import look_for_jumps, steepness
from .written_jumps import written_across


class Flow(Map):
    r"""A flow :math:`\dot x = f(x)`, integrated with a fixed step.

    One step is one step of the method, and the tangent step is its exact derivative: what is
    measured are the exponents of the numerical map, which converge to those of the flow with
    the order of the method. `check_step` says how far they are.

    Parameters
    ----------
    field : callable
        ``field(x)``, with t, u and p behind it where there are such, ``field(x, t, u, p)``:
        written like the step of a `Map`.
    dim : int
        Dimension n of the state.
    dt : float
        Time step.
    jacobian : callable, optional
        The derivative of the *field* in x, ``(n, n)``; by autograd if left out.
    n_inputs, params, vectorized
        As for `Map`.
    method : str, optional
        "rk4", "dop853", "heun", "euler": explicit Runge-Kutta methods of order 4, 8, 2 and 1.

        "leapfrog": of order 2 and symplectic, for states (q, p) of a separable Hamiltonian,
        :math:`\dot q = V(p), \dot p = F(q)`.

        "adaptive": Dormand and Prince's method of order 8, which divides each step dt as far as
        its error asks for, the same for state and tangent vectors.

        "implicit": the Radau IIA method of order 5, for stiff fields, which divides the step, too.
    rtol, atol : float, optional
        Error that a part of a step may have, relative to the state and absolute, with "adaptive"
        and "implicit"; default 1e-8 and 1e-10, or 1e-6 and 1e-9 with "implicit". With "adaptive"
        `rtol` holds for tangent vectors as well. "implicit" has long parts, that is its use:
        directions that decay within one shrink at a rate of the method. The last exponent is that
        of the field even so, by volumes, and others that such a part cannot tell are said to be
        unreliable.
    time : bool, optional
        Whether field and jacobian depend on time. Each stage of a step has its own.
    interpolation : {"hold", "linear", "cubic"}, optional
        What the input does within a step. The inputs of a run are samples at the beginnings of
        its steps; they are held, or interpolated by polynomials through the two or four nearest
        ones, which keeps the order of a method up to 2 and 4 under smooth inputs.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import lyapnet as ln
    >>> decay = ln.Flow(lambda x: -x, 1, dt=0.1)
    >>> float(decay.step(np.array([1.0]))[0])  # exp(-0.1) up to dt^5 / 120
    0.9048375
    >>> forced = ln.Flow(lambda x, t: np.cos(t) - x, 1, dt=0.1, time=True)
    >>> float(forced.step(np.array([0.5]), t=0.0)[0])  # a solution is (cos t + sin t) / 2
    0.547418...
    """

    named = "field"
    #: Whether it has been seen that the leapfrog method may be used.
    _known_separable = False

    #: Method for stiff fields, where there is one.
    _stiff_remedy = "implicit"
    #: What divides its steps, where that is compiled; see `prepared`.
    _parts: CompiledParts | None = None
    _made: ClassVar[tuple[str, ...]] = (*Map._made, "_parts")
    _settled = ("method", "interpolation")

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
        time: bool = False,
        interpolation: str = "hold",
        rtol: float | None = None,
        atol: float | None = None,
    ) -> None:
        self.method = validate.option("method", method, METHODS)
        self.interpolation = validate.option("interpolation", interpolation, DEGREES)
        super().__init__(
            field, dim, jacobian=jacobian, n_inputs=n_inputs, params=params,
            vectorized=vectorized, time=time, dt=dt,
        )  # fmt: skip
        if method == "leapfrog" and self.dim % 2:
            raise ValueError(
                f'`method` "leapfrog" is for states (q, p) of even dimension, got dim={self.dim}'
            )
        self._method: Any = method_of(method)
        self.seen = Seen()
        self.rtol, self.atol = tolerances(self.method, rtol, atol)

    @property
    def drive(self) -> Drive:
        """How steps are told their input and time."""
        degree = DEGREES[self.interpolation] if self.n_inputs else 0
        return Drive(self.n_inputs, self.time, degree, self.dt)

    def prepared(self, x: Array, inputs: Array | None, k: int, n_steps: int) -> System:
        """Return the flow with compiled loops, if only to divide steps; see `System.prepared`."""
        if self.method not in CONTROLLED:
            return super().prepared(x, inputs, k, n_steps)
        other = copy.copy(self)
        other._parts, reason = compiled_parts(self, x, inputs, n_steps)
        other.engine_used = ("numpy", reason) if other._parts is None else ("compiled", HOW)
        return other

    def cannot_compile(self) -> str:
        """Return why compiled loops cannot run the flow, or divide its steps; see `Map`."""
        return cannot_divide(self) if self.method in CONTROLLED else super().cannot_compile()

    def _at(self, mode: str, lead: tuple[int, ...]) -> tuple[Function, Function]:
        """Return step and Jacobian for many states at once; u are rows of the `drive`."""
        return self._jumping(lead).functions(mode) if self.seen.matter else self._smooth(mode, lead)

    def _jumping(self, lead: tuple[int, ...]) -> JumpingSteps:
        return JumpingSteps(self, lead)

    def tangent_mode(
        self, states: Array, inputs: Array | None, step: Callable[[str, tuple[int, ...]], Function]
    ) -> str:
        """Return how all states of a trajectory are given to the field at once."""
        if self.seen.matter:
            return self._jumping(states.shape[1:-1]).mode(states, inputs)
        return super().tangent_mode(states, inputs, step)

    def _smooth(self, mode: str, lead: tuple[int, ...]) -> tuple[Function, Function]:
        """Return the same where the field does not jump."""
        if self.method in CONTROLLED:
            return undivided(self, mode, lead)
        method, h, bound = self._method, self.dt, self._bound(mode, lead)

        def step(x: Any, u: Any, p: Tree) -> Any:
            return method.step(*bound(u, p), x, h)

        def jacobian(x: Any, u: Any, p: Tree) -> Any:
            return self.masked(method.jacobian(*bound(u, p), x, h))

        return step, jacobian

    def _bound(self, mode: str, lead: tuple[int, ...]) -> Callable[[Any, Tree], tuple[Any, Any]]:
        """Return a function of a row and parameters: field and Jacobian within a step."""
        field, derivative = self._over_states(mode, lead)
        drive = self.drive
        return lambda u, p: (
            lambda y, c: field(y, drive.now(u, c), p),
            lambda y, c: derivative(y, drive.now(u, c), p),
        )

    def _forward(self, mode: str, lead: tuple[int, ...]) -> Any:
        """Return how few tangent vectors are best carried; see `Map`."""
        if self.differentiated or type(self)._at is not Flow._at:
            return super()._forward(mode, lead)
        method, h, bound = self._method, self.dt, self._bound(mode, lead)

        def carry(x: Array, rows: Array, u: Any, p: Tree) -> Any:
            return np.swapaxes(method.jacobian(*bound(u, p), x, h, rows.swapaxes(-1, -2)), -1, -2)

        return carry

    def _of_few(self, mode: str, lead: tuple[int, ...], *given: Any) -> Orbit:
        """Return an orbit that is good at carrying few tangent vectors; see `Map`."""
        own = type(self)._at is not Flow._at or self.seen.matter
        if own or not goes_by_stages(self, given[0]):
            return super()._of_few(mode, lead, *given)
        return StagedOrbit(self._method, self.dt, self._bound(mode, lead), *given)

    def written(self, x: Any, row: Any, p: Tree, dt: Any) -> Any:
        """Return the next state of arrays of symbols; see `Map.written`."""
        if self.method in CONTROLLED:
            raise Untraceable(f"method {self.method!r} divides steps by what it finds in them")
        field, drive = self._on_symbols(), replace(self.drive, dt=dt)

        def bound(y: Any, c: float) -> Any:
            return field(y, drive.now(row, c), p)

        if self.method == "leapfrog" and not self._known_separable:
            halves = [slice(0, self.dim // 2), slice(self.dim // 2, self.dim)]
            slope = bound(x, 0.0)
            if any(depends(slope[half], x[half]) for half in halves):
                raise Untraceable(
                    "it is not seen that the field is that of a separable Hamiltonian, which the "
                    "leapfrog method is for"
                )
        bound(x, 0.0)
        if jumps := jumps_of(x):
            if self._variation is not None or not ends_steps(self):
                raise Untraceable(f"the field may jump ({jumps}): steps end where it does")
            return written_across(self, x, row, p, drive)
        y = self._method.step(bound, None, x, dt)
        return y if self._variation is None else self._variation.written_step(y, x)

    def written_by(self) -> Any:
        """Return what tells what is `written` from all else; see `Map.written_by`."""
        return self._written_by(Flow, self.method, self.interpolation)

    def tells_decisions(self, x: Array, inputs: Array | None) -> bool:
        """Say whether NumPy, too, can end steps where the field jumps; see `engine.loop_of`."""
        if self.seen.decides is None:
            look_for_decisions(self, x, inputs)
        return bool(self.seen.decides)

    def with_dt(self, dt: float) -> Flow:
        """Return the same flow with another step."""
        other = copy.copy(self)
        other.dt = validate.real("dt", dt, positive=True)
        return other

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `System.orbit`."""
        if self._loop is not None:  # what is written down has been seen not to jump
            return super().orbit(x, inputs, n_steps)
        if self.seen.decides is None:
            look_for_decisions(self, x, inputs)
        if self.seen.matter:
            return JumpingSteps(self, x.shape[:-1]).orbit(x, inputs, n_steps)
        if self.method in CONTROLLED:
            orbit = divided_orbit(self, x, inputs, n_steps)
        else:
            orbit = super().orbit(x, inputs, n_steps)
        look_for_jumps(self, orbit.states, inputs)
        if self.method == "leapfrog" and not self._known_separable:
            self._refuse_inseparable(orbit)
        return orbit

    @property
    def if_it_diverges(self) -> str:
        """What a user may do about states that are not finite."""
        inputs = ", or use smaller inputs" * (self.n_inputs > 0)
        if self.method in CONTROLLED:
            return f"the solution itself may go to infinity: {CLOSER}{inputs}"
        stiff = self._stiff_remedy and f', or method="{self._stiff_remedy}" if the field is stiff'
        return f"{CLOSER}{inputs}, or take a smaller dt{stiff}"

    def finer(self) -> tuple[Flow, int]:
        """Return the flow with half the step, and a tenth of the tolerance; see `System.finer`.

        The tolerance alone is that of the state: of directions that decay within a part of a step
        it knows nothing.
        """
        other = self.with_dt(self.dt / 2)
        if self.method not in CONTROLLED:
            return other, 2
        assert self.rtol is not None
        assert self.atol is not None
        other.rtol, other.atol = max(self.rtol / 10, 1e-14), self.atol / 10
        return other, 2

    def masked(self, D: Any) -> Any:
        """Return what is left of the Jacobian of a step."""
        return D if self._variation is None else self._variation.of_step(D)

    def velocity(self, x: Any, u: Any = None, t: Any = 0.0) -> Any:
        """Return the field at states ``(..., n)``; arguments as for `step`."""
        x, row = self._arguments(x, u, t)
        field = self._over_states(self._mode, x.shape[:-1])[0]
        return field(x, self.drive.now(row, 0.0), self.params)

    def divergence(self, orbit: Orbit) -> Array:
        """Return the mean divergence of the field over each step ``(T, ...)``, by its ends."""
        lead = orbit.states.shape[1:-1]
        mode = self.tangent_mode(
            orbit.states, orbit.inputs, lambda mode, lead: self._at(mode, lead)[0]
        )
        derivative = self._over_states(mode, lead)[1]
        ends = []
        for x, theta in ((orbit.states[:-1], 0.0), (orbit.states[1:], 1.0)):
            J = derivative(x, self.drive.now(orbit.inputs, theta), self.params)
            ends.append(np.broadcast_to(np.trace(J, axis1=-2, axis2=-1), x.shape[:-1]))
        return (ends[0] + ends[1]) / 2

    def too_steep(self, states: Array, inputs: Array | None) -> str:
        """Say that the field along states ``(T + 1, ..., n)`` is too steep for the steps to see.

        Its derivative then misses what a jump does to tangent vectors; see `jumps`.
        """
        if self.method in CONTROLLED or self.seen.matter or self.seen.without or len(states) < 8:
            return self.reservation
        return steepness(self, states, inputs)

    def _largest_change(
        self, velocity: Callable[[int, Array], Array], states: Array, halvings: int
    ) -> float:
        """Return how much the field changes at most along a trajectory ``(T + 1, n)``."""
        return jump_along(velocity, states, self.dt, halvings)

    @property
    def reservation(self) -> str:
        """What speaks against the exponents of the runs so far: jumps that are left out."""
        return self.seen.reservation

    def _refuse_inseparable(self, orbit: Orbit) -> None:
        """See at a few states that the leapfrog method may be used."""
        at = np.unique(np.linspace(0, orbit.n_steps - 1, 5).astype(int))
        u = None if orbit.inputs is None else self.drive.now(orbit.inputs[at], 0.0)
        x = orbit.states[at]
        if np.isfinite(x).all():
            check_separable(self._over_states(self._mode, x.shape[1:-1])[1](x, u, self.params))
            self._known_separable = True
