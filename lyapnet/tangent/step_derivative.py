"""Whether the derivative of a step is that of the step, and there is one: differences.

A trajectory meets kinks by chance only, and almost never. But one that decays to a fixed point on a
kink, as a network of rectified units without biases does to 0, ends there once its state is too
small for a number, and from then on growth is of what stands for a derivative.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..numerics.arrays import Array
from ..systems import System

#: Differences over these parts of the state's size: usual ones first, then for steps of low
#: precision, then for steps that stretch by many orders.
_PARTS = (1e-5, 1e-6, 1e-7, 1e-4, 1e-3, 1e-2, 1e-8, 1e-9, 1e-10, 1e-11)

#: Relative error by which they may differ from the derivative, and from each other; what of a
#: state, in a step that takes one to its like, is no slope at all.
_ALIKE, _NOTHING = 1e-3, 1e-6

#: A state as small as this may lie near zero by chance, in steps that add numbers of size 1 to it.
_NEAR_ZERO = 1e-8

#: States at which they must differ: one may lie on a kink.
_STATES = 2

#: Parts over which slopes of two sides are held against each other, and by how much they differ at
#: a kink, relative to the steeper.
_SIDES, _KINK = (1e-4, 1e-6, 1e-8), 1e-3

MISMATCH = (
    "the derivative is not that of the step: differences of the step along a random tangent "
    "vector do not tend to it. A Jacobian that was given may be transposed, or of another step; "
    ".detach(), torch.no_grad(), jax.lax.stop_gradient, autograd's getval and surrogate gradients "
    "cut what depends on the state"
)


def is_of_the_step(system: System, x: Array, inputs: Array | None) -> bool:
    """Say whether differences of a step tend to its derivative, as far as they tell.

    They do not where the step draws at random, or where no two of them agree.

    Parameters
    ----------
    system : System
    x : array (..., n)
        States of an ensemble on the way, of which one that is finite is looked at.
    inputs : array (T, ..., m) or None
        Of which the first are used.
    """
    rng = np.random.default_rng(0)
    system, x, rows = _one(system, x, None if inputs is None else inputs[:1])
    wrong = np.asarray(np.isfinite(x).all(axis=-1))
    x = np.where(wrong[..., None], x, 0.0)
    for _ in range(_STATES):
        with np.errstate(all="ignore"):  # states may be about to overflow
            wrong = wrong & _differ(system, x, rows, rng)
        if not wrong.any():
            return True
        x = x + _ALIKE * _size(x) * rng.standard_normal(x.shape)
    return False


def on_a_kink(system: System, x: Array, inputs: Array | None) -> NDArray[np.bool_]:
    """Return the states ``(..., n)`` at which slopes of a step differ between two sides.

    Parameters
    ----------
    system : System
    x : array (..., n)
    inputs : array (1, ..., m) or None
    """
    direction = np.random.default_rng(0).standard_normal(x.shape)
    bends, steeper = [], []
    with np.errstate(all="ignore"):  # states may be about to overflow
        here = stepped(system, x, inputs)
        for part in _SIDES:
            away = part * _size(x) * direction
            forth, back = (stepped(system, x + y, inputs) - here for y in (away, -away))
            bends.append(np.abs(forth + back).max(axis=-1) / part)
            steeper.append(np.maximum(np.abs(forth), np.abs(back)).max(axis=-1) / part)
        bent = np.array(bends) > _KINK * np.array(steeper)
        found: NDArray[np.bool_] = bent.all(axis=0) & (2 * bends[-1] > bends[0])  # and stays so
    return found


def _one(system: System, x: Array, inputs: Array | None) -> tuple[System, Array, Array | None]:
    """Return one member of an ensemble, the first whose state is finite; of networks, all."""
    lead = x.shape[:-1]
    first = int(np.argmax(np.isfinite(x).all(axis=-1)))
    at = tuple(int(i) for i in np.unravel_index(first, lead)) if lead else ()
    one = system.alone(x, at) if lead else None
    if one is None:
        return system, x, inputs
    if inputs is not None:
        inputs = np.broadcast_to(inputs[0], (*lead, inputs.shape[-1]))[at][None]
    return one, x[at], inputs


def _differ(
    system: System, x: Array, inputs: Array | None, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return the members where differences tend to something else than the derivative."""
    direction = rng.standard_normal(x.shape)
    pushed = np.empty_like(direction[..., None, :])
    right = np.zeros(x.shape[:-1], dtype=bool)
    try:
        orbit = system.orbit(x, inputs, 1)
        orbit.push(0, direction[..., None, :], pushed)
    except Exception:  # of the user's function, a step further than the run went
        return right
    exact = pushed[..., 0, :]
    sizes = [_size(x)]
    if (sizes[0] < _NEAR_ZERO).any():
        sizes.append(np.ones_like(sizes[0]))
    tend = np.zeros_like(right)
    for size in sizes:
        nothing = _NOTHING * _size(orbit.last) / size
        slopes: dict[float, Array] = {}
        for part in _PARTS:
            away = part * size * direction
            forth, back = (stepped(system, x + y, inputs) for y in (away, -away))
            slopes[part] = (forth - back) / (2 * part * size)
            right |= _alike(slopes[part], exact, nothing)
            if right.all():
                return ~right
        for part, other in pairwise(sorted(_PARTS)):
            tend |= _alike(slopes[part], slopes[other], nothing)
    return ~right & tend


def stepped(system: System, x: Array, inputs: Array | None) -> Array:
    """Return the states after a step, none that is finite where the step refuses these."""
    try:
        return system.orbit(x, inputs, 1).last
    except Exception:  # of the user's function, beyond its domain: it tells nothing
        return np.full_like(x, np.nan)


def _alike(slope: Array, other: Array, nothing: Array) -> NDArray[np.bool_]:
    """Return where two slopes ``(..., n)`` are the same; none is that is not finite."""
    apart = np.abs(slope - other).max(axis=-1, keepdims=True)
    largest = np.abs(np.stack([slope, other])).max(axis=(0, -1))[..., None]
    same: NDArray[np.bool_] = (apart <= _ALIKE * largest + nothing)[..., 0]
    return same


def _size(x: Array) -> Array:
    """Return the size of states, 1 where they are zero, with a last axis of one."""
    size: Array = np.abs(x).max(axis=-1, keepdims=True)
    return np.where(size > 0, size, 1.0)
