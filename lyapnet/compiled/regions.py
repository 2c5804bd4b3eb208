"""The regions in which decisions stay the same, inside of loops; see `lanes.Decision`."""

from __future__ import annotations

import numpy as np

from .jit import jit_in_order
from .operations import KINDS

SIGN, FLOOR, CEIL, TRUNC, RINT = range(len(KINDS))


@jit_in_order
def low(kind: int, o: float) -> float:
    """Return the lower end of the region of an outcome."""
    if kind == SIGN:
        return -np.inf if o < 0 else 0.0
    if kind == TRUNC:
        return o - 1.0 if o <= 0 else o
    return o - (1.0 if kind == CEIL else 0.5 if kind == RINT else 0.0)


@jit_in_order
def high(kind: int, o: float) -> float:
    """Return the upper end of the region of an outcome."""
    if kind == SIGN:
        return np.inf if o > 0 else 0.0
    if kind == TRUNC:
        return o + 1.0 if o >= 0 else o
    return o + (0.0 if kind == CEIL else 0.5 if kind == RINT else 1.0)


@jit_in_order
def decided(kind: int, of: float) -> float:
    """Return the outcome of a decision."""
    if kind == SIGN:
        return float(np.sign(of))
    if kind == FLOOR:
        return float(np.floor(of))
    if kind == CEIL:
        return float(np.ceil(of))
    return float(np.trunc(of)) if kind == TRUNC else float(np.rint(of))
