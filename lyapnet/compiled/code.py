"""What was written down, as the text of a compiler (LLVM's assembly).

Numbers are either single ones or *lanes*: as many as the processor works on at once, each for
another member of an ensemble, or for another tangent vector.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any

from .graph import Graph, ancestors
from .operations import STANDING_FOR

_BINARY = {
    "add": "fadd",
    "subtract": "fsub",
    "multiply": "fmul",
    "divide": "fdiv",
}
_COMPARE = {
    "less": "olt",
    "less_equal": "ole",
    "greater": "ogt",
    "greater_equal": "oge",
    "equal": "oeq",
    "not_equal": "une",
}
_LOGIC = {"logical_and": "and", "logical_or": "or", "logical_xor": "xor"}

#: Functions that LLVM knows, ...
_INTRINSIC = {
    "sqrt": "sqrt", "sin": "sin", "cos": "cos", "exp": "exp", "log": "log", "log2": "log2",
    "log10": "log10", "absolute": "fabs", "floor": "floor", "ceil": "ceil", "trunc": "trunc",
    "rint": "rint", "power": "pow",
}  # fmt: skip

#: ... and those of the mathematical library.
LIBRARY = {
    "tan": "tan", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2",
    "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh", "expm1": "expm1", "log1p": "log1p", "cbrt": "cbrt", "hypot": "hypot",
    "fmod": "fmod", "erf": "erf", "erfc": "erfc",
}  # fmt: skip


class Text:
    """Lines of a function under construction, and what it refers to."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.declared: dict[str, str] = {}
        self._count = 0

    def name(self) -> str:
        """Return a name not used before."""
        self._count += 1
        return f"%v{self._count}"

    def put(self, line: str) -> None:
        """Add a line."""
        self.lines.append(line)

    def let(self, expression: str) -> str:
        """Add a line that names the value of an expression."""
        name = self.name()
        self.lines.append(f"  {name} = {expression}")
        return name

    def label(self, name: str) -> None:
        """Start a basic block."""
        self.lines.append(f"{name}:")


