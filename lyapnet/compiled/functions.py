"""Activation functions over arrays, several numbers at once and as accurate as NumPy's.

Each goes over an array in a few short loops, between which its numbers wait where the results are
to be. In one loop each number would wait for itself: it takes three times as many cycles from one
end to the other as its operations do, and the processor cannot look so many operations ahead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import jit_apart_in_order, jit_in_order, two_to_the

#: log 2 in two parts, the first with trailing zeros.
_HIGH, _LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10

_INVERSE = 1.44269504088896338700

#: See `_rest_exponential`.
_C = (
    5.00000000000000102e-1, 1.66666666666666675e-1, 4.16666666666241279e-2, 8.33333333333006183e-3,
    1.38888889172137169e-3, 1.98412698630536169e-4, 2.48015212959543751e-5, 2.75572684599970648e-6,
    2.76200884454097482e-7, 2.51003854955103191e-8,
)  # fmt: skip

#: tanh up to here as a rational function: S. L. Moshier, Methods and Programs for
#: Mathematical Functions, Ellis Horwood (1989).
_RATIONAL = 0.625
_P = -9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3
_Q = 1.12811678491632931402e2, 2.23548839060100448583e3, 4.84406305325125486048e3

#: Of exponents, beyond which exponentials overflow or vanish.
_MOST = 700.0


@jit_in_order
def _rest_exponential(r: float) -> float:
    r"""Return :math:`e^r - 1` for r of at most half of log 2, by pairs of terms and pairs of these.

    The polynomial, in place of Taylor's series from the square on, is Chebyshev's: it is off by
    1e-16 at most.
    """
    r2 = r * r
    r4 = r2 * r2
    low = (_C[0] + r * _C[1]) + r2 * (_C[2] + r * _C[3])
    middle = (_C[4] + r * _C[5]) + r2 * (_C[6] + r * _C[7])
    return (low + r4 * (middle + r4 * (_C[8] + r * _C[9]))) * r2 + r


@jit_apart_in_order
def _exponential(x: Any, factor: float, more: float, out: Any, scale: Any) -> None:
    """Write the exponential of `factor` times the size of each number, and add `more`."""
    most = _MOST / abs(factor)
    for i in range(len(x)):
        size = abs(x[i])
        exponent = factor * (most if most < size else size)  # this order keeps NaN
        k = np.rint(exponent * _INVERSE)
        out[i] = (exponent - k * _HIGH) - k * _LOW
        scale[i] = two_to_the(k)
    for i in range(len(x)):
        out[i] = scale[i] * _rest_exponential(out[i]) + (scale[i] + more)


@jit_in_order
def _tanh(x: float, e: float) -> tuple[float, float]:
    """Return the tanh of x, of which exp(2 |x|) + 1 is given, and its derivative."""
    size = abs(x)
    z = size * size
    top = size * z * ((_P[0] * z + _P[1]) * z + _P[2])
    bottom = ((z + _Q[0]) * z + _Q[1]) * z + _Q[2]
    large = size > _RATIONAL
    # One division for both ways: it takes as long as half of the rest.
    part = (1.0 if large else top) / (e if large else bottom)
    value = 1.0 - 2.0 * part if large else size + part
    return np.copysign(value, x), 4.0 * part * (1.0 - part) if large else 1.0 - value * value


@jit_apart_in_order
def tanh(x: Any, out: Any, scratch: Any) -> None:
    """Write tanh of an array of one axis."""
    _exponential(x, 2.0, 1.0, out, scratch)
    for i in range(len(x)):
        out[i] = _tanh(x[i], out[i])[0]


@jit_apart_in_order
def tanh_and_slope(x: Any, slope: Any, scratch: Any) -> None:
    """Put tanh in place of x, and write its derivative, both with all their digits."""
    _exponential(x, 2.0, 1.0, slope, scratch)
    for i in range(len(x)):
        x[i], slope[i] = _tanh(x[i], slope[i])


@jit_apart_in_order
def sigmoid_and_rest(x: Any, rest: Any, scratch: Any) -> None:
    """Put the logistic function in place of x, and write 1 minus it, both with all their digits."""
    _exponential(x, -1.0, 0.0, rest, scratch)
    for i in range(len(x)):
        small = rest[i]
        whole = 1.0 + small
        part = 1.0 / whole
        # What both have lost by rounding is given back.
        part += part * ((1.0 - part * whole) - part * (small - (whole - 1.0)))
        other, up = small * part, x[i] >= 0.0
        x[i], rest[i] = (part if up else other), (other if up else part)
