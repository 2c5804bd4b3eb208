r"""The one loop: a trajectory with its tangent basis, forward and in reverse.

Forward (eqs. 6 and 7): :math:`\tilde Q_{s+1} = D_s Q_s`, factorised as
:math:`Q_{s+1} R_{s+1}` after every block of `interval` steps; the exponents are the
averages of :math:`\log |R_{ii}|`. In reverse the adjoint of the same loop, whose
factorisations are pulled back by `lyapnet.linalg.pull_back_qr`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .autodiff import Tree, leaves, rebuild
from .errors import DegenerateBasisError, DivergedError
from .linalg import Array, blas_threads, orthonormalise, pull_back_qr
from .orbit import Orbit
from .systems import System

#: A vector may come this close to the span of those before it between two factorisations:
#: its growth factor then has a relative error of 1e-8. Closer, the block is divided.
SMALLEST_SINE = 1e-8

#: The automatic interval aims at this sine, so that it hardly ever meets the limit.
_AIM = 1e-6

#: Here the basis has lost rank to rounding: an interval that was asked for is refused.
_COLLAPSED = 1e-12

#: Numbers in the arrays of one stretch of trajectory; they should stay in the cache.
_STRETCH = 2**18

#: Numbers that a reverse sweep may keep; longer windows are recomputed stretch by stretch.
_TAPE = 2**26


@dataclass(frozen=True)
class Plan:
    """How many steps a run takes, and how.

    Attributes
    ----------
    transient, basis_transient, n_steps : int
        Steps of the state alone, of state and basis, and of the average.
    interval : int
        Steps between factorisations.
    forgiving : bool
        Whether the interval was chosen automatically. Blocks in which the basis comes near to
        losing rank are divided; one in which it has lost it is refused where the interval
        was asked for.
    """

    transient: int
    basis_transient: int
    n_steps: int
    interval: int = 1
    forgiving: bool = False

    @property
    def total(self) -> int:
        """Number of all steps."""
        return self.transient + self.basis_transient + self.n_steps

    def stretches(self, length: int) -> Iterator[tuple[str, int, int]]:
        """Yield (phase, start, stop), whole blocks of at most about `length` steps."""
        length = max(1, length // self.interval) * self.interval
        start = 0
        for phase in ("transient", "basis_transient", "n_steps"):
            end = start + getattr(self, phase)
            while start < end:
                stop = min(start + length, end)
                yield phase, start, stop
                start = stop


@dataclass
class Tape:
    """What the reverse sweep needs of a stretch: each step's basis and each block's factor."""

    orbit: Orbit
    rows: Array
    blocks: list[tuple[int, int, Array]] = field(default_factory=list)
    log_growth: Array = field(default_factory=lambda: np.zeros(0))


def stretch_length(system: System, lead: tuple[int, ...], k: int) -> int:
    """Return the steps that a stretch should have."""
    per_step = max(1, int(np.prod(lead))) * system.dim * (k if k < system.dim else system.dim)
    return int(np.clip(_STRETCH // per_step, 64, 4096))


def run_orbit(
    system: System, x: Array, inputs: Array | None, start: int, stop: int, partial: Any = None
) -> Orbit:
    """Run steps ``start ... stop`` of a trajectory, and refuse one that diverges."""
    orbit = system.orbit(x, None if inputs is None else inputs[start:stop], stop - start)
    last = orbit.states[-1]
    if not np.isfinite(last).all():
        finite = np.isfinite(orbit.states).reshape(len(orbit.states), -1).all(axis=1)
        step = start + int(np.argmin(finite))
        raise DivergedError(
            f"the state is not finite after step {step}; start closer to the attractor, or use a "
            "smaller dt, gain or input",
            step=step,
            partial=partial,
        )
    return orbit


def forward(
    orbit: Orbit, rows: Array, interval: int, *, start: int, forgiving: bool, keep: bool = False
) -> tuple[Array, Array, float, Tape | None]:
    """Carry a basis along an orbit.

    Parameters
    ----------
    orbit : Orbit
    rows : array (..., k, n)
        Orthonormal.
    interval : int
        Steps between factorisations; a last block may be shorter.
    start : int
        Number of the orbit's first step in the run, for messages.
    forgiving : bool
        See `Plan`.
    keep : bool
        Whether to return a tape.

    Returns
    -------
    log_growth : array (blocks, ..., k)
        Logarithms of the growth factors.
    rows : array (..., k, n)
        The basis at the end.
    sine : float
        The smallest sine met, see `orthonormalise`.
    tape : Tape or None
    """
    n_steps = orbit.n_steps
    edges = [*range(0, n_steps, interval), n_steps]
    buffer = _buffer((n_steps if keep else min(interval, n_steps)) + 1, rows, orbit.members_last)
    buffer[0] = rows
    tape = Tape(orbit, buffer) if keep else None
    diagonals: list[Array] = []
    lengths: list[Array] = []
    suspect: list[tuple[int, int, int, Array]] = []

    def block(first: int, last: int) -> None:
        here = buffer[first:] if keep else buffer
        for s in range(last - first):
            orbit.push(first + s, here[s], here[s + 1])
        factor = np.empty((*rows.shape[:-1], rows.shape[-2])) if keep else None
        diagonal, length = orthonormalise(here[last - first], factor)
        if last - first > 1:
            sine = diagonal / length
            if not sine.min() >= SMALLEST_SINE:  # NaN where it overflowed
                suspect.append((len(diagonals), first, last, sine))
                block(first, (first + last) // 2)
                block((first + last) // 2, last)
                return
        diagonals.append(diagonal)
        lengths.append(length)
        if tape is not None and factor is not None:
            tape.blocks.append((first, last, factor))
        if not keep:
            buffer[0] = here[last - first]

    starts = []
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for first, last in itertools.pairwise(edges):
            starts.append(len(diagonals))
            block(first, last)
        log_growth, sine = _logs(np.stack(diagonals), np.stack(lengths), rows.shape[-1])
    growth = np.add.reduceat(log_growth, starts, axis=0)
    for leaf, first, last, collapsed in suspect:
        wanted = leaf in starts and not forgiving and not collapsed.min() >= _COLLAPSED
        if wanted and not np.isneginf(growth[starts.index(leaf)]).any():
            raise _degenerate(start + last, last - first, collapsed)
    if tape is not None:
        tape.log_growth = log_growth
    smallest = min((float(np.nan_to_num(c[3]).min()) for c in suspect), default=1.0)
    return growth, buffer[n_steps if keep else 0].copy(), min(smallest, float(sine.min())), tape


def _logs(diagonal: Array, length: Array, n: int) -> tuple[Array, Array]:
    """Return logs of growth factors, and sines; a factor that rounding hides is zero."""
    sine = np.divide(diagonal, length, out=np.zeros_like(diagonal), where=length > 0)
    return np.log(np.where(sine > n * np.finfo(float).eps, diagonal, 0.0)), sine


def _degenerate(step: int, length: int, sine: Array) -> DegenerateBasisError:
    exponent = int(np.argmin(sine.reshape(-1, sine.shape[-1]).min(axis=0)))
    return DegenerateBasisError(
        f"the tangent basis degenerated within the {length} steps before step {step}: vector "
        f"{exponent} came within {sine.min():.1e} of the span of those before it; use a smaller "
        'qr_interval, or qr_interval="auto"',
        step=step,
        exponent=exponent,
    )


def _buffer(length: int, rows: Array, members_last: bool) -> Array:
    """Return room for bases, in memory with the ensemble's axes last where the orbit wants it."""
    if not members_last:
        return np.empty((length, *rows.shape))
    *lead, k, n = rows.shape
    return np.moveaxis(np.empty((length, k, n, *lead)), (1, 2), (-2, -1))


