r"""Whether rounding in the products grows until it shows.

A relative error in a component of a tangent vector is carried along like the vector. Where vectors
lie in a way that few others do, errors may outgrow them: along chains of units by any factor, in
the pseudospectrum of Jacobians that are far from normal. Zeros and small components are kept by the
loop; what single products lose, nothing brings back.
"""

from __future__ import annotations

import numpy as np

from ..numerics.arrays import Array
from ..systems.orbit import Orbit


class Disturbed(Orbit):
    """An orbit with tangent steps that make larger relative errors than rounding does.

    Parameters
    ----------
    orbit : Orbit
    noise : float
        Relative size of the errors.
    rng : Generator
    """

    def __init__(self, orbit: Orbit, noise: float, rng: np.random.Generator) -> None:
        self.orbit, self.noise, self.rng = orbit, noise, rng
        self.states, self.inputs = orbit.states, orbit.inputs
        self.members_last = orbit.members_last

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry tangent vectors through step s, whose components are a little off."""
        errors = self.rng.random(rows.shape)
        errors -= 0.5
        errors *= 2 * self.noise
        errors += 1.0
        errors *= rows
        self.orbit.push(s, errors, out)
