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
from .overlap import overlap
from .places import Places, at_number

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
    functions.append(overlap(text, lanes))
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
    text.label("entry")
    shifts = [let(f"mul i64 %a.row, {r}") for r in range(rows)]
    to = [at_number(text, "%c", let(f"mul i64 %c.row, {r}")) for r in range(rows)]
    tile = Places(many, wide)
    tile.mask()
    put(f"  %whole = icmp eq i64 %last, {lanes}")
    put("  br i1 %whole, label %whole.entry, label %part.entry")
    for way in ("whole", "part"):  # a mask costs time, and mostly there is nothing to leave out
        tile.masked = way == "part"
        _multiply(tile, many, way, kind == "solution", shifts, to)
    head = (
        f"define void @{_name(kind, rows, wide)}(ptr %a, i64 %a.row, i64 %a.depth, ptr %b, "
        "i64 %b.depth, ptr %c, i64 %c.row, i64 %depth, i64 %last, i64 %flag) #0 {"
    )
    return "\n".join([head, *text.lines, "}"])


def _multiply(
    tile: Places, many: Numbers, way: str, solves: bool, shifts: list[str], to: list[str]
) -> None:
    """Write one of the ways through a tile, from its entry to its return."""
    text, put, let = many.text, many.text.put, many.text.let
    each = [(r, w) for r in range(len(to)) for w in range(tile.wide)]
    sums = {(r, w): f"%{way}.sum.{r}.{w}" for r, w in each}
    text.label(f"{way}.entry")
    put(f"  %{way}.reads = icmp ne i64 {1 if solves else '%flag'}, 0")
    put(f"  br i1 %{way}.reads, label %{way}.read, label %{way}.begin")
    text.label(f"{way}.read")
    old = {(r, w): tile.read(to[r], w) for r, w in each}
    put(f"  br label %{way}.begin")
    text.label(f"{way}.begin")
    zero = f"[ zeroinitializer, %{way}.entry ]"
    first = {e: let(f"phi {many.type} {zero}, [ {old[e]}, %{way}.read ]") for e in each}
    put(f"  br label %{way}.loop")
    text.label(f"{way}.loop")
    x, y, d = (f"%{way}.{name}" for name in "xyd")
    for name, kind, start in ((x, "ptr", "%a"), (y, "ptr", "%b"), (d, "i64", "0")):
        put(f"  {name} = phi {kind} [ {start}, %{way}.begin ], [ {name}.next, %{way}.body ]")
    for e in each:
        old_sum, new_sum = f"[ {first[e]}, %{way}.begin ]", f"[ {sums[e]}.next, %{way}.body ]"
        put(f"  {sums[e]} = phi {many.type} {old_sum}, {new_sum}")
    put(f"  %{way}.more = icmp slt i64 {d}, %depth")
    put(f"  br i1 %{way}.more, label %{way}.body, label %{way}.done")
    text.label(f"{way}.body")
    right = [tile.read(y, w) for w in range(tile.wide)]
    for r, shift in enumerate(shifts):
        left = let(f"load double, ptr {at_number(text, x, shift)}, align 8")
        left = many.splat(let(f"fneg double {left}") if solves else left)
        for w in range(tile.wide):
            put(f"  {sums[r, w]}.next = {many.product_and_sum(left, right[w], sums[r, w])}")
    put(f"  {x}.next = getelementptr inbounds double, ptr {x}, i64 %a.depth")
    put(f"  {y}.next = getelementptr inbounds double, ptr {y}, i64 %b.depth")
    put(f"  {d}.next = add i64 {d}, 1")
    put(f"  br label %{way}.loop")
    text.label(f"{way}.done")
    found = sums
    if solves:
        put(f"  %{way}.triangle = icmp ne i64 %flag, 0")
        put(f"  br i1 %{way}.triangle, label %{way}.solve, label %{way}.write")
        text.label(f"{way}.solve")
        solved = _substituted(many, x, sums, shifts, tile.wide)
        put(f"  br label %{way}.write")
        text.label(f"{way}.write")
        came = {e: f"[ {sums[e]}, %{way}.done ], [ {solved[e]}, %{way}.solve ]" for e in each}
        found = {e: let(f"phi {many.type} {came[e]}") for e in each}
    for r, w in each:
        tile.write(found[r, w], to[r], w)
    put("  ret void")


def _substituted(
    many: Numbers, x: str, sums: dict[tuple[int, int], str], shifts: list[str], wide: int
) -> dict[tuple[int, int], str]:
    """Write the sums multiplied by the inverse of the triangle at x, row after row."""
    text, one = many.text, Numbers(many.text)
    found: dict[tuple[int, int], str] = {}
    for r, shift in enumerate(shifts):
        row = at_number(text, x, shift)
        entries = []
        for s in range(r + 1):
            at = at_number(text, row, text.let(f"mul i64 %a.depth, {s}"))
            entries.append(text.let(f"load double, ptr {at}, align 8"))
        inverse = many.splat(text.let(f"fdiv double {one.literal(1.0)}, {entries[r]}"))
        less = [many.splat(text.let(f"fneg double {entries[s]}")) for s in range(r)]
        for w in range(wide):
            value = sums[r, w]
            for s in range(r):
                value = many.fused(less[s], found[s, w], value)
            found[r, w] = text.let(f"fmul {many.type} {value}, {inverse}")
    return found
