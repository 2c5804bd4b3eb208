"""Linear algebra of the tangent loop: QR of bases kept as rows, its adjoint, and BLAS threads.

Inside lyapnet a tangent basis is stored as *rows*, an array ``(..., k, n)`` whose
rows are the tangent vectors: in memory that is the column-major matrix ``(n, k)`` which
LAPACK works on in place, and in meaning it is a batch of k perturbations of the state.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import blas, lapack
from threadpoolctl import ThreadpoolController

Array = npt.NDArray[Any]

#: Below this many multiplications in a product a second BLAS thread costs more than it gives.
_THREADING_PAYS = 2e7

#: Up to this many tangent vectors an ensemble is orthonormalised by vectorised Gram-Schmidt.
SMALL = 4


class Habit:
    """Whether Cholesky's method has been worth a trial lately.

    Each failure in a row doubles the number of factorisations until the next trial.
    """

    def __init__(self) -> None:
        self._failures = self._waiting = 0

    def ready(self) -> bool:
        """Say whether to try."""
        self._waiting -= 1
        return self._waiting < 0

    def learn(self, worked: bool) -> None:
        """Take note of a trial."""
        self._failures = 0 if worked else min(self._failures + 1, 6)
        self._waiting = 0 if worked else 2**self._failures


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
        pass of Cholesky's method will do. Q is then orthonormal to rounding over the square of
        the smallest sine, and what is missing is in the factor of the next step. Needs `factor`.

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
        return _factorise(rows, factor, habit, least)
    if k <= SMALL:
        return _gram_schmidt(rows, factor)
    diagonal, length = np.empty((*lead, k)), np.empty((*lead, k))
    for i in np.ndindex(*lead):
        done = _factorise(rows[i], None if factor is None else factor[i], habit, least)
        diagonal[i], length[i] = done
    return diagonal, length


#: Cholesky's method is the faster from so many multiplications, ``n k**2``, on, and in panels for
#: more vectors than this.
_CHOLESKY_PAYS, _PANELS_PAY = 1e5, 64

#: Vectors in a panel, at most.
_PANEL = 48

#: The least sine at which one pass is enough, rounding growing by the inverse of its square, and
#: that at which Cholesky's method can be the first of two.
_ONCE, _TWICE = 0.01, 1e-5

#: What a pass may leave of the inner products of Q with itself: rounding times the square above.
_CHOLESKY_ERROR = 1e-11

_EPS = float(np.finfo(float).eps)

#: Lengths whose squares are in range.
_SHORT, _LONG = 1e-140, 1e140


def _factorise(
    rows: Array, factor: Array | None, habit: Habit | None, least: float | None
) -> tuple[Array, Array]:
    """Factorise one matrix by what is fastest and as good as Householder's method."""
    k, n = rows.shape
    habit = habit or Habit()
    if least is not None and factor is not None and rows.flags.c_contiguous and habit.ready():
        done = _in_one_pass(rows, factor, least)
        habit.learn(done is not None)
        if done is not None:
            return done
    length = np.vecdot(rows, rows)
    np.sqrt(length, out=length)
    if n * k**2 >= _CHOLESKY_PAYS and rows.flags.c_contiguous and habit.ready():
        if k <= _PANELS_PAY:
            R = _cholesky(rows, _ONCE, length)
            habit.learn(R is not None)
            if R is not None:
                if factor is not None:
                    factor[...] = R.T
                return R.diagonal(), length
        elif length.min() > _SHORT and length.max() < _LONG:
            diagonal = _by_panels(rows, factor, length, habit)
            while not _is_orthonormal(rows):
                more = np.empty((k, k))
                diagonal *= _by_panels(rows, more, np.ones(k), habit)
                if factor is not None:
                    factor[...] = np.dot(np.tril(factor), np.tril(more))
            return diagonal, length
    if not length.dot(length) < np.inf and np.isfinite(rows).all():  # their squares are too large
        largest = np.abs(rows).max(axis=1)
        scaled = rows / largest[:, None]
        length = largest * np.sqrt(np.vecdot(scaled, scaled))
    return _householder(rows, factor), length


