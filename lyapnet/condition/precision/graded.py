r"""Singular values of a graded matrix, each to high relative accuracy, with a bound.

The matrix is ``Y = C D C_0^{-1}`` with well-conditioned upper triangular `C`, `C_0` and
``D = diag(2**d)``, of any range. Its inverse is ``N D^{-1}`` with ``N = C_0 (D^{-1} C^{-1} D)``:
columns of very different lengths, but at large angles. One-sided Jacobi rotations find
the singular values of such a matrix as accurately as `N` is well conditioned.

The check needs no theory of the iteration: with the rotations multiplied up to `J`, and the
columns of ``N D^{-1} J = U diag(s)`` of lengths `s`, Ostrowski's theorem gives

    sigma_i(N D^{-1}) = s_i (1 +- eta),    eta from ||U^T U - 1|| and ||J^T J - 1||.

References
----------
J. Demmel and K. Veselic, "Jacobi's method is more accurate than QR", SIAM J. Matrix Anal.
Appl. 13 (1992) 1204. Z. Drmac, SIAM J. Sci. Comput. 18 (1997) 1200 (the scaled rotation).
"""

from __future__ import annotations

from operator import mul

import numpy as np
from numpy.typing import NDArray

from .arithmetic import UP, Arithmetic, Matrix, Number
from .diagonal import inverse_norm
from .factored import triangular

_NEGLIGIBLE = 2.0**-60  # a cosine between columns that no float64 logarithm can see
_SQUARE = 2.0**-44  # defect of orthonormality at which a basis is good enough
_FAR = 2.0**-42  # more than float64 rounding adds to that
_SWEEPS = 40
_PASSES = 8  # of `reflect`; each costs far less than a sweep of rotations

Columns = list[list[Number]]


def singular_values(
    arithmetic: Arithmetic, first: Matrix, last: Matrix, exponents: NDArray[np.int64]
) -> tuple[list[Number], float]:
    """Return the singular values of ``last @ diag(2**exponents) @ inv(first)``, descending.

    Parameters
    ----------
    arithmetic : Arithmetic
    first, last : Matrix
        Upper triangular, k x k.
    exponents : ndarray of int, shape (k,)
        Best descending.

    Returns
    -------
    values : list of Number
    bound : float
        Bound of the error of each logarithm (nats), infinite if the check fails.
    """
    inverse = arithmetic.triangular_inverse(last)
    lost = arithmetic.residual(last, inverse)
    graded, cut = arithmetic.grade(inverse, -exponents, exponents)
    n, rounding = arithmetic.product(first, graded)
    n, scales = normalised(arithmetic, n, -exponents)
    cut, rounding = (np.ldexp(x, -(scales + exponents)) for x in (cut, rounding))
    unit = 2.0 ** -min(arithmetic.bits, 1000)
    size = float(np.linalg.norm(arithmetic.floats(first)))
    rounded = float(np.linalg.norm(size * cut + rounding)) * unit * UP
    near = np.exp2(inverse_norm(arithmetic, n))

    parts = [lost, rounded * near]
    inverted = True
    for _ in range(_PASSES):
        n, scales, more = reflect(arithmetic, n, scales)
        parts += more
        inverted = not inverted

    scaled = [
        [x * arithmetic.power(int(e)) for x in column]
        for column, e in zip(arithmetic.numbers(n), scales, strict=True)
    ]
    turned, rotation = jacobi(arithmetic, scaled)
    lengths = arithmetic.midpoints([arithmetic.sqrt(_dot(column, column)) for column in turned])
    parts += _check(arithmetic, n, scales, lengths, rotation)
    values = sorted(lengths, key=arithmetic.log10, reverse=not inverted)
    values = [1 / x for x in values] if inverted else values
    return values, sum(_log_factor(x) for x in parts) + 2.0**-50


def reflect(
    arithmetic: Arithmetic, n: Matrix, scales: NDArray[np.int64]
) -> tuple[Matrix, NDArray[np.int64], list[float]]:
    """Turn a graded matrix ``N 2**e`` into one closer to diagonal, of inverse singular values.

    With the columns in order of their scales, ``N S = W`` orthonormal and S upper triangular,
    ``(N 2**e)^-1 = 2**-e S W^-1``, which has the singular values of ``(2**-e S 2**e) 2**-e``.
    What couples two columns shrinks by the ratio of their scales: it is one step of an
    iteration as Rutishauser's.

    Returns
    -------
    n, scales : Matrix, ndarray of int
    errors : list of float
        Norms of the multiplicative errors.
    """
    order = np.argsort(-scales, kind="stable")
    n, scales = normalised(arithmetic, arithmetic.take(n, order), scales[order])
    w, s = n, arithmetic.exact(np.eye(len(scales)))
    error = cut = np.zeros(len(scales))
    floats = arithmetic.floats(w)
    for last in (False, False, False, True):
        step = triangular(floats)
        w, rounding = arithmetic.product(w, arithmetic.exact(step))
        error = error @ np.abs(step) + rounding
        s, rounding = arithmetic.product(s, arithmetic.exact(step))
        cut = cut @ np.abs(step) + rounding
        floats = arithmetic.floats(w)
        if not last and np.linalg.norm(floats.T @ floats - np.eye(len(step))) > _FAR:
            continue  # far from orthonormal, as float64 sees, too
        gram, uncertain = arithmetic.gram(w)
        defect = (float(np.linalg.norm(gram)) + uncertain) * UP
        if defect < _SQUARE:
            break
    sine = 1.0 / np.sqrt(1.0 - min(defect, 0.9))
    graded, drop = arithmetic.grade(s, -scales, scales)
    unit = 2.0 ** -min(arithmetic.bits, 1000) * UP
    errors = [
        defect,
        float(np.linalg.norm(error)) * unit * sine,
        float(np.linalg.norm(cut)) * unit * np.exp2(inverse_norm(arithmetic, s)),
    ]
    graded, inverse = normalised(arithmetic, graded, -scales)
    drop = np.ldexp(drop, -(inverse + scales))
    near = np.exp2(inverse_norm(arithmetic, graded))
    errors.append(float(np.linalg.norm(drop)) * unit * near)
    return graded, inverse, errors


