"""Covariant Lyapunov vectors."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from scipy.linalg import blas

from . import validate
from .linalg import Array, blas_threads
from .progress import progress_bar
from .results import Result
from .start import (
    check_inputs,
    directions,
    noise_seed,
    plan_of,
    prepare_inputs,
    start_rows,
    start_state,
    start_time,
)
from .systems import System, as_system
from .trajectory import forward, run_orbit, stretch_length

#: In so much time vectors align by default: a step of a flow is short.
_ALIGN = 20.0


@dataclass(frozen=True, repr=False, eq=False)
class CovariantVectors(Result):
    r"""Covariant Lyapunov vectors along a trajectory.

    Attributes
    ----------
    vectors : array (T, ..., n, k)
        Unit vectors (columns) at each state; :math:`D_t v_t` is parallel to :math:`v_{t+1}`.
    states : array (T, ..., n)
        The states they belong to.
    exponents : array (..., k)
        Growth rates of the vectors along these T - 1 steps, in the order of the vectors;
        ``-inf`` where a Jacobian annihilates a direction, whose vectors are then just some of
        the kernel.
    local : array (T - 1, ..., k)
        Growth rate of each vector in each step, nats per unit time.
    settings : dict
        Everything that the run used.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {
        "vectors": ("time", "...", "unit", "exponent"),
        "states": ("time", "...", "unit"),
        "exponents": ("exponent",),
        "local": ("step", "...", "exponent"),
    }

    vectors: Array
    states: Array
    exponents: Array
    local: Array = field(repr=False)
    settings: dict[str, Any]

    def _summary(self) -> dict[str, Any]:
        return {
            "exponents": self.exponents,
            "states": len(self.states),
            "dim": self.states.shape[-1],
        }

    def angles(self) -> Array:
        """Return the angles between the vectors, ``(T, ..., k, k)``, in radians, up to pi/2."""
        cosines = np.matmul(self.vectors.swapaxes(-1, -2), self.vectors)
        return np.arccos(np.clip(np.abs(cosines), 0.0, 1.0))

    def plot(self, ax: Any = None, *, pairs: Any = None) -> Any:
        """Draw how the angles between vectors are distributed; return the Axes.

        Angles that come close to zero mean tangencies: there the dynamics is not hyperbolic.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        pairs : sequence of (int, int), optional
            Vectors to compare, counted from 0; default each with the next, the first five.

        Examples
        --------
        >>> import lyapnet as ln
        >>> ax = ln.covariant_vectors(ln.catalog.henon(), 100, rng=0).plot()
        """
        from . import plotting

        k = self.vectors.shape[-1]
        shown = list(itertools.pairwise(range(min(k, 6)))) if pairs is None else list(pairs)
        if not shown:
            raise ValueError(
                "`pairs` is empty: an angle takes two vectors, ask for k of at least 2"
            )
        ax = plotting.new_axes(ax)
        edges = np.linspace(0.0, 90.0, 46)
        for i, j in shown:
            i, j = (validate.integer("pairs", x, low=0, high=k - 1) for x in (i, j))
            cosines = np.abs(np.sum(self.vectors[..., i] * self.vectors[..., j], axis=-1))
            angles = np.degrees(np.arccos(np.minimum(cosines, 1.0))).ravel()
            name = f"vectors {i + 1} and {j + 1}"
            ax.hist(angles, edges, density=True, histtype="step", lw=1.2, label=name)
        ax.set_xlim(0, 90)
        ax.set_xticks(range(0, 91, 15))
        ax.set_xlabel("angle (degrees)")
        ax.set_ylabel("density (per degree)")
        ax.legend(frameon=False)
        return ax


