"""Operations on numbers gathered into operations on arrays.

A sum over pairs in two loops of Python is thousands of operations on numbers, few of which differ
in more than the numbers they take. Those that are equally far from the inputs do not need each
other: of each kind they are one operation on arrays, whose arguments are taken from arrays that are
there before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from .graph import Graph, ancestors
from .operations import STANDING_FOR, Untraceable

#: Operations on numbers in a step that are gathered, at most.
MOST_GATHERED = 50_000


def gathered(numbers: Graph, wanted: Sequence[int], x: Any) -> Any:
    """Return some nodes of a graph of numbers as an array, in the graph of the state x."""
    graph, where = x.graph, _Places(x.graph)
    groups: dict[Any, list[int]] = defaultdict(list)
    depth: dict[int, int] = {}
    for at in ancestors(numbers, wanted):
        operation, arguments = numbers.nodes[at]
        if operation in STANDING_FOR:
            raise Untraceable("a Jacobian that is given is not gathered")
        leaf = operation in ("input", "constant")
        depth[at] = 0 if leaf else 1 + max(depth[i] for i in arguments)
        groups[depth[at], arguments[0] if operation == "input" else operation].append(at)
    for (level, name), nodes in sorted(groups.items(), key=lambda item: item[0][0]):
        given = [numbers.nodes[at][1] for at in nodes]
        if level:
            operands = [where.taken(column) for column in zip(*given, strict=True)]
            found = graph.symbol(graph.apply(name, *operands)).as_number()
            where.put(nodes, found, range(len(nodes)))
        elif name == "constant":
            where.put(nodes, graph.symbol(np.array([x for (x,) in given])), range(len(nodes)))
        else:
            places = [i for _, i in given]
            shape = () if name == "d" else (max(places) + 1,)
            where.put(nodes, x if name == "x" else graph.inputs(name, shape), places)
    return where.taken(wanted)


class _Places:
    """Where numbers are among the arrays of a graph."""

    def __init__(self, graph: Any) -> None:
        self.graph = graph
        self._known: dict[int, tuple[Any, int]] = {}

    def put(self, nodes: Sequence[int], array: Any, places: Sequence[int]) -> None:
        """Note that nodes are in some places of an array."""
        self._known.update((at, (array, i)) for at, i in zip(nodes, places, strict=True))

    def taken(self, nodes: Sequence[int]) -> Any:
        """Return the array of some nodes."""
        parts: dict[int, Any] = {}
        for at in nodes:
            array, _ = self._known[at]
            parts[array.at] = array
        ends = np.cumsum([part.size for part in parts.values()])
        first = {
            i: int(end) - part.size for (i, part), end in zip(parts.items(), ends, strict=True)
        }
        places = [first[self._known[at][0].at] + self._known[at][1] for at in nodes]
        return self.graph.take(list(parts.values()), np.array(places))
