"""The text of loops over whole arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .array_elements import Elements
from .array_places import Operand, Tables
from .array_plan import Plan, Stage
from .code import Numbers, Text
from .operations import TRUTHS

#: What is called for whole arrays; see `callbacks`.
DECLARED = {
    "lyapnet.product": "declare void @lyapnet.product(ptr, ptr, ptr, ptr, i64, i64, i64)",
    "lyapnet.tanh": "declare void @lyapnet.tanh(ptr, ptr, ptr, i64)",
}


class Writer:
    """Writes the stages of a plan into a function.

    Parameters
    ----------
    text : Text
    plan : Plan
    tables : Tables
    lanes : int
        Vectors that are worked on at once.
    given : dict
        Names of inputs, and of nodes that are wanted, to pointers.
    """

    def __init__(
        self, text: Text, plan: Plan, tables: Tables, lanes: int, given: dict[Any, str]
    ) -> None:
        self.text, self.plan, self.tables, self.given = text, plan, tables, given
        self.one, self.many = Numbers(text), Numbers(text, lanes, fused=True)
        self.chunks = plan.width // lanes
        self.graph = plan.graph
        #: Numbers that are the same in all steps.
        self.values: dict[int, str] = {}
        self.here = "entry"

    def before(self) -> None:
        """Write what is the same in all steps."""
        for at in self.plan.scalars:
            value = self.apply(self.one, at, lambda i: self._number(i))
            self.values[at] = self.untruth(self.one, at, value)
        for stage in self.plan.before:
            self._stage(stage)

    def step(self) -> None:
        """Write a step."""
        for stage in self.plan.within:
            self._stage(stage)

    def label(self, name: str) -> None:
        """Start a basic block."""
        self.text.label(name)
        self.here = name

    def known(self, at: int, numbers: Numbers) -> str | None:
        """Return what is the same number in all steps, for all elements; None if it is not."""
        source = self.plan.source(at)
        operation, arguments = self.graph.nodes[source]
        if operation == "constant":
            return numbers.literal(arguments[0])
        if source not in self.values:
            return None
        return self.truth(numbers, at, numbers.splat(self.values[source]))

    def _number(self, at: int) -> str:
        """Return a single number that is the same in all steps."""
        if (known := self.known(at, self.one)) is not None:
            return known
        operand = self.operand(at, ())
        return self.truth(self.one, at, self.one.load(operand.pointer, operand.first))

    def apply(self, numbers: Numbers, at: int, value: Callable[[int], str]) -> str:
        """Return the value of an operation on the values of its arguments."""
        operation = self.graph.nodes[at][0]
        given = [value(i) for i in self.plan.arguments(at)]
        return given[0] if operation in ("copy", "sum") else numbers.apply(operation, given)

    def truth(self, numbers: Numbers, at: int, value: str) -> str:
        """Return what was read as what it means."""
        if self.graph.nodes[at][0] not in TRUTHS:
            return value
        return numbers.apply("not_equal", (value, numbers.literal(0.0)))

    def untruth(self, numbers: Numbers, at: int, value: str) -> str:
        """Return a value as it is written."""
        if self.graph.nodes[at][0] not in TRUTHS:
            return value
        return numbers.apply("where", (value, numbers.literal(1.0), numbers.literal(0.0)))

    def pointer(self, at: int) -> str:
        """Return where an array begins."""
        if at in self.given:
            return self.given[at]
        operation, arguments = self.graph.nodes[at]
        if operation == "input":
            return self.one.place(self.given[arguments[0]], arguments[1])
        return self.one.place("%scratch", self.plan.place[at])

    def operand(self, at: int, shape: tuple[int, ...]) -> Operand:
        """Return where the numbers of a node are in a loop over a shape."""
        source, own = self.plan.source(at), self.graph.shapes[at]
        places = self.graph.how[at]
        if source == at:
            places = np.arange(math.prod(own)).reshape(own)
        return Operand(self.pointer(source), np.broadcast_to(places, shape), self.tables)

    def _stage(self, stage: Stage) -> None:
        at = stage.nodes[0]
        operation, arguments = self.graph.nodes[at][0], self.plan.arguments(at)
        if operation == "product":
            self._product(at, *arguments)
        elif operation == "tanh":
            self.text.declared["lyapnet.tanh"] = DECLARED["lyapnet.tanh"]
            x, out = self.pointer(arguments[0]), self.pointer(at)
            size = self.graph.size(at)
            self.text.put(
                f"  call void @lyapnet.tanh(ptr {x}, ptr {out}, ptr %room.tanh, i64 {size})"
            )
        elif operation == "join":
            first = 0
            for i in arguments:
                size = self.graph.size(i)
                to = np.arange(first, first + size).reshape(self.graph.shapes[i])
                Elements(self, self.graph.shapes[i], stage.moving).copy(i, self.pointer(at), to)
                first += size
        else:
            Elements(self, stage.shape, stage.moving).nodes(stage.nodes)

    def _product(self, at: int, matrix: int, other: int) -> None:
        self.text.declared["lyapnet.product"] = DECLARED["lyapnet.product"]
        rows, depth = self.graph.shapes[matrix]
        columns = self.plan.count(at) // rows
        places = ", ".join(f"ptr {self.pointer(i)}" for i in (matrix, other, at))
        self.text.put(
            f"  call void @lyapnet.product(ptr %blas, {places}, i64 {rows}, i64 {depth}, "
            f"i64 {columns})"
        )

    def loop(self, length: int, body: Callable[[str], None]) -> None:
        """Write a loop."""
        name = self.text.name()[1:]
        self.text.put(f"  br label %{name}.loop")
        before = self.here
        self.label(f"{name}.loop")
        at = len(self.text.lines)
        self.text.put("")
        body(f"%{name}")
        self.text.put(f"  %{name}.next = add nuw nsw i64 %{name}, 1")
        self.text.lines[at] = (
            f"  %{name} = phi i64 [ 0, %{before} ], [ %{name}.next, %{self.here} ]"
        )
        self.text.put(f"  %{name}.more = icmp ult i64 %{name}.next, {length}")
        self.text.put(f"  br i1 %{name}.more, label %{name}.loop, label %{name}.done")
        self.label(f"{name}.done")
