"""The loops of vanilla networks: their runs, tangent steps and backpropagation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from .blas import COUNT
from .functions import tanh
from .jit import jit
from .products import by_panels, outer, panels_of

#: Activation functions, by number.
TANH, RELU, LINEAR = range(3)

#: Rows, of members and steps, whose share in the gradient of weights is one product.
_ROWS = 128


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
def run(blas: Any, which: int, weights: Any, leak: float, states: Any, beside: Any) -> None:
    r"""Run a network or a batch.

    Parameters
    ----------
    blas : array
        See `blas.addresses`.
    which : int
        The activation.
    weights : array (panels, n + inputs + 1, columns)
        What multiplies rates, inputs and 1, see `products.in_panels`.
    leak : float
    states : array (T + 1, members, n)
        The first is given.
    beside : array (T, members, n + inputs + 1)
        Inputs and ones are given, beside them rates are written.
    """
    n_steps, members, _ = beside.shape
    n = states.shape[2]
    for s in range(n_steps):
        h, r, following = states[s], beside[s], states[s + 1]
        for m in range(members):
            activate(which, h[m], r[m, :n])
        by_panels(blas, r, weights, following, False)
        if leak != 1.0:
            for m in range(members):
                for i in range(n):
                    following[m, i] = leak * following[m, i] + (1.0 - leak) * h[m, i]


def push(
    blas: Any, turned: Any, A: Any, leak: Any, rows: Any, out: Any, scratch: Any, k: int, n: int
) -> None:
    r"""Carry rows q through one step; see `steps.PUSH`.

    .. math:: (1 - \alpha) q + W\,\mathrm{diag}(slope) q
    """
    blas, slope = carray(blas, COUNT), carray(A, n)
    panels = carray(turned, panels_of(blas, n, n))
    rows, out, scaled = carray(rows, (k, n)), carray(out, (k, n)), carray(scratch, (k, n))
    rest = 1.0 - leak[0]
    for i in range(k):
        for j in range(n):
            scaled[i, j] = rows[i, j] * slope[j]
    by_panels(blas, scaled, panels, out, False)
    if rest != 0.0:
        for i in range(k):
            for j in range(n):
                out[i, j] += rest * rows[i, j]


def pull(
    blas: Any, W: Any, turned: Any, A: Any, leak: Any, rows: Any, bars: Any, out: Any, A_bar: Any,
    W_bar: Any, scratch: Any, k: int, n: int,
) -> None:  # fmt: skip
    """Carry cotangents back through one step, and write what its slopes get; see `steps.PULL`."""
    blas, slope, slope_bar = carray(blas, COUNT), carray(A, n), carray(A_bar, n)
    panels = carray(W, panels_of(blas, n, n))
    rows, bars, out = carray(rows, (k, n)), carray(bars, (k, n)), carray(out, (k, n))
    rest = 1.0 - leak[0]
    by_panels(blas, bars, panels, out, False)
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
def back_in_time(
    blas: Any, which: int, W: Any, leak: float, beside: Any, bars: Any, weights_bar: Any
) -> None:
    """Carry cotangents ``(T + 1, members, n)`` of the states back to the first, in place.

    Parameters
    ----------
    blas, which, leak, beside
        As `run` leaves them.
    W : array (panels, n, columns)
    bars : array (T + 1, members, n)
    weights_bar : array (n, n + inputs + 1)
        Cotangents of the weights over the leak are added.
    """
    n_steps, members, columns = beside.shape
    n, length = bars.shape[2], max(1, _ROWS // members)
    step = np.empty((members, n))
    for end in range(n_steps, 0, -length):
        start = max(0, end - length)
        for s in range(end - 1, start - 1, -1):
            here, following, r = bars[s], bars[s + 1], beside[s]
            by_panels(blas, following, W, step, False)
            for m in range(members):
                scale_by_slope(which, leak, r[m, :n], step[m])
                for i in range(n):
                    here[m, i] += step[m, i] + (1.0 - leak) * following[m, i]
        rows = (end - start) * members
        left = bars[start + 1 : end + 1].reshape(rows, n)
        outer(blas, left, beside[start:end].reshape(rows, columns), weights_bar, True)


@jit
def scale_by_slope(which: int, leak: float, r: Any, bar: Any) -> None:
    """Multiply cotangents by the slopes of units with rates r."""
    if which == TANH:
        for i in range(len(bar)):
            bar[i] *= leak * (1.0 - r[i] * r[i])
    elif which == RELU:
        for i in range(len(bar)):
            bar[i] *= leak if r[i] > 0.0 else 0.0
    else:
        for i in range(len(bar)):
            bar[i] *= leak
