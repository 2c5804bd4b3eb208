r"""Matrices of many bits whose products are exact, at the speed of float64 BLAS.

A matrix is cut into `digits`, matrices of small integers kept in float64::

    A_ij = sum_l digits[l]_ij 2**(-base l) 2**exponents[j],    |digits| <= 2**(base - 1).

The base is so small that a product of two digit matrices, and the sum over all of them that
meet at one place, stays below 2**53: each is an integer that float64 holds exactly, in
whatever order a library adds. What rounds is only the cutting of the digits
behind the last one that is kept, and its bound is known.

References
----------
K. Ozaki, T. Ogita, S. Oishi, S. M. Rump, "Error-free transformations of matrix multiplication
by using fast routines of matrix multiplication and its applications", Numer. Algorithms 59
(2012) 95.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from .arithmetic import FloatArray

_TOGETHER = 8  # digits of a float64 matrix that are multiplied between two carries
_NOTHING = 1e-290  # the bound where nothing was cut off: its logarithm is finite


class Digits:
    """A matrix (n, k) of at least `bits` bits below the largest entry of each column.

    Attributes
    ----------
    digits : ndarray, shape (places, k, n)
        Most significant first; each a transposed matrix of integers.
    exponents : ndarray of int, shape (k,)
        Binary exponents of the columns.
    bits, base : int
    """

    def __init__(
        self, digits: FloatArray, exponents: NDArray[np.int64], bits: int, base: int
    ) -> None:
        self.digits, self.exponents, self.bits, self.base = digits, exponents, bits, base

    @classmethod
    def exact(cls, a: FloatArray, bits: int, inner: int) -> Self:
        """Take a float64 matrix as it is, for products that sum over at most `inner` entries."""
        # inner * _TOGETHER products of two digits each, one of them with a carry: below 2**52.
        base = (54 - int(np.ceil(np.log2(_TOGETHER * inner)))) // 2
        places, exponent = _places(a.T, base)
        return cls(places, np.full(a.shape[1], exponent), bits, base)

    def floats(self) -> FloatArray:
        """Return the matrix in float64, each entry to a relative ``2**-52``.

        Entries that are 2**1000 times smaller than the largest of their column may be zero.
        """
        value = np.zeros(self.digits.shape[1:])
        for digit in self.digits[::-1]:
            value *= 2.0**-self.base
            value += digit
        return np.ldexp(value, self.exponents[:, None]).T

    def integers(self) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
        """Return the same matrix as Python's integers and a binary exponent for each column."""
        value = np.zeros(self.digits.shape[1:], dtype=object)
        for digit in self.digits:
            value = (value << self.base) + digit.astype(np.int64).astype(object)
        return value.T, self.exponents - self.base * (len(self.digits) - 1)

    def scaled(self, exponents: NDArray[np.int64]) -> Digits:
        """Multiply each column by a power of two, exactly."""
        return Digits(self.digits, self.exponents + exponents, self.bits, self.base)

    def leading(self, rows: int, columns: int) -> Digits:
        """Return the leading block."""
        block = self.digits[:, :columns, :rows]
        return Digits(block, self.exponents[:columns], self.bits, self.base)

    def with_columns(self, indices: NDArray[np.intp], columns: FloatArray) -> Digits:
        """Replace some columns by float64 ones, as far as there are digits for them."""
        digits, exponents = self.digits.copy(), self.exponents.copy()
        places, exponent = _places(columns.T, self.base)
        kept = min(len(places), len(digits))
        digits[:, indices] = 0.0
        digits[:kept, indices] = places[:kept]
        exponents[indices] = exponent
        return Digits(digits, exponents, self.bits, self.base)

    def times(self, left: FloatArray) -> tuple[Digits, FloatArray]:
        """Return ``left @ self``, and for each column the sum of its errors in ``2**-bits``."""
        places, exponent = _places(left, self.base)
        count, k, n = self.digits.shape
        flat = self.digits.reshape(count * k, n)
        parts = [(flat @ place.T).reshape(count, k, len(left)) for place in places]
        total = self._carried(parts, (count, k, len(left)))
        return self._rounded(total, self.exponents + exponent)

    def combined(self, right: FloatArray) -> tuple[Digits, FloatArray]:
        """Return ``self @ right``, and for each column the sum of its errors in ``2**-bits``."""
        rows = self.exponents[:, None]
        s = np.ldexp(right, rows)
        columns = np.frexp(np.max(np.abs(s), axis=0))[1].astype(np.int64)
        s = np.ldexp(s, -columns)
        lost = np.any(~np.isfinite(s) | (np.ldexp(s, columns - rows) != right), axis=0)
        s[:, lost] = 0.0
        places, exponent = _places(s, self.base)
        count, _, n = self.digits.shape
        parts = [place.T @ self.digits for place in places]
        total = self._carried(parts, (count, s.shape[1], n))
        result, error = self._rounded(total, columns + exponent)
        return result, np.where(lost, np.inf, error)

    def _carried(self, parts: list[FloatArray], shape: tuple[int, int, int]) -> FloatArray:
        """Add products of digits, each a place lower than the one before, two places further down.

        Afterwards all digits but the first are at most half a unit of the place before.
        """
        total = np.zeros((len(parts) + shape[0] + 1, *shape[1:]))
        up, down = 2.0**self.base, 2.0**-self.base
        for start in range(0, max(len(parts), 1), _TOGETHER):
            for i, part in enumerate(parts[start : start + _TOGETHER], start + 2):
                total[i : i + shape[0]] += part
            for place in range(len(total) - 1, 0, -1):
                carry = np.rint(total[place] * down)
                total[place - 1] += carry
                carry *= up
                total[place] -= carry
        return total

    def _rounded(
        self, total: FloatArray, exponents: NDArray[np.int64]
    ) -> tuple[Digits, FloatArray]:
        """Cut off the digits that are not needed; `exponents` are those of the third place."""
        some = np.any(total, axis=2)
        first = np.argmax(some, axis=0)
        last = np.where(some.any(axis=0), len(total) - 1 - np.argmax(some[::-1], axis=0), 0)
        kept = -(-(self.bits + 2) // self.base) + 1  # the first digit may be a single bit
        index = first + np.arange(kept)[:, None]
        digits = total[np.minimum(index, len(total) - 1), np.arange(len(first))]
        digits[index >= len(total)] = 0.0
        exponents = np.where(some.any(axis=0), exponents + self.base * (2 - first), 0)
        unit = exponents - self.base * (kept - 1) + float(self.bits)
        error = np.where(last >= first + kept, 0.51 * total.shape[2] * np.exp2(unit), _NOTHING)
        return Digits(digits, exponents, self.bits, self.base), error


def _places(a: FloatArray, base: int) -> tuple[FloatArray, int]:
    """Cut a float64 matrix into digits, exactly; all have the same exponent, which comes second."""
    exponent = int(np.frexp(np.max(np.abs(a)))[1]) - (base - 1)
    rest = a
    places: list[FloatArray] = []
    while np.any(rest):
        unit = exponent - base * len(places)
        digit = np.rint(_shifted(rest, -unit))
        rest = rest - _shifted(digit, unit)
        places.append(digit)
    return np.array(places).reshape(-1, *a.shape), exponent


def _shifted(a: FloatArray, places: int) -> FloatArray:
    """Multiply by a power of two that may itself be out of float64's range."""
    half = places // 2
    return np.asarray(a * 2.0**half * 2.0 ** (places - half))
