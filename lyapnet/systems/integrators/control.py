"""Steps that are divided until an estimate of the error is within a tolerance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...numerics.arrays import Array

#: Safety of a predicted step, and by how much one may shrink or grow.
SAFETY, LEAST, MOST = 0.9, 0.2, 10.0

#: A part that is as long as this share of what is left goes to the end.
CLOSE = 1 - 1e-10

#: A part of a step that is smaller than this is given up: the state is not finite then, and no
#: part of later steps is tried twice.
TINY = 1e-13


def divided(
    attempt: Callable[[Array, Array, Array], tuple[Array, Array]], x: Array, dt: float, order: int
) -> tuple[list[Array], list[Array]]:
    """Integrate over a step dt in as many parts as it takes, each member in its own.

    The parts depend on the state alone, not on steps before: the step is a function.

    Parameters
    ----------
    attempt : callable (x, begin, h)
        Returns the state ``(..., n)`` after a part of length h ``(..., 1)`` that begins at so
        much time into the step, and its error in units of the tolerance ``(...)``.
    x : array (..., n)
    dt : float
    order : int
        Of the estimate of the error.

    Returns
    -------
    states : list of array (..., n)
        After each part.
    parts : list of array (..., 2)
        Begin and length of each; length 0 for a member that rests in the meantime.
    """
    begin, h = np.zeros(x.shape[:-1]), np.full(x.shape[:-1], dt)
    states: list[Array] = []
    parts: list[Array] = []
    while (begin < dt).any():
        left = dt - begin
        last = h >= left * CLOSE
        trial = np.where(last, left, np.where(2 * h > left, left / 2, h))
        new, error = attempt(x, begin[..., None], trial[..., None])
        error = np.where(np.isfinite(new).all(axis=-1) & np.isfinite(error), error, np.inf)
        lost = (error > 1) & ((trial < TINY * dt) | ~np.isfinite(x).all(axis=-1))
        good = (left > 0) & ((error <= 1) | lost)
        factor = SAFETY * np.maximum(error, 1e-30) ** (-1 / order)
        h = np.where(left > 0, trial * np.clip(factor, LEAST, MOST), h)
        if not good.any():
            continue
        length = np.where(good, trial, 0.0)
        parts.append(np.stack([begin, length], axis=-1))
        x = np.where(good[..., None], np.where(lost[..., None], np.nan, new), x)
        states.append(x)
        begin = np.where(good & (last | lost), dt, begin + length)
    return states, parts
