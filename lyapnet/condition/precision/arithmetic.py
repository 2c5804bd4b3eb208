"""What a backend offers: matrices of many bits, each rounding with its bound."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .digits import Digits

FloatArray = NDArray[np.float64]
Matrix = Any  # the backend's own: `flint.arb_mat`, or `mpmath_backend.FixedMatrix`
Number = Any  # the backend's own scalar, with + - * / and an exponent that cannot overflow

GUARD = 64  # bits beyond those asked for, so that `Digits` fit into a number
UP = 1.0 + 2.0**-30  # covers the float64 rounding of a bound


class Arithmetic(Protocol):
    """Matrices and numbers of `bits` bits; use it as a context manager.

    Matrices are exact dyadic numbers; what rounds returns a bound of its error beside
    the result, per column the sum of the absolute errors, in units of ``2**-bits``
    (so that thousands of bits do not underflow a float64).
    """

    bits: int

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def exact(self, a: FloatArray) -> Matrix:
        """Take a float64 matrix as it is."""

    def whole(self, digits: Digits) -> Matrix:
        """Return the same matrix, exactly."""

    def product(self, a: Matrix, b: Matrix) -> tuple[Matrix, FloatArray]:
        """Return ``a @ b`` rounded, and its error."""

    def scale(self, a: Matrix, exponents: NDArray[np.int64]) -> Matrix:
        """Multiply each column by a power of two, exactly."""

    def grade(
        self, a: Matrix, rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> tuple[Matrix, FloatArray]:
        """Multiply the rows and the columns of the upper triangle by powers of two."""

    def take(self, a: Matrix, order: NDArray[np.int64]) -> Matrix:
        """Return some columns, in the given order."""

    def floats(self, a: Matrix) -> FloatArray:
        """Return the nearest float64 matrix."""

    def gram(self, a: Matrix) -> tuple[FloatArray, float]:
        """Return ``a.T @ a - 1``, and a bound of its error in the Frobenius norm."""

    def residual(self, a: Matrix, b: Matrix) -> float:
        """Bound the Frobenius norm of ``a @ b - 1``."""

    def log2_norm(self, a: Matrix) -> float:
        """Bound the binary logarithm of the Frobenius norm."""

    def triangular_inverse(self, a: Matrix) -> Matrix:
        """Approximate the inverse of an upper triangular matrix."""

    def numbers(self, a: Matrix) -> list[list[Number]]:
        """Return the columns as lists of numbers."""

    def matrix(self, columns: list[list[Number]]) -> tuple[Matrix, FloatArray]:
        """Return the matrix with these columns, rounded, and its error."""

    def number(self, x: float) -> Number:
        """Return an exact number."""

    def power(self, exponent: int) -> Number:
        """Return a power of two."""

    def sqrt(self, x: Number) -> Number:
        """Return the square root."""

    def midpoints(self, column: list[Number]) -> list[Number]:
        """Return the numbers without what an error bound has gathered on them."""

    def log10(self, x: Number) -> float:
        """Return the decimal logarithm, within one float64 rounding."""

    def rank(self, a: list[list[int]]) -> int:
        """Return the exact rank of an integer matrix."""
