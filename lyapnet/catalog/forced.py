"""Flows that are forced in time."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp

from .maps import SPROTT
from .reference import CatalogFlow, catalogued, flow_of, published


@catalogued
def duffing(
    *, damping: Any = 0.25, amplitude: Any = 0.4, frequency: Any = 1.0, dt: float = 0.05
) -> CatalogFlow:
    r"""Return Duffing's oscillator with two wells, forced.

    .. math:: \ddot x + \delta \dot x - x + x^3 = \gamma \cos \omega t

    Parameters
    ----------
    damping, amplitude, frequency : float or array, optional
        :math:`\delta, \gamma, \omega`; the exponents add up to :math:`-\delta`.
    dt : float, optional

    Notes
    -----
    `reference` is None: no formula is known, but for the sum.

    References
    ----------
    P. Holmes, Philos. Trans. R. Soc. A 292, 419 (1979).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.duffing().time
    True
    """

    def field(x: Any, v: Any, t: Any, p: Any) -> Any:
        force = p["amplitude"] * anp.cos(p["frequency"] * t)
        return v, -p["damping"] * v + x - x**3 + force

    return flow_of("Duffing's oscillator", field, (0.2, 0.0), dt=dt, time=True, damping=damping,
                   amplitude=amplitude, frequency=frequency)  # fmt: skip


@catalogued
def ueda(*, damping: Any = 0.05, amplitude: Any = 7.5, dt: float = 0.02) -> CatalogFlow:
    r"""Return Ueda's oscillator.

    .. math:: \ddot x + k \dot x + x^3 = B \cos t

    Parameters
    ----------
    damping, amplitude : float or array, optional
        k and B; the exponents add up to -k.
    dt : float, optional

    References
    ----------
    Y. Ueda, J. Stat. Phys. 20, 181 (1979).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.ueda().reference.exponents
    (0.1034, -0.1534)
    """
    known = published({"damping": 0.05, "amplitude": 7.5}, (0.1034, -0.1534), SPROTT, 4)

    def field(x: Any, v: Any, t: Any, p: Any) -> Any:
        return v, -p["damping"] * v - x**3 + p["amplitude"] * anp.cos(t)

    return flow_of("Ueda's oscillator", field, (2.5, 0.0), known, dt=dt, time=True,
                   damping=damping, amplitude=amplitude)  # fmt: skip


@catalogued
def forced_van_der_pol(
    *, mu: Any = 5.0, amplitude: Any = 5.0, frequency: Any = 2.466, dt: float = 0.02
) -> CatalogFlow:
    r"""Return van der Pol's oscillator, forced.

    .. math:: \ddot x - \mu (1 - x^2)\,\dot x + x = a \cos \omega t

    Parameters
    ----------
    mu, amplitude, frequency : float or array, optional
        :math:`\mu, a, \omega`; the defaults are among the few that are chaotic.
    dt : float, optional

    Notes
    -----
    `reference` is None: no formula is known.

    References
    ----------
    U. Parlitz and W. Lauterborn, Phys. Rev. A 36, 1428 (1987).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.forced_van_der_pol().dim
    2
    """

    def field(x: Any, v: Any, t: Any, p: Any) -> Any:
        force = p["amplitude"] * anp.cos(p["frequency"] * t)
        return v, p["mu"] * (1.0 - x**2) * v - x + force

    return flow_of("van der Pol's oscillator, forced", field, (1.0, 0.0), dt=dt, time=True,
                   mu=mu, amplitude=amplitude, frequency=frequency)  # fmt: skip


@catalogued
def driven_pendulum(
    *, damping: Any = 0.05, amplitude: Any = 0.6, frequency: Any = 0.7, dt: float = 0.05
) -> CatalogFlow:
    r"""Return the damped, driven pendulum.

    .. math:: \ddot \theta + b \dot \theta + \sin \theta = A \sin \omega t

    Parameters
    ----------
    damping, amplitude, frequency : float or array, optional
        b, A and :math:`\omega`; the exponents add up to -b.
    dt : float, optional

    Notes
    -----
    `reference` is None: no formula is known, but for the sum. The angle is not wrapped.

    References
    ----------
    G. L. Baker and J. P. Gollub, Chaotic Dynamics (Cambridge, 1996).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.driven_pendulum().dim
    2
    """

    def field(x: Any, v: Any, t: Any, p: Any) -> Any:
        force = p["amplitude"] * anp.sin(p["frequency"] * t)
        return v, -p["damping"] * v - anp.sin(x) + force

    return flow_of("driven pendulum", field, (0.1, 0.0), dt=dt, time=True, damping=damping,
                   amplitude=amplitude, frequency=frequency)  # fmt: skip
