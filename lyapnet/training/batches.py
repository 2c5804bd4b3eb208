"""Batches drawn from a task, and checked: a task may be the user's."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..numerics.arrays import Array
from .losses import as_weights
from .network import Batch


def draw_batch(
    task: Any, n_steps: int, batch_size: int, t0: float, rng: np.random.Generator
) -> Batch:
    """Draw the batch of a training epoch, all of whose sequences begin at the time t0."""
    found = tuple(task.sample(n_steps, batch_size, rng))
    if len(found) != 3:
        raise ValueError(
            f"`task.sample` must give inputs, targets and a mask, got {len(found)} of these: the "
            "mask says which steps count, np.ones(n_steps) if all do"
        )
    u, y, mask = found
    u, y = np.asarray(u, dtype=float), np.asarray(y, dtype=float)
    for name, x, size in (("inputs", u, task.n_inputs), ("targets", y, task.n_outputs)):
        if x.shape != (n_steps, batch_size, size):
            raise ValueError(
                f"`task.sample` must give {name} of shape {(n_steps, batch_size, size)}, got "
                f"{x.shape}{_of_labels(x, size) if name == 'targets' else ''}"
            )
        _refuse_nonfinite(name, x)
    return Batch(u, y, as_weights(mask, (n_steps, batch_size)), t0)


def draw_inputs(task: Any, n_steps: int, rng: np.random.Generator) -> Array:
    """Draw one input sequence ``(n_steps, n_inputs)``, that of a flossing epoch."""
    length = max(n_steps, shortest(task))
    inputs = np.asarray(task.sample(length, 1, rng)[0], dtype=float)[:n_steps, 0]
    _refuse_nonfinite("inputs", inputs)
    return inputs


def held_out(task: Any, t0: float) -> Batch:
    """Return what a task holds out."""
    u, y, mask = (np.asarray(x, dtype=float) for x in task.held_out())
    return Batch(u, y, as_weights(mask, u.shape[:2]), t0)


def shortest(task: Any) -> int:
    """Return the length of the shortest sequence in which something counts."""
    return int(getattr(task, "length", getattr(task, "delay", 0) + 1))


def _of_labels(x: Array, size: int) -> str:
    """Say how labels of classes become targets, if it is these that were given."""
    labels = x[..., 0] if x.shape[-1:] == (1,) else x
    if labels.ndim != 2 or not np.isin(labels, np.arange(size)).all():
        return ""
    return f": of labels of classes make rows of zeros and a one, np.eye({size})[labels]"


def _refuse_nonfinite(name: str, x: Array) -> None:
    where = validate.not_finite(x)
    if where is not None:
        at = ", ".join(map(str, where))
        raise ValueError(f"`task.sample` must give finite {name}, but {name}[{at}] is not")
