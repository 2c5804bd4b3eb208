"""What is seen to be above zero, whatever the state: divided by that, nothing jumps."""

from __future__ import annotations

from typing import Any

from .graph import Graph

#: What is known of a number: nothing, that it is not below zero, that it is above.
_ANY, _NOT_BELOW, _ABOVE = range(3)

#: Functions that are never below zero, and those that are above.
_NEVER_BELOW, _ALWAYS_ABOVE = {"absolute", "sqrt"}, {"exp", "cosh"}

#: Operations of which no result is known better than the worst of their arguments.
_AS_ALL = {"minimum", "multiply", "divide", "take", "join", "copy", "sum"}


def above_zero(graph: Graph) -> list[bool]:
    """Return for each node whether it is seen to be above zero."""
    known: list[int] = []
    for operation, arguments in graph.nodes:
        known.append(_known(operation, arguments, known))
    return [each == _ABOVE for each in known]


def _known(operation: str, arguments: tuple[Any, ...], known: list[int]) -> int:
    """Return what is known of a node, given what is of those before."""
    if operation == "constant":
        return _ABOVE if arguments[0] > 0 else _NOT_BELOW if arguments[0] == 0 else _ANY
    if operation == "input":
        return _ANY
    given = [known[i] for i in arguments]
    if operation in _ALWAYS_ABOVE:
        return _ABOVE
    if operation in _NEVER_BELOW:
        return max(_NOT_BELOW, given[0])
    if operation == "multiply" and arguments[0] == arguments[1]:
        return max(_NOT_BELOW, given[0])
    if operation == "add":
        return max(given) if min(given) >= _NOT_BELOW else _ANY
    if operation == "maximum":
        return max(given)
    if operation == "where":
        return min(given[1:])
    if operation == "power":
        return given[0]
    return min(given) if operation in _AS_ALL else _ANY
