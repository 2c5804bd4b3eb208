"""The text of one loop over the elements of arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .array_places import Operand


class Elements:
    """One loop over the elements of a shape, and over the vectors of each."""

    def __init__(self, writer: Any, shape: tuple[int, ...], moving: bool) -> None:
        self.w, self.shape, self.moving = writer, shape, moving
        self.text, self.graph, self.plan = writer.text, writer.graph, writer.plan
        self.numbers = writer.many if moving else writer.one
        self.reads: dict[int, Operand] = {}
        self.writes: list[tuple[int, Operand]] = []
        self.totals: list[tuple[int, Operand]] = []
        self.inside: list[int] = []
        self.sums: list[int] = []
        #: What is the same for all elements.
        self.known: dict[int, str] = {}

    def copy(self, at: int, pointer: str, places: Any) -> None:
        """Write a copy of an array to other places."""
        self._read(at)
        self.writes.append((at, Operand(pointer, places, self.w.tables, True)))
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
                self.writes.append((at, Operand(self.w.pointer(at), places, self.w.tables)))
        self.sums = [at for at in nodes if at not in self.inside]
        self._write()

    def _read(self, at: int) -> None:
        if at in self.reads or at in self.known:
            return
        if (known := self.w.known(at, self.numbers)) is not None:
            self.known[at] = known
        else:
            self.reads[at] = self.w.operand(at, self.shape)

    def _write(self) -> None:
        for at in self.sums:
            places = np.arange(self.graph.size(at)).reshape(self.graph.shapes[at])
            spread = np.broadcast_to(np.expand_dims(places, self.graph.how[at]), self.shape)
            pointer = self.w.pointer(at)
            self._clear(pointer, self.plan.count(at))
            self.totals.append((at, Operand(pointer, spread, self.w.tables, True)))
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

    def _operands(self) -> list[Operand]:
        return [*self.reads.values(), *(o for _, o in self.writes), *(o for _, o in self.totals)]

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

    def _index(self, operand: Operand, at: list[str]) -> str:
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

    def _scalar(self, at: int, operand: Operand, index: Any) -> str:
        """Read a number that is not of a tangent vector, for all of them where there are."""
        value = self.w.one.load(operand.pointer, index)
        return self.w.truth(self.numbers, at, self.numbers.splat(value))

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
        to = [self._index(operand, at) for _, operand in (*self.writes, *self.totals)]
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
            values[at] = self.w.apply(numbers, at, values.__getitem__)
        for (at, operand), where in zip((*self.writes, *self.totals), to, strict=True):
            if at in self.sums:
                total = numbers.load(operand.pointer, where)
                found = numbers.apply("add", (total, values[self.plan.arguments(at)[0]]))
            else:
                found = self.w.untruth(numbers, at, values[at])
            numbers.store(found, operand.pointer, where)
