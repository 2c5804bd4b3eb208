"""What systems of other frameworks have in common: all of it goes through their orbits."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import numpy as np

from ..numerics.arrays import Array, unbroadcast
from ..numerics.autodiff import is_traced, leaves
from .orbit import Orbit
from .protocol import System

RANDOM = (
    "`step` changes from call to call. It draws at random, and exponents are those of one map: "
    "leave out dropout and noise, or give what was drawn as inputs. Or it has a memory of its own, "
    "such as a counter, which belongs into the state"
)


#: A state at which a step is looked at again lies so far, relative to its size, from one of a run,
#: where a gain, say, may not show; and what it returns there is the same to some roundings.
_ASIDE, _ROUNDINGS = 1e-3, 1e3


class Traced:
    """What was traced of a step: it holds what the step found around itself then.

    That may be a number that was drawn, or an array that has changed since. So before each run the
    step is called as it is written, always at the same state, and held against what it returned
    when it was traced.
    """

    _probe: Any = None
    _known: Any = None

    def once(self, params: Any, h: Array, u: Array) -> Array:
        """Return what the step as it is written makes of one state."""
        raise NotImplementedError

    def forget(self) -> None:
        """Forget what was traced."""
        raise NotImplementedError

    def refresh(self, params: Any, h: Array, u: Array) -> None:
        """Refuse a step that draws at random, and forget what was traced of one that has changed.

        Parameters
        ----------
        params : tree
        h : array (n,)
            A state of the run.
        u : array (m,)
        """
        if self._probe is None:
            aside = np.random.default_rng(0).standard_normal(h.shape)
            self._probe = copy.deepcopy(params), h + _ASIDE * max(1.0, np.abs(h).max()) * aside, u
            self._known = self.once(*self._probe)
        now = self.once(*self._probe)
        if _same(now, self._known):
            return
        if not _same(now, self.once(*self._probe)):
            raise ValueError(RANDOM)
        self._known = now
        self.forget()


def _same(x: Array, y: Array) -> bool:
    tol = _ROUNDINGS * np.finfo(x.dtype).eps
    scale = np.abs(y[np.isfinite(y)]).max(initial=0.0)
    return np.allclose(x, y, rtol=tol, atol=tol * scale, equal_nan=True)


class ForeignSystem(System):
    """A system whose step another framework evaluates and differentiates.

    Attributes
    ----------
    framework : str
        Its name.
    """

    framework: ClassVar[str]

    _functions: Traced

    def _plain(self) -> Any:
        """Return the parameters as arrays that autograd does not trace."""
        raise NotImplementedError

    def _run(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `lyapnet.System.orbit`."""
        raise NotImplementedError

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `lyapnet.System.orbit`."""
        if n_steps:
            u = np.zeros(self.n_inputs)
            u = u if inputs is None else inputs[(0,) * (inputs.ndim - 1)]
            self._functions.refresh(self._plain(), x[(0,) * (x.ndim - 1)], u)
        return self._run(x, inputs, n_steps)

    def __repr__(self) -> str:
        package = type(self).__module__.split(".")[1]
        return f"lyapnet.{package}.{type(self).__name__}(dim={self.dim}, n_inputs={self.n_inputs})"

    def default_state(self, rng: np.random.Generator) -> Array:
        """Draw a standard normal state: zero can be a fixed point."""
        return rng.standard_normal(self.dim)

    def _one(self, x: Any, u: Any) -> Orbit:
        """Return the orbit of one step."""
        if is_traced(x, u, *leaves(self.params)):
            raise TypeError(
                f"autograd cannot trace a single step of {self.framework}: ask for exponents by "
                "`finite_time_exponents`, or write the whole (as a closed loop) in "
                f"{self.framework}"
            )
        x = np.asarray(x, dtype=float)
        u = None if u is None or not self.n_inputs else np.asarray(u, dtype=float)
        x = np.broadcast_to(x, (*self.ensemble(x, u), self.dim))
        return self.orbit(x, None if u is None else u[None], 1)

    def step(self, x: Any, u: Any = None) -> Any:
        """Return the next state ``(..., n)``; without an input, under zero input."""
        return self._one(x, u).states[1]

    def jacobian(self, x: Any, u: Any = None) -> Any:
        """Return the Jacobian of `step` in the state, ``(..., n, n)``."""
        return self._one(x, u).jacobians[0]

    def pushforward(self, x: Any, Q: Any, u: Any = None) -> Any:
        """Return the Jacobian times ``Q (..., n, k)`` without forming it."""
        Q, x = (np.asarray(y, dtype=float) for y in (Q, x))
        x = np.broadcast_to(x, (*np.broadcast_shapes(x.shape[:-1], Q.shape[:-2]), self.dim))
        rows = np.broadcast_to(Q.swapaxes(-1, -2), (*x.shape[:-1], Q.shape[-1], self.dim))
        out = np.empty(rows.shape)
        self._one(x, u).push(0, rows, out)
        return out.swapaxes(-1, -2)


class ForeignOrbit(Orbit):
    """An orbit of which another framework multiplies rows by Jacobians."""

    #: Shape of the ensemble.
    _lead: tuple[int, ...]

    def _apply(self, name: str, s: int, rows: Array, out: Array) -> None:
        """Multiply by the Jacobian of step s, or its transpose: "push" or "pull"."""
        raise NotImplementedError

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry tangent vectors through step s."""
        self._apply("push", s, rows, out)

    def pull(self, s: int, rows: Array, out: Array, forward: Array | None = None) -> None:
        """Carry cotangent vectors back through step s."""
        self._apply("pull", s, rows, out)

    @property
    def jacobians(self) -> Array:
        """Jacobians of all steps ``(T, ..., n, n)``."""
        n = self.states.shape[-1]
        found = np.empty((self.n_steps, *self._lead, n, n))
        unit = np.broadcast_to(np.eye(n), (*self._lead, n, n))
        for s in range(self.n_steps):
            self.push(s, unit, found[s])
        return found.swapaxes(-1, -2)

    def _inputs_bar(self, bar: Array) -> Array | None:
        """Bring a cotangent of the inputs of all members to the shape of those given."""
        if self.inputs is None:
            return None
        return unbroadcast(bar.reshape(self.n_steps, *self._lead, -1), self.inputs.shape)
