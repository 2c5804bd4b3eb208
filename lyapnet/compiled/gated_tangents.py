"""The tangent steps of gated networks, forward and in reverse.

A step's matrix is made of the weights of all gates, and all tangent vectors are multiplied by that
one; where the reset gate acts before the recurrent product, two products follow each other.
"""

from __future__ import annotations

from typing import Any

from numba import carray

from .blas import COUNT
from .jit import jit_apart
from .products import outer, product


@jit_apart
def mix_lstm(
    W_i: Any, W_f: Any, W_g: Any, W_o: Any, i: Any, f: Any, g: Any, o: Any, S: Any,
    top: Any, bottom: Any,
) -> None:  # fmt: skip
    """Mix what one unit passes to all, (N,) each."""
    for j in range(len(S)):
        c = i[j] * W_i[j] + f[j] * W_f[j] + g[j] * W_g[j]
        bottom[j] = c
        top[j] = S[j] * c + o[j] * W_o[j]


@jit_apart
def mix_gru(W_r: Any, W_z: Any, W_n: Any, r: Any, z: Any, n: Any, out: Any) -> None:
    """Mix what one unit passes to all, (N,) each."""
    for j in range(len(out)):
        out[j] = r[j] * W_r[j] + z[j] * W_z[j] + n[j] * W_n[j]


@jit_apart
def mix_row(
    W_i: Any, W_f: Any, W_g: Any, W_o: Any, i: float, f: float, g: float, o: float, S: float,
    top: Any, bottom: Any,
) -> None:  # fmt: skip
    """Mix what one unit gets from all, (N,) each."""
    for j in range(len(top)):
        c = i * W_i[j] + f * W_f[j] + g * W_g[j]
        bottom[j] = c
        top[j] = S * c + o * W_o[j]


@jit_apart
def mix_gru_row(W_r: Any, W_z: Any, W_n: Any, r: float, z: float, n: float, out: Any) -> None:
    """Mix what one unit gets from all, (N,) each."""
    for j in range(len(out)):
        out[j] = r * W_r[j] + z * W_z[j] + n * W_n[j]


@jit_apart
def keep_part(rows: Any, a: Any, out: Any) -> None:
    """Add what is kept of one vector, (N,) each."""
    for j in range(len(a)):
        out[j] += a[j] * rows[j]


@jit_apart
def inner_row(rows: Any, gates: Any, r: Any, R: Any, out: Any) -> None:
    """Write the tangent vector of r h, (N,)."""
    for j in range(len(r)):
        out[j] = r[j] * rows[j] + R[j] * gates[j]


@jit_apart
def before_row(rows: Any, gates: Any, E: Any, Z: Any, z: Any, out: Any) -> None:
    """Finish a tangent vector that comes out of the second product, (N,)."""
    for j in range(len(z)):
        out[j] = E[j] * out[j] + Z[j] * gates[j] + z[j] * rows[j]


@jit_apart
def scaled(a: Any, rows: Any, out: Any) -> None:
    """Write a product, (N,) each."""
    for j in range(len(a)):
        out[j] = a[j] * rows[j]


def push_lstm(
    blas: Any, turned: Any, A: Any, leak: Any, rows: Any, out: Any, scratch: Any, k: int, n: int
) -> None:
    """See `steps.PUSH`."""
    blas, turned = carray(blas, COUNT), carray(turned, (n, 4 * n))
    A, rows, out = carray(A, (6, n)), carray(rows, (k, 2 * n)), carray(out, (k, 2 * n))
    room = carray(scratch, 2 * n * n + n)
    both, held = room[: 2 * n * n].reshape(n, 2 * n), room[2 * n * n :]
    for j in range(n):
        T = turned[j]
        mix_lstm(
            T[:n], T[n : 2 * n], T[2 * n : 3 * n], T[3 * n :], A[0], A[1], A[2], A[3], A[4],
            both[j, :n], both[j, n:],
        )  # fmt: skip
    product(blas, rows[:, :n], both, out, False)
    scaled(A[4], A[5], held)
    for i in range(k):
        keep_part(rows[i, n:], held, out[i, :n])
        keep_part(rows[i, n:], A[5], out[i, n:])


