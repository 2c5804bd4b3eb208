"""Orbits whose steps are made of finer ones, in which a basis is factorised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import LyapnetError
from ..numerics.arrays import Array
from ..systems.composed import ComposedOrbit
from .stretches import check_states
from .tape import Tape

#: Inner steps of composed ones between two factorisations, at most.
_MOST_INNER = 20


def through_parts(
    forward: Callable[..., Any],
    orbit: ComposedOrbit,
    rows: Array,
    interval: int,
    *,
    start: int,
    keep: bool,
) -> tuple[Array, Array, float, Tape | None]:
    """Carry a basis along an orbit whose steps are made of finer ones, factorising between these.

    `forward` carries it along the inner orbit. What is kept are the bases between whole steps, and
    the products of the triangles.
    """
    if keep:
        interval = 1
    inner, edges = orbit.inner, orbit.edges
    ends = np.append(edges[:-1:interval], edges[-1])
    pieces = _pieces(int(np.gcd.reduce(np.diff(ends))))
    try:
        growth, last, sine, tape = forward(
            inner, rows, pieces, start=0, forgiving=True, keep=keep
        )  # fmt: skip
    except LyapnetError as error:
        if orbit.runs_along:
            check_states(orbit, start)
        raise _renumbered(error, orbit, start) from None
    if orbit.runs_along:
        check_states(orbit, start)
    begin = ends[:-1] // pieces
    found = np.add.reduceat(growth, begin, axis=0)
    volume = orbit.log_volume
    if volume is not None and rows.shape[-2] == rows.shape[-1]:
        # The last direction of a full basis has what the others leave of the volume.
        whole = np.add.reduceat(volume, np.arange(orbit.n_steps)[::interval], axis=0)
        found[..., -1] = whole - found[..., :-1].sum(axis=-1)
    if tape is None:
        return found, last, sine, None
    outer = Tape(orbit, tape.rows[edges], log_growth=found)
    factors: dict[int, Array] = {}
    for first, _, factor in tape.blocks:
        step = int(np.searchsorted(edges, first, side="right")) - 1
        triangle = np.tril(factor)
        factors[step] = np.matmul(factors[step], triangle) if step in factors else triangle
    outer.blocks = [(s, s + 1, factors[s]) for s in range(orbit.n_steps)]
    return found, last, sine, outer


def _pieces(steps: int) -> int:
    """Return how many inner steps are done between factorisations: a divisor of their number."""
    return max(n for n in range(1, _MOST_INNER + 1) if steps % n == 0)


def _renumbered(error: LyapnetError, orbit: ComposedOrbit, start: int) -> LyapnetError:
    """Let an error of an inner step name the step that this is a part of."""
    if error.step is None:
        return error
    inside = error.step
    error.step = start + int(np.searchsorted(orbit.edges, inside))
    text = str(error.args[0]).replace(f"step {inside}", f"step {error.step}")
    error.args = (text, *error.args[1:])
    return error
