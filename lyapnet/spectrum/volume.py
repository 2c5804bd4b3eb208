"""Whether a run conserves a volume, by determinants, where growth is of few directions only."""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np

from ..numerics.arrays import Array
from ..systems import DelayFlow, Flow, System
from ..systems.integrators import CONTROLLED
from ..systems.orbit import Orbit
from .uncertainty.conserved import seen_conserved

#: Dimension up to which determinants are cheap.
CHEAP = 8

#: Steps that are looked at: few tell of most systems, others return to a volume after a while.
_FEW, _MANY = 256, 8192


def conserves(
    system: System, orbit: Orbit, x: Array, inputs: Array | None, rate: Array
) -> bool | Array:
    """Return where volumes are conserved in the first steps of a stretch, ``(...)`` of bool.

    Parameters
    ----------
    system : System
    orbit : Orbit
        The stretch.
    x : array (..., n)
        The state at its beginning.
    inputs : array (T, ..., m) or None
    rate : array (...)
        Growth and decay of the directions that are known, added up, per unit time.
    """
    found: Any = False
    for steps in (_FEW, _MANY):
        steps = min(steps, orbit.n_steps)
        change = _log_volume(system, orbit, x, inputs, steps)
        found = seen_conserved(change, system.dt, rate)
        one_way = np.abs(change.sum(axis=0)) >= np.abs(change).sum(axis=0)  # contracting anywhere
        if steps == orbit.n_steps or (found | one_way).all():
            break
    return found if found.ndim else bool(found)


def _log_volume(system: System, orbit: Orbit, x: Array, inputs: Array | None, steps: int) -> Array:
    """Return by how much each step changes the logarithm of a volume, ``(steps, ...)``."""
    with np.errstate(all="ignore"):  # states may be about to overflow
        if orbit.n_steps != steps or not orbit.has_jacobians:
            orbit = system.orbit(x, None if inputs is None else inputs[:steps], steps)
        if orbit.log_volume is not None:
            return orbit.log_volume
        if has_divergence(system):
            return system.divergence(orbit) * system.dt
        found: Array = np.linalg.slogdet(orbit.jacobians)[1]
    return found


def has_divergence(system: System) -> TypeGuard[Flow]:
    """Say whether steps are short enough for the divergence at their ends to tell their mean."""
    return (
        isinstance(system, Flow)
        and not isinstance(system, DelayFlow)
        and system.method not in CONTROLLED
        and not system.seen.jumps  # which change volumes, too
    )
