"""Further maps of the catalog, with one, two and three dimensions."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from .maps import SPROTT
from .reference import CatalogMap, Reference, catalogued, exact, map_of, published


@catalogued
def ricker(*, a: Any = 20.0) -> CatalogMap:
    r"""Return Ricker's population map.

    .. math:: x' = a\,x\,e^{-x}

    Parameters
    ----------
    a : float or array, optional

    References
    ----------
    W. E. Ricker, J. Fish. Res. Board Can. 11, 559 (1954).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.ricker().reference.exponents
    (0.384846,)
    """
    known = published({"a": 20.0}, (0.384846,), SPROTT, 6)
    return map_of("Ricker's map", lambda x, p: (p["a"] * x * anp.exp(-x),), (0.1,), known, a=a)


@catalogued
def gauss() -> CatalogMap:
    r"""Return the Gauss map of continued fractions.

    .. math:: x' = 1 / x \bmod 1, \qquad \lambda = \pi^2 / (6 \log 2)

    References
    ----------
    A. Ya. Khinchin, Continued Fractions (1935); the exponent is twice the logarithm of Levy's
    constant.

    Examples
    --------
    >>> from lyapnet import catalog
    >>> round(catalog.gauss().reference.exponents[0], 6)
    2.373138
    """
    known = exact(np.pi**2 / (6 * np.log(2)), "Gauss's invariant density 1 / ((1 + x) log 2)")

    def step(x: Any, p: Any) -> Any:
        return (1.0 / x - anp.floor(1.0 / x),)

    return map_of("Gauss map", step, (0.31,), lambda p: known, one=1.0)


@catalogued
def ikeda(*, u: Any = 0.9) -> CatalogMap:
    r"""Return the Ikeda map of a laser in a ring cavity.

    .. math:: z' = 1 + u\,z\,e^{i \varphi}, \qquad \varphi = 0.4 - \frac{6}{1 + |z|^2}

    Parameters
    ----------
    u : float or array, optional
        The exponents add up to :math:`2 \log u`.

    References
    ----------
    K. Ikeda, Opt. Commun. 30, 257 (1979); S. M. Hammel, C. K. R. T. Jones and J. V. Moloney, J.
    Opt. Soc. Am. B 2, 552 (1985).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.ikeda().reference.exponents
    (0.5076, -0.71832)
    """

    def step(x: Any, y: Any, p: Any) -> Any:
        phase = 0.4 - 6.0 / (1.0 + x**2 + y**2)
        c, s = anp.cos(phase), anp.sin(phase)
        return 1.0 + p["u"] * (x * c - y * s), p["u"] * (x * s + y * c)

    known = published({"u": 0.9}, (0.50760, -0.71832), SPROTT, 5)
    return map_of("Ikeda map", step, (0.0, 0.0), known, u=u)


@catalogued
def lozi(*, a: Any = 1.7, b: Any = 0.5) -> CatalogMap:
    r"""Return the Lozi map, the Henon map's piecewise linear kin.

    .. math:: x' = 1 - a |x| + y, \qquad y' = b x

    Parameters
    ----------
    a, b : float or array, optional
        The exponents add up to :math:`\log |b|`.

    References
    ----------
    R. Lozi, J. Phys. Colloq. 39, C5-9 (1978).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.lozi().reference.exponents
    (0.47023, -1.16338)
    """
    known = published({"a": 1.7, "b": 0.5}, (0.47023, -1.16338), SPROTT, 5)

    def step(x: Any, y: Any, p: Any) -> Any:
        return 1.0 - p["a"] * anp.abs(x) + y, p["b"] * x

    return map_of("Lozi map", step, (-0.1, 0.05), known, a=a, b=b)


@catalogued
def tinkerbell() -> CatalogMap:
    r"""Return the Tinkerbell map.

    .. math:: x' = x^2 - y^2 + 0.9 x - 0.6 y, \qquad y' = 2 x y + 2 x + 0.5 y

    References
    ----------
    H. E. Nusse and J. A. Yorke, Dynamics: Numerical Explorations (Springer, 1998).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.tinkerbell().reference.exponents
    (0.18997, -0.52091)
    """
    known = published({"a": 0.9, "b": -0.6}, (0.18997, -0.52091), SPROTT, 5)

    def step(x: Any, y: Any, p: Any) -> Any:
        return x**2 - y**2 + p["a"] * x + p["b"] * y, 2.0 * x * y + 2.0 * x + 0.5 * y

    return map_of("Tinkerbell map", step, (-0.6, -0.4), known, a=0.9, b=-0.6)


@catalogued
def delayed_logistic(*, a: Any = 2.27) -> CatalogMap:
    r"""Return the delayed logistic map.

    .. math:: x' = a x (1 - y), \qquad y' = x

    Parameters
    ----------
    a : float or array, optional

    References
    ----------
    D. G. Aronson, M. A. Chory, G. R. Hall and R. P. McGehee, Commun. Math. Phys. 83, 303 (1982).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.delayed_logistic().reference.exponents
    (0.18312, -1.24199)
    """
    known = published({"a": 2.27}, (0.18312, -1.24199), SPROTT, 5)
    return map_of(
        "delayed logistic map", lambda x, y, p: (p["a"] * x * (1.0 - y), x), (0.5, 0.4), known, a=a
    )


@catalogued
def holmes_cubic(*, b: Any = 0.2, d: Any = 2.77) -> CatalogMap:
    r"""Return Holmes's cubic map.

    .. math:: x' = y, \qquad y' = -b x + d y - y^3

    Parameters
    ----------
    b, d : float or array, optional
        The exponents add up to :math:`\log b`.

    References
    ----------
    P. Holmes, Philos. Trans. R. Soc. A 292, 419 (1979).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.holmes_cubic().reference.exponents
    (0.59458, -2.20402)
    """
    known = published({"b": 0.2, "d": 2.77}, (0.59458, -2.20402), SPROTT, 5)

    def step(x: Any, y: Any, p: Any) -> Any:
        return y, -p["b"] * x + p["d"] * y - y**3

    return map_of("Holmes's cubic map", step, (1.6, 0.0), known, b=b, d=d)


@catalogued
def burgers(*, a: Any = 0.75, b: Any = 1.75) -> CatalogMap:
    r"""Return Burgers's map.

    .. math:: x' = a x - y^2, \qquad y' = b y + x y

    Parameters
    ----------
    a, b : float or array, optional

    References
    ----------
    R. R. Whitehead and N. Macdonald, Physica D 13, 401 (1984).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.burgers().reference.exponents
    (0.12076, -0.22136)
    """
    known = published({"a": 0.75, "b": 1.75}, (0.12076, -0.22136), SPROTT, 5)

    def step(x: Any, y: Any, p: Any) -> Any:
        return p["a"] * x - y**2, p["b"] * y + x * y

    return map_of("Burgers's map", step, (-0.1, 0.1), known, a=a, b=b)


@catalogued
def folded_towel() -> CatalogMap:
    r"""Return Rossler's folded-towel map: hyperchaos in three dimensions.

    .. math:: x' = 3.8 x (1 - x) - 0.05 (y + 0.35)(1 - 2 z), \quad
              y' = 0.1 ((y + 0.35)(1 - 2 z) - 1)(1 - 1.9 x), \quad
              z' = 3.78 z (1 - z) + 0.2 y

    References
    ----------
    O. E. Rossler, Phys. Lett. A 71, 155 (1979).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.folded_towel().reference.exponents
    (0.43, 0.377, -3.299)
    """
    source = "the documentation of ChaosTools.jl (G. Datseris, J. Open Source Softw. 3, 598 (2018))"
    known = Reference((0.430, 0.377, -3.299), source, False, (0.002, 0.002, 0.005))

    def step(x: Any, y: Any, z: Any, p: Any) -> Any:
        folded = (y + 0.35) * (1.0 - 2.0 * z)
        return (
            p["a"] * x * (1.0 - x) - 0.05 * folded,
            0.1 * (folded - 1.0) * (1.0 - 1.9 * x),
            3.78 * z * (1.0 - z) + 0.2 * y,
        )

    start = (0.085, -0.121, 0.075)
    return map_of("folded-towel map", step, start, lambda p: known, a=3.8)