def covariant_vectors(
    system: Any,
    n_steps: int,
    *,
    k: int | None = None,
    inputs: Any = None,
    x0: Any = None,
    transient: int | None = None,
    basis_transient: int | None = None,
    backward_transient: int | None = None,
    t0: float = 0.0,
    rng: Any = None,
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
        Number T of states at which vectors are returned.
    k : int, optional
        Number of leading vectors; default all.
    inputs : array (T', ..., m), optional
        One input per step, for the whole run: all transients and ``n_steps - 1``.
    x0 : array (..., n), optional
        State to start from, as for `lyapunov_spectrum`.
    transient, basis_transient : int, optional
        Steps of the state alone, then of state and basis; default a tenth of `n_steps`, at
        least 100, and for the basis at least 20 units of time.
    backward_transient : int, optional
        Steps beyond the last state in which the coefficients converge; default like
        `basis_transient`. Both converge like :math:`\exp(-(\lambda_i - \lambda_j) t)`:
        close exponents take longer.
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

    Notes
    -----
    Rounding disturbs :math:`D_t v_t \parallel v_{t+1}` by about
    :math:`10^{-16} \|D_t\| / \|D_t v_t\|`: little but for directions that contract by orders of
    magnitude in a single step. All vectors of T states take room for T n k numbers, three times.

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
    u = None if inputs is None else validate.array("inputs", inputs, least=2)
    align = max(100, n_steps // 10, round(_ALIGN / found.dt))
    plan = plan_of(
        None, n_steps, transient, align if basis_transient is None else basis_transient, None
    )
    after = (
        align
        if backward_transient is None
        else validate.integer("backward_transient", backward_transient, low=0)
    )
    warm = plan.transient + plan.basis_transient
    total = warm + n_steps - 1 + after
    parts = (
        f"n_steps - 1 = {n_steps - 1}, transient={plan.transient}, "
        f"basis_transient={plan.basis_transient}, backward_transient={after}"
    )
    check_inputs(found, u, total, parts)
    t0 = start_time(found, t0)
    start = start_state(found, x0, rng)
    k = directions(k, None, found.dim)
    lead = found.ensemble(start, None if u is None else u[0])
    rows = start_rows(None, (*lead, found.dim, k), rng)
    x = np.broadcast_to(start, (*lead, found.dim)).copy()
    run_inputs = prepare_inputs(
        found, u, lead, total, t0=t0, seed=noise_seed(found, u, rng)
    )
    bars = progress_bar(2 * total - warm, show=progress, unit="step")
    with blas_threads(rows.size * found.dim), bars as bar:
        x, rows = _warm_up(found, x, rows, run_inputs, plan.transient, warm, bar)
        at = (warm, warm + n_steps - 1, total)
        states, bases, factors, dead = _forward(found, x, rows, run_inputs, at, bar)
        coefficients, log_growth = _backward(factors, dead, n_steps, rng, bar)
        vectors = np.matmul(coefficients, bases)
    settings = {
        "n_steps": n_steps,
        "k": k,
        "transient": plan.transient,
        "basis_transient": plan.basis_transient,
        "backward_transient": after,
        "dt": found.dt,
        "driven": u is not None,
        "t0": t0,
    }
    return CovariantVectors(
        vectors=vectors.swapaxes(-1, -2),
        states=states,
        exponents=log_growth.mean(axis=0) / found.dt,
        local=log_growth / found.dt,
        settings=settings,
    )


def _warm_up(
    system: System,
    x: Array,
    rows: Array,
    inputs: Array | None,
    transient: int,
    end: int,
    bar: Any,
) -> tuple[Array, Array]:
    """Bring the state to the attractor, then the basis to its orientation."""
    length = stretch_length(system, x.shape[:-1], rows.shape[-2])
    edges = sorted({*range(0, end, length), transient, end})
    for start, stop in itertools.pairwise(edges):
        orbit = run_orbit(system, x, inputs, start, stop)
        if start >= transient:
            rows = forward(orbit, rows, 1, start=start, forgiving=True)[1]
        x = orbit.states[-1]
        bar.update(stop - start)
    return x, rows


def _forward(
    system: System,
    x: Array,
    rows: Array,
    inputs: Array | None,
    at: tuple[int, int, int],
    bar: Any,
) -> tuple[Array, Array, Array, Array]:
    """Carry the basis along, and keep what the way back needs.

    Parameters
    ----------
    at : (int, int, int)
        The first state, the last one that gets vectors, and the end of the run.

    Returns
    -------
    states : array (n_steps, ..., n)
    bases : array (n_steps, ..., k, n)
    factors : array (S, ..., k, k)
        :math:`R_t^T` of all steps, lower triangular.
    dead : array (S, ..., k)
        Where a growth factor is zero.
    """
    first, last, total = at
    states: list[Array] = []
    bases: list[Array] = []
    factors: list[Array] = []
    dead: list[Array] = []
    length = stretch_length(system, x.shape[:-1], rows.shape[-2])
    for start, stop in itertools.pairwise(sorted({*range(first, total, length), last, total})):
        orbit = run_orbit(system, x, inputs, start, stop)
        _, rows, _, tape = forward(orbit, rows, 1, start=start, forgiving=True, keep=True)
        assert tape is not None
        if start < last:
            states.append(orbit.states[:-1])
            bases.append(tape.rows[:-1])
        factors.extend(np.tril(block[2]) for block in tape.blocks)
        dead.append(np.isneginf(tape.log_growth))
        x = orbit.states[-1]
        if stop == last:
            states.append(x[None])
            bases.append(rows[None])
        bar.update(stop - start)
    return (
        np.concatenate(states),
        np.concatenate(bases),
        np.stack(factors),
        np.concatenate(dead),
    )


def _backward(
    factors: Array, dead: Array, n_steps: int, rng: np.random.Generator, bar: Any
) -> tuple[Array, Array]:
    """Solve the recursion of the coefficients backwards.

    Parameters
    ----------
    factors : array (S, ..., k, k)
        :math:`R_t^T`, lower triangular.
    dead : array (S, ..., k)
        Where a growth factor is zero: it is replaced by one at rounding, so that the vector is
        in the kernel of the Jacobian, and its growth is said to be ``-inf``.
    n_steps : int
        Coefficients are kept for so many first states.

    Returns
    -------
    coefficients : array (n_steps, ..., k, k)
        Rows are the coefficients of the vectors, of unit length.
    log_growth : array (n_steps - 1, ..., k)
        By how much each step stretches each vector.
    """
    *lead, k, _ = factors.shape[1:]
    if dead.any():
        diagonal = np.einsum("...ii->...i", factors)
        size = np.abs(factors).max(axis=(-2, -1), keepdims=True)[..., 0]
        size = np.broadcast_to(np.where(size > 0, size, 1.0), dead.shape)
        diagonal[dead] = np.finfo(float).eps * size[dead]
    here = np.tril(rng.standard_normal((*lead, k, k)))
    here /= np.linalg.norm(here, axis=-1, keepdims=True)
    kept = np.empty((n_steps, *here.shape))
    log_growth = np.empty((n_steps - 1, *here.shape[:-1]))
    for t in reversed(range(len(factors) + 1)):
        if t < len(factors):
            here = _solve_rows(factors[t], here)
            largest = np.abs(here).max(axis=-1, keepdims=True)
            here /= largest
            length = np.linalg.norm(here, axis=-1, keepdims=True)
            here /= length
            length *= largest
            if t < n_steps - 1:
                log_growth[t] = -np.log(length[..., 0])
            bar.update()
        if t < n_steps:
            kept[t] = here
    log_growth[dead[: n_steps - 1]] = -np.inf
    return kept, log_growth


def _solve_rows(factor: Array, rows: Array) -> Array:
    """Solve ``c R^T = rows`` for the coefficients c, member by member."""
    if rows.ndim == 2:
        return blas.dtrsm(1.0, factor.T, rows.T).T
    return np.linalg.solve(factor.swapaxes(-1, -2), rows.swapaxes(-1, -2)).swapaxes(-1, -2)
