"""Operations on numbers, written down as a graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .branches import Path
from .complex_numbers import apply_to_complex, is_complex
from .operations import (
    ALIASES,
    COMPARISONS,
    COMPOSED,
    KNOWN,
    LOGIC,
    STANDING_FOR,
    TRUTHS,
    TooLong,
    Untraceable,
    evaluated,
)  # fmt: skip
from .symbols import Number, Symbols, alone, array_of

#: NumPy as its stubs do not know it: its functions take what says so itself.
_np: Any = np

#: A function of more operations than this is left to NumPy, where a step costs no more.
MOST = 8_000


#: Operations that need no look at what they are.
_ARITHMETIC = frozenset(("add", "subtract", "multiply", "divide"))


class Graph:
    """Operations on numbers in the order in which they can be done, each one once.

    Attributes
    ----------
    nodes : list of (operation, arguments)
        An argument is the position of an earlier node. ``("input", (name, i))`` and
        ``("constant", (value,))`` have none.
    """

    #: Operations that may be noted.
    most = MOST

    #: Answers to conditions, on a path through a function: see `branches`.
    path: Path | None = None

    def __init__(self) -> None:
        self.nodes: list[tuple[str, tuple[Any, ...]]] = []
        self._known: dict[Any, int] = {}
        #: Where the field of the step that is written down jumps, see `surfaces`.
        self.surfaces: Any = None

    def add(self, operation: str, arguments: tuple[Any, ...]) -> Symbol:
        """Return the symbol of an operation, noted before or now."""
        sign = np.signbit(arguments[0]) if operation == "constant" else None  # 0 and -0
        key = operation, arguments, sign
        at = self._known.get(key)
        if at is None:
            at = self._known[key] = len(self.nodes)
            self.nodes.append((operation, arguments))
            if at > self.most:
                raise TooLong(f"it takes more than {self.most} operations on numbers")
        return Symbol(self, at)

    def noted(self, at: int) -> Symbol:
        """Return the symbol of a node."""
        return Symbol(self, at)

    def like(self, at: int, x: Symbol) -> Symbol:
        """Return a symbol in the shape of a node, which all have that are numbers."""
        return x

    def again(self, at: int, tangents: Sequence[Any]) -> Any:
        """Return a linear operation on tangents: on numbers there is none, see `ArrayGraph`."""
        raise NotImplementedError

    def constant(self, value: Any) -> Symbol:
        """Return the symbol of a number."""
        return self.add("constant", (float(value),))

    def inputs(self, name: str, shape: tuple[int, ...], first: int = 0) -> Any:
        """Return an array of symbols ``name[first], name[first + 1], ...``."""
        count = int(np.prod(shape))
        return array_of([self.add("input", (name, first + i)) for i in range(count)], shape)

    def apply(self, name: str, *operands: Any) -> Any:
        """Return the symbol of an operation on symbols and numbers."""
        if name in _ARITHMETIC:
            found = [self._plain(x) for x in operands]
            if None not in found:
                return self.add(name, tuple(found))
        if any(map(is_complex, operands)):
            return apply_to_complex(self, name, operands)
        name = ALIASES.get(name, name)
        if name in COMPOSED:
            return COMPOSED[name](*operands)
        if name not in KNOWN:
            raise Untraceable(f"`{name}` is not among the operations that can be compiled")
        symbols = [self.symbol(x) for x in operands]
        if name in LOGIC:
            symbols = [x.as_truth() for x in symbols]
        elif name == "where":
            symbols = [symbols[0].as_truth(), *(x.as_number() for x in symbols[1:])]
        else:
            symbols = [x.as_number() for x in symbols]
            if name == "power" and symbols[1].is_constant:
                simpler = _simple_power(symbols[0], symbols[1].number)
                if simpler is not None:
                    return simpler
            if name not in COMPARISONS and all([x.is_constant for x in symbols]):
                with np.errstate(all="ignore"):
                    return self.constant(evaluated(name)(*(x.number for x in symbols)))
        return self.add(name, tuple([x.at for x in symbols]))

    def _plain(self, x: Any) -> int | None:
        """Return where a number is noted that is neither a constant nor a truth: nearly all are."""
        if type(x) is Symbol and x.graph is self:
            operation = self.nodes[x.at][0]
            if operation != "constant" and operation not in TRUTHS:
                return x.at
        return None

    def symbol(self, x: Any) -> Symbol:
        """Return the symbol of what a user's function computes with."""
        if isinstance(x, np.ndarray) and x.ndim == 0:
            x = x.item()
        if isinstance(x, Symbol):
            if x.graph is not self:
                raise Untraceable("it keeps a value from an earlier call")
            return x
        if is_complex(x):
            raise Untraceable("it computes with complex numbers where real ones are needed")
        try:
            number = float(x)
        except (TypeError, ValueError):
            raise Untraceable(f"it computes with {type(x).__name__}") from None
        return self.constant(number)


