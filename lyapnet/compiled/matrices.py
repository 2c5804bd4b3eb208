"""Small systems of linear equations, written out by Cramer's rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .operations import Untraceable

#: Larger matrices need pivots, which depend on values.
_MOST = 3


def _adjugate(A: Any) -> list[list[Any]]:
    """Return the matrix of cofactors, transposed."""
    n = len(A)
    if A.shape != (n, n) or n > _MOST:
        raise Untraceable(f"it solves equations of a matrix of shape {A.shape}")
    if n == 1:
        return [[1.0]]
    if n == 2:
        return [[A[1, 1], -A[0, 1]], [-A[1, 0], A[0, 0]]]
    # Indices that follow each other in a circle make the signs.
    return [
        [
            A[(j + 1) % 3, (i + 1) % 3] * A[(j + 2) % 3, (i + 2) % 3]
            - A[(j + 1) % 3, (i + 2) % 3] * A[(j + 2) % 3, (i + 1) % 3]
            for j in range(3)
        ]
        for i in range(3)
    ]


def _det(A: Any) -> Any:
    return sum(a * c[0] for a, c in zip(A[0], _adjugate(A), strict=True))


def _inv(A: Any) -> Any:
    det = _det(A)
    return np.array([[x / det for x in row] for row in _adjugate(A)], dtype=object)


def _solve(A: Any, b: Any) -> Any:
    return np.matmul(_inv(A), b)


#: What functions of numpy.linalg do to arrays of symbols.
OF_MATRICES: dict[str, Callable[..., Any]] = {"det": _det, "inv": _inv, "solve": _solve}
