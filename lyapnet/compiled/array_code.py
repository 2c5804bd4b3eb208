"""The text of loops over whole arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .array_plan import Plan, Stage
from .code import Numbers, Text
from .operations import TRUTHS, Untraceable

#: What is called for whole arrays; see `callbacks`.
DECLARED = {
    "lyapnet.product": "declare void @lyapnet.product(ptr, ptr, ptr, ptr, i64, i64, i64)",
    "lyapnet.tanh": "declare void @lyapnet.tanh(ptr, ptr, ptr, i64)",
}


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


class _Operand:
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
            self.values[at] = self._apply(self.one, at, lambda i: self._number(i))
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
        return numbers.splat(self.values[source]) if source in self.values else None

    def _number(self, at: int) -> str:
        """Return a single number that is the same in all steps."""
        if (known := self.known(at, self.one)) is not None:
            return known
        operand = self._operand(at, ())
        return self._truth(self.one, at, self.one.load(operand.pointer, operand.first))

    def _apply(self, numbers: Numbers, at: int, value: Callable[[int], str]) -> str:
        operation = self.graph.nodes[at][0]
        given = [value(i) for i in self.plan.arguments(at)]
        return given[0] if operation in ("copy", "sum") else numbers.apply(operation, given)

    def _truth(self, numbers: Numbers, at: int, value: str) -> str:
        """Return what was read as what it means."""
        if self.graph.nodes[at][0] not in TRUTHS:
            return value
        return numbers.apply("not_equal", (value, numbers.literal(0.0)))

    def _untruth(self, numbers: Numbers, at: int, value: str) -> str:
        """Return a value as it is written."""
        if self.graph.nodes[at][0] not in TRUTHS:
            return value
        return numbers.apply("where", (value, numbers.literal(1.0), numbers.literal(0.0)))

    def _pointer(self, at: int) -> str:
        """Return where an array begins."""
        if at in self.given:
            return self.given[at]
        operation, arguments = self.graph.nodes[at]
        if operation == "input":
            return self.one.place(self.given[arguments[0]], arguments[1])
        return self.one.place("%scratch", self.plan.place[at])

    def _operand(self, at: int, shape: tuple[int, ...]) -> _Operand:
        """Return where the numbers of a node are in a loop over a shape."""
        source, own = self.plan.source(at), self.graph.shapes[at]
        places = self.graph.how[at]
        if source == at:
            places = np.arange(math.prod(own)).reshape(own)
        return _Operand(self._pointer(source), np.broadcast_to(places, shape), self.tables)

    def _stage(self, stage: Stage) -> None:
        at = stage.nodes[0]
        operation, arguments = self.graph.nodes[at][0], self.plan.arguments(at)
        if operation == "product":
            self._product(at, *arguments)
        elif operation == "tanh":
            self.text.declared["lyapnet.tanh"] = DECLARED["lyapnet.tanh"]
            x, out = self._pointer(arguments[0]), self._pointer(at)
            size = self.graph.size(at)
            self.text.put(
                f"  call void @lyapnet.tanh(ptr {x}, ptr {out}, ptr %room.tanh, i64 {size})"
            )
        elif operation == "join":
            first = 0
            for i in arguments:
                size = self.graph.size(i)
                to = np.arange(first, first + size).reshape(self.graph.shapes[i])
                _Loop(self, self.graph.shapes[i], stage.moving).copy(i, self._pointer(at), to)
                first += size
        else:
            _Loop(self, stage.shape, stage.moving).nodes(stage.nodes)

    def _product(self, at: int, matrix: int, other: int) -> None:
        self.text.declared["lyapnet.product"] = DECLARED["lyapnet.product"]
        rows, depth = self.graph.shapes[matrix]
        columns = self.plan.count(at) // rows
        places = ", ".join(f"ptr {self._pointer(i)}" for i in (matrix, other, at))
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


class _Loop:
    """One loop over the elements of a shape, and over the vectors of each."""

    def __init__(self, writer: Writer, shape: tuple[int, ...], moving: bool) -> None:
        self.w, self.shape, self.moving = writer, shape, moving
        self.text, self.graph, self.plan = writer.text, writer.graph, writer.plan
        self.numbers = writer.many if moving else writer.one
        self.reads: dict[int, _Operand] = {}
        self.writes: list[tuple[int, _Operand]] = []
        self.inside: list[int] = []
        #: What is the same for all elements.
        self.known: dict[int, str] = {}

    def copy(self, at: int, pointer: str, places: Any) -> None:
        """Write a copy of an array to other places."""
        self._read(at)
        self.writes.append((at, _Operand(pointer, places, self.w.tables, True)))
        self._write()

    def nodes(self, nodes: Sequence[int]) -> None:
        """Write what computes nodes element by element, and sums of such."""
        self.inside = [at for at in nodes if self.graph.nodes[at][0] != "sum"]
        for at in nodes:
            for i in self.plan.arguments(at):
                if i not in self.inside:
                    self._read(i)
        for at in nodes:
            if at in self.inside and (at in self.plan.place or at in self.w.given):
                places = np.arange(math.prod(self.shape)).reshape(self.shape)
                self.writes.append((at, _Operand(self.w._pointer(at), places, self.w.tables)))
        self.sums = [at for at in nodes if at not in self.inside]
        self._write()

    def _read(self, at: int) -> None:
        if at in self.reads or at in self.known:
            return
        if (known := self.w.known(at, self.numbers)) is not None:
            self.known[at] = known
        else:
            self.reads[at] = self.w._operand(at, self.shape)

    sums: Sequence[int] = ()

    def _write(self) -> None:
        self._totals = []
        for at in self.sums:
            places = np.arange(self.graph.size(at)).reshape(self.graph.shapes[at])
            spread = np.broadcast_to(np.expand_dims(places, self.graph.how[at]), self.shape)
            pointer = self.w._pointer(at)
            self._clear(pointer, self.plan.count(at))
            self._totals.append((at, _Operand(pointer, spread, self.w.tables, True)))
        self.known |= {
            at: self._scalar(at, operand, operand.first)
            for at, operand in self.reads.items()
            if operand.fixed and not operand.table and not self.plan.moving[at]
        }
        self.dims = self._dimensions()
        self._nest(0, [])

    def _clear(self, pointer: str, count: int) -> None:
        self.text.put(
            f"  call void @llvm.memset.p0.i64(ptr {pointer}, i8 0, i64 {8 * count}, i1 0)"
        )
        self.text.declared["memset"] = "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)"

    def _operands(self) -> list[_Operand]:
        return [*self.reads.values(), *(o for _, o in self.writes), *(o for _, o in self._totals)]

    def _dimensions(self) -> list[tuple[int, int]]:
        """Return the axes to loop over as (axis, length): neighbours are one where they can be."""
        summed = self.graph.how[self.sums[0]] if self.sums else ()
        axes = [a for a in range(len(self.shape)) if a not in summed] + list(summed)
        found: list[tuple[int, int]] = []
        for axis in axes:
            length = self.shape[axis]
            if length == 1:
                continue
            if found and all(o.strides[found[-1][0]] == o.strides[axis] * length
                             for o in self._operands()):  # fmt: skip
                found[-1] = axis, found[-1][1] * length
            else:
                found.append((axis, length))
        return found

    def _nest(self, depth: int, at: list[str]) -> None:
        if depth == len(self.dims):
            self._element(at)
        else:
            self.w.loop(self.dims[depth][1], lambda i: self._nest(depth + 1, [*at, i]))

    def _index(self, operand: _Operand, at: list[str]) -> str:
        """Return the number of an element among those of an operand."""
        total = str(operand.first)
        for i, (axis, _) in zip(at, self.dims, strict=True):
            stride = operand.strides[axis]
            if stride:
                part = i if stride == 1 else self.text.let(f"mul nsw i64 {i}, {stride}")
                total = part if total == "0" else self.text.let(f"add nsw i64 {total}, {part}")
        if operand.table:
            to = self.text.let(f"getelementptr inbounds i64, ptr {operand.table}, i64 {total}")
            total = self.text.let(f"load i64, ptr {to}, align 8")
        return total

    def _scalar(self, at: int, operand: _Operand, index: Any) -> str:
        """Read a number that is not of a tangent vector, for all of them where there are."""
        value = self.w.one.load(operand.pointer, index)
        return self.w._truth(self.numbers, at, self.numbers.splat(value))

    def _element(self, at: list[str]) -> None:
        values = dict(self.known)
        index = {}
        for node, operand in self.reads.items():
            if node in values:
                continue
            where = self._index(operand, at)
            if self.plan.moving[node]:
                index[node] = where
            else:
                values[node] = self._scalar(node, operand, where)
        to = [self._index(operand, at) for _, operand in (*self.writes, *self._totals)]
        if not self.moving:
            self._compute(values, {}, to)
        elif self.w.chunks == 1:
            self._compute(values, index, to)
        else:
            self.w.loop(self.w.chunks, lambda c: self._compute(
                dict(values), self._chunk(index, c), [self._of_chunk(i, c) for i in to]
            ))  # fmt: skip

    def _chunk(self, index: dict[int, str], c: str) -> dict[int, str]:
        return {node: self._of_chunk(i, c) for node, i in index.items()}

    def _of_chunk(self, i: str, c: str) -> str:
        first = self.text.let(f"mul nsw i64 {i}, {self.w.chunks}")
        return self.text.let(f"add nsw i64 {first}, {c}")

    def _compute(self, values: dict[int, str], index: dict[int, str], to: list[str]) -> None:
        """Write what is done to one element, of one chunk of vectors."""
        numbers = self.numbers
        for node, where in index.items():
            values[node] = numbers.load(self.reads[node].pointer, where)

        for at in self.inside:
            values[at] = self.w._apply(numbers, at, values.__getitem__)
        for (at, operand), where in zip((*self.writes, *self._totals), to, strict=True):
            if at in self.sums:
                total = numbers.load(operand.pointer, where)
                found = numbers.apply("add", (total, values[self.plan.arguments(at)[0]]))
            else:
                found = self.w._untruth(numbers, at, values[at])
            numbers.store(found, operand.pointer, where)
