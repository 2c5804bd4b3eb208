"""The loop over blocks of one system with many tangent vectors, whatever a step is written as.

Vectors go through a step side by side, and a function that is passed as a pointer factorises.
"""

from __future__ import annotations

from typing import Protocol

from .code import Text
from .groups import BLOCKS
from .states import copy


class Steps(Protocol):
    """What writes the steps of a block.

    Attributes
    ----------
    reached : str
        Where the vectors ``(n, width)`` are behind the last step, at the label `factorise`.
    """

    reached: str

    def enter(self) -> None:
        """Write what is done once; defines %vectors, where they begin, and %rows, room for k n."""

    def fill(self) -> None:
        """Write how a block takes the state from %x."""

    def steps(self) -> None:
        """Write the loop over steps from the label `loop`, which is come to from `spread`, on."""

    def keep(self) -> None:
        """Write how %x becomes the state behind the last step."""


def padded(k: int, lanes: int) -> int:
    """Return the number of vectors that fill whole lanes."""
    return -(-k // lanes) * lanes


#: A copy of rows ``(k, n)`` to columns, or back.
COPY = """define internal void @transpose(ptr noalias %from, ptr noalias %to, i64 %rows,
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
DISTURB = """define internal void @disturb(ptr noalias %rows, ptr noalias %noise,
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


def blocks(text: Text, form: Steps, k: int, n: int, width: int) -> str:
    """Write the loop over blocks."""
    text.lines = []
    text.label("entry")
    form.enter()
    text.put(f"  %lengths = getelementptr inbounds double, ptr %rows, i64 {n * k}")
    text.put(f"  %room = getelementptr inbounds double, ptr %lengths, i64 {k}")
    text.put("  %skip = fcmp olt double %least, 0.0")
    text.put("  %noisy = icmp ne ptr %noise, null")
    text.put("  br label %start")
    text.label("start")
    text.put("  br label %outer")
    text.label("outer")
    text.put("  %b = phi i64 [ 0, %start ], [ %b.next, %good ]")
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
    form.fill()
    text.put("  br label %loop")
    form.steps()
    _checked(text, form.reached, k, n, width)
    text.label("good")
    copy(text, "%q", "%rows", k * n)
    form.keep()
    text.put("  %b.next = add i64 %b, 1")
    text.put("  br label %outer")
    text.label("done")
    text.put("  ret i64 %b")
    return "\n".join([BLOCKS, *text.lines, "}"])


def _checked(text: Text, reached: str, k: int, n: int, width: int) -> None:
    """Write the factorisation, and what follows if it is good or not."""
    text.label("factorise")
    text.put(
        f"  call void @transpose(ptr {reached}, ptr %rows, i64 {n}, i64 {k}, i64 {width}, i64 {n})"
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
