"""What can be watched during training, each on request.

Costs are given for the paper's network (80 units, batch 16, 300 steps: an epoch of about
8 ms). No diagnostic changes the run: those that need chance have a generator of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .. import validate
from ..cells import Cell
from ..cells.gated import GatedCell
from ..numerics.arrays import Array
from ..spectrum.covariant import covariant_vectors
from ..tangent.gradient import exponents
from ..tangent.plan import Plan
from ..tangent.qr import orthonormalise
from ..tangent.stretches import run_orbit
from .bptt import Evaluation
from .network import Batch, Network
from .penalty import recurrent_weights


@dataclass(frozen=True)
class Moment:
    """A training epoch, before its update."""

    epoch: int
    network: Network
    batch: Batch
    evaluation: Evaluation
    #: The longest lag of the task, in steps.
    delay: int

    @cached_property
    def norm_h0(self) -> Array:
        """Norm of the gradient in the first state, which is recorded by itself and in a share."""
        bar = self.evaluation.initial_bar
        return np.sqrt(np.vecdot(bar, bar)).sum()


def gradient_norm_h0(moment: Moment) -> Array:
    """Norm of a sequence's loss gradient in its first state, mean over the batch: free."""
    return moment.norm_h0


def transmission(moment: Moment) -> Array:
    r"""Share of the loss gradient that arrives in the first state, mean over the batch: free.

    .. math::
        \left| \frac{\mathrm{d} L}{\mathrm{d} h_0} \right| \Big/
        \Big( \sum_t \left| \frac{\partial L}{\partial h_t} \right|^2 \Big)^{1/2}

    Partial derivatives are those by the output of step t alone. It is about 1 where gradients go
    back unchanged, whatever the loss, the length of the sequences and the readout.
    """
    found = moment.evaluation
    bar, W = found.outputs_bar, moment.network.readout.W
    # The squared length of what W^T carries back, without carrying it.
    flat = bar.reshape(-1, len(W))
    squares = np.dot(flat, np.dot(W, W.T)).reshape(bar.shape)
    squares *= bar
    sent = np.sqrt(squares.sum(axis=0).sum(axis=-1)).sum()
    return moment.norm_h0 / max(sent, np.finfo(float).tiny)


def longest_gradient_norm_h0(moment: Moment) -> Array:
    """Norm of the last step's loss gradient in the first state, eq. 18: about 3 ms."""
    found = moment.evaluation
    last = np.zeros_like(found.outputs_bar)
    last[-1] = found.outputs_bar[-1] * len(last)
    network = moment.network
    bar = found.orbit.readout_adjoint(last, network.readout.W, network.system.visible).states
    return len(bar) * np.linalg.norm(bar, axis=-1).mean()


def singular_values(moment: Moment) -> Array:
    """Singular values of dL/dW, descending ``(n,)``: about 1 ms."""
    recurrent_weights(moment.network.system)
    return np.linalg.svd(moment.evaluation.grads["W"], compute_uv=False)


def effective_rank(moment: Moment) -> Array:
    r"""Effective rank of dL/dW: about 1 ms.

    :math:`\exp(-\sum p_i \log p_i)` with :math:`p_i = \sigma_i / \sum \sigma`:
    O. Roy and M. Vetterli, EUSIPCO 2007.
    """
    sigma = singular_values(moment)
    p = sigma[sigma > 0] / max(sigma.sum(), np.finfo(float).tiny)
    return np.exp(-np.sum(p * np.log(p)))


