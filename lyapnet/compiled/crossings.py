"""Where steps may meet surfaces at which a field jumps, as text; see `across` for what follows."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from .code import Numbers, Text, inputs_of, write
from .derivative import pushed
from .graph import Graph, ancestors
from .program import Program
from .surfaces import Stages, Surfaces

_NAME = "lyapnet.across"


def crossings_of(text: Text, program: Program, k: int, lanes: int) -> Crossings | None:
    """Return what becomes of steps that may meet surfaces, None if there are none."""
    return None if program.surfaces is None else Crossings(text, program, k, lanes)


def room(program: Program, k: int, lanes: int) -> int:
    """Return the numbers that are needed as room."""
    if program.surfaces is None:
        return 0
    from .across import room_for

    work = room_for(Crossings(Text(), program, k, lanes).sizes, k)
    return work + lanes * (1 + 2 * program.dim * (1 + k))


class Crossings:
    """The text of what becomes of a step that may meet surfaces.

    Parameters
    ----------
    text : Text
    program : Program
        With `surfaces`.
    k : int
        Number of tangent vectors.
    lanes : int
    """

    def __init__(self, text: Text, program: Program, k: int, lanes: int) -> None:
        from .across import sizes  # numba takes its time

        assert program.surfaces is not None
        self.text, self.program, self.k, self.lanes = text, program, k, lanes
        self.surfaces = program.surfaces
        params = [i for _, name, i in inputs_of(program.graph, program.wanted) if name == "p"]
        kinds = [kind for kind, _ in self.surfaces.decisions]
        self.sizes = sizes(
            program.dim, kinds, self.surfaces.width, max(params, default=-1) + 1, lanes
        )

    def functions(self) -> list[str]:
        """Write what steps are divided by: field, step and tangent step, given their decisions."""
        from .callbacks import link

        link(_NAME)
        pointers = ", ".join(["ptr"] * 7)
        self.text.declared[_NAME] = (
            f"declare void @{_NAME}(i64, i64, i64, {pointers}, i64, i64, i64, ptr, ptr, ptr, ptr)"
        )
        words = ", ".join(f"i64 {a}" for a in self.sizes)
        graph, value, after, pushed = _given_decisions(self.surfaces, self.program.dim)
        return [
            f"@sizes = internal constant [{len(self.sizes)} x i64] [{words}]",
            _function(self.text, "value", graph, {"out": value}),
            _function(self.text, "advance", graph, {"out": after}),
            _function(self.text, "tangent", graph, {"out": after, "moved": pushed}),
        ]

    def enter(self, offset: int = 0) -> None:
        """Write where the room is, so many numbers behind the beginning of the scratch."""
        n, many = self.program.dim, self.lanes
        put = self.text.put
        put(f"  %meets = getelementptr inbounds double, ptr %scratch, i64 {offset}")
        ends = (many, n * many, n * many, self.k * n * many, self.k * n * many)
        names = ("meets", "x.before", "x.after", "q.before", "q.after", "work")
        for (a, b), count in zip(itertools.pairwise(names), ends, strict=True):
            put(f"  %{b} = getelementptr inbounds double, ptr %{a}, i64 {count}")
        put("  %at.known = getelementptr inbounds double, ptr %d, i64 1")
        put("  %known = load ptr, ptr %at.known")

    def step(
        self, numbers: Numbers, values: dict[int, str], s: str, state: list[str], push: list[str]
    ) -> list[str]:
        """Write what follows a step s, up to the label `moved`; return state and vectors.

        Parameters
        ----------
        numbers : Numbers
        values : dict
            Of the nodes of the step; they come from the label `body`.
        s : str
        state, push : list of str
            After the plain step; vectors one after the other, or none.
        """
        n, text = self.program.dim, self.text
        self.branch(numbers, values, "moved")
        rows = [values[at] for at in self._inputs("q")[: len(push)]]
        for name, given in (("q.before", rows), ("q.after", push)):
            self._store(numbers, name, given)
        found = self.call(numbers, values, s, state, len(push) // n, self.lanes, n * self.lanes)
        found += self._loaded(numbers, "q.after", len(push))
        text.put("  br label %moved")
        text.label("moved")
        pairs = zip([*state, *push], found, strict=True)
        return [
            text.let(f"phi {numbers.type} [ {plain}, %body ], [ {across}, %across ]")
            for plain, across in pairs
        ]

    def branch(self, numbers: Numbers, values: dict[int, str], otherwise: str) -> None:
        """Write a branch to the label `across`, if decisions change in the step, or another one."""
        changed = values[self.surfaces.changed]
        self.text.put(f"  br i1 {numbers.any(changed)}, label %across, label %{otherwise}")
        self.text.label("across")
        words = "i64" if self.lanes == 1 else f"<{self.lanes} x i64>"
        told = self.text.let(f"zext {numbers.truth} {changed} to {words}")
        self.text.put(f"  store {words} {told}, ptr %meets, align 8")

    def call(
        self, numbers: Numbers, values: dict[int, str], s: str, state: list[str], k: int,
        component: int, vector: int, before: str = "%q.before", after: str = "%q.after",
    ) -> list[str]:  # fmt: skip
        """Write the call, and return the state after the step; see `across.SIGNATURE`."""
        self._store(numbers, "x.before", [values[at] for at in self._inputs("x")])
        self._store(numbers, "x.after", state)
        row = numbers.place("%u", self.text.let(f"mul i64 {s}, %width"))
        pointers = "@sizes", "%d", "%known", row, "%p", before, after
        last = "%meets", "%x.before", "%x.after", "%work"
        given = [f"i64 ptrtoint (ptr @{name} to i64)" for name in ("value", "advance", "tangent")]
        given += [f"ptr {p}" for p in pointers] + [f"i64 {i}" for i in (k, component, vector)]
        given += [f"ptr {p}" for p in last]
        self.text.put(f"  call void @{_NAME}({', '.join(given)})")
        return self._loaded(numbers, "x.after", self.program.dim)

    def _inputs(self, name: str) -> list[int]:
        """Return the nodes of inputs of a name, in their order."""
        given = inputs_of(self.program.graph, self.program.wanted)
        return [at for _, at in sorted((i, at) for at, which, i in given if which == name)]

    def _store(self, numbers: Numbers, name: str, values: list[str]) -> None:
        for i, value in enumerate(values):
            numbers.store(value, f"%{name}", i)

    def _loaded(self, numbers: Numbers, name: str, count: int) -> list[str]:
        return [numbers.load(f"%{name}", i) for i in range(count)]


def _given_decisions(surfaces: Surfaces, n: int) -> tuple[Graph, list[int], list[int], list[int]]:
    """Write down field and step, with what decides at the end, given the outcomes of decisions.

    Inputs ``t`` are the begin of a part, its length, and the time step; ``q`` are tangents of the
    state, and ``t[3], t[4]`` of the first two.
    """
    graph = Graph()
    x, u = graph.inputs("x", (n,)), graph.inputs("u", (surfaces.width,))
    begin, h, dt, *moves = graph.inputs("t", (5,))
    drive, stages = replace(surfaces.drive, dt=dt), Stages(surfaces, graph, told=True)
    of = [at for _, at in surfaces.decisions]

    def at(y: Any, c: float, wanted: list[int]) -> Any:
        now = drive.now(u, (begin + c * h) / dt) if surfaces.width else None
        return stages.at(y, now, wanted)

    value = at(x, 0.0, [*surfaces.plain, *of])
    y = surfaces.method.step(lambda y, c: at(y, c, surfaces.plain), None, x, h)
    after = [s.at for s in (*y, *at(y, 1.0, of))]
    seeds = dict(zip((s.at for s in x), graph.inputs("q", (n,)), strict=True))
    found = pushed(graph, after, {**seeds, begin.at: moves[0], h.at: moves[1]})
    zero = graph.constant(0.0)
    return graph, [s.at for s in value], after, [(zero if t is None else t).at for t in found]


def _function(text: Text, name: str, graph: Graph, found: dict[str, list[int]]) -> str:
    """Write a function that stores the values of nodes, those of each name one after the other."""
    text.lines = []
    numbers, wanted = Numbers(text), [at for nodes in found.values() for at in nodes]
    text.label("entry")
    values = {at: numbers.load(f"%{which}", i) for at, which, i in inputs_of(graph, wanted)}
    write(numbers, graph, ancestors(graph, wanted), values)
    for out, nodes in found.items():
        for i, at in enumerate(nodes):
            numbers.store(values[at], f"%{out}", i)
    tangents = "ptr %q, " if "moved" in found else ""
    outs = ", ".join(f"ptr %{out}" for out in found)
    given = "ptr %x, ptr %u, ptr %p, ptr %s, ptr %t"
    head = f"define internal void @{name}({given}, {tangents}{outs}) #0 {{"
    return "\n".join([head, *text.lines, "  ret void\n}"])
