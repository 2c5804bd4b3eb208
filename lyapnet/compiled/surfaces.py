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
        """Say whether state, input or time enters a node; what is the same in all steps does not."""
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
        Nodes of the field.
    tableau : Tableau
        Of the method.
    drive : tuple of int
        Number of inputs, degree of their interpolation, and whether the field depends on time.
    changed : int
        The node of the *step's* graph that says whether decisions change within it; its inputs
        ``a`` say of which decisions this matters.
    """

    graph: FieldGraph
    field: list[int]
    tableau: Any
    drive: tuple[int, int, int]
    changed: int = -1

    @property
    def decisions(self) -> list[tuple[str, int]]:
        """Kind of each decision, and the node of what decides."""
        return list(self.graph.decisions)

    @property
    def value(self) -> list[int]:
        """Nodes of the field without a derivative of the user's own, and of what decides."""
        nodes = self.graph.nodes
        field = [nodes[at][1][0] if nodes[at][0] in STANDING_FOR else at for at in self.field]
        return [*field, *(at for _, at in self.decisions)]

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells it from all others, but for the numbers of its nodes."""
        nodes = tuple((name, repr(arguments)) for name, arguments in self.graph.nodes)
        return nodes, tuple(self.field), tuple(self.decisions), self.tableau, self.drive, self.changed


def surfaces_of(
    function: Callable[..., Any], with_derivative: Callable[..., Any], dim: int, p: Any,
    tableau: Any, drive: Any,
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
    tableau : Tableau
    drive : Drive
    """
    graph = FieldGraph()
    x = graph.inputs("x", (dim,))
    width = drive.n_inputs + int(drive.time)
    given = x, graph.inputs("u", (width,)) if width else None, p(graph)
    f = function(*given)
    told = drive.n_inputs, drive.degree, int(drive.time)
    found = Surfaces(graph, [s.at for s in symbols_of(f, graph, (dim,), "field")], tableau, told)
    if jumps := jumps_among(graph, ancestors(graph, found.value)):
        raise Untraceable(f"the field may jump ({jumps}): steps end where it does")
    count = len(graph.decisions)
    f = with_derivative(*given, f)
    found.field = [s.at for s in symbols_of(f, graph, (dim,), "field")]
    if len(graph.decisions) > count:
        raise Untraceable("`jacobian` may jump where the field does not")
    return found


class Steps:
    """The stages of steps, written down in another graph.

    Parameters
    ----------
    surfaces : Surfaces
    graph : Graph
    """

    def __init__(self, surfaces: Surfaces, graph: Graph) -> None:
        self.surfaces, self.graph = surfaces, graph
        #: What each stage decides by: nodes of whole numbers, and of what has a sign.
        self._made: list[list[Symbol]] = []

    def field(self, x: Any, now: Any) -> Any:
        """Return the field of a stage."""
        values = self._values(x, now, [*self.surfaces.field, *self._of])
        found = [values[at] for at in self.surfaces.field]
        return array_of(found, (len(found),))

    def end(self, x: Any, now: Any) -> None:
        """Look at what is decided at the end of a step."""
        self._values(x, now, self._of)

    @property
    def _of(self) -> list[int]:
        return [at for _, at in self.surfaces.decisions]

    def _values(self, x: Any, now: Any, wanted: Sequence[int]) -> dict[int, Symbol]:
        """Return the symbols of nodes of the field at a state, decisions made."""
        graph, decisions = self.graph, self.surfaces.decisions
        nodes, values = self.surfaces.graph.nodes, {}
        given = {"x": x, "u": now}
        for at in ancestors(self.surfaces.graph, wanted):
            operation, arguments = nodes[at]
            if operation == "constant":
                values[at] = graph.constant(arguments[0])
            elif operation == "input":
                name, i = arguments
                if name == "s":
                    kind, of = decisions[i]
                    values[at] = graph.apply(kind, values[of])
                elif name == "p":
                    values[at] = graph.add("input", arguments)
                else:
                    values[at] = graph.symbol(given[name][i])
            elif operation in STANDING_FOR:
                values[at] = graph.add(operation, tuple(values[i].at for i in arguments))
            else:
                first = nodes[arguments[0]]
                if operation in COMPARISONS and first[0] == "input" and first[1][0] == "s":
                    arguments = decisions[first[1][1]][1], arguments[1]
                values[at] = graph.apply(operation, *(values[i] for i in arguments))
        self._made.append(
            [values[of] if kind == "sign" else graph.apply(kind, values[of]) for kind, of in decisions]
        )
        return values

    def changed(self) -> Symbol | None:
        """Return whether decisions of later stages differ from the first's, None if none can."""
        graph, found = self.graph, []
        first, *others = self._made
        for j, (kind, _) in enumerate(self.surfaces.decisions):
            apart = [
                _differ(graph, kind, first[j], made[j]) for made in others if made[j].at != first[j].at
            ]
            if apart:
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
