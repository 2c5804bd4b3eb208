"""The reverse of the one loop: cotangents of bases and steps, equations 8 and 11."""

from __future__ import annotations

import numpy as np

from ..errors import DegenerateBasisError
from ..numerics.arrays import Array
from ..numerics.buffers import empty
from .qr import pull_back_qr
from .tape import Tape

#: Rounding above the diagonal may grow by this factor before it is cleared.
_REPROJECT = np.log(1e2)


def reverse(
    tape: Tape, bar: Array, rows_bar: Array | None, next_bar: Array, start: int
) -> tuple[Array, Array, Array]:
    """Carry cotangents of a stretch's growth rates back to its first basis.

    Parameters
    ----------
    tape : Tape
    bar : array (..., k)
        Cotangent of the log growth of every block.
    rows_bar : array (..., k, n) or None
        Cotangent of the last basis.
    next_bar : array (..., k)
        Cotangent of the log growth of the block that follows.

    Returns
    -------
    bars : array (T, ..., k, n)
        Cotangent of what each step's tangent map yields.
    rows_bar : array (..., k, n)
        Cotangent of the first basis.
    next_bar : array (..., k)
        Cotangent of the log growth of the first block.
    """
    rows, orbit = tape.rows, tape.orbit
    # What came with a cotangent from the next stretch is cleared at once.
    spread = 0.0 if rows_bar is None else np.inf
    if tape.at_once is not None:
        for _, edges, log_growth in tape.at_once:
            _refuse_singular(log_growth, start + np.asarray(edges))
        blocks = [(factors, edges) for factors, edges, _ in tape.at_once]
        each_clear = [_clearings(log_growth, spread) for *_, log_growth in tape.at_once]
        bars = orbit.back(rows, blocks, each_clear, rows_bar, bar, next_bar)
        return bars[1:], bars[0], bar
    ends = [tape.blocks[0][0], *(last for _, last, _ in tape.blocks)]
    _refuse_singular(tape.log_growth, start + np.asarray(ends))
    clear = _clearings(tape.log_growth, spread)
    bars = empty(rows.shape)
    bars[-1] = 0.0 if rows_bar is None else rows_bar
    each_row, each_bar = list(rows), list(bars)  # views of all steps, made once
    for (first, last, factor), now in zip(reversed(tape.blocks), reversed(clear), strict=True):
        pull_back_qr(each_row[last], factor, each_bar[last], bar, next_bar, now)
        next_bar = bar
        orbit.carry_back(first, each_bar[first : last + 1], each_row[first:last])
    return bars[1:], bars[0], next_bar


def _clearings(log_growth: Array, spread: float) -> list[bool]:
    """Say for each block whether the rounding above the diagonal is to be cleared behind it."""
    spreads = np.ptp(log_growth, axis=-1).reshape(len(log_growth), -1).max(axis=1).tolist()
    clear = []
    for grown in reversed(spreads):
        spread += grown
        clear.append(spread > _REPROJECT)
        if clear[-1]:
            spread = 0.0
    return clear[::-1]


def _refuse_singular(log_growth: Array, edges: Array) -> None:
    """Refuse growth of minus infinity, in blocks between steps ``edges (blocks + 1,)``."""
    singular = ~np.isfinite(log_growth).reshape(len(log_growth), -1).all(axis=1)
    if singular.any():
        block = int(np.argmax(singular))
        raise _singular(int(edges[block]), int(edges[block + 1]), log_growth[block])


def _singular(first: int, step: int, log_growth: Array) -> DegenerateBasisError:
    exponent = int(np.argmin(log_growth.reshape(-1, log_growth.shape[-1]).min(axis=0)))
    remedy = "ask for fewer exponents k" if exponent else "start from smaller weights"
    if first == 0:
        # PyTorch's recurrent layers start there if they are given no state.
        remedy = (
            "at zero the slope of ReLU units is 0, and where a run starts there `transient=1` "
            f"leaves out that step; else {remedy}"
        )
    return DegenerateBasisError(
        f"exponent {exponent + 1} of {log_growth.shape[-1]} is -inf: the Jacobian of step {step} "
        "is singular on the basis (dead or saturated units, or weights of low rank), and the "
        f"exponent has no derivative there; {remedy}, or if it came to this while flossing, take a "
        "smaller learning rate",
        step=step,
        exponent=exponent,
    )
