"""Smooth maps of the catalog."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from .. import validate
from .reference import (
    CatalogMap,
    Reference,
    catalogued,
    exact,
    matrix,
    named,
    numbers,
    tabulated,
    vector,
)

SPROTT = 'J. C. Sprott, "Chaos and Time-Series Analysis" (Oxford University Press, 2003), App. A'


@catalogued
def henon(*, a: Any = 1.4, b: Any = 0.3) -> CatalogMap:
    r"""Return the Hénon map.

    .. math:: x' = 1 - a x^2 + y, \qquad y' = b x

    Parameters
    ----------
    a, b : float or array, optional
        The exponents add up to :math:`\log |b|`.

    References
    ----------
    M. Hénon, "A two-dimensional mapping with a strange attractor", Commun. Math. Phys. 50,
    69 (1976).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.henon().reference.exponents
    (0.419217, -1.62319)
    """

    def step(x: Any, p: Any) -> Any:
        first = x[..., 0]
        return vector(1.0 - p["a"] * first * first + x[..., 1], p["b"] * first)

    def jacobian(x: Any, p: Any) -> Any:
        return matrix((-2.0 * p["a"] * x[..., 0], 1.0), (p["b"], 0.0))

    published = Reference(
        (0.419217, -1.623190),
        f"{SPROTT}: 0.41922, -1.62319; further digit: average of long runs",
        False,
        (2e-6, 2e-6),
        "the sum is log 0.3 exactly",
    )
    params = numbers(a=a, b=b)
    system = CatalogMap(step, 2, jacobian=jacobian, params=params, vectorized=True)
    known = tabulated({"a": 1.4, "b": 0.3}, published)
    return named(system, "Hénon map", (0.1, 0.1), known)


@catalogued
def logistic(*, r: Any = 4.0) -> CatalogMap:
    r"""Return the logistic map.

    .. math:: x' = r x (1 - x)

    Parameters
    ----------
    r : float or array, optional
        In (0, 4]. The exponent is known at 4, and below :math:`1 + \sqrt 6`, where the
        attractor is a fixed point or an orbit of period 2.

    References
    ----------
    S. M. Ulam and J. von Neumann, Bull. Am. Math. Soc. 53, 1120 (1947); R. M. May, Nature 261,
    459 (1976).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.logistic(r=4).reference.exponents  # log 2
    (0.6931471805599453,)
    """

    def step(x: Any, p: Any) -> Any:
        x = x[..., 0]
        return (p["r"] * (x * (1.0 - x)))[..., None]

    def jacobian(x: Any, p: Any) -> Any:
        return (p["r"] * (1.0 - 2.0 * x[..., 0]))[..., None, None]

    system = CatalogMap(step, 1, jacobian=jacobian, params=numbers(r=r), vectorized=True)
    return named(system, "logistic map", (0.3,), _logistic_known)


def _logistic_known(p: Any) -> Reference | None:
    r = float(p["r"])
    with np.errstate(divide="ignore"):
        if r == 4:
            source = "S. M. Ulam and J. von Neumann, Bull. Am. Math. Soc. 53, 1120 (1947)"
            return exact(np.log(2.0), source, "conjugate to the tent map")
        if 0 < r <= 1:
            return exact(np.log(r), "multiplier of the fixed point 0")
        if 1 < r <= 3:
            return exact(np.log(abs(2.0 - r)), "multiplier of the fixed point 1 - 1/r")
        if 3 < r <= 1 + np.sqrt(6):
            multiplier = abs(4.0 + 2.0 * r - r * r)
            return exact(0.5 * np.log(multiplier), "multiplier of the orbit of period 2")
    return None


@catalogued
def standard(*, k: Any = 10.0) -> CatalogMap:
    r"""Return Chirikov's standard map, on the torus.

    .. math:: p' = p + k \sin\theta, \qquad \theta' = \theta + p' \pmod{2\pi}

    Parameters
    ----------
    k : float or array, optional
        Strength of the kicks. At 10 hardly any island is left. Near 1 orbits stick to islands
        for so long that averages are no reference: [1]_ lists 0.105 at 1, whereas 400 orbits
        give 0.139 after 2e4 steps and 0.131, still falling, after 6e4.

    Notes
    -----
    State :math:`(\theta, p)`. The exponents are those of the chaotic sea; they add up to 0.

    References
    ----------
    B. V. Chirikov, Phys. Rep. 52, 263 (1979).

    .. [1] J. C. Sprott, "Chaos and Time-Series Analysis" (Oxford University Press, 2003), App. A.

    Examples
    --------
    >>> from lyapnet import catalog
    >>> [round(x, 2) for x in catalog.standard(k=10).reference.exponents]
    [1.62, -1.62]
    """

    def step(x: Any, p: Any) -> Any:
        momentum = _turn(x[..., 1] + p["k"] * anp.sin(x[..., 0]))
        return vector(_turn(x[..., 0] + momentum), momentum)

    def jacobian(x: Any, p: Any) -> Any:
        kick = p["k"] * anp.cos(x[..., 0])
        return matrix((1.0 + kick, 1.0), (kick, 1.0))

    system = CatalogMap(step, 2, jacobian=jacobian, params=numbers(k=k), vectorized=True)
    return named(system, "standard map", (0.1, 0.1), _standard_known)


def _turn(angle: Any) -> Any:
    """Bring an angle to [0, 2π)."""
    return angle - 2 * np.pi * anp.floor(angle / (2 * np.pi))


def _standard_known(p: Any) -> Reference | None:
    k = float(p["k"])
    if k >= 8:
        growth = float(np.log(k / 2) + 1 / (k * k - 4))
        return Reference(
            (growth, -growth),
            "S. Tomsovic and A. Lakshminarayan, Phys. Rev. E 76, 036207 (2007); log(k/2) is "
            "B. V. Chirikov's, Phys. Rep. 52, 263 (1979)",
            False,
            (0.005, 0.005),
            "asymptotic for large k: log(k/2) + 1/(k² - 4), islands disregarded",
        )
    return None


@catalogued
def generalized_henon(n: int = 3, *, a: Any = 1.76, b: Any = 0.1) -> CatalogMap:
    r"""Return the generalised Hénon map: up to n - 1 positive exponents in n dimensions.

    .. math:: x_1' = a - x_{n-1}^2 - b x_n, \qquad x_i' = x_{i-1}

    Parameters
    ----------
    n : int, optional
        Dimension, at least 2.
    a, b : float or array, optional
        The exponents add up to :math:`\log |b|`.

    Notes
    -----
    `reference` is None: no formula for the exponents is known, and no table of them is taken up
    here. Their sum is exact.

    References
    ----------
    G. Baier and M. Klein, "Maximum hyperchaos in generalized Hénon maps", Phys. Lett. A 151,
    281 (1990).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.generalized_henon(4).dim
    4
    """
    n = validate.integer("n", n, low=2)

    def step(x: Any, p: Any) -> Any:
        first = p["a"] - x[..., n - 2] ** 2 - p["b"] * x[..., n - 1]
        return vector(first, *(x[..., i] for i in range(n - 1)))

    def jacobian(x: Any, p: Any) -> Any:
        first = [0.0] * (n - 2) + [-2.0 * x[..., n - 2], -p["b"]]
        return matrix(tuple(first), *(tuple(row) for row in np.eye(n)[:-1]))

    system = CatalogMap(step, n, jacobian=jacobian, params=numbers(a=a, b=b), vectorized=True)
    return named(system, f"generalised Hénon map of dimension {n}", np.linspace(0.1, 0.3, n))
