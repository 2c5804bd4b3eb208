"""Inner products of a few rows with as many others, as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .code import Numbers, Text
from .places import Places, at_number

#: Inner products of so many rows with as many are taken by one call, ...
OVERLAP = 4

#: ... with so many of these at once: more sums than this, with both sides, fill the registers.
COLUMNS = {8: 4, 4: 2}


def overlap(text: Text, lanes: int) -> str:
    """Write what takes the inner products of a few rows ``(.., n)`` with as many others."""
    text.lines = []
    many, put, let = Numbers(text, lanes), text.put, text.let
    text.label("entry")
    shifts = [let(f"mul i64 %row, {r}") for r in range(OVERLAP)]
    put(f"  %whole = sdiv i64 %n, {lanes}")
    put(f"  %end = mul i64 %whole, {lanes}")
    put("  %last = sub i64 %n, %end")
    tile = Places(many, 1)
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
    tile: Places, many: Numbers, shifts: list[str], columns: range, before: str
) -> str:
    """Write those with some of the others, all of which are summed at once; return the last label.

    Sums and the rows of one side stay in registers.
    """
    text, lanes, t = many.text, many.lanes, many.type
    put, let, name = text.put, text.let, f"of.{columns[0]}"
    each = [(r, c) for r in range(OVERLAP) for c in columns]
    sums = {e: f"%{name}.sum.{e[0]}.{e[1]}" for e in each}

    def places(start: str, which: Sequence[int], at: str) -> list[str]:
        here = at_number(text, start, at)
        return [at_number(text, here, shifts[i]) for i in which]

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
        place = at_number(
            text, at_number(text, "%out", let(f"mul i64 %out.row, {r}")), str(columns[0])
        )
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
