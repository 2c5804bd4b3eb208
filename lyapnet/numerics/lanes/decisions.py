"""What functions that jump decide, such as signs: recorded, and told what to decide."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..arrays import Array
from .array import RULES, Lanes, as_lanes, numbers_of, plain


@dataclass
class Decision:
    """One evaluation of a function that jumps: its value is that of a region.

    Attributes
    ----------
    of : array (*shape, M)
        What decides, traced or not; its region lies between `low` and `high`.
    outcome : array (*shape, M)
        A sign, or a whole number.
    """

    of: Any
    outcome: Array
    kind: str

    @property
    def edges(self) -> tuple[Array, Array]:
        """Lower and upper end of the region."""
        o = self.outcome
        if self.kind == "sign":
            return np.where(o < 0, -np.inf, 0.0), np.where(o > 0, np.inf, 0.0)
        if self.kind == "trunc":
            return o - (o <= 0), o + (o >= 0)
        below, above = {"floor": (0.0, 1.0), "ceil": (1.0, 0.0), "rint": (0.5, 0.5)}[self.kind]
        return o - below, o + above


class Decisions(threading.local):
    """The record that is being kept, if any, and what decisions are made to be."""

    made: list[Decision] | None = None
    forced: Sequence[Array] = ()


_decisions = Decisions()


@contextmanager
def recording(forced: Sequence[Array] = ()) -> Iterator[list[Decision]]:
    """Record the decisions that functions make in here, the first of them as they are told.

    Parameters
    ----------
    forced : sequence of array
        Outcomes of the first decisions.
    """
    before = _decisions.made, _decisions.forced
    _decisions.made, _decisions.forced = [], forced
    try:
        yield _decisions.made
    finally:
        _decisions.made, _decisions.forced = before


def is_recording() -> bool:
    """Say whether decisions are recorded."""
    return _decisions.made is not None


def _decide(kind: str, x: Any) -> Any:
    """Return the outcome of a decision, as constant lanes."""
    data = as_lanes(x).data
    outcome = getattr(np, kind)(plain(data))
    made = _decisions.made
    if made is not None:
        if len(made) < len(_decisions.forced):
            outcome = _decisions.forced[len(made)]
        made.append(Decision(data, outcome, kind))
    return Lanes(outcome)


def _decided(name: str, *args: Any) -> Any:
    """Evaluate a function that jumps: constant, but for where it does."""
    if name in ("sign", "floor", "ceil", "trunc", "rint"):
        return _decide(name, args[0])
    if name in ("remainder", "floor_divide", "fmod"):
        x, m = args
        count = _decide("trunc" if name == "fmod" else "floor", as_lanes(x) / m)
        return count if name == "floor_divide" else x - m * count
    if name == "heaviside":
        sign = plain(_decide("sign", args[0]).data)
        return Lanes(np.where(sign == 0, plain(numbers_of(args[1])), sign > 0))
    sign = plain(_decide("sign", as_lanes(args[0]) - args[1]).data)
    return Lanes(getattr(np, name)(sign, 0))


#: Functions that jump.
_DECISIONS = {"sign", "heaviside", "floor", "ceil", "trunc", "rint", "remainder", "floor_divide"}
_DECISIONS |= {"fmod", "greater", "greater_equal", "less", "less_equal"}

RULES.update({name: partial(_decided, name) for name in _DECISIONS})
