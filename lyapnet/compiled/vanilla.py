"""The loops of vanilla networks: their runs, tangent steps and backpropagation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray

from .blas import COUNT
from .functions import tanh
from .jit import jit
from .products import by_panels, panels_of

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
    turned : array (panels, n, columns)
        :math:`W^T`, see `products.in_panels`.
    leak : float
    states, rates : array (T + 1, members, n) and (T, members, n)
    """
    n_steps, members, n = rates.shape
    for s in range(n_steps):
        h, r, following = states[s], rates[s], states[s + 1]
        activate(which, h.reshape(members * n), r.reshape(members * n))
        by_panels(blas, r, turned, following, True)
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
def back_in_time(blas: Any, W: Any, slopes: Any, leak: float, bars: Any) -> None:
    """Carry cotangents ``(T + 1, members, n)`` of the states back to the first, in place."""
    n_steps, members, n = slopes.shape
    step = np.empty((members, n))
    for s in range(n_steps - 1, -1, -1):
        here, following, slope = bars[s], bars[s + 1], slopes[s]
        by_panels(blas, following, W, step, False)
        for m in range(members):
            for i in range(n):
                here[m, i] += slope[m, i] * step[m, i] + (1.0 - leak) * following[m, i]
