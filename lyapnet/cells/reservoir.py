"""Random weights of a reservoir, dense or sparse."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..numerics.arrays import Array
from .weights import Pattern

#: Up to this size all eigenvalues are computed. Of larger ones some are sought, in a space of so
#: many vectors, up to this relative error.
_ALL, _SOUGHT, _BASIS, _TOL = 500, 6, 120, 1e-10


def draw_weights(n: int, degree: int | None, gain: float, rng: np.random.Generator) -> Any:
    """Draw normal weights, all or `degree` in each row, with a spectral radius near `gain`."""
    if degree is None:
        return rng.standard_normal((n, n)) * gain / np.sqrt(n)
    pattern = Pattern(_distinct(n, degree, rng).ravel(), degree * np.arange(n + 1))
    return pattern.matrix(rng.standard_normal(n * degree) * gain / np.sqrt(degree))


def _distinct(n: int, d: int, rng: np.random.Generator) -> Array:
    """Draw d different columns for each of n rows, ``(n, d)``."""
    if d * d > n:
        return np.sort(np.argsort(rng.random((n, n)), axis=1)[:, :d], axis=1)
    columns = np.sort(rng.integers(0, n, (n, d)), axis=1)
    while (twice := (np.diff(columns, axis=1) == 0).any(axis=1)).any():
        columns[twice] = np.sort(rng.integers(0, n, (int(twice.sum()), d)), axis=1)
    return columns


def spectral_radius_of(W: Any, rng: np.random.Generator) -> float:
    """Return the largest modulus of an eigenvalue.

    Of large matrices by Arnoldi's method, for a few eigenvalues at the edge. Those of a random
    matrix lie close together there, and it may not converge; then all are computed.
    """
    n = W.shape[0]
    radius = _at_the_edge(W, rng.standard_normal(n)) if n > _ALL else None
    if radius is None:
        dense = W.toarray() if hasattr(W, "toarray") else W
        radius = float(np.abs(np.linalg.eigvals(dense)).max())
    if not radius:
        raise ValueError("`spectral_radius` cannot be set: the weights drawn are nilpotent")
    return radius


def _at_the_edge(W: Any, start: Array) -> float | None:
    """Return the same by Arnoldi's method, or None where it does not converge."""
    from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, eigs  # slow to load

    try:
        found = eigs(W, _SOUGHT, ncv=_BASIS, v0=start, tol=_TOL, return_eigenvectors=False)
    except ArpackNoConvergence as error:
        found = error.eigenvalues
        # They converge from the edge inwards: some are enough, and none are not.
        if len(found) < _SOUGHT // 2:
            return None
    except ArpackError:
        return None
    return float(np.abs(found).max())
