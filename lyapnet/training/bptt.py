"""Backpropagation through time: the loss of a network with a readout, and all its gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DivergedError
from ..numerics.arrays import Array, Params, blas_threads
from ..systems.orbit import Orbit
from ..systems.parameters import named_params
from ..tangent.stretches import run_orbit
from .losses import loss_and_gradient
from .network import Batch, Network


@dataclass(frozen=True)
class Evaluation:
    """The loss of a network on a batch, with what led to it.

    Attributes
    ----------
    loss : float
        Penalty included.
    outputs : array (T - first, batch, n_outputs)
    first : int
        The first step that counts.
    grads : dict of str to array
        Derivatives of the loss, by the names of `Network.params`.
    initial_bar : array (batch, n)
        Derivative of the loss in each member's first state.
    orbit : Orbit
    outputs_bar : array (T - first, batch, n_outputs)
    """

    loss: float
    outputs: Array
    first: int
    grads: Params
    initial_bar: Array
    orbit: Orbit
    outputs_bar: Array


def evaluate(
    network: Network, batch: Batch, loss: str, penalty: Any = None, rng: Any = None
) -> Evaluation:
    r"""Run a batch forward and backward.

    .. math::
        \bar h_t = W_\mathrm{out}^T \bar z_t + D_t^T \bar h_{t+1}, \qquad
        z_t = W_\mathrm{out} h_t + b_\mathrm{out}

    Raises
    ------
    DivergedError
        If a state, the loss or a gradient is not finite.
    """
    system, (W, _), x0 = network.system, network.readout, network.x0
    n_steps, members = batch.inputs.shape[:2]
    x = np.empty((members, system.dim))
    x[...] = x0
    with blas_threads(members * system.dim**2):
        orbit = run_orbit(system, x, batch.rows(system), 0, n_steps)
        first = int(np.argmax(batch.weights != 0)) // batch.weights.shape[1]
        seen = network.seen(orbit.states[1 + first :])
        with np.errstate(over="ignore", invalid="ignore"):
            outputs = network.read(seen)
            value, outputs_bar = loss_and_gradient(
                loss, outputs, batch.targets[first:], batch.weights[first:]
            )
        if not np.isfinite(value):
            raise DivergedError("the loss is not finite; use a smaller learning rate or clip_norm")
        extra: Params = {}
        from_penalty = None
        if penalty is not None:
            added, from_penalty, extra = penalty.evaluate(system, orbit, rng)
            value += added
        if from_penalty is None:
            through = orbit.readout_adjoint(outputs_bar, W, system.visible)
        else:
            states_bar = orbit.through_readout(outputs_bar, W, system.visible)
            states_bar[:-1] += from_penalty
            through = orbit.state_adjoint(states_bar, inputs=False)
        grads = named_params(system.params, through.params)[1]
        for name, bar in extra.items():
            grads[name] = grads[name] + bar
        flat_bar = outputs_bar.reshape(-1, len(W))
        grads["readout.W"] = np.dot(flat_bar.T, seen.reshape(-1, W.shape[1]))
        grads["readout.b"] = flat_bar.sum(axis=0)
        grads["x0"] = through.states.sum(axis=0)
    return Evaluation(value, outputs, first, grads, through.states, orbit, outputs_bar)