def normalised(
    arithmetic: Arithmetic, n: Matrix, scales: NDArray[np.int64]
) -> tuple[Matrix, NDArray[np.int64]]:
    """Bring the columns of ``N 2**e`` to a length near 1, the rest into `e`."""
    norms = np.linalg.norm(arithmetic.floats(n), axis=0)
    shift = np.frexp(norms)[1].astype(np.int64)
    return arithmetic.scale(n, -shift), scales + shift


def _check(
    arithmetic: Arithmetic,
    n: Matrix,
    scales: NDArray[np.int64],
    lengths: list[Number],
    rotation: Columns,
) -> list[float]:
    """Return the norms of the multiplicative errors of ``N 2**e J = U diag(lengths)``."""
    unit = 2.0 ** -min(arithmetic.bits, 1000) * UP
    turn, cut = arithmetic.matrix(rotation)
    turned = _defect(arithmetic, turn, float(np.linalg.norm(cut)) * unit)
    coordinates = [
        [x * arithmetic.power(int(e)) / s for x, e in zip(column, scales, strict=True)]
        for column, s in zip(rotation, lengths, strict=True)
    ]
    matrix, cut = arithmetic.matrix(coordinates)
    left, rounding = arithmetic.product(n, matrix)
    size = float(np.linalg.norm(arithmetic.floats(n)))
    error = float(np.linalg.norm(size * cut + rounding)) * unit
    return [turned, _defect(arithmetic, left, error)]


def _defect(arithmetic: Arithmetic, matrix: Matrix, error: float) -> float:
    """Bound ``||A^T A - 1||`` for a matrix known within an error (a norm)."""
    gram, uncertain = arithmetic.gram(matrix)
    defect = float(np.linalg.norm(gram)) + uncertain
    norm = float(np.sqrt(1.0 + defect))
    return (defect + (2.0 * norm + error) * error) * UP


def jacobi(arithmetic: Arithmetic, columns: Columns) -> tuple[Columns, Columns]:
    """Rotate the columns until they are orthogonal.

    Parameters
    ----------
    arithmetic : Arithmetic
    columns : list of lists of Number
        Of any lengths.

    Returns
    -------
    columns, rotation : lists of lists of Number
        The orthogonal columns, and the product of all rotations.
    """
    k = len(columns)
    zero, one = arithmetic.number(0.0), arithmetic.number(1.0)
    rotation = [[one if i == j else zero for i in range(k)] for j in range(k)]
    b = [list(column) for column in columns]
    for _ in range(_SWEEPS):
        b = [arithmetic.midpoints(column) for column in b]
        rotation = [arithmetic.midpoints(column) for column in rotation]
        squares = [_dot(column, column) for column in b]
        pairs = _pairs(arithmetic, b, squares)
        if not pairs:
            break
        for i, j in pairs:
            if float(squares[i] / squares[j]) < 1.0:
                i, j = j, i
            dot = _dot(b[i], b[j])
            ratio = arithmetic.sqrt(squares[j] / squares[i])
            rho = float(ratio)
            g = float(dot / (squares[i] * ratio))
            # tan of the angle, divided by rho: no cancellation, no underflow.
            d = (1.0 - rho) * (1.0 + rho)
            root = d + np.hypot(d, 2.0 * rho * g)
            if root == 0.0:
                continue
            t = arithmetic.number(-2.0 * g / root) * ratio
            c = 1 / arithmetic.sqrt(1 + t * t)
            for table in (b, rotation):
                x, y = table[i], table[j]
                table[i] = [c * (p - t * q) for p, q in zip(x, y, strict=True)]
                table[j] = [c * (q + t * p) for p, q in zip(x, y, strict=True)]
            squares[i], squares[j] = squares[i] - t * dot, squares[j] + t * dot
    return b, rotation


def _dot(x: list[Number], y: list[Number]) -> Number:
    return sum(map(mul, x, y))


def _pairs(arithmetic: Arithmetic, b: Columns, squares: list[Number]) -> list[tuple[int, int]]:
    """Return the pairs of columns that are not orthogonal yet."""
    unit = [
        [x / length for x in column]
        for column, length in ((c, arithmetic.sqrt(s)) for c, s in zip(b, squares, strict=True))
    ]
    gram, _ = arithmetic.gram(arithmetic.matrix(unit)[0])
    i, j = np.nonzero(np.triu(np.abs(gram) > _NEGLIGIBLE, 1))
    return list(zip(i.tolist(), j.tolist(), strict=True))


def _log_factor(x: float) -> float:
    """Bound ``|log s|`` for any singular value s of ``1 + X`` or root of one, ``||X|| <= x``."""
    return -float(np.log1p(-x)) * UP + 1e-300 if x < 0.5 else np.inf
