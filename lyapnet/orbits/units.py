"""What is much of each component of a state, whatever the units it is given in.

Where states are metres and metres per second, or volts and amperes, lengths of vectors, angles
between them and sizes of states say nothing of some components; in parts of these they do.
"""

from __future__ import annotations

import numpy as np

from ..numerics.arrays import Array

#: A component that varies by less of its size does so by rounding.
_CONSTANT = 1e-9

#: Components whose sizes differ by less are in one unit.
_LIKE = 1e3

#: States at which it is looked what rounding does.
_LOOKS = 8


def extents(low: Array, high: Array) -> Array:
    """Return how far each component goes, ``(..., n)``: the size of one that is constant, if any.

    Parameters
    ----------
    low, high : array (..., n)
        The least and the most of it.
    """
    size, way = np.maximum(np.abs(low), np.abs(high)), high - low
    units = np.where(way > _CONSTANT * size, way, size)
    largest = units.max(axis=-1, keepdims=True)
    return np.where(units > 0, units, np.where(largest > 0, largest, 1.0))


def in_units(D: Array, units: Array) -> Array:
    """Return Jacobians ``(..., n, n)`` of what is counted in units ``(n,)``."""
    return D * (units / units[:, None])


def sizes(unit: float, states: Array, jacobians: Array, steps: int, tol: float) -> Array:
    """Return what is no small change of each component, ``(n,)``.

    It is a unit that all have, but where sizes differ much: then their own, if rounding within some
    steps, of the terms that are added up, is no matter beside `tol` of it.

    Parameters
    ----------
    unit : float
    states : array (m, n)
    jacobians : array (m, n, n)
        Of steps from these.
    steps : int
    tol : float
    """
    common = np.full(states.shape[-1], unit)
    size = np.abs(states).max(axis=0)
    if not size.max() > _LIKE * size[size > 0].min(initial=np.inf):
        return common
    some = slice(None, None, -(-len(states) // _LOOKS))
    with np.errstate(all="ignore"):
        terms = np.matmul(np.abs(jacobians[some]), np.abs(states[some])[..., None])
        own = np.maximum(size, np.finfo(float).eps * steps * terms[..., 0].max(axis=0) / tol)
    return np.where((own > 0) & np.isfinite(own), own, common)
