"""The loops of vanilla networks: their runs, tangent steps and backpropagation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from .blas import COUNT, DGEMM, DGEMV, ONE, PLAIN, ZERO, call
from .functions import tanh
from .jit import jit
from .products import product

#: Activation functions, by number.
TANH, RELU, LINEAR = range(3)


@jit
def activate(which: int, x: Any, out: Any) -> None:
    """Write the activations of one array of pre-activations."""
    if which == TANH:
        tanh(x, out)
    elif which == RELU:
        for i in range(len(x)):
            out[i] = x[i] if x[i] > 0.0 or x[i] != x[i] else 0.0
    else:
        out[:] = x


@jit
def run(blas: Any, which: int, turned: Any, leak: float, states: Any, rates: Any) -> None:
    r"""Run a network or a batch: states after the first hold :math:`V u + b` and become states.

    Parameters
    ----------
    blas : array
        See `blas.addresses`.
    which : int
        The activation.
    turned : array (n, n)
        :math:`W^T`.
    leak : float
    states, rates : array (T + 1, members, n) and (T, members, n)
    """
    n_steps, members, n = rates.shape
    sizes = np.array([n, members, 1], dtype=np.int32)
    N, M, each = sizes[:1].ctypes.data, sizes[1:].ctypes.data, sizes[2:].ctypes.data
    W = turned.ctypes.data
    for s in range(n_steps):
        h, r, following = states[s], rates[s], states[s + 1]
        activate(which, h.reshape(members * n), r.reshape(members * n))
        a, b = r.ctypes.data, following.ctypes.data
        if members == 1:
            call(blas[DGEMV], (blas[PLAIN], N, N, blas[ONE], W, N, a, each, blas[ONE], b, each))
        else:
            how = blas[PLAIN], blas[PLAIN], N, M, N, blas[ONE]
            call(blas[DGEMM], (*how, W, N, a, N, blas[ONE], b, N))
        if leak != 1.0:
            for m in range(members):
                for i in range(n):
                    following[m, i] = leak * following[m, i] + (1.0 - leak) * h[m, i]
    sizes[0] = 0  # after the last call: the sizes must live as long


def push(
    blas: Any, turned: Any, A: Any, leak: Any, rows: Any, out: Any, scratch: Any, k: int, n: int
) -> None:
    r"""Carry rows q through one step; see `steps.PUSH`.

    .. math:: (1 - \alpha) q + W\,\mathrm{diag}(slope) q
    """
    blas, turned, slope = carray(blas, COUNT), carray(turned, (n, n)), carray(A, n)
    rows, out, scaled = carray(rows, (k, n)), carray(out, (k, n)), carray(scratch, (k, n))
    rest = 1.0 - leak[0]
    for i in range(k):
        for j in range(n):
            scaled[i, j] = rows[i, j] * slope[j]
    product(blas, scaled, turned, out, False)
    if rest != 0.0:
        for i in range(k):
            for j in range(n):
                out[i, j] += rest * rows[i, j]


def pull(
    blas: Any, W: Any, turned: Any, A: Any, leak: Any, rows: Any, bars: Any, out: Any, A_bar: Any,
    W_bar: Any, scratch: Any, k: int, n: int,
) -> None:  # fmt: skip
    """Carry cotangents back through one step, and write what its slopes get; see `steps.PULL`."""
    blas, W, slope, slope_bar = (
        carray(blas, COUNT), carray(W, (n, n)), carray(A, n), carray(A_bar, n)
    )  # fmt: skip
    rows, bars, out = carray(rows, (k, n)), carray(bars, (k, n)), carray(out, (k, n))
    rest = 1.0 - leak[0]
    product(blas, bars, W, out, False)
    slope_bar[:] = 0.0
    for i in range(k):
        for j in range(n):
            slope_bar[j] += out[i, j] * rows[i, j]
            out[i, j] *= slope[j]
    if rest != 0.0:
        for i in range(k):
            for j in range(n):
                out[i, j] += rest * bars[i, j]


@jit
def back_in_time(blas: Any, W: Any, slopes: Any, leak: float, bars: Any) -> None:
    """Carry cotangents ``(T + 1, members, n)`` of the states back to the first, in place."""
    n_steps, members, n = slopes.shape
    sizes = np.array([n, members, 1], dtype=np.int32)
    N, M, each = sizes[:1].ctypes.data, sizes[1:].ctypes.data, sizes[2:].ctypes.data
    step = np.empty((members, n))
    for s in range(n_steps - 1, -1, -1):
        here, following, slope = bars[s], bars[s + 1], slopes[s]
        a, b = following.ctypes.data, step.ctypes.data
        if members == 1:
            how = blas[PLAIN], N, N, blas[ONE], W.ctypes.data, N
            call(blas[DGEMV], (*how, a, each, blas[ZERO], b, each))
        else:
            how = blas[PLAIN], blas[PLAIN], N, M, N, blas[ONE]
            call(blas[DGEMM], (*how, W.ctypes.data, N, a, N, blas[ZERO], b, N))
        for m in range(members):
            for i in range(n):
                here[m, i] += slope[m, i] * step[m, i] + (1.0 - leak) * following[m, i]
    sizes[0] = 0
