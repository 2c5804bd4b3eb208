"""A step of an explicit method with decisions held fixed, and its derivative, inside of loops.

Fields and their tangents are functions that are called through addresses (see `surfaces`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .blas import call
from .field import Field, drive_at
from .jit import jit_in_order


class Stages(NamedTuple):
    """A field, a method, what drives a step, and room.

    Attributes
    ----------
    field : Field
        Writes the field and what decides, ``(n + m,)``, at state, input and time, parameters and
        outcomes; `slopes` are both, and their tangents.
    nodes, matrix, weights : array (s,), (s, s), (s,)
    row, p : array
    at, d_at, now, rate : array
        Where a stage stands and moves.
    values, tangents : array (s + 1, n + m)
        What the stages find, and at the end of the step.
    y, dy : array (n,)
        State after the step, and its tangent.
    """

    field: Field
    nodes: Any
    matrix: Any
    weights: Any
    row: Any
    p: Any
    at: Any
    d_at: Any
    now: Any
    rate: Any
    values: Any
    tangents: Any
    y: Any
    dy: Any


@jit_in_order
def advance(it: Stages, x: Any, begin: float, h: float, outcomes: Any) -> None:
    """Write the state y after a step h from a part of the step on."""
    n = len(x)
    for s in range(len(it.nodes)):
        for i in range(n):
            it.at[i] = x[i]
        for j in range(s):
            weight = h * it.matrix[s, j]
            if weight != 0.0:
                for i in range(n):
                    it.at[i] += weight * it.values[j, i]
        _evaluate(it, it.at, begin + it.nodes[s] * h, outcomes, it.values[s])
    for i in range(n):
        it.y[i] = x[i]
    for j in range(len(it.nodes)):
        weight = h * it.weights[j]
        for i in range(n):
            it.y[i] += weight * it.values[j, i]


@jit_in_order
def decide(it: Stages, x: Any, after: float, outcomes: Any) -> None:
    """Write the field and what decides, as the last values, at a time after the step began."""
    _evaluate(it, x, after, outcomes, it.values[len(it.nodes)])


@jit_in_order
def _evaluate(it: Stages, x: Any, after: float, outcomes: Any, found: Any) -> None:
    drive_at(it.field, it.row, after / it.field.dt, it.now)
    call(
        it.field.field,
        (x.ctypes.data, it.now.ctypes.data, it.p.ctypes.data, outcomes.ctypes.data,
         found.ctypes.data),
    )  # fmt: skip


@jit_in_order
def advance_tangent(
    it: Stages, x: Any, v: Any, begin: float, d_begin: float, h: float, dh: float, outcomes: Any
) -> None:
    """Write y, and its derivative dy along a tangent vector of state, begin and length."""
    n = len(x)
    for s in range(len(it.nodes)):
        for i in range(n):
            it.at[i], it.d_at[i] = x[i], v[i]
        for j in range(s):
            _add(it, it.at, it.d_at, h * it.matrix[s, j], dh * it.matrix[s, j], j)
        after, later = begin + it.nodes[s] * h, d_begin + it.nodes[s] * dh
        _evaluate_tangent(it, it.at, it.d_at, after, later, outcomes, s)
    for i in range(n):
        it.y[i], it.dy[i] = x[i], v[i]
    for j in range(len(it.nodes)):
        _add(it, it.y, it.dy, h * it.weights[j], dh * it.weights[j], j)


@jit_in_order
def _add(it: Stages, x: Any, dx: Any, weight: float, d_weight: float, j: int) -> None:
    """Add to a state and its tangent what a stage has found."""
    for i in range(len(x)):
        x[i] += weight * it.values[j, i]
        dx[i] += weight * it.tangents[j, i] + d_weight * it.values[j, i]


@jit_in_order
def decide_tangent(
    it: Stages, x: Any, v: Any, after: float, later: float, outcomes: Any, decision: int
) -> float:
    """Return the derivative of what decides along a tangent vector of state and time."""
    s = len(it.nodes)
    _evaluate_tangent(it, x, v, after, later, outcomes, s)
    return float(it.tangents[s, len(x) + decision])


@jit_in_order
def _evaluate_tangent(
    it: Stages, x: Any, v: Any, after: float, later: float, outcomes: Any, s: int
) -> None:
    theta = after / it.field.dt
    drive_at(it.field, it.row, theta, it.now)
    _drive_rate(it.field, it.row, theta, later / it.field.dt, it.rate)
    call(
        it.field.slopes,
        (x.ctypes.data, it.now.ctypes.data, it.p.ctypes.data, outcomes.ctypes.data,
         v.ctypes.data, it.rate.ctypes.data, it.values[s].ctypes.data,
         it.tangents[s].ctypes.data),
    )  # fmt: skip


@jit_in_order
def _drive_rate(field: Field, row: Any, theta: float, moves: float, rate: Any) -> None:
    """Write by how much input and time change if the fraction of the step moves."""
    m, d = field.n_inputs, field.degree
    for i in range(m):
        slope = 0.0
        for j in range(d, 0, -1):
            slope = slope * theta + j * row[j * m + i]
        rate[i] = slope * moves
    if field.time:
        rate[m] = moves * field.dt
