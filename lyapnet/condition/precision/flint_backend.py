# ruff: noqa: D102 - the methods are documented in `Arithmetic`
"""Ball arithmetic by FLINT (python-flint): fast, and every rounding enclosed.

Arb's matrix product is exact integer arithmetic inside, with a rigorous radius for each
entry. The precision of python-flint is global; it is set on entering and put back.

References
----------
F. Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic",
IEEE Transactions on Computers 66 (2017) 1281.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

import flint
import numpy as np
from numpy.typing import NDArray

from .arithmetic import GUARD, UP, FloatArray
from .digits import Digits

_TINY = 1e-290  # stands for a radius that underflows a float64


class FlintArithmetic:
    """`Arithmetic` on `flint.arb_mat`, whose matrices here are midpoints only."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self._outside = 0

    def __enter__(self) -> Self:
        self._outside = flint.ctx.prec
        flint.ctx.prec = self.bits + GUARD
        self._unit = flint.arb(2) ** self.bits
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        flint.ctx.prec = self._outside

    def exact(self, a: FloatArray) -> flint.arb_mat:
        return flint.arb_mat(*a.shape, a.ravel().tolist())

    def whole(self, digits: Digits) -> flint.arb_mat:
        table, exponents = digits.integers()
        whole = flint.fmpz_mat(*table.shape, table.ravel().tolist())
        return self.scale(flint.arb_mat(whole), exponents)

    def _split(self, balls: flint.arb_mat) -> tuple[flint.arb_mat, FloatArray]:
        """Return the midpoints, and the radii summed over each column."""
        middle = balls.mid()
        ones = flint.arb_mat(1, balls.nrows(), [1] * balls.nrows())
        sums = (ones * (balls - middle)).entries()
        radii = [float((x.abs_upper() * self._unit).abs_upper()) for x in sums]
        return middle, np.array(radii) * UP + _TINY

    def product(self, a: flint.arb_mat, b: flint.arb_mat) -> tuple[flint.arb_mat, FloatArray]:
        return self._split(a * b)

    def scale(self, a: flint.arb_mat, exponents: NDArray[np.int64]) -> flint.arb_mat:
        powers = [self.power(int(e)) for e in exponents]
        k = len(powers)
        return flint.arb_mat(a.nrows(), k, [x * powers[i % k] for i, x in enumerate(a.entries())])

    def grade(
        self, a: flint.arb_mat, rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> tuple[flint.arb_mat, FloatArray]:
        k = len(columns)
        table = a.tolist()
        graded = [
            table[i][j] * self.power(int(rows[i] + columns[j])) if i <= j else 0
            for i in range(k)
            for j in range(k)
        ]
        return flint.arb_mat(k, k, graded), np.zeros(k)

    def take(self, a: flint.arb_mat, order: NDArray[np.int64]) -> flint.arb_mat:
        return flint.arb_mat([[row[j] for j in order] for row in a.tolist()])

    def floats(self, a: flint.arb_mat) -> FloatArray:
        values = np.array([float(x) for x in a.entries()])
        return values.reshape(a.nrows(), a.ncols())

    def _identity(self, k: int) -> flint.arb_mat:
        return flint.arb_mat(k, k, [int(i == j) for i in range(k) for j in range(k)])

    def gram(self, a: flint.arb_mat) -> tuple[FloatArray, float]:
        balls = a.transpose() * a - self._identity(a.ncols())
        middle, radii = self._split(balls)
        approximate = self.floats(middle)
        error = float(np.sum(radii)) * 2.0 ** -min(self.bits, 1000)
        rounding = float(np.linalg.norm(approximate)) * 2.0**-52
        return approximate, (error + rounding) * UP + _TINY

    def residual(self, a: flint.arb_mat, b: flint.arb_mat) -> float:
        balls = a * b - self._identity(a.nrows())
        middle, radii = self._split(balls)
        error = float(np.sum(radii)) * 2.0 ** -min(self.bits, 1000)
        return (float(np.linalg.norm(self.floats(middle))) + error) * UP + _TINY

    def log2_norm(self, a: flint.arb_mat) -> float:
        square = sum((x * x for x in a.entries()), flint.arb(0)).abs_upper()
        return float(square.log() / flint.arb.const_log2()) / 2 * UP + 1e-9

    def triangular_inverse(self, a: flint.arb_mat) -> flint.arb_mat:
        k = a.nrows()
        try:
            table = a.inv().mid().tolist()
        except ZeroDivisionError:  # too few bits: the residual will say so
            return flint.arb_mat(k, k)
        return flint.arb_mat(
            k, k, [table[i][j] if i <= j else 0 for i in range(k) for j in range(k)]
        )

    def numbers(self, a: flint.arb_mat) -> list[list[flint.arb]]:
        return a.transpose().tolist()

    def matrix(self, columns: list[list[flint.arb]]) -> tuple[flint.arb_mat, FloatArray]:
        return self._split(flint.arb_mat(columns).transpose())

    def number(self, x: float) -> flint.arb:
        return flint.arb(x)

    def power(self, exponent: int) -> flint.arb:
        return flint.arb(2) ** exponent

    def sqrt(self, x: flint.arb) -> flint.arb:
        return x.sqrt()

    def midpoints(self, column: list[flint.arb]) -> list[flint.arb]:
        return [x.mid() for x in column]

    def log10(self, x: flint.arb) -> float:
        return float(x.log() / flint.arb.const_log10())

    def rank(self, a: list[list[int]]) -> int:
        return int(flint.fmpz_mat(a).rank())
