r"""The loop with an interval of one step, where no factor of a single step is asked for.

A factorisation in every step, :math:`D_s Q_s = Q_{s+1} R_{s+1}`, need not be done. While a product
:math:`A = D_{s+j} \cdots D_s Q_s` is well conditioned, so that rounding cannot tell the difference,
its factor is the product of theirs. So blocks become longer as long as that lasts, and shorter
where it does not.
"""

from __future__ import annotations

import numpy as np

from ..numerics.arrays import Array
from ..numerics.buffers import empty
from ..systems.orbit import Orbit
from .cholesky_qr import Habit
from .growth import check_growth, logs
from .qr import orthonormalise
from .tape import Tape

#: The smallest sine between the vectors of a basis that is left as it came, ...
_SMALLEST_SINE = 1e-4

#: ... and lengths up to which it is left for longer.
_LENGTHS = 1e-50, 1e50


def forward_in_blocks(orbit: Orbit, rows: Array, start: int) -> tuple[Array, Array, float, Tape]:
    """Carry a basis along an orbit, as `forward.forward` with an interval of one step.

    Parameters
    ----------
    orbit : Orbit
    rows : array (..., k, n)
        Orthonormal.
    start : int
        Number of the orbit's first step in the run, for messages.

    Returns
    -------
    log_growth : array (blocks, ..., k)
        Logarithms of the growth factors of the blocks.
    rows : array (..., k, n)
        The basis at the end.
    sine : float
        The smallest sine met, see `orthonormalise`.
    tape : Tape
        Its blocks are those between two orthonormal bases.
    """
    done = orbit.tape(rows, _SMALLEST_SINE, _LENGTHS)
    if done is not None:
        return _of_loops(orbit, done, start)
    n_steps = orbit.n_steps
    buffer = empty((n_steps + 1, *rows.shape))
    buffer[0] = rows
    views = list(buffer)
    factors = empty((n_steps, *rows.shape[:-1], rows.shape[-2]))
    blocks: list[tuple[int, int, Array]] = []
    found: list[tuple[Array, Array]] = []
    habit = Habit()
    first, reach, most = 0, 1, n_steps
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        while first < n_steps:
            last = min(first + reach, n_steps)
            orbit.carry(first, views[first : last + 1])
            while True:
                factor = factors[len(blocks)]
                least = _SMALLEST_SINE if last < n_steps else None
                diagonal, length = orthonormalise(views[last], factor, habit, least)
                sine = (diagonal / length).min()
                if sine >= _SMALLEST_SINE or last - first == 1:
                    break
                last = (first + last) // 2  # where the basis is still as it came
                reach = most = last - first
            blocks.append((first, last, factor))
            found.append((diagonal, length))
            moderate = _LENGTHS[0] < length.min() and length.max() < _LENGTHS[1]
            if moderate and sine > np.sqrt(_SMALLEST_SINE):
                reach = min(2 * reach, most)
            first = last
        diagonals, lengths = (np.stack(x) for x in zip(*found, strict=True))
        check_growth(diagonals, lengths, [start + last for _, last, _ in blocks])
        log_growth, sines = logs(diagonals, lengths, rows.shape[-1])
    tape = Tape(orbit, buffer, blocks, log_growth)
    return log_growth, buffer[-1].copy(), float(sines.min()), tape


def _of_loops(
    orbit: Orbit,
    done: tuple[Array, list[tuple[Array, Array]], list[Array]],
    start: int,
) -> tuple[Array, Array, float, Tape]:
    """Return what compiled loops have done; members may differ in their numbers of blocks."""
    rows, blocks, lengths = done
    *lead, k, n = rows.shape[1:]
    growth = np.zeros((max(map(len, lengths)), len(blocks), k))
    members, least = [], 1.0
    for m, ((factors, edges), length) in enumerate(zip(blocks, lengths, strict=True)):
        diagonal = np.diagonal(factors, axis1=-2, axis2=-1)
        check_growth(diagonal, length, start + edges[1:])
        log_growth, sines = logs(diagonal, length, n)
        growth[: len(length), m] = log_growth
        members.append((factors, edges, log_growth))
        least = min(least, float(sines.min()))
    growth = growth.reshape(len(growth), *lead, k)
    return growth, rows[-1].copy(), least, Tape(orbit, rows, [], growth, members)
