"""The loops of vanilla networks: one call for a stretch, BLAS and LAPACK called from inside."""

from __future__ import annotations

from typing import Any

import numpy as np

from .blas import DGEMM, DGEMV, ONE, PLAIN, ZERO, call
from .functions import tanh
from .jit import jit
from .qr import AT_THE_END, WITHIN, orthonormalise

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
    N, M, I = sizes[:1].ctypes.data, sizes[1:].ctypes.data, sizes[2:].ctypes.data
    W = turned.ctypes.data
    for s in range(n_steps):
        h, r, following = states[s], rates[s], states[s + 1]
        activate(which, h.reshape(members * n), r.reshape(members * n))
        a, b = r.ctypes.data, following.ctypes.data
        if members == 1:
            call(blas[DGEMV], (blas[PLAIN], N, N, blas[ONE], W, N, a, I, blas[ONE], b, I))
        else:
            how = blas[PLAIN], blas[PLAIN], N, M, N, blas[ONE]
            call(blas[DGEMM], (*how, W, N, a, N, blas[ONE], b, N))
        if leak != 1.0:
            for m in range(members):
                for i in range(n):
                    following[m, i] = leak * following[m, i] + (1.0 - leak) * h[m, i]
    sizes[0] = 0  # after the last call: the sizes must live as long


@jit
def push(blas: Any, turned: Any, slope: Any, leak: float, rows: Any, scaled: Any, out: Any) -> None:
    r"""Carry rows q through one step, :math:`(1 - \alpha) q + W\,\mathrm{diag}(slope) q`."""
    k, n = rows.shape
    sizes = np.array([n, k], dtype=np.int32)
    N, K = sizes[:1].ctypes.data, sizes[1:].ctypes.data
    for i in range(k):
        for j in range(n):
            scaled[i, j] = rows[i, j] * slope[j]
    how = blas[PLAIN], blas[PLAIN], N, K, N, blas[ONE]
    a, b = scaled.ctypes.data, out.ctypes.data
    call(blas[DGEMM], (*how, turned.ctypes.data, N, a, N, blas[ZERO], b, N))
    if leak != 1.0:
        for i in range(k):
            for j in range(n):
                out[i, j] += (1.0 - leak) * rows[i, j]
    sizes[0] = 0


@jit
def blocks(
    blas: Any,
    turned: Any,
    slopes: Any,
    leak: float,
    rows: Any,
    interval: int,
    least: float,
    diagonal: Any,
    length: Any,
    scratch: Any,
) -> int:
    """Carry a basis through blocks of steps as long as it is good; return how many went well.

    Parameters
    ----------
    slopes : array (T, n)
        Of the steps from the first block on.
    rows : array (k, n)
        Changed in place.
    interval : int
    least : float
        The smallest sine that is good enough.
    diagonal, length : array (blocks, k)
        As of `orthonormalise`.
    scratch : array
        Three bases, and the room that `orthonormalise` needs.
    """
    k, n = rows.shape
    size = k * n
    here = scratch[:size].reshape(k, n)
    there = scratch[size : 2 * size].reshape(k, n)
    scaled = scratch[2 * size : 3 * size].reshape(k, n)
    rest = scratch[3 * size :]
    for block in range(len(diagonal)):
        here[...] = rows
        for s in range(block * interval, (block + 1) * interval):
            push(blas, turned, slopes[s], leak, here, scaled, there)
            here, there = there, here
        error = WITHIN if block < len(diagonal) - 1 else AT_THE_END
        if not orthonormalise(blas, here, rest, diagonal[block], length[block], least, error):
            return block
        rows[...] = here
    return len(diagonal)
