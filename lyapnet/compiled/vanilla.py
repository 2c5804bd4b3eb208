"""The loops of vanilla networks: their runs, tangent steps and backpropagation."""

from __future__ import annotations

from typing import Any

from numba import carray

from .blas import COUNT
from .functions import tanh
from .jit import jit, jit_apart, loop
from .products import by_panels, copy, outer, panels_of, product

#: Activation functions, by number.
TANH, RELU, LINEAR = range(3)

#: Inputs, the one beside them included, that are not worth a product of matrices.
_FEW = 2


@jit
def activate(which: int, x: Any, out: Any, scratch: Any) -> None:
    """Write the activations of one array of pre-activations."""
    if which == TANH:
        tanh(x, out, scratch)
    elif which == RELU:
        for i in range(len(x)):
            out[i] = x[i] if x[i] > 0.0 or x[i] != x[i] else 0.0
    else:
        copy(x, out)


@jit_apart
def drive(given: Any, others: Any, out: Any) -> None:
    """Write what few inputs and the bias give each unit."""
    for m in range(len(out)):
        first, last = given[m, 0], given[m, given.shape[1] - 1]
        if given.shape[1] == 1:
            for i in range(out.shape[1]):
                out[m, i] = first * others[0, i]
        else:
            for i in range(out.shape[1]):
                out[m, i] = first * others[0, i] + last * others[1, i]


@loop
def run(
    blas: Any, which: int, turned: Any, others: Any, leak: float, states: Any, rates: Any,
    given: Any,
) -> None:  # fmt: skip
    r"""Run a network or a batch.

    Parameters
    ----------
    blas : array
        See `blas.addresses`.
    which : int
        The activation.
    turned : array (panels, n, columns)
        :math:`W^T`, see `products.in_panels`.
    others : array (inputs + 1, n)
        :math:`V^T` and b.
    leak : float
    states : array (T + 1, members, n)
        The first is given.
    rates : array (T, members, n)
    given : array (T, members, inputs + 1)
        Inputs, and ones.
    """
    n_steps, members, n = rates.shape
    for s in range(n_steps):
        h, r, following = states[s], rates[s], states[s + 1]
        size = members * n
        activate(which, h.reshape(size), r.reshape(size), following.reshape(size))
        if given.shape[2] > _FEW:
            product(blas, given[s], others, following, False)
        else:
            drive(given[s], others, following)
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


@loop
def back_in_time(
    blas: Any, which: int, W: Any, leak: float, rates: Any, given: Any, bars: Any, W_bar: Any,
    others_bar: Any, length: int, step: Any,
) -> None:  # fmt: skip
    """Carry cotangents ``(T + 1, members, n)`` of the states back to the first, in place.

    Parameters
    ----------
    blas, which, leak, rates, given
        As `run` leaves them.
    W : array (panels, n, columns)
    bars : array (T + 1, members, n)
    W_bar, others_bar : array (n, n) and (inputs + 1, n)
        Cotangents of the weights over the leak are added.
    length : int
        Steps at once, see `products.at_once`.
    step : array (members, n)
        Scratch.
    """
    for end in range(len(rates), 0, -length):
        at = max(0, end - length)
        _back(
            blas, which, W, leak, rates[at:end], given[at:end], bars[at : end + 1], W_bar,
            others_bar, step,
        )  # fmt: skip


@loop
def back_from_outputs(
    blas: Any, which: int, W: Any, leak: float, rates: Any, given: Any, outputs_bar: Any,
    readout: Any, W_bar: Any, others_bar: Any, bars: Any, step: Any,
) -> None:  # fmt: skip
    """Find cotangents of the first state, as `back_in_time` does.

    Parameters
    ----------
    outputs_bar : array (steps, members, outputs)
        Cotangents of what is read out of so many states at the end.
    readout : array (outputs, n)
    bars : array (steps at once + 1, members, n)
        Zero; the first becomes what is looked for. Those of a few steps stay in the cache.
    """
    n_steps, members, n = rates.shape
    steps, _, outputs = outputs_bar.shape
    length, skipped = len(bars) - 1, n_steps - steps
    for end in range(n_steps, 0, -length):
        at = max(0, end - length)
        copy(bars[0].reshape(members * n), bars[end - at].reshape(members * n))
        read = end if end < n_steps else end + 1
        first = min(max(at, skipped + 1), read)  # states before are not read out
        bars[: first - at] = 0.0
        rows = (read - first) * members
        left = outputs_bar[first - 1 - skipped : read - 1 - skipped].reshape(rows, outputs)
        product(blas, left, readout, bars[first - at : read - at].reshape(rows, n), False)
        _back(
            blas, which, W, leak, rates[at:end], given[at:end], bars[: end - at + 1], W_bar,
            others_bar, step,
        )  # fmt: skip


@jit
def _back(
    blas: Any, which: int, W: Any, leak: float, rates: Any, given: Any, bars: Any, W_bar: Any,
    others_bar: Any, step: Any,
) -> None:  # fmt: skip
    """Carry cotangents back through a few steps, and add what the weights get."""
    n_steps, members, n = rates.shape
    size = members * n
    for s in range(n_steps - 1, -1, -1):
        here, following = bars[s], bars[s + 1]
        by_panels(blas, following, W, step, False)
        add_pulled(
            which, leak, rates[s].reshape(size), step.reshape(size), following.reshape(size),
            here.reshape(size),
        )  # fmt: skip
    rows = n_steps * members
    driven = bars[1:].reshape(rows, n)
    outer(blas, driven, rates.reshape(rows, n), W_bar, True)
    outer(blas, given.reshape(rows, given.shape[2]), driven, others_bar, True)


@jit_apart
def add_pulled(which: int, leak: float, r: Any, step: Any, following: Any, here: Any) -> None:
    """Add what comes back from units with rates r, and what they keep."""
    rest = 1.0 - leak
    if which == TANH and rest == 0.0:
        for i in range(len(here)):
            here[i] += (1.0 - r[i] * r[i]) * step[i]
    elif which == TANH:
        for i in range(len(here)):
            here[i] += leak * (1.0 - r[i] * r[i]) * step[i] + rest * following[i]
    elif which == RELU:
        for i in range(len(here)):
            here[i] += (leak if r[i] > 0.0 else 0.0) * step[i] + rest * following[i]
    else:
        for i in range(len(here)):
            here[i] += leak * step[i] + rest * following[i]
