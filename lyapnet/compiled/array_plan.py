"""Operations on whole arrays in the order in which loops do them, and where their numbers live.

Operations element by element on arrays of one shape are one loop, as far as none has to wait for
what comes at the end of another one: a product, a sum, or numbers at other places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from .graph import depends_on
from .operations import STANDING_FOR
from .program import ArrayProgram

#: Operations that are no loop over elements.
ALONE = frozenset(("product", "join", "tanh"))

#: Numbers between the beginnings of arrays are a multiple of this, a line of the cache.
_LINE = 8


@dataclass
class Stage:
    """What is done at once: a loop, or one operation that is none.

    Attributes
    ----------
    nodes : list of int
    shape : tuple of int
        Of the loop.
    moving : bool
        Whether its numbers are those of all tangent vectors.
    """

    shape: tuple[int, ...]
    moving: bool
    nodes: list[int] = field(default_factory=list)


class Plan:
    """The stages that lead to some nodes.

    Attributes
    ----------
    before, within : list of Stage
        Of what is the same in all steps, and of a step.
    scalars : list of int
        Numbers that are the same in all steps and need no array.
    place : dict
        Node to the number of the scratch at which it begins, if it is stored at all.
    size : int
        Numbers in the scratch.
    """

    def __init__(self, program: ArrayProgram, wanted: Sequence[int], width: int) -> None:
        self.graph = program.graph
        self.width = width
        self.wanted = [self.real(at) for at in wanted]
        self.moving = depends_on(self.graph, "q")
        order = self._needed()
        self.scalars: list[int] = []
        for at in order:  # one after the other: they may be made of each other
            if self._is_scalar(at):
                self.scalars.append(at)
        known = set(self.scalars)
        static = [at for at in order if self.graph.static[at] and at not in known]
        self.before = self._stages(static)
        self.within = self._stages([at for at in order if not self.graph.static[at]])
        self.place: dict[int, int] = {}
        self.size = 0
        last = self._last_uses(self.before + self.within)
        self._lay(self.before, {})
        self._lay(self.within, last)

    def real(self, at: int) -> int:
        """Return the node that one stands for."""
        operation, arguments = self.graph.nodes[at]
        return self.real(arguments[0]) if operation in STANDING_FOR else at

    def arguments(self, at: int) -> list[int]:
        """Return the nodes that one is computed from."""
        operation, arguments = self.graph.nodes[at]
        return [] if operation in ("input", "constant") else [self.real(i) for i in arguments]

    def source(self, at: int) -> int:
        """Return the node whose numbers are read where this one is."""
        operation, arguments = self.graph.nodes[at]
        return self.real(arguments[0]) if operation == "take" else at

    def is_leaf(self, at: int) -> bool:
        """Say whether it need not be computed."""
        return self.graph.nodes[at][0] in ("input", "constant")

    def count(self, at: int) -> int:
        """Return the numbers of a node, those of all vectors."""
        return self.graph.size(at) * (self.width if self.moving[at] else 1)

    def _needed(self) -> list[int]:
        seen, pending = set(), list(self.wanted)
        while pending:
            at = pending.pop()
            if at not in seen:
                seen.add(at)
                pending += self.arguments(at)
        return sorted(seen)

    def _is_scalar(self, at: int) -> bool:
        if not self.graph.static[at] or self.graph.shapes[at] or self.is_leaf(at):
            return False
        if self.graph.nodes[at][0] in ("take", "sum", "product", "join"):
            return False
        known = set(self.scalars)
        return all(i in known or self.is_leaf(self.source(i)) for i in self.arguments(at))

    def _stages(self, nodes: Sequence[int]) -> list[Stage]:
        """Sort nodes into stages by how long they have to wait, which of each other."""
        level: dict[int, int] = {}
        stages: dict[tuple[int, bool, tuple[int, ...], int], Stage] = {}
        for at in nodes:
            operation = self.graph.nodes[at][0]
            if operation == "take" or self.is_leaf(at):
                continue
            moving = bool(self.moving[at])
            arguments = self.arguments(at)
            shape = self.graph.shapes[arguments[0] if operation == "sum" else at]
            level[at] = max([0, *(
                level[self.source(i)] + (not self._joins(i, shape, moving, operation))
                for i in arguments if self.source(i) in level
            )])  # fmt: skip
            key = level[at], moving, shape, at if operation in ALONE else -1
            stages.setdefault(key, Stage(shape, moving)).nodes.append(at)
        return [stages[key] for key in sorted(stages)]

    def _joins(self, i: int, shape: tuple[int, ...], moving: bool, operation: str) -> bool:
        """Say whether an argument can be computed in the same loop."""
        of = self.graph.nodes[i][0]
        alone = operation in ALONE or of in ALONE or of in ("take", "sum")
        return not alone and self.graph.shapes[i] == shape and bool(self.moving[i]) == moving

    def _last_uses(self, stages: list[Stage]) -> dict[int, int]:
        """Return for each node the number of the last stage that reads it."""
        return {
            self.source(i): number
            for number, stage in enumerate(stages)
            for at in stage.nodes
            for i in self.arguments(at)
        }

    def _lay(self, stages: list[Stage], last: dict[int, int]) -> None:
        """Find places, some of them where others were that nobody reads any more."""
        first = len(self.before) if last else 0
        free: dict[int, list[int]] = {}
        for number, stage in enumerate(stages, first):
            for at in stage.nodes:
                if at in self.wanted or not self._is_stored(at, stage):
                    continue
                size = -(-self.count(at) // _LINE) * _LINE
                if free.get(size):
                    self.place[at] = free[size].pop()
                else:
                    self.place[at] = self.size
                    self.size += size
            for at in {self.source(i) for node in stage.nodes for i in self.arguments(node)}:
                if last.get(at) == number and at in self.place and not self.graph.static[at]:
                    free.setdefault(-(-self.count(at) // _LINE) * _LINE, []).append(self.place[at])

    def _is_stored(self, at: int, stage: Stage) -> bool:
        """Say whether others than those of its own loop read a node."""
        if self.graph.nodes[at][0] in (*ALONE, "sum"):
            return True
        within = set(stage.nodes)
        return any(
            reader not in within or self.graph.nodes[taken][0] == "take"
            for reader, taken in self._readers.get(at, [])
        )

    @cached_property
    def _readers(self) -> dict[int, list[tuple[int, int]]]:
        """Nodes that read one, and what they take of it."""
        found: dict[int, list[tuple[int, int]]] = {}
        for stage in self.before + self.within:
            for at in stage.nodes:
                for i in self.arguments(at):
                    found.setdefault(self.source(i), []).append((at, i))
        return found
