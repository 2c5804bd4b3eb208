"""Stochastic differential equations under frozen noise."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import autograd.numpy as anp
import numpy as np

from .. import validate
from ..compiled.operations import Untraceable
from ..compiled.rewrite import rewritten
from ..compiled.trace import jumps_of
from ..numerics.arrays import Array, Seed
from ..numerics.autodiff import Function, Tree, jacobian_of, over_states
from .bends import JUMP, STEEP, TO_A_JUMP, TO_A_SLOPE, jump_between
from .drive import Drive
from .known_jumps import SMOOTH_THEM, Seen
from .map import Map
from .orbit import Orbit
from .protocol import CLOSER
from .user_function import check_arguments

#: Increments are drawn in blocks of so many steps, each from a seed of its own, so that a run can
#: be continued or retraced from the middle.
_BLOCK = 4096


@dataclass(frozen=True)
class NoiseDrive(Drive):
    """A drive whose inputs are increments of Wiener processes, drawn where none are given."""

    noisy = True

    def refined(self, u: Array, m: int) -> Array:
        """Return increments of shorter steps that add up to these: a Brownian bridge.

        The bridge is drawn from the increments themselves, always the same.
        """
        digest = np.frombuffer(np.ascontiguousarray(u).tobytes(), dtype=np.uint32)
        rng = np.random.default_rng(int(np.bitwise_xor.reduce(digest)))
        parts = np.sqrt(self.dt / m) * rng.standard_normal((len(u), m, *u.shape[1:]))
        parts += ((u - parts.sum(axis=1)) / m)[:, None]
        return parts.reshape(m * len(u), *u.shape[1:])

    def rows(
        self,
        u: Array | None,
        lead: tuple[int, ...],
        total: int,
        *,
        t0: float = 0.0,
        first: int = 0,
        seed: int | None = None,
    ) -> Any:
        """Return the rows of `total` steps; see `Drive.rows`."""
        if u is None and seed is not None:
            u = self.increments(lead, total, first, seed)
        return super().rows(u, lead, total, t0=t0, first=first)

    def increments(self, lead: tuple[int, ...], total: int, first: int, seed: int) -> Array:
        """Return the increments ``(total, ..., m)`` that a seed means, from step `first` on."""
        blocks = range(first // _BLOCK, (first + total - 1) // _BLOCK + 1)
        drawn = [
            np.random.default_rng([seed, i]).standard_normal((_BLOCK, *lead, self.n_inputs))
            for i in blocks
        ]
        begin = first - blocks[0] * _BLOCK
        return np.sqrt(self.dt) * np.concatenate(drawn)[begin : begin + total]


class NoisyFlow(Map):
    r"""A flow with noise, :math:`dx = f(x)\,dt + G(x)\,dW`.

    The increments of the Wiener processes are the system's inputs, the same for a state and its
    perturbations: exponents are those of the random dynamical system, whose largest one says
    whether trajectories under the same noise come together. Without `inputs` a run draws them,
    for each member of an ensemble its own; to have members share them, give
    ``inputs=flow.increments(n_steps, rng=0)``.

    Parameters
    ----------
    drift : callable
        ``f(x)``, or ``f(x, t, p)`` with `time` and `params`: written for autograd, like the
        step of a `Map`.
    diffusion : callable
        ``G(x)`` likewise: an array (n,), the strength of each component's own noise, or one number
        for all of them; with `n_noise` a matrix (n, n_noise).
    dim : int
        Dimension n of the state.
    dt : float
        Time step.
    calculus : {"stratonovich", "ito"}, optional
        What the equation means, which decides about the method as well: Heun's, or that of
        Euler and Maruyama. Both are of weak order 1, and so is what dt does to the exponents.
    n_noise : int, optional
        Number of Wiener processes, where G is a matrix.
    params, vectorized, time
        As for `Map`.

    References
    ----------
    P. E. Kloeden and E. Platen, Numerical Solution of Stochastic Differential Equations (Springer,
    1992); L. Arnold, Random Dynamical Systems (Springer, 1998).

    Examples
    --------
    >>> import lyapnet as ln
    >>> flow = ln.NoisyFlow(lambda x: 0.1 * x, lambda x: 0.5 * x, 1, dt=0.01, calculus="ito")
    >>> s = ln.lyapunov_spectrum(flow, 50_000, x0=[0.0], rng=0)  # 0.1 - 0.5**2 / 2 = -0.025
    >>> low, high = s.confidence_interval()
    >>> bool(low[0] < -0.025 < high[0])
    True
    """

    named = "drift"
    _remembered = (*Map._remembered, "_strength")
    _made: ClassVar[tuple[str, ...]] = (*Map._made, "_strength")
    _diffusion: Callable[..., Any] | None = None

    def __init__(
        self,
        drift: Callable[..., Any],
        diffusion: Callable[..., Any],
        dim: int,
        *,
        dt: float,
        calculus: str = "stratonovich",
        n_noise: int | None = None,
        params: Tree = None,
        vectorized: bool = False,
        time: bool = False,
    ) -> None:
        self.calculus = validate.option("calculus", calculus, ("stratonovich", "ito"))
        super().__init__(drift, dim, params=params, vectorized=vectorized, time=time, dt=dt)
        if not callable(diffusion):
            raise TypeError(f"`diffusion` must be callable, got {diffusion!r}")
        check_arguments("diffusion", diffusion, self._arguments_of)
        self._diagonal = n_noise is None
        self.n_inputs = self.dim if n_noise is None else validate.integer("n_noise", n_noise, low=1)
        self._diffusion = diffusion
        self.seen = Seen(remedy=SMOOTH_THEM)
        self._make()

    def _make(self) -> None:
        """Make of the user's functions what is called here; see `Portable`."""
        super()._make()
        if self._diffusion is not None:  # the drift comes first
            self._strength = self._shaped(self._diffusion)

    def _shaped(self, diffusion: Callable[..., Any]) -> Function:
        """Return the strength of the noise, in the shape in which it is multiplied with it.

        One number is the strength of all noises, and a vector the one column of a matrix.
        """
        n, m = self.dim, self.n_inputs
        shape = (n,) if self._diagonal else (n, m)
        strength = self._normalised(diffusion, "diffusion", None)

        def call(x: Any, now: Any, p: Tree) -> Any:
            out = strength(x, now, p)
            found = tuple(np.shape(out))
            if found[-len(shape) :] == shape and (self.vectorized or found == shape):
                return out
            if self._diagonal and not found:
                return out + np.zeros(n)
            column = m == 1 and not self._diagonal and found[-1:] == (n,)
            if column and (self.vectorized or len(found) == 1):
                return out[..., None]
            what = "the strength of each component's noise; a matrix needs n_noise="
            raise ValueError(
                f"`diffusion` must return an array of shape {shape}"
                f"{', ' + what if self._diagonal else ' = (dim, n_noise)'}, got shape {found}"
            )

        return call

    @property
    def written_of(self) -> str:
        """What a step is made of."""
        return "`drift` or `diffusion`"

    @property
    def _sees_inputs(self) -> bool:
        """Whether the functions are called with the increments."""
        return False

    @property
    def if_it_diverges(self) -> str:
        """What a user may do about states that are not finite."""
        return f"{CLOSER}, or take a smaller dt"

    @property
    def drive(self) -> Drive:
        """How steps are told their increments and time."""
        return NoiseDrive(self.n_inputs, self.time, 0, self.dt)

    def finer(self) -> tuple[NoisyFlow, int]:
        """Return the flow with half the step; see `System.finer`."""
        other = copy.copy(self)
        other.dt = self.dt / 2
        return other, 2

    def increments(self, n_steps: int, *, lead: tuple[int, ...] = (), rng: Seed = None) -> Array:
        """Draw increments ``(n_steps, *lead, m)``, normal with variance dt, to give as inputs.

        Parameters
        ----------
        n_steps : int
        lead : tuple of int, optional
            Axes of an ensemble whose members are to have noise of their own.
        rng : None, int or Generator, optional
        """
        n_steps = validate.integer("n_steps", n_steps, low=1)
        shape = (n_steps, *lead, self.n_inputs)
        return np.sqrt(self.dt) * validate.generator(rng).standard_normal(shape)

    def _at(self, mode: str, lead: tuple[int, ...]) -> tuple[Function, Function]:
        """Return step and Jacobian for many states at once; u are rows of the `drive`."""
        drift = over_states(self._function, mode, lead)
        # Lanes know the shape for one state, which columns do not.
        strength = over_states(self._strength, "lanes" if mode == "columns" else mode, lead)
        step = self._stepping(drift, strength, self.dt)
        return step, jacobian_of(step, self.dim, "drift")

    def _stepping(self, drift: Function, strength: Function, dt: Any) -> Function:
        """Return a step of the method, made of the two functions."""
        m = self.n_inputs

        def moved(x: Any, now: Any, noise: Any, p: Tree) -> Any:
            G = strength(x, now, p)
            kick = G * noise if self._diagonal else anp.matmul(G, noise[..., None])[..., 0]
            return dt * drift(x, now, p) + kick

        def step(x: Any, u: Any, p: Tree) -> Any:
            noise, now = u[..., :m], u[..., m:] if self.time else None
            first = moved(x, now, noise, p)
            if self.calculus == "ito":
                return x + first
            later = None if now is None else now + dt
            return x + 0.5 * (first + moved(x + first, later, noise, p))

        return step

    def written(self, x: Any, row: Any, p: Tree, dt: Any) -> Any:
        """Return the next state of arrays of symbols; see `Map.written`."""
        strength = self._shaped(rewritten(self._diffusion))
        y = self._stepping(self._on_symbols(), strength, dt)(x, row, p)
        if jumps := jumps_of(x):
            raise Untraceable(f"they may jump ({jumps})")
        return y

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `System.orbit`."""
        orbit = super().orbit(x, inputs, n_steps)
        if self._loop is None:  # what is written down has been seen not to jump
            self._look_for_jumps(orbit)
        return orbit

    def _look_for_jumps(self, orbit: Orbit) -> None:
        """See whether drift or diffusion jump: the step has no derivative that knows of it."""
        if not self.seen.look(orbit.states, least=4):
            return
        for what, jump in self._changes(orbit.states, orbit.inputs, TO_A_JUMP):
            if jump > JUMP:
                self.seen.what = what
                self.seen.without = f"jumps by {100 * jump:.2g} % of itself"
                return

    def too_steep(self, states: Array, inputs: Array | None) -> str:
        """Say that drift or diffusion along states ``(T + 1, ..., n)`` are too steep for steps."""
        for what, change in self._changes(states, inputs, TO_A_SLOPE):
            if change > STEEP:
                return (
                    f"the {what} changes by {100 * change:.2g} % of itself within a "
                    f"{2**TO_A_SLOPE}th of a step, which tangent vectors hardly ever see; take "
                    "steps that resolve it"
                )
        return ""

    def _changes(
        self, states: Array, inputs: Array | None, halvings: int
    ) -> Iterator[tuple[str, float]]:
        """Return how much drift and diffusion change on a small part of a step; see `bends`.

        Along the first member of states ``(T + 1, ..., n)``.
        """
        p = self._first_member(states[0], None)[2]
        along = states[:-1].reshape(len(states) - 1, -1, self.dim)[:, 0]
        if not np.isfinite(along).all():
            return
        u = np.asarray(inputs)
        times = u.reshape(len(u), -1, u.shape[-1])[:, 0, self.n_inputs :]
        for what, function in (("drift", self._function), ("diffusion", self._strength)):
            f = over_states(function, self._mode, ())

            def value(s: int, x: Array, f: Function = f) -> Array:
                return np.ravel(f(x, times[s] if self.time else None, p))

            with np.errstate(all="ignore"):
                change = jump_between(value, along, halvings)
            yield what, change

    @property
    def reservation(self) -> str:
        """What speaks against the exponents of the runs so far: jumps that are left out."""
        return self.seen.reservation

    def ensemble(self, x: Array, u: Array | None) -> tuple[int, ...]:
        """Return the shape of the ensemble that states, noise and parameters span."""
        now = np.zeros(1) if self.time else None
        lead = np.broadcast_shapes(x.shape[:-1], () if u is None else u.shape[:-1])
        if self.vectorized:
            y = np.shape(self._function(x, now, self.params))
            lead = np.broadcast_shapes(lead, y[:-1])
        return lead
