"""Stiff flows, and the oscillator of van der Pol, which may be one."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp

from .reference import CatalogFlow, Reference, catalogued, exact, flow_of


@catalogued
def van_der_pol(*, mu: Any = 1.0, dt: float = 0.02, method: str = "rk4") -> CatalogFlow:
    r"""Return the oscillator of van der Pol, a limit cycle.

    .. math:: \ddot x - \mu (1 - x^2)\,\dot x + x = 0

    Parameters
    ----------
    mu : float or array, optional
        Large ones make it stiff: take ``method="implicit"``, and dt of order 1 for 1000.
    dt : float, optional
    method : str, optional
        As for `Flow`.

    References
    ----------
    B. van der Pol, Philos. Mag. 2, 978 (1926).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.van_der_pol().reference.exponents
    (0.0, -1.0593769)
    """
    known = Reference((0.0, -1.0593769), "mean divergence over the cycle, by quadrature", False,
                      (0.0, 1e-7))  # fmt: skip

    def field(x: Any, v: Any, p: Any) -> Any:
        return v, p["mu"] * (1.0 - x**2) * v - x

    def reference(p: Any) -> Reference | None:
        return known if p["mu"] == 1 else None

    return flow_of("van der Pol's oscillator", field, (2.0, 0.0), reference, dt=dt, method=method,
                   mu=mu)  # fmt: skip


@catalogued
def robertson(*, dt: float = 40.0) -> CatalogFlow:
    r"""Return Robertson's kinetics: three species whose rates differ by nine orders.

    .. math:: \dot a = -0.04 a + 10^4 b c, \quad \dot c = 3 \cdot 10^7\, b^2, \quad
              \dot b = -\dot a - \dot c

    Parameters
    ----------
    dt : float, optional
        Time between countings; the implicit method divides it.

    Notes
    -----
    The reference is that of the state (0, 0, 1), which is reached after some 10^11.

    References
    ----------
    H. H. Robertson, in Numerical Analysis: An Introduction (Academic Press, 1966); E. Hairer and
    G. Wanner, Solving Ordinary Differential Equations II (Springer, 1996), IV.1.

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.robertson().method
    'implicit'
    """
    known = exact((0.0, 0.0, -1e4 - 0.04), "eigenvalues at the state (0, 0, 1)", "in the limit")

    def field(a: Any, b: Any, c: Any, p: Any) -> Any:
        first, second = p["k"] * a - 1e4 * b * c, 3e7 * b**2
        return -first, first - second, second

    def reference(p: Any) -> Reference | None:
        return known if p["k"] == 0.04 else None

    return flow_of("Robertson's kinetics", field, (1.0, 0.0, 0.0), reference, dt=dt,
                   method="implicit", k=0.04)  # fmt: skip


@catalogued
def oregonator(*, dt: float = 0.5) -> CatalogFlow:
    r"""Return the Oregonator, a stiff model of the Belousov-Zhabotinsky reaction.

    .. math:: \dot x = 77.27\,(y + x (1 - 8.375 \cdot 10^{-6} x - y)), \quad
              \dot y = \frac{z - (1 + x)\,y}{77.27}, \quad \dot z = 0.161\,(x - z)

    Parameters
    ----------
    dt : float, optional
        Time between countings; the implicit method divides it.

    Notes
    -----
    A cycle of period 302.9 attracts. `reference` is None: no formula is known.

    References
    ----------
    R. J. Field and R. M. Noyes, J. Chem. Phys. 60, 1877 (1974); E. Hairer and G. Wanner, Solving
    Ordinary Differential Equations II (Springer, 1996), IV.10.

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.oregonator().dim
    3
    """

    def field(x: Any, y: Any, z: Any, p: Any) -> Any:
        s = p["s"]
        return s * (y + x * (1.0 - 8.375e-6 * x - y)), (z - (1.0 + x) * y) / s, 0.161 * (x - z)

    return flow_of("Oregonator", field, (4.0, 1.1, 4.0), dt=dt, method="implicit", s=77.27)


@catalogued
def brusselator(*, a: Any = 1.0, b: Any = 3.0, dt: float = 0.02) -> CatalogFlow:
    r"""Return the Brusselator.

    .. math:: \dot x = a + x^2 y - (b + 1)\,x, \qquad \dot y = b x - x^2 y

    Parameters
    ----------
    a, b : float or array, optional
        Below :math:`b = 1 + a^2` the state (a, b/a) attracts, and its exponents are known; beyond
        it a cycle does, and `reference` is None: no formula is known.
    dt : float, optional

    References
    ----------
    I. Prigogine and R. Lefever, J. Chem. Phys. 48, 1695 (1968).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.brusselator(b=1.5).reference.exponents
    (-0.25, -0.25)
    """

    def field(x: Any, y: Any, p: Any) -> Any:
        return p["a"] + x**2 * y - (p["b"] + 1.0) * x, p["b"] * x - x**2 * y

    def reference(p: Any) -> Reference | None:
        a, b = float(p["a"]), float(p["b"])
        trace, det = b - 1 - a**2, a**2
        if trace >= 0:
            return None
        root = anp.sqrt(complex(trace**2 / 4 - det)).real
        return exact((trace / 2 + root, trace / 2 - root), "eigenvalues at the state (a, b/a)")

    return flow_of("Brusselator", field, (1.2, 1.5), reference, dt=dt, a=a, b=b)
