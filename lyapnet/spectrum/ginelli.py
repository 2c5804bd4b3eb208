"""The two sweeps of Ginelli's method for covariant vectors."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from scipy.linalg import blas

from ..numerics.arrays import Array
from ..systems import System
from ..tangent.forward import forward
from ..tangent.stretches import run_orbit, stretch_length


def warm_up(
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


def sweep_forward(
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


def sweep_backward(
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
