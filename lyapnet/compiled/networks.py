"""The loops of vanilla networks: one call for a stretch, BLAS and LAPACK called from inside."""

from __future__ import annotations

from typing import Any

import numpy as np

from .blas import DGEMM, DGEMV, ONE, PLAIN, ZERO, call
from .functions import tanh
from .jit import jit
from .qr import AT_THE_END, LOOSELY, TWICE, WITHIN, orthonormalise, pull_back, with_factor

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


@jit
def tape(
    blas: Any,
    turned: Any,
    slopes: Any,
    leak: float,
    rows: Any,
    factors: Any,
    edges: Any,
    lengths: Any,
    scratch: Any,
    sine: float,
    shortest: float,
    longest: float,
) -> int:
    """Carry a basis along and keep all bases, as `tangent.deferred_qr` says.

    Parameters
    ----------
    slopes : array (T, n)
    rows : array (T + 1, k, n)
        The first is given, the others are written.
    factors : array (T, k, k)
    edges : array (T + 1,)
        Where the blocks begin and end.
    lengths : array (T, k)
    sine, shortest, longest : float
        A block goes well whose sines are all above the first; the next one is longer if the
        lengths are between the others.

    Returns
    -------
    int
        Number of blocks, or -1 where a single step is not good enough.
    """
    n_steps, k, n = len(slopes), rows.shape[1], rows.shape[2]
    scaled, rest = scratch[: k * n].reshape(k, n), scratch[k * n :]
    first, reach, most, done = 0, 1, n_steps, 0
    edges[0] = 0
    while first < n_steps:
        last = min(first + reach, n_steps)
        for s in range(first, last):
            push(blas, turned, slopes[s], leak, rows[s], scaled, rows[s + 1])
        while True:
            factor, length = factors[done], lengths[done]
            error = AT_THE_END if last == n_steps else LOOSELY
            if with_factor(blas, rows[last], factor, rest, length, sine, error):
                break
            if last - first == 1:
                if with_factor(blas, rows[last], factor, rest, length, TWICE, AT_THE_END):
                    break
                return -1
            last = (first + last) // 2
            reach = most = last - first
        least, moderate = np.inf, True
        for i in range(k):
            least = min(least, factor[i, i] / length[i])
            moderate = moderate and shortest < length[i] < longest
        if moderate and least > np.sqrt(sine):
            reach = min(2 * reach, most)
        first = last
        done += 1
        edges[done] = last
    return done


@jit
def back(
    blas: Any,
    W: Any,
    slopes: Any,
    leak: float,
    rows: Any,
    factors: Any,
    edges: Any,
    clear: Any,
    bars: Any,
    bar: Any,
    next_bar: Any,
    slopes_bar: Any,
    scratch: Any,
) -> None:
    """Carry cotangents back through a tape, as `tangent.reverse` says, the rows being scaled.

    Parameters
    ----------
    W : array (n, n)
    rows, factors, edges
        As `tape` leaves them; rows become those times the slopes of their step.
    clear : array of bool
        Of each block, whether to clear the rounding above the diagonal.
    bars : array (T + 1, k, n)
        The last is given.
    bar, next_bar : array (k,)
        Cotangents of the growth of each block, and of the one that follows.
    slopes_bar : array (T, n)
        Cotangents of the slopes are written.
    """
    k, n = rows.shape[1], rows.shape[2]
    sizes = np.array([n, k], dtype=np.int32)
    N, K = sizes[:1].ctypes.data, sizes[1:].ctypes.data
    for block in range(len(clear) - 1, -1, -1):
        first, last = edges[block], edges[block + 1]
        after = next_bar if block == len(clear) - 1 else bar
        pull_back(blas, rows[last], factors[block], bars[last], bar, after, clear[block], scratch)
        for s in range(last - 1, first - 1, -1):
            here, slope, total = bars[s], slopes[s], slopes_bar[s]
            how = blas[PLAIN], blas[PLAIN], N, K, N, blas[ONE]
            a, b = bars[s + 1].ctypes.data, here.ctypes.data
            call(blas[DGEMM], (*how, W.ctypes.data, N, a, N, blas[ZERO], b, N))
            total[:] = 0.0
            for i in range(k):
                for j in range(n):
                    total[j] += here[i, j] * rows[s, i, j]
                    here[i, j] *= slope[j]
            if leak != 1.0:
                for i in range(k):
                    for j in range(n):
                        here[i, j] += (1.0 - leak) * bars[s + 1, i, j]
            # What is pulled back at its end is the basis itself: it is scaled after that.
            if s > first:
                for i in range(k):
                    for j in range(n):
                        rows[s, i, j] *= slope[j]
    for block in range(len(clear)):
        s = edges[block]
        for i in range(k):
            for j in range(n):
                rows[s, i, j] *= slopes[s, j]
    sizes[0] = 0


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
