"""The parts of a flow's steps, found by compiled loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..compiled.loop import untraceable, written
from ..compiled.operations import Untraceable
from ..compiled.scheme import Control, work_for
from ..numerics.arrays import Array
from ..numerics.autodiff import member
from .divided import error_undivided
from .engine import missing, over_before, refused
from .integrators import control, embedded, radau
from .map import Map

#: Steps of a run, or parts of them, from which on it is worth a compilation.
_LONG = {"implicit": 300, "adaptive": 500}

#: Components of a state from which on NumPy's calls cost little beside the equations.
_LARGE = 200

#: What to say of a run whose steps are divided so.
HOW = "compiled loops divide its steps, and NumPy carries its tangent vectors"

#: Parts of each step that there is room for at first.
_ROOM = 8


class CompiledParts:
    """What divides the steps of a flow.

    Parameters
    ----------
    flow : Flow
    lead : tuple of int
        Axes of the ensemble.
    """

    def __init__(self, flow: Any, lead: tuple[int, ...]) -> None:
        self.field = _field_of(flow)
        program, self._params = written(self.field, lead, least=np.inf)
        from ..compiled.blas import solver  # numba takes its time
        from ..compiled.divided import divide
        from ..compiled.field import field_at, field_of

        self.lead, self._drive = lead, flow.drive
        self._divide, self._field_at = divide, field_at
        constants = Control(
            control.SAFETY, control.LEAST, control.MOST, control.CLOSE, control.TINY,
            float(flow._method.error_order), embedded.longest_reach(flow.rtol),
            radau.CONVERGED, radau.STALLED, radau.ITERATIONS,
        )  # fmt: skip
        field = field_of(program, flow.drive)
        scheme = flow._method.scheme()
        self._work = work_for(
            int(np.prod(lead)), flow.dim, len(scheme.nodes), flow.n_inputs + int(flow.time)
        )
        self._given = solver(), field, scheme, constants, flow.rtol, flow.atol, self._work

    def agrees(self, x: Array, inputs: Array | None) -> bool:
        """Say whether the compiled field is the field itself, in the first member."""
        first = (0,) * len(self.lead)
        row = np.zeros(0) if inputs is None else self._rows(inputs[:1])[0, 0]
        found = np.empty(x.shape[-1])
        self._field_at(self._given[1], x[first], row, self._params[0], self._work.now, found)
        now = None if inputs is None else self._drive.now(row, 0.0)
        with np.errstate(all="ignore"):
            one = self.field.over_time(())[0]
            expected = one(x[first], now, member(self.field.params, self.lead, first))
        return np.allclose(found, expected, rtol=1e-9, atol=1e-12, equal_nan=True)

    def _rows(self, inputs: Array) -> Array:
        """Return rows ``(T, ..., c)`` as ``(T, members, c)``."""
        rows = np.broadcast_to(inputs, (len(inputs), *self.lead, inputs.shape[-1]))
        return np.ascontiguousarray(rows.reshape(len(inputs), -1, inputs.shape[-1]))

    def through(self, x: Array, inputs: Array | None, n_steps: int) -> tuple[Array, Array, Array]:
        """Return states ``(S + 1, ..., n)`` and parts ``(S, ..., 2)``, and the edges of the steps.

        Parameters
        ----------
        x : array (..., n)
        inputs : array (T, ..., c) or None
            Rows of the `drive`.
        n_steps : int
        """
        n, room = x.shape[-1], _ROOM
        here = x.reshape(-1, n).copy()
        rows = np.zeros((n_steps, 1, 0)) if inputs is None else self._rows(inputs[:n_steps])
        states, parts, edges = [here[None].copy()], [], [np.zeros(1, dtype=np.int64)]
        done = total = 0
        while done < n_steps:
            left = n_steps - done
            after = np.empty((room * left, *here.shape))
            each, until = np.empty((room * left, len(here), 2)), np.zeros(left + 1, dtype=np.int64)
            more = self._divide(*self._given, here, rows[done:], self._params, after, each, until)
            states.append(after[: until[more]].copy())
            parts.append(each[: until[more]].copy())
            edges.append(total + until[1 : more + 1])
            done, total, room = done + more, total + until[more], 2 * room
        every, each = np.concatenate(states), np.concatenate(parts or [np.zeros((0, 1, 2))])
        shape = -1, *self.lead
        return every.reshape(*shape, n), each.reshape(*shape, 2), np.concatenate(edges)


def cannot_divide(flow: Any) -> str:
    """Return why compiled loops cannot divide the steps of a flow, nothing if they can."""
    return missing() or _no_loops(flow) or untraceable(_field_of(flow), least=np.inf)


def compiled_parts(
    flow: Any, x: Array, inputs: Array | None, n_steps: int
) -> tuple[CompiledParts | None, str]:
    """Return what divides the steps of a flow; None and the reason if that is left to NumPy."""
    if flow.engine == "numpy":
        return None, "as asked for"
    if reason := missing() or _no_loops(flow):
        return refused(flow, reason)
    if flow.engine == "auto" and n_steps * _parts_of_a_step(flow, x, inputs) < _LONG[flow.method]:
        return None, over_before(n_steps)
    try:
        found = CompiledParts(flow, x.shape[:-1])
    except Untraceable as error:
        return refused(flow, f"{flow.written_of} cannot be compiled: {error}")
    if not found.agrees(x, inputs):
        return refused(flow, f"{flow.written_of} does something else than its compiled form")
    return found, ""


def _field_of(flow: Any) -> Map:
    """Return the field of a flow as a map, which can be written down."""
    given, jacobian = flow._given
    field = Map(
        given, flow.dim, jacobian=jacobian, n_inputs=flow.n_inputs, params=flow.params,
        vectorized=flow.vectorized, time=flow.time,
    )  # fmt: skip
    field.named = flow.named
    return field


def _parts_of_a_step(flow: Any, x: Array, inputs: Array | None) -> float:
    """Return into about how many parts the first step is divided, by its error as a whole."""
    now = None if inputs is None or not len(inputs) else inputs[0]
    error = error_undivided(flow, *flow._first_member(x, now))
    return max(1.0, error ** (1 / flow._method.error_order)) if error < np.inf else np.inf


def _no_loops(flow: Any) -> str:
    """Return why there are no loops for the steps of a flow, nothing if there are."""
    if flow._variation is not None:
        return f"method {flow.method!r} divides steps by a derivative that is not the field's"
    large = flow.method == "implicit" and flow.dim > _LARGE
    return "large equations are solved no faster" if large else ""
