r"""Finite-time exponents in JAX alone: for functions of JAX inside of a compiled program.

There a callback could not call JAX again: with few cores both would wait for each other. The
derivative of the factorisation is JAX's own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from ..tangent.plan import Plan

Step = Callable[[Any, Any, Any], Any]


def exponents(step: Step, params: Any, x: Any, rows: Any, u: Any, plan: Plan) -> Any:
    """Return the exponents ``(k,)`` per step of one run, in QR order.

    Parameters
    ----------
    step : callable
        ``step(params, x, u)``.
    params : tree
    x : array (n,)
    rows : array (k, n)
        First tangent vectors, as rows.
    u : array (T, m)
    plan : Plan
        An automatic interval is that of one step: nothing watches the basis here.
    """
    one = partial(step, params)
    warm, end = plan.transient, plan.transient + plan.basis_transient
    x = jax.lax.scan(lambda x, u: (one(x, u), None), x, u[:warm])[0]
    run = partial(_growth, one, 1 if plan.forgiving else plan.interval)
    state, _ = run((x, _orthonormal(rows)[0]), u[warm:end])
    return run(state, u[end : plan.total])[1] / plan.n_steps


def _growth(one: Any, interval: int, state: Any, u: Any) -> tuple[Any, Any]:
    """Carry state and basis along; return them and the summed logarithms of growth."""

    def advance(state: Any, u: Any) -> tuple[Any, None]:
        x, rows = state
        new, tangent = jax.linearize(lambda x: one(x, u), x)
        return (new, jax.vmap(tangent)(rows)), None

    def block(state: Any, u: Any) -> tuple[Any, Any]:
        (x, rows), _ = jax.lax.scan(advance, state, u)
        rows, grown = _orthonormal(rows)
        return (x, rows), grown

    whole = len(u) // interval * interval
    blocks = u[:whole].reshape(whole // interval, interval, u.shape[-1])
    state, grown = jax.lax.scan(block, state, blocks)
    total = grown.sum(axis=0)
    if whole < len(u):
        state, last = block(state, u[whole:])
        total = total + last
    return state, total


def _orthonormal(rows: Any) -> tuple[Any, Any]:
    """Factorise; return orthonormal rows and the logarithms of their growth."""
    Q, R = jnp.linalg.qr(rows.T)
    return Q.T, jnp.log(jnp.abs(jnp.diagonal(R)))
