"""Models of neurons and of populations of them."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp

from .reference import CatalogFlow, catalogued, flow_of


@catalogued
def hindmarsh_rose(
    *, current: Any = 3.25, r: Any = 0.006, s: Any = 4.0, dt: float = 0.05
) -> CatalogFlow:
    r"""Return the bursting neuron of Hindmarsh and Rose.

    .. math:: \dot x = y + 3 x^2 - x^3 - z + I, \quad \dot y = 1 - 5 x^2 - y, \quad
              \dot z = r\,(s\,(x + 1.6) - z)

    Parameters
    ----------
    current, r, s : float or array, optional
        I, r and s; at I = 3.25 bursts are chaotic.
    dt : float, optional

    Notes
    -----
    `reference` is None: no formula is known.

    References
    ----------
    J. L. Hindmarsh and R. M. Rose, Proc. R. Soc. B 221, 87 (1984).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.hindmarsh_rose().dim
    3
    """

    def field(x: Any, y: Any, z: Any, p: Any) -> Any:
        slow = p["r"] * (p["s"] * (x + 1.6) - z)
        return y + 3.0 * x**2 - x**3 - z + p["current"], 1.0 - 5.0 * x**2 - y, slow

    return flow_of("Hindmarsh-Rose neuron", field, (-1.0, -3.0, 3.0), dt=dt, current=current, r=r,
                   s=s)  # fmt: skip


@catalogued
def fitzhugh_nagumo(*, current: Any = 0.5, dt: float = 0.1) -> CatalogFlow:
    r"""Return the neuron of FitzHugh and Nagumo.

    .. math:: \dot v = v - v^3 / 3 - w + I, \qquad \dot w = 0.08\,(v + 0.7 - 0.8 w)

    Parameters
    ----------
    current : float or array, optional
        I; at 0.5 a cycle attracts.
    dt : float, optional

    Notes
    -----
    `reference` is None: no formula is known, but for the zero along the cycle.

    References
    ----------
    R. FitzHugh, Biophys. J. 1, 445 (1961); J. Nagumo, S. Arimoto and S. Yoshizawa, Proc. IRE 50,
    2061 (1962).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.fitzhugh_nagumo().dim
    2
    """

    def field(v: Any, w: Any, p: Any) -> Any:
        return v - v**3 / 3.0 - w + p["current"], 0.08 * (v + 0.7 - 0.8 * w)

    return flow_of("FitzHugh-Nagumo neuron", field, (1.0, 0.5), dt=dt, current=current)


@catalogued
def wilson_cowan(*, drive: Any = 1.25, dt: float = 0.1) -> CatalogFlow:
    r"""Return the populations of Wilson and Cowan, excitatory and inhibitory.

    .. math:: \dot E = -E + (1 - E)\,S_e(16 E - 12 I + P), \qquad
              \dot I = -I + (1 - I)\,S_i(15 E - 3 I)

    with :math:`S(x) = 1 / (1 + e^{-a (x - \theta)}) - 1 / (1 + e^{a \theta})`, a = 1.3 and 2,
    :math:`\theta` = 4 and 3.7.

    Parameters
    ----------
    drive : float or array, optional
        P; at 1.25 a cycle attracts.
    dt : float, optional

    Notes
    -----
    `reference` is None: no formula is known, but for the zero along the cycle.

    References
    ----------
    H. R. Wilson and J. D. Cowan, Biophys. J. 12, 1 (1972), figure 11.

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.wilson_cowan().dim
    2
    """

    def sigmoid(x: Any, a: float, theta: float) -> Any:
        return 1.0 / (1.0 + anp.exp(-a * (x - theta))) - 1.0 / (1.0 + anp.exp(a * theta))

    def field(e: Any, i: Any, p: Any) -> Any:
        excited = sigmoid(16.0 * e - 12.0 * i + p["drive"], 1.3, 4.0)
        inhibited = sigmoid(15.0 * e - 3.0 * i, 2.0, 3.7)
        return -e + (1.0 - e) * excited, -i + (1.0 - i) * inhibited

    return flow_of("Wilson-Cowan populations", field, (0.2, 0.1), dt=dt, drive=drive)


@catalogued
def jansen_rit(*, drive: Any = 120.0, connectivity: Any = 135.0, dt: float = 0.001) -> CatalogFlow:
    r"""Return the cortical column of Jansen and Rit.

    .. math:: \ddot y_0 = A a\,S(y_1 - y_2) - 2 a \dot y_0 - a^2 y_0, \quad
              \ddot y_1 = A a\,(p + C_2 S(C_1 y_0)) - 2 a \dot y_1 - a^2 y_1, \quad
              \ddot y_2 = B b\,C_4 S(C_3 y_0) - 2 b \dot y_2 - b^2 y_2

    with A = 3.25, B = 22 mV, a = 100, b = 50 per second, C_1 = C, C_2 = 0.8 C, C_3 = C_4 = C / 4,
    and S the sigmoid :math:`5 / (1 + e^{0.56 (6 - v)})`. Time is in seconds.

    Parameters
    ----------
    drive, connectivity : float or array, optional
        p, in spikes per second, and C; the defaults give the alpha rhythm, a cycle.
    dt : float, optional

    Notes
    -----
    The exponents add up to -4 a - 2 b = -500. `reference` is None: no formula is known for each.

    References
    ----------
    B. H. Jansen and V. G. Rit, Biol. Cybern. 73, 357 (1995).

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.jansen_rit().dim
    6
    """

    def rate(v: Any) -> Any:
        return 5.0 / (1.0 + anp.exp(0.56 * (6.0 - v)))

    def field(y0: Any, y1: Any, y2: Any, v0: Any, v1: Any, v2: Any, p: Any) -> Any:
        c = p["connectivity"]
        excitation = p["drive"] + 0.8 * c * rate(c * y0)
        inhibition = 0.25 * c * rate(0.25 * c * y0)
        return (
            v0,
            v1,
            v2,
            325.0 * rate(y1 - y2) - 200.0 * v0 - 1e4 * y0,
            325.0 * excitation - 200.0 * v1 - 1e4 * y1,
            1100.0 * inhibition - 100.0 * v2 - 2500.0 * y2,
        )

    start = (0.1, 20.0, 15.0, 0.0, 0.0, 0.0)
    return flow_of("Jansen-Rit column", field, start, dt=dt, drive=drive, connectivity=connectivity)


@catalogued
def hodgkin_huxley(*, current: Any = 10.0, dt: float = 0.02) -> CatalogFlow:
    r"""Return the neuron of Hodgkin and Huxley.

    .. math:: \dot V = I - 120\,m^3 h\,(V - 50) - 36\,n^4 (V + 77) - 0.3\,(V + 54.4)

    and :math:`\dot x = \alpha_x(V)(1 - x) - \beta_x(V)\,x` for the gates m, h and n; in
    millivolts, milliseconds and microamperes per square centimetre.

    Parameters
    ----------
    current : float or array, optional
        I; at 10 it fires regularly, a cycle of some 15 ms.
    dt : float, optional

    Notes
    -----
    `reference` is None: no formula is known, but for the zero along the cycle.

    References
    ----------
    A. L. Hodgkin and A. F. Huxley, J. Physiol. 117, 500 (1952), with the resting potential at
    -65 mV.

    Examples
    --------
    >>> from lyapnet import catalog
    >>> catalog.hodgkin_huxley().dim
    4
    """

    def ratio(x: Any) -> Any:
        """Return x / (1 - exp(-x)), smooth at 0."""
        small = anp.abs(x) < 1e-4
        safe = anp.where(small, 1.0, x)
        return anp.where(small, 1.0 + x / 2.0, safe / (1.0 - anp.exp(-safe)))

    def field(v: Any, m: Any, h: Any, n: Any, p: Any) -> Any:
        open_m, close_m = ratio((v + 40.0) / 10.0), 4.0 * anp.exp(-(v + 65.0) / 18.0)
        open_h = 0.07 * anp.exp(-(v + 65.0) / 20.0)
        close_h = 1.0 / (1.0 + anp.exp(-(v + 35.0) / 10.0))
        open_n, close_n = 0.1 * ratio((v + 55.0) / 10.0), 0.125 * anp.exp(-(v + 65.0) / 80.0)
        ionic = 120.0 * m**3 * h * (v - 50.0) + 36.0 * n**4 * (v + 77.0) + 0.3 * (v + 54.4)
        return (
            p["current"] - ionic,
            open_m * (1.0 - m) - close_m * m,
            open_h * (1.0 - h) - close_h * h,
            open_n * (1.0 - n) - close_n * n,
        )

    start = (-60.0, 0.1, 0.5, 0.35)
    return flow_of("Hodgkin-Huxley neuron", field, start, dt=dt, current=current)
