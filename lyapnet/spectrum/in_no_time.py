"""What compiled loops can look at in no time, once a run is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..compiled.loop import least_for, written
from ..systems import DelayFlow, Map, NoisyFlow

if TYPE_CHECKING:
    from .step_defect import Sample

#: Operations on numbers that compiled loops do in no time.
_OPERATIONS = 2**28

#: Steps in which steep slopes are looked for where each state is asked.
_FEW = 2000


def in_no_time(system: Map, lead: tuple[int, ...], k: int) -> int:
    """Return how many steps of an ensemble, with k vectors, compiled loops do in no time."""
    members = int(np.prod(lead))
    count = written(system, lead, least_for(members, system.dim, k))[0].count
    return int(_OPERATIONS // (members * k * count))


def steep_later(system: Any, at: Sample | None, most: int, least: int) -> str:
    """Say what steps cannot see along an orbit, of `least` to `most` steps as loops are fast.

    Switches that are met once in many turns are seldom met in the steps that NumPy looks at.

    Parameters
    ----------
    system : Flow or NoisyFlow
    at : Sample or None
    most, least : int
    """
    if at is None or system.seen.without or system.tangent_apart:
        return ""
    most = most if at.inputs is None else min(most, len(at.inputs))
    if isinstance(system, DelayFlow | NoisyFlow):
        most = min(most, _FEW)
    engine = system.prepared(at.x, at.inputs, at.rows.shape[-2], most)
    if engine.engine_used != ("compiled", ""):
        return ""
    steps = min(most, max(least, in_no_time(system, at.x.shape[:-1], 1)))
    states = engine.orbit(at.x, at.inputs, steps).states
    return str(system.too_steep(states, at.inputs)) if np.isfinite(states).all() else ""
