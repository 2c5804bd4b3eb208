"""What methods that divide steps are made of, as compiled loops are given it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

#: First power of the field's Jacobian that a step of order 8 lacks, in the exponential series.
LACKING = 9


class Control(NamedTuple):
    """Constants of the division of steps, and of Newton's method."""

    safety: float
    least: float
    most: float
    close: float
    tiny: float
    order: float
    reach: float
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


class Work(NamedTuple):
    """Room for what loops write down on the way: compiled code makes no arrays."""

    here: Any
    begin: Any
    h: Any
    after: Any
    now: Any
    at: Any
    slopes: Any
    z: Any
    move: Any
    J: Any
    matrix: Any
    pivots: Any


def work_for(members: int, n: int, stages: int, n_now: int) -> Work:
    """Return room for so many members, components, stages, and numbers of input and time."""
    shapes = {
        "here": (members, n), "begin": members, "h": members, "after": n, "now": n_now + 1,
        "at": n, "slopes": (stages + 1, n), "z": (3, n), "move": 3 * n, "J": (n, n),
        "matrix": (3 * n, 3 * n),
    }  # fmt: skip
    arrays = {name: np.zeros(shape) for name, shape in shapes.items()}
    return Work(**arrays, pivots=np.zeros(3 * n, dtype=np.int32))
