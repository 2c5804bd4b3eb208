"""Where loops over arrays read and write: numbers in memory, and how far they are apart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .operations import Untraceable

#: Places that a table may have.
_MOST = 2**16


class Tables:
    """Places that follow no rule, as constants of a module."""

    def __init__(self) -> None:
        self.lines: dict[bytes, str] = {}

    def name(self, places: Any) -> str:
        """Return the name of a table."""
        if places.size > _MOST:
            raise Untraceable(f"it takes numbers from more than {_MOST} places by no rule")
        key = places.tobytes()
        if key not in self.lines:
            numbers = ", ".join(f"i64 {i}" for i in places.ravel())
            kind = f"[{places.size} x i64]"
            self.lines[key] = f"@places.{len(self.lines)} = internal constant {kind} [{numbers}]"
        return self.lines[key].split(" ")[0]


class Operand:
    """Where a loop reads or writes: numbers in memory, and how far they are apart."""

    def __init__(self, pointer: str, places: Any, tables: Tables, writes: bool = False) -> None:
        self.pointer = pointer
        self.table = ""
        shape = places.shape
        self.first = int(places.flat[0])
        self.strides = [0] * places.ndim
        for axis, length in enumerate(shape):
            if length > 1:
                at = tuple(1 if a == axis else 0 for a in range(places.ndim))
                self.strides[axis] = int(places[at]) - self.first
        rule = self.first + sum(
            np.arange(length).reshape([-1 if a == axis else 1 for a in range(len(shape))]) * stride
            for axis, (length, stride) in enumerate(zip(shape, self.strides, strict=True))
        )
        if not writes and not np.array_equal(np.broadcast_to(rule, shape), places):
            self.table, self.first = tables.name(np.ascontiguousarray(places)), 0
            self.strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]

    @property
    def fixed(self) -> bool:
        """Whether it is the same everywhere."""
        return not any(self.strides)
