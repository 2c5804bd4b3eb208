"""A field and its Jacobian at one state, as functions for loops that call them."""

from __future__ import annotations

from typing import Any, NamedTuple

from .blas import call
from .code import Numbers, Text, inputs_of, module, write
from .derivative import pushed
from .graph import Graph, Symbol, ancestors
from .jit import jit_in_order, loop_in_order
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


class Field(NamedTuple):
    """Where a field and its Jacobian are, and how the rows of steps are read (see `Drive`)."""

    field: int
    slopes: int
    n_inputs: int
    degree: int
    time: int
    dt: float


def field_of(program: Program, drive: Any) -> Field:
    """Return the field that a program writes down, of a flow with a `Drive`."""
    functions = field_functions(program)
    return Field(*functions, drive.n_inputs, drive.degree, int(drive.time), drive.dt)


@jit_in_order
def drive_at(field: Field, row: Any, theta: float, now: Any) -> None:
    """Write input and time at a fraction of a step."""
    m, d = field.n_inputs, field.degree
    for i in range(m):
        u = row[d * m + i]
        for j in range(d - 1, -1, -1):
            u = u * theta + row[j * m + i]
        now[i] = u
    if field.time:
        now[m] = row[(d + 1) * m] + theta * field.dt


@loop_in_order
def field_at(field: Field, x: Any, row: Any, p: Any, now: Any, found: Any) -> None:
    """Write the field at the beginning of a step."""
    drive_at(field, row, 0.0, now)
    call(field.field, (x.ctypes.data, now.ctypes.data, p.ctypes.data, found.ctypes.data))
