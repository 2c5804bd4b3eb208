"""Tasks whose difficulty is the lag that has to be bridged.

Each draws an input stream and, at every step, asks for a function of what came in `delay`
steps ago at the latest. Streaming tasks: all values on the way have to be held.
"""

from __future__ import annotations

import numpy as np

from ... import validate
from ...numerics.arrays import Array
from .task import Task


def _bits(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    return rng.integers(0, 2, shape).astype(float)


class DelayedCopy(Task):
    r"""Recall the input: :math:`y_t = u_{t-d}`, u uniform in [0, 1), squared error.

    Parameters
    ----------
    delay : int
        d.

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> u, y, mask = ln.tasks.DelayedCopy(3).sample(8, 2, rng=0)
    >>> bool(np.all(y[mask] == u[:-3]))
    True
    """

    def __init__(self, delay: int) -> None:
        self.delay = validate.integer("delay", delay, low=0)

    def _draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return rng.random(shape)

    def _target(self, u: Array) -> Array:
        return u[: len(u) - self.delay]


class TemporalXOR(Task):
    r"""Compare two earlier inputs: :math:`y_t = |u_{t-d/2} - u_{t-d}|`.

    The exclusive or of two bits, made of two ReLUs and a delay line of d steps.

    Parameters
    ----------
    delay : int
        d, the longest lag; even.
    inputs : {"binary", "uniform"}, optional
        Bits, with the cross-entropy of a logit; or uniform in [0, 1), with squared error.

    Examples
    --------
    >>> import lyapnet as ln
    >>> task = ln.tasks.TemporalXOR(4)
    >>> u, y, mask = task.sample(9, 1, rng=3)
    >>> u[:, 0, 0].astype(int)
    array([1, 0, 0, 0, 0, 1, 1, 1, 0])
    >>> y[mask, 0, 0].astype(int)
    array([1, 0, 0, 1, 1])
    """

    def __init__(self, delay: int, inputs: str = "binary") -> None:
        self.delay = validate.integer("delay", delay, low=2)
        if self.delay % 2:
            raise ValueError(f"`delay` must be even, got {delay}: half of it is the other lag")
        self.inputs = validate.option("inputs", inputs, ("binary", "uniform"))
        self.loss = "cross_entropy" if inputs == "binary" else "squared_error"

    @property
    def chance(self) -> float | None:
        """A half for bits."""
        return 0.5 if self.inputs == "binary" else None

    def __repr__(self) -> str:
        return f"TemporalXOR(delay={self.delay}, inputs={self.inputs!r})"

    def _draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return _bits(shape, rng) if self.inputs == "binary" else rng.random(shape)

    def _target(self, u: Array) -> Array:
        late, early = u[self.delay // 2 : len(u) - self.delay // 2], u[: len(u) - self.delay]
        return np.abs(late - early)


class SpatialXOR(Task):
    r"""Combine three input lines: :math:`y_t = ||u^1 - u^2| - u^3|` at :math:`t - d`.

    The parity of three bits, with the cross-entropy of a logit.

    Parameters
    ----------
    delay : int
        d.

    Examples
    --------
    >>> import lyapnet as ln
    >>> u, y, mask = ln.tasks.SpatialXOR(2).sample(4, 1, rng=0)
    >>> u[:2, 0].astype(int)
    array([[1, 1, 1],
           [0, 0, 0]])
    >>> y[2:, 0, 0].astype(int)
    array([1, 0])
    """

    n_inputs = 3
    loss = "cross_entropy"

    def __init__(self, delay: int) -> None:
        self.delay = validate.integer("delay", delay, low=0)

    @property
    def chance(self) -> float:
        """A half."""
        return 0.5

    def _draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return _bits(shape, rng)

    def _target(self, u: Array) -> Array:
        u = u[: len(u) - self.delay]
        return np.abs(np.abs(u[..., :1] - u[..., 1:2]) - u[..., 2:])
