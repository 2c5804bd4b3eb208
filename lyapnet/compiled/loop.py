"""A system whose step has been written down, and its ensemble in the order that loops want."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..numerics.arrays import Array
from ..numerics.autodiff import leaves, rebuild
from .graph import Graph
from .kernel import WRITTEN_OUT, Kernel, kernel_of
from .operations import TooLong, Untraceable
from .program import Program, array_program, gathered_program, program

#: Operations on numbers from which on whole arrays are better, if each node of these is so many.
MANY, EACH = 1500, 8


def least_for(members: int, n: int, k: int) -> float:
    """Return the operations from which on whole arrays are better.

    An ensemble is better off as long as its members go side by side, which they do on numbers.
    """
    side_by_side = (WRITTEN_OUT - 6 * n * k**2) / k if members > 1 else 0.0
    return max(MANY, side_by_side)


@dataclass
class Loop:
    """The compiled loops of one system.

    Attributes
    ----------
    program : Program
    kernel : Kernel
    params : array (members or 1, n_params)
        All parameters, flat.
    dt : float
    lead : tuple of int
        Axes of the ensemble.
    known : array, optional
        What is known of the decisions of a field that jumps; see `Seen.table`.
    """

    program: Program
    kernel: Kernel
    params: Array
    dt: float
    lead: tuple[int, ...]
    known: Array | None = None

    @classmethod
    def of(cls, system: Any, lead: tuple[int, ...], k: int, step: Program, params: Array) -> Loop:
        """Compile a `Map` or `Flow` that is `written` down."""
        members = int(np.prod(lead))
        kernel = kernel_of(step, k, members > 1)
        known = None if step.surfaces is None else system.seen.table(step)
        return cls(step, kernel, params, system.dt, lead, known)

    def __post_init__(self) -> None:
        self.alone = not self.lead and self.kernel.lanes == 1
        numbers = np.concatenate([[self.dt], self.program.data])
        if self.known is not None:  # loops find it behind the time step, and write to it
            address = np.array([self.known.ctypes.data]).view(float)
            numbers = np.concatenate([numbers, address])
        self.given = self.grouped(self.params, shared=True), numbers

    def of_members(self, which: Array) -> Loop:
        """Return the loops of some members of the ensemble ``which (...)``, on one axis."""
        chosen = np.flatnonzero(which)
        params = self.params[chosen] if len(self.params) > 1 else self.params
        return replace(self, params=params, lead=(len(chosen),))

    def of_steps(self, k: int, n_steps: int) -> Loop:
        """Return the loops of all steps of an orbit, as so many members, with k vectors each."""
        params = np.tile(self.params, (n_steps, 1)) if len(self.params) > 1 else self.params
        lead = (n_steps * int(np.prod(self.lead)),)
        return replace(self, kernel=kernel_of(self.program, k, True), params=params, lead=lead)

    def of_size(self, k: int) -> Loop:
        """Return the loops for k tangent vectors."""
        members = int(np.prod(self.lead))
        return replace(self, kernel=kernel_of(self.program, k, members > 1))

    @property
    def groups(self) -> int:
        """Number of groups of members."""
        return -(-int(np.prod(self.lead)) // self.kernel.lanes)

    def grouped(self, x: Array, shared: bool = False) -> Array:
        """Return members ``(members, ...)`` as ``(groups, ..., lanes)``, the last one repeated.

        What is the same for all members stays one group.
        """
        lanes = self.kernel.lanes
        if self.alone:
            return np.ascontiguousarray(x[..., None])
        if len(x) == 1 and (shared or lanes == 1):
            return np.ascontiguousarray(np.repeat(x[..., None], lanes, axis=-1))
        missing = self.groups * lanes - len(x)
        if missing:
            x = np.concatenate([x, np.repeat(x[-1:], missing, axis=0)])
        x = x.reshape(self.groups, lanes, *x.shape[1:])
        return np.ascontiguousarray(x.transpose(0, *range(2, x.ndim), 1))

    def inputs(self, inputs: Array | None, n_steps: int) -> Array:
        """Return inputs ``(T, ..., m)`` as ``(groups or 1, T, m, lanes)``."""
        if inputs is None or not inputs.shape[-1]:
            return np.zeros((1, 1, 0, self.kernel.lanes))
        m = inputs.shape[-1]
        alone = inputs[:n_steps].reshape(n_steps, -1, m)
        if alone.shape[1] > 1:
            alone = np.broadcast_to(inputs[:n_steps], (n_steps, *self.lead, m))
            alone = alone.reshape(n_steps, -1, m)
        return self.grouped(alone.swapaxes(0, 1), shared=True)

    def members(self, x: Array, axis: int) -> Array:
        """Return ``(groups, ..., lanes)`` as an array with the ensemble's axes at `axis`."""
        if self.alone:
            return x.reshape(x.shape[1:-1])
        first, last = range(1, axis + 1), range(axis + 1, x.ndim - 1)
        x = x.transpose(*first, 0, x.ndim - 1, *last)
        shape = x.shape
        x = x.reshape(*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :])
        x = x[(slice(None),) * axis + (slice(int(np.prod(self.lead))),)]
        return x.reshape(*shape[:axis], *self.lead, *shape[axis + 2 :])


