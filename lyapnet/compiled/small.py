"""The loop of one small system, tangent vectors and their factorisation written out.

`blocks` carries a state and a basis through blocks of steps and factorises after each. Where it is
easy, vectors are made orthogonal but keep their lengths: squared growth factors are ratios of the
squares of these, no root is taken, and the next step waits for no quotient. A block whose vectors
come too close to each other is halved, as by `tangent.forward`, and what even single steps do not
stand is left to that. `states.run` takes steps of the state alone.
"""

from __future__ import annotations

from .code import Numbers, Text, inputs_of, module, write
from .crossings import Crossings, crossings_of
from .graph import Graph, ancestors, depends_on
from .groups import BLOCKS, over_groups
from .limits import EPS, LONG, ONCE_GRAM_SCHMIDT, SHORT
from .program import Program, gram_schmidt
from .states import load_state, outside_of, run, variables_of

#: Squared lengths between which vectors are left as long as they are, ...
_FEW, _MANY = 2.0**-100, 2.0**100

#: ... and squared growth factors. One vector may leave rounding in another, which grows by the
#: ratio of these; with unit vectors it is zero where they lie along axes.
_SLOW, _FAST = 1e-8, 1e8


def source(program: Program, k: int, lanes: int = 1) -> str:
    """Return the text of both loops."""
    text = Text()
    unrolled = _unrolled(program, k)
    crossings = crossings_of(text, unrolled, k, lanes)
    functions = [
        run(text, program, lanes, crossings),
        _Blocks(text, unrolled, k, lanes, crossings).written(),
        *([] if crossings is None else crossings.functions()),
        *over_groups(program, k, lanes),
    ]
    return module(functions, text.declared)


