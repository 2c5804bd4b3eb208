"""Orbits whose steps are made of finer ones."""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any

import numpy as np

from ..numerics.arrays import Array, unbroadcast
from ..numerics.autodiff import Function
from .jacobian_orbit import JacobianOrbit
from .orbit import Orbit


class ComposedOrbit(JacobianOrbit):
    r"""An orbit of T steps, each of which is made of consecutive steps of an inner one.

    The Jacobian of a step is the product of those inside, and in it directions that decay are
    lost; the tangent loop goes through the inner steps instead, and factorises between them.

    Parameters
    ----------
    inner : JacobianOrbit
        Of S steps.
    edges : array (T + 1,) of int
        Where the steps begin and end: from 0 to S.
    inputs : array (T, ..., c) or None
        Rows that the steps are given; those of the inner steps begin with them.
    volume : callable, optional
        From states, rows and parameters to what inner steps do to the logarithm of a volume.
    """

    def __init__(
        self,
        inner: JacobianOrbit,
        edges: Array,
        inputs: Array | None = None,
        volume: Function | None = None,
    ) -> None:
        self.inner = inner
        self.inputs = inputs
        self.members_last, self.runs_along = inner.members_last, inner.runs_along
        self._first = edges[:-1]
        self._counts = np.diff(edges)
        self.edges = edges
        self._volume = volume

    @cached_property
    def states(self) -> Array:  # type: ignore[override]  # an attribute there
        """States ``(T + 1, ..., n)``."""
        return np.asarray(self.inner.states[self.edges])

    @property
    def n_steps(self) -> int:
        """Number of steps."""
        return len(self.edges) - 1

    @property
    def last(self) -> Array:
        """State at the end."""
        return self.inner.last

    def _parts(self, start: int = 1) -> Any:
        """Yield for j the inner steps that are the j-th of their step, and of which steps."""
        for j in range(start, int(self._counts.max(initial=0))):
            of = np.flatnonzero(self._counts > j)
            yield self._first[of] + j, of

    @cached_property
    def jacobians(self) -> Array:
        """Jacobians of all steps ``(T, ..., n, n)``."""
        return self.composed(self.inner.jacobians)

    def composed(self, D: Array) -> Array:
        """Return what Jacobians of the inner steps make of the steps."""
        found = np.array(D[self._first])
        for inner, of in self._parts():
            found[of] = np.matmul(D[inner], found[of])
        return found

    @cached_property
    def log_volume(self) -> Array | None:  # type: ignore[override]  # computed when it is asked for
        """Changes of the logarithm of a volume in each step, ``(T, ...)``."""
        if self._volume is None:
            return None
        inner = self.inner
        found = self._volume(inner.states[:-1], inner.inputs, inner._params)
        return np.add.reduceat(found, self._first, axis=0)

    def first(self, n_steps: int) -> ComposedOrbit:
        """Return the first steps of it."""
        return ComposedOrbit(self.inner, self.edges[: n_steps + 1], self.inputs, self._volume)

    def along(self, inner: Any) -> ComposedOrbit:
        """Return the same steps, made of other inner ones."""
        found = copy.copy(self)
        found.inner, found.runs_along = inner, False
        found.__dict__["log_volume"] = self.log_volume
        return found

    def coarser(self, m: int) -> ComposedOrbit:
        """Return the same orbit in steps of m of these."""
        inputs = None if self.inputs is None else self.inputs[::m]
        return ComposedOrbit(self.inner, self.edges[::m], inputs, self._volume)

    @property
    def finest(self) -> Orbit:
        """The inner orbit: the tangent loop goes through it, and so do derivatives."""
        return self.inner

    def summed(self, bar: Array) -> Array:
        """Add what the parts of a step say about its row."""
        assert self.inputs is not None
        bar = np.add.reduceat(bar[..., : self.inputs.shape[-1]], self._first, axis=0)
        return unbroadcast(bar, self.inputs.shape)
