"""Tangent bases carried along networks, forward and in reverse: one call for a stretch.

BLAS and LAPACK are called from inside. The loops are the same for all kinds of cells, which differ
in one step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .blas import call
from .jit import jit, loop
from .limits import LOOSELY, ORTHONORMAL, TWICE, WITHIN
from .products import copy, scale
from .qr import orthonormalise, pull_back, with_factor


@loop
def blocks(
    blas: Any,
    step: int,
    turned: Any,
    coefficients: Any,
    leak: Any,
    rows: Any,
    interval: int,
    least: float,
    diagonal: Any,
    length: Any,
    scratch: Any,
    disturbance: Any,
) -> int:
    """Carry a basis through blocks of steps as long as it is good; return how many went well.

    Parameters
    ----------
    step : int
        Address of a function, see `steps`.
    turned : array (n, gates n)
        :math:`W^T`.
    coefficients : array (T, KEPT, n)
        Of the steps from the first block on.
    leak : array (1,)
    rows : array (k, dim)
        Changed in place.
    interval : int
    least : float
        The smallest sine that is good enough.
    diagonal, length : array (blocks, k)
        As of `orthonormalise`.
    scratch : array
        Two bases, and the room that `orthonormalise` and the step need.
    disturbance : array (blocks or 0, k, dim)
        What a basis is multiplied by before each block, if there is some.
    """
    k, n = rows.shape
    size = k * n
    basis, pair = rows, (scratch[:size].reshape(k, n), scratch[size : 2 * size].reshape(k, n))
    rest = scratch[2 * size :]
    units = coefficients.shape[-1]
    done = 0
    for block in range(len(diagonal)):
        here, free = basis, 0  # which stays as it is until the block has gone well
        if len(disturbance):
            here, free = pair[0], 1
            copy(basis.reshape(size), here.reshape(size))
            scale(disturbance[block].reshape(size), here.reshape(size))
        for s in range(block * interval, (block + 1) * interval):
            call(
                step,
                (blas.ctypes.data, turned.ctypes.data, coefficients[s].ctypes.data,
                 leak.ctypes.data, here.ctypes.data, pair[free].ctypes.data, rest.ctypes.data, k,
                 units),
            )  # fmt: skip
            here, free = pair[free], 1 - free
        error = WITHIN if block < len(diagonal) - 1 else ORTHONORMAL
        if not orthonormalise(blas, here, rest, diagonal[block], length[block], least, error):
            break
        basis, pair = here, (basis, pair[free])  # what was used last is in the cache
        done += 1
    if basis.ctypes.data != rows.ctypes.data:
        copy(basis.reshape(size), rows.reshape(size))
    return done


@loop
def tape(
    blas: Any,
    step: int,
    turned: Any,
    coefficients: Any,
    leak: Any,
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
    step, turned, leak
        As for `blocks`.
    coefficients : array (T, KEPT, n)
    rows : array (T + 1, k, dim)
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
    n_steps, k, units = len(coefficients), rows.shape[1], coefficients.shape[-1]
    first, reach, most, done = 0, 1, n_steps, 0
    edges[0] = 0
    while first < n_steps:
        last = min(first + reach, n_steps)
        for s in range(first, last):
            call(
                step,
                (blas.ctypes.data, turned.ctypes.data, coefficients[s].ctypes.data,
                 leak.ctypes.data, rows[s].ctypes.data, rows[s + 1].ctypes.data,
                 scratch.ctypes.data, k, units),
            )  # fmt: skip
        while True:
            factor, length = factors[done], lengths[done]
            error = ORTHONORMAL if last == n_steps else LOOSELY
            if with_factor(blas, rows[last], factor, scratch, length, sine, error):
                break
            if last - first == 1:
                if with_factor(blas, rows[last], factor, scratch, length, TWICE, ORTHONORMAL):
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


@loop
def back(
    blas: Any,
    step: int,
    W: Any,
    turned: Any,
    coefficients: Any,
    leak: Any,
    rows: Any,
    factors: Any,
    edges: Any,
    clear: Any,
    bars: Any,
    bar: Any,
    next_bar: Any,
    coefficients_bar: Any,
    W_bar: Any,
    scale: bool,
    scratch: Any,
) -> None:
    """Carry cotangents back through a tape, as `tangent.reverse` says.

    Parameters
    ----------
    step, turned, coefficients, leak
        As for `blocks`.
    W : array (gates n, n)
    rows, factors, edges
        As `tape` leaves them.
    clear : array of bool
        Of each block, whether to clear the rounding above the diagonal.
    bars : array (T + 1, k, dim)
        The last is given.
    bar, next_bar : array (k,)
        Cotangents of the growth of each block, and of the one that follows.
    coefficients_bar : array (T, KEPT, n)
        Cotangents of the coefficients are written.
    W_bar : array (gates n, n)
        Those of the weights are added, but for a vanilla network.
    scale : bool
        Whether rows are to become those times the slopes of their step, as a vanilla network's.
    scratch : array
        Room for k^2 numbers and for what the step needs.
    """
    k, units = rows.shape[1], coefficients.shape[-1]
    for block in range(len(clear) - 1, -1, -1):
        first, last = edges[block], edges[block + 1]
        after = next_bar if block == len(clear) - 1 else bar
        pull_back(blas, rows[last], factors[block], bars[last], bar, after, clear[block], scratch)
        for s in range(last - 1, first - 1, -1):
            call(
                step,
                (blas.ctypes.data, W.ctypes.data, turned.ctypes.data, coefficients[s].ctypes.data,
                 leak.ctypes.data, rows[s].ctypes.data, bars[s + 1].ctypes.data,
                 bars[s].ctypes.data, coefficients_bar[s].ctypes.data, W_bar.ctypes.data,
                 scratch.ctypes.data, k, units),
            )  # fmt: skip
            # What is pulled back at its end is the basis itself: it is scaled after that.
            if scale and s > first:
                scale_rows(rows[s], coefficients[s, 0])
    if scale:
        for block in range(len(clear)):
            scale_rows(rows[edges[block]], coefficients[edges[block], 0])


@jit
def scale_rows(rows: Any, slope: Any) -> None:
    """Multiply each row by the same."""
    for i in range(len(rows)):
        for j in range(len(slope)):
            rows[i, j] *= slope[j]
