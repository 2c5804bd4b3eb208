r"""Piecewise linear maps of the catalog, all with exact exponents.

They need care in floating point. Doubling shifts the mantissa left,
so that the tent map and the baker's map on [0, 1] are at 0 after 53 steps, whatever they
started from. Here they live on [0, L] with :math:`L = M\,2^{-52}` and
:math:`M = 2^{52} + 21`: in units of :math:`2^{-52}` a state is an integer m and a step is
:math:`m \to \pm 2m \bmod M`, without any rounding. M is prime and 2 a primitive root of it, so
that every orbit has the full period of :math:`M - 1` (up to sign, half of it): more than
:math:`2\cdot 10^{15}` steps. L exceeds 1 by 4.7e-15.
"""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from .. import validate
from ..numerics.autodiff import value
from .reference import CatalogMap, Reference, catalogued, exact, matrix, named, numbers, vector

#: Length of the interval on which doubling never loses the last bit, see above.
LENGTH = float((2**52 + 21) * 2.0**-52)


@catalogued
def tent(*, slope: Any = 2.0) -> CatalogMap:
    r"""Return the tent map.

    .. math:: x' = \mu \min(x, L - x), \qquad \lambda = \log \mu

    Parameters
    ----------
    slope : float or array, optional
        :math:`\mu`, in (0, 2]; the top of the tent is at :math:`\mu L / 2`.

    Notes
    -----
    L = 1 + 4.7e-15 instead of 1: on [0, 1] every orbit with slope 2 is at 0 after 53
    halvings of the mantissa, on [0, L] it lives on without rounding (see the module).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.tent(slope=1.5).reference.exponents  # log 1.5
    (0.4054651081081644,)
    """

    def step(x: Any, p: Any) -> Any:
        x = x[..., 0]
        return (p["slope"] * anp.minimum(x, LENGTH - x))[..., None]

    def jacobian(x: Any, p: Any) -> Any:
        return (p["slope"] * _sign(x[..., 0], LENGTH / 2))[..., None, None]

    def known(p: Any) -> Reference | None:
        return exact(np.log(p["slope"]), "|slope| is the same everywhere")

    system = CatalogMap(step, 1, jacobian=jacobian, params=numbers(slope=slope), vectorized=True)
    return named(system, "tent map", (np.sqrt(2) - 1,), known)


@catalogued
def skew_tent(*, peak: Any = 0.3) -> CatalogMap:
    r"""Return the skew tent map: its log growth per step is independent, and known in law.

    .. math:: x' = x / c \ (x < c L), \quad (L - x) / (1 - c) \ \text{else}; \qquad
              \lambda = -c \log c - (1 - c) \log (1 - c)

    Parameters
    ----------
    peak : float or array, optional
        c, in (0, 1).

    Notes
    -----
    L is 1 + 4.7e-15, as for :func:`tent`. Lebesgue measure is invariant and symbols are
    independent, so that growth rates are independent draws: :math:`-\log c` with probability
    c, or else :math:`-\log(1 - c)`. Hence the use of this map to calibrate error bars.

    Examples
    --------
    >>> from lyapnet import catalog
    >>> round(catalog.skew_tent(peak=0.3).reference.exponents[0], 6)
    0.610864
    """

    def step(x: Any, p: Any) -> Any:
        x, c = x[..., 0], p["peak"]
        return anp.where(x < c * LENGTH, x / c, (LENGTH - x) / (1.0 - c))[..., None]

    def jacobian(x: Any, p: Any) -> Any:
        c = p["peak"]
        sign = _sign(x[..., 0], c * LENGTH)
        return (sign / _width(c, sign))[..., None, None]

    def known(p: Any) -> Reference | None:
        return exact(_entropy(float(p["peak"])), "Lebesgue measure is invariant")

    system = CatalogMap(step, 1, jacobian=jacobian, params=numbers(peak=peak), vectorized=True)
    return named(system, "skew tent map", (np.sqrt(2) - 1,), known)


