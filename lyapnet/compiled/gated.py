"""The loops of gated networks: their runs, and backpropagation through them.

A gate of all members lies in one piece, ``(members n,)``, so that loops over it are long, and take
several numbers at once.
"""

from __future__ import annotations

from typing import Any

from .functions import sigmoid_and_rest, tanh_and_slope
from .jit import jit, jit_apart, loop
from .products import add_times, copy, outer, product, scale, times

#: Kinds of cells, by number: vanilla networks, and GRUs by where their reset gate acts.
VANILLA, LSTM, AFTER, BEFORE = range(4)

#: Coefficients that each keeps of a step: of an LSTM A_i, A_f, A_g, A_o, S and F, see
#: `coefficients` in `cells.lstm_orbit`; of GRUs A_r, A_z, A_n, E and z after, R, Z, r, E and z
#: before the recurrent product, see `cells.gru_orbit`. E is what the candidate's argument gives the
#: next state. A vanilla network has the slopes of its units.
KEPT = 1, 6, 5, 5

#: What adds up in each step: gates, and a GRU's drive of the candidate by itself if r acts after.
SUMS = 1, 4, 4, 3


@jit_apart
def _new_cell(i: Any, f: Any, g: Any, c: Any, c_next: Any, t: Any) -> None:
    for j in range(len(c)):
        new = f[j] * c[j] + i[j] * g[j]
        c_next[j] = new
        t[j] = new


@jit_apart
def _lstm_kept(
    i: Any, f: Any, g: Any, o: Any, not_i: Any, not_f: Any, g_slope: Any, not_o: Any, c: Any,
    t: Any, h_next: Any, A_i: Any, A_f: Any, A_g: Any, A_o: Any, S: Any, F: Any,
) -> None:  # fmt: skip
    for j in range(len(c)):
        h_next[j] = o[j] * t[j]
        A_i[j] = i[j] * not_i[j] * g[j]
        A_f[j] = f[j] * not_f[j] * c[j]
        A_g[j] = i[j] * g_slope[j]
        A_o[j] = o[j] * not_o[j] * t[j]
        S[j] *= o[j]
        F[j] = f[j]


@jit
def lstm_step(c: Any, c_next: Any, h_next: Any, a: Any, kept: Any, rest: Any) -> None:
    """Do a step, given the gates' arguments ``a (4, m)``, which become the gates."""
    i, f, g, o, t, scratch = a[0], a[1], a[2], a[3], rest[4], rest[5]
    for j in range(2):
        sigmoid_and_rest(a[j], rest[j], scratch)
    tanh_and_slope(g, rest[2], scratch)
    sigmoid_and_rest(o, rest[3], scratch)
    _new_cell(i, f, g, c, c_next, t)
    tanh_and_slope(t, kept[4], scratch)
    _lstm_kept(
        i, f, g, o, rest[0], rest[1], rest[2], rest[3], c, t, h_next,
        kept[0], kept[1], kept[2], kept[3], kept[4], kept[5],
    )  # fmt: skip


@jit_apart
def _gru_kept(
    after: bool, r: Any, z: Any, new: Any, not_r: Any, not_z: Any, h: Any, m: Any, h_next: Any,
    first: Any, Z: Any, third: Any, E: Any, kept: Any,
) -> None:  # fmt: skip
    for j in range(len(h)):
        change = z[j] * (h[j] - new[j])
        h_next[j] = new[j] + change
        Z[j] = not_z[j] * change
        e = not_z[j] * E[j]
        E[j] = e
        scaled = e if after else 1.0
        first[j] = r[j] * not_r[j] * m[j] * scaled
        third[j] = r[j] * scaled
        kept[j] = z[j]


@jit_apart
def _lstm_back(
    h: Any, more: Any, A_i: Any, A_f: Any, A_g: Any, A_o: Any, S: Any, F: Any, c: Any, i: Any,
    f: Any, g: Any, o: Any,
) -> None:  # fmt: skip
    """Write what the gates' arguments receive, and carry c back."""
    for j in range(len(h)):
        whole = c[j] + h[j] * S[j]
        i[j] = whole * A_i[j]
        f[j] = whole * A_f[j]
        g[j] = whole * A_g[j]
        o[j] = h[j] * A_o[j]
        c[j] = whole * F[j] + more[j]


