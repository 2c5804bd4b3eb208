"""A run in stretches that stay in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DivergedError
from ..numerics.arrays import Array
from ..systems import System
from ..systems.orbit import Orbit

#: Numbers in the arrays of one stretch of trajectory; they should stay in the cache.
_STRETCH = 2**18


@dataclass(frozen=True)
class Plan:
    """How many steps a run takes, and how.

    Attributes
    ----------
    transient, basis_transient, n_steps : int
        Steps of the state alone, of state and basis, and of the average.
    interval : int
        Steps between factorisations.
    forgiving : bool
        Whether the interval was chosen automatically. Blocks in which the basis comes near to
        losing rank are divided; one in which it has lost it is refused where the interval
        was asked for.
    """

    transient: int
    basis_transient: int
    n_steps: int
    interval: int = 1
    forgiving: bool = False

    @property
    def total(self) -> int:
        """Number of all steps."""
        return self.transient + self.basis_transient + self.n_steps

    def stretches(self, length: int) -> Iterator[tuple[str, int, int]]:
        """Yield (phase, start, stop), whole blocks of at most about `length` steps."""
        length = max(1, length // self.interval) * self.interval
        start = 0
        for phase in ("transient", "basis_transient", "n_steps"):
            end = start + getattr(self, phase)
            while start < end:
                stop = min(start + length, end)
                yield phase, start, stop
                start = stop


#: Steps of a stretch at most, and of one after which nobody looks at the errors.
_MOST, _LONGEST = 2**12, 2**14


def stretch_length(
    system: System, lead: tuple[int, ...], k: int, *, looks: bool = True
) -> int:
    """Return the steps that a stretch should have; many if nobody `looks` between two."""
    per_step = max(1, int(np.prod(lead))) * system.dim * (k if k < system.dim else system.dim)
    return int(np.clip(_STRETCH // per_step, 64, _MOST if looks else _LONGEST))


def run_orbit(
    system: System, x: Array, inputs: Array | None, start: int, stop: int, partial: Any = None
) -> Orbit:
    """Run steps ``start ... stop`` of a trajectory, and refuse one that diverges."""
    orbit = system.orbit(x, None if inputs is None else inputs[start:stop], stop - start)
    if not orbit.runs_along:
        check_states(orbit, start, partial)
    return orbit


def check_states(orbit: Orbit, start: int, partial: Any = None) -> None:
    """Refuse an orbit that diverges; `start` is the number of its first step in the run."""
    if not np.isfinite(orbit.last).all():
        finite = np.isfinite(orbit.states).reshape(len(orbit.states), -1).all(axis=1)
        step = start + int(np.argmin(finite))
        raise DivergedError(
            f"the state is not finite after step {step}; start closer to the attractor, or use a "
            "smaller dt, gain or input",
            step=step,
            partial=partial,
        )