@catalogued
def baker(*, cut: Any = 0.5) -> CatalogMap:
    r"""Return the baker's map, area-preserving, cut anywhere.

    .. math:: (x', y') = (x / c,\ c\,y) \ (x < c L), \quad
              \left(\tfrac{x - c L}{1 - c},\ c L + (1 - c)\,y\right) \ \text{else}

    Parameters
    ----------
    cut : float or array, optional
        c, in (0, 1); 1/2 is the classical map.

    Notes
    -----
    The exponents are :math:`\pm(-c \log c - (1 - c) \log(1 - c))`. L = 1 + 4.7e-15: on the
    unit square the classical map doubles x to 0 within 53 steps (see the module).

    References
    ----------
    E. Ott, "Chaos in Dynamical Systems" (Cambridge University Press, 2002), sec. 3.4.

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.baker().reference.exponents  # log 2, -log 2
    (0.6931471805599453, -0.6931471805599453)
    """

    def step(x: Any, p: Any) -> Any:
        y, x, c = x[..., 1], x[..., 0], p["cut"]
        edge = c * LENGTH
        left = x < edge
        across = anp.where(left, x / c, (x - edge) / (1.0 - c))
        return vector(across, anp.where(left, c * y, edge + (1.0 - c) * y))

    def jacobian(x: Any, p: Any) -> Any:
        c = p["cut"]
        width = _width(c, _sign(x[..., 0], c * LENGTH))
        return matrix((1.0 / width, 0.0), (0.0, width))

    def known(p: Any) -> Reference | None:
        h = _entropy(float(p["cut"]))
        return exact((h, -h), "Lebesgue measure is invariant, the Jacobian diagonal")

    system = CatalogMap(step, 2, jacobian=jacobian, params=numbers(cut=cut), vectorized=True)
    return named(system, "baker's map", (np.sqrt(2) - 1, np.sqrt(3) - 1), known)


def _sign(x: Any, edge: Any) -> Any:
    """Return 1 to the left of an edge, -1 to its right."""
    return np.where(value(x) < value(edge), 1.0, -1.0)


def _width(c: Any, sign: Any) -> Any:
    """Return the width of the piece on a side: c on the left, 1 - c on the right."""
    return 0.5 + sign * (c - 0.5)


def _entropy(c: float) -> float:
    return float(-c * np.log(c) - (1.0 - c) * np.log1p(-c))


@catalogued
def cat(*, matrix: Any = ((1, 1), (1, 2))) -> CatalogMap:
    r"""Return an automorphism of the torus; by default Arnold's cat map.

    .. math:: x' = A x \bmod 1

    Parameters
    ----------
    matrix : array_like of int, shape (n, n), optional
        A, of integers, with determinant 1 or -1. The exponents are the logarithms of the
        absolute eigenvalues.

    Notes
    -----
    Floating point does no harm: sums of at most ``sum |A|`` are exact on a grid of about
    :math:`2^{-51}`, on which A is a permutation. The orbits of the cat map on the
    grid of :math:`2^{-k}` have a period of up to :math:`3 \cdot 2^{k - 2}`.

    References
    ----------
    V. I. Arnold and A. Avez, "Ergodic Problems of Classical Mechanics" (Benjamin, 1968);
    periods: F. J. Dyson and H. Falk, Am. Math. Monthly 99, 603 (1992).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> [round(x, 6) for x in catalog.cat().reference.exponents]  # log of the golden ratio, twice
    [0.962424, -0.962424]
    """
    A = validate.array("matrix", matrix, ndim=2)
    n = len(A)
    if A.shape != (n, n) or (np.rint(A) != A).any() or abs(round(np.linalg.det(A))) != 1:
        raise ValueError(
            f"`matrix` must be a square array of integers with determinant 1 or -1, got {matrix!r}"
        )

    def step(x: Any) -> Any:
        y = anp.dot(x, A.T)
        return y - anp.floor(y)

    def jacobian(x: Any) -> Any:
        return A

    def known(_: Any) -> Reference:
        return exact(np.log(np.abs(np.linalg.eigvals(A))), "log |eigenvalues|: constant Jacobian")

    system = CatalogMap(step, n, jacobian=jacobian, vectorized=True)
    start = np.sqrt(np.arange(2, n + 2)) * (np.sqrt(5) - 2)
    return named(system, "cat map", start - np.floor(start), known)
