"""Covariant Lyapunov vectors."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from scipy.linalg import blas

from . import validate
from .linalg import Array, blas_threads
from .results import Result
from .start import (
    check_inputs,
    directions,
    plan_of,
    prepare_inputs,
    start_rows,
    start_state,
)
from .systems import System, as_system
from .trajectory import forward, run_orbit, stretch_length


@dataclass(frozen=True, repr=False)
class CovariantVectors(Result):
    r"""Covariant Lyapunov vectors along a trajectory.

    Attributes
    ----------
    vectors : array (T, ..., n, k)
        Unit vectors (columns) at each state; :math:`D_t v_t` is parallel to :math:`v_{t+1}`.
    states : array (T, ..., n)
        The states they belong to.
    exponents : array (..., k)
        Growth rates of the vectors along these T - 1 steps, in the order of the vectors.
    local : array (T - 1, ..., k)
        Growth rate of each vector in each step, nats per unit time.
    settings : dict
        Everything that the run used.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {
        "vectors": ("time", "...", "unit", "exponent"),
        "states": ("time", "...", "unit"),
        "exponents": ("exponent",),
        "local": ("time", "...", "exponent"),
    }

    vectors: Array
    states: Array
    exponents: Array
    local: Array = field(repr=False)
    settings: dict[str, Any]

    def angles(self) -> Array:
        """Return the angles between the vectors, ``(T, ..., k, k)``, in radians, up to pi/2."""
        cosines = np.matmul(self.vectors.swapaxes(-1, -2), self.vectors)
        return np.arccos(np.clip(np.abs(cosines), 0.0, 1.0))


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
    rng: Any = None,
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
        least 100.
    backward_transient : int, optional
        Steps beyond the last state in which the coefficients converge; default like
        `basis_transient`.
    rng : None, int or Generator, optional

    Returns
    -------
    CovariantVectors

    Raises
    ------
    DivergedError
        If the state is not finite.

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
    plan = plan_of(None, n_steps, transient, basis_transient, None)
    after = (
        max(100, n_steps // 10)
        if backward_transient is None
        else validate.integer("backward_transient", backward_transient, low=0)
    )
    warm = plan.transient + plan.basis_transient
    total = warm + n_steps - 1 + after
    check_inputs(found, u, total)
    start = start_state(found, x0, rng)
    k = directions(k, None, found.dim)
    lead = found.ensemble(start, None if u is None else u[0])
    rows = start_rows(None, (*lead, found.dim, k), rng)
    x = np.broadcast_to(start, (*lead, found.dim)).copy()
    run_inputs = prepare_inputs(found, u, len(lead), total)
    with blas_threads(rows.size * found.dim):
        x, rows = _warm_up(found, x, rows, run_inputs, plan.transient, warm)
        orbit = run_orbit(found, x, run_inputs, warm, total)
        tape = forward(orbit, rows, 1, start=warm, forgiving=True, keep=True)[3]
        assert tape is not None
        factors = np.stack([np.tril(factor) for _, _, factor in tape.blocks])
        coefficients, log_growth = _backward(factors, n_steps, rng)
    vectors = np.matmul(coefficients, tape.rows[:n_steps])
    settings = {
        "n_steps": n_steps,
        "k": k,
        "transient": plan.transient,
        "basis_transient": plan.basis_transient,
        "backward_transient": after,
        "dt": found.dt,
        "driven": u is not None,
    }
    return CovariantVectors(
        vectors=vectors.swapaxes(-1, -2),
        states=orbit.states[:n_steps].copy(),
        exponents=log_growth.mean(axis=0) / found.dt,
        local=log_growth / found.dt,
        settings=settings,
    )


def _warm_up(
    system: System, x: Array, rows: Array, inputs: Array | None, transient: int, end: int
) -> tuple[Array, Array]:
    """Bring the state to the attractor, then the basis to its orientation."""
    length = stretch_length(system, x.shape[:-1], rows.shape[-2])
    edges = sorted({*range(0, end, length), transient, end})
    for start, stop in itertools.pairwise(edges):
        orbit = run_orbit(system, x, inputs, start, stop)
        if start >= transient:
            rows = forward(orbit, rows, 1, start=start, forgiving=True)[1]
        x = orbit.states[-1]
    return x, rows


def _backward(factors: Array, n_steps: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Solve the recursion of the coefficients backwards.

    Parameters
    ----------
    factors : array (S, ..., k, k)
        :math:`R_t^T`, lower triangular.
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
    here = np.tril(rng.standard_normal((*lead, k, k)))
    here /= np.linalg.norm(here, axis=-1, keepdims=True)
    kept = np.empty((n_steps, *here.shape))
    log_growth = np.empty((n_steps - 1, *here.shape[:-1]))
    for t in reversed(range(len(factors) + 1)):
        if t < len(factors):
            here = _solve_rows(factors[t], here)
            length = np.linalg.norm(here, axis=-1, keepdims=True)
            here /= length
            if t < n_steps - 1:
                log_growth[t] = -np.log(length[..., 0])
        if t < n_steps:
            kept[t] = here
    return kept, log_growth


def _solve_rows(factor: Array, rows: Array) -> Array:
    """Solve ``c R^T = rows`` for the coefficients c, member by member."""
    if rows.ndim == 2:
        return blas.dtrsm(1.0, factor.T, rows.T).T
    return np.linalg.solve(factor.swapaxes(-1, -2), rows.swapaxes(-1, -2)).swapaxes(-1, -2)
