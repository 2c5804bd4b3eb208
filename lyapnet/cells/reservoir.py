"""Random weights of a reservoir, dense or sparse."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..numerics.arrays import Array
from .weights import Pattern


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


def spectral_radius_of(W: Any) -> float:
    """Return the largest modulus of an eigenvalue."""
    dense = W.toarray() if hasattr(W, "toarray") else W
    radius = float(np.abs(np.linalg.eigvals(dense)).max())
    if not radius:
        raise ValueError("`spectral_radius` cannot be set: the weights drawn are nilpotent")
    return radius
