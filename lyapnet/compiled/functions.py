"""Activation functions over arrays, several numbers at once and as accurate as NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import jit_in_order, two_to_the

#: log 2 in two parts, the first with trailing zeros.
_HIGH, _LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10

_INVERSE = 1.44269504088896338700

#: tanh between -.625 and .625 as a rational function: S. L. Moshier, Methods and Programs for
#: Mathematical Functions, Ellis Horwood (1989).
_P = -9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3
_Q = 1.12811678491632931402e2, 2.23548839060100448583e3, 4.84406305325125486048e3

#: Beyond, tanh is 1 to the last bit.
_FLAT = 20.0


@jit_in_order
def _split(x: float) -> tuple[float, float]:
    r"""Return :math:`e^r - 1` and :math:`2^k` for x = r + k log 2, x between -708 and 709.

    By Taylor's series in r, which is at most half of log 2, its terms in pairs and pairs of pairs.
    """
    k = np.rint(x * _INVERSE)
    r = (x - k * _HIGH) - k * _LOW
    r2 = r * r
    r4 = r2 * r2
    low = (0.5 + r * (1.0 / 6.0)) + r2 * (1.0 / 24.0 + r * (1.0 / 120.0))
    middle = (1.0 / 720.0 + r * (1.0 / 5040.0)) + r2 * (1.0 / 40320.0 + r * (1.0 / 362880.0))
    high = (1.0 / 3628800.0 + r * (1.0 / 39916800.0)) + r2 * (
        1.0 / 479001600.0 + r * (1.0 / 6227020800.0)
    )
    p = low + r4 * (middle + r4 * high)
    return p * r2 + r, two_to_the(k)


@jit_in_order
def tanh(x: Any, out: Any) -> None:
    """Write tanh of an array of one axis."""
    for i in range(len(x)):
        size = min(abs(x[i]), _FLAT)
        p, scale = _split(2.0 * size)
        z = size * size
        top = size * z * ((_P[0] * z + _P[1]) * z + _P[2])
        bottom = ((z + _Q[0]) * z + _Q[1]) * z + _Q[2]
        flat = size > 0.625
        # One division for both ways: it takes as long as half of the rest.
        value = (1.0 if flat else size) + (-2.0 if flat else top) / (
            scale * p + scale + 1.0 if flat else bottom
        )
        out[i] = np.copysign(value, x[i]) if x[i] == x[i] else x[i]


@jit_in_order
def sigmoid(x: Any, out: Any) -> None:
    """Write the logistic function of an array of one axis."""
    for i in range(len(x)):
        size = min(abs(x[i]), 700.0)
        p, scale = _split(-size)
        small = scale * p + scale
        value = (1.0 if x[i] >= 0.0 else small) / (1.0 + small)
        out[i] = value if x[i] == x[i] else x[i]


@jit_in_order
def sigmoid_and_rest(x: Any, rest: Any) -> None:
    """Put the logistic function in place of x, and write 1 minus it, both with all their digits."""
    for i in range(len(x)):
        size = min(abs(x[i]), 700.0)
        p, scale = _split(-size)
        small = scale * p + scale
        up, whole = x[i] >= 0.0, 1.0 + small
        value = (1.0 if up else small) / whole
        rest[i] = (small if up else 1.0) / whole
        x[i] = value if x[i] == x[i] else x[i]


@jit_in_order
def tanh_and_slope(x: Any, slope: Any) -> None:
    """Put tanh in place of x, and write its derivative, both with all their digits."""
    for i in range(len(x)):
        size = min(abs(x[i]), 350.0)
        p, scale = _split(-2.0 * size)
        e = scale * p + scale
        part = 1.0 / (1.0 + e)
        large = 1.0 - 2.0 * e * part
        z = min(size * size, 1.0)
        top = (_P[0] * z + _P[1]) * z + _P[2]
        small = size + size * z * (top / (((z + _Q[0]) * z + _Q[1]) * z + _Q[2]))
        value = large if size > 0.625 else small
        slope[i] = 4.0 * e * part * part
        x[i] = np.copysign(value, x[i]) if x[i] == x[i] else x[i]
