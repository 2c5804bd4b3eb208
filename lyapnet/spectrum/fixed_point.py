"""What is known of a run that has come to rest on a fixed point: its exponents, by eigenvalues."""

from __future__ import annotations

import numpy as np

from ..numerics.arrays import Array
from ..systems import System
from ..systems.orbit import Orbit

#: Dimension up to which eigenvalues are computed.
_MOST = 500

#: A state that moves by less, relative to its size or that of its start, rests.
RESTS = 1e-12

#: Eigenvalues of a matrix and of its transpose agree so far, unless it is far from normal.
_ALIKE = 1e-9

#: Rounding of exponents, relative to one over dt and to themselves.
AS_GOOD = 1e-12


def exponents_at_rest(
    system: System, orbit: Orbit, x0: Array, inputs: Array | None, k: int
) -> Array | None:
    r"""Return :math:`\log|\mu_i| / dt` of the Jacobian where a step leaves a state as it is.

    Parameters
    ----------
    system : System
    orbit : Orbit
        The last stretch of the run.
    x0 : array (..., n)
        The state at its start: a fixed point may be 0.
    inputs : array (T, ..., m) or None
        Of the whole run.
    k : int
        How many, the largest first.

    Returns
    -------
    array (..., k) or None
        NaN for members that do not rest, and where rounding decides; None where none does, inputs
        change, or the state is too large.
    """
    x, u = orbit.last, None if inputs is None else inputs[-1:]
    varied = inputs is not None and np.any(inputs[1:] != inputs[-1])
    if x.shape[-1] > _MOST or varied or system.tangent_apart:
        return None
    with np.errstate(over="ignore", invalid="ignore"):  # states may be about to overflow
        # Compiled loops keep states apart, and are quick.
        beside = system.orbit(x, u, 1).last if orbit.runs_along else orbit.states[-2]
        moved, size, before = (np.abs(y).max(axis=-1) for y in (beside - x, x, x0))
        rests = moved <= RESTS * np.maximum(size, before)
        if not np.any(rests):
            return None
        if not orbit.has_jacobians:
            orbit = system.orbit(x, u, 1)
    D = np.where(rests[..., None, None], orbit.jacobians[-1], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates, others = (
            -np.sort(-np.log(np.abs(np.linalg.eigvals(A))), axis=-1)[..., :k] / system.dt
            for A in (D, D.swapaxes(-1, -2))
        )
        known = np.abs(rates - others) <= _ALIKE * np.abs(rates)  # the same but for rounding
    known |= np.isneginf(rates) & np.isneginf(others)
    found: Array = np.where(rests[..., None] & known, rates, np.nan)
    return found
