"""Orbits that stay where components are equal, though every other orbit leaves from there.

Units that are alike and start alike stay so: rounding treats them alike, too. A lattice that starts
from one number runs as a single unit for ever, and the exponents along it are those of an orbit
that no other comes near to, as soon as one across the subspace of equal components is positive.
"""

from __future__ import annotations

import itertools

import numpy as np

from ..numerics.arrays import Array, unit_of
from ..systems import System
from .digits import state_of

#: States that must have the symmetry, besides the first one, and steps in which vectors grow.
_STATES, _STEPS = 32, 5000

#: Members of an ensemble that are looked at, and numbers in the Jacobians of their steps, of which
#: there are some at least but in the largest systems.
_MEMBERS, _NUMBERS, _LEAST, _LARGEST = 8, 2**22, 20, 1000

#: Growth across the subspace, in nats, over the run: of 10, a start that is off by a ten-thousandth
#: has left. It must be seen in parts of the steps, beyond the scatter between them.
_LEAVES, _PARTS, _SURE = 10.0, 10, 4.0

#: Relative difference of derivatives that are the same.
_ALIKE = 1e-9


def symmetric_start(
    system: System, x0: Array, state: Array, inputs: Array | None, n_steps: int
) -> str:
    """Say that a run stays in a subspace by the symmetry of its start, if others would leave it.

    Parameters
    ----------
    system : System
    x0, state : array (..., n)
        At the start, and late in the run.
    inputs : array (T, ..., m) or None
        From there on.
    n_steps : int
        Of the run.
    """
    lead, n = x0.shape[:-1], x0.shape[-1]
    if system.tangent_apart or not 1 < n <= _LARGEST or not (_repeats(x0) and _repeats(state)):
        return ""
    steps = max(_LEAST, min(_STEPS, _NUMBERS // n**2))
    steps = min(steps, n_steps if inputs is None else len(inputs))
    for at in itertools.islice(np.ndindex(*lead), _MEMBERS):
        if not (_repeats(x0[at]) and _repeats(state[at])) or steps < _PARTS:
            continue
        one, rows = system.alone(x0, at), inputs
        if one is None:
            return ""
        if inputs is not None:
            each = np.broadcast_to(inputs, (len(inputs), *lead, inputs.shape[-1]))
            rows = each[(slice(steps), *at)]
        try:
            rate = _rate_across(
                one.prepared(x0[at], rows, 1, steps), x0[at], state[at], rows, steps
            )
        except Exception:  # of the user's function, which may take all members together only
            continue
        if rate * n_steps > _LEAVES:
            return (
                f"{state_of(at)} keeps components equal, opposite or 0 that were so at the start, "
                f"though perturbations out of there grow at {rate / system.dt:.2g}: no orbit "
                "beside it stays, and exponents are those of this symmetric one. Start without the "
                "symmetry, from random numbers"
            )
    return ""


def _repeats(x: Array) -> bool:
    """Say whether components of a state are equal or opposite, or vanish."""
    size = np.sort(np.abs(x), axis=-1)
    return bool((size[..., 1:] == size[..., :-1]).any() or (size[..., :1] == 0).any())


def _rate_across(
    system: System, x0: Array, state: Array, inputs: Array | None, steps: int
) -> float:
    """Return the growth per step across the subspace of a state, 0 if there is none for sure."""
    first = system.orbit(state, None if inputs is None else inputs[:_STATES], min(_STATES, steps))
    seen = np.concatenate([x0[None], first.states])
    if not np.isfinite(seen).all():
        return 0.0
    along = _directions(seen)
    if along.shape[0] == along.shape[1] or _alike_beside(system, seen[1:3], inputs, along):
        return 0.0
    orbit = system.orbit(state, inputs, steps)
    q = np.random.default_rng(0).standard_normal(len(x0))
    growth, moved = np.zeros(steps), np.empty((1, len(x0)))
    for s in range(steps):
        q = q - along.T @ (along @ q)
        length = np.linalg.norm(q)
        if not 0 < length < np.inf:
            return 0.0
        growth[s] = np.log(length)
        orbit.push(s, (q / length)[None], moved)
        q = moved[0]
    parts = np.array([part.mean() for part in np.array_split(growth[1:], _PARTS)])
    error = parts.std(ddof=1) / np.sqrt(_PARTS)
    return float(parts.mean()) if parts.mean() > _SURE * error else 0.0


def _alike_beside(system: System, states: Array, inputs: Array | None, along: Array) -> bool:
    """Say whether growth along and across the subspace is the same beside it, by derivatives.

    It is where these are triangular in blocks, and have the same blocks on the diagonal: as of
    components that are linear, driven by the others, or where derivatives are constant.
    """
    rng = np.random.default_rng(0)
    across = rng.standard_normal(along.shape[1:])
    across = across - along.T @ (along @ across)
    inside = along.T @ rng.standard_normal(along.shape[:1])
    for i, x in enumerate(states):
        rows = None if inputs is None else inputs[i : i + 1]
        size = np.abs(across).max() / (unit_of(states) + np.abs(x).max())
        here, there = (
            _in_blocks(system, y, rows, inside, across, along) for y in (x, x + 0.1 * across / size)
        )
        with np.errstate(invalid="ignore"):
            scale = _ALIKE * max(np.abs(block).max() for block in there)
            same = [np.abs(a - b).max() <= scale for a, b in zip(here, there, strict=True)]
            into, out_of = (np.abs(there[j]).max() <= scale for j in (1, 2))
        if not (same[0] and same[3] and (into or out_of)):
            return False
    return True


def _in_blocks(
    system: System, x: Array, inputs: Array | None, inside: Array, across: Array, along: Array
) -> list[Array]:
    """Return what a step makes of a vector along a subspace and of one across, along and across.

    Two linear maps that do the same to a random vector are the same.
    """
    carried = np.empty((2, len(x)))
    system.orbit(x, inputs, 1).push(0, np.stack([inside, across]), carried)
    parts = (carried @ along.T) @ along
    return [parts[0], parts[1], carried[0] - parts[0], carried[1] - parts[1]]


def _directions(states: Array) -> Array:
    """Return an orthonormal basis ``(r, n)`` of the vectors with the symmetry of states (T, n)."""
    signs = np.sign(states[np.argmax(np.abs(states) > 0, axis=0), np.arange(states.shape[1])])
    alike, of = np.unique(states * signs, axis=1, return_inverse=True)
    basis = np.zeros((alike.shape[1], states.shape[1]))
    basis[of.ravel(), np.arange(states.shape[1])] = signs
    basis = basis[np.abs(basis).max(axis=1) > 0]
    directions: Array = basis / np.linalg.norm(basis, axis=1, keepdims=True)
    return directions
