"""The loops of one system whose step is written down on whole arrays.

Tangent vectors go through a step side by side, as in `wide`: an array of theirs has them as its
last axis, and a matrix is multiplied by all of them at once.
"""

from __future__ import annotations

from .array_code import Writer
from .array_places import Tables
from .array_plan import Plan
from .blocks import COPY, DISTURB, blocks, padded
from .code import Text, module
from .groups import RUN, over_groups
from .program import ArrayProgram
from .states import copy


def source(program: ArrayProgram, k: int, lanes: int) -> tuple[str, int, int]:
    """Return the text of both loops, and the numbers that each needs as scratch."""
    text, tables = Text(), Tables()
    running = _run(text, program, tables)
    form = _Arrays(text, program, tables, k, lanes)
    functions = [running[0], COPY, DISTURB, blocks(text, form, k, program.dim, form.width)]
    functions = [*tables.lines.values(), *functions, *over_groups(program, k, 1)]
    return module(functions, text.declared), running[1], form.size


def _room(text: Text, plan: Plan) -> int:
    """Write where the room is that functions of arrays need, and return the size of all."""
    text.put(f"  %room.tanh = getelementptr inbounds double, ptr %scratch, i64 {plan.size}")
    sizes = [plan.graph.size(at) for s in plan.before + plan.within for at in s.nodes]
    return plan.size + -(-max(sizes) // 8) * 8


def _run(text: Text, program: ArrayProgram, tables: Tables) -> tuple[str, int]:
    """Write the loop over the states, and return the numbers that it needs as scratch."""
    text.lines = []
    plan, n = Plan(program, program.step, 1), program.dim
    given = {"x": "%now", "u": "%u.now", "p": "%p", "d": "%d", plan.wanted[0]: "%then"}
    writer = Writer(text, plan, tables, 1, given)
    text.label("entry")
    size = _room(text, plan)
    writer.before()
    text.put("  br label %start")
    text.label("start")
    text.put("  br label %loop")
    writer.label("loop")
    text.put("  %s = phi i64 [ 0, %start ], [ %s.next, %stepped ]")
    text.put("  %now = phi ptr [ %x, %start ], [ %then, %stepped ]")
    text.put("  %more = icmp slt i64 %s, %steps")
    text.put("  br i1 %more, label %body, label %done")
    writer.label("body")
    text.put(f"  %at.then = mul i64 %s, {n}")
    text.put("  %then = getelementptr inbounds double, ptr %states, i64 %at.then")
    text.put("  %at.u = mul i64 %s, %width")
    text.put("  %u.now = getelementptr inbounds double, ptr %u, i64 %at.u")
    writer.step()
    text.put("  br label %stepped")
    text.label("stepped")
    text.put("  %s.next = add i64 %s, 1")
    text.put("  br label %loop")
    text.label("done")
    text.put("  ret i64 %steps")
    return "\n".join([RUN, *text.lines, "}"]), size


class _Arrays:
    """Steps of a program on whole arrays, see `blocks.Steps`.

    State and vectors are in one of two places, and behind a step in the other.
    """

    reached = "%q.now"

    def __init__(
        self, text: Text, program: ArrayProgram, tables: Tables, k: int, lanes: int
    ) -> None:
        self.text, self.n = text, program.dim
        self.width = padded(k, lanes)
        self.plan = Plan(program, [*program.step, *program.push], self.width)
        step, push = self.plan.wanted
        given = {"x": "%x.now", "u": "%u.now", "p": "%p", "d": "%d", "q": "%q.now",
                 step: "%x.then", push: "%q.then"}  # fmt: skip
        self.writer = Writer(text, self.plan, tables, lanes, given)
        self.size = 0

    def enter(self) -> None:
        """Write what is done once."""
        text, n, first = self.text, self.n, _room(self.text, self.plan)
        each = -(-n // 8) * 8
        sizes = {"x.0": each, "x.1": each, "vectors": n * self.width, "q.1": n * self.width}
        for name, size in sizes.items():
            text.put(f"  %{name} = getelementptr inbounds double, ptr %scratch, i64 {first}")
            first += size
        text.put(f"  %rows = getelementptr inbounds double, ptr %scratch, i64 {first}")
        self.size = first
        self.writer.before()

    def fill(self) -> None:
        """Write how a block takes the state from %x."""
        copy(self.text, "%x.0", "%x", self.n)

    def keep(self) -> None:
        """Write how %x becomes the state behind the last step."""
        copy(self.text, "%x", "%x.now", self.n)

    def steps(self) -> None:
        """Write the loop over the steps of a block."""
        text = self.text
        text.label("loop")
        text.put("  %s = phi i64 [ 0, %spread ], [ %s.next, %stepped ]")
        for name, first, other in (("x", "%x.0", "%x.1"), ("q", "%vectors", "%q.1")):
            text.put(f"  %{name}.now = phi ptr [ {first}, %spread ], [ %{name}.then, %stepped ]")
            text.put(f"  %{name}.then = phi ptr [ {other}, %spread ], [ %{name}.now, %stepped ]")
        text.put("  %more = icmp slt i64 %s, %interval")
        text.put("  br i1 %more, label %body, label %factorise")
        self.writer.label("body")
        text.put("  %at = add i64 %first, %s")
        text.put("  %at.u = mul i64 %at, %width")
        text.put("  %u.now = getelementptr inbounds double, ptr %u, i64 %at.u")
        self.writer.step()
        text.put("  br label %stepped")
        text.label("stepped")
        text.put("  %s.next = add i64 %s, 1")
        text.put("  br label %loop")
