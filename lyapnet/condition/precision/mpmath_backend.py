# ruff: noqa: D102 - the methods are documented in `Arithmetic`
"""The reference arithmetic: Python's integers (gmpy2's, where mpmath uses them) and mpmath.

A matrix is a table of integers with one binary exponent per column, so that a product
is exact integer arithmetic, rounded once per entry to `bits` bits below the largest
entry of its column: readable, and some forty times faster than `mpmath.matrix`.
Single numbers belong to a private mpmath context; the global one is not touched.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import mpmath
import numpy as np
from mpmath.libmp import MPZ
from numpy.typing import NDArray

from .arithmetic import GUARD, UP, FloatArray
from .digits import Digits


@dataclass(frozen=True, eq=False)
class FixedMatrix:
    """The matrix ``digits * 2**exponents``; one exponent per column."""

    digits: NDArray[np.object_]
    exponents: NDArray[np.int64]


def _length(a: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return the bit length of the largest entry of each column."""
    largest = np.abs(a).max(axis=0)
    return np.array([int(x).bit_length() for x in largest], dtype=np.int64)


def _shift(a: NDArray[np.object_], places: NDArray[np.int64]) -> NDArray[np.object_]:
    """Multiply by ``2**places``, rounding down."""

    def one(x: Any, s: np.int64) -> Any:
        return x << int(s) if s >= 0 else x >> int(-s)

    return np.frompyfunc(one, 2, 1)(a, places)


def _float(digits: Any, exponent: int) -> float:
    """Return ``digits * 2**exponent`` rounded to float64."""
    excess = max(int(digits).bit_length() - 64, 0)
    try:
        return math.ldexp(float(int(digits) >> excess), int(exponent) + excess)
    except OverflowError:
        return math.inf


