"""QR of one tangent basis, by what is fastest and as good as Householder's method."""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy.linalg import blas, lapack

from ..compiled.limits import (
    DETERMINANT,
    EPS,
    FACTOR_ERROR,
    GROWTH_ERROR,
    LONG,
    ONCE,
    ORTHONORMAL,
    SHORT,
    TWICE,
)
from ..numerics.arrays import Array

#: Cholesky's method is the faster from so many multiplications, ``n k**2``, on, and in panels for
#: more vectors than this.
_CHOLESKY_PAYS, _PANELS_PAY = 1e5, 64

#: Vectors in a panel, at most.
_PANEL = 48


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
    r"""Factorise one matrix by what is fastest and as good as Householder's method.

    Whole vectors are combined, :math:`Q = A R^{-1}`, and never components mixed as reflections do:
    a component that is zero or small in all vectors keeps its digits. In chains of units,
    rounding that is put into the first unit grows along the chain to any size.
    """
    k = len(rows)
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
    in_range = length.min() > SHORT and length.max() < LONG
    if k == 1 and in_range:
        rows /= length
        if factor is not None:
            factor[...] = length
        return length.copy(), length
    if ready and in_range and rows.size * k >= _CHOLESKY_PAYS:
        diagonal = _by_cholesky(rows, factor, length, habit)
        if diagonal is not None:
            return diagonal, length
    if in_range:
        return _by_householder(rows, factor, length), length
    return _out_of_range(rows, factor, length)


def _out_of_range(rows: Array, factor: Array | None, length: Array) -> tuple[Array, Array]:
    """Factorise vectors whose squares may not be numbers: at unit size, where they are finite."""
    if not np.isfinite(rows).all():
        if factor is not None:
            factor[...] = np.nan
        return np.full(len(rows), np.nan), length
    largest = np.abs(rows).max(axis=1)
    scale = np.where(largest > 0, largest, 1.0)
    rows /= scale[:, None]
    length = np.sqrt(np.vecdot(rows, rows))
    diagonal = _by_householder(rows, factor, np.where(largest > 0, length, 1.0))
    if factor is not None:
        factor *= scale[:, None]
    return diagonal * scale, length * scale


def _by_cholesky(rows: Array, factor: Array | None, length: Array, habit: Habit) -> Array | None:
    """Factorise in place, return ``|diag R|``; or None, with `rows` left alone, if that fails."""
    k = len(rows)
    if k > _PANELS_PAY:
        diagonal = _by_panels(rows, factor, length, habit)
        while not _is_orthonormal(rows, ORTHONORMAL):
            more = np.empty((k, k))
            diagonal *= _by_panels(rows, more, np.ones(k), habit)
            if factor is not None:
                factor[...] = np.dot(np.tril(factor), np.tril(more))
        return diagonal
    q = rows.copy()
    done = _cholesky(q, ONCE)
    worked = done is not None and _is_orthonormal(q, ORTHONORMAL)
    habit.learn(worked)
    if done is None or not worked:
        return None
    rows[...] = q
    if factor is not None:
        factor[...] = done[0].T
    return done[0].diagonal()


