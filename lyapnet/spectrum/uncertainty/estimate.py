"""A mean with its standard error, and the interval that they make."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ... import validate
from ...numerics.arrays import Array

DOF_TO_STOP = 16  # with looks a factor LOOK_FACTOR apart, a rule that stops keeps its coverage
MARGIN_TO_STOP = 2.0  # of the width, with fewer: chance makes such intervals narrow more often
LOOK_FACTOR = 1.5


class Estimate(NamedTuple):
    """A mean, its standard error and the degrees of freedom of that error.

    Attributes
    ----------
    mean : ndarray, shape (...)
        Per unit time.
    stderr : ndarray, shape (...)
        Same unit. ``inf`` where the run is too short to tell; ``nan`` where ``mean`` is ``-inf``.
    dof : ndarray, shape (...)
        Of Student's t, at least 1.
    """

    mean: Array
    stderr: Array
    dof: Array

    @property
    def too_short(self) -> NDArray[np.bool_]:
        """Where the run is too short for a standard error, shape (...)."""
        return np.isposinf(self.stderr)

    def half_width(self, level: float = 0.95) -> Array:
        """Return half the width of the two-sided interval, shape (...)."""
        if not 0 < validate.real("level", level) < 1:
            raise ValueError(f"`level` must lie between 0 and 1, got {level}; 0.95 is usual")
        return special.stdtrit(self.dof, (1 + level) / 2) * self.stderr

    def confidence_interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Return the two-sided interval ``mean ± t stderr``; both ends ``-inf`` for such a mean."""
        half = np.where(np.isneginf(self.mean), 0.0, self.half_width(level))
        return self.mean - half, self.mean + half

    def settled(self, tol: float, level: float = 0.95) -> NDArray[np.bool_]:
        """Return where a run may stop for ``half_width(level) <= tol``, shape (...).

        A rule that stops at the first narrow interval prefers those that are too narrow. With
        at least 16 degrees of freedom, and looks whose run lengths differ by a factor of
        `LOOK_FACTOR` or more, 95 % intervals still hold the truth about 90 times in 100, and the
        error is below `tol` 95 times or more. With fewer, twice the half-width must be below
        `tol`. A mean of ``-inf`` has no width and counts as settled.
        """
        margin = np.where(self.dof >= DOF_TO_STOP, 1.0, MARGIN_TO_STOP)
        narrow = margin * self.half_width(level) <= tol
        return narrow | np.isneginf(self.mean)