class MpmathArithmetic:
    """`Arithmetic` on `FixedMatrix` and mpmath numbers."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self._mp = mpmath.MPContext()
        self._mp.prec = bits + GUARD  # a number holds each entry of a rounded matrix exactly

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def exact(self, a: FloatArray) -> FixedMatrix:
        mantissa, exponent = np.frexp(a)
        digits = np.ldexp(mantissa, 53).astype(np.int64).astype(object)
        places = exponent.astype(np.int64) - 53
        least = int(places[a != 0].min(initial=2**20)) if np.any(a) else 0
        table = np.frompyfunc(MPZ, 1, 1)(digits)
        table = _shift(table, np.where(a == 0, 0, places - least))
        return FixedMatrix(table, np.full(a.shape[1], least, dtype=np.int64))

    def whole(self, digits: Digits) -> FixedMatrix:
        table, exponents = digits.integers()
        return FixedMatrix(np.frompyfunc(MPZ, 1, 1)(table), exponents)

    def _round(
        self, digits: NDArray[np.object_], exponents: NDArray[np.int64]
    ) -> tuple[FixedMatrix, FloatArray]:
        """Keep `bits` bits (and two more) below the largest entry of each column."""
        drop = np.maximum(_length(digits) - self.bits - 2, 0)
        shift = np.array([int(s) for s in drop], dtype=object)
        exponents = exponents + drop
        each = np.where(drop > 0, exponents + self.bits, -(10**6)).astype(np.float64)
        error = digits.shape[0] * np.exp2(np.minimum(each, 1000.0)) + 1e-290
        return FixedMatrix(digits >> shift, exponents), error

    def product(self, a: FixedMatrix, b: FixedMatrix) -> tuple[FixedMatrix, FloatArray]:
        base = int(a.exponents.min())
        shift = np.array([int(e) - base for e in a.exponents], dtype=object)
        left = a.digits << shift if shift.any() else a.digits
        return self._round(left @ b.digits, b.exponents + base)

    def scale(self, a: FixedMatrix, exponents: NDArray[np.int64]) -> FixedMatrix:
        return FixedMatrix(a.digits, a.exponents + exponents)

    def grade(
        self, a: FixedMatrix, rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> tuple[FixedMatrix, FloatArray]:
        # Relative to the diagonal, with all bits: what is cut off is counted at the end.
        room = np.maximum(self.bits + 2 - _length(a.digits), 0)
        table = _shift(np.triu(a.digits), rows[:, None] - rows[None, :] + room)
        exponents = a.exponents + columns + rows - room
        cut = len(rows) * np.exp2(exponents + float(self.bits))
        fixed, error = self._round(table, exponents)
        return fixed, error + cut

    def take(self, a: FixedMatrix, order: NDArray[np.int64]) -> FixedMatrix:
        return FixedMatrix(a.digits[:, order], a.exponents[order])

    def floats(self, a: FixedMatrix) -> FloatArray:
        values = np.frompyfunc(_float, 2, 1)(a.digits, a.exponents)
        return np.asarray(values, dtype=np.float64)

    def _minus_one(self, a: FixedMatrix) -> FixedMatrix:
        base = np.minimum(a.exponents, 0)
        digits = a.digits << np.array([int(s) for s in a.exponents - base], dtype=object)
        for i in range(len(base)):
            digits[i, i] -= MPZ(1) << int(-base[i])
        return FixedMatrix(digits, base)

    def _size(self, a: FixedMatrix, error: FloatArray) -> float:
        return float(np.sum(error)) * 2.0 ** -min(self.bits, 1000) * UP + 1e-290

    def gram(self, a: FixedMatrix) -> tuple[FloatArray, float]:
        base = int(a.exponents.min())
        shift = np.array([int(e) - base for e in a.exponents], dtype=object)
        left = FixedMatrix((a.digits << shift).T, np.full(a.digits.shape[0], base))
        raw, error = self.product(left, a)
        minus = self.floats(self._minus_one(raw))
        rounding = float(np.linalg.norm(minus)) * 2.0**-52
        return minus, self._size(raw, error) + rounding

    def residual(self, a: FixedMatrix, b: FixedMatrix) -> float:
        raw, error = self.product(a, b)
        minus = self.floats(self._minus_one(raw))
        return float(np.linalg.norm(minus)) * UP + self._size(raw, error)

    def log2_norm(self, a: FixedMatrix) -> float:
        return float(np.max(_length(a.digits) + a.exponents) + np.log2(len(a.digits)))

    def triangular_inverse(self, a: FixedMatrix) -> FixedMatrix:
        columns = self.numbers(a)
        k = len(columns)
        zero = self._mp.zero
        if any(columns[j][j] == 0 for j in range(k)):  # too few bits: the residual will say so
            return self.exact(np.zeros((k, k)))
        inverse = []
        for j in range(k):
            x = [zero] * k
            x[j] = 1 / columns[j][j]
            for i in range(j - 1, -1, -1):
                x[i] = -sum((columns[m][i] * x[m] for m in range(i + 1, j + 1)), zero)
                x[i] /= columns[i][i]
            inverse.append(x)
        return self.matrix(inverse)[0]

    def numbers(self, a: FixedMatrix) -> list[list[Any]]:
        return [
            [self._mp.ldexp(self._mp.mpf(x), int(e)) for x in column]
            for column, e in zip(a.digits.T, a.exponents, strict=True)
        ]

    def matrix(self, columns: list[list[Any]]) -> tuple[FixedMatrix, FloatArray]:
        digits = np.empty((len(columns[0]), len(columns)), dtype=object)
        exponents = np.zeros(len(columns), dtype=np.int64)
        for j, column in enumerate(columns):
            largest = max(abs(x) for x in column)
            exponents[j] = (self._mp.mag(largest) if largest else 0) - self.bits - 2
            for i, x in enumerate(column):
                digits[i, j] = MPZ(int(self._mp.ldexp(x, -int(exponents[j]))))
        # Half a unit for the number itself, a quarter of one for being cut.
        error = len(columns[0]) * 4.0 * np.exp2(exponents + float(self.bits))
        return FixedMatrix(digits, exponents), error

    def number(self, x: float) -> Any:
        return self._mp.mpf(x)

    def power(self, exponent: int) -> Any:
        return self._mp.ldexp(self._mp.one, exponent)

    def sqrt(self, x: Any) -> Any:
        return self._mp.sqrt(x)

    def midpoints(self, column: list[Any]) -> list[Any]:
        return column

    def log10(self, x: Any) -> float:
        return float(self._mp.log10(x))

    def rank(self, a: list[list[int]]) -> int:
        """Eliminate without fractions (E. H. Bareiss, Math. Comp. 22 (1968) 565)."""
        table = np.array([[MPZ(x) for x in row] for row in a], dtype=object)
        rank, previous = 0, MPZ(1)
        for j in range(table.shape[1]):
            pivots = np.flatnonzero(table[rank:, j] != 0)
            if not pivots.size:
                continue
            chosen = rank + int(pivots[0])
            table[[rank, chosen]] = table[[chosen, rank]]
            head, pivot = table[rank], table[rank, j]
            below = table[rank + 1 :]
            table[rank + 1 :] = (below * pivot - np.outer(below[:, j], head)) // previous
            previous, rank = pivot, rank + 1
            if rank == table.shape[0]:
                break
        return rank
