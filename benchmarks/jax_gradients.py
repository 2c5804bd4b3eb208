r"""Flossing losses in JAX, as well as we can write them, to compare lyapnet with.

A scan carries state and tangent basis, and `jax.value_and_grad` of it is jitted. Four ways:

``"jax"``
    `jnp.linalg.qr` and the derivative that JAX has for it.
``"jax, own QR"``
    The derivative of the QR step written by hand (Walter and Lehmann, arXiv:1001.1654), with
    one triangular solution instead of two.
``"jax, own QR, dW once"``
    The same, and the gradient of the recurrent weights, which JAX would add up in each step,
    contracted over all steps at once.
``"jax, all by hand"``
    Vanilla network only: lyapnet's whole reverse sweep in JAX, with its knowledge that
    exponents depend on the flag and not on the basis.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax.lax.linalg import triangular_solve

WAYS = ("jax", "jax, own QR", "jax, own QR, dW once", "jax, all by hand")


def plain(A):
    """Return Q and log |diag R|."""
    Q, R = jnp.linalg.qr(A)
    return Q, jnp.log(jnp.abs(jnp.diagonal(R)))


def _factors(A):
    Q, R = jnp.linalg.qr(A)
    return (Q, jnp.log(jnp.abs(jnp.diagonal(R)))), (Q, R)


@jax.custom_vjp
def own(A):
    """Return Q and log |diag R|, with a derivative written by hand."""
    return plain(A)


def _pull_back(factors, bars):
    Q, R = factors
    Q_bar, bar = bars
    M = jnp.diag(bar) - jnp.tril(Q_bar.T @ Q)
    M = M + jnp.tril(M, -1).T
    return (triangular_solve(R, Q_bar + Q @ M, left_side=False, lower=False, transpose_a=True),)


own.defvjp(_factors, _pull_back)


def rnn(p, times, h, Q, u):
    """Return the next state and basis of a vanilla network; `times` multiplies by W."""
    r = jnp.tanh(h)
    Wr, WQ = times(r, (1 - r * r)[:, None] * Q)
    return Wr + p["V"] @ u + p["b"], WQ


def lstm(p, times, x, Q, u):
    """Return the next state and basis of an LSTM, gates i, f, g, o."""
    n = len(x) // 2
    h, c = x[:n], x[n:]
    Wh, WQ = times(h, Q[:n])
    i, f, g, o = jnp.split(Wh + p["V"] @ u + p["b"], 4)
    i, f, g, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)
    new = f * c + i * g
    t = jnp.tanh(new)
    d_i, d_f, d_g, d_o = jnp.split(WQ, 4)
    d_new = (
        (i * (1 - i) * g)[:, None] * d_i
        + (f * (1 - f) * c)[:, None] * d_f
        + (i * (1 - g * g))[:, None] * d_g
        + f[:, None] * Q[n:]
    )
    d_h = (o * (1 - o) * t)[:, None] * d_o + (o * (1 - t * t))[:, None] * d_new
    return jnp.concatenate([o * t, new]), jnp.concatenate([d_h, d_new])


def gru(p, times, h, Q, u):
    """Return the next state and basis of a GRU, gates r, z, n."""
    Wh, WQ = times(h, Q)
    a_r, a_z, m = jnp.split(Wh, 3)
    v_r, v_z, v_n = jnp.split(p["V"] @ u + p["b"], 3)
    r, z = jax.nn.sigmoid(a_r + v_r), jax.nn.sigmoid(a_z + v_z)
    m = m + p["c"]
    n = jnp.tanh(v_n + r * m)
    d_r, d_z, d_m = jnp.split(WQ, 3)
    e = (1 - z) * (1 - n * n)
    d = (
        (e * m * r * (1 - r))[:, None] * d_r
        + ((h - n) * z * (1 - z))[:, None] * d_z
        + (e * r)[:, None] * d_m
        + z[:, None] * Q
    )
    return (1 - z) * n + z * h, d


CELLS = {"VanillaRNN": rnn, "LSTM": lstm, "GRU": gru}


def value_and_grad(kind, way):
    """Return a jitted function of (params, x0, basis, inputs): the loss and its gradient."""
    if way == "jax, all by hand":
        return jax.jit(by_hand) if kind == "VanillaRNN" else None
    step = CELLS[kind]
    if way == "jax, own QR, dW once":
        return jax.jit(partial(_contracted, step))

    def run(params, x0, basis, inputs):
        def body(carry, u):
            times = partial(_times, params["W"])
            return _tangent_step(step, params, times, carry, u, plain if way == "jax" else own)

        growth = jax.lax.scan(body, (x0, basis), inputs)[1]
        return jnp.sum(growth.mean(axis=0) ** 2)

    return jax.jit(jax.value_and_grad(run))


def _times(W, x, Q):
    return W @ x, W @ Q


def _tangent_step(step, params, times, carry, u, factorise):
    x, A = step(params, times, *carry, u)
    Q, growth = factorise(A)
    return (x, Q), growth


def _contracted(step, params, x0, basis, inputs):
    """Hold W, differentiate in what it yields, and contract that over all steps at once."""
    W = params["W"]
    rest = {name: value for name, value in params.items() if name != "W"}

    def run(rest, shifts):
        def body(carry, at):
            u, shift = at
            factors = []

            def times(x, Q):
                factors.extend((x, Q))
                return W @ x + shift[0], W @ Q + shift[1]

            carry, growth = _tangent_step(step, rest, times, carry, u, own)
            return carry, (growth, *factors)

        growth, *factors = jax.lax.scan(body, (x0, basis), (inputs, shifts))[1]
        return jnp.sum(growth.mean(axis=0) ** 2), factors

    length, size = len(inputs), len(W)
    shifts = jnp.zeros((length, size)), jnp.zeros((length, size, basis.shape[1]))
    (value, (x, Q)), (grad, (x_bar, Q_bar)) = jax.value_and_grad(run, (0, 1), has_aux=True)(
        rest, shifts
    )
    return value, {**grad, "W": x_bar.T @ x + jnp.einsum("tik,tjk->ij", Q_bar, Q)}


#: Steps between which the reverse sweep by hand clears rounding above the diagonal.
_CLEAR = 4


def by_hand(params, x0, basis, inputs):
    """Return loss and gradient of a vanilla network by a reverse sweep written out."""
    W, V, b = params["W"], params["V"], params["b"]
    length = len(inputs)

    def forward(carry, u):
        h, Q = carry
        r = jnp.tanh(h)
        slope = 1 - r * r
        right = slope[:, None] * Q
        Q, R = jnp.linalg.qr(W @ right)
        return (W @ r + V @ u + b, Q), (r, slope, right, Q, R)

    _, (r, slope, right, Q, R) = jax.lax.scan(forward, (x0, basis), inputs)
    lam = jnp.log(jnp.abs(jnp.diagonal(R, axis1=1, axis2=2))).mean(axis=0)
    bar = 2 * lam / length

    def backward(carry, at):
        h_bar, Q_bar = carry
        s, r, slope, right, Q, R = at

        def clear(Q_bar):
            return Q_bar - Q @ (jnp.triu(Q.T @ Q_bar) - jnp.diag(bar))

        Q_bar = jax.lax.cond(s % _CLEAR == 0, clear, lambda x: x, Q_bar)
        A_bar = triangular_solve(R, Q_bar, left_side=False, lower=False, transpose_a=True)
        back = W.T @ A_bar
        # right = slope * Q of the step before, and the slope's derivative is -2 r slope.
        slope_bar = -2 * r * jnp.sum(back * right, axis=1)
        return (slope_bar + slope * (W.T @ h_bar), slope[:, None] * back), (h_bar, A_bar)

    last = jnp.zeros_like(x0), Q[-1] * bar
    at = jnp.arange(length), r, slope, right, Q, R
    _, (h_bar, A_bar) = jax.lax.scan(backward, last, at, reverse=True)
    # One product over all steps and vectors.
    dW = jnp.einsum("tik,tjk->ij", A_bar, right) + h_bar.T @ r
    return jnp.sum(lam**2), {"W": dW, "V": h_bar.T @ inputs, "b": h_bar.sum(axis=0)}
