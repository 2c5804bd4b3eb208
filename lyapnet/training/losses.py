"""Losses of a network's outputs, with their derivatives, and accuracies."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..numerics.arrays import Array
from ..numerics.autodiff import traced
from ..systems.user_function import check_arguments

#: Names of the losses.
LOSSES = ("cross_entropy", "squared_error", "softmax")

#: By how much probabilities in single precision may be off.
_ROUNDING = 1e-4


def loss_and_gradient(
    name: str, outputs: Array, targets: Array, weights: Array
) -> tuple[float, Array]:
    r"""Return the mean loss of the outputs z and its derivative in them.

    .. math::
        \text{cross entropy of a logit: } \log(1 + e^z) - y z, \qquad
        \text{squared error: } (z - y)^2, \qquad
        \text{softmax: } \log \sum\nolimits_i e^{z_i} - \sum\nolimits_i y_i z_i

    The first two are means over outputs, too; of a softmax the outputs are classes.

    Parameters
    ----------
    name : {"cross_entropy", "squared_error", "softmax"} or callable
        A function (outputs, targets, weights) of autograd.numpy, which returns the whole loss.
    outputs, targets : array (T, batch, p)
    weights : array (T, batch) or (T, 1)
        What each step counts, zero or more; the mean is weighted by it.
    """
    if callable(name):
        return _of_function(name, outputs, targets, weights)
    counted = weights.sum() * (outputs.shape[1] / weights.shape[1])
    scale = weights[..., None] / counted
    if name == "softmax":
        shifted = outputs - outputs.max(axis=-1, keepdims=True)
        e = np.exp(shifted)
        total = e.sum(axis=-1, keepdims=True)
        loss = np.log(total) - np.sum(shifted * targets, axis=-1, keepdims=True)
        return float(np.sum(loss * scale)), (e / total - targets) * scale
    scale /= outputs.shape[2]
    if name == "cross_entropy":
        e = np.copysign(outputs, -1.0)  # so that nothing overflows
        np.exp(e, out=e)
        loss = np.maximum(outputs, 0.0)
        loss += np.log1p(e)
        loss -= outputs * targets
        bar = np.where(outputs >= 0, 1.0, e)
        bar /= 1.0 + e
        bar -= targets
    else:
        difference = outputs - targets
        loss, bar = difference * difference, 2.0 * difference
    loss *= scale
    bar *= scale
    return float(loss.sum()), bar


def check_targets(loss: Any, targets: Array, weights: Array) -> None:
    """Refuse targets of steps that count which are no probabilities, where the loss takes such.

    Of others a cross entropy has no least value, and a softmax not the derivative it is given.
    """
    if callable(loss) or loss == "squared_error":
        return
    counted = targets[np.broadcast_to(weights > 0, targets.shape[:2])]
    low, high = counted.min(), counted.max()
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        worst = low if low < -_ROUNDING else high
        raise ValueError(
            f'`loss` "{loss}" takes targets between 0 and 1, and a step that counts has {worst:g}: '
            "of signs -1 and 1 take (1 + y) / 2"
        )
    if loss == "softmax" and np.abs(counted.sum(axis=-1) - 1).max() > _ROUNDING:
        raise ValueError(
            '`loss` "softmax" takes targets whose sum over the outputs is 1, as np.eye(n)[labels]: '
            'of several labels at once take "cross_entropy"'
        )


def _of_function(loss: Any, outputs: Array, targets: Array, weights: Array) -> tuple[float, Array]:
    """Return a user's loss and its derivative by autograd."""
    vjp, value = traced(lambda z: loss(z, targets, weights), "loss")(outputs)
    if np.shape(value):
        raise ValueError(f"`loss` must return one number, got an array of shape {np.shape(value)}")
    return float(value), np.asarray(vjp(1.0), dtype=float)


def check_loss(loss: Any) -> Any:
    """Return a loss that is a known name, or a function."""
    if not callable(loss):
        return validate.option("loss", loss, LOSSES)
    check_arguments("loss", loss, ("outputs", "targets", "weights"))
    return loss


def accuracy(name: str, outputs: Array, targets: Array, mask: Array) -> float:
    r"""Return how right the outputs are where the mask counts.

    For logits the fraction on the right side of zero; chance is 1/2 for balanced bits. For
    real targets :math:`R^2 = 1 - \sum (z - y)^2 / \sum (y - \bar y)^2`: 0 for the best
    constant, 1 if perfect. Targets that do not vary count as 1 if met exactly, else 0. Of classes
    the fraction of steps in which the right one has the largest output.

    Parameters
    ----------
    name : {"cross_entropy", "squared_error", "softmax"} or callable
        Of a function it is R².
    outputs, targets : array (T, batch, p)
    mask : array (T,) or (T, batch)
        Steps that count, or their weights.
    """
    weights = np.asarray(mask, dtype=float)
    weights = weights.reshape(weights.shape + (1,) * (3 - weights.ndim))
    if name == "cross_entropy":
        right = (outputs > 0) == (targets > 0.5)
        return float((right * weights).sum() / (weights.sum() * (right.size / weights.size)))
    weights = np.broadcast_to(weights, outputs.shape)
    if name == "softmax":
        right = np.argmax(outputs, axis=-1) == np.argmax(targets, axis=-1)
        return float(np.sum(right * weights[..., 0]) / weights[..., 0].sum())
    mean = np.sum(targets * weights, axis=(0, 1)) / weights.sum(axis=(0, 1))
    variation = float(np.sum((targets - mean) ** 2 * weights))
    error = float(np.sum((outputs - targets) ** 2 * weights))
    if not variation:
        return float(error == 0.0)
    return 1.0 - error / variation


def as_weights(mask: Any, shape: tuple[int, int]) -> Array:
    """Return a mask ``(T,)`` or ``(T, batch)`` as weights ``(T, 1)`` or ``(T, batch)``."""
    weights = np.asarray(mask, dtype=float)
    if weights.shape == shape[:1]:
        weights = weights[:, None]
    if weights.shape not in ((shape[0], 1), shape) or not weights.min() >= 0:
        raise ValueError(
            f"a task's mask must have shape ({shape[0]},) or {shape} and no negative entry, "
            f"got shape {np.shape(mask)}"
        )
    if not weights.any():
        raise ValueError("a task's mask counts no step at all: use a larger n_steps")
    return weights
