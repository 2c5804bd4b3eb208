"""Recurrent weights, dense or sparse, as what a network does with them."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp, primitive

from ..numerics.arrays import Array
from ..numerics.autodiff import value
from .products import contract, times, transposed


class Dense:
    """Weights ``(..., n, n)``, of one network or of many."""

    def __init__(self, W: Any) -> None:
        self.W = W
        self._turned: Array | None = None

    def apply(self, x: Any) -> Any:
        """Return ``W x`` for states ``(..., n)``; traceable."""
        if np.ndim(value(self.W)) == 2:
            return anp.dot(x, self.W.T)
        return anp.matmul(self.W, x[..., None])[..., 0]

    def matrix(self) -> Any:
        """Return the weights as an array; traceable."""
        return self.W

    def forward(self, rows: Array) -> Array:
        """Return ``W q`` for each row q of ``(..., k, n)``."""
        if self._turned is None:
            self._turned = transposed(self.W)
        return times(rows, self._turned)

    def back(self, rows: Array) -> Array:
        r"""Return :math:`W^T q` for each row q of ``(..., k, n)``."""
        return times(rows, self.W)

    def gradient(self, left: Array, right: Array) -> Array:
        r"""Sum :math:`a b^T` over time, members and vectors, ``(T, ..., k, n)`` each."""
        return contract(left, right, np.shape(self.W))


class Pattern:
    """Where a sparse matrix has its numbers: the part of it that does not change.

    Parameters
    ----------
    indices, indptr : array of int
        Of the format CSR.
    """

    def __init__(self, indices: Any, indptr: Any) -> None:
        self.indices, self.indptr = (np.asarray(x, dtype=np.int32) for x in (indices, indptr))
        self.n = len(self.indptr) - 1
        self.rows = np.repeat(np.arange(self.n), np.diff(self.indptr))

    def matrix(self, data: Array) -> Any:
        """Return the matrix with these numbers."""
        from scipy.sparse import csr_array  # here, since few networks are sparse

        return csr_array((data, self.indices, self.indptr), shape=(self.n, self.n))


class Sparse:
    """Weights that are mostly zero: one network's, ``(n, n)`` with `data` of the others.

    Parameters
    ----------
    data : array (nnz,)
    pattern : Pattern
    """

    def __init__(self, data: Any, pattern: Pattern) -> None:
        self.data, self.pattern = data, pattern
        self._turned: Any = None
        self._matrix = None if hasattr(data, "_value") else pattern.matrix(data)

    def apply(self, x: Any) -> Any:
        """Return ``W x`` for states ``(..., n)``; traceable."""
        return _apply(self.data, x, self.pattern)

    def matrix(self) -> Array:
        """Return the weights as a dense array."""
        return np.asarray(self.pattern.matrix(value(self.data)).toarray())

    def forward(self, rows: Array) -> Array:
        """Return ``W q`` for each row q of ``(..., k, n)``."""
        return _by_columns(self._matrix, rows)

    def back(self, rows: Array) -> Array:
        r"""Return :math:`W^T q` for each row q of ``(..., k, n)``."""
        if self._turned is None and self._matrix is not None:
            self._turned = self._matrix.T.tocsr()
        return _by_columns(self._turned, rows)

    def gradient(self, left: Array, right: Array) -> Array:
        r"""Sum :math:`a b^T` where the matrix has numbers, ``(T, ..., k, n)`` each."""
        return _at_numbers(left, right, self.pattern)


def _by_columns(matrix: Any, rows: Array) -> Array:
    n = rows.shape[-1]
    return np.ascontiguousarray((matrix @ rows.reshape(-1, n).T).T).reshape(rows.shape)


def _at_numbers(left: Array, right: Array, pattern: Pattern) -> Array:
    found = np.zeros(len(pattern.indices))
    n = pattern.n
    for a, b in zip(left.reshape(-1, n), right.reshape(-1, n), strict=True):
        found += a[pattern.rows] * b[pattern.indices]
    return found


def _product(data: Array, x: Array, pattern: Pattern) -> Array:
    return _by_columns(pattern.matrix(data), x)


_apply = primitive(_product)
defvjp(
    _apply,
    lambda ans, data, x, pattern: lambda g: _at_numbers(g, x, pattern),
    lambda ans, data, x, pattern: lambda g: _by_columns(pattern.matrix(data).T.tocsr(), g),
    argnums=(0, 1),
)
