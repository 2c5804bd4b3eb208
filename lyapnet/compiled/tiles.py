"""Products of matrices, a tile at a time, by the processor's own lanes.

BLAS copies matrices into an order of its own before it multiplies, which takes longer than the
multiplications where matrices are small. Here a tile of the product, a few rows by a few lanes of
columns, stays in registers while what is summed over passes by, and nothing is copied.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
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
    products, solutions : list of int
        Addresses by rows, as in `ROWS`, and then by lanes of columns.
    overlap : int
        Address.
    """

    lanes: int
    most: int
    products: list[int]
    solutions: list[int]
    overlap: int


#: Inner products of so many rows with as many are taken by one call, ...
OVERLAP = 4

#: ... with so many of these at once: more sums than this, with both sides, fill the registers.
COLUMNS = {8: 4, 4: 2}


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
    kinds = "product", "solution"
    functions = [_tile(text, lanes, kind, *size) for kind in kinds for size in sizes]
    functions.append(_overlap(text, lanes))
    found = machine().functions(module(functions, text.declared))
    products, solutions = ([found[_name(kind, *size)] for size in sizes] for kind in kinds)
    return Tiles(lanes, most, products, solutions, found["overlap"])


def _name(kind: str, rows: int, wide: int) -> str:
    return f"{kind}.{rows}.{wide}"


def _tile(text: Text, lanes: int, kind: str, rows: int, wide: int) -> str:
    """Write what multiplies ``(rows, depth)`` by ``(depth, wide lanes)``.

    Numbers of rows and columns are apart as it is told; of the last lanes only so many are read and
    written as it is told. A product is written, or added to what is there. A solution is what is
    there less the product, if so told multiplied by the inverse of the lower triangle that follows
    the left side.
    """
    text.lines = []
    many, put, let = Numbers(text, lanes), text.put, text.let
    each = [(r, w) for r in range(rows) for w in range(wide)]
    tile, solves = _Places(many, wide), kind == "solution"
    text.label("entry")
    tile.mask()
    shifts = [let(f"mul i64 %a.row, {r}") for r in range(rows)]
    to = [_at(text, "%c", let(f"mul i64 %c.row, {r}")) for r in range(rows)]
    put(f"  %reads = icmp ne i64 {1 if solves else '%flag'}, 0")
    put("  br i1 %reads, label %read, label %begin")
    text.label("read")
    old = {(r, w): tile.read(to[r], w) for r, w in each}
    put("  br label %begin")
    text.label("begin")
    first = {
        e: let(f"phi {many.type} [ zeroinitializer, %entry ], [ {old[e]}, %read ]") for e in each
    }
    put("  br label %loop")
    text.label("loop")
    for name, start in (("x", "%a"), ("y", "%b")):
        put(f"  %{name} = phi ptr [ {start}, %begin ], [ %{name}.next, %body ]")
    put("  %d = phi i64 [ 0, %begin ], [ %d.next, %body ]")
    for r, w in each:
        old_sum, new_sum = f"[ {first[r, w]}, %begin ]", f"[ %sum.{r}.{w}.next, %body ]"
        put(f"  %sum.{r}.{w} = phi {many.type} {old_sum}, {new_sum}")
    put("  %more = icmp slt i64 %d, %depth")
    put("  br i1 %more, label %body, label %done")
    text.label("body")
    right = [tile.read("%y", w) for w in range(wide)]
    for r in range(rows):
        left = let(f"load double, ptr {_at(text, '%x', shifts[r])}, align 8")
        left = many.splat(let(f"fneg double {left}") if solves else left)
        for w in range(wide):
            put(f"  %sum.{r}.{w}.next = {many.product_and_sum(left, right[w], f'%sum.{r}.{w}')}")
    put("  %x.next = getelementptr inbounds double, ptr %x, i64 %a.depth")
    put("  %y.next = getelementptr inbounds double, ptr %y, i64 %b.depth")
    put("  %d.next = add i64 %d, 1")
    put("  br label %loop")
    text.label("done")
    found = {(r, w): f"%sum.{r}.{w}" for r, w in each}
    if solves:
        put("  %triangle = icmp ne i64 %flag, 0")
        put("  br i1 %triangle, label %solve, label %write")
        text.label("solve")
        solved = _substituted(many, shifts, rows, wide)
        put("  br label %write")
        text.label("write")
        found = {
            e: let(f"phi {many.type} [ {found[e]}, %done ], [ {solved[e]}, %solve ]") for e in each
        }
    for r, w in each:
        tile.write(found[r, w], to[r], w)
    put("  ret void")
    head = (
        f"define void @{_name(kind, rows, wide)}(ptr %a, i64 %a.row, i64 %a.depth, ptr %b, "
        "i64 %b.depth, ptr %c, i64 %c.row, i64 %depth, i64 %last, i64 %flag) #0 {"
    )
    return "\n".join([head, *text.lines, "}"])


def _substituted(
    many: Numbers, shifts: list[str], rows: int, wide: int
) -> dict[tuple[int, int], str]:
    """Write the sums multiplied by the inverse of the triangle at %x, row after row."""
    text, one = many.text, Numbers(many.text)
    found: dict[tuple[int, int], str] = {}
    for r in range(rows):
        row = _at(text, "%x", shifts[r])
        entries = []
        for s in range(r + 1):
            at = _at(text, row, text.let(f"mul i64 %a.depth, {s}"))
            entries.append(text.let(f"load double, ptr {at}, align 8"))
        inverse = many.splat(text.let(f"fdiv double {one.literal(1.0)}, {entries[r]}"))
        less = [many.splat(text.let(f"fneg double {entries[s]}")) for s in range(r)]
        for w in range(wide):
            value = f"%sum.{r}.{w}"
            for s in range(r):
                value = many.fused(less[s], found[s, w], value)
            found[r, w] = text.let(f"fmul {many.type} {value}, {inverse}")
    return found


