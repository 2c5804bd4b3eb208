"""Delay equations."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np
from scipy.special import lambertw

from .. import validate
from .reference import (
    CatalogDelayFlow,
    Known,
    Reference,
    catalogued,
    exact,
    named,
    numbers,
    tabulated,
)

#: The Mackey-Glass equation with a delay of 31.8.
_WOLF = Reference(
    (6.30e-3, 2.62e-3, 0.0, -1.39e-2),
    "A. Wolf, J. B. Swift, H. L. Swinney and J. A. Vastano, Physica D 16, 285 (1985), table I",
    False,
    (5e-5, 5e-5, 8e-6, 5e-4),
    "taken as nats per unit time, as which they agree with runs of lyapnet",
)

#: Exponents of a delay equation that a reference lists.
_LISTED = 7


def _delayed(
    name: str, field: Any, past: float, known: Known | None, n: int, delay: float, **params: Any
) -> Any:
    """Return a delay equation for one variable, with a constant past."""
    n = validate.integer("n", n, low=2)
    delay = validate.real("delay", delay, positive=True)

    def states(x: Any, late: Any, p: Any) -> Any:
        each = {key: value[..., None] for key, value in p.items()}
        return field(x, late, each)

    system = CatalogDelayFlow(
        states, 1, delays=delay, dt=delay / n, params=numbers(**params), vectorized=True
    )
    return named(system, name, system.history([past]), known)


@catalogued
def mackey_glass(
    n: int = 100, *, a: Any = 0.2, b: Any = 0.1, exponent: Any = 10.0, delay: float = 17.0
) -> CatalogDelayFlow:
    r"""Return the Mackey-Glass delay equation.

    .. math:: \dot x(t) = F(x(t - \tau)) - b\,x(t), \qquad F(x) = \frac{a x}{1 + x^{c}}

    Parameters
    ----------
    n : int, optional
        Steps per delay, at least 2.
    a, b, exponent : float or array, optional
        a, b and c.
    delay : float, optional
        :math:`\tau`.

    Notes
    -----
    The reference is that of a delay of 31.8, from print; for others it is None: no formula for the
    exponents is known.

    References
    ----------
    M. C. Mackey and L. Glass, Science 197, 287 (1977); J. D. Farmer, "Chaotic attractors of an
    infinite-dimensional dynamical system", Physica D 4, 366 (1982); A. Wolf, J. B. Swift, H. L.
    Swinney and J. A. Vastano, Physica D 16, 285 (1985), table I, for the reference.

    Examples
    --------
    >>> from lyapnet import catalog
    >>> system = catalog.mackey_glass()
    >>> system.delays, system.dt
    ((17.0,), 0.17)
    """
    standard = {"a": 0.2, "b": 0.1, "exponent": 10.0}
    known = tabulated(standard, _WOLF) if delay == 31.8 else None

    def field(x: Any, late: Any, p: Any) -> Any:
        return p["a"] * late / (1.0 + late ** p["exponent"]) - p["b"] * x

    return _delayed("Mackey-Glass equation", field, 0.9, known, n, delay, a=a, b=b,
                    exponent=exponent)  # fmt: skip


@catalogued
def linear_delay(
    n: int = 50, *, a: Any = 0.0, b: Any = -1.0, delay: float = 1.0
) -> CatalogDelayFlow:
    r"""Return the linear delay equation, whose exponents are all known.

    .. math:: \dot x(t) = a\,x(t) + b\,x(t - \tau), \qquad
              \lambda = \operatorname{Re} \left( a + W_k(b \tau e^{-a \tau}) / \tau \right)

    Parameters
    ----------
    n : int, optional
        Steps per delay, at least 2.
    a, b : float or array, optional
    delay : float, optional
        :math:`\tau`.

    References
    ----------
    R. M. Corless et al., Adv. Comput. Math. 5, 329 (1996), for Lambert's W.

    Examples
    --------
    >>> from lyapnet import catalog
    >>> [round(x, 4) for x in catalog.linear_delay().reference.exponents[:3]]
    [-0.3181, -0.3181, -2.0623]
    """

    def reference(p: Any) -> Reference | None:
        a, b = float(p["a"]), float(p["b"])
        branches = np.arange(-_LISTED, _LISTED + 1)
        roots = (a + lambertw(b * delay * np.exp(-a * delay), branches) / delay).real
        found = exact(np.sort(roots)[::-1][:_LISTED], "roots of s = a + b exp(-s tau), Lambert's W")
        return found if b else None

    def field(x: Any, late: Any, p: Any) -> Any:
        return p["a"] * x + p["b"] * late

    return _delayed("linear delay equation", field, 1.0, reference, n, delay, a=a, b=b)


@catalogued
def ikeda_delay(n: int = 50, *, mu: Any = 20.0, delay: float = 2.0) -> CatalogDelayFlow:
    r"""Return Ikeda's delay equation of an optical resonator.

    .. math:: \dot x(t) = -x(t) + \mu \sin x(t - \tau)

    Parameters
    ----------
    n : int, optional
        Steps per delay, at least 2.
    mu : float or array, optional
    delay : float, optional
        :math:`\tau`.

    Notes
    -----
    `reference` is None: no formula for the exponents is known.

    References
    ----------
    K. Ikeda and K. Matsumoto, Physica D 29, 223 (1987).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.ikeda_delay().visible
    slice(0, 1, None)
    """

    def field(x: Any, late: Any, p: Any) -> Any:
        return -x + p["mu"] * anp.sin(late)

    return _delayed("Ikeda's delay equation", field, 0.7, None, n, delay, mu=mu)
