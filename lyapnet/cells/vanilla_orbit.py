"""The orbit of a vanilla network: its run, its tangent steps and their adjoints."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg.blas import dgemm

from ..numerics.arrays import Array
from ..numerics.buffers import empty
from ..systems.orbit import Cotangent, Orbit
from .products import contract, drive, overlap, through_drive, times, transposed

#: A single network of up to so many units has its Jacobians formed, of so many steps at a time.
_SMALL, _PART = 48, 128


def vanilla_orbit(cell: Any, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
    """Run `n_steps` steps of a vanilla network from states ``(..., n)``."""
    if cell.engine_used[0] == "compiled" and n_steps:
        from .vanilla_compiled import CompiledVanilla, runs

        if runs(cell, x):
            return CompiledVanilla(cell, x, inputs, n_steps)
    small = x.ndim == 1 and np.ndim(cell.params["W"]) == 2 and cell.dim <= _SMALL
    return (_SmallOrbit if small else VanillaOrbit)(cell, x, inputs, n_steps)


class VanillaOrbit(Orbit):
    r"""A stretch of a vanilla network's trajectory; see `Orbit` for the contract.

    `slope` is the diagonal :math:`\alpha \phi'(h_s)`, so that
    :math:`D_s = (1 - \alpha) I + W\,\mathrm{diag}(\mathrm{slope}_s)`.
    """

    def __init__(self, cell: Any, x: Array, inputs: Array | None, n_steps: int) -> None:
        self.cell = cell
        self.W, self.V, self.b = (cell.params[name] for name in "WVb")
        self.inputs = None if inputs is None else inputs[:n_steps]
        self.states = empty((n_steps + 1, *x.shape))
        self.states[0] = x
        with np.errstate(over="ignore", invalid="ignore"):
            self._run()
            self._linearise()
        self._slope_bar: Array | None = None
        self._scratch: Array | None = None

    @cached_property
    def transposed(self) -> Array:
        """:math:`W^T`, as products want it."""
        return transposed(self.W)

    def _linearise(self) -> None:
        self._slope, self._curvature = self.cell.activation.along(self.states[:-1], self.rates)

    @cached_property
    def slope(self) -> Array:
        """The diagonals of the class' formula ``(T, ..., n)``."""
        slope = self.cell.activation.resolved(self.states[:-1], self._slope)
        return slope if self.cell.leak == 1 else self.cell.leak * slope

    @cached_property
    def _scales(self) -> list[Array]:
        """The slope of each step, ``(..., 1, n)``."""
        return list(self.slope[..., None, :])

    @property
    def _activate(self) -> Callable[[Array, Array], Any]:
        """The activation function, writing what it returns to its second argument."""
        if self.cell.activation.name == "tanh":
            return np.tanh
        function = self.cell.activation.function
        return lambda h, out: np.copyto(out, function(h))

    def _run(self) -> None:
        leak, activate = self.cell.leak, self._activate
        states = self.states
        rates = self._empty_rates()
        drive(self.inputs, self.V, self.b, states[1:])
        shared = self.W.ndim == 2
        batch = shared and states.ndim == 3 and states.shape[1] > 0
        grown = np.empty(states.shape[1:])
        for h, r, following in zip(states, rates, states[1:], strict=False):
            activate(h, r)
            if batch:  # the product and the sum in one call
                dgemm(1.0, self.transposed.T, r.T, beta=1.0, c=following.T, overwrite_c=1)
            elif shared:
                times(r, self.transposed, out=grown)
                following += grown
            else:
                np.matmul(self.W, r[..., None], out=grown[..., None])
                following += grown
            if leak != 1:
                following *= leak
                following += (1 - leak) * h

    def _empty_rates(self) -> Array:
        self.rates = empty(self.states[1:].shape)
        return self.rates

    @property
    def jacobians(self) -> Array:
        """Jacobians of all steps ``(T, ..., n, n)``."""
        unit = (1 - self.cell.leak) * np.eye(self.cell.dim)
        return unit + self.W * self.slope[..., None, :]

    def _like(self, rows: Array) -> Array:
        """Return scratch of the shape of `rows`."""
        if self._scratch is None or self._scratch.shape != rows.shape:
            self._scratch = np.empty(rows.shape)
        return self._scratch

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry tangent vectors through step s."""
        scratch = self._like(rows)
        np.multiply(rows, self._scales[s], out=scratch)
        times(scratch, self.transposed, out=out)
        if self.cell.leak != 1:
            out += (1 - self.cell.leak) * rows

    def pull(self, s: int, rows: Array, out: Array, forward: Array | None = None) -> None:
        """Carry cotangent vectors back through step s, and note what the slope gets."""
        times(rows, self.W, out=out)
        if forward is not None:
            if self._slope_bar is None:
                self._slope_bar = np.zeros_like(self.rates)
            overlap(out, forward, self._slope_bar[s], self._like(rows))
        out *= self._scales[s]
        if self.cell.leak != 1:
            out += (1 - self.cell.leak) * rows

    def tangent_adjoint(self, rows: Array, rows_bar: Array) -> Cotangent:
        """Differentiate in the slopes, hence the states, and in the weights."""
        assert self._slope_bar is not None
        states = self._slope_bar * (self.cell.leak * self._curvature())
        rows *= self.slope[..., None, :]
        W = contract(rows_bar, rows, self.W.shape)
        return Cotangent(states, None, {"W": W, "V": 0.0, "b": 0.0})

    def state_adjoint(self, states_bar: Array, inputs: bool = True) -> Cotangent:
        """Backpropagate through time."""
        bars = states_bar
        W, leak = self.W, self.cell.leak
        shared = W.ndim == 2
        step = np.empty(bars.shape[1:])
        slopes = self._slope if leak == 1 else leak * self._slope
        for here, following, slope in zip(bars[-2::-1], bars[:0:-1], slopes[::-1], strict=True):
            if shared and step.ndim <= 2:
                np.dot(following, W, out=step)
            elif shared:
                times(following, W, out=step)
            else:
                np.matmul(W.swapaxes(-1, -2), following[..., None], out=step[..., None])
            step *= slope
            here += step
            if leak != 1:
                here += (1 - leak) * following
        return self._through_steps(bars, inputs)

    def _through_steps(self, bars: Array, inputs: bool) -> Cotangent:
        """Return what the inputs and parameters get, given the cotangents of all states."""
        W, leak = self.W, self.cell.leak
        driven = bars[1:] if leak == 1 else leak * bars[1:]
        inputs_bar, params = through_drive(driven, self.inputs, self.V, self.b, wanted=inputs)
        params["W"] = contract(driven[..., None, :], self.rates[..., None, :], W.shape)
        return Cotangent(bars[0], inputs_bar, params)


class _SmallOrbit(VanillaOrbit):
    """One small network's, where calls of NumPy cost more than multiplications.

    Jacobians are formed for many steps at once, with room for one row more, and so is what their
    weights and slopes get.
    """

    _formed: Array | None = None

    def _run(self) -> None:
        """With its inputs and a one beside the rates a step is one product."""
        n, leak, activate = self.cell.dim, self.cell.leak, self._activate
        driven = self.inputs is not None and self.cell.n_inputs > 0
        weights = np.concatenate([self.transposed, *([self.V.T] if driven else []), self.b[None]])
        beside = np.ones((self.n_steps, len(weights)))
        if driven:
            beside[:, n:-1] = self.inputs
        self.rates = beside[:, :n]
        states = self.states
        for h, r, all_, following in zip(states, self.rates, beside, states[1:], strict=False):
            activate(h, r)
            np.dot(all_, weights, following)
            if leak != 1:
                following *= leak
                following += (1 - leak) * h

    def _maps(self, first: int, last: int) -> Array:
        """Return the Jacobians of some steps, formed once if the run is short, and a row more."""
        whole = len(self.slope) <= _PART
        if whole and self._formed is not None:
            return self._formed[first:last]
        slope = self.slope if whole else self.slope[first:last]
        n = len(self.W)
        maps = empty((len(slope), n + 1, n))
        J = maps[:, :n]
        np.multiply(self.W, slope[:, None, :], out=J)
        if self.cell.leak != 1:
            J += (1 - self.cell.leak) * np.eye(n)
        if whole:
            self._formed = maps
        return maps[first:last] if whole else maps

    def carry(self, first: int, rows: list[Array]) -> None:
        """Carry tangent vectors through steps."""
        for a in range(0, len(rows) - 1, _PART):
            here, there = rows[a : a + _PART], rows[a + 1 : a + _PART + 1]
            J = self._maps(first + a, first + a + len(there))[:, :-1]
            for J_T, x, out in zip(J.swapaxes(-1, -2), here, there, strict=False):
                np.dot(x, J_T, out)

    def carry_back(self, first: int, bars: list[Array], rows: list[Array]) -> None:
        """Carry cotangent vectors back through steps."""
        for b in range(len(rows), 0, -_PART):
            a = max(0, b - _PART)
            maps = self._maps(first + a, first + b)[::-1, :-1]
            for J, x, out in zip(maps, bars[b:a:-1], bars[a:b][::-1], strict=True):
                np.dot(x, J, out)

    def tangent_adjoint(self, rows: Array, rows_bar: Array) -> Cotangent:
        """Differentiate in the slopes, hence the states, and in the weights."""
        slope_bar, W = np.empty(self.slope.shape), np.zeros(self.W.shape)
        for start in range(0, len(rows), _PART):
            at = slice(start, start + _PART)
            outers = np.matmul(rows_bar[at].swapaxes(-1, -2), rows[at])
            slope_bar[at] = np.einsum("tij,ij->tj", outers, self.W)
            W += np.einsum("tij,tj->ij", outers, self.slope[at])
        states = slope_bar * (self.cell.leak * self._curvature())
        return Cotangent(states, None, {"W": W, "V": 0.0, "b": 0.0})

    def state_adjoint(self, states_bar: Array, inputs: bool = True) -> Cotangent:
        """Backpropagate through time; what enters at a step is one row more of its Jacobian."""
        n = self.cell.dim
        beside = np.ones((len(states_bar), n + 1))
        bars = beside[:, :n]
        bars[-1] = states_bar[-1]
        for b in range(self.n_steps, 0, -_PART):
            a = max(0, b - _PART)
            maps = self._maps(a, b)
            maps[:, n] = states_bar[a:b]
            steps = zip(maps[::-1], beside[b:a:-1], bars[a:b][::-1], strict=True)
            for both, following, here in steps:
                np.dot(following, both, here)
        return self._through_steps(bars, inputs)
