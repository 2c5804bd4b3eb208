"""Hamiltonian flows, and thermostats."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp

from .reference import CatalogFlow, catalogued, exact, flow_of


@catalogued
def pendulum(*, dt: float = 0.05) -> CatalogFlow:
    r"""Return the pendulum: integrable, so that both exponents are 0.

    .. math:: H = p^2 / 2 - \cos q

    Parameters
    ----------
    dt : float, optional

    Notes
    -----
    Integrated by the leapfrog method. Tangent vectors grow linearly.

    References
    ----------
    V. I. Arnold, Mathematical Methods of Classical Mechanics (Springer, 1989).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.pendulum().reference.exponents
    (0.0, 0.0)
    """
    known = exact((0.0, 0.0), "integrable")

    def field(q: Any, v: Any, p: Any) -> Any:
        return v, -p["g"] * anp.sin(q)

    return flow_of("pendulum", field, (1.0, 0.0), lambda p: known, dt=dt, method="leapfrog", g=1.0)


@catalogued
def henon_heiles(*, dt: float = 0.05) -> CatalogFlow:
    r"""Return the Henon-Heiles system.

    .. math:: H = \tfrac12 (p_1^2 + p_2^2 + q_1^2 + q_2^2) + q_1^2 q_2 - q_2^3 / 3

    Parameters
    ----------
    dt : float, optional

    Notes
    -----
    Integrated by the leapfrog method, which keeps the energy; that of the system's own start is
    1/8, in the chaotic sea. `reference` is None: no formula is known; exponents depend on the
    orbit, come in pairs, and two are 0.

    References
    ----------
    M. Henon and C. Heiles, Astron. J. 69, 73 (1964).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.henon_heiles().method
    'leapfrog'
    """

    def field(q1: Any, q2: Any, p1: Any, p2: Any, p: Any) -> Any:
        e = p["coupling"]
        return p1, p2, -q1 - 2.0 * e * q1 * q2, -q2 - e * (q1**2 - q2**2)

    start = (0.0, -0.25, 0.42081, 0.0)
    return flow_of("Henon-Heiles system", field, start, dt=dt, method="leapfrog", coupling=1.0)


@catalogued
def double_pendulum(*, gravity: Any = 9.81, dt: float = 0.01) -> CatalogFlow:
    r"""Return the planar double pendulum, with equal masses and lengths of 1.

    Parameters
    ----------
    gravity : float or array, optional
        g.
    dt : float, optional

    Notes
    -----
    State: both angles from the vertical, and their velocities. It is integrated by the method of
    order 8, since its Hamiltonian is not separable. `reference` is None: no formula is known;
    exponents depend on the energy.

    References
    ----------
    T. Shinbrot, C. Grebogi, J. Wisdom and J. A. Yorke, Am. J. Phys. 60, 491 (1992).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.double_pendulum().dim
    4
    """

    def field(a: Any, b: Any, u: Any, v: Any, p: Any) -> Any:
        g, d = p["gravity"], a - b
        s, c = anp.sin(d), anp.cos(d)
        below = 2.0 - c**2
        first = (-g * (2.0 * anp.sin(a) - c * anp.sin(b)) - s * (v**2 + c * u**2)) / below
        second = (2.0 * g * (c * anp.sin(a) - anp.sin(b)) + s * (2.0 * u**2 + c * v**2)) / below
        return u, v, first, second

    start = (2.0, 2.5, 0.0, 0.0)
    return flow_of("double pendulum", field, start, dt=dt, method="dop853", gravity=gravity)


@catalogued
def nose_hoover(*, dt: float = 0.05) -> CatalogFlow:
    r"""Return the oscillator of Nose and Hoover, a conservative flow (Sprott's case A).

    .. math:: \dot x = y, \quad \dot y = -x + y z, \quad \dot z = 1 - y^2

    Parameters
    ----------
    dt : float, optional

    Notes
    -----
    Orbits stick to islands. `reference` is None: no formula is known, and the 0.0139 in print is
    an average over such times.

    References
    ----------
    W. G. Hoover, Phys. Rev. E 51, 759 (1995); J. C. Sprott, Phys. Rev. E 50, R647 (1994).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.nose_hoover().dim
    3
    """

    def field(x: Any, y: Any, z: Any, p: Any) -> Any:
        return y, -x + y * z, p["a"] - y**2

    return flow_of("Nose-Hoover oscillator", field, (0.0, 5.0, 0.0), dt=dt, a=1.0)
