"""QR of one tangent basis, by what is fastest and as good as Householder's method."""

from __future__ import annotations

import numpy as np
from scipy.linalg import blas, lapack

from ..numerics.arrays import Array

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


def factorise(
    rows: Array, factor: Array | None, habit: Habit | None, least: float | None
) -> tuple[Array, Array]:
    """Factorise one matrix by what is fastest and as good as Householder's method."""
    k, n = rows.shape
    habit = habit or Habit()
    ready = rows.flags.c_contiguous and habit.ready()
    if ready and least is not None and factor is not None and factor.flags.c_contiguous:
        done = _cholesky(rows, least, factor)
        habit.learn(done is not None)
        if done is not None:
            R, length = done
            return R.diagonal(), length
    length = np.vecdot(rows, rows)
    np.sqrt(length, out=length)
    in_range = length.min() > _SHORT and length.max() < _LONG
    if ready and in_range and n * k**2 >= _CHOLESKY_PAYS:
        if k <= _PANELS_PAY:
            q = rows.copy()
            done = _cholesky(q, _ONCE)
            worked = done is not None and _is_orthonormal(q)
            habit.learn(worked)
            if done is not None and worked:
                rows[...] = q
                if factor is not None:
                    factor[...] = done[0].T
                return done[0].diagonal(), length
        else:
            diagonal = _by_panels(rows, factor, length, habit)
            while not _is_orthonormal(rows):
                more = np.empty((k, k))
                diagonal *= _by_panels(rows, more, np.ones(k), habit)
                if factor is not None:
                    factor[...] = np.dot(np.tril(factor), np.tril(more))
            return diagonal, length
    if not in_range and np.isfinite(rows).all():  # where their squares may not be
        largest = np.abs(rows).max(axis=1)
        largest[largest == 0.0] = 1.0
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
        S, found = _project(panel, done), _cholesky(panel, _TWICE)
        plain = plain and found is not None
        R = _triangle_by_householder(panel) if found is None else found[0]
        good = (np.abs(R.diagonal()) >= _ONCE * length[a:b]).all()
        while not good:
            S_more, found = _project(panel, done), _cholesky(panel, 0.5)
            if found is None:
                # Rounding, without which a vector that is gone to the last bit stays so for ever.
                panel += _EPS * np.random.default_rng(0).standard_normal(panel.shape)
            R_more = _triangle_by_householder(panel) if found is None else found[0]
            S += np.dot(np.triu(R).T, S_more)
            R = np.dot(np.triu(R_more), np.triu(R))
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


def _cholesky(rows: Array, least: float, factor: Array | None = None) -> tuple[Array, Array] | None:
    r"""Factorise :math:`A^T A = R^T R`, :math:`Q = A R^{-1}`, in place; return R and lengths.

    R lies in `factor` transposed, if that is given. The error of Q is rounding times the square of
    the condition number (Y. Yamamoto et al., ETNA 44, 306, 2015). So None is returned, and `rows`
    are left alone, where a sine is below `least`. An error of this size is not passed on to the
    exponents: whatever a factor R leaves undone in Q is in the next R.
    """
    room = None if factor is None else factor.T
    gram = blas.dsyrk(1.0, rows.T, trans=1, c=room, overwrite_c=1)
    length = np.sqrt(gram.diagonal())
    R, info = lapack.dpotrf(gram, lower=0, overwrite_a=1, clean=0)
    if info or not (R.diagonal() >= least * length + _SHORT).all() or length.max() > _LONG:
        return None
    blas.dtrsm(1.0, R, rows.T, side=1, overwrite_b=1)
    return R, length


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
