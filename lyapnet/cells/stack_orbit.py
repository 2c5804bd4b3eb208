"""A stretch of a stack's trajectory, and backpropagation through its layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..numerics.arrays import Array
from ..systems.jacobian_orbit import JacobianOrbit
from ..systems.orbit import Cotangent, Orbit

if TYPE_CHECKING:
    from .stack import Stack


def layer_name(layer: int, name: str) -> str:
    """Return the name in a stack of a layer's parameter."""
    return f"layer{layer}.{name}"


class StackOrbit(JacobianOrbit):
    """A stretch of a stack's trajectory: those of its layers, and Jacobians of the whole.

    Parameters
    ----------
    stack : Stack
    runs : list of Orbit
        Of the layers, the lowest first.
    states, inputs, step, jacobian
        As for `JacobianOrbit`.
    """

    def __init__(
        self, stack: Stack, runs: list[Orbit], states: Array, inputs: Array | None, step: Any,
        jacobian: Any,
    ) -> None:  # fmt: skip
        super().__init__(states, inputs, stack.params, step, jacobian)
        self.stack, self.runs = stack, runs

    def state_adjoint(self, states_bar: Array, inputs: bool = True) -> Cotangent:
        """Backpropagate through time, layer by layer from the highest."""
        bars, params, below = self.stack.split(states_bar), {}, None
        first = np.empty(states_bar.shape[1:])
        layers = list(enumerate(zip(self.stack.cells, self.runs, bars, strict=True)))
        for i, (cell, run, bar) in reversed(layers):
            bar = np.array(bar)
            if below is not None:
                bar[1:] += cell.output_pullback(run.states[1:], below)
            found = run.state_adjoint(bar, inputs=i > 0 or inputs)
            below = found.inputs
            self.stack.split(first)[i][...] = found.states
            params.update({layer_name(i, name): x for name, x in found.params.items()})
        return Cotangent(first, below if inputs else None, params)
