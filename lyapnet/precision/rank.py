"""Proof, in exact integers, that a product of float64 Jacobians is rank-deficient.

Float64 numbers are dyadic rationals, so every Jacobian is an integer matrix times a power
of two, and ranks can be computed exactly. The rank of a product is at most that of each
factor; where that decides nothing, the product itself is multiplied out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lyapnet.precision.arithmetic import Arithmetic, FloatArray

_LONGEST = 400_000  # bits of an entry of the exact product


def exact_rank(arithmetic: Arithmetic, factors: list[FloatArray]) -> int | None:
    """Return an upper bound of the rank of the product, in time order, or its rank.

    Parameters
    ----------
    arithmetic : Arithmetic
    factors : list of ndarray
        The starting basis (n, k), then the Jacobians (n, n).

    Returns
    -------
    int or None
        The bound by the last factor where that is below k, else the rank of the product,
        or None if that is too large a calculation.
    """
    k = factors[0].shape[1]
    bound = arithmetic.rank(integers(factors[-1]).tolist())
    if bound < k:
        return bound
    product, bits = integers(factors[0]), 64.0
    for factor in factors[1:]:
        digits = integers(factor)
        bits += max(int(x).bit_length() for x in digits.ravel()) + np.log2(len(digits))
        if bits > _LONGEST:
            return None
        product = digits @ product
    return arithmetic.rank(product.tolist())


def integers(a: FloatArray) -> NDArray[np.object_]:
    """Return `a` times a power of two, in the shortest exact integers."""
    if not np.any(a):
        return np.zeros(a.shape, dtype=object)
    mantissa, exponent = np.frexp(a)
    digits = np.ldexp(mantissa, 53).astype(np.int64).astype(object)
    places = exponent.astype(np.int64) - int(exponent[a != 0].min())

    def shift(x: Any, s: np.int64) -> int:
        return int(x) << int(s) if x else 0

    table = np.frompyfunc(shift, 2, 1)(digits, places)
    common = int(np.gcd.reduce(table.ravel()))
    return np.asarray(table // common, dtype=object)
