"""The loop of one small system, tangent vectors and their factorisation written out.

`blocks` carries a state and a basis through blocks of steps and factorises after each, until one
is met whose basis is not good enough: what to do then is `tangent.forward`'s to say. `states.run`
takes steps of the state alone.
"""

from __future__ import annotations

from .code import Numbers, Text, inputs_of, module, write
from .graph import Graph, ancestors
from .groups import BLOCKS, over_groups
from .limits import LONG, ONCE_GRAM_SCHMIDT, SHORT
from .program import Program, gram_schmidt
from .states import outside_of, run, step_of, variables_of


def source(program: Program, k: int, lanes: int = 1) -> str:
    """Return the text of both loops."""
    text = Text()
    functions = [run(text, program, lanes), _blocks(text, program, k, lanes)]
    return module([*functions, *over_groups(program.dim, k, lanes)], text.declared)


def _blocks(text: Text, program: Program, k: int, lanes: int) -> str:
    """Write the loop over blocks."""
    text.lines = []
    numbers, n = Numbers(text, lanes), program.dim
    tangent = _unrolled(program, k)
    wanted = [*tangent.step, *tangent.push]
    text.label("entry")
    x, q = variables_of(numbers, "x", n), variables_of(numbers, "q", k * n)
    size, length = variables_of(numbers, "size", k), variables_of(numbers, "length", k)
    outside, limits = outside_of(numbers, tangent.graph, wanted), _limits(numbers)
    for name, variables in (("x", x), ("q", q)):
        for i, variable in enumerate(variables):
            text.put(f"  store {numbers.type} {numbers.load('%' + name, i)}, ptr {variable}")
    text.put("  %skip = fcmp olt double %least, 0.0")
    text.put("  br label %outer")
    text.label("outer")
    text.put("  %b = phi i64 [ 0, %entry ], [ %b.next, %good ]")
    text.put("  %first = mul i64 %b, %interval")
    text.put("  %more.blocks = icmp slt i64 %b, %count")
    text.put("  br i1 %more.blocks, label %loop, label %done")
    _steps(numbers, tangent, wanted, outside, x, q)
    _checked(numbers, k, n, limits, q, size, length)
    text.label("good")
    base = text.let(f"mul i64 %b, {k}")
    for i, variable in enumerate(size):
        value = text.let(f"load {numbers.type}, ptr {variable}")
        numbers.store(value, "%diagonal", text.let(f"add i64 {base}, {i}"))
    for name, variables in (("x", x), ("q", q)):
        for i, variable in enumerate(variables):
            numbers.store(text.let(f"load {numbers.type}, ptr {variable}"), f"%{name}", i)
    text.put("  %b.next = add i64 %b, 1")
    text.put("  br label %outer")
    text.label("done")
    text.put("  ret i64 %b")
    return "\n".join([BLOCKS, *text.lines, "}"])


def _limits(numbers: Numbers) -> dict[str, str]:
    """Name the limits of sines and lengths."""
    one = Numbers(numbers.text)
    known = {"short": SHORT, "long": LONG, "once": ONCE_GRAM_SCHMIDT}
    given = {"least": "%least", **{name: one.literal(x) for name, x in known.items()}}
    return {name: numbers.splat(value) for name, value in given.items()}


def _steps(
    numbers: Numbers, tangent: Program, wanted: list[int], outside: dict[int, str],
    x: list[str], q: list[str],
) -> None:  # fmt: skip
    """Write the loop over the steps of a block."""
    text = numbers.text
    text.label("loop")
    text.put("  %s = phi i64 [ 0, %outer ], [ %s.next, %body ]")
    text.put("  %more = icmp slt i64 %s, %interval")
    text.put("  br i1 %more, label %body, label %factorise")
    text.label("body")
    text.put("  %at = add i64 %first, %s")
    known = dict(outside)
    for at, name, i in inputs_of(tangent.graph, wanted):
        if name == "q":
            known[at] = text.let(f"load {numbers.type}, ptr {q[i]}")
    values = step_of(numbers, tangent, x, known, "%at", wanted)
    for variables, nodes in ((x, tangent.step), (q, tangent.push)):
        for variable, at in zip(variables, nodes, strict=True):
            text.put(f"  store {numbers.type} {values[at]}, ptr {variable}")
    text.put("  %s.next = add i64 %s, 1")
    text.put("  br label %loop")


def _checked(
    numbers: Numbers, k: int, n: int, limits: dict[str, str],
    q: list[str], size: list[str], length: list[str],
) -> None:  # fmt: skip
    """Write the factorisation, by one pass or two, and what follows if it is good or not."""
    text = numbers.text
    text.label("factorise")
    text.put("  br i1 %skip, label %good, label %first.pass")
    text.label("first.pass")
    a = [text.let(f"load {numbers.type}, ptr {variable}") for variable in q]
    _factorise(numbers, k, n, 1, a, q, size, length)
    fine = _above(numbers, size, length, limits, "once")
    text.put(f"  br i1 {fine}, label %check, label %again")
    text.label("again")
    _factorise(numbers, k, n, 2, a, q, size, length)
    text.put("  br label %check")
    text.label("check")
    fine = _above(numbers, size, length, limits, "least")
    text.put(f"  br i1 {fine}, label %good, label %done")


def _unrolled(program: Program, k: int) -> Program:
    """Return the program with k tangent vectors in the place of one."""
    graph = Graph()
    graph.nodes = list(program.graph.nodes)
    graph._known = dict(program.graph._known)
    n = program.dim
    push = list(program.push)
    order = ancestors(program.graph, program.push)
    for vector in range(1, k):
        copies: dict[int, int] = {}
        for at in order:
            operation, arguments = program.graph.nodes[at]
            if operation == "constant":
                copies[at] = at
            elif operation == "input":
                moved = arguments[0] == "q"
                name = ("q", arguments[1] + vector * n) if moved else arguments
                copies[at] = graph.add("input", name).at
            else:
                copies[at] = graph.add(operation, tuple(copies[i] for i in arguments)).at
        push += [copies[at] for at in program.push]
    return Program(graph, n, program.step, push)


def _factorise(
    numbers: Numbers, k: int, n: int, passes: int, a: list[str], *variables: list[str]
) -> None:
    graph, parts = gram_schmidt(k, n, passes)
    wanted = [at for part in parts for at in part]
    known = {at: a[i] for at, _, i in inputs_of(graph, wanted)}
    values = write(numbers, graph, ancestors(graph, wanted), known)
    for part, targets in zip(parts, variables, strict=True):
        for at, target in zip(part, targets, strict=True):
            numbers.text.put(f"  store {numbers.type} {values[at]}, ptr {target}")


def _above(
    numbers: Numbers, size: list[str], length: list[str], limits: dict[str, str], least: str
) -> str:
    """Return whether all sines are above a limit, and all lengths in range."""
    fine = ""
    for a, b in zip(size, length, strict=True):
        diagonal = numbers.text.let(f"load {numbers.type}, ptr {a}")
        whole = numbers.text.let(f"load {numbers.type}, ptr {b}")
        bound = numbers.apply("multiply", (whole, limits[least]))
        for test in (
            numbers.apply("greater_equal", (diagonal, bound)),
            numbers.apply("greater", (whole, limits["short"])),
            numbers.apply("less", (whole, limits["long"])),
        ):
            fine = test if not fine else numbers.apply("logical_and", (fine, test))
    return numbers.all(fine)