def _by_panels(rows: Array, factor: Array | None, length: Array, habit: Habit) -> Array:
    r"""Factorise panel by panel; return ``|diag R|``.

    A panel is projected on what is orthogonal to those before it, and then factorised by Cholesky's
    method, or Householder's where the former fails. Where a vector has lost most of its length,
    the panel goes through this again, until it loses no more (L. Giraud et al., Numer. Math.
    101, 87 (2005)); one that is gone is replaced by what is left of another direction.
    Rounding in one panel may grow in the next by the inverse of the sines.
    """
    k = len(rows)
    n_panels = -(-k // _PANEL)
    diagonal = np.empty(k)
    plain = True
    for i in range(n_panels):
        a, b = i * k // n_panels, (i + 1) * k // n_panels
        done, panel = rows[:a], rows[a:b]
        S, R = _project(panel, done), _cholesky(panel, _TWICE)
        if R is None:
            R, plain = _triangle_by_householder(panel), False
        good = (np.abs(R.diagonal()) >= _ONCE * length[a:b]).all()
        while not good:
            S_more, R_more = _project(panel, done), _cholesky(panel, 0.5)
            if R_more is None:
                # Rounding, without which a vector that is gone to the last bit stays so for ever.
                panel += _EPS * np.random.default_rng(0).standard_normal(panel.shape)
                R_more = _triangle_by_householder(panel)
            S += np.dot(_upper(R).T, S_more)
            R = np.dot(_upper(R_more), R)
            good = (np.abs(R_more.diagonal()) >= 0.5).all()
        diagonal[a:b] = R.diagonal()
        if factor is not None:
            factor[a:b, :a] = S
            factor[a:b, a:b] = R.T
    habit.learn(plain)
    return np.abs(diagonal, out=diagonal)


def _project(rows: Array, done: Array) -> Array:
    """Take out of `rows` what lies along the orthonormal rows `done`; return how much it was."""
    overlap = np.dot(rows, done.T)
    if len(done):
        blas.dgemm(-1.0, done.T, overlap.T, beta=1.0, c=rows.T, overwrite_c=1)
    return overlap


def _cholesky(rows: Array, least: float, length: Array | None = None) -> Array | None:
    r"""Factorise :math:`A^T A = R^T R`, :math:`Q = A R^{-1}`, in place; return R.

    Its error is rounding times the square of the condition number (Y. Yamamoto et al., ETNA 44,
    306, 2015). So None is returned, and `rows` are left alone, where a sine is below `least`, as a
    part of the vectors' `length`. With a length given, also where Q is not orthonormal to 1e-11.
    An error of this size is not passed on to the exponents: whatever a factor R leaves undone in
    Q is in the next R.
    """
    gram = np.dot(rows, rows.T)
    size = np.sqrt(gram.diagonal()) if length is None else length
    R, info = lapack.dpotrf(gram.T, lower=0, overwrite_a=1, clean=0)
    if info or not (R.diagonal() >= least * size).all():
        return None
    if length is None:
        blas.dtrsm(1.0, R, rows.T, side=1, overwrite_b=1)
        return R
    q = blas.dtrsm(1.0, R, rows.T, side=1)
    if not _is_orthonormal(q.T):
        return None
    rows[...] = q.T
    return R


def _in_one_pass(rows: Array, factor: Array, least: float) -> tuple[Array, Array] | None:
    """Do the same in fewest calls, and without a look at Q; return ``diag R`` and lengths."""
    gram = blas.dsyrk(1.0, rows.T, trans=1, c=factor.T, overwrite_c=1)
    length = np.sqrt(gram.diagonal())
    R, info = lapack.dpotrf(gram, lower=0, overwrite_a=1, clean=0)
    diagonal = R.diagonal()
    if info or not (diagonal >= least * length + _SHORT).all():
        return None
    blas.dtrsm(1.0, R, rows.T, side=1, overwrite_b=1)
    return diagonal, length


def _is_orthonormal(rows: Array) -> bool:
    """Say whether Q is orthonormal to 1e-11, as far as the sum of its columns tells."""
    overlap = np.dot(rows, np.dot(np.ones(len(rows)), rows))
    overlap -= 1.0
    return bool(np.abs(overlap, out=overlap).max() <= _CHOLESKY_ERROR)


def _triangle_by_householder(rows: Array) -> Array:
    """Factorise in place; return R."""
    factor = np.empty((len(rows), len(rows)))
    _householder(rows, factor)
    return factor.T


def _householder(rows: Array, factor: Array | None) -> Array:
    """QR of one matrix by LAPACK, called directly: NumPy's wrapper costs as much as the work."""
    k = len(rows)
    in_place = rows.flags.c_contiguous
    work = rows if in_place else np.ascontiguousarray(rows)
    qr, tau, _, _ = lapack.dgeqrf(work.T, lwork=64 * k, overwrite_a=1)
    if factor is not None:
        factor[...] = qr.T[:, :k]
    diagonal = np.abs(qr.diagonal())
    lapack.dorgqr(qr, tau, lwork=64 * k, overwrite_a=1)
    if not in_place:
        rows[...] = work
    return diagonal


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


def _upper(R: Array) -> Array:
    """Clear what LAPACK leaves below the diagonal, in place."""
    R *= _lower_triangle(len(R)).T
    return R


def _solve(factor: Array, rows: Array) -> None:
    """Multiply the matrix whose transpose is `rows` by :math:`R^{-T}`, in place."""
    solved = blas.dtrsm(1.0, factor.T, rows.T, side=1, trans_a=1, overwrite_b=1)
    if not rows.flags.c_contiguous:
        rows[...] = solved.T


def unbroadcast(x: Array, shape: tuple[int, ...]) -> Array:
    """Sum over the axes that broadcasting to ``x.shape`` has added or stretched."""
    if x.shape[-1:] == shape and x.ndim > 1:
        flat = x.reshape(-1, *shape)
        return np.dot(np.ones(len(flat)), flat)
    x = x.sum(axis=tuple(range(x.ndim - len(shape))))
    stretched = tuple(i for i, size in enumerate(shape) if size == 1 and x.shape[i] != 1)
    return x.sum(axis=stretched, keepdims=True) if stretched else x


@cache
def _blas_libraries() -> list[Any]:
    libraries = ThreadpoolController().lib_controllers
    return [library for library in libraries if library.user_api == "blas"]


@contextmanager
def blas_threads(multiplications: float) -> Iterator[None]:
    """Use one BLAS thread for products too small to share, and put the number back."""
    counts = [(library, library.get_num_threads()) for library in _blas_libraries()]
    many = [(library, count) for library, count in counts if count != 1]
    if multiplications >= _THREADING_PAYS or not many:
        yield
        return
    try:
        for library, _ in many:
            library.set_num_threads(1)
        yield
    finally:
        for library, count in many:
            library.set_num_threads(count)
