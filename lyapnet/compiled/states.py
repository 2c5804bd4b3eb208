"""The loop of one small system over its states, and what all loops do in a step.

`run` takes steps of the state alone. With lanes each array has an ensemble's members last, as many
as lanes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .code import Numbers, Text, inputs_of, write
from .crossings import Crossings
from .graph import Graph, ancestors
from .groups import RUN
from .program import Program


def run(text: Text, program: Program, lanes: int, crossings: Crossings | None = None) -> str:
    """Write the loop over the states: ``run(steps, x, u, p, d, states)``.

    Of states that move on, those after all steps are written once, the last one first: each is a
    window on ``states (steps fresh + n)``.
    """
    text.lines = []
    numbers, n = Numbers(text, lanes), program.dim
    text.label("entry")
    wanted = [*program.step, *program.changes]
    outside = outside_of(numbers, program.graph, wanted)
    if crossings is not None:
        crossings.enter()
    x = state_of(numbers, program, "%states", "%steps")
    x.fill("%x")
    text.put("  br label %loop")
    text.label("loop")
    last = "body" if crossings is None else "moved"
    s = text.let(f"phi i64 [ 0, %entry ], [ %next, %{last} ]")
    text.put(f"  %more = icmp slt i64 {s}, %steps")
    text.put("  br i1 %more, label %body, label %done")
    text.label("body")
    before, after = x.around(s)
    values = step_of(numbers, program, before, dict(outside), s, wanted)
    state = [values[at] for at in program.step]
    if crossings is not None:
        state = crossings.step(numbers, values, s, state, [])
    for i, value in enumerate(state):
        text.put(f"  store {numbers.type} {value}, ptr {after[i]}")
    if not program.moved:
        base = text.let(f"mul i64 {s}, {n}")
        for i, value in enumerate(state):
            numbers.store(value, "%states", text.let(f"add i64 {base}, {i}"))
    text.put(f"  %next = add i64 {s}, 1")
    text.put("  br label %loop")
    text.label("done")
    text.put("  ret i64 %steps")
    return "\n".join([RUN, *text.lines, "}"])


def state_of(numbers: Numbers, program: Program, region: str, steps: str) -> Variables | Window:
    """Return where a state lives while steps are taken; see `Window`."""
    if program.moved:
        return Window(numbers, program, region, steps)
    return Variables(numbers, program)


class Variables:
    """A state whose components are all computed anew."""

    def __init__(self, numbers: Numbers, program: Program) -> None:
        self.numbers = numbers
        self.x = variables_of(numbers, "x", program.dim)

    def fill(self, source: str) -> None:
        """Read the first state."""
        for i, x in enumerate(self.x):
            self.numbers.text.put(
                f"  store {self.numbers.type} {self.numbers.load(source, i)}, ptr {x}"
            )

    def around(self, s: str) -> tuple[Sequence[str], Sequence[str]]:
        """Return the state before step s and that after it, which takes its place."""
        return self.x, self.x

    def keep(self, target: str) -> None:
        """Write the last state."""
        for i, x in enumerate(self.x):
            now = self.numbers.text.let(f"load {self.numbers.type}, ptr {x}")
            self.numbers.store(now, target, i)


class Window:
    """States that move on: each is a window on a region of memory, the last one first.

    Parameters
    ----------
    numbers : Numbers
    program : Program
    region : str
        Pointer to ``steps fresh + n`` numbers.
    steps : str
        How many steps there will be.
    """

    def __init__(self, numbers: Numbers, program: Program, region: str, steps: str) -> None:
        self.numbers, self.program, self.steps = numbers, program, steps
        self.region = region

    def fill(self, source: str) -> None:
        """Copy the first state to the end of the region."""
        copy(self.numbers.text, self._at("0"), source, self.program.dim)

    def keep(self, target: str) -> None:
        """Write the last state."""
        copy(self.numbers.text, target, self.region, self.program.dim)

    def around(self, s: str) -> tuple[Sequence[str], Sequence[str]]:
        """Return the state before step s and that after it."""
        before = self._at(s)
        after = self.numbers.place(before, -self.program.fresh)
        return _Numbers(self.numbers, before), _Numbers(self.numbers, after)

    def _at(self, s: str) -> str:
        left = self.numbers.text.let(f"sub i64 {self.steps}, {s}")
        back = self.numbers.text.let(f"mul i64 {left}, {self.program.fresh}")
        return self.numbers.place(self.region, back)


class _Numbers(Sequence[str]):
    """Where the numbers of an array lie."""

    def __init__(self, numbers: Numbers, pointer: str) -> None:
        self.numbers, self.pointer = numbers, pointer

    def __getitem__(self, i: Any) -> Any:
        return self.numbers.place(self.pointer, i)

    def __len__(self) -> int:
        raise TypeError("as many as are asked for")


def copy(text: Text, to: str, source: str, count: int) -> None:
    """Write a copy of so many single numbers."""
    text.put(
        f"  call void @llvm.memcpy.p0.p0.i64(ptr {to}, ptr {source}, i64 {8 * count}, i1 false)"
    )
    text.declared["memcpy"] = "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"


def variables_of(numbers: Numbers, name: str, count: int) -> list[str]:
    """Make variables, which the compiler keeps in registers where it can."""
    found = [f"%{name}.{i}" for i in range(count)]
    for variable in found:
        numbers.text.put(f"  {variable} = alloca {numbers.type}, align 64")
    return found


def outside_of(numbers: Numbers, graph: Graph, wanted: list[int]) -> dict[int, str]:
    """Load what is the same in all steps: parameters and the time step."""
    found: dict[int, str] = {}
    alone = Numbers(numbers.text)
    known = ""
    for at, name, i in inputs_of(graph, wanted):
        if name == "a":
            known = known or numbers.text.let(f"load ptr, ptr {alone.place('%d', 1)}")
            found[at] = numbers.splat(alone.load(known, 1 + i))
        elif name == "p":
            found[at] = numbers.load("%p", i)
        elif name == "d":
            found[at] = numbers.splat(alone.load("%d", i))
    return found


def step_of(
    numbers: Numbers,
    program: Program,
    x: Sequence[str],
    values: dict[int, str],
    s: str,
    wanted: list[int],
) -> dict[int, str]:
    """Write one step, from the variables x, with the inputs of step s."""
    load_state(numbers, program, x, values, s, wanted)
    return write(numbers, program.graph, ancestors(program.graph, wanted), values)


def load_state(
    numbers: Numbers,
    program: Program,
    x: Sequence[str],
    values: dict[int, str],
    s: str,
    wanted: list[int],
) -> None:
    """Load what is new in step s, state and inputs, into the values of their nodes."""
    text = numbers.text
    inputs = inputs_of(program.graph, wanted)
    width = 1 + max((i for _, name, i in inputs if name == "u"), default=-1)
    base = text.let(f"mul i64 {s}, %width") if width else ""
    for at, name, i in inputs:
        if name == "x":
            values[at] = text.let(f"load {numbers.type}, ptr {x[i]}")
        elif name == "u":
            values[at] = numbers.load("%u", text.let(f"add i64 {base}, {i}"))
