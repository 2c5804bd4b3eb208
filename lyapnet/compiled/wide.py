"""The loop of one system with many tangent vectors: as many at once as the processor has lanes.

The same as `small`, but vectors go through a step side by side, see `blocks`.
"""

from __future__ import annotations

from collections.abc import Sequence

from .blocks import COPY, DISTURB, blocks, padded
from .code import Numbers, Text, inputs_of, module, write
from .crossings import Crossings, crossings_of
from .graph import Graph, ancestors, depends_on
from .groups import over_groups
from .operations import TRUTHS
from .program import Program
from .states import load_state, outside_of, run, state_of


def source(program: Program, k: int, lanes: int) -> str:
    """Return the text of both loops."""
    text = Text()
    crossings = crossings_of(text, program, k, 1)
    form = _Numbers(text, program, k, lanes, crossings)
    whole = blocks(text, form, k, program.dim, form.width)
    functions = [run(text, program, 1, crossings), COPY, DISTURB, whole]
    functions += [] if crossings is None else crossings.functions()
    return module([*functions, *over_groups(program, k, 1)], text.declared)


class _Numbers:
    """Steps of a program on single numbers, see `Steps`."""

    reached = "%scratch"

    def __init__(
        self, text: Text, program: Program, k: int, lanes: int, crossings: Crossings | None
    ) -> None:
        self.text, self.program, self.k, self.crossings = text, program, k, crossings
        self.one, self.many = Numbers(text), Numbers(text, lanes)
        self.width = padded(k, lanes)
        self.chunks = self.width // lanes

    def enter(self) -> None:
        """Write what is done once.

        Vectors and states that move on need room within a block: they come back to its beginning.
        """
        text, program, n = self.text, self.program, self.program.dim
        self.outside = outside_of(self.one, program.graph, program.wanted)
        if self.crossings is not None:
            self.crossings.enter(scratch(program, self.k, self.many.lanes))
        text.put(f"  %ahead = mul i64 %interval, {program.moved}")
        text.put(f"  %each.step = sub i64 0, {self.width * program.moved}")
        text.put(f"  %vectors.ahead = mul i64 %ahead, {self.width}")
        text.put("  %vectors = getelementptr inbounds double, ptr %scratch, i64 %vectors.ahead")
        text.put(f"  %past = getelementptr inbounds double, ptr %vectors, i64 {n * self.width}")
        text.put("  %ahead.rows = getelementptr inbounds double, ptr %past, i64 %ahead")
        text.put(f"  %rows = getelementptr inbounds double, ptr %ahead.rows, i64 {n}")
        self.x = state_of(self.one, program, "%past", "%interval")

    def fill(self) -> None:
        """Write how a block takes the state from %x."""
        self.x.fill("%x")

    def keep(self) -> None:
        """Write how %x becomes the state behind the last step."""
        self.x.keep("%x")

    def steps(self) -> None:
        """Write the loop over the steps of a block: the state's, and then the vectors' chunks."""
        one, program = self.one, self.program
        text, graph = self.text, program.graph
        wanted = program.wanted
        moving = depends_on(graph, "q")
        text.label("loop")
        text.put("  %s = phi i64 [ 0, %spread ], [ %s.next, %stepped ]")
        text.put("  %more = icmp slt i64 %s, %interval")
        text.put("  br i1 %more, label %body, label %factorise")
        text.label("body")
        text.put("  %at = add i64 %first, %s")
        values = dict(self.outside)
        before, after = self.x.around("%s")
        load_state(one, program, before, values, "%at", wanted)
        order = ancestors(graph, wanted)
        write(one, graph, [at for at in order if not moving[at]], values)
        for i, at in enumerate(program.step):
            text.put(f"  store double {values[at]}, ptr {after[i]}")
        text.put("  %gone = mul i64 %s, %each.step")
        text.put("  %now = getelementptr inbounds double, ptr %vectors, i64 %gone")
        text.put("  %then = getelementptr inbounds double, ptr %now, i64 %each.step")
        came = ["%body"]
        if self.crossings is None:
            text.put("  br label %chunk")
        else:
            self._across(values, after)
            came.append("%across")
        text.label("chunk")
        first = ", ".join(f"[ 0, {label} ]" for label in came)
        text.put(f"  %c = phi i64 {first}, [ %c.next, %pushed ]")
        text.put(f"  %more.chunks = icmp slt i64 %c, {self.chunks}")
        text.put("  br i1 %more.chunks, label %push, label %stepped")
        text.label("push")
        _push(self.many, program, self.chunks, values, [at for at in order if moving[at]])
        text.put("  br label %pushed")
        text.label("pushed")
        text.put("  %c.next = add i64 %c, 1")
        text.put("  br label %chunk")
        text.label("stepped")
        text.put("  %s.next = add i64 %s, 1")
        text.put("  br label %loop")

    def _across(self, values: dict[int, str], after: Sequence[str]) -> None:
        """Write what becomes of a step that may meet surfaces: plain ones go on with `chunk`."""
        assert self.crossings is not None
        text = self.text
        self.crossings.branch(self.one, values, "chunk")
        state = [values[at] for at in self.program.step]
        given = self.k, self.width, 1, "%now", "%now"
        found = self.crossings.call(self.one, values, "%at", state, *given)
        for value, to in zip(found, after, strict=True):
            text.put(f"  store double {value}, ptr {to}")
        met = text.let("load i64, ptr %meets")
        text.put(f"  br i1 {text.let(f'icmp ne i64 {met}, 0')}, label %stepped, label %chunk")


def scratch(program: Program, k: int, lanes: int) -> int:
    """Return the numbers that loops need as room, but for surfaces and for states that move on."""
    n = program.dim
    return n * padded(k, lanes) + 2 * n * k + k * k + 67 * k + 2 * n


def _push(
    many: Numbers, program: Program, chunks: int, values: dict[int, str], moving: list[int]
) -> None:
    """Write the tangent step of one chunk of vectors, given what is the same for all vectors."""
    text, graph = many.text, program.graph
    spread: dict[int, str] = {}
    for at, name, i in inputs_of(graph, program.wanted):
        if name == "q":
            spread[at] = many.load("%now", text.let(f"add i64 %c, {i * chunks}"))
    for at in moving:
        if at in spread:
            continue
        operation, arguments = graph.nodes[at]
        given = []
        for a in arguments:
            if a not in spread:
                spread[a] = _spread(many, graph, a, values)
            given.append(spread[a])
        spread[at] = many.apply(operation, given)
    for i, at in enumerate(program.push):
        value = spread[at] if at in spread else _spread(many, graph, at, values)
        many.store(value, "%then", text.let(f"add i64 %c, {i * chunks}"))


def _spread(many: Numbers, graph: Graph, at: int, values: dict[int, str]) -> str:
    """Return a single number in all lanes."""
    operation, arguments = graph.nodes[at]
    if operation == "constant":
        return many.literal(arguments[0])
    value = values[at]
    if operation in TRUTHS:
        first = many.text.let(f"insertelement {many.truth} poison, i1 {value}, i64 0")
        zero = f"<{many.lanes} x i32> zeroinitializer"
        return many.text.let(f"shufflevector {many.truth} {first}, {many.truth} poison, {zero}")
    return many.splat(value)
