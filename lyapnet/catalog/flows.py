"""Flows of the catalog, integrated by the classical Runge-Kutta method."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from .. import validate
from ..numerics.autodiff import is_traced, value
from .maps import SPROTT
from .reference import (
    CatalogFlow,
    Reference,
    catalogued,
    exact,
    matrix,
    named,
    numbers,
    tabulated,
    vector,
)


@catalogued
def lorenz63(
    *, sigma: Any = 10.0, rho: Any = 28.0, beta: Any = 8.0 / 3.0, dt: float = 0.01
) -> CatalogFlow:
    r"""Return the Lorenz system of 1963.

    .. math:: \dot x = \sigma (y - x), \quad \dot y = x (\rho - z) - y, \quad
              \dot z = x y - \beta z

    Parameters
    ----------
    sigma, rho, beta : float or array, optional
        The exponents add up to :math:`-(\sigma + 1 + \beta)`.
    dt : float, optional
        Time step of the integrator.

    References
    ----------
    E. N. Lorenz, J. Atmos. Sci. 20, 130 (1963).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.lorenz63().reference.exponents
    (0.90563, 0.0, -14.5723)
    """

    def field(x: Any, p: Any) -> Any:
        x, y, z = x[..., 0], x[..., 1], x[..., 2]
        return vector(p["sigma"] * (y - x), x * (p["rho"] - z) - y, x * y - p["beta"] * z)

    def jacobian(x: Any, p: Any) -> Any:
        x, y, z = x[..., 0], x[..., 1], x[..., 2]
        return matrix((-p["sigma"], p["sigma"], 0.0), (p["rho"] - z, -1.0, -x), (y, x, -p["beta"]))

    published = Reference(
        (0.90563, 0.0, -14.57230),
        'D. Viswanath, "Lyapunov exponents from random Fibonacci sequences to the Lorenz '
        f'equations" (PhD thesis, Cornell, 1998); {SPROTT}: 0.9056, 0, -14.5723',
        False,
        (1e-4, 0.0, 1e-4),
        "the sum is -41/3 exactly",
    )
    params = numbers(sigma=sigma, rho=rho, beta=beta)
    system = CatalogFlow(field, 3, dt=dt, jacobian=jacobian, params=params, vectorized=True)
    known = tabulated({"sigma": 10.0, "rho": 28.0, "beta": 8.0 / 3.0}, published)
    return named(system, "Lorenz system (1963)", (-5.8, -5.8, 24.0), known)


@catalogued
def roessler(*, a: Any = 0.2, b: Any = 0.2, c: Any = 5.7, dt: float = 0.02) -> CatalogFlow:
    r"""Return the Rössler system.

    .. math:: \dot x = -y - z, \quad \dot y = x + a y, \quad \dot z = b + z (x - c)

    Parameters
    ----------
    a, b, c : float or array, optional
    dt : float, optional
        Time step of the integrator.

    References
    ----------
    O. E. Rössler, "An equation for continuous chaos", Phys. Lett. A 57, 397 (1976).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.roessler().reference.exponents
    (0.0714, 0.0, -5.3943)
    """

    def field(x: Any, p: Any) -> Any:
        x, y, z = x[..., 0], x[..., 1], x[..., 2]
        return vector(-y - z, x + p["a"] * y, p["b"] + z * (x - p["c"]))

    def jacobian(x: Any, p: Any) -> Any:
        x, z = x[..., 0], x[..., 2]
        return matrix((0.0, -1.0, -1.0), (1.0, p["a"], 0.0), (z, 0.0, x - p["c"]))

    published = Reference((0.0714, 0.0, -5.3943), SPROTT, False, (1e-4, 0.0, 1e-4))
    params = numbers(a=a, b=b, c=c)
    system = CatalogFlow(field, 3, dt=dt, jacobian=jacobian, params=params, vectorized=True)
    known = tabulated({"a": 0.2, "b": 0.2, "c": 5.7}, published)
    return named(system, "Rössler system", (-9.0, 0.0, 0.0), known)


@catalogued
def hyperchaotic_roessler(
    *, a: Any = 0.25, b: Any = 3.0, c: Any = 0.5, d: Any = 0.05, dt: float = 0.005
) -> CatalogFlow:
    r"""Return Rössler's hyperchaotic flow: two positive exponents in four dimensions.

    .. math:: \dot x = -y - z, \quad \dot y = x + a y + w, \quad \dot z = b + x z, \quad
              \dot w = d w - c z

    Parameters
    ----------
    a, b, c, d : float or array, optional
    dt : float, optional
        Time step of the integrator; z decays at rates of up to 150.

    Notes
    -----
    The basin is narrow: start at most about 1 away from the system's own state.

    References
    ----------
    O. E. Rössler, "An equation for hyperchaos", Phys. Lett. A 71, 155 (1979).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.hyperchaotic_roessler().reference.exponents  # the leading three
    (0.111, 0.021, 0.0)
    """

    def field(x: Any, p: Any) -> Any:
        x, y, z, w = (x[..., i] for i in range(4))
        return vector(-y - z, x + p["a"] * y + w, p["b"] + x * z, p["d"] * w - p["c"] * z)

    def jacobian(x: Any, p: Any) -> Any:
        x, z = x[..., 0], x[..., 2]
        return matrix(
            (0.0, -1.0, -1.0, 0.0),
            (1.0, p["a"], 0.0, 1.0),
            (z, 0.0, x, 0.0),
            (0.0, 0.0, -p["c"], p["d"]),
        )

    published = Reference(
        (0.111, 0.021, 0.0),
        "A. Wolf, J. B. Swift, H. L. Swinney and J. A. Vastano, Physica D 16, 285 (1985): 0.16, "
        "0.03 and 0 bits per unit time",
        False,
        (0.0035, 0.0035, 0.0),
    )
    standard = {"a": 0.25, "b": 3.0, "c": 0.5, "d": 0.05}
    params = numbers(a=a, b=b, c=c, d=d)
    system = CatalogFlow(field, 4, dt=dt, jacobian=jacobian, params=params, vectorized=True)
    start = (-10.0, -6.0, 0.0, 10.0)
    return named(system, "hyperchaotic Rössler flow", start, tabulated(standard, published))


@catalogued
def linear_flow(matrix: Any = None, *, dt: float = 0.01) -> CatalogFlow:
    r"""Return a linear flow, whose exponents are the real parts of eigenvalues.

    .. math:: \dot x = A x

    Parameters
    ----------
    matrix : array_like (..., n, n), optional
        A; by default a damped rotation, coupled one-way to a slower and a faster decay.
    dt : float, optional
        Time step of the integrator.

    Notes
    -----
    The initial state is the fixed point 0: the tangent flow is the same everywhere, and an
    unstable flow would run away from any other. The integrated flow has the exponents
    :math:`\log |p(a\,\Delta t)| / \Delta t` of the Taylor polynomial p of fourth order, close to
    Re a by order :math:`|a|^5 \Delta t^4 / 120`.

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.linear_flow([[-1, 5], [0, -2]]).reference.exponents
    (-1.0, -2.0)
    """
    if matrix is None:
        matrix = [
            [0.2, 1.0, 0.5, 0.0],
            [-1.0, 0.2, 0.0, 0.3],
            [0.0, 0.0, -0.1, 0.4],
            [0.0, 0.0, 0.0, -1.0],
        ]
    A = matrix if is_traced(matrix) else validate.array("matrix", matrix, least=2)
    n = np.shape(value(A))[-1]
    if np.shape(value(A))[-2] != n:
        raise ValueError(f"`matrix` must have shape (..., n, n), got {np.shape(value(A))}")

    def field(x: Any, p: Any) -> Any:
        return anp.matmul(p["matrix"], x[..., None])[..., 0]

    def jacobian(x: Any, p: Any) -> Any:
        return p["matrix"]

    def known(p: Any) -> Reference:
        return exact(np.linalg.eigvals(p["matrix"]).real, "real parts of the eigenvalues")

    params = {"matrix": A}
    system = CatalogFlow(field, n, dt=dt, jacobian=jacobian, params=params, vectorized=True)
    return named(system, "linear flow", np.zeros(n), known, {"matrix": 2})