def _overlap(text: Text, lanes: int) -> str:
    """Write what takes the inner products of a few rows ``(.., n)`` with as many others."""
    text.lines = []
    many, put, let = Numbers(text, lanes), text.put, text.let
    text.label("entry")
    shifts = [let(f"mul i64 %row, {r}") for r in range(OVERLAP)]
    put(f"  %whole = sdiv i64 %n, {lanes}")
    put(f"  %end = mul i64 %whole, {lanes}")
    put("  %last = sub i64 %n, %end")
    tile = _Places(many, 1)
    tile.mask()
    columns = COLUMNS[lanes]
    parts = [range(first, first + columns) for first in range(0, OVERLAP, columns)]
    before = "entry"
    for part in parts:
        before = _inner_products(tile, many, shifts, part, before)
    put("  ret void")
    head = "define void @overlap(ptr %a, ptr %b, i64 %row, i64 %n, ptr %out, i64 %out.row) #0 {"
    return "\n".join([head, *text.lines, "}"])


def _inner_products(
    tile: _Places, many: Numbers, shifts: list[str], columns: range, before: str
) -> str:
    """Write those with some of the others, all of which are summed at once; return the last label.

    Sums and the rows of one side stay in registers.
    """
    text, lanes, t = many.text, many.lanes, many.type
    put, let, name = text.put, text.let, f"of.{columns[0]}"
    each = [(r, c) for r in range(OVERLAP) for c in columns]
    sums = {e: f"%{name}.sum.{e[0]}.{e[1]}" for e in each}

    def places(start: str, which: Sequence[int], at: str) -> list[str]:
        here = _at(text, start, at)
        return [_at(text, here, shifts[i]) for i in which]

    def add(read: Callable[[str], str], at: str, ending: str) -> None:
        right = [read(place) for place in places("%b", columns, at)]
        for r, place in enumerate(places("%a", range(OVERLAP), at)):
            left = read(place)
            for c, y in zip(columns, right, strict=True):
                put(f"  {sums[r, c]}.{ending} = {many.product_and_sum(left, y, sums[r, c])}")

    put(f"  br label %{name}.loop")
    text.label(f"{name}.loop")
    put(f"  %{name}.j = phi i64 [ 0, %{before} ], [ %{name}.j.next, %{name}.body ]")
    for e in each:
        came = f"[ zeroinitializer, %{before} ], [ {sums[e]}.next, %{name}.body ]"
        put(f"  {sums[e]} = phi {t} {came}")
    put(f"  %{name}.more = icmp slt i64 %{name}.j, %end")
    put(f"  br i1 %{name}.more, label %{name}.body, label %{name}.rest")
    text.label(f"{name}.body")
    add(lambda place: let(f"load {t}, ptr {place}, align 8"), f"%{name}.j", "next")
    put(f"  %{name}.j.next = add i64 %{name}.j, {lanes}")
    put(f"  br label %{name}.loop")
    text.label(f"{name}.rest")
    put(f"  %{name}.none = icmp eq i64 %last, 0")
    put(f"  br i1 %{name}.none, label %{name}.write, label %{name}.some")
    text.label(f"{name}.some")
    add(lambda place: tile.read(place, 0), "%end", "more")
    put(f"  br label %{name}.write")
    text.label(f"{name}.write")
    for e in each:
        came = f"[ {sums[e]}, %{name}.rest ], [ {sums[e]}.more, %{name}.some ]"
        put(f"  {sums[e]}.all = phi {t} {came}")
    found, width = _added(text, lanes, [f"{sums[e]}.all" for e in each]), len(columns)
    for r in range(OVERLAP):
        which = range(r * width % lanes, r * width % lanes + width)
        value = _shuffled(text, lanes, found[r * width // lanes], "poison", which)
        place = _at(text, _at(text, "%out", let(f"mul i64 %out.row, {r}")), str(columns[0]))
        put(f"  store <{width} x double> {value}, ptr {place}, align 8")
    return f"{name}.write"


def _added(text: Text, lanes: int, vectors: list[str]) -> list[str]:
    """Return vectors of the sums of the lanes of others, in their order, by pairs of pairs."""
    length = lanes
    while length > 1:
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        halves = (
            [_shuffled(text, lanes, a, b, range(odd, 2 * lanes, 2)) for odd in (0, 1)]
            for a, b in pairs
        )
        vectors = [text.let(f"fadd <{lanes} x double> {a}, {b}") for a, b in halves]
        length //= 2
    return vectors


def _shuffled(text: Text, lanes: int, a: str, b: str, which: Sequence[int]) -> str:
    """Return some of the numbers of two vectors."""
    t, order = f"<{lanes} x double>", ", ".join(f"i32 {i}" for i in which)
    return text.let(f"shufflevector {t} {a}, {t} {b}, <{len(which)} x i32> <{order}>")


def _at(text: Text, pointer: str, index: str) -> str:
    return text.let(f"getelementptr inbounds double, ptr {pointer}, i64 {index}")


class _Places:
    """Lanes of columns in memory, the last of which may be there in part."""

    def __init__(self, many: Numbers, wide: int) -> None:
        self.text, self.type, self.lanes, self.wide = many.text, many.type, many.lanes, wide
        self.truth, kind = many.truth, f"v{many.lanes}f64"
        self._load, self._store = f"@llvm.masked.load.{kind}.p0", f"@llvm.masked.store.{kind}.p0"
        t, mask = many.type, many.truth
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
