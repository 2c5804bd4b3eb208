"""The two sweeps of Ginelli's method for covariant vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.linalg import blas

from ..numerics.arrays import Array
from ..tangent.forward import forward
from ..tangent.plan import divided
from ..tangent.start import Start
from ..tangent.stretches import run_stretches, stretch_length


def sweep_forward(
    start: Start, phases: Mapping[str, int], bar: Any
) -> tuple[Array, Array, Array, Array]:
    """Carry the basis along, and keep what the way back needs.

    Parameters
    ----------
    start : Start
    phases : dict
        Steps of the transient, the basis transient, between the states that get vectors, and of
        the backward transient, in this order.

    Returns
    -------
    states : array (n_steps, ..., n)
    bases : array (n_steps, ..., k, n)
    factors : array (S, ..., k, k)
        :math:`R_t^T` of all steps after the transients, lower triangular.
    dead : array (S, ..., k)
        Where a growth factor is zero.
    """
    states: list[Array] = []
    bases: list[Array] = []
    factors: list[Array] = []
    dead: list[Array] = []
    x, rows = start.x, start.rows
    stretches = divided(phases, stretch_length(start.system, x.shape[:-1], rows.shape[-2]))
    for phase, first, orbit in run_stretches(start.system, x, start.inputs, stretches, bar=bar):
        if phase == "transient":
            continue
        keep = phase != "basis_transient"
        _, rows, _, tape = forward(orbit, rows, 1, start=first, forgiving=True, keep=keep)
        if tape is None:
            continue
        if phase == "n_steps":
            states = [*states[:-1], orbit.states[:-1], orbit.last[None]]
            bases = [*bases[:-1], tape.rows[:-1], rows[None]]
        factors.extend(np.tril(block[2]) for block in tape.blocks)
        dead.append(np.isneginf(tape.log_growth))
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
