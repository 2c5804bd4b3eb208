"""What speaks against the numbers of a run, however small their errors are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..numerics.arrays import Array
from ..systems.damped import damped
from ..tangent.products import APART, UNKNOWN, rounded_in_products, sample_length
from ..tangent.rounding import SEEN, TIMES, DisturbedSystem, errors_grow
from ..tangent.step_derivative import MISMATCH, is_of_the_step
from ..tangent.superstable import Superstable, superstable
from .digits import lost_digits, rests_on_a_kink
from .symmetric_start import symmetric_start

if TYPE_CHECKING:
    from ..systems import System
    from ..systems.orbit import Orbit
    from .benettin import Benettin
    from .uncertainty.batches import GrowthStatistics

#: Growth that is -inf in one part of a run in so many, or in a single one, is so seldom.
_SELDOM = 50


@dataclass
class Doubts:
    """Doubts about a run.

    Attributes
    ----------
    reservations : list of str
    superstable : Superstable or None
        Where exponents hang on rounding.
    known_sums : list of int
        Where rounding shows: of how many leading vectors the sum is known nevertheless.
    rounding : array (..., k) or None
        What rounding in single steps may do to exponents.
    """

    reservations: list[str] = field(default_factory=list)
    superstable: Superstable | None = None
    known_sums: list[int] = field(default_factory=list)
    rounding: Array | None = None


def doubts(run: Benettin) -> Doubts:
    """Look for what speaks against the numbers of a run that is done."""
    found = Doubts([run.system.reservation] if run.system.reservation else [])
    x0, total = run.x if run.x0 is None else run.x0, run.statistics.total
    if run.orbit:
        late = (run.seen.x, run.seen.inputs) if run.seen else (x0, None)
        said = of_orbit(
            run.system, x0, run.x, total, run.n_done, run.orbit, late, run.prepare(), by_volume=True
        )
        found.reservations += [said] if said else []
    by_loops = run.system.differentiated and run.prepare().engine_used == ("compiled", "")
    if lost := lost_in_rounding(run.statistics):
        found.reservations.append(lost)
    known = by_loops or run.system.tangent_apart
    if not known and not is_of_the_step(run.prepare(), run.x, run.inputs):
        found.reservations.append(MISMATCH)
        return found
    seen, interval = run.seen, run.plan.interval
    if seen is None:
        return found
    found.superstable = superstable(
        run.prepare(), seen.orbit, seen.x, seen.rows, seen.inputs, seen.growth, interval
    )
    # A single component's errors stay as small as they are.
    if found.superstable or run.system.dim == 1:
        return found
    if _lost_in_products(run, found):
        return found
    n_steps = run.n_done - run.start[2]
    doubtful = errors_grow(seen.orbit, seen.rows, seen.growth, interval, n_steps)
    if doubtful.any():
        along = seen.orbit.runs_along or run.prepare().runs_along
        _disturb(run, found, along, doubtful, n_steps)
    return found


def _lost_in_products(run: Benettin, found: Doubts) -> bool:
    """Note what rounding in single steps does, where they shrink some vectors far more than others.

    Say whether exponents are lost in it.

    Errors of steps are independent; the logarithm of what they make of growth is less by half of
    their square.
    """
    seen, k = run.seen, run.rows.shape[-2]
    assert seen is not None
    if run.plan.interval > 1 or k == 1 or seen.growth.max() <= seen.growth.min() + APART:
        return False
    finite = np.isfinite(seen.growth)
    least = np.where(finite, seen.growth, np.inf).min(axis=(0, -1))
    most = np.where(finite, seen.growth, -np.inf).max(axis=(0, -1))
    if not (most - least > APART).any():
        return False
    steps = sample_length(seen.orbit, seen.rows)
    now = None if seen.inputs is None else seen.inputs[:steps]
    error = rounded_in_products(run.prepare().orbit(seen.x, now, steps).finest, seen.rows)
    error = np.where(np.isfinite(run.statistics.total), error, 0.0)  # of -inf its words are said
    found.rounding = (2 * error / np.sqrt(run.n_done) + error**2 / 2) / run.system.dt
    unknown = (error > UNKNOWN).reshape(-1, k).any(axis=0)
    if unknown.any():
        orders = (most - least).max() / np.log(10)
        found.known_sums = list(range(1, int(np.argmax(unknown)) + 1))
        found.reservations.append(
            "rounding in the products of Jacobians and tangent vectors is as large as what is left "
            f"of vectors that a step shrinks by {orders:.0f} orders more than others, and in these "
            "coordinates no zeros keep them apart"
        )
    return bool(unknown.any())


def of_orbit(
    system: System, x0: Array, state: Array, growth: Array, n_steps: int, orbit: Orbit,
    late: tuple[Array, Array | None], engine: System | None = None, *, by_volume: bool = False,
) -> str:  # fmt: skip
    """Say that numbers are those of an orbit that no other comes near to, or of the method.

    Parameters
    ----------
    system : System
    x0, state : array (..., n)
        At the start and at the end.
    growth : array (..., k)
        Of `n_steps` steps, in nats.
    n_steps : int
        Of the run.
    orbit : Orbit
        Some of its steps.
    late : (array (..., n), array (T, ..., m) or None)
        A state late in the run, and the inputs from there on.
    engine : System, optional
        The system as it is run fastest, without tangent vectors.
    by_volume : bool, optional
        See `damped`.
    """
    apart = lost_digits(engine or system, x0, state, growth, n_steps)
    apart = apart or rests_on_a_kink(engine or system, state, late[1], growth)
    apart = apart or symmetric_start(system, x0, *late, n_steps)
    return apart or damped(system, orbit, growth / (n_steps * system.dt), by_volume=by_volume)


def lost_in_rounding(statistics: GrowthStatistics) -> str:
    """Say that finite exponents may stand in the places of others, whose growth rounding hides.

    Singular Jacobians are mostly so in many steps. But where one step stretches a direction by more
    than float64 has digits, nothing is left of the next ones; what is left of the volume is the
    last one's.
    """
    gone = np.isneginf(statistics.total)
    finite_behind = np.logical_or.accumulate(~gone[..., ::-1], axis=-1)[..., ::-1]
    gone &= finite_behind
    gone[..., 0] = False  # is not made orthogonal to any
    if not gone.any():
        return ""
    parts = np.isneginf(statistics.growth[:, gone]).sum(axis=0)
    n = len(statistics.durations)
    rare = parts <= max(1, n // _SELDOM)
    if not rare.any():
        return ""
    return (
        f"in {parts[rare].max()} of {n} parts of the run what a tangent vector grows by is lost in "
        "rounding. An exponent is -inf if a Jacobian is singular there in exact arithmetic; if it "
        "is not, none is, and those behind the first may stand in other places"
    )


def _disturb(
    run: Benettin, found: Doubts, along: bool, doubtful: NDArray[np.bool_], n_steps: int
) -> None:
    """Do the run again with errors, by the same engine, and note if growth is another."""
    engine = run.prepare()
    if not along and engine.engine_used == ("compiled", ""):
        engine = run.system
    some = engine.of_members(doubtful) if doubtful.ndim else None
    which = ... if some is None else doubtful
    # Chaotic trajectories of two engines part.
    one = run if engine is run.engine else run.again(engine, n_steps)
    known = run.orbits if one is run else ()
    other = run.again(DisturbedSystem(some or engine, known), n_steps, which)
    with np.errstate(invalid="ignore"):
        change = np.nan_to_num(np.abs(one.grown(which) - other.grown()), nan=0.0)
    if change.max() > SEEN:
        found.known_sums = _sums_alike(one.kept.growth, other.kept.growth, which)
        per_time = change.max() / (n_steps * run.system.dt)
        found.reservations.append(
            "rounding in the products of Jacobians and tangent vectors grows until it shows: "
            f"exponents change by {per_time:.1g} where it is "
            f"{TIMES:.0f} times as large, and how far off they are is not known. The Jacobians "
            "are far from normal, and in these coordinates no zeros stop the errors"
        )


def _sums_alike(growth: Array | None, other: Array | None, which: Any) -> list[int]:
    """Return for how many leading vectors the sums of growth agree in two runs, at all times.

    The second is of some members of the first. At the end alone they may agree by chance.
    """
    if growth is None or other is None:
        return []  # not recorded
    with np.errstate(invalid="ignore"):
        apart = growth[-len(other) :, which] - other
        sums = np.cumsum(np.cumsum(apart, axis=-1), axis=0)
        worst = np.abs(sums).reshape(-1, sums.shape[-1]).max(axis=0)
    return [int(i) + 1 for i in np.flatnonzero(worst <= SEEN)]
