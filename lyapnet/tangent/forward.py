r"""The one loop: a trajectory with its tangent basis.

Eqs. 6 and 7: :math:`\tilde Q_{s+1} = D_s Q_s`, factorised as :math:`Q_{s+1} R_{s+1}` after every
block of `interval` steps; the exponents are the averages of :math:`\log |R_{ii}|`. Its reverse
stands in `lyapnet.tangent.gradient`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

from ..errors import DegenerateBasisError, DivergedError
from ..numerics.arrays import Array
from ..numerics.buffers import empty
from ..systems.orbit import Orbit
from .cholesky_qr import Habit
from .qr import orthonormalise

#: A vector may come this close to the span of those before it between two factorisations:
#: its growth factor then has a relative error of 1e-8. Closer, the block is divided.
SMALLEST_SINE = 1e-8

#: Where only the flag of a basis matters, one pass of Cholesky's method is enough down to this
#: sine: what it leaves of the inner products, 1e-2 at most in trials, is in the next factor.
_FLAG = 1e-6

#: Here the basis has lost rank to rounding: an interval that was asked for is refused.
_COLLAPSED = 1e-12


@dataclass
class Tape:
    """What the reverse sweep needs of a stretch: each step's basis and each block's factor."""

    orbit: Orbit
    rows: Array
    blocks: list[tuple[int, int, Array]] = field(default_factory=list)
    log_growth: Array = field(default_factory=lambda: np.zeros(0))


def forward(
    orbit: Orbit,
    rows: Array,
    interval: int,
    *,
    start: int,
    forgiving: bool,
    keep: bool = False,
    flag_only: bool = False,
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
    flag_only : bool
        Whether of the bases on the tape only the flags matter, the spans of their first vectors,
        and of the growth factors the product. The last basis is orthonormal in any case.

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
    buffer = _buffer(n_steps + 1 if keep else 3, rows, orbit.members_last)
    buffer[0] = rows
    # Where they are not kept, the bases within a block take turns in two places.
    views = (
        list(buffer)
        if keep
        else [buffer[0], *itertools.islice(itertools.cycle(buffer[1:]), interval)]
    )
    factor_shape = (*rows.shape[:-1], rows.shape[-2])
    factors = list(empty((len(edges) - 1, *factor_shape))) if keep else []
    tape = Tape(orbit, buffer) if keep else None
    diagonals: list[Array] = []
    lengths: list[Array] = []
    ends: list[int] = []
    suspect: list[tuple[int, int, int, Array]] = []
    habit = Habit()

    def block(first: int, last: int) -> bool:
        """Push through a block and factorise; say whether the basis stood it undivided."""
        here = first if keep else 0
        end = here + last - first
        orbit.carry(first, views[here : end + 1])
        factor = None
        if keep:
            factor = factors.pop() if factors else np.empty(factor_shape)
        least = _FLAG if flag_only and last < n_steps else None
        diagonal, length = orthonormalise(views[end], factor, habit, least)
        if last - first > 1:
            sine = diagonal / length
            if not sine.min() >= SMALLEST_SINE:  # NaN where it overflowed
                suspect.append((len(diagonals), first, last, sine))
                return False
        diagonals.append(diagonal)
        lengths.append(length)
        ends.append(last)
        if tape is not None and factor is not None:
            tape.blocks.append((first, last, factor))
        if not keep:
            buffer[0] = views[end]
        return True

    starts = []
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for first, last in itertools.pairwise(edges):
            starts.append(len(diagonals))
            pending = [(first, last)]
            while pending:
                a, b = pending.pop()
                if not block(a, b):
                    pending += [((a + b) // 2, b), (a, (a + b) // 2)]
        diagonal, length = np.stack(diagonals), np.stack(lengths)
        check_growth(diagonal, length, [start + end for end in ends])
        log_growth, sine = logs(diagonal, length, rows.shape[-1])
    if orbit.log_volume is not None and rows.shape[-2] == rows.shape[-1] and not keep:
        # The last direction of a full basis has what the others leave of the volume.
        volume = np.add.reduceat(orbit.log_volume, [0, *ends[:-1]], axis=0)
        log_growth[..., -1] = volume - log_growth[..., :-1].sum(axis=-1)
    growth = np.add.reduceat(log_growth, starts, axis=0)
    for leaf, first, last, collapsed in suspect:
        wanted = leaf in starts and not forgiving and not collapsed.min() >= _COLLAPSED
        if wanted and not np.isneginf(growth[starts.index(leaf)]).any():
            raise _degenerate(start + last, last - first, collapsed)
    if tape is not None:
        tape.log_growth = log_growth
    smallest = min((float(np.nan_to_num(c[3]).min()) for c in suspect), default=1.0)
    return growth, buffer[n_steps if keep else 0].copy(), min(smallest, float(sine.min())), tape


def check_growth(diagonal: Array, length: Array, ends: list[int]) -> None:
    """Refuse Jacobians that are not finite."""
    good = np.isfinite(diagonal + length).reshape(len(ends), -1).all(axis=1)
    if not good.all():
        step = ends[int(np.argmin(good))]
        raise DivergedError(
            f"the Jacobian of step {step}, times the tangent basis, is not finite: check "
            "`jacobian` at the state there (`check_invariants` compares it with the step), or the "
            "step itself if its derivative comes from autograd",
            step=step,
        )


def logs(diagonal: Array, length: Array, n: int) -> tuple[Array, Array]:
    """Return logs of growth factors, and sines; a factor that rounding hides is zero."""
    sine = np.divide(diagonal, length, out=np.zeros_like(diagonal), where=length > 0)
    return np.log(np.where(sine > n * np.finfo(float).eps, diagonal, 0.0)), sine


def _degenerate(step: int, length: int, sine: Array) -> DegenerateBasisError:
    each = sine.reshape(-1, sine.shape[-1]).min(axis=0)
    exponent = int(np.argmin(each))
    if np.isnan(each).any():
        exponent = int(np.argmax(np.isnan(each)))
        what = f"vector {exponent + 1} of {len(each)} left the range of floating-point numbers"
    else:
        what = (
            f"vector {exponent + 1} of {len(each)} came within {sine.min():.1e} of the span of "
            "those before it"
        )
    return DegenerateBasisError(
        f"the tangent basis degenerated within the {length} steps before step {step}: {what}; use "
        'a smaller qr_interval, or qr_interval="auto"',
        step=step,
        exponent=exponent,
    )


def _buffer(length: int, rows: Array, members_last: bool) -> Array:
    """Return room for bases, in memory with the ensemble's axes last where the orbit wants it."""
    if not members_last:
        return empty((length, *rows.shape))
    *lead, k, n = rows.shape
    return np.moveaxis(empty((length, k, n, *lead)), (1, 2), (-2, -1))
