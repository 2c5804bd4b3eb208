"""Products of matrices, a tile at a time, by the processor's own lanes.

BLAS copies matrices into an order of its own before it multiplies, which takes longer than the
multiplications where matrices are small. Here a tile of the product, a few rows by a few lanes of
columns, stays in registers while what is summed over passes by, and nothing is copied.
"""

from __future__ import annotations

import platform
from functools import cache
from typing import NamedTuple

from .code import Numbers, Text, module
from .machine import machine

#: Rows of tiles, from the most on.
ROWS = 4, 2, 1

#: Lanes of columns that a tile has at most: with as many accumulators, a row of the right side and
#: one number of the left fill the registers, of which there are 32 where lanes are eight, or 16.
MOST = {8: 6, 4: 3}


class Tiles(NamedTuple):
    """Functions that multiply.

    Attributes
    ----------
    lanes : int
        Numbers that are worked on at once.
    most : int
        Lanes of columns of the widest tile.
    addresses : list of int
        By rows, as in `ROWS`, and then by lanes of columns.
    """

    lanes: int
    most: int
    addresses: list[int]


@cache
def tiles(lanes: int = 0) -> Tiles | None:
    """Return the tiles of this processor, None where they are no better than BLAS."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return None
    lanes = lanes or machine().lanes
    if lanes not in MOST:
        return None
    most, text = MOST[lanes], Text()
    sizes = [(rows, wide) for rows in ROWS for wide in range(1, most + 1)]
    functions = [_tile(text, lanes, *size) for size in sizes]
    found = machine().functions(module(functions, text.declared))
    return Tiles(lanes, most, [found[_name(*size)] for size in sizes])


def _name(rows: int, wide: int) -> str:
    return f"tile.{rows}.{wide}"


def _tile(text: Text, lanes: int, rows: int, wide: int) -> str:
    """Write what multiplies ``(rows, depth)`` by ``(depth, wide lanes)``, or adds to what is there.

    Numbers of rows and columns are apart as it is told; of the last lanes only so many are read and
    written as it is told.
    """
    text.lines = []
    many = Numbers(text, lanes)
    each = [(r, w) for r in range(rows) for w in range(wide)]
    tile = _Places(many, wide)
    text.label("entry")
    tile.mask()
    shifts = [text.let(f"mul i64 %a.row, {r}") for r in range(rows)]
    to = [_at(text, "%c", text.let(f"mul i64 %c.row, {r}")) for r in range(rows)]
    text.put("  %adds = icmp ne i64 %add, 0")
    text.put("  br i1 %adds, label %read, label %begin")
    text.label("read")
    old = {(r, w): tile.read(to[r], w) for r, w in each}
    text.put("  br label %begin")
    text.label("begin")
    first = {
        e: text.let(f"phi {many.type} [ zeroinitializer, %entry ], [ {old[e]}, %read ]")
        for e in each
    }
    text.put("  br label %loop")
    text.label("loop")
    for name, start in (("x", "%a"), ("y", "%b")):
        text.put(f"  %{name} = phi ptr [ {start}, %begin ], [ %{name}.next, %loop ]")
    text.put("  %d = phi i64 [ 0, %begin ], [ %d.next, %loop ]")
    for r, w in each:
        old_sum, new_sum = f"[ {first[r, w]}, %begin ]", f"[ %sum.{r}.{w}.next, %loop ]"
        text.put(f"  %sum.{r}.{w} = phi {many.type} {old_sum}, {new_sum}")
    right = [tile.read("%y", w) for w in range(wide)]
    for r in range(rows):
        left = many.splat(text.let(f"load double, ptr {_at(text, '%x', shifts[r])}, align 8"))
        for w in range(wide):
            text.put(
                f"  %sum.{r}.{w}.next = call {many.type} @llvm.fmuladd.v{lanes}f64("
                f"{many.type} {left}, {many.type} {right[w]}, {many.type} %sum.{r}.{w})"
            )
    text.put("  %x.next = getelementptr inbounds double, ptr %x, i64 %a.depth")
    text.put("  %y.next = getelementptr inbounds double, ptr %y, i64 %b.depth")
    text.put("  %d.next = add i64 %d, 1")
    text.put("  %again = icmp slt i64 %d.next, %depth")
    text.put("  br i1 %again, label %loop, label %done")
    text.label("done")
    for r, w in each:
        tile.write(f"%sum.{r}.{w}.next", to[r], w)
    text.put("  ret void")
    head = (
        f"define void @{_name(rows, wide)}(ptr %a, i64 %a.row, i64 %a.depth, ptr %b, i64 %b.depth, "
        "ptr %c, i64 %c.row, i64 %depth, i64 %last, i64 %add) #0 {"
    )
    return "\n".join([head, *text.lines, "}"])


def _at(text: Text, pointer: str, index: str) -> str:
    return text.let(f"getelementptr inbounds double, ptr {pointer}, i64 {index}")


class _Places:
    """Lanes of columns in memory, the last of which may be there in part."""

    def __init__(self, many: Numbers, wide: int) -> None:
        self.text, self.type, self.lanes, self.wide = many.text, many.type, many.lanes, wide
        self.truth, kind = many.truth, f"v{many.lanes}f64"
        self._load, self._store = f"@llvm.masked.load.{kind}.p0", f"@llvm.masked.store.{kind}.p0"
        t, mask = many.type, many.truth
        many.text.declared["fmuladd"] = f"declare {t} @llvm.fmuladd.{kind}({t}, {t}, {t})"
        many.text.declared["load"] = f"declare {t} {self._load}(ptr, i32, {mask}, {t})"
        many.text.declared["store"] = f"declare void {self._store}({t}, ptr, i32, {mask})"

    def mask(self) -> None:
        """Say which numbers of the last lanes there are: %mask."""
        words = f"<{self.lanes} x i64>"
        one = self.text.let(f"insertelement {words} poison, i64 %last, i64 0")
        order = f"<{self.lanes} x i32> zeroinitializer"
        last = self.text.let(f"shufflevector {words} {one}, {words} poison, {order}")
        numbers = ", ".join(f"i64 {i}" for i in range(self.lanes))
        self.text.put(f"  %mask = icmp slt {words} <{numbers}>, {last}")

    def read(self, pointer: str, w: int) -> str:
        """Return one of a row's lanes."""
        place = _at(self.text, pointer, str(w * self.lanes))
        if w < self.wide - 1:
            return self.text.let(f"load {self.type}, ptr {place}, align 8")
        return self.text.let(
            f"call {self.type} {self._load}(ptr {place}, i32 8, {self.truth} %mask, "
            f"{self.type} zeroinitializer)"
        )

    def write(self, value: str, pointer: str, w: int) -> None:
        """Write one of a row's lanes."""
        place = _at(self.text, pointer, str(w * self.lanes))
        if w < self.wide - 1:
            self.text.put(f"  store {self.type} {value}, ptr {place}, align 8")
            return
        self.text.put(
            f"  call void {self._store}({self.type} {value}, ptr {place}, i32 8, "
            f"{self.truth} %mask)"
        )