class Numbers:
    """Operations on single numbers (one lane), or on several at once.

    A product that is added to something may be `fused` with the sum, rounded once.
    """

    def __init__(self, text: Text, lanes: int = 1, fused: bool = False) -> None:
        self.text = text
        self.lanes = lanes
        self.flags = "contract " if fused else ""
        self.type = "double" if lanes == 1 else f"<{lanes} x double>"
        self.truth = "i1" if lanes == 1 else f"<{lanes} x i1>"

    def literal(self, value: float) -> str:
        """Return a number as an operand."""
        bits = "0x" + struct.pack(">d", value).hex().upper()
        return bits if self.lanes == 1 else f"splat (double {bits})"

    def load(self, pointer: str, at: int | str) -> str:
        """Read a number from an array of such."""
        return self.text.let(f"load {self.type}, ptr {self.place(pointer, at)}, align 8")

    def store(self, value: str, pointer: str, at: int | str) -> None:
        """Write a number to an array of such."""
        self.text.put(f"  store {self.type} {value}, ptr {self.place(pointer, at)}, align 8")

    def store_lanes(self, value: str, pointer: str, at: str, i: int, apart: int) -> None:
        """Write a number of each lane, the i-th of so many that it has in a row."""
        for lane in range(self.lanes):
            alone = value
            if self.lanes > 1:
                alone = self.text.let(f"extractelement {self.type} {value}, i64 {lane}")
            to = self.text.let(f"add i64 {at}, {lane * apart + i}")
            to = self.text.let(f"getelementptr inbounds double, ptr {pointer}, i64 {to}")
            self.text.put(f"  store double {alone}, ptr {to}, align 8")

    def place(self, pointer: str, at: int | str) -> str:
        """Return where a number of an array lies."""
        return self.text.let(f"getelementptr inbounds {self.type}, ptr {pointer}, i64 {at}")

    def splat(self, value: str) -> str:
        """Return a single number in all lanes."""
        if self.lanes == 1:
            return value
        one = self.text.let(f"insertelement {self.type} poison, double {value}, i64 0")
        order = f"<{self.lanes} x i32> zeroinitializer"
        return self.text.let(f"shufflevector {self.type} {one}, {self.type} poison, {order}")

    def all(self, truth: str) -> str:
        """Return whether something holds in all lanes."""
        return self._of_lanes("and", truth)

    def any(self, truth: str) -> str:
        """Return whether something holds in any lane."""
        return self._of_lanes("or", truth)

    def _of_lanes(self, how: str, truth: str) -> str:
        if self.lanes == 1:
            return truth
        name = f"llvm.vector.reduce.{how}.v{self.lanes}i1"
        self.text.declared[name] = f"declare i1 @{name}({self.truth})"
        return self.text.let(f"call i1 @{name}({self.truth} {truth})")

    def product_and_sum(self, a: str, b: str, c: str) -> str:
        """Return the expression a b + c, rounded once where the processor can."""
        kind = "f64" if self.lanes == 1 else f"v{self.lanes}f64"
        name, t = f"llvm.fmuladd.{kind}", self.type
        self.text.declared[name] = f"declare {t} @{name}({t}, {t}, {t})"
        return f"call {t} @{name}({t} {a}, {t} {b}, {t} {c})"

    def fused(self, a: str, b: str, c: str) -> str:
        """Return a b + c."""
        return self.text.let(self.product_and_sum(a, b, c))

    def apply(self, operation: str, x: Sequence[str]) -> str:
        """Return the value of an operation of `operations`."""
        let, t = self.text.let, self.type
        if operation in _BINARY:
            return let(f"{_BINARY[operation]} {self.flags}{t} {x[0]}, {x[1]}")
        if operation in _COMPARE:
            return let(f"fcmp {_COMPARE[operation]} {t} {x[0]}, {x[1]}")
        if operation in _LOGIC:
            return let(f"{_LOGIC[operation]} {self.truth} {x[0]}, {x[1]}")
        if operation == "logical_not":
            yes = "true" if self.lanes == 1 else "splat (i1 true)"
            return let(f"xor {self.truth} {x[0]}, {yes}")
        if operation == "where":
            return let(f"select {self.truth} {x[0]}, {t} {x[1]}, {t} {x[2]}")
        if operation == "negative":
            return let(f"fneg {t} {x[0]}")
        if operation in _INTRINSIC:
            return self._intrinsic(_INTRINSIC[operation], x)
        if operation in LIBRARY:
            return self._library(LIBRARY[operation], x)
        return getattr(self, "_" + operation)(*x)

    def _intrinsic(self, function: str, x: Sequence[str]) -> str:
        suffix = "f64" if self.lanes == 1 else f"v{self.lanes}f64"
        name = f"llvm.{function}.{suffix}"
        types = ", ".join([self.type] * len(x))
        self.text.declared[name] = f"declare {self.type} @{name}({types})"
        given = ", ".join(f"{self.type} {a}" for a in x)
        return self.text.let(f"call {self.type} @{name}({given})")

    def _library(self, name: str, x: Sequence[str]) -> str:
        types = ", ".join(["double"] * len(x))
        self.text.declared[name] = f"declare double @{name}({types}) #1"
        if self.lanes == 1:
            given = ", ".join(f"double {a}" for a in x)
            return self.text.let(f"call double @{name}({given})")
        found = "poison"
        for i in range(self.lanes):
            each = [self.text.let(f"extractelement {self.type} {a}, i64 {i}") for a in x]
            given = ", ".join(f"double {a}" for a in each)
            value = self.text.let(f"call double @{name}({given})")
            found = self.text.let(f"insertelement {self.type} {found}, double {value}, i64 {i}")
        return found

    def _maximum(self, x: str, y: str) -> str:
        return self._either("greater_equal", x, y)

    def _minimum(self, x: str, y: str) -> str:
        return self._either("less_equal", x, y)

    def _either(self, order: str, x: str, y: str) -> str:
        """Return x where it comes first or is not a number, else y, as NumPy does."""
        first = self.apply(order, (x, y))
        unknown = self.text.let(f"fcmp uno {self.type} {x}, {x}")
        first = self.text.let(f"or {self.truth} {first}, {unknown}")
        return self.apply("where", (first, x, y))

    def _sign(self, x: str) -> str:
        zero, one = self.literal(0.0), self.literal(1.0)
        above = self.apply("where", (self.apply("greater", (x, zero)), one, x))
        below = self.apply("less", (x, zero))
        found = self.apply("where", (below, self.literal(-1.0), above))
        return self.apply("where", (self.apply("equal", (x, zero)), zero, found))

    def _remainder(self, x: str, y: str) -> str:
        """Return what has the sign of y, as Python does."""
        zero = self.literal(0.0)
        r = self.apply("fmod", (x, y))
        signs = self.text.let(
            f"xor {self.truth} {self.apply('less', (y, zero))}, {self.apply('less', (r, zero))}"
        )
        wrong = self.apply("logical_and", (self.apply("not_equal", (r, zero)), signs))
        return self.apply("where", (wrong, self.apply("add", (r, y)), r))


def write(
    numbers: Numbers, graph: Graph, nodes: Iterable[int], values: dict[int, str]
) -> dict[int, str]:
    """Add the lines of nodes that come in order, to `values` of those that are known."""
    for at in nodes:
        if at in values:
            continue
        operation, arguments = graph.nodes[at]
        if operation == "constant":
            values[at] = numbers.literal(arguments[0])
        elif operation in STANDING_FOR:
            values[at] = values[arguments[0]]
        else:
            values[at] = numbers.apply(operation, [values[i] for i in arguments])
    return values


def inputs_of(graph: Graph, wanted: Sequence[int]) -> list[tuple[int, str, int]]:
    """List the inputs that some nodes need, as (node, name, number)."""
    found = []
    for at in ancestors(graph, wanted):
        operation, arguments = graph.nodes[at]
        if operation == "input":
            found.append((at, *arguments))
    return found


def module(functions: Sequence[str], declared: dict[str, str]) -> str:
    """Return the text of a module."""
    attributes: Any = (
        'attributes #0 = { nounwind "min-legal-vector-width"="512" }\n'
        "attributes #1 = { nounwind willreturn memory(none) }\n"
    )
    return "\n\n".join([*declared.values(), *functions, attributes])