class _Blocks:
    """The text of the loop over blocks, in the order of its parts."""

    def __init__(
        self, text: Text, tangent: Program, k: int, lanes: int, crossings: Crossings | None
    ) -> None:
        text.lines = []
        self.text, self.k, self.n, self.crossings = text, k, tangent.dim, crossings
        self.numbers, self.fused = Numbers(text, lanes), Numbers(text, lanes, fused=True)
        self.tangent, self.wanted = tangent, tangent.wanted

    def written(self) -> str:
        """Return the text."""
        self._enter()
        self._begin()
        self._steps()
        self._factorise()
        self._accept()
        self._divide()
        self._leave()
        return "\n".join([BLOCKS, *self.text.lines, "}"])

    def _enter(self) -> None:
        """Make variables, with what the loop is given."""
        text, n, k = self.text, self.n, self.k
        text.label("entry")
        self.x, self.q, self.square = (
            self._new("x", n),
            self._new("q", k * n),
            self._new("square", k),
        )
        # What a part of a block begins with, and a block; what a block has grown so far, squared.
        self.part_x, self.part_q = self._new("part.x", n), self._new("part.q", k * n)
        self.first_square, self.size = self._new("first.square", k), self._new("size", k)
        self.new, self.length = self._new("new", k), self._new("length", k)
        self.ratio, self.after = self._new("ratio", k), self._new("after", k)
        self.outside = outside_of(self.numbers, self.tangent.graph, self.wanted)
        if self.crossings is not None:
            self.crossings.enter()
        for name, variables in (("x", self.x), ("q", self.q)):
            self._set(variables, [self.numbers.load("%" + name, i) for i in range(len(variables))])
        one = self.numbers.literal(1.0)
        self._set(self.square, [one] * k)
        self._set(self.first_square, [one] * k)
        text.put("  %ends = alloca [64 x i64]")
        text.put("  %skip = fcmp olt double %least, 0.0")
        text.put("  %noisy = icmp ne ptr %noise, null")
        text.put("  %several = icmp sgt i64 %interval, 1")
        text.put("  %least.2 = fmul double %least, %least")
        text.put("  %collapsed.2 = fmul double %collapsed, %collapsed")
        text.put("  br label %outer")

    def _begin(self) -> None:
        """Begin a block, and a part of it."""
        text = self.text
        text.label("outer")
        text.put("  %b = phi i64 [ 0, %entry ], [ %b.next, %kept ]")
        text.put("  %first = mul i64 %b, %interval")
        text.put("  %more.blocks = icmp slt i64 %b, %count")
        text.put("  br i1 %more.blocks, label %begin, label %done")
        text.label("begin")
        self._set(self.size, [self.numbers.literal(1.0)] * self.k)
        text.put("  store i64 %interval, ptr %ends")
        text.put("  br i1 %noisy, label %disturb, label %part")
        text.label("disturb")
        base = text.let(f"mul i64 %b, {len(self.q)}")
        for i, q in enumerate(self._get(self.q)):
            factor = self.numbers.load("%noise", text.let(f"add i64 {base}, {i}"))
            self._set([self.q[i]], [self.numbers.apply("multiply", (q, factor))])
        text.put("  br label %part")
        text.label("part")
        came = "[ 0, %begin ], [ 0, %disturb ]"
        text.put(f"  %top = phi i64 {came}, [ %top.less, %next ], [ %top.more, %restore ]")
        text.put(f"  %a = phi i64 {came}, [ %end, %next ], [ %a, %restore ]")
        text.put("  %at.end = getelementptr inbounds i64, ptr %ends, i64 %top")
        text.put("  %end = load i64, ptr %at.end")
        self._set(self.part_x, self._get(self.x))
        self._set(self.part_q, self._get(self.q))
        text.put("  br label %loop")

    def _steps(self) -> None:
        """Go through the steps of a part."""
        text, graph = self.text, self.tangent.graph
        text.label("loop")
        last = "body" if self.crossings is None else "moved"
        text.put(f"  %s = phi i64 [ %a, %part ], [ %s.next, %{last} ]")
        text.put("  %more = icmp slt i64 %s, %end")
        text.put("  br i1 %more, label %body, label %stepped")
        text.label("body")
        text.put("  %at = add i64 %first, %s")
        values = dict(self.outside)
        for at, name, i in inputs_of(graph, self.wanted):
            if name == "q":
                values[at] = self._get([self.q[i]])[0]
        load_state(self.numbers, self.tangent, self.x, values, "%at", self.wanted)
        # Tangent vectors may be rounded otherwise than NumPy's, as by BLAS; states are not.
        order, moving = ancestors(graph, self.wanted), depends_on(graph, "q")
        write(self.numbers, graph, [at for at in order if not moving[at]], values)
        write(self.fused, graph, [at for at in order if moving[at]], values)
        state = [values[at] for at in self.tangent.step]
        vectors = [values[at] for at in self.tangent.push]
        if self.crossings is not None:
            both = self.crossings.step(self.numbers, values, "%at", state, vectors)
            state, vectors = both[: self.n], both[self.n :]
        self._set(self.x, state)
        self._set(self.q, vectors)
        text.put("  %s.next = add i64 %s, 1")
        text.put("  br label %loop")

    def _factorise(self) -> None:
        """Make vectors orthogonal by one pass, or by two if that is not enough."""
        text = self.text
        text.label("stepped")
        text.put("  br i1 %skip, label %kept, label %factorise")
        text.label("factorise")
        text.put("  %steps = sub i64 %end, %a")
        text.put("  %single = icmp eq i64 %steps, 1")
        text.put("  %exempt = and i1 %single, %several")
        single = Numbers(text)
        rounding, once = (single.literal(x**2) for x in (self.n * EPS, ONCE_GRAM_SCHMIDT))
        text.put(f"  %bound = select i1 %exempt, double {rounding}, double %least.2")
        text.put(f"  %strict = fcmp ogt double %bound, {once}")
        text.put(f"  %bound.once = select i1 %strict, double %bound, double {once}")
        a = self._get(self.q)
        self._gram_schmidt(a, unit=False)
        even = self._between(self._get(self.ratio), _SLOW, _FAST)
        fine = text.let(f"and i1 {even}, {self._above('%bound.once')}")
        text.put(f"  br i1 {fine}, label %accept, label %again")
        text.label("again")
        self._gram_schmidt(a, unit=True)
        both = self._get(self.length) + self._get(self.ratio)
        inside = self._between(both, SHORT**2, LONG**2)
        fine = text.let(f"and i1 {inside}, {self._above('%bound')}")
        text.put(f"  br i1 {fine}, label %accept, label %bad")

    def _accept(self) -> None:
        """Note what a part has grown; a block that is done, and its basis."""
        text, k = self.text, self.k
        text.label("accept")
        for size, ratio in zip(self.size, self._get(self.ratio), strict=True):
            whole = self.numbers.apply("multiply", (self._get([size])[0], ratio))
            self._set([size], [whole])
        self._set(self.square, self._get(self.after))
        text.put("  %whole = icmp eq i64 %top, 0")
        text.put("  %undivided = icmp eq i64 %a, 0")
        text.put("  %at.once = and i1 %whole, %undivided")
        text.put("  br i1 %at.once, label %good, label %of.parts")
        text.label("of.parts")
        inside = self._between(self._get(self.size), SHORT**2, LONG**2)
        text.put("  %top.less = sub i64 %top, 1")
        text.put(f"  br i1 {inside}, label %next, label %done")
        text.label("next")
        text.put("  br i1 %whole, label %good, label %part")
        text.label("good")
        base = text.let("mul i64 %b, %row")
        for i, value in enumerate(self._get(self.size)):
            self.numbers.store_lanes(value, "%diagonal", base, i, k)
        inside = self._between(self._get(self.square), _FEW, _MANY)
        text.put(f"  br i1 {inside}, label %kept, label %shorten")
        text.label("shorten")
        self._set(self.q, self._unit(self._get(self.q), self._get(self.square)))
        self._set(self.square, [self.numbers.literal(1.0)] * k)
        text.put("  br label %kept")
        text.label("kept")
        for name, variables in (("x", self.x), ("q", self.q)):
            for i, value in enumerate(self._get(variables)):
                self.numbers.store(value, f"%{name}", i)
        self._set(self.first_square, self._get(self.square))
        text.put("  %b.next = add i64 %b, 1")
        text.put("  br label %outer")

    def _divide(self) -> None:
        """Halve a part that is not good enough, and start it again."""
        text = self.text
        text.label("bad")
        collapsed = text.let(f"xor i1 {self._above('%collapsed.2')}, true")
        text.put("  %at.first = icmp eq i64 %a, 0")
        text.put(f"  %refused = and i1 %at.first, {collapsed}")
        text.put("  %hopeless = or i1 %single, %refused")
        text.put("  br i1 %hopeless, label %done, label %restore")
        text.label("restore")
        self._set(self.x, self._get(self.part_x))
        self._set(self.q, self._get(self.part_q))
        text.put("  %sum = add i64 %a, %end")
        text.put("  %middle = lshr i64 %sum, 1")
        text.put("  %top.more = add i64 %top, 1")
        text.put("  %at.middle = getelementptr inbounds i64, ptr %ends, i64 %top.more")
        text.put("  store i64 %middle, ptr %at.middle")
        text.put("  br label %part")

    def _leave(self) -> None:
        """Bring the vectors of the last good block to unit length."""
        text = self.text
        text.label("done")
        text.put("  br i1 %skip, label %return, label %unit")
        text.label("unit")
        q = [self.numbers.load("%q", i) for i in range(len(self.q))]
        for i, value in enumerate(self._unit(q, self._get(self.first_square))):
            self.numbers.store(value, "%q", i)
        text.put("  br label %return")
        text.label("return")
        text.put("  ret i64 %b")

    def _new(self, name: str, count: int) -> list[str]:
        return variables_of(self.numbers, name, count)

    def _get(self, variables: list[str]) -> list[str]:
        return [self.text.let(f"load {self.numbers.type}, ptr {v}") for v in variables]

    def _set(self, variables: list[str], values: list[str]) -> None:
        for variable, value in zip(variables, values, strict=True):
            self.text.put(f"  store {self.numbers.type} {value}, ptr {variable}")

    def _gram_schmidt(self, a: list[str], unit: bool) -> None:
        graph, parts = gram_schmidt(self.k, self.n, unit)
        wanted = [at for part in parts for at in part]
        known = {at: a[i] for at, _, i in inputs_of(graph, wanted)}
        values = write(self.fused, graph, ancestors(graph, wanted), known)
        for part, targets in zip(parts, (self.q, self.new, self.length), strict=True):
            self._set(targets, [values[at] for at in part])
        new, old = self._get(self.new), self._get(self.square)
        grown = [self.numbers.apply("divide", pair) for pair in zip(new, old, strict=True)]
        self._set(self.ratio, grown)
        self._set(self.after, [self.numbers.literal(1.0)] * self.k if unit else new)

    def _above(self, least: str) -> str:
        """Return whether all squared sines are above a limit."""
        apply, bound = self.numbers.apply, self.numbers.splat(least)
        fine = ""
        for new, whole in zip(self._get(self.new), self._get(self.length), strict=True):
            test = apply("greater_equal", (new, apply("multiply", (whole, bound))))
            fine = test if not fine else apply("logical_and", (fine, test))
        return self.numbers.all(fine)

    def _between(self, values: list[str], low: float, high: float) -> str:
        """Return whether all values are in a range."""
        numbers, fine = self.numbers, ""
        for value in values:
            for order, limit in (("greater", low), ("less", high)):
                test = numbers.apply(order, (value, numbers.literal(limit)))
                fine = test if not fine else numbers.apply("logical_and", (fine, test))
        return numbers.all(fine)

    def _unit(self, q: list[str], square: list[str]) -> list[str]:
        """Return vectors of squared lengths that are known at unit length."""
        length = [self.numbers.apply("sqrt", [s]) for s in square]
        return [
            self.numbers.apply("divide", (value, length[i // self.n])) for i, value in enumerate(q)
        ]


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
    return Program(graph, n, program.step, push, program.surfaces)
