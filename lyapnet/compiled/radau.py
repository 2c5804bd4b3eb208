"""Steps that are divided until an error is small, by an implicit method: one call for many.

What `systems.integrators.control` and `systems.integrators.radau` do, which say why, and whose
constants are given.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .blas import call
from .field import field_functions
from .jit import jit_in_order
from .program import Program


class Control(NamedTuple):
    """Constants of the division of steps, and of Newton's method."""

    safety: float
    least: float
    most: float
    tiny: float
    order: float
    converged: float
    stalled: float
    iterations: int


class Scheme(NamedTuple):
    """Nodes, matrix and weights of the error of the method, and the eigenvalue that goes with."""

    nodes: Any
    matrix: Any
    error: Any
    gamma: float


class Field(NamedTuple):
    """Where a field and its Jacobian are, and how the rows of steps are read (see `Drive`)."""

    field: int
    slopes: int
    n_inputs: int
    degree: int
    time: int
    dt: float


def field_of(program: Program, drive: Any) -> Field:
    """Return the field that a program writes down, of a flow with a `Drive`."""
    functions = field_functions(program)
    return Field(*functions, drive.n_inputs, drive.degree, int(drive.time), drive.dt)


@jit_in_order
def field_at(field: Field, x: Any, row: Any, p: Any) -> Any:
    """Return the field at the beginning of a step."""
    now, found = np.empty(field.n_inputs + field.time + 1), np.empty(len(x))
    _drive(field, row, 0.0, now)
    call(field.field, (x.ctypes.data, now.ctypes.data, p.ctypes.data, found.ctypes.data))
    return found


@jit_in_order
def divide(
    field: Field,
    scheme: Scheme,
    control: Control,
    rtol: float,
    atol: float,
    x: Any,
    rows: Any,
    params: Any,
    states: Any,
    parts: Any,
    edges: Any,
) -> int:
    """Go through steps as long as there is room for their parts; return how many are done.

    Parameters
    ----------
    rtol, atol : float
    x : array (members, n)
        The states before, which are changed in place.
    rows : array (T, 1 or members, c)
    params : array (1 or members, n_params)
    states : array (room, members, n)
        After each part.
    parts : array (room, members, 2)
        Begin and length of each.
    edges : array (T + 1,)
        How many parts there are before each step, and after the last one.
    """
    members, n = x.shape
    attempt, begin, h = np.empty(n), np.empty(members), np.empty(members)
    here = np.empty((members, n))
    _copy(x, here)
    now = np.empty(field.n_inputs + field.time + 1)
    count = 0
    for s in range(len(rows)):
        for m in range(members):
            begin[m], h[m] = 0.0, field.dt
        going = True
        while going:
            if count == len(states):
                return s
            any_good = going = False
            _copy(here, states[count])
            for m in range(members):
                left = field.dt - begin[m]
                parts[count, m, 0], parts[count, m, 1] = begin[m], 0.0
                if left <= 0.0:
                    continue
                last = h[m] >= left * (1 - 1e-10)
                trial = left if last else left / 2 if 2 * h[m] > left else h[m]
                row, p = rows[s, m % rows.shape[1]], params[m % len(params)]
                error = _attempt(
                    field, scheme, control, rtol, atol, here[m], row, p, begin[m], trial, now,
                    attempt,
                )  # fmt: skip
                lost = error > 1.0 and trial < control.tiny * field.dt
                factor = control.safety * max(error, 1e-30) ** (-1 / control.order)
                h[m] = trial * min(max(factor, control.least), control.most)
                if error <= 1.0 or lost:
                    any_good = True
                    parts[count, m, 1] = trial
                    for i in range(n):
                        states[count, m, i] = np.nan if lost else attempt[i]
                    begin[m] = field.dt if last or lost else begin[m] + trial
                going = going or begin[m] < field.dt
            if any_good:
                _copy(states[count], here)
                count += 1
        edges[s + 1] = count
        _copy(here, x)
    return len(rows)


@jit_in_order
def _copy(x: Any, to: Any) -> None:
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            to[i, j] = x[i, j]