def choose_interval(orbit: Orbit, rows: Array) -> int:
    """Return the longest interval in which a basis stays well conditioned along an orbit.

    Appendix J of the paper: propagate without factorising until the condition is no longer
    acceptable. The basis should have been warmed up.
    """
    here, there = rows.copy(), np.empty_like(rows)
    for s in range(orbit.n_steps):
        orbit.push(s, here, there)
        here, there = there, here
        if not np.isfinite(here).all():
            return max(1, s)
        diagonal, length = orthonormalise(here.copy())
        if (diagonal < _AIM * length).any():
            return max(1, s)
    return max(1, orbit.n_steps)


@dataclass
class Record:
    """A run that can be differentiated: where each stretch starts, and its tape if kept."""

    system: System
    inputs: Array | None
    plan: Plan
    starts: list[tuple[str, int, int, Array, Array]]
    tapes: list[Tape | Orbit | None]
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
    per_step = rows.size * (4 if keep else 1) + x.size
    length = stretch_length(system, x.shape[:-1], rows.shape[-2])
    hold = keep and per_step * plan.total <= _TAPE
    if hold:
        length = plan.total
    record = Record(system, inputs, plan, [], [])
    total = np.zeros(rows.shape[:-1])
    with blas_threads(rows.size * system.dim):
        for phase, start, stop in plan.stretches(length):
            if keep:
                record.starts.append((phase, start, stop, x, rows))
            orbit = run_orbit(system, x, inputs, start, stop)
            tape: Tape | Orbit | None = orbit
            if phase != "transient":
                growth, rows, sine, tape = _forward(orbit, rows, plan, start, hold)
                record.smallest_sine = min(record.smallest_sine, sine)
                if phase == "n_steps":
                    total += growth.sum(axis=0)
            if keep:
                record.tapes.append(tape if hold else None)
            x = orbit.states[-1]
    return total / (plan.n_steps * system.dt), record


def _forward(orbit: Orbit, rows: Array, plan: Plan, start: int, keep: bool) -> Any:
    return forward(orbit, rows, plan.interval, start=start, forgiving=plan.forgiving, keep=keep)


