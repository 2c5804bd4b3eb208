"""Steps that are divided until an error is small: one call for many.

What `systems.integrators.control` does, which says why, and whose constants are given.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .embedded import attempt_explicit
from .field import Field
from .jit import jit_in_order, loop_in_order
from .products import copy
from .radau import attempt_implicit
from .scheme import Control, Scheme, Work


@jit_in_order
def _attempt(
    solver: Any, field: Field, scheme: Scheme, control: Control, rtol: float, atol: float,
    work: Work, x: Any, row: Any, p: Any, begin: float, h: float,
) -> float:  # fmt: skip
    """Write the state after a part; return its error in units of the tolerance, or infinity."""
    if scheme.gamma:
        error = attempt_implicit(
            solver, field, scheme, control, rtol, atol, work, x, row, p, begin, h
        )
    else:
        error = attempt_explicit(field, scheme, control, rtol, atol, work, x, row, p, begin, h)
    return error if error < np.inf and _finite(work.after) else np.inf


@jit_in_order
def _finite(x: Any) -> bool:
    """Say whether all components of a state are finite."""
    finite = True
    for i in range(len(x)):
        finite = finite and abs(x[i]) < np.inf
    return finite


@loop_in_order
def divide(
    solver: Any,
    field: Field,
    scheme: Scheme,
    control: Control,
    rtol: float,
    atol: float,
    work: Work,
    x: Any,
    rows: Any,
    params: Any,
    states: Any,
    parts: Any,
    edges: Any,
) -> int:
    """Go through steps as long as there is room for their parts; return how many are done.

    Parameters
    ----------
    solver : array
        Of `blas.solver`.
    rtol, atol : float
    work : Work
    x : array (members, n)
        The states before, which are changed in place.
    rows : array (T, 1 or members, c)
    params : array (1 or members, n_params)
    states : array (room, members, n)
        After each part.
    parts : array (room, members, 2)
        Begin and length of each.
    edges : array (T + 1,)
        How many parts there are before each step, and after the last one.
    """
    members, n = x.shape
    here, begin, h = work.here, work.begin, work.h
    first, now = x.reshape(members * n), here.reshape(members * n)
    copy(first, now)
    count = 0
    for s in range(len(rows)):
        for m in range(members):
            begin[m], h[m] = 0.0, field.dt
        going = True
        while going:
            if count == len(states):
                return s
            any_good = going = False
            after = states[count].reshape(members * n)
            copy(now, after)
            for m in range(members):
                left = field.dt - begin[m]
                parts[count, m, 0], parts[count, m, 1] = begin[m], 0.0
                if left <= 0.0:
                    continue
                last = h[m] >= left * control.close
                trial = left if last else left / 2 if 2 * h[m] > left else h[m]
                row, p = rows[s, m % rows.shape[1]], params[m % len(params)]
                error = _attempt(
                    solver, field, scheme, control, rtol, atol, work, here[m], row, p, begin[m],
                    trial,
                )  # fmt: skip
                lost = error > 1.0 and (trial < control.tiny * field.dt or not _finite(here[m]))
                factor = control.safety * max(error, 1e-30) ** (-1 / control.order)
                h[m] = trial * min(max(factor, control.least), control.most)
                if error <= 1.0 or lost:
                    any_good = True
                    parts[count, m, 1] = trial
                    for i in range(n):
                        states[count, m, i] = np.nan if lost else work.after[i]
                    begin[m] = field.dt if last or lost else begin[m] + trial
                going = going or begin[m] < field.dt
            if any_good:
                copy(after, now)
                count += 1
        edges[s + 1] = count
        copy(now, first)
    return len(rows)
