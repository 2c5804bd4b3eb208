"""What runs the loops of a system for groups of an ensemble's members, one after the other."""

from __future__ import annotations

#: How the function that runs blocks begins.
BLOCKS = """define internal i64 @blocks(i64 %count, i64 %interval, ptr noalias %x, ptr noalias %q,
    ptr noalias readonly %u, i64 %width, ptr noalias readonly %p, ptr noalias readonly %d,
    double %least, ptr noalias %diagonal, ptr noalias %scratch, ptr %blas,
    ptr %factor) #0 {"""


def over_groups(n: int, k: int, lanes: int) -> list[str]:
    """Write what runs both loops for groups of members, one after the other."""
    runs = f"""define void @run.groups(i64 %groups, i64 %steps, ptr %x, ptr %u, i64 %width,
    i64 %next.u, ptr %p, i64 %next.p, ptr %d, ptr %states) #0 {{
entry:
  br label %loop
loop:
  %g = phi i64 [ 0, %entry ], [ %g.next, %body ]
  %more = icmp slt i64 %g, %groups
  br i1 %more, label %body, label %done
body:
{_shift("x", str(n * lanes))}
{_shift("u", "%next.u")}
{_shift("p", "%next.p")}
  %each.states = mul i64 %steps, {n * lanes}
{_shift("states", "%each.states")}
  %r = call i64 @run(i64 %steps, ptr %x.g, ptr %u.g, i64 %width, ptr %p.g, ptr %d, ptr %states.g)
  %g.next = add i64 %g, 1
  br label %loop
done:
  ret void
}}"""
    blocks = f"""define void @blocks.groups(i64 %groups, i64 %count, i64 %interval, ptr %x, ptr %q,
    ptr %u, i64 %width, i64 %next.u, ptr %p, i64 %next.p, ptr %d, double %least, ptr %diagonal,
    ptr %scratch, ptr %blas, ptr %factor, ptr %finished) #0 {{
entry:
  br label %loop
loop:
  %g = phi i64 [ 0, %entry ], [ %g.next, %body ]
  %more = icmp slt i64 %g, %groups
  br i1 %more, label %body, label %done
body:
{_shift("x", str(n * lanes))}
{_shift("q", str(k * n * lanes))}
{_shift("u", "%next.u")}
{_shift("p", "%next.p")}
  %each.size = mul i64 %count, {k * lanes}
{_shift("diagonal", "%each.size")}
  %r = call i64 @blocks(i64 %count, i64 %interval, ptr %x.g, ptr %q.g, ptr %u.g, i64 %width,
      ptr %p.g, ptr %d, double %least, ptr %diagonal.g, ptr %scratch, ptr %blas,
      ptr %factor)
  %to = getelementptr inbounds i64, ptr %finished, i64 %g
  store i64 %r, ptr %to
  %g.next = add i64 %g, 1
  br label %loop
done:
  ret void
}}"""
    return [runs, blocks]


def _shift(name: str, size: str) -> str:
    return (
        f"  %at.{name} = mul i64 %g, {size}\n"
        f"  %{name}.g = getelementptr inbounds double, ptr %{name}, i64 %at.{name}"
    )
