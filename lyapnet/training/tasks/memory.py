"""Tasks in which the number of values to hold and the time to hold them are independent."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import validate
from ...numerics.arrays import Array
from .task import Task


class CopyMemory(Task):
    """Repeat a list of symbols after a delay: as many values to hold as symbols.

    Symbols come one by one, one line of the input for each kind; then nothing; then a cue on the
    last line, from which on the symbols are asked for in their order. Only these last steps
    count; chance is one in `symbols`.

    Parameters
    ----------
    items : int
        Number of symbols in the list.
    delay : int
        Steps from each symbol to its recall, at least `items`.
    symbols : int, optional
        Number of different symbols.

    References
    ----------
    S. Hochreiter and J. Schmidhuber, Neural Comput. 9, 1735 (1997); M. Arjovsky, A. Shah and
    Y. Bengio, ICML 2016 (whose T is ``delay - items``, and whose loss counts all steps).

    Examples
    --------
    >>> import lyapnet as ln
    >>> task = ln.tasks.CopyMemory(items=2, delay=3, symbols=4)
    >>> u, y, mask = task.sample(task.length, 1, rng=0)
    >>> u[:, 0].argmax(axis=-1)  # 0 where nothing comes; the cue is line 4
    array([3, 2, 0, 4, 0])
    >>> y[mask, 0].argmax(axis=-1)
    array([3, 2])
    """

    loss = "softmax"

    def __init__(self, items: int, delay: int, *, symbols: int = 8) -> None:
        self.items = validate.integer("items", items, low=1)
        self.delay = validate.integer("delay", delay, low=self.items)
        self.symbols = validate.integer("symbols", symbols, low=2)
        self.n_inputs, self.n_outputs = self.symbols + 1, self.symbols

    def __repr__(self) -> str:
        return f"CopyMemory(items={self.items}, delay={self.delay}, symbols={self.symbols})"

    @property
    def chance(self) -> float:
        """One in as many as there are symbols."""
        return 1.0 / self.symbols

    @property
    def length(self) -> int:
        """The list, the pause and the recall."""
        return self.delay + self.items

    def sample(self, n_steps: int, batch_size: int, rng: Any = None) -> tuple[Array, Array, Array]:
        """Draw a batch; in sequences of more steps than needed nothing comes at first."""
        n_steps, batch_size = self._checked(n_steps, batch_size)
        rng = validate.generator(rng)
        start = n_steps - self.length
        drawn = rng.integers(0, self.symbols, (self.items, batch_size))
        one_hot = np.eye(self.symbols)[drawn]
        inputs = np.zeros((n_steps, batch_size, self.n_inputs))
        inputs[start : start + self.items, :, : self.symbols] = one_hot
        inputs[start + self.delay, :, self.symbols] = 1.0
        targets = np.zeros((n_steps, batch_size, self.n_outputs))
        targets[start + self.delay :] = one_hot
        return inputs, targets, np.arange(n_steps) >= start + self.delay


class Hold(Task):
    """Hold some bits that come in at once: as many values to hold as lines.

    Each line of the input brings a bit, 1 or -1, in the first step, and noise from then on; they
    are asked for after the delay.

    Parameters
    ----------
    items : int
        Number of bits and lines.
    delay : int
    noise : float, optional
        Standard deviation of what comes in later.

    Examples
    --------
    >>> import lyapnet as ln
    >>> u, y, mask = ln.tasks.Hold(items=3, delay=5, noise=0.0).sample(7, 1, rng=1)
    >>> u[0, 0], y[-1, 0], int(mask.sum())
    (array([-1., -1., -1.]), array([0., 0., 0.]), 2)
    """

    loss = "cross_entropy"

    def __init__(self, items: int, delay: int, *, noise: float = 0.1) -> None:
        self.n_inputs = self.n_outputs = self.items = validate.integer("items", items, low=1)
        self.delay = validate.integer("delay", delay, low=0)
        self.noise = validate.real("noise", noise, low=0.0)

    def __repr__(self) -> str:
        return f"Hold(items={self.items}, delay={self.delay}, noise={self.noise:g})"

    @property
    def chance(self) -> float:
        """A half."""
        return 0.5

    def _draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        u = self.noise * rng.standard_normal(shape)
        u[0] = 2.0 * rng.integers(0, 2, shape[1:]) - 1.0
        return u

    def _target(self, u: Array) -> Array:
        return np.broadcast_to(u[0] > 0, (len(u) - self.delay, *u.shape[1:])).astype(float)


class AddingProblem(Task):
    """Add two marked numbers among many: two values to hold, over any time.

    The first line of the input is uniform in [0, 1); the second marks one step in each half of
    the sequence. Asked for in the last step: the sum of the two numbers that were marked. Always to
    answer 1 has a squared error of 1/6.

    Parameters
    ----------
    length : int
        Steps of the sequence, the shortest; one of more steps has its marks farther apart.

    References
    ----------
    S. Hochreiter and J. Schmidhuber, Neural Comput. 9, 1735 (1997).

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> u, y, mask = ln.tasks.AddingProblem(10).sample(10, 4, rng=0)
    >>> bool(np.allclose(np.sum(u[..., 0] * u[..., 1], axis=0), y[-1, :, 0])), int(mask.sum())
    (True, 1)
    """

    n_inputs = 2

    def __init__(self, length: int) -> None:
        self.delay = validate.integer("length", length, low=2) - 1

    def __repr__(self) -> str:
        return f"AddingProblem(length={self.length})"

    def sample(self, n_steps: int, batch_size: int, rng: Any = None) -> tuple[Array, Array, Array]:
        """Draw a batch."""
        n_steps, batch_size = self._checked(n_steps, batch_size)
        rng = validate.generator(rng)
        half, each = n_steps // 2, np.arange(batch_size)
        inputs = np.zeros((n_steps, batch_size, 2))
        inputs[..., 0] = rng.random((n_steps, batch_size))
        for low, high in ((0, half), (half, n_steps)):
            inputs[rng.integers(low, high, batch_size), each, 1] = 1.0
        targets = np.zeros((n_steps, batch_size, 1))
        targets[-1, :, 0] = np.sum(inputs[..., 0] * inputs[..., 1], axis=0)
        return inputs, targets, np.arange(n_steps) == n_steps - 1


class FlipFlop(Task):
    """Remember the sign of the last pulse on each line: fixed points, for any time.

    Parameters
    ----------
    bits : int, optional
        Number of lines.
    rate : float, optional
        Probability of a pulse in each step; there is one on each line in the first.

    References
    ----------
    D. Sussillo and O. Barak, Neural Comput. 25, 626 (2013).

    Examples
    --------
    >>> import lyapnet as ln
    >>> u, y, mask = ln.tasks.FlipFlop(1, rate=0.3).sample(8, 1, rng=2)
    >>> u[:6, 0, 0]
    array([ 1., -1.,  0.,  1.,  0.,  0.])
    >>> y[:6, 0, 0]
    array([ 1., -1., -1.,  1.,  1.,  1.])
    """

    def __init__(self, bits: int = 3, *, rate: float = 0.05) -> None:
        self.n_inputs = self.n_outputs = validate.integer("bits", bits, low=1)
        self.rate = validate.real("rate", rate, low=0.0)

    def __repr__(self) -> str:
        return f"FlipFlop(bits={self.n_inputs}, rate={self.rate:g})"

    def _draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        pulses = rng.random(shape) < self.rate
        pulses[0] = True
        return np.where(pulses, 2.0 * rng.integers(0, 2, shape) - 1.0, 0.0)

    def _target(self, u: Array) -> Array:
        at = np.maximum.accumulate(np.where(u != 0, np.arange(len(u))[:, None, None], 0), axis=0)
        return np.take_along_axis(u, at, axis=0)