def finite_exponents(moment: Moment) -> Array:
    """All exponents along the batch's first sequence, descending ``(n,)``: about 15 ms."""
    system = moment.network.system
    inputs = moment.batch.rows(system)[:, 0]
    warm = min(len(inputs) // 4, 50)
    plan = Plan(0, warm, min(len(inputs) - warm, 100), 1)
    rows = np.random.default_rng(moment.epoch).standard_normal((system.dim, system.dim))
    orthonormalise(rows)
    lam, _ = exponents(system, moment.network.x0, rows, inputs[: plan.total], plan, keep=False)
    return np.sort(lam)[::-1]


def log10_condition_number(moment: Moment) -> Array:
    """Predicted condition number across the task's delay, eq. 10: about 15 ms."""
    lam = finite_exponents(moment)
    return (lam[0] - lam[-1]) * max(moment.delay, 1) / np.log(10)


def gradient_overlap(moment: Moment) -> Array:
    r"""How far the gradient lies along each covariant vector ``(min(10, n),)``: about 11 ms.

    The mean of :math:`|\cos|` of the angle between the last step's loss gradient in the state
    :math:`h_t` and the leading covariant Lyapunov vectors there, over the middle half of the
    batch's first sequence. Vectors at random have about :math:`0.8 / \sqrt n`.
    """
    system, W = moment.network.system, moment.network.readout.W
    inputs = moment.batch.inputs[:, 0]
    warm = len(inputs) // 4
    vectors = covariant_vectors(
        system,
        len(inputs) - 2 * warm + 1,
        k=min(10, system.dim),
        inputs=inputs,
        x0=moment.network.x0,
        transient=0,
        basis_transient=warm,
        backward_transient=warm,
        t0=moment.batch.t0,
        rng=moment.epoch,
    ).vectors
    rows = moment.batch.rows(system)[:, 0]
    orbit = run_orbit(system, moment.network.x0, rows, 0, len(rows))
    bars = np.zeros((len(inputs) + 1, 1, system.dim))
    bars[-1, 0, system.visible] = moment.evaluation.outputs_bar[-1, 0] @ W
    for s in reversed(range(warm, len(inputs))):
        orbit.pull(s, bars[s + 1], bars[s])
        bars[s] /= max(np.linalg.norm(bars[s]), np.finfo(float).tiny)
    found = np.matmul(bars[warm : len(inputs) - warm + 1], vectors)[:, 0]
    return np.abs(found).mean(axis=0)


def gates(moment: Moment) -> Array:
    """Mean of each gate along the batch's first sequence ``(gates,)``: about 3 ms."""
    return np.array([x.mean() for x in _gates(moment).values()])


def gate_saturation(moment: Moment) -> Array:
    """Fraction of each gate that is nearly shut or open ``(gates,)``: about 3 ms.

    Along the batch's first sequence: below 0.05 or above 0.95; of the candidate, whose tanh
    lies in (-1, 1), likewise at its ends.
    """
    found = _gates(moment)
    candidate = {"cell", "new"} & set(found)
    sizes = [np.abs(x) if name in candidate else np.abs(2 * x - 1) for name, x in found.items()]
    return np.array([(size > 0.9).mean() for size in sizes])


def _gates(moment: Moment) -> dict[str, Array]:
    system = moment.network.system
    if not isinstance(system, GatedCell):
        raise ValueError(f"`diagnostics` of gates need an LSTM or a GRU, and this is {system!r}")
    return system.gate_values(moment.evaluation.orbit.states[:-1, 0], moment.batch.inputs[:, 0])


def input_gain(moment: Moment) -> Array:
    r"""Gain from input to what a readout sees, along the batch's first sequence: about 1 ms.

    The root mean square over steps, units and inputs of :math:`\partial h_{s+1} / \partial u`:
    what little of it is left, no memory can hold.
    """
    system = moment.network.system
    states = moment.evaluation.orbit.states[:-1, 0]
    if not isinstance(system, Cell):
        raise ValueError(f'`diagnostics` "input_gain" needs a cell of lyapnet, not {system!r}')
    J = np.asarray(system.input_jacobian(states, moment.batch.inputs[:, 0]))
    return np.sqrt(np.mean(J[..., system.visible, :] ** 2))


DIAGNOSTICS: dict[str, Callable[[Moment], Array]] = {
    "gradient_norm_h0": gradient_norm_h0,
    "transmission": transmission,
    "gradient_norm_h0_longest": longest_gradient_norm_h0,
    "singular_values": singular_values,
    "effective_rank": effective_rank,
    "exponents": finite_exponents,
    "log10_condition_number": log10_condition_number,
    "gradient_overlap": gradient_overlap,
    "gates": gates,
    "gate_saturation": gate_saturation,
    "input_gain": input_gain,
}


def check_diagnostics(names: Any) -> tuple[str, ...]:
    """Return the names of diagnostics that are known."""
    names = validate.names("diagnostics", (names,) if isinstance(names, str) else names)
    for name in names:
        if name not in DIAGNOSTICS:
            raise ValueError(f"`diagnostics` must be among {sorted(DIAGNOSTICS)}, got {name!r}")
    return names