def push_after(
    blas: Any, turned: Any, A: Any, leak: Any, rows: Any, out: Any, scratch: Any, k: int, n: int
) -> None:
    """See `steps.PUSH`."""
    blas, turned = carray(blas, COUNT), carray(turned, (n, 3 * n))
    A, rows, out = carray(A, (5, n)), carray(rows, (k, n)), carray(out, (k, n))
    D = carray(scratch, (n, n))
    for j in range(n):
        T = turned[j]
        mix_gru(T[:n], T[n : 2 * n], T[2 * n :], A[0], A[1], A[2], D[j])
        D[j, j] += A[4, j]
    product(blas, rows, D, out, False)


def push_before(
    blas: Any, turned: Any, A: Any, leak: Any, rows: Any, out: Any, scratch: Any, k: int, n: int
) -> None:
    """See `steps.PUSH`."""
    blas, turned = carray(blas, COUNT), carray(turned, (n, 3 * n))
    A, rows, out = carray(A, (5, n)), carray(rows, (k, n)), carray(out, (k, n))
    room = carray(scratch, 3 * k * n)
    gates, inner = room[: 2 * k * n].reshape(k, 2 * n), room[2 * k * n :].reshape(k, n)
    product(blas, rows, turned[:, : 2 * n], gates, False)
    for i in range(k):
        inner_row(rows[i], gates[i, :n], A[2], A[0], inner[i])
    product(blas, inner, turned[:, 2 * n :], out, False)
    for i in range(k):
        before_row(rows[i], gates[i, n:], A[3], A[1], A[4], out[i])


@jit_apart
def lstm_row(
    W_i: Any, W_f: Any, W_g: Any, W_o: Any, i: float, f: float, g: float, o: float, S: float,
    top: Any, bottom: Any, bar_i: Any, bar_f: Any, bar_g: Any, bar_o: Any, found: Any,
) -> None:  # fmt: skip
    """Pull the cotangents of one unit's rows of both matrices back to A and S, and to weights."""
    of_i = of_f = of_g = of_o = of_S = 0.0
    for j in range(len(top)):
        t = top[j]
        both = bottom[j] + S * t
        of_i += both * W_i[j]
        of_f += both * W_f[j]
        of_g += both * W_g[j]
        of_o += t * W_o[j]
        of_S += t * (i * W_i[j] + f * W_f[j] + g * W_g[j])
        bar_i[j] += i * both
        bar_f[j] += f * both
        bar_g[j] += g * both
        bar_o[j] += o * t
    found[0], found[1], found[2], found[3], found[4] = of_i, of_f, of_g, of_o, of_S


def pull_lstm(
    blas: Any, W: Any, turned: Any, A: Any, leak: Any, rows: Any, bars: Any, out: Any, A_bar: Any,
    W_bar: Any, scratch: Any, k: int, n: int,
) -> None:  # fmt: skip
    """See `steps.PULL`."""
    blas, W, W_bar = carray(blas, COUNT), carray(W, (4 * n, n)), carray(W_bar, (4 * n, n))
    A, A_bar = carray(A, (6, n)), carray(A_bar, (6, n))
    rows, bars, out = carray(rows, (k, 2 * n)), carray(bars, (k, 2 * n)), carray(out, (k, 2 * n))
    half = 2 * n * n
    room = carray(scratch, 2 * half + 2 * n + 5)
    both, outers = room[:half].reshape(2 * n, n), room[half : 2 * half].reshape(2 * n, n)
    held, h_kept, found = room[2 * half :][:n], room[2 * half + n :][:n], room[2 * half + 2 * n :]
    scaled(A[4], A[5], held)
    outer(blas, bars, rows[:, :n], outers, False)
    for i in range(n):
        mix_row(
            W[i], W[n + i], W[2 * n + i], W[3 * n + i], A[0, i], A[1, i], A[2, i], A[3, i], A[4, i],
            both[i], both[n + i],
        )  # fmt: skip
        lstm_row(
            W[i], W[n + i], W[2 * n + i], W[3 * n + i], A[0, i], A[1, i], A[2, i], A[3, i], A[4, i],
            outers[i], outers[n + i], W_bar[i], W_bar[n + i], W_bar[2 * n + i], W_bar[3 * n + i],
            found,
        )  # fmt: skip
        for j in range(5):
            A_bar[j, i] = found[j]
    product(blas, bars, both, out[:, :n], False)
    A_bar[5, :] = 0.0
    h_kept[:] = 0.0
    for i in range(k):
        scaled(held, bars[i, :n], out[i, n:])
        keep_part(bars[i, n:], A[5], out[i, n:])
        keep_part(bars[i, :n], rows[i, n:], h_kept)
        keep_part(bars[i, n:], rows[i, n:], A_bar[5])
    keep_part(h_kept, A[5], A_bar[4])
    keep_part(h_kept, A[4], A_bar[5])


