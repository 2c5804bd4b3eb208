"""A part of a step by an explicit method, as `systems.integrators.embedded` has it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .blas import call
from .field import Field, drive_at
from .jit import jit_in_order
from .scheme import LACKING, Control, Scheme, Work


@jit_in_order
def attempt_explicit(
    field: Field, scheme: Scheme, control: Control, rtol: float, atol: float, work: Work, x: Any,
    row: Any, p: Any, begin: float, h: float,
) -> float:  # fmt: skip
    """Write the state after a part; return its error in units of the tolerance."""
    n, stages = len(x), len(scheme.nodes)
    slopes, at, now = work.slopes, work.at, work.now
    for s in range(stages + 1):
        last = s == stages
        for i in range(n):
            at[i] = x[i]
        for k in range(s):
            weight = h * (scheme.weights[k] if last else scheme.matrix[s, k])
            for i in range(n):
                at[i] += weight * slopes[k, i]
        c = 1.0 if last else scheme.nodes[s]
        drive_at(field, row, (begin + c * h) / field.dt, now)
        call(field.field, (at.ctypes.data, now.ctypes.data, p.ctypes.data, slopes[s].ctypes.data))
    fifth = third = 0.0
    for i in range(n):
        work.after[i] = at[i]
        scale = atol + rtol * max(abs(x[i]), abs(at[i]))
        high = low = 0.0
        for s in range(stages + 1):
            high += scheme.error[0, s] * slopes[s, i]
            low += scheme.error[1, s] * slopes[s, i]
        fifth += high / scale**2 * high
        third += low / scale**2 * low
    both = np.sqrt((fifth + 0.01 * third) * n)
    error = h * fifth / both if both != 0.0 else 0.0
    drive_at(field, row, begin / field.dt, now)
    call(field.slopes, (x.ctypes.data, now.ctypes.data, p.ctypes.data, work.J.ctypes.data))
    tangent = (h * _rate(work.J, at, slopes[0]) / control.reach) ** control.order
    return tangent if tangent > error or tangent != tangent else error


@jit_in_order
def _rate(J: Any, v: Any, moved: Any) -> float:
    """Return how fast a matrix may move vectors, with room for two; see `embedded.rate`."""
    n = len(J)
    for i in range(n):
        v[i] = 1.0
    for _ in range(LACKING):
        _move(J, v, moved)
        for i in range(n):
            v[i] = moved[i]
    most = 0.0
    for i in range(n):
        most = max(most, v[i])
    if most == 0.0:
        return 0.0
    first = most ** (1 / LACKING)
    for i in range(n):
        v[i] = 1.0
    for _ in range(LACKING):
        _move(J, v, moved)
        for i in range(n):
            v[i] += moved[i] / first
    _move(J, v, moved)
    most = 0.0
    for i in range(n):
        most = max(most, moved[i] / v[i])
    return float(most)


@jit_in_order
def _move(J: Any, v: Any, out: Any) -> None:
    """Multiply a vector by a matrix's absolute values."""
    for i in range(len(J)):
        out[i] = 0.0
        for j in range(len(J)):
            out[i] += abs(J[i, j]) * v[j]
