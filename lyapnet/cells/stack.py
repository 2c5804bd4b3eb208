"""Several cells on top of each other, as one system."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, Self

import autograd.numpy as anp
import numpy as np

from ..numerics.arrays import Array
from ..numerics.autodiff import Tree, value
from ..results.storage import register
from ..systems.orbit import Orbit
from .cell import Cell
from .stack_orbit import StackOrbit, layer_name


@register
class Stack(Cell):
    r"""Layers of cells, each fed by the new output of the one below in the same time step.

    .. math:: h^1_{s+1} = f^1(h^1_s, u_{s+1}), \qquad h^l_{s+1} = f^l(h^l_s, r^{l-1}_{s+1})

    The state is that of all layers side by side, the lowest first, and r is a layer's output:
    :math:`\phi(h)` of a vanilla network, h of an LSTM or GRU. The Jacobian is block triangular,

    .. math::

        D^{ll} = \frac{\partial f^l}{\partial h^l}, \qquad
        D^{lj} = \frac{\partial f^l}{\partial r}\, \frac{d r^{l-1}}{d h^{l-1}}\, D^{l-1,j}
        \quad (j < l),

    so that the spectrum is that of all layers together, each driven by the one below.

    Parameters
    ----------
    cells : sequence of Cell
        The lowest layer first; each has as many inputs as the one below has units.

    Attributes
    ----------
    cells : tuple of Cell
    params : dict
        Those of the layers, named ``layer0.W`` and so on.

    Examples
    --------
    >>> import lyapnet as ln
    >>> stack = ln.Stack([ln.GRU.random(8, rng=0), ln.LSTM.random(4, n_inputs=8, rng=1)])
    >>> stack
    Stack(dim=16, n_inputs=1)
    >>> ln.lyapunov_spectrum(stack, 100, rng=0).exponents.shape
    (16,)
    """

    def __init__(self, cells: Iterable[Cell]) -> None:
        if isinstance(cells, Cell):
            raise TypeError(f"`cells` must be a sequence of cells, got {cells!r}: put it in a list")
        if not isinstance(cells, Iterable):
            raise TypeError(f"`cells` must be a sequence of cells, got {cells!r}")
        given = list(cells)
        for cell in given:
            if not isinstance(cell, Cell):
                raise TypeError(f"`cells` must be cells of lyapnet, got {cell!r}")
        layers = [x for cell in given for x in (cell.cells if isinstance(cell, Stack) else [cell])]
        if not layers:
            raise ValueError("`cells` must have at least one cell")
        for i, (below, cell) in enumerate(pairwise(layers), 1):
            if cell.n_inputs != below.n_outputs:
                raise ValueError(
                    f"`cells[{i}]` has n_inputs={cell.n_inputs}, but the cell below has "
                    f"{below.n_outputs} units: they must be equal (a layer that runs in both "
                    "directions of time can be no part of a stack)"
                )
        self.cells: tuple[Cell, ...] = tuple(layers)
        self.params = {
            layer_name(i, k): v for i, c in enumerate(layers) for k, v in c.params.items()
        }
        self.dim = sum(cell.dim for cell in layers)
        self.n_inputs = layers[0].n_inputs
        self._ends = np.cumsum([cell.dim for cell in layers])
        self.networks  # noqa: B018 - refuses parameters whose ensembles do not match

    @property
    def _axes(self) -> dict[str, int]:  # type: ignore[override]  # not the same for all cells
        return {
            layer_name(i, k): axes for i, c in enumerate(self.cells) for k, axes in c._axes.items()
        }

    @property
    def differentiated(self) -> bool:  # type: ignore[override]  # not the same for all cells
        """Whether the derivatives of all layers are lyapnet's own."""
        return all(cell.differentiated for cell in self.cells)

    @property
    def n_outputs(self) -> int:
        """Number of outputs: the units of the highest layer."""
        return self.cells[-1].n_outputs

    @property
    def visible(self) -> slice:
        """Components of the state that a readout sees: those of the highest layer's h."""
        top = self.cells[-1]
        below = self.dim - top.dim
        return slice(below + top.visible.start, below + top.visible.stop)

    def _with(self, params: dict[str, Any]) -> Self:
        return type(self)(
            cell.with_params({k: params[layer_name(i, k)] for k in cell.params})
            for i, cell in enumerate(self.cells)
        )

    def _copied(self, params: Any) -> None:
        """Return nothing: layers have parameters of their own."""

    def _to_state(self) -> dict[str, Any]:
        return {"cells": list(self.cells)}

    @classmethod
    def _from_state(cls, state: dict[str, Any]) -> Self:
        return cls(state["cells"])

    def split(self, x: Any) -> list[Any]:
        """Return the states of the layers, the lowest first.

        Parameters
        ----------
        x : array (..., dim)
        """
        return [x[..., e - c.dim : e] for c, e in zip(self.cells, self._ends, strict=True)]

    def _layers(self, x: Any, u: Any) -> Iterator[tuple[Cell, Any, Any, Any]]:
        """Step layer by layer: yield each cell, its state, its input and its new state."""
        lead = self.ensemble(np.empty(np.shape(x)), None if u is None else np.empty(np.shape(u)))
        if np.shape(x)[:-1] != lead:
            x = x + np.zeros((*lead, self.dim))
        for cell, h in zip(self.cells, self.split(x), strict=True):
            new = cell.step(h, u)
            yield cell, h, u, new
            u = cell.output(new)

    def step(self, x: Array, u: Array | None = None) -> Array:
        """Return the next state ``(..., dim)``; without an input, under zero input."""
        return anp.concatenate([new for *_, new in self._layers(x, u)], axis=-1)

    def jacobian(self, x: Array, u: Array | None = None) -> Array:
        """Return the block-triangular Jacobian of `step`, ``(..., dim, dim)``."""
        rows: list[Any] = []
        below: Any = None
        for cell, h, v, new in self._layers(x, u):
            row = cell.jacobian(h, v)
            if below is not None:
                row = anp.concatenate([anp.matmul(cell.input_jacobian(h, v), below), row], axis=-1)
            below = cell.output_pushforward(new, row)
            zeros = np.zeros((*row.shape[:-1], self.dim - row.shape[-1]))
            rows.append(anp.concatenate([row, zeros], axis=-1))
        return anp.concatenate(rows, axis=-2)

    def pushforward(self, x: Array, Q: Array, u: Array | None = None) -> Array:
        """Return the Jacobian times ``Q (..., dim, k)`` without forming it."""
        rows: list[Any] = []
        below: Any = None
        for (cell, h, v, new), end in zip(self._layers(x, u), self._ends, strict=True):
            row = cell.pushforward(h, Q[..., end - cell.dim : end, :], v)
            if below is not None:
                row = row + anp.matmul(cell.input_jacobian(h, v), below)
            below = cell.output_pushforward(new, row)
            rows.append(row)
        return anp.concatenate(rows, axis=-2)

    def input_jacobian(self, x: Array, u: Array | None = None) -> Array:
        """Return the Jacobian of `step` in the input, ``(..., dim, n_inputs)``."""
        rows: list[Any] = []
        below: Any = np.eye(self.n_inputs)
        for cell, h, v, new in self._layers(x, u):
            row = anp.matmul(cell.input_jacobian(h, v), below)
            below = cell.output_pushforward(new, row)
            rows.append(row)
        lead = np.broadcast_shapes(*(np.shape(value(row))[:-2] for row in rows))
        return anp.concatenate([row + np.zeros((*lead, 1, 1)) for row in rows], axis=-2)

    def output(self, x: Array) -> Array:
        """Return the output of the highest layer ``(..., n_outputs)``."""
        return self.cells[-1].output(self.split(x)[-1])

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps, each layer over all of them in turn; see `System.orbit`."""
        states = np.empty((n_steps + 1, *x.shape))
        u, runs = inputs, []
        for cell, h, end in zip(self.cells, self.split(x), self._ends, strict=True):
            run = cell.orbit(np.ascontiguousarray(h), u, n_steps)
            runs.append(run)
            states[..., end - cell.dim : end] = run.states
            u = np.asarray(cell.output(run.states[1:]))

        def step(x: Any, u: Any, p: Tree) -> Any:
            return self._with(p).step(x, u)

        def jacobian(x: Any, u: Any, p: Tree) -> Any:
            return self._with(p).jacobian(x, u)

        return StackOrbit(self, runs, states, inputs, step, jacobian)

    def with_loops(self, k: int, n_steps: int) -> Self:
        """Return the stack with layers that compiled loops run, where these pay."""
        other = copy.copy(self)
        layers = []
        for cell in self.cells:
            layer = copy.copy(cell)
            layer.engine = self.engine
            layers.append(layer.with_loops(k, n_steps))
        other.cells = tuple(layers)
        used = {layer.engine_used[0] for layer in layers}
        if used == {"compiled"}:
            other.engine_used = "compiled", ""
        return other