def untraceable(system: Any, least: float = MANY) -> str:
    """Return why a system's step cannot be written down, nothing if it can; see `written`.

    Which parameters are per member only a run can tell: here it is guessed.
    """
    shapes = [np.shape(leaf) for leaf in leaves(system.numbers)]
    leads = {(), *(shape[:axes] for shape in shapes for axes in (1, 2))}

    def in_common(lead: tuple[int, ...]) -> int:
        return len(lead) if all(shape[: len(lead)] == lead for shape in shapes) else -1

    # Axes that all parameters have in common come first: their reason is the likeliest.
    reason = ""
    for lead in sorted(leads, key=in_common, reverse=True):
        try:
            written(system, lead, least)
        except Untraceable as error:
            reason = reason or f"{system.written_of}: {error}"
        else:
            return ""
    return reason


def jumps_within(system: Any, lead: tuple[int, ...]) -> str:
    """Name the operations of a system's step that may jump, as far as it can be written down."""
    try:
        return written(system, lead)[0].jumps
    except Untraceable:
        return ""


def written(system: Any, lead: tuple[int, ...], least: float = MANY) -> tuple[Program, Array]:
    """Write a system's step down, with parameters as symbols if it allows that.

    It is written on whole arrays if that can be, from so many operations on numbers on.
    """
    try:
        return _with_params(system, lead, least, symbolic=True)
    except Untraceable:
        own = [np.shape(x)[: len(lead)] == lead for x in leaves(system.numbers)]
        if (lead and any(own)) or not own:
            raise
        return _with_params(system, lead, least, symbolic=False)


#: Programs of this process, by what they were written from.
_known: dict[Any, Program] = {}

#: Programs that are kept.
_MOST = 256


def _known_or_written(system: Any, step: Any, shapes: list[Any] | None, least: float) -> Program:
    """Return the program of a step: one written before, where it cannot be another one now.

    Where parameters are no symbols, there are no `shapes` of these, and it is written again.
    """
    written_by = system.written_by()
    if shapes is None or written_by is None:
        return _written(system, step, least)
    key = type(system), written_by, repr(rebuild(system.numbers, shapes)), least
    if key not in _known:
        if len(_known) >= _MOST:
            _known.pop(next(iter(_known)))
        _known[key] = _written(system, step, least)
    return _known[key]


def _written(system: Any, step: Any, least: float) -> Program:
    """Return the program of a step: on whole arrays, or gathered, where that is better."""
    if found := _as_arrays(array_program, system, step, least):
        return found
    try:
        return program(step, system.dim, system.fresh)
    except TooLong:
        if found := _as_arrays(gathered_program, system, step, least):
            return found
        raise


def _as_arrays(written: Any, system: Any, step: Any, least: float) -> Program | None:
    """Return the program of a step on arrays, if that can be and is better."""
    if system.fresh != system.dim or system.dim < EACH or least == np.inf:
        return None
    try:
        found = written(step, system.dim)
    except Untraceable:
        return None
    return found if found.count > max(least, EACH * found.size) else None


def _with_params(
    system: Any, lead: tuple[int, ...], least: float, symbolic: bool
) -> tuple[Program, Array]:
    shapes, columns = [], []
    for leaf in leaves(system.numbers) if symbolic else []:
        leaf = np.asarray(leaf)
        own = bool(lead) and leaf.shape[: len(lead)] == lead
        shapes.append(leaf.shape[len(lead) :] if own else leaf.shape)
        columns.append(leaf.reshape(int(np.prod(lead)) if own else 1, -1))

    def step(graph: Graph, x: Any) -> Any:
        p, first = system.numbers, 0
        if symbolic:
            symbols = []
            for shape in shapes:
                found = graph.inputs("p", shape, first)
                symbols.append(found if shape else found[()])
                first += int(np.prod(shape))
            p = rebuild(p, symbols)
        row = system.drive.row(None, 0.0)
        u = None if row is None else graph.inputs("u", row.shape)
        return system.written(x, u, p, graph.inputs("d", ())[()])

    done = _known_or_written(system, step, shapes if symbolic else None, least)
    rows = max((len(c) for c in columns), default=1)
    spread = [np.broadcast_to(c, (rows, c.shape[1])) for c in columns]
    params = np.concatenate(spread, axis=1) if spread else np.zeros((1, 0))
    return done, np.ascontiguousarray(params, dtype=float)
