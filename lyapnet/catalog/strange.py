"""Chaotic flows in three and more dimensions."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from .. import validate
from .maps import SPROTT
from .reference import CatalogFlow, catalogued, flow_of, published


@catalogued
def chen(*, a: Any = 35.0, b: Any = 3.0, c: Any = 28.0, dt: float = 0.004) -> CatalogFlow:
    r"""Return Chen's system.

    .. math:: \dot x = a (y - x), \quad \dot y = (c - a) x - x z + c y, \quad \dot z = x y - b z

    Parameters
    ----------
    a, b, c : float or array, optional
        The exponents add up to c - a - b.
    dt : float, optional

    References
    ----------
    G. Chen and T. Ueta, Int. J. Bifurcation Chaos 9, 1465 (1999).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.chen().reference.exponents
    (2.0272, 0.0, -12.0272)
    """
    known = published({"a": 35.0, "b": 3.0, "c": 28.0}, (2.0272, 0.0, -12.0272), SPROTT, 4)

    def field(x: Any, y: Any, z: Any, p: Any) -> Any:
        a, b, c = p["a"], p["b"], p["c"]
        return a * (y - x), (c - a) * x - x * z + c * y, x * y - b * z

    return flow_of("Chen's system", field, (-10.0, 0.0, 37.0), known, dt=dt, a=a, b=b, c=c)


@catalogued
def chua(*, alpha: Any = 9.0, beta: Any = 14.286, dt: float = 0.02) -> CatalogFlow:
    r"""Return Chua's circuit, the double scroll.

    .. math:: \dot x = \alpha (y - x - f(x)), \quad \dot y = x - y + z, \quad
              \dot z = -\beta y, \qquad
              f(x) = b x + \tfrac{a - b}{2} (|x + 1| - |x - 1|), \; a = -\tfrac87, b = -\tfrac57

    Parameters
    ----------
    alpha, beta : float or array, optional
    dt : float, optional

    References
    ----------
    T. Matsumoto, L. O. Chua and M. Komuro, IEEE Trans. Circuits Syst. 32, 797 (1985).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.chua().reference.exponents
    (0.3271, 0.0, -2.5197)
    """
    known = published({"alpha": 9.0, "beta": 14.286}, (0.3271, 0.0, -2.5197), SPROTT, 4)

    def field(x: Any, y: Any, z: Any, p: Any) -> Any:
        bend = 0.5 * (-3.0 / 7.0) * (anp.abs(x + 1.0) - anp.abs(x - 1.0))
        f = -5.0 / 7.0 * x + bend
        return p["alpha"] * (y - x - f), x - y + z, -p["beta"] * y

    start = (0.1, 0.0, 0.6)
    return flow_of("Chua's circuit", field, start, known, dt=dt, alpha=alpha, beta=beta)


@catalogued
def thomas(*, b: Any = 0.18, dt: float = 0.05) -> CatalogFlow:
    r"""Return Thomas's cyclically symmetric flow.

    .. math:: \dot x = \sin y - b x, \quad \dot y = \sin z - b y, \quad \dot z = \sin x - b z

    Parameters
    ----------
    b : float or array, optional
        The exponents add up to -3 b; at 0 it is conservative, labyrinth chaos.
    dt : float, optional

    References
    ----------
    R. Thomas, Int. J. Bifurcation Chaos 9, 1889 (1999).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.thomas().reference.exponents
    (0.0349, 0.0, -0.5749)
    """
    known = published({"b": 0.18}, (0.0349, 0.0, -0.5749), SPROTT, 4)

    def field(x: Any, y: Any, z: Any, p: Any) -> Any:
        b = p["b"]
        return anp.sin(y) - b * x, anp.sin(z) - b * y, anp.sin(x) - b * z

    return flow_of("Thomas's flow", field, (0.1, 0.0, 0.0), known, dt=dt, b=b)


@catalogued
def halvorsen(*, a: Any = 1.27, dt: float = 0.01) -> CatalogFlow:
    r"""Return Halvorsen's cyclically symmetric flow.

    .. math:: \dot x = -a x - 4 y - 4 z - y^2, \qquad \text{and cyclic}

    Parameters
    ----------
    a : float or array, optional
        The exponents add up to -3 a.
    dt : float, optional

    References
    ----------
    J. C. Sprott, Chaos and Time-Series Analysis (Oxford, 2003), section 4.8.

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.halvorsen().reference.exponents
    (0.7899, 0.0, -4.5999)
    """
    known = published({"a": 1.27}, (0.7899, 0.0, -4.5999), SPROTT, 4)

    def field(x: Any, y: Any, z: Any, p: Any) -> Any:
        a = p["a"]
        return (
            -a * x - 4.0 * y - 4.0 * z - y**2,
            -a * y - 4.0 * z - 4.0 * x - z**2,
            -a * z - 4.0 * x - 4.0 * y - x**2,
        )

    return flow_of("Halvorsen's flow", field, (-5.0, 0.0, 0.0), known, dt=dt, a=a)


@catalogued
def burke_shaw(*, s: Any = 10.0, v: Any = 13.0, dt: float = 0.005) -> CatalogFlow:
    r"""Return the attractor of Burke and Shaw.

    .. math:: \dot x = -s (x + y), \quad \dot y = -y - s x z, \quad \dot z = s x y + v

    Parameters
    ----------
    s, v : float or array, optional
        The exponents add up to -(s + 1).
    dt : float, optional

    References
    ----------
    R. Shaw, Z. Naturforsch. A 36, 80 (1981).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.burke_shaw().reference.exponents
    (2.2499, 0.0, -13.2499)
    """
    known = published({"s": 10.0, "v": 13.0}, (2.2499, 0.0, -13.2499), SPROTT, 4)

    def field(x: Any, y: Any, z: Any, p: Any) -> Any:
        s = p["s"]
        return -s * (x + y), -y - s * x * z, s * x * y + p["v"]

    return flow_of("Burke-Shaw flow", field, (0.6, 0.0, 0.0), known, dt=dt, s=s, v=v)


@catalogued
def rucklidge(*, kappa: Any = 2.0, a: Any = 6.7, dt: float = 0.02) -> CatalogFlow:
    r"""Return Rucklidge's model of double convection.

    .. math:: \dot x = -\kappa x + a y - y z, \quad \dot y = x, \quad \dot z = y^2 - z

    Parameters
    ----------
    kappa, a : float or array, optional
        The exponents add up to :math:`-(\kappa + 1)`.
    dt : float, optional

    Notes
    -----
    `reference` is None: no formula is known, and 0.0643, 0, -3.0643, which stand in print for the
    parameters here, are not what is measured: by this library as by SciPy's integrators with the
    variational equations the largest is 0.19.

    References
    ----------
    A. M. Rucklidge, J. Fluid Mech. 237, 209 (1992); J. C. Sprott, Chaos and Time-Series Analysis
    (Oxford, 2003), for the values in print.

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.rucklidge().reference is None
    True
    """

    def field(x: Any, y: Any, z: Any, p: Any) -> Any:
        return -p["kappa"] * x + p["a"] * y - y * z, x, y**2 - z

    return flow_of("Rucklidge's flow", field, (1.0, 0.0, 4.5), None, dt=dt, kappa=kappa, a=a)


@catalogued
def generalized_roessler(
    n: int = 5, *, a: Any = 0.29, b: Any = 4.0, d: Any = 2.0, eps: Any = 0.1, dt: float = 0.005
) -> CatalogFlow:
    r"""Return a chain of n units with Rossler's nonlinearity at its end: hyperchaos.

    .. math:: \dot x_1 = -x_2 + a x_1, \quad \dot x_i = x_{i-1} - x_{i+1}, \quad
              \dot x_n = \epsilon + b x_n (x_{n-1} - d)

    Up to n - 2 exponents are positive; `reference` is None: no formula is known, and the exponents
    are found in figures alone.

    Parameters
    ----------
    n : int, optional
        Dimension, odd, at least 3.
    a, b, d, eps : float or array, optional
    dt : float, optional

    References
    ----------
    G. Baier and S. Sahle, Phys. Rev. E 51, R2712 (1995).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.generalized_roessler(5).dim
    5
    """
    n = validate.integer("n", n, low=3)

    def field(*given: Any) -> Any:
        *x, p = given
        inner = [x[i - 1] - x[i + 1] for i in range(1, n - 1)]
        last = p["eps"] + p["b"] * x[-1] * (x[-2] - p["d"])
        return (-x[1] + p["a"] * x[0], *inner, last)

    start = 0.1 * np.cos(np.arange(n))
    name = f"generalised Rossler flow of {n} units"
    return flow_of(name, field, start, dt=dt, a=a, b=b, d=d, eps=eps)
