"""What is kept of a forward sweep for the one back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..numerics.arrays import Array
from ..systems.orbit import Orbit


@dataclass
class Tape:
    """What the reverse sweep needs of a stretch: each step's basis and each block's factor."""

    orbit: Orbit
    rows: Array
    blocks: list[tuple[int, int, Array]] = field(default_factory=list)
    log_growth: Array = field(default_factory=lambda: np.zeros(0))
    #: Of each member, factors, the steps between blocks and log growth, where compiled loops have
    #: made the tape.
    at_once: list[tuple[Array, Array, Array]] | None = None
