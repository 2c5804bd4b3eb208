"""What systems of other frameworks have in common: all of it goes through their orbits."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..numerics.arrays import Array, unbroadcast
from ..numerics.autodiff import is_traced, leaves
from .orbit import Orbit
from .protocol import System

RANDOM = (
    "`step` draws at random, and exponents are those of one map: leave out dropout and noise, or "
    "give what was drawn as inputs"
)


class ForeignSystem(System):
    """A system whose step another framework evaluates and differentiates.

    What is traced once holds what the step found around itself then, such as an array of NumPy's or
    a number that it drew. So the first step of every orbit is held against the step as it is
    written: if that has changed, it is traced anew.

    Attributes
    ----------
    framework : str
        Its name.
    """

    framework: ClassVar[str]

    #: What has been traced so far: to `forget` where it is out of date.
    _functions: Any

    def _run(self, x: Array, inputs: Array | None, n_steps: int) -> ForeignOrbit:
        """Run `n_steps` steps; see `lyapnet.System.orbit`."""
        raise NotImplementedError

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `lyapnet.System.orbit`."""
        orbit = self._run(x, inputs, n_steps)
        if n_steps and not orbit.as_written():
            self._functions.forget()
            orbit = self._run(x, inputs, n_steps)
        return orbit

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

    def _once(self) -> Array:
        """Return what the step, untraced, makes of the first state of the first member."""
        raise NotImplementedError

    def as_written(self) -> bool:
        """Say whether the first step is what the user's function returns by now."""
        found, now = self.states[1][(0,) * len(self._lead)], self._once()
        tol = np.sqrt(np.finfo(now.dtype).eps)
        if np.allclose(found, now, rtol=tol, atol=tol * np.abs(now).max(), equal_nan=True):
            return True
        if not np.array_equal(now, self._once(), equal_nan=True):
            raise ValueError(RANDOM)
        return False

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
