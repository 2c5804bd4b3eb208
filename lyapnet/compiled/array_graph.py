"""Operations on whole arrays, written down as a graph: the same as `graph`, in larger pieces.

A node has a shape. What moves numbers to other places (slices, rolls, transposes) is NumPy's own
function, applied to an array of places: a node ``take`` of another one. Constants that are arrays
are no part of what is written down but data of it, so that networks that differ in their weights
alone are the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..numerics.arrays import Array
from .array_symbol import ArraySymbol, places_of
from .graph import Graph, Symbol
from .operations import Untraceable

#: Operations that want an array in one piece.
_ON_ARRAYS = frozenset(("tanh",))


class ArrayGraph(Graph):
    """Operations on arrays in the order in which they can be done, each one once.

    Attributes
    ----------
    nodes : list of (operation, arguments)
        As for `Graph`; of an input the second argument is its first number.
    shapes : list of tuple of int
    how : list
        The places of a ``take`` among the numbers of its argument, and the axes of a ``sum``.
    static : list of bool
        Whether it is the same in all steps.
    data : list of array
        Constant arrays, one after the other behind the time step: they are inputs ``d``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[int, ...]] = []
        self.how: list[Any] = []
        self.static: list[bool] = []
        self.data: list[Array] = []
        self._placed: list[tuple[Array, Symbol]] = []

    def add(
        self, operation: str, arguments: tuple[Any, ...], shape: Any = None, how: Any = None
    ) -> ArraySymbol:
        """Return the symbol of an operation, noted before or now."""
        leaf = operation in ("input", "constant")
        if shape is None:
            shape = np.broadcast_shapes(*(() if leaf else [self.shapes[i] for i in arguments]))
        sign = np.signbit(arguments[0]) if operation == "constant" else None
        told = how.tobytes() if isinstance(how, np.ndarray) else how
        key = operation, arguments, shape, told, sign
        at = self._known.get(key)
        if at is None:
            at = self._known[key] = len(self.nodes)
            self.nodes.append((operation, arguments))
            self.shapes.append(shape)
            self.how.append(how)
            outside = operation == "constant" or arguments[0] in ("p", "d")
            self.static.append(outside if leaf else all(self.static[i] for i in arguments))
        return ArraySymbol(self, at)

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells it from all others."""
        return tuple(self._known)

    def noted(self, at: int) -> ArraySymbol:
        """Return the symbol of a node."""
        return ArraySymbol(self, at)

    def size(self, at: int) -> int:
        """Return the count of a node's numbers."""
        return math.prod(self.shapes[at])

    def inputs(self, name: str, shape: tuple[int, ...], first: int = 0) -> ArraySymbol:
        """Return the symbol of an array of ``name[first], name[first + 1], ...``."""
        return self.add("input", (name, first), shape)

    def apply(self, name: str, *operands: Any) -> Any:
        """Return the symbol of an operation on symbols and numbers, element by element."""
        if name in _ON_ARRAYS:
            operands = tuple(self.solid(x) for x in operands)
        found = super().apply(name, *operands)
        shape = np.broadcast_shapes(*(self.symbol(x).shape for x in operands))
        return self.noted(self.spread(found, shape).at)  # a power of 0 is a number

    def symbol(self, x: Any) -> Any:
        """Return the symbol of what a user's function computes with."""
        if isinstance(x, list | tuple):
            x = np.stack(x) if any(isinstance(item, Symbol) for item in x) else np.array(x)
        if isinstance(x, np.ndarray) and x.ndim:
            return self._gathered(x) if x.dtype == object else self._constant(x)
        return super().symbol(x)

    def _gathered(self, x: Any) -> Any:
        """Return the symbol of an array whose elements are symbols and numbers."""
        plain: list[float] = []
        at: list[tuple[int, int]] = []  # the node of each, -1 for a number, and its place there
        for item in x.view(np.ndarray).flat:
            item = item.item() if isinstance(item, np.ndarray) else item
            if not isinstance(item, Symbol):
                at.append((-1, len(plain)))
                plain.append(float(item))
                continue
            node = self.symbol(item).at
            operation, arguments = self.nodes[node]
            taken = operation == "take"
            at.append((arguments[0], int(self.how[node])) if taken else (node, 0))
        parts: dict[int, Any] = {node: self.noted(node) for node, _ in at if node >= 0}
        if plain:
            parts[-1] = self._constant(np.array(plain))
        ends = np.cumsum([part.size for part in parts.values()])
        first = {node: end - parts[node].size for node, end in zip(parts, ends, strict=True)}
        places = np.array([first[node] + place for node, place in at])
        return self.take(list(parts.values()), places.reshape(x.shape))

    def put(self, x: Any, key: Any, value: Any) -> Any:
        """Return the symbol of an array some of whose elements are others."""
        value = self.symbol(value)
        places = places_of(x.shape)
        places[key] = x.size + places_of(value.shape)
        return self.take([x, value], places)

    def _constant(self, x: Any) -> Symbol:
        """Return the symbol of an array of numbers."""
        if x.dtype.kind not in "biuf":
            raise Untraceable(f"it computes with an array of {x.dtype}")
        x = np.array(x.view(np.ndarray), dtype=float, order="C")
        for known, symbol in self._placed:
            if known.shape == x.shape and (known.view(np.int64) == x.view(np.int64)).all():
                return symbol
        symbol = self.inputs("d", x.shape, 1 + sum(known.size for known in self.data))
        self._placed.append((x, symbol))
        self.data.append(x.ravel())
        return symbol

    def like(self, at: int, x: Any) -> Any:
        """Return the symbol of an array in the shape of a node."""
        return self.spread(x, self.shapes[at])

    def spread(self, x: Any, shape: tuple[int, ...]) -> Any:
        """Return the symbol of an array that is broadcast."""
        if x.shape == shape:
            return x
        return self.take([x], np.broadcast_to(places_of(x.shape), shape))

    def solid(self, x: Any) -> Any:
        """Return the symbol of an array whose numbers lie side by side."""
        x = self.symbol(x)
        return self.add("copy", (x.at,)) if self.nodes[x.at][0] == "take" else x

    def take(self, parts: Sequence[Any], places: Any) -> Any:
        """Return the symbol of numbers of some arrays, counted through all of them."""
        parts = [part for part in parts if part.size] or parts[:1]
        x = parts[0]
        if len(parts) > 1:
            solid = tuple(self.solid(part).at for part in parts)
            x = self.add("join", solid, (sum(self.size(at) for at in solid),))
        operation, arguments = self.nodes[x.at]
        if operation == "take":
            places, x = self.how[x.at].ravel()[places], self.noted(arguments[0])
        places = np.array(places, dtype=np.int64, order="C")
        if places.shape == x.shape and (places == places_of(x.shape)).all():
            return self.noted(x.at)
        return self.add("take", (x.at,), places.shape, places)

    def sum(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Return the symbol of sums over some axes."""
        x = self.symbol(x).as_number()
        if not axes:
            return x
        if not x.shape or not self.size(x.at):
            raise Untraceable("it sums over nothing")
        left = tuple(n for a, n in enumerate(x.shape) if a not in axes)
        return self.add("sum", (x.at,), left, axes)

    def product(self, a: Any, b: Any) -> Any:
        """Return the symbol of a matrix that has no tangents times a vector or matrix."""
        a, b = (self.solid(x).as_number() for x in (a, b))
        if not a.size or not b.size:
            raise Untraceable("a product with nothing")
        return self.add("product", (a.at, b.at), (a.shape[0], *b.shape[1:]))

    def again(self, at: int, tangents: Sequence[Any]) -> Any:
        """Return a linear operation on the tangents of its arguments, None if these are zero."""
        operation, arguments = self.nodes[at]
        if operation == "product":
            tangents = tangents[1:]
        if all(t is None for t in tangents):
            return None
        if operation == "take":
            return self.take(tangents, self.how[at])
        if operation == "sum":
            return self.sum(tangents[0], self.how[at])
        if operation == "copy":
            return tangents[0]
        if operation == "product":
            return self.product(self.noted(arguments[0]), tangents[0])
        zeros = [self.spread(self.constant(0.0), self.shapes[i]) for i in arguments]
        parts = [z if t is None else t for z, t in zip(zeros, tangents, strict=True)]
        return self.take(parts, places_of(self.shapes[at]))
