"""What methods that divide steps are made of, as compiled loops are given it."""

from __future__ import annotations

from typing import Any, NamedTuple


class Control(NamedTuple):
    """Constants of the division of steps, and of Newton's method."""

    safety: float
    least: float
    most: float
    close: float
    tiny: float
    order: float
    converged: float
    stalled: float
    iterations: int


class Scheme(NamedTuple):
    """A Runge-Kutta method of s stages: arrays (s,), (s, s), (s,), and (estimates, s or s + 1).

    The last are weights of estimates of the error. Of an implicit method `gamma` is the real
    eigenvalue of the inverse matrix; of an explicit one it is zero.
    """

    nodes: Any
    matrix: Any
    weights: Any
    error: Any
    gamma: float
