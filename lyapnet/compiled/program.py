"""A system's step and its tangent step, written down once for all states and parameters."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..numerics.arrays import Array
from .array_graph import ArrayGraph
from .derivative import pushed
from .gathered import MOST_GATHERED, gathered
from .graph import Graph, Symbol, ancestors
from .operations import Untraceable
from .surfaces import Surfaces
from .trace import jumps_among, symbols_of


@dataclass
class Program:
    """Nodes of a graph that are a step and the push of one tangent vector.

    Its inputs are called ``x`` (state), ``q`` (tangent vector), ``u`` (input), ``p`` (parameters,
    flat) and ``d`` (time step); ``a`` see `Surfaces`.

    Attributes
    ----------
    graph : Graph
    dim : int
    step : list of int
        The next state. If it has fewer components than the state, these come first, and those that
        were there move on by as many places, as in a past.
    push : list of int
        The tangent vector after the step, likewise.
    surfaces : Surfaces, optional
        Where steps end that meet them.
    """

    graph: Graph
    dim: int
    step: list[int]
    push: list[int]
    surfaces: Surfaces | None = None
    whole = False

    @property
    def data(self) -> Array:
        """Constants that are data, behind the time step."""
        return np.zeros(0)

    @cached_property
    def identity(self) -> tuple[Any, ...]:
        """What tells it from all others."""
        exact = (
            (name, struct.pack("d", *arguments)) if name == "constant" else (name, arguments)
            for name, arguments in self.graph.nodes
        )
        across = None if self.surfaces is None else self.surfaces.identity
        return (*exact, tuple(self.step), tuple(self.push), across)

    @property
    def changes(self) -> list[int]:
        """The node that says whether the step may meet a surface, if there are such."""
        return [] if self.surfaces is None else [self.surfaces.changed]

    @property
    def wanted(self) -> list[int]:
        """All nodes of a step."""
        return [*self.step, *self.push, *self.changes]

    @property
    def fresh(self) -> int:
        """Number of components that are computed."""
        return len(self.step)

    @property
    def moved(self) -> int:
        """Number of places by which the others move on, 0 if all are computed."""
        return self.fresh % self.dim

    @property
    def jumps(self) -> str:
        """Names of operations of the step that may jump."""
        return jumps_among(self.graph, ancestors(self.graph, self.step))

    @property
    def count(self) -> int:
        """Number of operations in both and on the way."""
        return len(self.graph.nodes)

    @property
    def size(self) -> int:
        """Number of operations in both."""
        return len(ancestors(self.graph, [*self.step, *self.push]))


class ArrayProgram(Program):
    """The same of whole arrays: step and push are one node each of an `ArrayGraph`."""

    graph: ArrayGraph
    whole = True

    @cached_property
    def identity(self) -> tuple[Any, ...]:
        """What tells it from all others."""
        return (self.dim, *self.graph.identity, *self.step, *self.push)

    @property
    def fresh(self) -> int:
        """Number of components that are computed: all."""
        return self.dim

    @cached_property
    def count(self) -> int:
        """Number of operations on numbers in both."""
        graph, total = self.graph, 0
        for at in ancestors(graph, [*self.step, *self.push]):
            operation, arguments = graph.nodes[at]
            if graph.static[at] or operation in ("input", "take"):
                continue
            of = arguments[0] if operation == "sum" else at
            each = 2 * graph.shapes[arguments[0]][1] if operation == "product" else 1
            total += each * graph.size(of)
        return total

    @property
    def data(self) -> Array:
        """Constants that are data, behind the time step."""
        return np.concatenate([np.zeros(0), *self.graph.data])


@contextmanager
def _refusing() -> Iterator[None]:
    """Say by `Untraceable` whatever a user's function makes of symbols."""
    try:
        yield
    except Untraceable:
        raise
    except Exception as error:
        raise Untraceable(f"{type(error).__name__}: {error}") from error


def array_program(step: Callable[[Graph, Any], Any], dim: int) -> ArrayProgram:
    """Write down a step on whole arrays."""
    graph = ArrayGraph()
    x = graph.inputs("x", (dim,))
    with _refusing():
        y = graph.symbol(step(graph, x)).as_number()
        if y.shape != (dim,):
            raise Untraceable(f"`step` returns an array of shape {y.shape}, not {(dim,)}")
        q = graph.inputs("q", (dim,))
        tangent = pushed(graph, [y.at], {x.at: q})[0]
    if tangent is None:
        raise Untraceable("the next state does not depend on the state")
    found = [graph.add("copy", (graph.like(y.at, s).at,)).at for s in (y, tangent)]
    return ArrayProgram(graph, dim, found[:1], found[1:])


def gathered_program(step: Callable[[Graph, Any], Any], dim: int) -> ArrayProgram:
    """Write down a step number by number, and then on arrays of what is alike."""
    numbers = Graph()
    numbers.most = MOST_GATHERED
    with _refusing():
        y = step(numbers, numbers.inputs("x", (dim,)))
    if numbers.surfaces is not None:
        raise Untraceable("steps that end where the field jumps are not gathered")
    after = [s.at for s in symbols_of(y, numbers, (dim,), "step")]
    return array_program(lambda graph, x: gathered(numbers, after, x), dim)


def program(step: Callable[[Graph, Any], Any], dim: int, fresh: int | None = None) -> Program:
    """Write down a step.

    Parameters
    ----------
    step : callable (graph, x)
        Returns the next state.
    dim : int
    fresh : int, optional
        How many components it returns, if not all.
    """
    graph = Graph()
    x = graph.inputs("x", (dim,))
    with _refusing():
        y = step(graph, x)
    after = [s.at for s in symbols_of(y, graph, (fresh or dim,), "step")]
    q = graph.inputs("q", (dim,))
    found = pushed(graph, after, {x[i].at: q[i] for i in range(dim)})
    zero = graph.constant(0.0)
    push = [(zero if t is None else t).at for t in found]
    return Program(graph, dim, after, push, graph.surfaces)


def gram_schmidt(k: int, n: int, unit: bool) -> tuple[Graph, list[list[int]]]:
    r"""Write down :math:`A = QR` of k vectors of n components by the modified method.

    Parameters
    ----------
    k, n : int
    unit : bool
        Whether to bring vectors to unit length, and to project each twice. Else they are made
        orthogonal by one pass, and no root is taken.

    Returns
    -------
    graph : Graph
        Its inputs are ``a``, the vectors one after the other.
    nodes : list of list of int
        Those of the orthogonal vectors, of the squares of ``diag R`` (what are their squared
        lengths, or was before these became 1), and of the squared lengths of ``a``.
    """
    graph = Graph()
    rows = graph.inputs("a", (k, n))
    before: list[Any] = []
    after: list[Any] = []
    inverse: list[Any] = []
    for j in range(k):
        v = rows[j]
        before.append(_inner(v, v))
        for _ in range((2 if unit else 1) if j else 0):
            for i in range(j):
                along = _inner(rows[i], v)
                v = v - (along if unit else along * inverse[i]) * rows[i]
        after.append(_inner(v, v) if j else before[0])
        inverse.append(1.0 / after[j])
        rows[j] = v / np.sqrt(after[j]) if unit else v
    found: list[list[Symbol]] = [list(rows.ravel()), after, before]
    return graph, [[s.at for s in part] for part in found]


def _inner(a: Any, b: Any) -> Any:
    return (a * b).sum()
