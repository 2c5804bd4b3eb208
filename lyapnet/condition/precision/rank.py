"""Proof, in exact integers, that a product of float64 Jacobians is rank-deficient.

Float64 numbers are dyadic rationals, so every Jacobian is an integer matrix times a power
of two, and ranks can be computed exactly. The rank of a product is at most that of each
factor. Modulo a prime it can only be smaller than it is, so that a full one is proved
quickly. Where neither decides, the product itself is multiplied out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arithmetic import Arithmetic, FloatArray

_LONGEST = 400_000  # bits of an entry of the exact product
_PRIME = 33_554_393  # 2**25 - 39: sums of up to 2**12 products stay below 2**63


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
    if modular_rank(factors) == k:
        return k
    product, bits = integers(factors[0]), 64.0
    for factor in factors[1:]:
        digits = integers(factor)
        bits += max(int(x).bit_length() for x in digits.ravel()) + np.log2(len(digits))
        if bits > _LONGEST:
            return None
        product = digits @ product
    return arithmetic.rank(product.tolist())


def modular_rank(factors: list[FloatArray]) -> int:
    """Return the rank of the product modulo a prime: a lower bound of its rank."""
    product = residues(factors[0])
    for factor in factors[1:]:
        product = residues(factor) @ product % _PRIME
    rank = 0
    for j in range(product.shape[1]):
        pivots = np.flatnonzero(product[rank:, j])
        if not pivots.size:
            continue
        product[[rank, rank + pivots[0]]] = product[[rank + pivots[0], rank]]
        product[rank] = product[rank] * pow(int(product[rank, j]), -1, _PRIME) % _PRIME
        below = product[rank + 1 :]
        below -= below[:, j, None] * product[rank] % _PRIME
        below %= _PRIME
        rank += 1
        if rank == len(product):
            break
    return rank


def residues(a: FloatArray) -> NDArray[np.int64]:
    """Return float64 numbers modulo the prime; powers of two have inverses there."""
    mantissa, exponent = np.frexp(a)
    digits = np.ldexp(mantissa, 53).astype(np.int64) % _PRIME
    places, where = np.unique(exponent - 53, return_inverse=True)
    powers = np.array([pow(2, int(e), _PRIME) for e in places], dtype=np.int64)
    return np.asarray(digits * powers[where.reshape(a.shape)] % _PRIME)


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
