"""Branches in Python: a function is followed along each of its paths, of which one is chosen.

A condition that depends on the state has no value while a function is written down. It is called
once with the answer yes and once with no, and what comes out is a choice between both, as
``np.where`` makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..numerics.insistent import not_caught
from .operations import Untraceable
from .symbols import array_of

#: Paths through a function, and conditions on one of them, that are followed.
_PATHS, _CONDITIONS = 64, 64


class Path:
    """Answers to the conditions that a function asks for, in their order.

    Parameters
    ----------
    begun : sequence of bool
        The first answers; the others are yes.

    Attributes
    ----------
    answers : dict of int to bool
        Of each condition, by its node: asked again, it has the same answer.
    """

    def __init__(self, begun: Sequence[bool]) -> None:
        self.begun = begun
        self.answers: dict[int, bool] = {}

    def answer(self, condition: int) -> bool:
        """Return the answer to a condition."""
        if condition not in self.answers:
            asked = len(self.answers)
            if asked == _CONDITIONS:
                raise Untraceable(
                    f"a path through it meets more than {_CONDITIONS} conditions that depend on "
                    "the state, as of a loop in Python"
                )
            self.answers[condition] = self.begun[asked] if asked < len(self.begun) else True
        return self.answers[condition]


def on_all_paths(graph: Any, function: Callable[[], Any]) -> Any:
    """Return the array of symbols that a function returns, chosen by its conditions.

    Parameters
    ----------
    graph : Graph
        In which it is written down.
    function : callable ()
    """
    followed = 0

    def follow(begun: list[bool]) -> Any:
        nonlocal followed
        followed += 1
        if followed > _PATHS:
            raise Untraceable(f"more than {_PATHS} paths lead through it, by its conditions")
        graph.path = path = Path(begun)
        try:
            with not_caught():
                out = function()
        finally:
            graph.path = None
        for i, condition in reversed(list(enumerate(path.answers))[len(begun) :]):
            other = follow([*list(path.answers.values())[:i], False])
            out = _chosen(graph, condition, out, other)
        return out

    return follow([])


def _chosen(graph: Any, condition: int, yes: Any, no: Any) -> Any:
    """Return one of two arrays of symbols and numbers by a condition."""
    if yes.shape != no.shape:
        raise Untraceable(f"its branches return arrays of shapes {yes.shape} and {no.shape}")
    where = graph.noted(condition)

    def choice(a: Any, b: Any) -> Any:
        a, b = graph.symbol(a), graph.symbol(b)
        return a if a.at == b.at else graph.apply("where", where, a, b)

    flat = map(choice, yes.view(np.ndarray).flat, no.view(np.ndarray).flat)
    return array_of(list(flat), yes.shape)
