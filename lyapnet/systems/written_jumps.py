"""Steps of a flow whose field jumps, written down for compiled loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..compiled.array_symbol import ArraySymbol
from ..compiled.graph import Graph
from ..compiled.operations import Untraceable
from ..compiled.rewrite import rewritten
from ..compiled.surfaces import Stages, surfaces_of
from ..compiled.symbols import Symbols, array_of, symbol_in
from ..compiled.trace import with_jacobian
from ..numerics.autodiff import Tree, leaves, rebuild


def written_across(flow: Any, x: Any, row: Any, p: Tree, drive: Any) -> Any:
    """Return the next state of arrays of symbols, and leave with their graph where it jumps.

    Parameters
    ----------
    flow : Flow
    x, row, p
        See `Flow.written`.
    drive : Drive
        With the time step as a symbol.
    """
    if isinstance(x, ArraySymbol):
        raise Untraceable("steps that end at surfaces are written on numbers")
    given, jacobian = flow._given
    functions = rewritten(given), None if jacobian is None else rewritten(jacobian)
    function, derivative = flow._called(*functions)

    def with_derivative(x: Any, now: Any, p: Tree, f: Any) -> Any:
        return f if derivative is None else with_jacobian(x, f, derivative(x, now, p))

    surfaces = surfaces_of(
        function, with_derivative, flow.dim, lambda graph: _on(graph, p), flow._method,
        flow.drive,
    )  # fmt: skip
    graph = symbol_in(x).graph
    stages = Stages(surfaces, graph)

    def field(y: Any, c: float) -> Any:
        return stages.at(y, drive.now(row, c), surfaces.field)

    y = flow._method.step(field, None, x, drive.dt)
    stages.at(y, drive.now(row, 1.0), [])
    changed = stages.changed()
    if changed is not None:
        surfaces.changed = changed.at
        graph.surfaces = surfaces
    return y


def _on(graph: Graph, p: Tree) -> Tree:
    """Return parameters that are symbols of a graph as those of another one."""

    def copied(leaf: Any) -> Any:
        if not isinstance(leaf, Symbols) and symbol_in(leaf) is None:
            return leaf
        symbols = np.asarray(leaf, dtype=object)
        found = array_of([graph.add(*s.graph.nodes[s.at]) for s in symbols.ravel()], symbols.shape)
        return found if symbols.shape else found[()]

    return rebuild(p, [copied(leaf) for leaf in leaves(p)])
