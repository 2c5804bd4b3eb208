"""Stochastic equations."""

from __future__ import annotations

from typing import Any

import numpy as np

from .reference import CatalogNoisyFlow, Known, Reference, catalogued, exact, named, numbers


def _noisy(
    name: str,
    f: Any,
    G: Any,
    known: Known,
    dt: float,
    calculus: str,
    /,
    **params: Any,
) -> Any:
    """Return a stochastic equation for one variable."""

    def over(function: Any) -> Any:
        return lambda x, p: function(x, {key: value[..., None] for key, value in p.items()})

    system = CatalogNoisyFlow(
        over(f), over(G), 1, dt=dt, calculus=calculus, params=numbers(**params),
        vectorized=True,
    )  # fmt: skip
    return named(system, name, (0.1,), known)


@catalogued
def ornstein_uhlenbeck(
    *, rate: Any = 1.0, strength: Any = 0.5, dt: float = 0.01
) -> CatalogNoisyFlow:
    r"""Return the Ornstein-Uhlenbeck process.

    .. math:: dx = -\theta x\,dt + \sigma\,dW, \qquad \lambda = -\theta

    Parameters
    ----------
    rate, strength : float or array, optional
        :math:`\theta` and :math:`\sigma`.
    dt : float, optional

    References
    ----------
    G. E. Uhlenbeck and L. S. Ornstein, Phys. Rev. 36, 823 (1930).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.ornstein_uhlenbeck(rate=1.5).reference.exponents
    (-1.5,)
    """
    return _noisy(
        "Ornstein-Uhlenbeck process", lambda x, p: -p["rate"] * x,
        lambda x, p: p["strength"] + 0.0 * x,
        lambda p: exact(-float(p["rate"]), "the noise does not enter the tangent equation"), dt,
        "stratonovich", rate=rate, strength=strength,
    )  # fmt: skip


@catalogued
def geometric_brownian(
    *, drift: Any = 0.1, strength: Any = 0.5, calculus: str = "ito", dt: float = 0.01
) -> CatalogNoisyFlow:
    r"""Return geometric Brownian motion.

    .. math:: dx = a x\,dt + b x\,dW, \qquad \lambda = a - b^2 / 2 \ \text{(Ito)}, \quad
              a \ \text{(Stratonovich)}

    Parameters
    ----------
    drift, strength : float or array, optional
        a and b.
    calculus : {"ito", "stratonovich"}, optional
    dt : float, optional

    References
    ----------
    L. Arnold, Random Dynamical Systems (Springer, 1998).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.geometric_brownian().reference.exponents
    (-0.025,)
    """

    def reference(p: Any) -> Reference:
        a, b = float(p["drift"]), float(p["strength"])
        found = a - b**2 / 2 if calculus == "ito" else a
        return exact(found, "the logarithm is a Brownian motion with drift")

    return _noisy(
        "geometric Brownian motion", lambda x, p: p["drift"] * x, lambda x, p: p["strength"] * x,
        reference, dt, calculus, drift=drift, strength=strength,
    )  # fmt: skip


@catalogued
def noisy_double_well(*, strength: Any = 0.8, dt: float = 0.01) -> CatalogNoisyFlow:
    r"""Return a double well with additive noise.

    .. math:: dx = (x - x^3)\,dt + \sigma\,dW, \qquad
              \lambda = \langle 1 - 3 x^2 \rangle, \quad
              \rho \propto e^{(x^2 - x^4 / 2) / \sigma^2}

    Parameters
    ----------
    strength : float or array, optional
        :math:`\sigma`; without noise each well has -2, with it the exponent stays negative, so
        that all starts come together: noise destroys the two attractors.
    dt : float, optional

    References
    ----------
    H. Crauel and F. Flandoli, J. Dyn. Differ. Equ. 10, 259 (1998).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> round(catalog.noisy_double_well().reference.exponents[0], 4)
    -1.5341
    """

    def reference(p: Any) -> Reference:
        x = np.linspace(-8.0, 8.0, 40_001)
        log_density = (x**2 - x**4 / 2) / float(p["strength"]) ** 2
        density = np.exp(log_density - log_density.max())
        mean = float(np.sum((1 - 3 * x**2) * density) / density.sum())
        return exact(mean, "average over the stationary density")

    return _noisy(
        "double well with noise", lambda x, p: x - x**3, lambda x, p: p["strength"] + 0.0 * x,
        reference, dt, "stratonovich", strength=strength,
    )  # fmt: skip
