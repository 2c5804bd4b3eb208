"""Decay that long parts of implicit steps cannot tell."""

from __future__ import annotations

import numpy as np

from ..numerics.arrays import Array
from .flow import Flow
from .orbit import Orbit
from .protocol import System
from .stroboscopic import Stroboscopic

#: Nats of decay within a part that Radau's method has to half a percent. Of more than 2.7 it makes
#: 2.6 or more, and hardly more than 4 of anything up to 160.
_TOLD = 2.0


def damped(system: System, orbit: Orbit, exponents: Array, *, by_volume: bool = False) -> str:
    """Say which exponents are rates of the implicit method rather than of the field, if any.

    Parameters
    ----------
    system : System
    orbit : Orbit
        Some of its steps.
    exponents : array (..., k)
    by_volume : bool, optional
        Whether, where all are known, the last one is what the others leave of the volume, which is
        told however fast it is.
    """
    flow = system.flow if isinstance(system, Stroboscopic) else system
    if not isinstance(flow, Flow) or flow.method != "implicit":
        return ""
    length = system.dt * orbit.n_steps / max(1, orbit.finest.n_steps)
    ordered = -np.sort(-exponents, axis=-1)
    left = by_volume and exponents.shape[-1] == system.dim and orbit.log_volume is not None
    told = ordered[..., :-1] if left else ordered
    with np.errstate(invalid="ignore"):
        off = (-told * length > _TOLD).any(axis=tuple(range(told.ndim - 1)))
    if not off.any():
        return ""
    names = ", ".join(str(i + 1) for i in np.flatnonzero(off))
    return (
        f"exponents {names} decay within a part of a step, {length:.2g} long on average, which the "
        f"implicit method damps at a rate of its own{', and the last one makes up for it' * left}: "
        'take a smaller dt, or method="adaptive"'
    )
