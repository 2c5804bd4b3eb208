"""What runs the loops of a system for groups of an ensemble's members, one after the other."""

from __future__ import annotations

from .program import Program

#: How the function that runs steps begins, ...
RUN = """define internal i64 @run(i64 %steps, ptr noalias %x, ptr noalias readonly %u, i64 %width,
    ptr noalias readonly %p, ptr noalias readonly %d, ptr noalias %states, ptr noalias %scratch,
    ptr %blas) #0 {"""

#: ... and that which runs blocks.
BLOCKS = """define internal i64 @blocks(i64 %count, i64 %interval, ptr noalias %x, ptr noalias %q,
    ptr noalias readonly %u, i64 %width, ptr noalias readonly %p, ptr noalias readonly %d,
    double %least, double %collapsed, ptr %noise, ptr noalias %diagonal, i64 %row,
    ptr noalias %scratch, ptr %blas, ptr %factor) #0 {"""


def over_groups(program: Program, k: int, lanes: int) -> list[str]:
    """Write what runs both loops for groups of members, one after the other."""
    n, written = program.dim, program.fresh * lanes
    runs = """i64 %groups, i64 %steps, ptr %x, ptr %u, i64 %width,
    i64 %next.u, ptr %p, i64 %next.p, ptr %d, ptr %states, ptr %scratch, ptr %blas"""
    blocks = """i64 %groups, i64 %count, i64 %interval, ptr %x, ptr %q,
    ptr %u, i64 %width, i64 %next.u, ptr %p, i64 %next.p, ptr %d, double %least,
    double %collapsed, ptr %noise, i64 %next.noise, ptr %diagonal, i64 %row, ptr %scratch,
    ptr %blas, ptr %factor, ptr %finished"""
    run = f"""{_shift("x", str(n * lanes))}
{_shift("u", "%next.u")}
{_shift("p", "%next.p")}
  %steps.states = mul i64 %steps, {written}
  %each.states = add i64 %steps.states, {n * lanes if program.moved else 0}
{_shift("states", "%each.states")}
  %r = call i64 @run(i64 %steps, ptr %x.g, ptr %u.g, i64 %width, ptr %p.g, ptr %d, ptr %states.g,
      ptr %scratch, ptr %blas)"""
    carry = f"""{_shift("x", str(n * lanes))}
{_shift("q", str(k * n * lanes))}
{_shift("u", "%next.u")}
{_shift("p", "%next.p")}
{_shift("noise", "%next.noise")}
{_shift("diagonal", str(k * lanes))}
  %r = call i64 @blocks(i64 %count, i64 %interval, ptr %x.g, ptr %q.g, ptr %u.g, i64 %width,
      ptr %p.g, ptr %d, double %least, double %collapsed, ptr %noise.g, ptr %diagonal.g, i64 %row,
      ptr %scratch, ptr %blas, ptr %factor)
  %to = getelementptr inbounds i64, ptr %finished, i64 %g
  store i64 %r, ptr %to"""
    return [_each_group("run", runs, run), _each_group("blocks", blocks, carry)]


def _each_group(name: str, parameters: str, body: str) -> str:
    """Write a function that does something for each group, whose number is %g."""
    return f"""define void @{name}.groups({parameters}) #0 {{
entry:
  br label %loop
loop:
  %g = phi i64 [ 0, %entry ], [ %g.next, %body ]
  %more = icmp slt i64 %g, %groups
  br i1 %more, label %body, label %done
body:
{body}
  %g.next = add i64 %g, 1
  br label %loop
done:
  ret void
}}"""


def _shift(name: str, size: str) -> str:
    return (
        f"  %at.{name} = mul i64 %g, {size}\n"
        f"  %{name}.g = getelementptr double, ptr %{name}, i64 %at.{name}"
    )
