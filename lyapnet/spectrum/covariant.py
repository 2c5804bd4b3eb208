"""Covariant Lyapunov vectors."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from .. import validate
from ..numerics.arrays import ArrayLike, Seed, blas_threads, patient
from ..runs.progress import compiling, progress_bar
from ..systems import Flow, System, SystemLike, as_system
from ..tangent.plan import plan_of
from ..tangent.start import Start, input_sequence
from .covariant_result import CovariantVectors
from .doubts import of_orbit
from .ginelli import Covariant, sweep_backward, sweep_forward, warm_up
from .own_direction import missing_zero
from .step_defect import MOST

#: In so much time vectors align by default, as a step of a flow is short; where units of time are
#: long, as in hours of what takes microseconds, in so many steps.
_ALIGN, _MOST_ALIGNING = 20.0, 20_000


@patient
def covariant_vectors(
    system: SystemLike,
    n_steps: int,
    *,
    k: int | None = None,
    inputs: ArrayLike | None = None,
    x0: ArrayLike | None = None,
    transient: int | None = None,
    basis_transient: int | None = None,
    backward_transient: int | None = None,
    every: int = 1,
    t0: float = 0.0,
    rng: Seed = None,
    progress: bool = False,
) -> CovariantVectors:
    r"""Find covariant Lyapunov vectors by the method of Ginelli et al.

    A forward pass gives :math:`D_t Q_t = Q_{t+1} R_t`. A vector :math:`v_t = Q_t c_t` is
    covariant if :math:`R_t c_t \propto c_{t+1}`; any upper triangular C converges to
    such coefficients when the recursion is solved backwards in time.

    Parameters
    ----------
    system : System
    n_steps : int
        Number of states that vectors belong to.
    k : int, optional
        Number of leading vectors; default all.
    inputs : array (T', ..., m), optional
        One input per step, for the whole run: all transients and ``n_steps - 1``.
    x0 : array (..., n), optional
        State to start from, as for `lyapunov_spectrum`.
    transient, basis_transient : int, optional
        Steps of the state alone, then of state and basis; default a tenth of `n_steps`, at
        least 100, and for the basis 20 units of time, as far as these are 20 000 steps.
    backward_transient : int, optional
        Steps beyond the last state in which the coefficients converge; default like
        `basis_transient`. Both converge like :math:`\exp(-(\lambda_i - \lambda_j) t)`:
        close exponents take longer.
    every : int, optional
        Vectors are returned at the first of the `n_steps` states and at each so many further, for
        long runs, in which all of them would take too much room.
    t0 : float, optional
        Time at the start of the run, where the system depends on it.
    rng : None, int or Generator, optional
    progress : bool, optional
        Whether to show a progress bar: of the steps forward, then of those back.

    Returns
    -------
    CovariantVectors

    Raises
    ------
    DivergedError
        If the state is not finite.

    Warns
    -----
    UserWarning
        If the derivative misses something, so that vectors and exponents are unreliable: a field
        that jumps where steps go on across it, an autonomous flow without an exponent near 0, or
        decay within a part of an implicit step; or if rounding has led onto an unstable cycle.

    Notes
    -----
    Rounding disturbs :math:`D_t v_t \parallel v_{t+1}` by about
    :math:`10^{-16} \|D_t\| / \|D_t v_t\|`: little but for directions that contract by orders of
    magnitude in a single step.

    The result takes room for T n k numbers, divided by `every`. Beyond it a run keeps 128 MB and
    some :math:`2 \sqrt T n k` numbers, however long it is: what has no room on the way forward is
    computed again on the way back.

    References
    ----------
    F. Ginelli et al., Phys. Rev. Lett. 99, 130601 (2007).

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> found = ln.covariant_vectors(ln.catalog.henon(), 100, rng=0)
    >>> v, D = found.vectors, ln.catalog.henon().jacobian(found.states)
    >>> carried = D[:-1] @ v[:-1]
    >>> carried /= np.linalg.norm(carried, axis=-2, keepdims=True)
    >>> bool(np.allclose(np.abs(np.sum(carried * v[1:], axis=-2)), 1))
    True
    """
    found = as_system(system)
    rng = validate.generator(rng)
    n_steps = validate.integer("n_steps", n_steps, low=2)
    every = validate.integer("every", every, low=1, high=n_steps - 1)
    phases = _phases(found, n_steps, transient, basis_transient, backward_transient)
    others = (f"{name}={count}" for name, count in phases.items() if name != "n_steps")
    parts = ", ".join([f"n_steps - 1 = {n_steps - 1}", *others])
    total = sum(phases.values())
    start = Start.of(found, input_sequence(inputs), total, x0=x0, t0=t0, rng=rng, k=k, parts=parts)
    size = n_steps // every * start.rows.size
    validate.fits(
        "n_steps", n_steps, "the vectors that are returned, at fewer states with `every`,", size
    )
    with compiling(show=progress):
        fast = found.prepared(start.x, start.inputs, start.rows.shape[-2], total)
    run = replace(start, system=fast)
    warm = phases["transient"] + phases["basis_transient"]
    bars = progress_bar(2 * total - warm, show=progress, unit="step")
    with blas_threads(start.rows.size * found.dim), bars as bar:
        x, rows = warm_up(run, phases, bar)
        into = Covariant(warm, n_steps, every, rows)
        sections = sweep_forward(run, x, rows, (warm, total), bar)
        sweep_backward(run, sections, into, rng, bar)
    settings = {**start.settings, **phases, "n_steps": n_steps, "every": every}
    vectors = CovariantVectors(
        vectors=into.vectors.swapaxes(-1, -2),
        states=into.states,
        exponents=into.total / ((n_steps - 1) * found.dt),
        local=into.growth / (every * found.dt),
        settings=settings,
    )
    if reservation := _reservation(start, vectors):
        warnings.warn(f"these vectors and exponents are unreliable: {reservation}", stacklevel=3)
    return vectors


def _reservation(start: Start, vectors: CovariantVectors) -> str:
    """Say what the derivative of the steps misses; see `own_direction` and `Flow.too_steep`."""
    system, how, rows = start.system, vectors.settings, start.inputs
    reservation = system.reservation
    if not reservation and not how["driven"]:
        reservation = _missing_zero(start, vectors)
    if reservation or system.tangent_apart:
        return reservation
    first, steps = how["transient"] + how["basis_transient"], min(MOST, how["n_steps"] - 1)
    steps = steps if isinstance(system, Flow) else 1  # only flows have steps to doubt
    rows = None if rows is None else rows[first:]
    orbit = system.orbit(vectors.states[0], None if rows is None else rows[:steps], steps)
    if isinstance(system, Flow) and (steep := system.too_steep(orbit.states, orbit.inputs)):
        return steep
    growth = vectors.exponents * (how["n_steps"] - 1) * how["dt"]
    late = (vectors.states[-1], None) if rows is None else (vectors.states[0], rows)
    return of_orbit(system, start.x, vectors.states[-1], growth, how["n_steps"] - 1, orbit, late)


def _missing_zero(start: Start, vectors: CovariantVectors) -> str:
    """Say that an exponent is missing."""
    half = vectors._half_width()
    order = np.argsort(-vectors.exponents, axis=-1)
    exponents, half = (np.take_along_axis(x, order, axis=-1) for x in (vectors.exponents, half))
    ends = start.x, vectors.states[-1]
    return missing_zero(start.system, exponents, half, ends, vectors.settings["n_steps"])


def _phases(
    system: System, n_steps: int, transient: Any, basis_transient: Any, backward_transient: Any
) -> dict[str, int]:
    """Complete the counts of steps: the phases of the way forward, see `sweep_forward`."""
    align = max(100, n_steps // 10, min(round(_ALIGN / system.dt), _MOST_ALIGNING))
    basis_transient = align if basis_transient is None else basis_transient
    plan = plan_of(None, n_steps, transient, basis_transient)
    after = align if backward_transient is None else backward_transient
    return {
        "transient": plan.transient,
        "basis_transient": plan.basis_transient,
        "n_steps": n_steps - 1,
        "backward_transient": validate.integer("backward_transient", after, low=0),
    }
