"""The reverse of the one loop: cotangents of bases and steps, equations 8 and 11."""

from __future__ import annotations

import numpy as np

from ..errors import DegenerateBasisError
from ..numerics.arrays import Array
from ..numerics.buffers import empty
from .forward import Tape
from .qr import pull_back_qr

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
    bars = empty(rows[1:].shape)
    bars[-1] = 0.0 if rows_bar is None else rows_bar
    first_bar = np.empty_like(rows[0])
    each_row, each_bar = list(rows), [first_bar, *bars]  # views of all steps, made once
    # What came with a cotangent from the next stretch is cleared at once.
    spread = 0.0 if rows_bar is None else np.inf
    singular = ~np.isfinite(tape.log_growth).reshape(len(tape.blocks), -1).all(axis=1)
    if singular.any():
        last = int(np.argmax(singular))
        raise _singular(start + tape.blocks[last][1], tape.log_growth[last])
    spreads = np.ptp(tape.log_growth, axis=-1).reshape(len(tape.blocks), -1).max(axis=1).tolist()
    for (first, last, factor), grown in zip(reversed(tape.blocks), reversed(spreads), strict=True):
        spread += grown
        clear = spread > _REPROJECT
        pull_back_qr(each_row[last], factor, each_bar[last], bar, next_bar, clear)
        if clear:
            spread = 0.0
        next_bar = bar
        orbit.carry_back(first, each_bar[first : last + 1], each_row[first:last])
    return bars, first_bar, next_bar


def _singular(step: int, log_growth: Array) -> DegenerateBasisError:
    exponent = int(np.argmin(log_growth.reshape(-1, log_growth.shape[-1]).min(axis=0)))
    remedy = "ask for fewer exponents k" if exponent else "start from smaller weights"
    return DegenerateBasisError(
        f"exponent {exponent + 1} of {log_growth.shape[-1]} is -inf: the Jacobian of step {step} "
        "is singular on the basis (dead or saturated units, or weights of low rank), and the "
        f"exponent has no derivative there; {remedy}, or if it came to this while flossing, take a "
        "smaller learning rate",
        step=step,
        exponent=exponent,
    )
