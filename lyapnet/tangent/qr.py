"""QR of bases kept as rows, and its adjoint: the step of the tangent loop that needs care.

Inside lyapnet a tangent basis is stored as *rows*, an array ``(..., k, n)`` whose
rows are the tangent vectors: in memory that is the column-major matrix ``(n, k)`` which
LAPACK works on in place, and in meaning it is a batch of k perturbations of the state.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.linalg import blas

from ..numerics.arrays import Array
from .cholesky_qr import Habit, factorise

#: Up to this many tangent vectors an ensemble is orthonormalised by vectorised Gram-Schmidt.
SMALL = 4


def orthonormalise(
    rows: Array,
    factor: Array | None = None,
    habit: Habit | None = None,
    least: float | None = None,
) -> tuple[Array, Array]:
    r"""Factorise :math:`A = QR` in place, all members of an ensemble.

    Parameters
    ----------
    rows : array (..., k, n)
        The rows of :math:`A^T`; overwritten by those of :math:`Q^T`. The signs of
        ``diag R`` are left as they come: no exponent depends on them.
    factor : array (..., k, k), optional
        Where :math:`R^T` goes; only its lower triangle is meaningful.
    habit : Habit, optional
        What is known from the factorisations before.
    least : float, optional
        Where only the product of the factors of several steps is wanted: down to this sine one
        pass of Cholesky's method will do. Q is then orthonormal, and `diagonal` accurate, only to
        rounding times the square of the vectors' condition number, and what is missing is in the
        factor of the next step. Needs `factor`.

    Returns
    -------
    diagonal : array (..., k)
        ``|diag R|``.
    length : array (..., k)
        Lengths of the vectors before. ``diagonal / length`` is the sine of the angle between a
        vector and the span of those before it; where these are well conditioned, ``diagonal``
        has a relative error of rounding over that sine. ``Q R`` is A to rounding in any case.
    """
    *lead, k, _ = rows.shape
    if not lead:
        return factorise(rows, factor, habit, least)
    if k <= SMALL:
        return _gram_schmidt(rows, factor)
    diagonal, length = np.empty((*lead, k)), np.empty((*lead, k))
    for i in np.ndindex(*lead):
        done = factorise(rows[i], None if factor is None else factor[i], habit, least)
        diagonal[i], length[i] = done
    return diagonal, length


def _gram_schmidt(rows: Array, factor: Array | None) -> tuple[Array, Array]:
    """QR of many small matrices, each vector projected twice.

    Twice is enough: L. Giraud et al., Numer. Math. 101, 87 (2005). A vector that vanishes is
    replaced by the axis farthest from those before it, so that the basis stays orthonormal.
    """
    k, n = rows.shape[-2:]
    diagonal, lengths = np.empty((k, *rows.shape[:-2])), np.empty((k, *rows.shape[:-2]))
    for j in range(k):
        v = rows[..., j, :]
        length = np.sqrt(_inner(v, v), out=lengths[j])
        if factor is not None:
            factor[..., j, :] = 0.0
        for _ in range(2 if j else 0):
            for i in range(j):
                q = rows[..., i, :]
                overlap = _inner(q, v)
                v -= overlap[..., None] * q
                if factor is not None:
                    factor[..., j, i] += overlap
        norm = np.sqrt(_inner(v, v))
        diagonal[j] = norm
        if factor is not None:
            factor[..., j, j] = norm
        gone = norm <= n * np.finfo(float).eps * length
        if gone.any():
            _replace(rows, j, gone)
            norm = np.where(gone, 1.0, norm)
        v /= norm[..., None]
    return np.moveaxis(diagonal, 0, -1), np.moveaxis(lengths, 0, -1)


def _inner(a: Array, b: Array) -> Array:
    """Multiply along the last axis and sum; few components are best taken one by one."""
    n = a.shape[-1]
    if a.ndim <= 2 or n > SMALL:
        return np.einsum("...i,...i->...", a, b)
    total = a[..., 0] * b[..., 0]
    for i in range(1, n):
        total += a[..., i] * b[..., i]
    return total


def _replace(rows: Array, j: int, gone: Array) -> None:
    """Put a unit vector orthogonal to the first j rows in place of row j where it is gone."""
    done = rows[gone][:, :j]
    n = rows.shape[-1]
    axis = np.argmin(np.einsum("bij,bij->bj", done, done), axis=-1)
    fresh = np.eye(n)[axis]
    for _ in range(2):
        fresh -= np.einsum("bi,bij->bj", np.einsum("bij,bj->bi", done, fresh), done)
    rows[gone, j] = fresh / np.linalg.norm(fresh, axis=-1, keepdims=True)


def pull_back_qr(
    q: Array, factor: Array, q_bar: Array, bar: Array, next_bar: Array, reproject: bool
) -> None:
    r"""Pull cotangents of Q and of ``log |diag R|`` back to those of :math:`A = QR`, in place.

    In general (eq. 8 of the paper; S. F. Walter and L. Lehmann, arXiv:1001.1654)

    .. math:: \bar A = (\bar Q + Q\,\mathrm{copyltu}(M)) R^{-T},
              \quad M = R \bar R^T - \bar Q^T Q.

    Exponents depend on the flag that the basis spans, not on the basis: scaling a vector of
    Q, or adding one before it, changes the next factor R by just that. Hence
    :math:`Q^T \bar Q` is lower triangular, its diagonal is the cotangent of the next
    ``log |diag R|``, and copyltu(M) is diagonal. Of the two products with Q all that is left is to
    clear the rounding above the diagonal, which would grow by :math:`R_{ii} / R_{jj}` in
    each step; `reproject` says when.

    Parameters
    ----------
    q, q_bar : array (..., k, n)
        Rows of :math:`Q^T` and :math:`\bar Q^T`; `q_bar` becomes the rows of :math:`\bar A^T`.
    factor : array (..., k, k)
        :math:`R^T`, as `orthonormalise` leaves it.
    bar, next_bar : array (..., k)
        Cotangents of ``log |diag R|`` here and in the next factorisation.
    reproject : bool
        Whether to clear the rounding.
    """
    *lead, k, _ = q.shape
    if reproject:
        correction = np.matmul(q_bar, q.swapaxes(-1, -2))
        correction *= _lower_triangle(k)
        correction.reshape(*lead, -1)[..., :: k + 1] -= bar
        if not lead and q_bar.flags.c_contiguous:
            blas.dgemm(-1.0, q.T, correction.T, beta=1.0, c=q_bar.T, overwrite_c=1)
        else:
            q_bar -= np.matmul(correction, q)
    elif next_bar is not bar:
        q_bar += (bar - next_bar)[..., None] * q
    if lead and k <= SMALL:
        for j in reversed(range(k)):
            for i in range(j + 1, k):
                q_bar[..., j, :] -= factor[..., i, j, None] * q_bar[..., i, :]
            q_bar[..., j, :] /= factor[..., j, j, None]
        return
    if not lead:
        _solve(factor, q_bar)
        return
    for at in np.ndindex(*lead):
        _solve(factor[at], q_bar[at])


@cache
def _lower_triangle(k: int) -> Array:
    return np.tri(k)


def _solve(factor: Array, rows: Array) -> None:
    """Multiply the matrix whose transpose is `rows` by :math:`R^{-T}`, in place."""
    solved = blas.dtrsm(1.0, factor.T, rows.T, side=1, trans_a=1, overwrite_b=1)
    if not rows.flags.c_contiguous:
        rows[...] = solved.T
