r"""The same loop in reverse: gradients of finite-time exponents.

The adjoint of eqs. 6 and 7: cotangents of the growth rates are carried back through the
factorisations, by `lyapnet.tangent.qr.pull_back_qr`, and through the tangent steps, by the orbit;
what they leave on the states is carried back by backpropagation through time. A window too long
to be kept is recomputed stretch by stretch, from the state and the basis at the start of each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..numerics.arrays import Array, blas_threads
from ..numerics.autodiff import Tree, leaves, rebuild
from ..systems import System
from ..systems.composed import ComposedOrbit
from ..systems.orbit import Orbit
from .deferred_qr import forward_in_blocks
from .forward import forward
from .plan import Plan
from .reverse import reverse
from .stretches import run_orbit, run_stretches, stretch_length
from .tape import Tape

#: Numbers that a reverse sweep may keep; longer windows are recomputed stretch by stretch.
_TAPE = 2**26


@dataclass
class Record:
    """A run that can be differentiated: where each stretch starts, and its tape if kept."""

    system: System
    inputs: Array | None
    plan: Plan
    starts: list[tuple[str, int, int, Array, Array]]
    tapes: list[tuple[Orbit, Tape | None] | None]
    smallest_sine: float = 1.0


def exponents(
    system: System, x: Array, rows: Array, inputs: Array | None, plan: Plan, *, keep: bool
) -> tuple[Array, Record]:
    """Return finite-time exponents ``(..., k)`` in QR order, and what `gradient` needs.

    Parameters
    ----------
    system : System
    x : array (..., n)
    rows : array (..., k, n)
        Orthonormal.
    inputs : array (T, ..., m) or None
    plan : Plan
    keep : bool
        Whether a gradient will be asked for.
    """
    per_step = (rows.size * (4 if keep else 1) + x.size) * system.substeps
    length = stretch_length(system, x.shape[:-1], rows.shape[-2])
    hold = keep and per_step * plan.total <= _TAPE
    if hold:
        length = plan.total + plan.interval
    record = Record(system, inputs, plan, [], [])
    total = np.zeros(rows.shape[:-1])
    with blas_threads(rows.size * system.dim):
        for phase, start, orbit in run_stretches(system, x, inputs, plan.stretches(length)):
            if keep:
                record.starts.append((phase, start, start + orbit.n_steps, x, rows))
            tape: Tape | None = None
            if phase != "transient":
                growth, rows, sine, tape = _forward(orbit, rows, plan, start, keep)
                record.smallest_sine = min(record.smallest_sine, sine)
                if phase == "n_steps":
                    total += growth.sum(axis=0)
            if keep:
                record.tapes.append((orbit, tape) if hold else None)
            x = orbit.last
    return total / (plan.n_steps * system.dt), record


def _forward(orbit: Orbit, rows: Array, plan: Plan, start: int, keep: bool) -> Any:
    """Carry a basis along; run again, a stretch must end in the same basis, signs included."""
    if isinstance(orbit, ComposedOrbit):  # through the steps that its steps are made of
        orbit, plan = orbit.inner, replace(plan, interval=1, forgiving=True)
    at_will = plan.interval == 1 or (plan.forgiving and orbit.tapes)
    wanted = keep or plan.forgiving or orbit.tapes
    if wanted and at_will and not orbit.members_last:
        return forward_in_blocks(orbit, rows, start)
    return forward(
        orbit, rows, plan.interval,
        start=start, forgiving=plan.forgiving, keep=keep, flag_only=keep,
    )  # fmt: skip


def gradient(
    record: Record, exponents_bar: Array, inputs: bool = True
) -> tuple[Array, Array, Array | None, Tree]:
    """Pull a cotangent of the exponents ``(..., k)`` back through the whole run.

    The cotangent of the inputs may be left out where it is not wanted.

    Returns
    -------
    x, rows, inputs, params
        Cotangents of the first state, of the first basis' rows, of the inputs and the parameters.
    """
    system, plan = record.system, record.plan
    bar = np.asarray(exponents_bar) / (plan.n_steps * system.dt)
    x_bar: Array | None = None
    rows_bar: Array | None = None
    next_bar = np.zeros_like(bar)
    wanted = inputs and record.inputs is not None
    inputs_bar = np.zeros_like(record.inputs) if wanted else None
    form: Tree = None
    sums: list[Any] = []
    stretches = zip(reversed(record.starts), reversed(record.tapes), strict=True)
    with blas_threads(record.starts[0][4].size * system.dim):
        for (phase, start, stop, x, rows), kept in stretches:
            if kept is None:
                whole, tape = run_orbit(system, x, record.inputs, start, stop), None
                if phase != "transient":
                    tape = _forward(whole, rows, plan, start, True)[3]
            else:
                whole, tape = kept
            orbit = whole.finest
            states_bar = np.zeros_like(orbit.states)
            if x_bar is not None:
                states_bar[-1] = x_bar
            if tape is not None:
                here = bar if phase == "n_steps" else np.zeros_like(bar)
                bars, rows_bar, next_bar = reverse(tape, here, rows_bar, next_bar, start)
                through = orbit.tangent_adjoint(tape.rows[:-1], bars)
                states_bar[:-1] += through.states
                form, sums = _added(form, sums, through.params)
                if inputs_bar is not None and through.inputs is not None:
                    inputs_bar[start:stop] += whole.summed(through.inputs)
            through = orbit.state_adjoint(states_bar, inputs=wanted)
            form, sums = _added(form, sums, through.params)
            if inputs_bar is not None and through.inputs is not None:
                inputs_bar[start:stop] += whole.summed(through.inputs)
            x_bar = through.states
    assert x_bar is not None
    assert rows_bar is not None
    # The first basis is orthonormal by construction: there its cotangent has no diagonal.
    return x_bar, rows_bar, inputs_bar, rebuild(form, sums)


def _added(form: Tree, sums: list[Any], tree: Tree) -> tuple[Tree, list[Any]]:
    """Add a tree to the sums of the leaves of others, all of the same form or None."""
    if tree is None:
        return form, sums
    if form is None:
        return tree, leaves(tree)
    return form, [_accumulate(x, y) for x, y in zip(sums, leaves(tree), strict=True)]


def _accumulate(x: Any, y: Any) -> Any:
    if isinstance(y, np.ndarray) and y.ndim and not isinstance(x, np.ndarray):
        x, y = y, x
    if isinstance(x, np.ndarray) and x.ndim:
        x += y
        return x
    return x + y