@jit_in_order
def _attempt(
    field: Field, scheme: Scheme, control: Control, rtol: float, atol: float, x: Any, row: Any,
    p: Any, begin: float, h: float, now: Any, after: Any,
) -> float:  # fmt: skip
    """Write the state after a part; return its error in units of the tolerance, or infinity."""
    n = len(x)
    J, z = np.empty((n, n)), np.empty((3, n))
    at, slope, move = np.empty(n), np.empty(n), np.empty(n)
    _drive(field, row, begin / field.dt, now)
    call(field.slopes, (x.ctypes.data, now.ctypes.data, p.ctypes.data, J.ctypes.data))
    if not _newton(field, scheme, control, J, x, row, p, begin, h, now, z):
        return np.inf
    for i in range(n):
        for j in range(n):
            J[i, j] = (scheme.gamma / h if i == j else 0.0) - J[i, j]
        after[i] = x[i] + z[2, i]
        move[i] = 0.0
    pivots = np.empty(n, dtype=np.int64)
    if not _factorise(J, pivots):
        return np.inf
    _drive(field, row, begin / field.dt, now)
    error = np.inf
    # Of a stiff field the estimate is filtered once more, so that it does not frighten.
    for _ in range(2):
        for i in range(n):
            at[i] = x[i] + move[i]
        call(field.field, (at.ctypes.data, now.ctypes.data, p.ctypes.data, slope.ctypes.data))
        total = 0.0
        for i in range(n):
            inner = 0.0
            for k in range(3):
                inner += scheme.error[k] * z[k, i]
            move[i] = slope[i] + inner / h
        _solve(J, pivots, move)
        for i in range(n):
            total += (move[i] / (atol + rtol * max(abs(x[i]), abs(after[i])))) ** 2
        if total != total:
            return np.inf
        error = min(error, np.sqrt(total / n))
    return error


@jit_in_order
def _newton(
    field: Field, scheme: Scheme, control: Control, J: Any, x: Any, row: Any, p: Any,
    begin: float, h: float, now: Any, z: Any,
) -> bool:  # fmt: skip
    """Solve for the three z ``(3, n)``; say whether the iteration converges."""
    n = len(x)
    matrix, pivots = np.empty((3 * n, 3 * n)), np.empty(3 * n, dtype=np.int64)
    for i in range(3):
        for a in range(n):
            z[i, a] = 0.0
        for k in range(3):
            for a in range(n):
                for b in range(n):
                    matrix[i * n + a, k * n + b] = -scheme.matrix[i, k] * (h * J[a, b])
    for i in range(3 * n):
        matrix[i, i] += 1.0
    if not _factorise(matrix, pivots):
        return False
    at, slopes, move = np.empty(n), np.empty((3, n)), np.empty(3 * n)
    before = np.inf
    for _ in range(control.iterations):
        for i in range(3):
            for a in range(n):
                at[a] = x[a] + z[i, a]
            _drive(field, row, (begin + scheme.nodes[i] * h) / field.dt, now)
            call(
                field.field,
                (at.ctypes.data, now.ctypes.data, p.ctypes.data, slopes[i].ctypes.data),
            )
        for i in range(3):
            for a in range(n):
                grown = 0.0
                for k in range(3):
                    grown += scheme.matrix[i, k] * slopes[k, a]
                move[i * n + a] = z[i, a] - h * grown
        _solve(matrix, pivots, move)
        largest = size = 0.0
        for i in range(3):
            for a in range(n):
                z[i, a] -= move[i * n + a]
                if not abs(z[i, a]) < np.inf:
                    return False
                largest = max(largest, abs(move[i * n + a]))
                size = max(size, abs(x[a] + z[i, a]))
        relative = largest / (1e-30 + size)
        if relative <= control.converged or (relative <= control.stalled and relative >= before):
            return True
        if relative > 2 * before:
            return False
        before = relative
    return False


@jit_in_order
def _drive(field: Field, row: Any, theta: float, now: Any) -> None:
    """Write input and time at a fraction of a step."""
    m, d = field.n_inputs, field.degree
    for i in range(m):
        u = row[d * m + i]
        for j in range(d - 1, -1, -1):
            u = u * theta + row[j * m + i]
        now[i] = u
    if field.time:
        now[m] = row[(d + 1) * m] + theta * field.dt


@jit_in_order
def _factorise(matrix: Any, pivots: Any) -> bool:
    """Put the triangles of LU in the place of a matrix; say whether it is regular."""
    n = len(matrix)
    for j in range(n):
        pivot = j
        for i in range(j + 1, n):
            if abs(matrix[i, j]) > abs(matrix[pivot, j]):
                pivot = i
        pivots[j] = pivot
        if not (0.0 < abs(matrix[pivot, j]) < np.inf):
            return False
        if pivot != j:
            for k in range(n):
                matrix[j, k], matrix[pivot, k] = matrix[pivot, k], matrix[j, k]
        for i in range(j + 1, n):
            factor = matrix[i, j] / matrix[j, j]
            matrix[i, j] = factor
            for k in range(j + 1, n):
                matrix[i, k] -= factor * matrix[j, k]
    return True


@jit_in_order
def _solve(matrix: Any, pivots: Any, b: Any) -> None:
    """Solve with these triangles, in place."""
    n = len(b)
    for j in range(n):
        b[j], b[pivots[j]] = b[pivots[j]], b[j]
    for j in range(n):
        for i in range(j + 1, n):
            b[i] -= matrix[i, j] * b[j]
    for j in range(n - 1, -1, -1):
        b[j] /= matrix[j, j]
        for i in range(j):
            b[i] -= matrix[i, j] * b[j]
