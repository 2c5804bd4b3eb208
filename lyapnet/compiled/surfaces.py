"""A field that jumps, written down: what it decides, and the field given its decisions.

Outcomes of decisions (signs, whole numbers) are inputs of the field, which is smooth for each of
them. A step is written by the field of its stages, each of which decides by itself, with a node
that says whether they differ from each other: then the step may meet a surface, and is divided
(see `crossing`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from .graph import Graph, Symbol, ancestors
from .operations import (
    ALIASES,
    COMPARISONS,
    DECIDED,
    QUOTIENTS,
    STANDING_FOR,
    Untraceable,
)
from .symbols import array_of
from .trace import jumps_among, symbols_of


class FieldGraph(Graph):
    """The graph of a field: functions that jump are decisions, whose outcomes are inputs ``s``.

    Attributes
    ----------
    decisions : dict
        Kind and node of what decides, to the number of the decision.
    """

    def __init__(self) -> None:
        super().__init__()
        self.decisions: dict[tuple[str, int], int] = {}
        self._varying: list[bool] = []

    def apply(self, name: str, *operands: Any) -> Any:
        """Return the symbol of an operation on symbols and numbers; see `Graph.apply`."""
        name = ALIASES.get(name, name)
        if name not in DECIDED:
            return super().apply(name, *operands)
        x, *others = [self.symbol(operand).as_number() for operand in operands]
        of = x
        for y in others:
            of = x / y if name in QUOTIENTS else x - y
        if not self._varies(of.at):
            return super().apply(name, x, *others)
        decision = self.decisions.setdefault((DECIDED[name], of.at), len(self.decisions))
        outcome = self.add("input", ("s", decision))
        if name in COMPARISONS:
            return super().apply(name, outcome, 0.0)
        return x - others[0] * outcome if others else outcome

    def _varies(self, at: int) -> bool:
        """Say whether state, input or time enters a node: what is always the same does not jump."""
        for operation, arguments in self.nodes[len(self._varying) :]:
            if operation == "input":
                self._varying.append(arguments[0] != "p")
            else:
                given = () if operation == "constant" else arguments
                self._varying.append(any(self._varying[i] for i in given))
        return self._varying[at]


@dataclass
class Surfaces:
    """What a field that jumps does, and how the steps go along it.

    Attributes
    ----------
    graph : FieldGraph
        Its inputs are ``x`` (state), ``u`` (input and time), ``p`` (parameters), ``s`` (outcomes).
    field : list of int
        Nodes of the field, with a derivative of the user's own if there is one.
    method : ExplicitRungeKutta
    drive : Drive
    changed : int
        The node of the *step's* graph that says whether decisions change within it; its inputs
        ``a`` say of which decisions this matters.
    """

    graph: FieldGraph
    field: list[int]
    method: Any
    drive: Any
    changed: int = -1

    @property
    def decisions(self) -> list[tuple[str, int]]:
        """Kind of each decision, and the node of what decides."""
        return list(self.graph.decisions)

    @property
    def plain(self) -> list[int]:
        """Nodes of the field without a derivative of the user's own."""
        nodes = self.graph.nodes
        return [nodes[at][1][0] if nodes[at][0] in STANDING_FOR else at for at in self.field]

    @property
    def width(self) -> int:
        """Numbers in the row of a step."""
        drive = self.drive
        return int((drive.degree + 1) * drive.n_inputs + drive.time)

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells it from all others."""
        nodes = tuple((name, repr(arguments)) for name, arguments in self.graph.nodes)
        driven = self.drive.n_inputs, self.drive.degree, self.drive.time
        how = self.method.tableau, *driven, self.changed
        return nodes, tuple(self.field), tuple(self.decisions), how


def surfaces_of(
    function: Callable[..., Any], with_derivative: Callable[..., Any], dim: int, p: Any,
    method: Any, drive: Any,
) -> Surfaces:  # fmt: skip
    """Write down a field that jumps.

    Parameters
    ----------
    function : callable (x, now, p)
        The field.
    with_derivative : callable (x, now, p, f)
        Returns the field f with a derivative of the user's own, if there is one.
    dim : int
    p : callable (graph)
        Returns the parameters as symbols of a graph.
    method : ExplicitRungeKutta
    drive : Drive
    """
    graph = FieldGraph()
    x = graph.inputs("x", (dim,))
    width = drive.n_inputs + int(drive.time)
    given = x, graph.inputs("u", (width,)) if width else None, p(graph)
    f = function(*given)
    found = Surfaces(graph, [s.at for s in symbols_of(f, graph, (dim,), "field")], method, drive)
    needed = [*found.field, *(at for _, at in found.decisions)]
    if jumps := jumps_among(graph, ancestors(graph, needed)):
        raise Untraceable(f"the field may jump ({jumps}): steps end where it does")
    count = len(graph.decisions)
    f = with_derivative(*given, f)
    found.field = [s.at for s in symbols_of(f, graph, (dim,), "field")]
    if len(graph.decisions) > count:
        raise Untraceable("`jacobian` may jump where the field does not")
    return found


class Stages:
    """The field at stages of steps, written down in another graph.

    Parameters
    ----------
    surfaces : Surfaces
    graph : Graph
    told : bool
        Whether outcomes are inputs ``s`` of it, too; else each stage decides by itself.
    """

    def __init__(self, surfaces: Surfaces, graph: Graph, told: bool = False) -> None:
        self.surfaces, self.graph, self.told = surfaces, graph, told
        #: What each stage decides by: whole numbers, and what has a sign.
        self._made: list[list[Symbol]] = []

    def at(self, x: Any, now: Any, wanted: Sequence[int]) -> Any:
        """Return nodes of the field at a state, input and time as symbols of the graph."""
        field, decisions = self.surfaces.graph, self.surfaces.decisions
        values: dict[int, Symbol] = {}
        for at in ancestors(field, [*wanted, *(of for _, of in decisions)]):
            values[at] = self._value(*field.nodes[at], values, {"x": x, "u": now})
        if not self.told:
            self._made.append([self._outcome(kind, values[of]) for kind, of in decisions])
        return array_of([values[at] for at in wanted], (len(wanted),))

    def _value(
        self, operation: str, arguments: tuple[Any, ...], values: dict[int, Symbol], given: Any
    ) -> Symbol:
        graph, decisions = self.graph, self.surfaces.decisions
        if operation == "constant":
            return graph.constant(arguments[0])
        if operation == "input":
            name, i = arguments
            if name in given:
                return graph.symbol(given[name][i])
            if name == "p" or self.told:
                return graph.add("input", arguments)
            kind, of = decisions[i]
            return graph.apply(kind, values[of])
        if operation in STANDING_FOR:
            return graph.add(operation, tuple(values[i].at for i in arguments))
        first, *others = arguments
        by, of = self.surfaces.graph.nodes[first]
        if operation in COMPARISONS and (by, of[0]) == ("input", "s") and not self.told:
            first = decisions[of[1]][1]  # a number has the sign of its sign
        return graph.apply(operation, values[first], *(values[i] for i in others))

    def _outcome(self, kind: str, of: Symbol) -> Symbol:
        return of if kind == "sign" else self.graph.apply(kind, of)

    def changed(self) -> Symbol | None:
        """Return whether decisions of later stages differ from the first's, None if none can."""
        graph, found = self.graph, []
        first, *others = self._made
        for j, (kind, _) in enumerate(self.surfaces.decisions):
            later = {made[j].at: made[j] for made in others if made[j].at != first[j].at}
            if later:
                apart = [_differ(graph, kind, first[j], x) for x in later.values()]
                active = graph.apply("greater", graph.add("input", ("a", j)), 0.5)
                found.append(graph.apply("logical_and", active, _any(graph, apart)))
        return _any(graph, found) if found else None


def _any(graph: Graph, truths: list[Symbol]) -> Symbol:
    return reduce(lambda a, b: graph.apply("logical_or", a, b), truths)


def _differ(graph: Graph, kind: str, a: Symbol, b: Symbol) -> Symbol:
    """Return whether two outcomes differ: whole numbers, or the signs of two numbers."""
    if kind != "sign":
        return graph.apply("not_equal", a, b)
    sides = [[graph.apply(name, x, 0.0) for x in (a, b)] for name in ("greater", "less")]
    return _any(graph, [graph.apply("logical_xor", *side) for side in sides])
