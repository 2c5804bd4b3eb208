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

from lyapnet.precision.arithmetic import UP, Arithmetic, Matrix, Number
from lyapnet.precision.diagonal import inverse_norm

_NEGLIGIBLE = 2.0**-60  # a cosine between columns that no float64 logarithm can see
_SWEEPS = 40

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
    unit = 2.0 ** -min(arithmetic.bits, 1000)
    size = float(np.linalg.norm(arithmetic.floats(first)))
    rounded = float(np.linalg.norm(size * cut + rounding)) * unit * UP
    near = inverse_norm(arithmetic, n)

    columns = arithmetic.numbers(n)
    scaled = [
        [x * arithmetic.power(int(-e)) for x in column]
        for column, e in zip(columns, exponents, strict=True)
    ]
    turned, rotation = jacobi(arithmetic, scaled)
    lengths = [arithmetic.sqrt(_dot(column, column)) for column in turned]
    lengths = arithmetic.midpoints(lengths)

    defect = _defect(arithmetic, rotation)
    coordinates = [
        [x * arithmetic.power(int(-e)) / s for x, e in zip(column, exponents, strict=True)]
        for column, s in zip(rotation, lengths, strict=True)
    ]
    matrix, cut = arithmetic.matrix(coordinates)
    left, rounding = arithmetic.product(n, matrix)
    size = float(np.linalg.norm(arithmetic.floats(n)))
    error = float(np.linalg.norm(size * cut + rounding)) * unit * UP
    gram, uncertain = arithmetic.gram(left)
    norm = float(np.linalg.norm(arithmetic.floats(left)))
    nonorthogonal = float(np.linalg.norm(gram)) + uncertain + (2 * norm + error) * error

    parts = [defect, nonorthogonal * UP, lost, rounded * near]
    bound = sum(_log_factor(x) for x in parts)
    order = sorted(range(len(lengths)), key=lambda j: arithmetic.log10(lengths[j]))
    return [1 / lengths[j] for j in order], bound


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


def _defect(arithmetic: Arithmetic, rotation: Columns) -> float:
    """Bound ``||J^T J - 1||`` for the numbers as they are."""
    matrix, cut = arithmetic.matrix(rotation)
    error = float(np.linalg.norm(cut)) * 2.0 ** -min(arithmetic.bits, 1000)
    gram, uncertain = arithmetic.gram(matrix)
    norm = float(np.sqrt(len(gram) + np.linalg.norm(gram) + uncertain)) * UP
    total = float(np.linalg.norm(gram)) + uncertain + (2 * norm + error) * error
    return total * UP


def _log_factor(x: float) -> float:
    """Bound ``|log s|`` for any singular value s of ``1 + X`` or root of one, ``||X|| <= x``."""
    return -float(np.log1p(-x)) * UP + 1e-300 if x < 0.5 else np.inf
