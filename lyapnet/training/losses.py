"""Losses of a network's outputs, with their derivatives, and accuracies."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..numerics.arrays import Array

#: Names of the losses.
LOSSES = ("cross_entropy", "squared_error")


def loss_and_gradient(
    name: str, outputs: Array, targets: Array, weights: Array
) -> tuple[float, Array]:
    r"""Return the mean loss of the outputs z and its derivative in them.

    .. math::
        \text{cross entropy of a logit: } \log(1 + e^z) - y z, \qquad
        \text{squared error: } (z - y)^2

    Parameters
    ----------
    name : {"cross_entropy", "squared_error"}
    outputs, targets : array (T, batch, p)
    weights : array (T, batch) or (T, 1)
        What each step counts, zero or more; the mean is weighted by it.
    """
    scale = weights[..., None] / (
        np.broadcast_to(weights, outputs.shape[:2]).sum() * outputs.shape[2]
    )
    if name == "cross_entropy":
        # With e = exp(-|z|) nothing overflows.
        e = np.exp(-np.abs(outputs))
        loss = np.maximum(outputs, 0.0) + np.log1p(e) - outputs * targets
        bar = np.where(outputs >= 0, 1.0, e) / (1.0 + e) - targets
    else:
        difference = outputs - targets
        loss, bar = difference * difference, 2.0 * difference
    return float(np.sum(loss * scale)), bar * scale


def accuracy(name: str, outputs: Array, targets: Array, mask: Array) -> float:
    r"""Return how right the outputs are where the mask counts.

    For logits the fraction on the right side of zero; chance is 1/2 for balanced bits. For
    real targets :math:`R^2 = 1 - \sum (z - y)^2 / \sum (y - \bar y)^2`: 0 for the best
    constant, 1 if perfect. Targets that do not vary count as 1 if met exactly, else 0.

    Parameters
    ----------
    name : {"cross_entropy", "squared_error"}
    outputs, targets : array (T, batch, p)
    mask : array (T,) or (T, batch)
        Steps that count, or their weights.
    """
    weights = np.asarray(mask, dtype=float)
    weights = weights.reshape(weights.shape + (1,) * (3 - weights.ndim))
    weights = np.broadcast_to(weights, outputs.shape)
    if name == "cross_entropy":
        return float(np.sum(((outputs > 0) == (targets > 0.5)) * weights) / weights.sum())
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
    if weights.shape not in ((shape[0], 1), shape) or not (weights >= 0).all():
        raise ValueError(
            f"a task's mask must have shape ({shape[0]},) or {shape} and no negative entry, "
            f"got shape {np.shape(mask)}"
        )
    if not weights.any():
        raise ValueError("a task's mask counts no step at all: use a larger n_steps")
    return weights
