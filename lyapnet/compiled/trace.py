"""A user's function written down, operation by operation.

The function is called once on arrays whose elements stand for any number. Slices, sums, products
and rolls of such arrays are NumPy's own; every operation on elements is noted. What comes out is
a list of operations on numbers: it can be run on arrays of any shape, differentiated, or turned
into machine code. Branches in Python are followed on all their paths, see `branches`. A function
that asks for the value of such a number, as an index say, cannot be written down, and is refused
with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from . import gradients  # noqa: F401  # autograd knows symbols from here on
from .array_symbol import ArraySymbol
from .derivative import pushed
from .graph import Graph, Symbol, depends_on
from .operations import COMPARISONS, JUMPING, Untraceable
from .symbols import Symbols, array_of, symbol_in, without_class


def symbols_of(y: Any, graph: Graph, shape: tuple[int, ...], name: str) -> list[Symbol]:
    """Return the symbols that a function has returned, flat."""
    found = as_symbols(y)
    if found.shape != shape:
        raise Untraceable(f"`{name}` returns an array of shape {found.shape}, not {shape}")
    return [graph.symbol(x).as_number() for x in found.view(np.ndarray).ravel()]


def as_symbols(y: Any, x: Any = None) -> Any:
    """Return what a function of x has returned, a list say, as an array of symbols."""
    if isinstance(x, ArraySymbol):
        return x.graph.symbol(y)
    found = np.asarray(without_class(y), dtype=object)
    return found.view(Symbols)


def jumps_of(x: Any) -> str:
    """Name the operations noted so far that may jump, in the graph of an array of symbols."""
    graph = symbol_in(x).graph
    return jumps_among(graph, range(len(graph.nodes)))


def jumps_among(graph: Graph, which: Iterable[int]) -> str:
    """Name the operations that may jump among some nodes of a graph.

    What is the same in all steps does not.
    """
    varying = depends_on(graph, "x", "u", "q")
    nodes = [graph.nodes[i] for i in which if varying[i]]
    names = {name for name, _ in nodes}
    by_varying = any(varying[given[1]] for name, given in nodes if name == "divide")
    quotient = {"absolute", "divide"} if by_varying else set()
    jumping = names & JUMPING | (quotient if quotient <= names else set())
    shown = {"a comparison" if name in COMPARISONS else name for name in jumping}
    return ", ".join(sorted(shown))


def depends(y: Any, x: Any) -> bool:
    """Say whether an array of symbols has a derivative in another one, of inputs, that is not 0."""
    if isinstance(x, ArraySymbol):
        raise Untraceable("which numbers depend on which is not seen from whole arrays")
    graph = symbol_in(x).graph
    seeds = {s.at: graph.constant(1.0) for s in x.view(np.ndarray)}
    found = pushed(graph, [graph.symbol(s).at for s in y.view(np.ndarray)], seeds)
    return any(tangent is not None for tangent in found)


def with_jacobian(x: Any, y: Any, jacobian: Any) -> Any:
    """Return y as what it is, but with a derivative in x of the user's own.

    Parameters
    ----------
    x, y : array of symbols (n,)
    jacobian : array of symbols and numbers (n, n)
    """
    graph = symbol_in(x).graph
    if isinstance(x, ArraySymbol):
        return with_derivative_of(x.graph.product(jacobian, x), y, x)
    rows = as_symbols(jacobian).view(np.ndarray)
    if rows.shape != (len(y), len(x)):
        raise Untraceable(f"`jacobian` returns an array of shape {rows.shape}")
    inputs = tuple(s.at for s in x.view(np.ndarray))
    found = []
    for value, row in zip(y.view(np.ndarray), rows, strict=True):
        factors = tuple(graph.symbol(entry).as_number().at for entry in row)
        found.append(graph.add("with_jacobian", (graph.symbol(value).at, *inputs, *factors)))
    return array_of(found, y.shape)


def with_derivative_of(other: Any, y: Any, x: Any) -> Any:
    """Return arrays of symbols and numbers y ``(n,)``, but with the derivative of others.

    Parameters
    ----------
    other, y : array of symbols and numbers (n,)
    x : array of symbols
        Of the same graph: there may be none in the others.
    """
    graph = symbol_in(x).graph
    if isinstance(x, ArraySymbol):
        at = graph.solid(y).at, graph.symbol(other).at
        return graph.add("with_derivative_of", at, y.shape)
    pairs = [[graph.symbol(s).as_number().at for s in pair] for pair in zip(y, other, strict=True)]
    return array_of([graph.add("with_derivative_of", tuple(pair)) for pair in pairs], np.shape(y))
