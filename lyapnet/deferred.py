r"""The loop with a factor R in every step, and an orthonormal basis only when it is needed.

A factorisation in every step, :math:`D_s Q_s = Q_{s+1} R_{s+1}`, need not form every
:math:`Q_{s+1}`. While a product :math:`A = D_{s+j} \cdots D_s Q_s` is well conditioned, Cholesky's
factor S of :math:`A^T A` is the product of the R since then, and the growth of a step the quotient
of the diagonals of two of them. That needs one triangular solution less in each step, in the
reverse sweep another one, and takes the factors of all steps at once.
"""

from __future__ import annotations

import numpy as np

from .buffers import empty
from .factorise import Habit
from .linalg import Array
from .orbit import Orbit
from .qr import orthonormalise
from .trajectory import Tape, check_growth, logs

#: The smallest sine between the vectors of a basis that is left as it came. The error of a
#: growth factor is rounding over its square, 1e-10; their product over a block has none of it.
_SMALLEST_SINE = 1e-3


def forward_in_blocks(orbit: Orbit, rows: Array, start: int) -> tuple[Array, Array, float, Tape]:
    """Carry a basis along an orbit, as `trajectory.forward` with an interval of one step.

    Parameters
    ----------
    orbit : Orbit
    rows : array (..., k, n)
        Orthonormal.
    start : int
        Number of the orbit's first step in the run, for messages.

    Returns
    -------
    log_growth : array (T, ..., k)
        Logarithms of the growth factors of each step.
    rows : array (..., k, n)
        The basis at the end.
    sine : float
        The smallest sine met, see `orthonormalise`.
    tape : Tape
        Its blocks are those between two orthonormal bases.
    """
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
            reach = min(2 * reach if sine > np.sqrt(_SMALLEST_SINE) else reach, most)
            first = last
        diagonals, lengths = (np.stack(x) for x in zip(*found, strict=True))
        check_growth(diagonals, lengths, [start + last for _, last, _ in blocks])
        log_growth, sines = logs(diagonals, lengths, rows.shape[-1])
    each = _each_step(buffer, blocks, log_growth)
    return each, buffer[-1].copy(), float(sines.min()), Tape(orbit, buffer, blocks, log_growth)


def _each_step(bases: Array, blocks: list[tuple[int, int, Array]], log_growth: Array) -> Array:
    """Return the growth of each step, given that of blocks, and bases that came or orthonormal."""
    firsts, lasts = (np.array([b[i] for b in blocks]) for i in range(2))
    since = np.empty((len(bases) - 1, *log_growth.shape[1:]))
    since[lasts - 1] = log_growth
    within = np.ones(len(since), dtype=bool)
    within[lasts - 1] = False
    if within.any():
        since[within] = _log_diagonals(bases[1:][within])
    growth = since.copy()
    inside = np.setdiff1d(np.arange(len(since)), firsts, assume_unique=True)
    growth[inside] -= since[inside - 1]
    return growth


def _log_diagonals(rows: Array) -> Array:
    """Return logarithms of ``diag R`` of matrices whose transposes are `rows`."""
    gram = np.matmul(rows, rows.swapaxes(-1, -2))
    try:
        diagonal = np.diagonal(np.linalg.cholesky(gram), axis1=-2, axis2=-1)
        lengths = np.sqrt(np.diagonal(gram, axis1=-2, axis2=-1))
        accurate = bool((diagonal >= _SMALLEST_SINE * lengths).all())
    except np.linalg.LinAlgError:
        accurate = False
    if not accurate:  # the vectors came closer within a block than at its end
        R = np.linalg.qr(rows.swapaxes(-1, -2), mode="r")
        diagonal = np.abs(np.diagonal(R, axis1=-2, axis2=-1))
    return np.log(diagonal)
