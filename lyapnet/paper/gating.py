"""Where the gates of a network begin, and the task that gates are made for."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.special import logit

from ..numerics.arrays import Array
from ..training.tasks import Task

#: Signs of the biases with which states and inputs pass in each step, and nothing is held.
OPEN: dict[str, dict[str, int]] = {"rzn": {"r": 1, "z": -1}, "ifgo": {"i": 1, "f": -1, "o": 1}}
#: Signs of the biases with which the state is held; the gate that holds comes first.
HOLD: dict[str, dict[str, int]] = {"rzn": {"z": 1}, "ifgo": {"f": 1, "i": -1}}


def with_gates(cell: Any, gates: Any, lag: int, rng: np.random.Generator) -> Any:
    """Return a cell with LSTM's or GRU's gates, and their biases set.

    Parameters
    ----------
    cell : LSTM or GRU
    gates : float, "chrono" or "uniform"
        Open, with biases of this many nats: a GRU's reset gate is open and its update gate
        follows the input, an LSTM's input and output gates are open and its forget gate forgets.
        Or held for times that are spread up to the lag; or spread over all openings.
    lag : int
    rng : Generator

    References
    ----------
    C. Tallec and Y. Ollivier, "Can recurrent neural networks warp time?", ICLR 2018, for chrono;
    A. Gu et al., "Improving the gating mechanism of recurrent neural networks", ICML 2020, for
    uniform.
    """
    n = cell.units
    if gates == "chrono":
        signs, size = HOLD[cell.gates], np.log(rng.uniform(1, max(lag - 1, 2), n))
    elif gates == "uniform":
        signs, size = HOLD[cell.gates], logit(rng.uniform(1 / n, 1 - 1 / n, n))
    else:
        signs, size = OPEN[cell.gates], np.full(n, float(gates))
    b = cell.params["b"].copy()
    for gate, sign in signs.items():
        at = cell.gates.index(gate) * n
        b[at : at + n] = sign * size
    return cell.with_params({**cell.params, "b": b})


@contextlib.contextmanager
def as_drawn() -> Iterator[None]:
    """Silence the warning of networks that come to hold their state: it is known here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "flossing has opened the", UserWarning)
        yield


class Hold(Task):
    r"""Hold a bit among distractors: :math:`y_t` is the bit that was marked last.

    The first input is a bit in each step, the second marks those to be held: the first one, and
    others with probability 1/(2d). Steps count whose bit is held for d steps at least.

    Parameters
    ----------
    delay : int
        d.
    """

    n_inputs = 2
    loss = "cross_entropy"

    def __init__(self, delay: int) -> None:
        self.delay = int(delay)

    def sample(self, n_steps: int, batch_size: int, rng: Any = None) -> tuple[Array, Array, Array]:
        """Draw a batch; the mask is ``(n_steps, batch_size)``."""
        rng = np.random.default_rng(rng)
        bits = rng.integers(0, 2, (n_steps, batch_size)).astype(float)
        marks = rng.random((n_steps, batch_size)) < 1 / (2 * self.delay)
        marks[0] = True
        steps = np.arange(n_steps)[:, None]
        last = np.maximum.accumulate(np.where(marks, steps, 0))
        targets = np.take_along_axis(bits, last, axis=0)
        inputs = np.stack([bits, marks], axis=-1)
        return inputs, targets[..., None], steps - last >= self.delay
