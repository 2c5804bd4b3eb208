r"""What rounding of the products in single steps does to growth.

A component of :math:`D q` is a sum whose terms are rounded to their own size, :math:`|D|\,|q|`.
Where a step shrinks one vector by many orders more than another, what is left of it is a small
difference of large terms, unless zeros keep these apart: its growth has the error of the terms, in
each step anew. A shorter interval than a step there is none.
"""

from __future__ import annotations

import numpy as np

from ..numerics.arrays import Array
from ..systems.orbit import Orbit

#: Nats between the largest and the least growth in a step from which on that is looked at. Below,
#: it is within what errors of growth hold of rounding anyway.
APART = 16.0

#: Relative error of a step's growth from which on this is not known.
UNKNOWN = 0.3

#: Steps that are looked at, of so many numbers in all.
_STEPS, _NUMBERS = 32, 2**22

#: A term is rounded by half of it at most.
_UNIT = float(np.finfo(float).eps) / 2


def sample_length(orbit: Orbit, rows: Array) -> int:
    """Return how many steps of an orbit are looked at."""
    size = rows.size // rows.shape[-2] * rows.shape[-1]
    return min(_STEPS, orbit.n_steps, max(1, _NUMBERS // size))


def rounded_in_products(orbit: Orbit, rows: Array) -> Array:
    """Return relative errors of the growth in single steps, root mean squares ``(..., k)``.

    Those of steps in which a vector vanishes are left out; 0 if there are no others.

    Parameters
    ----------
    orbit : Orbit
        Of a few steps.
    rows : array (..., k, n)
        The basis at its beginning, orthonormal.
    """
    squares, count = np.zeros(rows.shape[:-1]), np.zeros(rows.shape[:-1])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for D in orbit.jacobians:
            T = D.swapaxes(-1, -2)
            size = _UNIT * np.linalg.norm(np.abs(rows) @ np.abs(T), axis=-1)
            Q, R = np.linalg.qr((rows @ T).swapaxes(-1, -2))
            left = np.abs(np.diagonal(R, axis1=-2, axis2=-1))
            # A vector has its own errors, and of those before it as much as it lies along them.
            along = np.where(R != 0, R / left[..., :, None], 0.0)
            error = np.sqrt((along**2).swapaxes(-1, -2) @ (size**2)[..., None])[..., 0] / left
            told = np.isfinite(error)
            squares += np.where(told, error, 0.0) ** 2
            count += told
            rows = Q.swapaxes(-1, -2)
    return np.sqrt(squares / np.maximum(count, 1))
