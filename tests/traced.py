"""A second opinion on gradients: the loss written plainly, and traced step by step by autograd."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np


def traced_exponents(
    system, x0, basis, *, inputs=None, n_steps=None, transient=0, basis_transient=0, qr_interval=1
):
    """Return finite-time exponents by modified Gram-Schmidt, each operation on autograd's tape."""
    total = transient + basis_transient + n_steps if inputs is None else len(inputs)
    n_steps = total - transient - basis_transient
    x, Q = x0, _gram_schmidt(basis)[0]
    growth = 0.0
    for phase, steps in (("x", transient), ("Q", basis_transient), ("sum", n_steps)):
        done = {"x": 0, "Q": transient, "sum": transient + basis_transient}[phase]
        for s in range(steps):
            u = None if inputs is None else inputs[done + s]
            if phase != "x":
                Q = system.pushforward(x, Q, u)
            x = system.step(x, u)
            if phase != "x" and ((s + 1) % qr_interval == 0 or s + 1 == steps):
                Q, log_r = _gram_schmidt(Q)
                growth = growth + log_r if phase == "sum" else growth
    return growth / (n_steps * system.dt)


def _gram_schmidt(A):
    columns, logs = [], []
    for j in range(np.shape(A)[-1]):
        v = A[..., j]
        for _ in range(2):
            for q in columns:
                v = v - anp.sum(q * v, axis=-1, keepdims=True) * q
        norm = anp.sqrt(anp.sum(v * v, axis=-1))
        columns.append(v / norm[..., None])
        logs.append(anp.log(norm))
    return anp.stack(columns, axis=-1), anp.stack(logs, axis=-1)


def central_difference(function, point, rng, size=2e-5):
    """Return a random direction, and the derivative along it by Richardson's extrapolation."""
    direction = _map(lambda x: rng.standard_normal(np.shape(x)), point)

    def slope(h):
        forth = function(_map(lambda x, d: x + h * d, point, direction))
        back = function(_map(lambda x, d: x - h * d, point, direction))
        return (forth - back) / (2 * h)

    return direction, (4 * slope(size) - slope(2 * size)) / 3


def inner(a, b):
    """Return the inner product of two trees of arrays."""
    if isinstance(a, dict):
        return sum(inner(a[k], b[k]) for k in a)
    return np.sum(a * b)


def _map(function, tree, *others):
    if isinstance(tree, dict):
        return {k: _map(function, tree[k], *(o[k] for o in others)) for k in tree}
    return function(tree, *others)
