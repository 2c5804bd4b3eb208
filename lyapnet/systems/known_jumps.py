"""What is known of the jumps of a flow's field, and what to do about those that are left out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..compiled.limits import KINKS
from ..compiled.program import Program
from ..numerics.arrays import Array
from ..numerics.lanes import Decision
from .jumping_step import SLIDES

#: Jumps are looked for in the first stretches of a trajectory, and then once in so many states.
_LOOKS, _LONG = 10, 500

#: What to do about jumps at which steps could end, and where they cannot.
WRITE_THEM = (
    "write it with np.sign, np.where, np.heaviside, np.floor or comparisons of arrays, and "
    'take method "rk4", "heun", "euler" or "dop853"'
)
SMOOTH_THEM = (
    "smooth them, np.tanh(v / width) for np.sign(v), and take steps that resolve the width"
)

#: What to do about jumps, and slopes nearly as steep, that no step sees.
RESOLVE = "take a much smaller dt, or write jumps as np.sign, np.where and the like"

#: What it means where no direction of an autonomous flow, such as that along itself, is neutral.
MISSES = (
    "though the flow does not come to rest, and carries its own velocity along: its steps are too "
    f"long, or their derivative misses jumps, or what is nearly as steep; {RESOLVE}"
)

#: What to do about a surface at which the state slides.
UNSTICK = (
    "there the state sticks, and slides along it, which no step can follow: smooth the "
    'jump, np.tanh(v / width) for np.sign(v), with method="implicit" if it is steep'
)


@dataclass
class Seen:
    """What is known of the jumps of a flow's field; copies of the flow share it.

    Attributes
    ----------
    decides : bool or None
        Whether decisions of the field can be told apart; None if that is not known.
    one_by_one : bool
        Whether only for one state at a time, as with ``if``.
    met : dict
        Of each decision, how often it has met a surface where the field is continuous; infinity
        once it has met one where it jumps. Named by the number of decisions that are made, and its
        own among them.
    what : str
        The function that they are looked for in.
    left_out : str
        How it jumps where NumPy's steps go on across it.
    remedy : str
        What to do about that.
    looks, unseen : int
        Stretches so far in which such jumps could be looked for, and states since they were.
    tables : dict
        What compiled loops know, by the identities of their programs; see `table`.
    """

    decides: bool | None = None
    one_by_one: bool = False
    met: dict[tuple[int, int], float] = field(default_factory=dict)
    what: str = "field"
    left_out: str = ""
    remedy: str = WRITE_THEM
    looks: int = 0
    unseen: int = 0
    tables: dict[Any, Array] = field(default_factory=dict, repr=False)

    def table(self, program: Program) -> Array:
        """Return what compiled loops know of the decisions of a program, and write to.

        Whether states slide; of each decision whether it matters, and what is counted in `met`.
        """
        assert program.surfaces is not None
        count = len(program.surfaces.decisions)
        fresh = np.concatenate([np.zeros(1), np.ones(count), np.zeros(count)])
        found = self.tables.setdefault(program.identity, fresh)
        found[0] = bool(self.without)
        return found

    @property
    def without(self) -> str:
        """How the field jumps where steps go on across it."""
        slides = any(table[0] for table in self.tables.values())
        return self.left_out or (SLIDES if slides else "")

    @without.setter
    def without(self, how: str) -> None:
        self.left_out = how

    @property
    def jumps(self) -> bool:
        """Whether the field has been seen to jump where steps end."""
        by_loops = any(np.isinf(table).any() for table in self.tables.values())
        return by_loops or math.inf in self.met.values()

    @property
    def matter(self) -> bool:
        """Whether steps should end at surfaces: not where all decisions make kinks only."""
        counts = (table[(len(table) + 1) // 2 :] for table in self.tables.values())
        by_loops = any(((counted >= KINKS) & (counted < np.inf)).all() for counted in counts)
        only_kinks = not self.jumps and (by_loops or len(self.kinks) == len(self.met))
        return bool(self.decides) and not self.without and not only_kinks

    @property
    def kinks(self) -> set[tuple[int, int]]:
        """The decisions at whose surfaces NumPy has found the field to be continuous."""
        return {which for which, count in self.met.items() if KINKS <= count < math.inf}

    def differ(self, first: list[Decision], other: list[Decision]) -> Array:
        """Return in which lanes decisions differ, but for those that make kinks only."""
        kinks, count = self.kinks, len(first)
        apart = np.zeros(1, dtype=bool)
        for i, (a, b) in enumerate(zip(first, other, strict=True)):
            self.met.setdefault((count, i), 0)
            if (count, i) not in kinks:
                differ = np.atleast_2d(a.outcome != b.outcome)
                apart = apart | differ.reshape(-1, differ.shape[-1]).any(axis=0)
        return apart

    def meet(self, count: int, which: int, jumps: bool) -> None:
        """Note that a decision has met a surface, and whether the field jumps there."""
        before = self.met.get((count, which), 0)
        self.met[count, which] = math.inf if jumps else before + 1

    def look(self, states: Array, least: int) -> bool:
        """Say whether to look for jumps in a stretch of states ``(T + 1, ...)``, and count it."""
        self.looks += 1
        self.unseen += len(states)
        if self.without or len(states) < least or (self.looks > _LOOKS and self.unseen < _LONG):
            return False
        self.unseen = 0
        return True

    @property
    def reservation(self) -> str:
        """What speaks against the exponents of the runs so far: jumps that are left out."""
        if not self.without:
            return ""
        return (
            f"the {self.what} {self.without}, and the exponents are those of a {self.what} without "
            f"its jumps: {UNSTICK if self.without == SLIDES else self.remedy}"
        )
