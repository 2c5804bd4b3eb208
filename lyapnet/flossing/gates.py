"""Whether flossing has brought a gated network to hold its state, instead of anything else."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..numerics.arrays import Array
from ..tangent.stretches import run_orbit

#: The gates that hold the state, and by how much one may open in the mean before it is said.
_HOLDING = ("forget", "update")
_MUCH = 0.2


def holding(system: Any, x: Array, inputs: Array | None) -> tuple[str, float] | None:
    """Return the name of the gate that holds the state, and how far it is open in the mean.

    None where there is no such gate.

    Parameters
    ----------
    system : System
    x : array (..., n)
        First state of a window.
    inputs : array (T, ..., m)
    """
    name = next((x for x in getattr(system, "gate_names", ()) if x in _HOLDING), None)
    if name is None or inputs is None:
        return None
    states = run_orbit(system, x, inputs, 0, len(inputs)).states[:-1]
    return name, float(np.mean(system.gate_values(states, inputs)[name]))


def warn_if_held(before: tuple[str, float] | None, after: tuple[str, float] | None) -> None:
    """Warn where the gate that holds the state has opened, and say what to do about it."""
    if before is None or after is None or after[1] - before[1] < _MUCH:
        return
    warnings.warn(
        f"flossing has opened the {before[0]} gate from {before[1]:.2f} to {after[1]:.2f} in the "
        "mean: the exponents are closer to zero because the network holds its state, which helps "
        'a task to hold something, and hinders most others; draw the network with bias="open", '
        "which has served both, and floss it adaptively",
        stacklevel=4,
    )