def _simple_power(x: Symbol, exponent: float) -> Symbol | None:
    """Return powers that NumPy takes as products and roots, too."""
    simple: dict[float, Callable[[Symbol], Any]] = {
        2.0: lambda x: x * x,
        1.0: lambda x: x,
        0.0: lambda x: x.graph.constant(1.0),
        0.5: _np.sqrt,
        -1.0: lambda x: 1.0 / x,
    }
    return simple[exponent](x) if exponent in simple else None


class Symbol(Number):
    """A number of which all is known but its value."""

    __slots__ = ("at", "graph")

    def __init__(self, graph: Graph, at: int) -> None:
        self.graph = graph
        self.at = at

    @property
    def is_constant(self) -> bool:
        """Whether it is a number after all."""
        return self.graph.nodes[self.at][0] == "constant"

    @property
    def number(self) -> float:
        """Value of a constant."""
        return self.graph.nodes[self.at][1][0]

    @property
    def is_truth(self) -> bool:
        """Whether it says yes or no."""
        return self.graph.nodes[self.at][0] in TRUTHS

    def as_truth(self) -> Symbol:
        """Return what it means as a condition."""
        return self if self.is_truth else self.graph.apply("not_equal", self, 0.0)

    def as_number(self) -> Symbol:
        """Return 1 and 0 for yes and no."""
        return self.graph.apply("where", self, 1.0, 0.0) if self.is_truth else self

    def _no_value(self, *_: Any) -> Any:
        raise Untraceable(
            "it asks for the value of something that depends on the state: a function of `math`, "
            "an index, or an assignment to an array of floats"
        )

    def __int__(self) -> int:
        return int(bool(self)) if self.is_truth else self._no_value()

    __index__ = __int__

    def __float__(self) -> float:
        return float(int(self))

    def __bool__(self) -> bool:
        truth = self.as_truth()
        _, arguments = self.graph.nodes[truth.at]
        if all(self.graph.noted(at).is_constant for at in arguments):
            return bool(replay(self.graph, [truth.at], {})[0])
        return self.graph.path.answer(truth.at) if self.graph.path else self._no_value()

    def __getitem__(self, key: Any) -> Any:
        return alone(self).view(Symbols)[key]

    @property
    def real(self) -> Symbol:
        """Its real part: all of it."""
        return self

    @property
    def imag(self) -> Symbol:
        """Its imaginary part: none."""
        return self.graph.constant(0.0)

    def copy(self) -> Symbol:
        """Return itself: a number does not change."""
        return self

    def conjugate(self) -> Symbol:
        """Return itself: a number is real."""
        return self

    def sqrt(self) -> Any:
        """Return its root, as NumPy asks of objects."""
        return _np.sqrt(self)

    __complex__ = _no_value


def replay(graph: Graph, wanted: Sequence[int], inputs: dict[str, Any]) -> list[Any]:
    """Run what was written down on arrays.

    Parameters
    ----------
    graph : Graph
    wanted : sequence of int
        Nodes whose values are returned.
    inputs : dict
        Name of an input to a sequence of arrays that broadcast, one for each of its numbers.
        They may be traced by autograd.
    """
    needed = ancestors(graph, wanted)
    values: dict[int, Any] = {}
    for at in needed:
        operation, arguments = graph.nodes[at]
        if operation == "input":
            values[at] = inputs[arguments[0]][arguments[1]]
        elif operation == "constant":
            values[at] = arguments[0]
        elif operation in STANDING_FOR:
            values[at] = values[arguments[0]]
        else:
            values[at] = evaluated(operation)(*(values[i] for i in arguments))
    return [values[at] for at in wanted]


def ancestors(graph: Graph, wanted: Sequence[int]) -> list[int]:
    """Return the nodes that some nodes need, themselves included, in order."""
    seen = np.zeros(len(graph.nodes), dtype=bool)
    pending = list(wanted)
    while pending:
        at = pending.pop()
        if not seen[at]:
            seen[at] = True
            operation, arguments = graph.nodes[at]
            if operation not in ("input", "constant"):
                pending.extend(arguments)
    return [int(at) for at in np.flatnonzero(seen)]


def depends_on(graph: Graph, *names: str) -> Any:
    """Return for each node whether an input of one of these names enters it."""
    found = np.zeros(len(graph.nodes), dtype=bool)
    for at, (operation, arguments) in enumerate(graph.nodes):
        if operation == "input":
            found[at] = arguments[0] in names
        elif operation != "constant":
            found[at] = any(found[i] for i in arguments)
    return found
