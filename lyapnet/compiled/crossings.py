"""Where steps may meet surfaces at which a field jumps, as text; see `across` for what follows."""

from __future__ import annotations

import itertools

from .code import Numbers, Text, inputs_of, write
from .derivative import pushed
from .graph import Graph, ancestors
from .operations import KINDS
from .program import Program
from .surfaces import Surfaces

_NAME = "lyapnet.across"


def crossings_of(text: Text, program: Program, k: int, lanes: int) -> Crossings | None:
    """Return what becomes of steps that may meet surfaces, None if there are none."""
    return None if program.surfaces is None else Crossings(text, program, k, lanes)


def room(program: Program, k: int, lanes: int) -> int:
    """Return the numbers that are needed as room."""
    if program.surfaces is None:
        return 0
    n, m = program.dim, len(program.surfaces.decisions)
    work = Crossings(Text(), program, k, lanes).sizes[-m - 1]
    return int(work) + lanes * (1 + 2 * n + 2 * k * n)


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
        params = inputs_of(program.graph, program.wanted)
        self.sizes = sizes(
            (program.dim, len(self.surfaces.decisions), len(self.surfaces.tableau.nodes),
             *self.surfaces.drive, lanes),
            1 + max((i for _, name, i in params if name == "p"), default=-1), k,
            [KINDS.index(kind) for kind, _ in self.surfaces.decisions],
        )  # fmt: skip

    def functions(self) -> list[str]:
        """Write what steps are divided by: the field and its tangent, given its decisions."""
        from .callbacks import link

        link(_NAME)
        graph, value, tangents = _with_tangents(self.surfaces)
        tableau = self.surfaces.tableau
        s = len(tableau.nodes)
        rows = [[*row, *[0.0] * (s - len(row))] for row in tableau.rows]
        numbers = [*tableau.nodes, *(a for row in rows for a in row), *tableau.weights]
        literal = Numbers(Text()).literal
        table = ", ".join(f"double {literal(a)}" for a in numbers)
        words = ", ".join(f"i64 {a}" for a in self.sizes)
        self.text.declared[_NAME] = (
            f"declare void @{_NAME}(i64, i64, {', '.join(['ptr'] * 8)}, i64, i64, i64, "
            "ptr, ptr, ptr, ptr) cold"
        )
        return [
            f"@tableau = internal constant [{len(numbers)} x double] [{table}]",
            f"@sizes = internal constant [{len(self.sizes)} x i64] [{words}]",
            _function(self.text, "value", "ptr %out", graph, {"out": value}),
            _function(
                self.text, "tangent", "ptr %q, ptr %r, ptr %out, ptr %moved", graph,
                {"out": value, "moved": tangents},
            ),
        ]  # fmt: skip

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
        pointers = "@sizes", "@tableau", "%d", "%known", row, "%p", before, after
        last = "%meets", "%x.before", "%x.after", "%work"
        given = [f"i64 ptrtoint (ptr @{name} to i64)" for name in ("value", "tangent")]
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


def _with_tangents(surfaces: Surfaces) -> tuple[Graph, list[int], list[int]]:
    """Return a graph with the nodes of field and decisions, and of their tangents."""
    graph = Graph()
    graph.nodes, graph._known = list(surfaces.graph.nodes), dict(surfaces.graph._known)
    seeds = {}
    for at, name, i in inputs_of(graph, surfaces.value):
        if name in "xu":
            seeds[at] = graph.add("input", ("q" if name == "x" else "r", i))
    found = pushed(graph, surfaces.value, seeds)
    zero = graph.constant(0.0)
    return graph, surfaces.value, [(zero if t is None else t).at for t in found]


def _function(
    text: Text, name: str, parameters: str, graph: Graph, found: dict[str, list[int]]
) -> str:
    """Write a function that stores the values of nodes, those of each name one after the other."""
    text.lines = []
    numbers, wanted = Numbers(text), [at for nodes in found.values() for at in nodes]
    text.label("entry")
    values = {at: numbers.load(f"%{which}", i) for at, which, i in inputs_of(graph, wanted)}
    write(numbers, graph, ancestors(graph, wanted), values)
    for out, nodes in found.items():
        for i, at in enumerate(nodes):
            numbers.store(values[at], f"%{out}", i)
    given = "ptr %x, ptr %u, ptr %p, ptr %s"
    head = f"define internal void @{name}({given}, {parameters}) #0 {{"
    return "\n".join([head, *text.lines, "  ret void\n}"])
