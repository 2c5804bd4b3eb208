"""Tangent vectors carried through what was written down: forward differentiation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .graph import Graph, Symbol, ancestors
from .operations import DERIVATIVES, LINEAR, TRUTHS


def pushed(graph: Graph, outputs: Sequence[int], seeds: dict[int, Symbol]) -> list[Any]:
    """Return the derivatives of outputs along one tangent vector, None where they are zero.

    Parameters
    ----------
    graph : Graph
        Grows by the operations of the derivative.
    outputs : sequence of int
    seeds : dict
        Nodes of the state's components, to those of the tangent vector.
    """
    tangents: dict[int, Symbol] = dict(seeds)
    for at in ancestors(graph, outputs):
        operation, arguments = graph.nodes[at]
        if at in seeds or operation in TRUTHS or operation in ("input", "constant"):
            continue
        if not any(i in tangents for i in arguments):
            continue
        if operation == "with_jacobian":
            n = len(arguments) // 2
            factors = [graph.noted(i) for i in arguments[1 + n :]]
            found = _summed(factors, [tangents.get(i) for i in arguments[1 : 1 + n]])
        elif operation == "with_derivative_of":
            found = tangents.get(arguments[1])
        elif operation in LINEAR:
            found = graph.again(at, [tangents.get(i) for i in arguments])
        elif operation == "where":
            found = _chosen(graph, arguments, tangents)
        else:
            z, operands = graph.noted(at), [graph.noted(i) for i in arguments]
            partials = DERIVATIVES[operation](z, *operands)
            found = _summed(partials, [tangents.get(i) for i in arguments])
        if found is not None:
            tangents[at] = graph.like(at, found)
    return [tangents.get(at) for at in outputs]


def _chosen(graph: Graph, arguments: tuple[Any, ...], tangents: dict[int, Symbol]) -> Any:
    condition, a, b = arguments
    chosen = tangents.get(a, 0.0), tangents.get(b, 0.0)
    return graph.apply("where", graph.noted(condition), *chosen)


def _summed(factors: Sequence[Any], tangents: Sequence[Symbol | None]) -> Any:
    """Sum factors times tangents, leaving out what is zero."""
    total: Any = None
    for factor, tangent in zip(factors, tangents, strict=True):
        if factor is None or tangent is None:
            continue
        size = _number(factor)
        if size == 0.0:
            continue
        if total is None:
            total = tangent if size == 1.0 else -tangent if size == -1.0 else factor * tangent
        elif size == -1.0:
            total = total - tangent
        else:
            total = total + (tangent if size == 1.0 else factor * tangent)
    return total


def _number(factor: Any) -> float | None:
    if isinstance(factor, Symbol):
        return factor.number if factor.is_constant else None
    return float(factor)
