"""The loop of one system with many tangent vectors: as many at once as the processor has lanes.

The same as `small`, but vectors go through a step side by side, and a function that is passed as a
pointer factorises.
"""

from __future__ import annotations

from .code import Numbers, Text, inputs_of, module, write
from .graph import Graph, ancestors
from .groups import BLOCKS, over_groups
from .operations import TRUTHS
from .program import Program, depends_on
from .states import Variables, Window, copy, load_state, outside_of, run, state_of


def source(program: Program, k: int, lanes: int) -> str:
    """Return the text of both loops."""
    text = Text()
    functions = [run(text, program, 1), _COPY, _DISTURB, _blocks(text, program, k, lanes)]
    return module([*functions, *over_groups(program, k, 1)], text.declared)


def padded(k: int, lanes: int) -> int:
    """Return the number of vectors that fill whole lanes."""
    return -(-k // lanes) * lanes


#: A copy of rows ``(k, n)`` to columns, or back.
_COPY = """define internal void @transpose(ptr noalias %from, ptr noalias %to, i64 %rows,
    i64 %columns, i64 %step.from, i64 %step.to) #0 {
entry:
  br label %outer
outer:
  %i = phi i64 [ 0, %entry ], [ %i.next, %after ]
  %more = icmp slt i64 %i, %rows
  br i1 %more, label %before, label %done
before:
  %row = mul i64 %i, %step.from
  br label %inner
inner:
  %j = phi i64 [ 0, %before ], [ %j.next, %body ]
  %again = icmp slt i64 %j, %columns
  br i1 %again, label %body, label %after
body:
  %source = add i64 %row, %j
  %p = getelementptr inbounds double, ptr %from, i64 %source
  %value = load double, ptr %p, align 8
  %column = mul i64 %j, %step.to
  %target = add i64 %column, %i
  %t = getelementptr inbounds double, ptr %to, i64 %target
  store double %value, ptr %t, align 8
  %j.next = add i64 %j, 1
  br label %inner
after:
  %i.next = add i64 %i, 1
  br label %outer
done:
  ret void
}"""

#: Products of rows and as many factors.
_DISTURB = """define internal void @disturb(ptr noalias %rows, ptr noalias %noise,
    ptr noalias %to, i64 %size) #0 {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %i.next, %body ]
  %more = icmp slt i64 %i, %size
  br i1 %more, label %body, label %done
body:
  %p = getelementptr inbounds double, ptr %rows, i64 %i
  %f = getelementptr inbounds double, ptr %noise, i64 %i
  %t = getelementptr inbounds double, ptr %to, i64 %i
  %value = load double, ptr %p, align 8
  %factor = load double, ptr %f, align 8
  %product = fmul double %value, %factor
  store double %product, ptr %t, align 8
  %i.next = add i64 %i, 1
  br label %loop
done:
  ret void
}"""


def _blocks(text: Text, program: Program, k: int, lanes: int) -> str:
    """Write the loop over blocks."""
    text.lines = []
    one, n = Numbers(text), program.dim
    width = padded(k, lanes)
    text.label("entry")
    outside = outside_of(one, program.graph, [*program.step, *program.push])
    # Room that vectors and states need to move on within a block: they come back to its beginning.
    text.put(f"  %ahead = mul i64 %interval, {program.moved}")
    text.put(f"  %each.step = sub i64 0, {width * program.moved}")
    text.put(f"  %vectors.ahead = mul i64 %ahead, {width}")
    text.put("  %vectors = getelementptr inbounds double, ptr %scratch, i64 %vectors.ahead")
    text.put(f"  %past = getelementptr inbounds double, ptr %vectors, i64 {n * width}")
    text.put("  %ahead.rows = getelementptr inbounds double, ptr %past, i64 %ahead")
    text.put(f"  %rows = getelementptr inbounds double, ptr %ahead.rows, i64 {n}")
    x = state_of(one, program, "%past", "%interval")
    text.put(f"  %lengths = getelementptr inbounds double, ptr %rows, i64 {n * k}")
    text.put(f"  %room = getelementptr inbounds double, ptr %lengths, i64 {k}")
    text.put("  %skip = fcmp olt double %least, 0.0")
    text.put("  %noisy = icmp ne ptr %noise, null")
    text.put("  br label %outer")
    text.label("outer")
    text.put("  %b = phi i64 [ 0, %entry ], [ %b.next, %good ]")
    text.put("  %first = mul i64 %b, %interval")
    text.put("  %more.blocks = icmp slt i64 %b, %count")
    text.put("  br i1 %more.blocks, label %begin, label %done")
    text.label("begin")
    text.put("  br i1 %noisy, label %disturb, label %spread")
    text.label("disturb")
    text.put(f"  %at.noise = mul i64 %b, {n * k}")
    text.put("  %noise.b = getelementptr inbounds double, ptr %noise, i64 %at.noise")
    text.put(f"  call void @disturb(ptr %q, ptr %noise.b, ptr %rows, i64 {n * k})")
    text.put("  br label %spread")
    text.label("spread")
    text.put("  %from = phi ptr [ %q, %begin ], [ %rows, %disturb ]")
    text.put(
        f"  call void @transpose(ptr %from, ptr %vectors, i64 {k}, i64 {n}, i64 {n}, i64 {width})"
    )
    x.fill("%x")
    text.put("  br label %loop")
    _steps(one, Numbers(text, lanes), program, width // lanes, outside, x)
    _checked(text, k, n, width)
    text.label("good")
    copy(text, "%q", "%rows", k * n)
    x.keep("%x")
    text.put("  %b.next = add i64 %b, 1")
    text.put("  br label %outer")
    text.label("done")
    text.put("  ret i64 %b")
    return "\n".join([BLOCKS, *text.lines, "}"])


def _steps(
    one: Numbers, many: Numbers, program: Program, chunks: int, outside: dict[int, str],
    x: Variables | Window,
) -> None:  # fmt: skip
    """Write the loop over the steps of a block: the state's step, and then the vectors' chunks."""
    text, graph = one.text, program.graph
    wanted = [*program.step, *program.push]
    moving = depends_on(graph, "q")
    text.label("loop")
    text.put("  %s = phi i64 [ 0, %spread ], [ %s.next, %stepped ]")
    text.put("  %more = icmp slt i64 %s, %interval")
    text.put("  br i1 %more, label %body, label %factorise")
    text.label("body")
    text.put("  %at = add i64 %first, %s")
    values = dict(outside)
    before, after = x.around("%s")
    load_state(one, program, before, values, "%at", wanted)
    order = ancestors(graph, wanted)
    write(one, graph, [at for at in order if not moving[at]], values)
    for i, at in enumerate(program.step):
        text.put(f"  store double {values[at]}, ptr {after[i]}")
    text.put("  %gone = mul i64 %s, %each.step")
    text.put("  %now = getelementptr inbounds double, ptr %vectors, i64 %gone")
    text.put("  %then = getelementptr inbounds double, ptr %now, i64 %each.step")
    text.put("  br label %chunk")
    text.label("chunk")
    text.put("  %c = phi i64 [ 0, %body ], [ %c.next, %pushed ]")
    text.put(f"  %more.chunks = icmp slt i64 %c, {chunks}")
    text.put("  br i1 %more.chunks, label %push, label %stepped")
    text.label("push")
    _push(many, program, chunks, values, [at for at in order if moving[at]])
    text.put("  br label %pushed")
    text.label("pushed")
    text.put("  %c.next = add i64 %c, 1")
    text.put("  br label %chunk")
    text.label("stepped")
    text.put("  %s.next = add i64 %s, 1")
    text.put("  br label %loop")


def _push(
    many: Numbers, program: Program, chunks: int, values: dict[int, str], moving: list[int]
) -> None:
    """Write the tangent step of one chunk of vectors, given what is the same for all vectors."""
    text, graph = many.text, program.graph
    spread: dict[int, str] = {}
    for at, name, i in inputs_of(graph, [*program.step, *program.push]):
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


def _checked(text: Text, k: int, n: int, width: int) -> None:
    """Write the factorisation, and what follows if it is good or not."""
    text.label("factorise")
    text.put(
        f"  call void @transpose(ptr %scratch, ptr %rows, i64 {n}, i64 {k}, i64 {width}, i64 {n})"
    )
    text.put("  br i1 %skip, label %good, label %check")
    text.label("check")
    text.put("  %base = mul i64 %b, %row")
    text.put("  %diagonal.b = getelementptr inbounds double, ptr %diagonal, i64 %base")
    text.put(
        f"  %fine = call i64 %factor(ptr %blas, ptr %rows, i64 {k}, i64 {n}, ptr %room, "
        "ptr %diagonal.b, ptr %lengths, double %least)"
    )
    text.put("  %is.fine = icmp ne i64 %fine, 0")
    text.put("  br i1 %is.fine, label %good, label %done")


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
