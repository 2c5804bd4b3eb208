"""A field and its Jacobian at one state, as functions for loops that call them."""

from __future__ import annotations

from typing import Any

from .code import Numbers, Text, inputs_of, module, write
from .derivative import pushed
from .graph import Graph, Symbol, ancestors
from .machine import machine
from .program import Program

#: Functions of this process, by what their programs do, and how many there may be.
_known: dict[Any, tuple[int, int]] = {}
_MOST = 256


def field_functions(program: Program) -> tuple[int, int]:
    """Return the addresses of a field and its Jacobian, which take addresses.

    Those of state ``(n,)``, input and time ``(m,)``, parameters, and of what is written: ``(n,)``
    or ``(n, n)``.

    Parameters
    ----------
    program : Program
        Whose step is the field.
    """
    key = program.identity
    if key not in _known:
        if len(_known) >= _MOST:
            _known.pop(next(iter(_known)))
        _known[key] = _compiled(program)
    return _known[key]


def _compiled(program: Program) -> tuple[int, int]:
    text = Text()
    graph, columns = _columns(program)
    n = program.dim
    slopes = [columns[j][i] for i in range(n) for j in range(n)]
    functions = [_function(text, "field", graph, program.step)]
    functions.append(_function(text, "slopes", graph, slopes))
    found = machine().functions(module(functions, text.declared))
    return found["field"], found["slopes"]


def _columns(program: Program) -> tuple[Graph, list[list[int]]]:
    """Return a graph with the nodes of the Jacobian's columns."""
    graph = Graph()
    graph.nodes, graph._known = list(program.graph.nodes), dict(program.graph._known)
    zero, one = graph.constant(0.0), graph.constant(1.0)
    states = graph.inputs("x", (program.dim,))
    columns = []
    for x in states:
        tangent: list[Symbol | None] = pushed(graph, program.step, {x.at: one})
        columns.append([(zero if t is None else t).at for t in tangent])
    return graph, columns


def _function(text: Text, name: str, graph: Graph, nodes: list[int]) -> str:
    """Write a function that stores the values of nodes."""
    text.lines = []
    numbers = Numbers(text)
    text.label("entry")
    given = inputs_of(graph, nodes)
    values = {at: numbers.load(f"%{which}", i) for at, which, i in given}
    write(numbers, graph, ancestors(graph, nodes), values)
    for i, at in enumerate(nodes):
        numbers.store(values[at], "%out", i)
    head = f"define void @{name}(ptr %x, ptr %u, ptr %p, ptr %out) #0 {{"
    return "\n".join([head, *text.lines, "  ret void\n}"])
