"""The tangent steps of all kinds of cells, compiled when they are first asked for.

Loops call a step through its address, so that they are compiled once for all.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from numba import types

from . import gated_tangents, vanilla
from .gated import AFTER, BEFORE, LSTM, VANILLA
from .jit import callback
from .products import by_jacobian

_WORDS, _NUMBERS = types.CPointer(types.int64), types.CPointer(types.float64)

#: Carry tangent vectors through one step. Takes the addresses of BLAS, of W^T ``(n, gates n)``,
#: the step's coefficients ``(KEPT, n)``, the leak, the rows ``(k, dim)``, where they go, and
#: scratch; k and n.
PUSH = types.void(_WORDS, *[_NUMBERS] * 6, types.int64, types.int64)

#: Carry cotangents back through one step, and on to its coefficients and the weights. Takes the
#: addresses of BLAS, of W ``(gates n, n)``, W^T, the coefficients, the leak, the rows that went
#: forward, cotangents ``(k, dim)`` behind the step, where they go before it, those of the
#: coefficients, which are written, those of W, to which is added (but for a vanilla network), and
#: scratch; k and n.
PULL = types.void(_WORDS, *[_NUMBERS] * 10, types.int64, types.int64)

_FUNCTIONS: dict[int, tuple[Any, Any]] = {
    VANILLA: (vanilla.push, vanilla.pull),
    LSTM: (gated_tangents.push_lstm, gated_tangents.pull_lstm),
    AFTER: (gated_tangents.push_after, gated_tangents.pull_after),
    BEFORE: (gated_tangents.push_before, gated_tangents.pull_before),
}


class Step(NamedTuple):
    """A compiled function, and the numbers that it needs as scratch."""

    address: int
    scratch: int


@cache
def _push(kind: int) -> Any:
    return callback(PUSH)(_FUNCTIONS[kind][0])


@cache
def _pull(kind: int) -> Any:
    return callback(PULL)(_FUNCTIONS[kind][1])


def _scratch(kind: int, k: int, n: int) -> int:
    return {
        VANILLA: k * n,
        LSTM: 4 * n * n + 2 * n + 5,
        AFTER: 2 * n * n,
        BEFORE: 6 * k * n + n * n,
    }[kind]


def push(kind: int, k: int, n: int) -> Step:
    """Return the step forward of k vectors of a network of n units."""
    return Step(_push(kind).address, _scratch(kind, k, n))


@cache
def _by_jacobian() -> Any:
    return callback(PUSH)(by_jacobian)


def dense() -> Step:
    """Return the step whose coefficients are a transposed Jacobian ``(n, n)``."""
    return Step(_by_jacobian().address, 0)


def pull(kind: int, k: int, n: int) -> Step:
    """Return the step back."""
    return Step(_pull(kind).address, _scratch(kind, k, n))