def _by_panels(rows: Array, factor: Array | None, length: Array, habit: Habit) -> Array:
    r"""Factorise panel by panel; return ``|diag R|``.

    A panel is projected on what is orthogonal to those before it, and then factorised by Cholesky's
    method, or with Householder's triangle where the former fails. Where a vector has lost most of
    its length, the panel goes through this again, until it loses no more (L. Giraud et al., Numer.
    Math. 101, 87 (2005)). Rounding in one panel may grow in the next by the inverse of the sines.
    """
    k = len(rows)
    n_panels = -(-k // _PANEL)
    diagonal = np.empty(k)
    plain = True
    for i in range(n_panels):
        a, b = i * k // n_panels, (i + 1) * k // n_panels
        done, panel = rows[:a], rows[a:b]
        S, found = _project(panel, done), _cholesky(panel, TWICE)
        plain = plain and found is not None
        R = _triangular(panel, length[a:b], done, a) if found is None else found[0]
        good = (np.abs(R.diagonal()) >= ONCE * length[a:b]).all()
        for seed in itertools.count(k + a, k):
            if good:
                break
            S_more, found = _project(panel, done), _cholesky(panel, 0.5)
            more = _triangular(panel, np.ones(b - a), done, seed) if found is None else found[0]
            S += np.dot(np.triu(R).T, S_more)
            R = np.dot(np.triu(more), np.triu(R))
            good = (np.abs(more.diagonal()) >= 0.5).all()
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
    if info or not (R.diagonal() >= least * length + SHORT).all() or length.max() > LONG:
        return None
    blas.dtrsm(1.0, R, rows.T, side=1, overwrite_b=1)
    return R, length


def _is_orthonormal(rows: Array, error: float) -> bool:
    """Say whether Q is orthonormal up to an error, as far as the sum of its columns tells."""
    overlap = np.dot(rows, np.dot(np.ones(len(rows)), rows))
    overlap -= 1.0
    return bool(np.abs(overlap, out=overlap).max() <= error)


def _by_householder(rows: Array, factor: Array | None, length: Array) -> Array:
    r"""Factorise in place with Householder's triangle, and return ``|diag R|``.

    :math:`A R^{-1}` is orthonormal to rounding times the condition number of the vectors, at unit
    length; this is at most two over their determinant (H. Guggenheimer et al., Coll. Math. J. 26, 2
    (1995)). Where it is not enough, what is left goes through it again.
    """
    q = np.ascontiguousarray(rows)
    R = _triangular(q, length)
    diagonal = np.abs(R.diagonal())
    determinant = math.prod((diagonal / length).tolist())
    enough, error = (DETERMINANT, GROWTH_ERROR) if factor is None else (0.5, FACTOR_ERROR)
    if not determinant > enough:
        while not _is_orthonormal(q, error):
            found = _cholesky(q, 0.5)
            more = _triangular(q, np.ones(len(q)), seed=len(q)) if found is None else found[0]
            R = np.dot(np.triu(more), np.triu(R))
        diagonal = np.abs(R.diagonal())
    if q is not rows:
        rows[...] = q
    if factor is not None:
        factor[...] = R.T
    return diagonal


def _triangular(rows: Array, length: Array, done: Array | None = None, seed: int = 0) -> Array:
    """Make of A in place :math:`A R^{-1}` with LAPACK's R, and return that.

    Vectors that are gone are replaced by random ones, orthogonal to those `done`.

    LAPACK is called directly: NumPy's wrapper costs as much as the work.
    """
    R = _householder(rows)
    gone = _gone(R, rows, length)
    if any(gone):
        return _around(R, np.array(gone), rows, length, done, seed)
    blas.dtrsm(1.0, R, rows.T, side=1, overwrite_b=1)
    return R


def _householder(rows: Array) -> Array:
    """Return R by Householder's method; what is below its diagonal means nothing."""
    k = len(rows)
    return lapack.dgeqrf(rows.T, lwork=64 * k)[0][:k]


def _gone(R: Array, rows: Array, length: Array) -> list[bool]:
    """Say which vectors lie in the span of those before them, to rounding."""
    limit = rows.shape[1] * EPS
    return [
        abs(r) <= limit * x for r, x in zip(R.diagonal().tolist(), length.tolist(), strict=True)
    ]


def _around(
    R: Array, gone: Array, rows: Array, length: Array, done: Array | None, seed: int
) -> Array:
    """Do the same where vectors are gone; random ones, orthogonal to all, stand in their places.

    Where a vector is gone LAPACK goes on with some direction, which one behind it may have, and
    takes that for gone as well. Noise of the size of rounding tells them apart.
    """
    noise = np.random.default_rng(seed).standard_normal(rows.shape)
    last = bool(gone[np.argmax(gone) :].all())
    if not last:
        found = _gone(_householder(rows + (0.5 * EPS * length)[:, None] * noise), rows, length)
        gone = np.array(found) if any(found) else gone
    first, left = np.flatnonzero(~gone), np.flatnonzero(gone)
    m = len(first)
    kept, fresh = rows[first], noise[left]
    inner = np.asfortranarray(R[:m, :m] if last else _householder(kept))
    if m:
        blas.dtrsm(1.0, inner, kept.T, side=1, overwrite_b=1)
    for _ in range(2):
        for q in (kept,) if done is None else (done, kept):
            fresh -= np.dot(np.dot(fresh, q.T), q)
    _by_householder(fresh, None, np.sqrt(np.vecdot(fresh, fresh)))
    whole = np.zeros((len(rows), len(rows)))
    whole[np.ix_(first, first)] = np.triu(inner)
    whole[np.ix_(first, left)] = (first[:, None] < left) * np.dot(kept, rows[left].T)
    rows[first], rows[left] = kept, fresh
    return whole