@jit_apart
def _after_back(
    h: Any, A_r: Any, Z: Any, A_n: Any, E: Any, z: Any, now: Any, r: Any, update: Any, inner: Any,
    new: Any,
) -> None:  # fmt: skip
    """Write what each sum receives, and add what h gives the state before directly."""
    for j in range(len(h)):
        bar = h[j]
        r[j] = bar * A_r[j]
        update[j] = bar * Z[j]
        inner[j] = bar * A_n[j]
        new[j] = bar * E[j]
        now[j] += bar * z[j]


@jit
def gru_step(after: bool, h: Any, h_next: Any, a: Any, m: Any, kept: Any, rest: Any) -> None:
    """Do the rest of a step, given r, z and the candidate's argument in ``a (3, m)``."""
    tanh_and_slope(a[2], kept[3], rest[2])
    _gru_kept(
        after, a[0], a[1], a[2], rest[0], rest[1], h, m, h_next,
        kept[0], kept[1], kept[2], kept[3], kept[4],
    )  # fmt: skip


@loop
def run(
    blas: Any, kind: int, weights: Any, states: Any, beside: Any, values: Any, reset: Any,
    kept: Any, scratch: Any,
) -> None:  # fmt: skip
    r"""Run a network or a batch.

    Parameters
    ----------
    blas : array
        See `blas.addresses`.
    kind : int
    weights : array (n + inputs + 1, SUMS n)
        What multiplies h, u and 1.
    states : array (T + 1, members, dim)
        The first is given.
    beside : array (T, members, n + inputs + 1 or more)
        Inputs and ones are given, beside them h is written.
    values : array (T or 1, gates, members n)
        The gates are written, those of the last step if there is room for one.
    reset : array (T or 1, members n)
        Likewise what r multiplies, of a GRU.
    kept : array (T, KEPT, members n)
        The coefficients are written.
    scratch : array (11, members n)
    """
    n_steps, members, _ = beside.shape
    sums, n = len(weights), weights.shape[1] // (3 if kind == BEFORE else 4)
    h, h_next, c, c_next, inner = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4]
    rest = scratch[5:]
    gather(states[0], n, h, c)
    for s in range(n_steps):
        a, what = values[s % len(values)], reset[s % len(reset)]
        if kind != LSTM:  # whose states are written where they stay
            h, h_next = states[s].reshape(members * n), states[s + 1].reshape(members * n)
        for m in range(members):
            for i in range(n):
                beside[s, m, i] = h[m * n + i]
        for j in range(4 if kind == LSTM else 2):
            part = weights[:, j * n : (j + 1) * n]
            product(blas, beside[s][:, :sums], part, a[j].reshape(members, n), False)
        if kind == LSTM:
            lstm_step(c, c_next, h_next, a, kept[s], rest)
            scatter(h_next, c_next, n, states[s + 1])
            h, h_next, c, c_next = h_next, h, c_next, c
        else:
            for j in range(2):
                sigmoid_and_rest(a[j], rest[j], rest[2])
            new = a[2].reshape(members, n)
            product(blas, beside[s][:, n:sums], weights[n:, weights.shape[1] - n :], new, False)
            if kind == AFTER:
                recurrent = what.reshape(members, n)
                product(blas, beside[s][:, :sums], weights[:, 2 * n : 3 * n], recurrent, False)
                add_times(a[0], what, a[2])
            else:
                copy(h, what)
                times(a[0], h, inner)
                product(blas, inner.reshape(members, n), weights[:n, 2 * n :], new, True)
            gru_step(kind == AFTER, h, h_next, a, what, kept[s], rest)


