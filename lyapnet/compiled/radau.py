"""A part of a step by the implicit method, as `systems.integrators.radau` has it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .blas import FACTORISE, SOLVE, TRANSPOSED, call, seen, shown
from .field import Field, drive_at
from .jit import jit_in_order
from .scheme import Control, Scheme, Work


@jit_in_order
def _factorise(solver: Any, matrix: Any, pivots: Any) -> bool:
    """Put the triangles of LU in the place of a matrix; say whether it is regular."""
    N = shown((len(matrix), 0))
    call(solver[FACTORISE], (N, N, matrix.ctypes.data, N, pivots.ctypes.data, N + 4))
    return seen(N + 4) == 0


@jit_in_order
def _solve(solver: Any, matrix: Any, pivots: Any, b: Any) -> None:
    """Solve with these triangles, in place: those of the transposed matrix to LAPACK."""
    N = shown((len(matrix), 1, 0))
    triangles = matrix.ctypes.data, N, pivots.ctypes.data
    call(solver[SOLVE], (solver[TRANSPOSED], N, N + 4, *triangles, b.ctypes.data, N, N + 8))


@jit_in_order
def _newton(
    solver: Any, field: Field, scheme: Scheme, control: Control, work: Work, x: Any, row: Any,
    p: Any, begin: float, h: float,
) -> bool:  # fmt: skip
    """Solve for the three z ``(3, n)``; say whether the iteration converges."""
    n = len(x)
    J, z, at, slopes, move, matrix = work.J, work.z, work.at, work.slopes, work.move, work.matrix
    for i in range(3):
        for a in range(n):
            z[i, a] = 0.0
        for k in range(3):
            for a in range(n):
                for b in range(n):
                    matrix[i * n + a, k * n + b] = -scheme.matrix[i, k] * (h * J[a, b])
    for i in range(3 * n):
        matrix[i, i] += 1.0
    if not _factorise(solver, matrix, work.pivots):
        return False
    before = np.inf
    for _ in range(control.iterations):
        for i in range(3):
            for a in range(n):
                at[a] = x[a] + z[i, a]
            drive_at(field, row, (begin + scheme.nodes[i] * h) / field.dt, work.now)
            call(
                field.field,
                (at.ctypes.data, work.now.ctypes.data, p.ctypes.data, slopes[i].ctypes.data),
            )
        for i in range(3):
            for a in range(n):
                grown = 0.0
                for k in range(3):
                    grown += scheme.matrix[i, k] * slopes[k, a]
                move[i * n + a] = z[i, a] - h * grown
        _solve(solver, matrix, work.pivots, move)
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
def attempt_implicit(
    solver: Any, field: Field, scheme: Scheme, control: Control, rtol: float, atol: float,
    work: Work, x: Any, row: Any, p: Any, begin: float, h: float,
) -> float:  # fmt: skip
    """Write the state after a part; return its error in units of the tolerance, or infinity."""
    n = len(x)
    J, z, at, now, move, after = work.J, work.z, work.at, work.now, work.move, work.after
    slope = work.slopes[0]
    drive_at(field, row, begin / field.dt, now)
    call(field.slopes, (x.ctypes.data, now.ctypes.data, p.ctypes.data, J.ctypes.data))
    if not _newton(solver, field, scheme, control, work, x, row, p, begin, h):
        return np.inf
    for i in range(n):
        for j in range(n):
            J[i, j] = (scheme.gamma / h if i == j else 0.0) - J[i, j]
        after[i] = x[i] + z[2, i]
        move[i] = 0.0
    if not _factorise(solver, J, work.pivots):
        return np.inf
    drive_at(field, row, begin / field.dt, now)
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
                inner += scheme.error[0, k] * z[k, i]
            move[i] = slope[i] + inner / h
        _solve(solver, J, work.pivots, move)
        for i in range(n):
            total += (move[i] / (atol + rtol * max(abs(x[i]), abs(after[i])))) ** 2
        if total != total:
            return np.inf
        error = min(error, np.sqrt(total / n))
    return error
