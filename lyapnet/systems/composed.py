"""Orbits whose steps are made of finer ones."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ..numerics.arrays import Array, unbroadcast
from ..numerics.autodiff import Function, Tree, leaves, rebuild
from .jacobian_orbit import JacobianOrbit
from .orbit import Cotangent


class ComposedOrbit(JacobianOrbit):
    r"""An orbit of T steps, each of which is made of consecutive steps of an inner one.

    The Jacobian of a step is the product of those inside; cotangents go back through all of
    them.

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
        super().__init__(inner.states[edges], inputs)
        self.inner = inner
        self._first = edges[:-1]
        self._counts = np.diff(edges)
        self._edges = edges
        self._volume = volume

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
    def log_volume(self) -> Array | None:  # type: ignore[override]
        """Changes of the logarithm of a volume in each step, ``(T, ...)``."""
        if self._volume is None:
            return None
        inner = self.inner
        found = self._volume(inner.states[:-1], inner.inputs, inner._params)
        return np.add.reduceat(found, self._first, axis=0)

    def coarser(self, m: int) -> ComposedOrbit:
        """Return the same orbit in steps of m of these."""
        inputs = None if self.inputs is None else self.inputs[::m]
        return ComposedOrbit(self.inner, self._edges[::m], inputs, self._volume)

    def tangent_adjoint(self, rows: Array, rows_bar: Array) -> Cotangent:
        """Differentiate ``sum(rows_bar * (D rows))`` through all inner steps."""
        D, first, last = self.inner.jacobians, self._first, self._edges[1:] - 1
        forth = np.empty((self.inner.n_steps, *rows.shape[1:]))
        back = np.empty_like(forth)
        forth[first], back[last] = rows, rows_bar
        parts = [inner for inner, _ in self._parts()]
        for inner in parts:
            forth[inner] = np.matmul(forth[inner - 1], D[inner - 1].swapaxes(-1, -2))
        for inner in reversed(parts):
            back[inner - 1] = np.matmul(back[inner], D[inner])
        through = self.inner.tangent_adjoint(forth, back)
        # States inside depend on the first one.
        bars, bars_out = through.states, np.zeros_like(through.states)
        for inner in reversed(parts):
            bars_out[inner - 1] = bars[inner]
            bars[inner - 1] += np.matmul(bars[inner][..., None, :], D[inner - 1])[..., 0, :]
        inside = self.inner.through_steps(bars_out)
        return Cotangent(
            bars[first],
            self._summed(_plus(through.inputs, inside.inputs)),
            _plus_tree(through.params, inside.params),
        )

    def state_adjoint(self, states_bar: Array, inputs: bool = True) -> Cotangent:
        """Carry cotangents of the states back to the first one."""
        bars = np.zeros_like(self.inner.states)
        bars[self._edges] = states_bar
        through = self.inner.state_adjoint(bars, inputs)
        return Cotangent(through.states, self._summed(through.inputs), through.params)

    def _summed(self, bar: Array | None) -> Array | None:
        """Add what the parts of a step say about its row."""
        if bar is None or self.inputs is None:
            return None
        bar = np.add.reduceat(bar[..., : self.inputs.shape[-1]], self._first, axis=0)
        return unbroadcast(bar, self.inputs.shape)


def _plus(a: Array | None, b: Array | None) -> Array | None:
    return b if a is None else a if b is None else a + b


def _plus_tree(a: Tree, b: Tree) -> Tree:
    if a is None or b is None:
        return b if a is None else a
    return rebuild(a, [x + y for x, y in zip(leaves(a), leaves(b), strict=True)])