@loop
def back_in_time(
    blas: Any, kind: int, weights: Any, beside: Any, kept: Any, bars: Any, outputs_bar: Any,
    readout: Any, inputs_bar: Any, weights_bar: Any, received: Any, scaled: Any, scratch: Any,
) -> None:  # fmt: skip
    """Carry cotangents of the states back to the first, in place.

    Parameters
    ----------
    blas, kind
    weights : array (SUMS, n, n + inputs)
        What multiplies h and u, the transpose of the run's for each sum.
    beside, kept
        As `run` leaves them.
    bars : array (T + 1 or 1, members, dim)
        Only the first is changed. If there is one, the states have cotangents of what is read out
        of them.
    outputs_bar : array (steps, members, outputs)
        These, of so many states at the end.
    readout : array (outputs, n)
    inputs_bar : array (T or 0, members, inputs)
        Cotangents of the inputs are written if there is room.
    weights_bar : array (SUMS, n, n + inputs + 1)
        Cotangents of the weights are added, but for those that are zero by construction.
    received : array (SUMS, steps at once, members n)
        Scratch, as are the others.
    scaled : array (steps at once, members, as many as beside)
    scratch : array (5, members n)
    """
    n_steps, members, _ = beside.shape
    sums, n = weights.shape[:2]
    length = received.shape[1]
    h, c, now, more, inner = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4]
    _given(blas, n_steps, bars, outputs_bar, readout, 0, h, c)
    for end in range(n_steps, 0, -length):
        start = max(0, end - length)
        for s in range(end - 1, start - 1, -1):
            A, at = kept[s], s - start
            _given(blas, s, bars, outputs_bar, readout, n_steps - s, now, more)
            if kind == LSTM:
                _lstm_back(
                    h, more, A[0], A[1], A[2], A[3], A[4], A[5],
                    c, received[0, at], received[1, at], received[2, at], received[3, at],
                )  # fmt: skip
            elif kind == AFTER:
                _after_back(
                    h, A[0], A[1], A[2], A[3], A[4],
                    now, received[0, at], received[1, at], received[2, at], received[3, at],
                )  # fmt: skip
            else:
                times(h, A[3], received[2, at])
                got = received[2, at].reshape(members, n)
                product(blas, got, weights[2, :, :n], inner.reshape(members, n), False)
                times(inner, A[0], received[0, at])
                times(h, A[1], received[1, at])
                add_times(h, A[4], now)
                add_times(inner, A[2], now)
            for j in range(2 if kind == BEFORE else sums):
                if kind != AFTER or j < 3:
                    got = received[j, at].reshape(members, n)
                    product(blas, got, weights[j, :, :n], now.reshape(members, n), True)
            h, now = now, h
            if len(inputs_bar):
                inputs_bar[s] = 0.0
                for j in range(sums):
                    got = received[j, at].reshape(members, n)
                    product(blas, got, weights[j, :, n:], inputs_bar[s], True)
        rows = (end - start) * members
        right = beside[start:end].reshape(rows, beside.shape[2])
        for j in range(sums):
            left = received[j, : end - start].reshape(rows, n)
            if kind == BEFORE and j == 2:
                for s in range(start, end):
                    r = kept[s, 2].reshape(members, n)
                    for m in range(members):
                        copy(beside[s, m], scaled[s - start, m])
                        scale(r[m], scaled[s - start, m, :n])
                r_h = scaled[: end - start].reshape(rows, beside.shape[2])
                outer(blas, left, r_h, weights_bar[j], True)
            else:
                first = n if kind == AFTER and j == 3 else 0  # of the drive alone
                outer(blas, left, right[:, first:], weights_bar[j, :, first:], True)
    scatter(h, c, n, bars[0])


@jit
def _given(
    blas: Any, s: int, bars: Any, outputs_bar: Any, readout: Any, left: int, h: Any, c: Any
) -> None:
    """Collect the cotangents that state s is given; so many are `left` behind it."""
    members, n, at = bars.shape[1], len(h) // bars.shape[1], len(outputs_bar) - 1 - left
    if len(bars) > 1:
        gather(bars[s], n, h, c)
    elif at >= 0:
        product(blas, outputs_bar[at], readout, h.reshape(members, n), False)
        c[:] = 0.0
    else:
        h[:] = 0.0
        c[:] = 0.0


@jit
def gather(x: Any, n: int, h: Any, c: Any) -> None:
    """Copy h of all members and, if there is one, the cell state, each into one piece."""
    for m in range(len(x)):
        for i in range(n):
            h[m * n + i] = x[m, i]
        for i in range(x.shape[1] - n):
            c[m * n + i] = x[m, n + i]


@jit
def scatter(h: Any, c: Any, n: int, x: Any) -> None:
    """Copy them back."""
    for m in range(len(x)):
        for i in range(n):
            x[m, i] = h[m * n + i]
        for i in range(x.shape[1] - n):
            x[m, n + i] = c[m * n + i]