@jit_apart
def gru_row(W: Any, a: float, outers: Any, bar: Any) -> float:
    """Pull the cotangent of one unit's row of a W back to a, and to weights."""
    found = 0.0
    for j in range(len(W)):
        found += outers[j] * W[j]
        bar[j] += a * outers[j]
    return found


def pull_after(
    blas: Any, W: Any, turned: Any, A: Any, leak: Any, rows: Any, bars: Any, out: Any, A_bar: Any,
    W_bar: Any, scratch: Any, k: int, n: int,
) -> None:  # fmt: skip
    """See `steps.PULL`."""
    blas, W, W_bar = carray(blas, COUNT), carray(W, (3 * n, n)), carray(W_bar, (3 * n, n))
    A, A_bar = carray(A, (5, n)), carray(A_bar, (5, n))
    rows, bars, out = carray(rows, (k, n)), carray(bars, (k, n)), carray(out, (k, n))
    room = carray(scratch, 2 * n * n)
    D, outers = room[: n * n].reshape(n, n), room[n * n :].reshape(n, n)
    outer(blas, bars, rows, outers, False)
    for i in range(n):
        mix_gru_row(W[i], W[n + i], W[2 * n + i], A[0, i], A[1, i], A[2, i], D[i])
        D[i, i] += A[4, i]
        for j in range(3):
            A_bar[j, i] = gru_row(W[j * n + i], A[j, i], outers[i], W_bar[j * n + i])
        A_bar[3, i] = 0.0
        A_bar[4, i] = outers[i, i]
    product(blas, bars, D, out, False)


def pull_before(
    blas: Any, W: Any, turned: Any, A: Any, leak: Any, rows: Any, bars: Any, out: Any, A_bar: Any,
    W_bar: Any, scratch: Any, k: int, n: int,
) -> None:  # fmt: skip
    """See `steps.PULL`."""
    blas, W, W_bar = carray(blas, COUNT), carray(W, (3 * n, n)), carray(W_bar, (3 * n, n))
    A, A_bar = carray(A, (5, n)), carray(A_bar, (5, n))
    rows, bars, out = carray(rows, (k, n)), carray(bars, (k, n)), carray(out, (k, n))
    turned, scratch = carray(turned, (n, 3 * n)), carray(scratch, 6 * k * n + n * n)
    size = k * n
    gates = scratch[: 2 * size].reshape(k, 2 * n)
    inner = scratch[2 * size : 3 * size].reshape(k, n)
    inner_bar = scratch[3 * size : 4 * size].reshape(k, n)
    argument = scratch[4 * size : 5 * size].reshape(k, n)
    along = scratch[5 * size : 6 * size].reshape(k, n)
    outers = scratch[6 * size : 6 * size + n * n].reshape(n, n)
    product(blas, rows, turned[:, :n], along, False)
    A_bar[2:, :] = 0.0
    for i in range(k):
        inner_row(rows[i], along[i], A[2], A[0], inner[i])
        scaled(A[3], bars[i], argument[i])
    product(blas, argument, W[2 * n :], inner_bar, False)
    for i in range(k):
        scaled(A[0], inner_bar[i], gates[i, :n])
        scaled(A[1], bars[i], gates[i, n:])
        keep_part(inner_bar[i], rows[i], A_bar[2])
        keep_part(bars[i], rows[i], A_bar[4])
    product(blas, gates, W[: 2 * n], out, False)
    for i in range(k):
        keep_part(bars[i], A[4], out[i])
        keep_part(inner_bar[i], A[2], out[i])
    for j in range(3):
        at = 3 if j == 2 else j
        outer(blas, inner_bar if j == 0 else bars, inner if j == 2 else rows, outers, False)
        for i in range(n):
            A_bar[at, i] = gru_row(W[j * n + i], A[at, i], outers[i], W_bar[j * n + i])