def gradient(record: Record, exponents_bar: Array) -> tuple[Array, Array, Array | None, Tree]:
    """Pull a cotangent of the exponents ``(..., k)`` back through the whole run.

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
    inputs_bar = None if record.inputs is None else np.zeros_like(record.inputs)
    params: Tree = None
    stretches = zip(reversed(record.starts), reversed(record.tapes), strict=True)
    with blas_threads(record.starts[0][4].size * system.dim):
        for (phase, start, stop, x, rows), kept in stretches:
            tape = kept
            if tape is None:
                tape = orbit = run_orbit(system, x, record.inputs, start, stop)
                if phase != "transient":
                    tape = _forward(orbit, rows, plan, start, True)[3]
            orbit = tape.orbit if isinstance(tape, Tape) else tape
            states_bar = np.zeros_like(orbit.states)
            if x_bar is not None:
                states_bar[-1] = x_bar
            if isinstance(tape, Tape):
                here = bar if phase == "n_steps" else np.zeros_like(bar)
                bars, rows_bar, next_bar = reverse(tape, here, rows_bar, next_bar, start)
                through = orbit.tangent_adjoint(tape.rows[:-1], bars)
                states_bar[:-1] += through.states
                params = _add(params, through.params)
                if inputs_bar is not None and through.inputs is not None:
                    inputs_bar[start:stop] += through.inputs
            through = orbit.state_adjoint(states_bar)
            params = _add(params, through.params)
            if inputs_bar is not None and through.inputs is not None:
                inputs_bar[start:stop] += through.inputs
            x_bar = through.states
    assert x_bar is not None
    assert rows_bar is not None
    # The first basis is orthonormal by construction: there its cotangent has no diagonal.
    return x_bar, rows_bar, inputs_bar, params


def reverse(
    tape: Tape, bar: Array, rows_bar: Array | None, next_bar: Array, start: int
) -> tuple[Array, Array, Array]:
    """Carry cotangents of a stretch's growth rates back to its first basis.

    Parameters
    ----------
    tape : Tape
    bar : array (..., k)
        Cotangent of the log growth of every block.
    rows_bar : array (..., k, n) or None
        Cotangent of the last basis.
    next_bar : array (..., k)
        Cotangent of the log growth of the block that follows.

    Returns
    -------
    bars : array (T, ..., k, n)
        Cotangent of what each step's tangent map yields.
    rows_bar : array (..., k, n)
        Cotangent of the first basis.
    next_bar : array (..., k)
        Cotangent of the log growth of the first block.
    """
    rows, orbit = tape.rows, tape.orbit
    bars = np.empty_like(rows[1:])
    bars[-1] = 0.0 if rows_bar is None else rows_bar
    first_bar = np.empty_like(rows[0])
    drift = np.zeros_like(bar)
    if rows_bar is not None:  # what came with it from the next stretch is cleared at once
        drift[..., 0] = 1e9  # finite: with k = 1 there is nothing to clear
    singular = ~np.isfinite(tape.log_growth).reshape(len(tape.blocks), -1).all(axis=1)
    if singular.any():
        last = int(np.argmax(singular))
        raise _singular(start + tape.blocks[last][1], tape.log_growth[last])
    blocks = zip(reversed(tape.blocks), tape.log_growth[::-1], strict=True)
    for (first, last, factor), log_growth in blocks:
        drift = drift + log_growth
        grown = float(np.ptp(drift, axis=-1).max()) > _REPROJECT
        pull_back_qr(rows[last], factor, bars[last - 1], bar, next_bar, grown)
        if grown:
            drift = np.zeros_like(bar)
        next_bar = bar
        for s in reversed(range(first, last)):
            orbit.pull(s, bars[s], bars[s - 1] if s else first_bar, rows[s])
    return bars, first_bar, next_bar


#: Rounding above the diagonal may grow by a factor of 100 before it is cleared.
_REPROJECT = np.log(1e2)


def _singular(step: int, log_growth: Array) -> DegenerateBasisError:
    exponent = int(np.argmin(log_growth.reshape(-1, log_growth.shape[-1]).min(axis=0)))
    return DegenerateBasisError(
        f"exponent {exponent} is -inf: the Jacobian of step {step} is singular on the basis (dead "
        "units, or weights of low rank), and the exponent has no derivative there; ask for fewer "
        "exponents k",
        step=step,
        exponent=exponent,
    )


def _add(a: Tree, b: Tree) -> Tree:
    if a is None or b is None:
        return b if a is None else a
    return rebuild(a, [_accumulate(x, y) for x, y in zip(leaves(a), leaves(b), strict=True)])


def _accumulate(x: Any, y: Any) -> Any:
    if isinstance(y, np.ndarray) and y.ndim and not isinstance(x, np.ndarray):
        x, y = y, x
    if isinstance(x, np.ndarray) and x.ndim:
        x += y
        return x
    return x + y
