"""The backward pass of `factored`: coordinates in which every link is diagonal, and its errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from .arithmetic import Arithmetic, FloatArray, Matrix
from .bounds import ErrorBound
from .digits import Digits
from .factored import Chain

_HUGE = 2.0**400  # of an inverse; entries that underflow beside their column do not count below
_SLACK = 1e-6  # binary digits: more than the rounding of a logarithm


@dataclass(eq=False)
class Diagonal:
    """The backward pass: the triangular coordinates at both ends, and the errors of each link.

    Attributes
    ----------
    first : Matrix
        `C_0`, leading k x k block.
    at : dict
        For each output step `C_l`, leading k x k block.
    exponents : list of ndarray
        ``-e_l`` for each link.
    before, after : list of ndarray
        Binary logarithms of the bounds, per column, of the errors on either side of
        ``2**-e_l``.
    condition : dict
        For each output step the binary logarithm of a bound of ``||C_l|| ||C_l^-1||``; under
        -1 that of `C_0`.
    """

    first: Matrix
    at: dict[int, Matrix]
    exponents: list[NDArray[np.int64]]
    before: list[FloatArray]
    after: list[FloatArray]
    condition: dict[int, float]


def backward(arithmetic: Arithmetic, chain: Chain, k: int) -> Diagonal:
    """Find coordinates in which the links are diagonal, from the last one back."""
    columns = chain.links[-1].error.size
    output = {index: step for step, (index, _) in chain.ends.items()}
    c = Digits.exact(np.eye(columns), arithmetic.bits, columns)
    floats, inverse = np.eye(columns), 0.0
    found = Diagonal(arithmetic.whole(c), {}, [], [], [], {})
    for index in range(len(chain.links), 0, -1):
        link = chain.links[index - 1]
        sizes = np.abs(floats)
        if index in output:
            found.at[output[index]] = arithmetic.whole(c.leading(k, k))
            found.condition[output[index]] = _log2_norm(sizes) + inverse
        outer = np.logaddexp2.reduce(link.error[:, None] + np.log2(sizes), axis=0)
        found.after.append(outer + np.log2(link.inverse_norm) + inverse + _SLACK)
        error, exponents = np.full(columns, -np.inf), np.zeros(columns, dtype=np.int64)
        for s in reversed(link.passes):
            c, rounding = c.times(s)
            # All is upper triangular: column j only meets the first j columns of S.
            leading = 0.5 * np.log2(np.cumsum(np.sum(s**2, axis=0))) + _SLACK
            error = np.logaddexp2(error + leading, np.log2(rounding))
            e = np.frexp(np.linalg.norm(c.floats(), axis=0))[1].astype(np.int64)
            c, error, exponents = c.scaled(-e), error - e, exponents + e
        floats = c.floats()
        inverse = _quick_inverse_norm(floats)
        if not np.isfinite(inverse):
            inverse = inverse_norm(arithmetic, arithmetic.whole(c))
        found.exponents.append(-exponents)
        found.before.append(error + inverse + _SLACK - arithmetic.bits)
    found.first = arithmetic.whole(c.leading(k, k))
    found.condition[-1] = _log2_norm(floats) + inverse
    for each in (found.exponents, found.before, found.after):
        each.reverse()
    return found


def inverse_norm(arithmetic: Arithmetic, c: Matrix) -> float:
    """Bound the spectral norm of the inverse of an upper triangular matrix: its log2.

    If ``|1 - X C| <= r < 1`` then ``|C^-1| <= |X| / (1 - r)``; X is found in float64, and
    at all bits where that does not do.
    """
    quick = _quick_inverse_norm(arithmetic.floats(c))
    if np.isfinite(quick):
        return quick
    inverse = arithmetic.triangular_inverse(c)
    r = arithmetic.residual(inverse, c)
    if not r < 0.5:
        return np.inf
    return arithmetic.log2_norm(inverse) - float(np.log2(1.0 - r)) + _SLACK


def _quick_inverse_norm(floats: FloatArray) -> float:
    """Do so in float64, from entries right to ``2**-52``; infinite where that does not do."""
    k = len(floats)
    if not np.all(np.diagonal(floats) != 0.0):
        return np.inf
    x = solve_triangular(floats, np.eye(k), check_finite=False)
    if not np.max(np.abs(x)) < _HUGE:
        return np.inf
    size = float(np.linalg.norm(np.abs(x) @ np.abs(floats)))
    r = float(np.linalg.norm(np.eye(k) - x @ floats)) + (k + 8) * 2.0**-52 * size
    return _log2_norm(x) - float(np.log2(1.0 - r)) if r < 0.5 else np.inf


def _log2_norm(a: FloatArray) -> float:
    largest = float(np.max(np.abs(a)))
    return float(np.log2(largest) + np.log2(np.linalg.norm(a / largest))) + _SLACK


def error_bounds(chain: Chain, diagonal: Diagonal, k: int) -> dict[int, tuple[float, bool]]:
    """Bound, for each output step, how far the errors of all links move ``log sigma``.

    Returns
    -------
    dict
        Output step -> binary logarithm of the bound, and whether the derivation holds.
    """
    rows = chain.links[-1].error.size
    bound = ErrorBound(rows, k)
    output = {index: step for step, (index, _) in chain.ends.items()}
    found = {}
    for index in range(1, len(chain.links) + 1):
        # (1 + F)^-1 - 1 has entries at most twice those of F, if a row's sum is below 1/2.
        before = diagonal.before[index - 1] + 1.0
        bound.require(float(np.logaddexp2.reduce(before)))
        bound.absorb(before)
        bound.scale(diagonal.exponents[index - 1])
        bound.absorb(diagonal.after[index - 1])
        if index in output:
            step = output[index]
            left = bound.lower_norm() + diagonal.condition[step]
            right = bound.upper + diagonal.condition[-1]
            size = float(np.logaddexp2(left, right)) + 1.0
            found[step] = (size, bound.worst < 0.0 and size < -2.0)
    return found
