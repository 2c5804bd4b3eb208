"""Runs that stay in a symmetric set, because they began there, though perturbations off it grow.

Equal units with equal inputs that start from equal states remain equal, to the last bit: the orbit
lies in an invariant subspace. Exponents along it are right, but where the subspace is unstable no
other start, however close, has them: it leaves.
"""

from __future__ import annotations

import numpy as np

from ..numerics.arrays import Array
from ..systems import System
from .digits import TURNED_OVER, same_derivative

#: Parts of expanding unit vectors that are more than rounding.
_OFF = 1e-6

#: How far beside a state at rest, relative to its size, a derivative is looked at.
_BESIDE = 1e-2


def unstable_symmetry(
    system: System, x0: Array, state: Array, rows: Array, growth: Array, inputs: Array | None
) -> str:
    """Say which components have stayed equal, up to signs, or zero, though this is unstable.

    The span of the expanding backward vectors is covariant: where one of them has a part off the
    subspace, so has an unstable direction. Of linear systems all orbits have the same exponents.

    Parameters
    ----------
    system : System
    x0, state : array (..., n)
        At the start and at the end.
    rows : array (..., k, n)
        Orthonormal tangent vectors at the end.
    growth : array (..., k)
        Of each, in nats.
    inputs : array (T, ..., m) or None
        Of some steps.
    """
    x0 = np.broadcast_to(x0, state.shape)
    size = np.sort(np.abs(state), axis=-1)
    alike = (np.diff(size, axis=-1) == 0).any(axis=-1) | (size[..., 0] == 0)
    for at in np.argwhere(alike & (growth[..., 0] > TURNED_OVER)):
        i = tuple(at)
        expanding = np.logical_and.accumulate(growth[i] > TURNED_OVER)
        held = _held(x0[i], state[i], rows[i][expanding])
        if held and not _is_linear(system, x0, state, rows, inputs):
            member = f"of member {', '.join(map(str, i))}, " if i else ""
            return (
                f"{member}{held} throughout, as at the start, though perturbations that change "
                "this grow: exponents are those of states with this symmetry, which other starts, "
                "however close, leave. Start without it, unless it is meant"
            )
    return ""


def _is_linear(system: System, x0: Array, state: Array, rows: Array, inputs: Array | None) -> bool:
    """Return whether derivatives are the same at other states."""
    rests = (x0 == state).all(axis=-1, keepdims=True)
    size = np.abs(state).max(axis=-1, keepdims=True)
    step = np.random.default_rng(0).random(state.shape) * np.where(size > 0, size, 1.0)
    try:
        with np.errstate(all="ignore"):
            other = np.where(rests, x0 + _BESIDE * step, x0)
            u = None if inputs is None else inputs[:1]
            return bool(same_derivative(system, other, state, rows, u).all())
    except Exception:  # of the user's function, beyond its domain, which no linear one has
        return False


def _held(x0: Array, state: Array, vectors: Array) -> str:
    """Name the first components of states (n,) that stay alike where vectors (p, n) do not."""
    sign = np.where(state < 0, -1.0, 1.0)
    groups: dict[tuple[float, ...], list[int]] = {}
    for i, both in enumerate(np.stack([x0, state], axis=-1) * sign[:, None]):
        groups.setdefault(tuple(both.tolist()), []).append(i)
    for both, group in groups.items():
        part = (vectors * sign)[:, group]
        off = part if not any(both) else part - part.mean(axis=-1, keepdims=True)
        if (np.abs(off) > _OFF).any():
            return _named(group[:2], sign, zero=not any(both))
    return ""


def _named(group: list[int], sign: Array, *, zero: bool) -> str:
    if zero:
        return f"x[{group[0]}] is 0"
    i, j = group
    return f"x[{i}] and x[{j}] are {'equal' if sign[i] == sign[j] else 'opposite'}"
