"""Systems of the catalog with as many dimensions as one likes."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp
import numpy as np

from .. import validate
from ..numerics.autodiff import is_traced
from .reference import (
    CatalogFlow,
    CatalogMap,
    Reference,
    catalogued,
    exact,
    named,
    numbers,
    tabulated,
)


@catalogued
def lorenz96(n: int = 40, *, forcing: Any = 8.0, dt: float = 0.05) -> CatalogFlow:
    r"""Return the Lorenz-96 model.

    .. math:: \dot x_i = (x_{i+1} - x_{i-2})\, x_{i-1} - x_i + F, \qquad i \bmod n

    Parameters
    ----------
    n : int, optional
        Number of sites, at least 4. The exponents add up to -n.
    forcing : float or array, optional
        F.
    dt : float, optional
        Time step of the integrator.

    References
    ----------
    E. N. Lorenz, "Predictability: a problem partly solved", Proc. Seminar on Predictability
    (ECMWF, 1996); E. N. Lorenz and K. A. Emanuel, J. Atmos. Sci. 55, 399 (1998).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.lorenz96(40).reference.exponents
    (1.65,)
    """
    n = validate.integer("n", n, low=4)

    def field(x: Any, p: Any) -> Any:
        difference = anp.roll(x, -1, axis=-1) - anp.roll(x, 2, axis=-1)
        return difference * anp.roll(x, 1, axis=-1) - x + p["forcing"][..., None]

    published = Reference(
        (1.65,),
        "E. N. Lorenz and K. A. Emanuel, J. Atmos. Sci. 55, 399 (1998)",
        False,
        (0.04,),
        "from the doubling time of errors, 2.1 days of 0.2 time units",
    )
    params = numbers(forcing=forcing)
    # Without a Jacobian: an array of n^2 numbers, of which four in a row are not zero, has too many
    # operations for a compiled loop, and for many sites costs more than carrying few vectors.
    system = CatalogFlow(field, n, dt=dt, params=params, vectorized=True)
    start = 8.0 * np.sin(np.arange(n) ** 2)
    known = tabulated({"forcing": 8.0}, published) if n == 40 else None
    return named(system, f"Lorenz-96 model of {n} sites", start, known)


@catalogued
def bernoulli_lattice(n: int = 16, *, coupling: Any = 0.1) -> CatalogMap:
    r"""Return a ring of coupled doubling maps, whose whole spectrum is known.

    .. math:: x_i' = (1 - \epsilon)\,y_i + \tfrac{\epsilon}{2} (y_{i-1} + y_{i+1}), \qquad
              y = 2 x \bmod 1

    Parameters
    ----------
    n : int, optional
        Number of sites, at least 3.
    coupling : float or array, optional
        :math:`\epsilon`, in (0, 1), and not a fraction with a power of two below: then sums
        are exact, and the doubling would run out of digits as that of :func:`tent` on [0, 1].

    Notes
    -----
    The Jacobian is the same everywhere; the exponents are
    :math:`\log |2 (1 - \epsilon + \epsilon \cos (2\pi j / n))|`.

    References
    ----------
    S. Isola, A. Politi, S. Ruffo and A. Torcini, "Lyapunov spectra of coupled map lattices",
    Phys. Lett. A 143, 365 (1990).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> [round(x, 3) for x in catalog.bernoulli_lattice(4).reference.exponents]
    [0.693, 0.588, 0.588, 0.47]
    """
    n = validate.integer("n", n, low=3)
    kind = np.eye(n, dtype=int)  # of each entry of the Jacobian: elsewhere, the site, a neighbour
    kind = kind + 2 * (np.roll(kind, 1, axis=1) + np.roll(kind, -1, axis=1))

    def step(x: Any, p: Any) -> Any:
        y = 2.0 * x
        y, e = y - anp.floor(y), p["coupling"][..., None]
        return (1.0 - e) * y + e * (0.5 * (anp.roll(y, 1, axis=-1) + anp.roll(y, -1, axis=-1)))

    def jacobian(x: Any, p: Any) -> Any:
        e = p["coupling"][..., None]  # compiled loops leave out what is the number zero
        entries = anp.concatenate([np.zeros(np.shape(e)), 2.0 * (1.0 - e), e], axis=-1)
        return entries[..., kind]

    def known(p: Any) -> Reference:
        e, phases = float(p["coupling"]), 2 * np.pi * np.arange(n) / n
        growth = np.abs(2.0 * (1.0 - e + e * np.cos(phases)))
        with np.errstate(divide="ignore"):
            return exact(np.log(growth), "log |eigenvalues| of the constant circulant Jacobian")

    params = numbers(coupling=coupling)
    system = CatalogMap(step, n, jacobian=jacobian, params=params, vectorized=True)
    start = np.sqrt(np.arange(2, n + 2)) * (np.sqrt(5) - 2)
    return named(system, f"lattice of {n} doubling maps", start - np.floor(start), known)


@catalogued
def coupled_logistic(n: int = 32, *, r: Any = 4.0, coupling: Any = 0.1) -> CatalogMap:
    r"""Return Kaneko's lattice of coupled logistic maps.

    .. math:: x_i' = (1 - \epsilon)\,f(x_i) + \tfrac{\epsilon}{2} (f(x_{i-1}) + f(x_{i+1})), \qquad
              f(x) = r x (1 - x)

    Parameters
    ----------
    n : int, optional
        Number of sites on the ring, at least 3.
    r, coupling : float or array, optional
        r and :math:`\epsilon`.

    Notes
    -----
    `reference` is None: no formula is known where the coupling is not 0.

    References
    ----------
    K. Kaneko, Prog. Theor. Phys. 72, 480 (1984).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.coupled_logistic(8).dim
    8
    """
    n = validate.integer("n", n, low=3)

    def step(x: Any, p: Any) -> Any:
        e = p["coupling"][..., None]
        y = p["r"][..., None] * x * (1.0 - x)
        return (1.0 - e) * y + 0.5 * e * (anp.roll(y, 1, axis=-1) + anp.roll(y, -1, axis=-1))

    params = numbers(r=r, coupling=coupling)
    system = CatalogMap(step, n, params=params, vectorized=True)
    start = np.sqrt(np.arange(2, n + 2)) * (np.sqrt(5) - 2)
    return named(system, f"lattice of {n} logistic maps", start - np.floor(start))


@catalogued
def kuramoto(
    n: int = 10, *, coupling: Any = 1.0, frequencies: Any = None, dt: float = 0.05
) -> CatalogFlow:
    r"""Return Kuramoto's globally coupled phase oscillators.

    .. math:: \dot \theta_i = \omega_i + \frac{K}{n} \sum_j \sin(\theta_j - \theta_i)

    Parameters
    ----------
    n : int, optional
    coupling : float or array, optional
        K.
    frequencies : array (n,), optional
        :math:`\omega_i`; default evenly spaced from -1 to 1.
    dt : float, optional

    Notes
    -----
    The reference is known for equal frequencies and K > 0, where all phases come together. It is
    None otherwise: no formula is known. Phases are not wrapped.

    References
    ----------
    Y. Kuramoto, Chemical Oscillations, Waves, and Turbulence (Springer, 1984); O. V. Popovych,
    Y. L. Maistrenko and P. A. Tass, Phys. Rev. E 71, 065201 (2005), for its phase chaos.

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.kuramoto(3, frequencies=[0, 0, 0]).reference.exponents
    (0.0, -1.0, -1.0)
    """
    omega = np.linspace(-1.0, 1.0, validate.integer("n", n, low=2))
    if frequencies is not None:
        omega = validate.array("frequencies", frequencies, ndim=1)
        validate.trailing("frequencies", omega, n, "the number of oscillators")

    def field(x: Any, p: Any) -> Any:
        s, c = anp.sin(x), anp.cos(x)
        mean_s, mean_c = anp.mean(s, axis=-1)[..., None], anp.mean(c, axis=-1)[..., None]
        return p["frequencies"] + p["coupling"][..., None] * (mean_s * c - mean_c * s)

    def known(p: Any) -> Reference | None:
        K = float(p["coupling"])
        if np.ptp(p["frequencies"]) or K <= 0:
            return None
        return exact([0.0, *[-K] * (n - 1)], "the synchronous state attracts")

    params = {"frequencies": omega, **numbers(coupling=coupling)}
    system = CatalogFlow(field, n, dt=dt, params=params, vectorized=True)
    name = f"{n} Kuramoto oscillators"
    return named(system, name, np.linspace(0.0, 1.0, n), known, {"frequencies": 1})


@catalogued
def rate_network(
    n: int = 100, *, gain: Any = 2.0, leak: Any = 1.0, dt: float = 0.1, W: Any = None, rng: Any = 0
) -> CatalogFlow:
    r"""Return a random network of rate units in continuous time.

    .. math:: \dot x = -\alpha\,x + g\,W \tanh x, \qquad W_{ij} \sim N(0, 1/n)

    Parameters
    ----------
    n : int, optional
        Number of units.
    gain, leak : float or array, optional
        g and :math:`\alpha`: large networks are chaotic for :math:`g > \alpha`.
    dt : float, optional
        Time step of the integrator.
    W : array (..., n, n), optional
        Weights instead of random ones.
    rng : None, int or Generator, optional
        Where weights and initial state come from; by default the same network every time.

    Notes
    -----
    The reference is known where the network contracts, :math:`g \|W\| < \alpha`: the real parts
    of the eigenvalues of :math:`-\alpha + g W`. It is None otherwise, as by default: in chaos no
    formula is known, and each draw of W has exponents of its own.

    References
    ----------
    H. Sompolinsky, A. Crisanti and H. J. Sommers, "Chaos in random neural networks", Phys.
    Rev. Lett. 61, 259 (1988); R. Engelken, F. Wolf and L. F. Abbott, "Lyapunov spectra of
    chaotic recurrent neural networks", Phys. Rev. Research 5, 043044 (2023).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> round(catalog.rate_network(50, gain=0.0, leak=2.0).reference.exponents[0], 6)
    -2.0
    """
    generator = validate.generator(rng)
    if W is None:
        n = validate.integer("n", n, low=1)
        W = generator.standard_normal((n, n)) / np.sqrt(n)
    elif not is_traced(W):
        W = validate.array("W", W, least=2)
        n = W.shape[-1]
        if W.shape[-2] != n:
            raise ValueError(f"`W` must have shape (..., n, n), got {W.shape}")
    else:
        n = W.shape[-1]

    def field(x: Any, p: Any) -> Any:
        recurrent = anp.matmul(p["W"], anp.tanh(x)[..., None])[..., 0]
        return p["gain"][..., None] * recurrent - p["leak"][..., None] * x

    def jacobian(x: Any, p: Any) -> Any:
        slope = p["gain"][..., None] * (1.0 - anp.tanh(x) ** 2)
        return p["W"] * slope[..., None, :] - p["leak"][..., None, None] * np.eye(n)

    def known(p: Any) -> Reference | None:
        weights = p["gain"] * p["W"]
        if np.linalg.norm(weights, 2) >= p["leak"]:
            return None
        rates = np.linalg.eigvals(weights).real - p["leak"]
        return exact(rates, "real parts of the eigenvalues at the globally stable state 0")

    params = {"W": W, **numbers(gain=gain, leak=leak)}
    system = CatalogFlow(field, n, dt=dt, jacobian=jacobian, params=params, vectorized=True)
    start = generator.standard_normal(n)
    return named(system, f"rate network of {n} units", start, known, {"W": 2})
