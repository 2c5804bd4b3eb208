"""What `train` asks of a task."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ... import validate
from ...numerics.arrays import Array, ArrayLike, Seed
from ..losses import accuracy


class TaskLike(Protocol):
    """What `train` takes for a task: any object that has these; see `Task`."""

    @property
    def n_inputs(self) -> int:
        """Dimension of the inputs."""

    @property
    def n_outputs(self) -> int:
        """Dimension of the targets."""

    @property
    def loss(self) -> Any:
        """Name of a loss, or a function, where `train` is given none."""

    def sample(
        self, n_steps: int, batch_size: int, rng: Any, /
    ) -> tuple[ArrayLike, ArrayLike, ArrayLike]:
        """Draw inputs, targets and mask of a batch from a generator."""


class Task:
    """What `train` asks of a task.

    Attributes
    ----------
    n_inputs, n_outputs : int
        Dimension of the inputs u and of the targets y.
    loss : {"cross_entropy", "squared_error", "softmax"} or callable
        The loss that fits the targets.
    delay : int
        The longest lag to bridge, in steps.
    length : int
        The shortest sequence in which something counts, in steps: one more than the delay,
        unless a task says otherwise.
    """

    n_inputs: int = 1
    n_outputs: int = 1
    loss: str = "squared_error"
    delay: int = 0

    @property
    def length(self) -> int:
        """The shortest sequence in which something counts."""
        return self.delay + 1

    @property
    def chance(self) -> float | None:
        """Accuracy of a network that knows nothing, None where it is not known."""
        return None

    def sample(self, n_steps: int, batch_size: int, rng: Seed = None) -> tuple[Array, Array, Array]:
        """Draw a batch.

        Parameters
        ----------
        n_steps : int
            More than `delay`.
        batch_size : int
        rng : None, int or Generator, optional

        Returns
        -------
        inputs : array (n_steps, batch_size, n_inputs)
        targets : array (n_steps, batch_size, n_outputs)
            Zero where not counted.
        mask : array (n_steps,) of bool
            Which steps count.
        """
        n_steps, batch_size = self._checked(n_steps, batch_size)
        inputs = self._draw((n_steps, batch_size, self.n_inputs), validate.generator(rng))
        targets = np.zeros((n_steps, batch_size, self.n_outputs))
        targets[self.delay :] = self._target(inputs)
        return inputs, targets, np.arange(n_steps) >= self.delay

    def _checked(self, n_steps: Any, batch_size: Any) -> tuple[int, int]:
        """Refuse a sequence that is too short."""
        n_steps = validate.integer("n_steps", n_steps, low=1)
        if n_steps < self.length:
            raise ValueError(
                f"`n_steps` must be at least {self.length}, for this task has a delay of "
                f"{self.delay}; got {n_steps}"
            )
        return n_steps, validate.integer("batch_size", batch_size, low=1)

    def accuracy(self, outputs: Array, targets: Array, mask: Array) -> float:
        """Return the accuracy of outputs; see `lyapnet.training.losses.accuracy`."""
        return accuracy(self.loss, outputs, targets, mask)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(delay={self.delay})"

    def _draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        raise NotImplementedError

    def _target(self, u: Array) -> Array:
        """Return the targets of the steps from `delay` on."""
        raise NotImplementedError
