"""Steps of a flow that are divided into parts, each of which is a step of the method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from ..numerics.arrays import Array
from ..numerics.autodiff import Function, Tree, leaves, rebuild, value
from .composed import ComposedOrbit
from .integrators import divided
from .jacobian_orbit import JacobianOrbit
from .orbit import Orbit


def _bound(flow: Any, mode: str, lead: tuple[int, ...]) -> Callable[[Any, Any], Any]:
    """Return a function of rows (c_0, ..., t, begin, h) and parameters: field, its Jacobian, h."""
    field, derivative = flow._over_states(mode, lead)
    drive, dt = flow.drive, flow.dt

    def bound(rows: Any, p: Tree) -> tuple[Any, Any, Any]:
        begin, h = rows[..., -2:-1], rows[..., -1:]
        u = rows[..., :-2] if rows.shape[-1] > 2 else None

        def now(c: float) -> Any:
            return drive.now(u, ((begin + c * h) / dt)[..., 0])

        return lambda y, c: field(y, now(c), p), lambda y, c: derivative(y, now(c), p), h

    return bound


def _field(flow: Any, mode: str, lead: tuple[int, ...]) -> Function:
    """Return the field at the beginning of a step, a function of states, rows and parameters."""
    field = flow._over_states(mode, lead)[0]
    return lambda x, u, p: field(x, flow.drive.now(u, 0.0), p)


def _parts(flow: Any, mode: str, lead: tuple[int, ...]) -> tuple[Function, Function]:
    """Return step and Jacobian of the parts of steps."""
    bound, method = _bound(flow, mode, lead), flow._method

    def step(x: Any, rows: Any, p: Tree) -> Any:
        f, j, h = bound(rows, p)
        return method.step(f, j, x, h)

    def jacobian(x: Any, rows: Any, p: Tree) -> Any:
        f, j, h = bound(rows, p)
        return flow.masked(method.jacobian(f, j, x, h))

    return step, jacobian


def _attempt(
    flow: Any, bound: Callable[[Any, Any], Any], u: Array | None, p: Tree
) -> Callable[[Array, Array, Array], tuple[Array, Array]]:
    """Return what tries a part of a step; see `divided`."""

    def attempt(x: Array, begin: Array, h: Array) -> tuple[Array, Array]:
        f, j, h = bound(_with_parts(u, np.concatenate([begin, h], axis=-1)), p)
        return flow._method.attempt(f, j, x, h, flow.rtol, flow.atol)

    return attempt


def error_undivided(flow: Any, x: Array, u: Array | None, p: Tree) -> float:
    """Return the error of a step of one state as a whole, in units of the tolerance."""
    attempt = _attempt(flow, _bound(flow, flow._mode, ()), u, p)
    with np.errstate(all="ignore"):
        return float(attempt(x, np.zeros(1), np.full(1, flow.dt))[1])


def _divide(
    flow: Any, bound: Callable[[Any, Any], Any], x: Array, u: Array | None, p: Tree
) -> tuple[list[Array], list[Array]]:
    """Return the states after the parts of a step, and the rows of the parts."""
    attempt = _attempt(flow, bound, u, p)
    states, parts = divided(attempt, x, flow.dt, flow._method.error_order)
    return states, [_with_parts(u, part) for part in parts]


def _with_parts(u: Any, parts: Any) -> Any:
    """Put begin and length of parts behind the rows of their steps."""
    if u is None:
        return parts
    u = anp.broadcast_to(u, (*parts.shape[:-1], u.shape[-1]))
    return anp.concatenate([u, parts], axis=-1)


def divided_orbit(flow: Any, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
    """Run `n_steps` steps of a flow; see `System.orbit`."""
    lead = x.shape[:-1]
    loops = flow._parts
    if loops is not None and loops.lead == lead:
        every, parts, edges = loops.through(x, inputs, n_steps)
        each = parts
        if inputs is not None:
            each = _with_parts(np.repeat(inputs[:n_steps], np.diff(edges), axis=0), parts)
    else:
        every, each, edges = _divided_by_numpy(flow, x, inputs, n_steps)
    mode = flow.tangent_mode(every, each, lambda mode, lead: _parts(flow, mode, lead)[0])
    inner = JacobianOrbit(every, each, flow.params, *_parts(flow, mode, lead))
    volume = _volume(flow, mode, lead) if hasattr(flow._method, "volume") else None
    return ComposedOrbit(inner, edges, inputs, volume)


def _divided_by_numpy(
    flow: Any, x: Array, inputs: Array | None, n_steps: int
) -> tuple[Array, Array, Array]:
    """Return the states after all parts, the first one in front, their rows, and the edges."""
    lead = x.shape[:-1]
    bound = _bound(flow, flow.forward_mode(x, inputs, lambda *at: _field(flow, *at)), lead)
    states, rows, edges = [x], [], [0]
    with np.errstate(all="ignore"):
        for s in range(n_steps):
            now = None if inputs is None else inputs[s]
            after, given = _divide(flow, bound, states[-1], now, flow.params)
            states += after
            rows += given
            edges.append(len(rows))
    width = 0 if inputs is None else inputs.shape[-1]
    each = np.stack(rows) if rows else np.zeros((0, *lead, width + 2))
    return np.stack(states), each, np.array(edges)


def _volume(flow: Any, mode: str, lead: tuple[int, ...]) -> Function:
    """Return what the parts of steps do to the logarithm of a volume."""
    bound = _bound(flow, mode, lead)
    return lambda x, rows, p: flow._method.volume(*bound(rows, p)[:2], x, rows[..., -1:])


def undivided(flow: Any, mode: str, lead: tuple[int, ...]) -> tuple[Function, Function]:
    """Return step and Jacobian of whole steps."""
    bound = _bound(flow, mode, lead)
    part, derivative = _parts(flow, mode, lead)

    def parts(x: Any, u: Any, p: Tree) -> list[Any]:
        at, p = value(x), rebuild(p, [value(leaf) for leaf in leaves(p)])
        with np.errstate(all="ignore"):
            _, rows = _divide(flow, bound, at, None if u is None else value(u), p)
        if u is None:
            return rows
        return [_with_parts(u, row[..., -2:]) for row in rows]

    def step(x: Any, u: Any, p: Tree) -> Any:
        for row in parts(x, u, p):
            x = part(x, row, p)
        return x

    def jacobian(x: Any, u: Any, p: Tree) -> Any:
        found = np.eye(flow.dim)
        for row in parts(x, u, p):
            found = anp.matmul(derivative(x, row, p), found)
            x = part(x, row, p)
        return found

    return step, jacobian
