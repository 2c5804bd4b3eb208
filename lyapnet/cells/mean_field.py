r"""Mean-field theory of large random networks: an independent prediction, and critical gains.

In a large network of weights :math:`N(0, g^2/n)` that steps in discrete time, pre-activations are
Gaussian and independent from step to step; their variance q and the largest exponent are

.. math::
    q = g^2 \int \phi(\sqrt{q} z)^2 Dz + \sigma^2, \qquad
    \lambda_1 = \tfrac12 \log\Big(g^2 \int \phi'(\sqrt{q} z)^2 Dz\Big),

with :math:`\sigma^2` the variance that input and bias add.

References
----------
L. Molgedey, J. Schuchhardt and H. G. Schuster, Phys. Rev. Lett. 69, 3717 (1992).
S. S. Schoenholz, J. Gilmer, S. Ganguli and J. Sohl-Dickstein, arXiv:1611.01232.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import validate
from . import Activation
from .activation import as_activation

#: Nodes of the trapezoidal rule, which converges exponentially for a Gaussian integrand.
_NODES = np.linspace(-12.0, 12.0, 4801)
_WEIGHTS = np.exp(-0.5 * _NODES**2) / np.exp(-0.5 * _NODES**2).sum()


def mean_field_exponent(
    gain: float, *, input_variance: float = 0.0, activation: Any = "tanh"
) -> float:
    """Predict the largest exponent of a large random `VanillaRNN` without leak.

    Parameters
    ----------
    gain : float
        g, the weights being drawn from :math:`N(0, g^2/n)`.
    input_variance : float, optional
        Variance over units and time of ``V u + b``: for standard normal input weights, that
        of the inputs, summed.
    activation : str or Activation, optional

    Returns
    -------
    float
        Nats per step; ``-inf`` if no perturbation survives a step.

    Examples
    --------
    >>> import lyapnet as ln
    >>> round(ln.mean_field_exponent(0.5), 6)  # zero is the fixed point: log g
    -0.693147
    >>> ln.mean_field_exponent(2.0) > 0 > ln.mean_field_exponent(2.0, input_variance=4.0)
    True
    """
    gain = validate.real("gain", gain, low=0.0)
    variance = validate.real("input_variance", input_variance, low=0.0)
    phi = as_activation(activation)
    slope = _average(lambda h: np.asarray(phi.derivative(h)) ** 2, _variance(gain, variance, phi))
    with np.errstate(divide="ignore"):
        return float(0.5 * np.log(gain**2 * slope))


def critical_gain(*, input_variance: float = 0.0, activation: Any = "tanh") -> float:
    """Return the gain at which the largest exponent of a large random network is zero.

    Parameters
    ----------
    input_variance : float, optional
        As for `mean_field_exponent`.
    activation : str or Activation, optional

    Returns
    -------
    float
        To be given to ``VanillaRNN.random(n, gain=...)``.

    Raises
    ------
    ValueError
        If no gain up to 1000 is critical.

    Examples
    --------
    >>> import lyapnet as ln
    >>> round(ln.critical_gain(), 3)  # without input the network is critical at g = 1
    1.0
    >>> round(ln.critical_gain(input_variance=1.0), 2)
    1.8
    """

    def exponent(log_gain: float) -> float:
        found = mean_field_exponent(
            float(np.exp(log_gain)), input_variance=input_variance, activation=activation
        )
        return max(found, -1e3)

    low, high = np.log(1e-3), np.log(1e3)
    if not exponent(low) < 0 < exponent(high):
        raise ValueError(
            "no gain between 0.001 and 1000 is critical for this `activation` and "
            f"`input_variance` {input_variance}"
        )
    return float(np.exp(_root(exponent, low, high, 1e-9)))


def _average(function: Callable[[Any], Any], variance: float) -> float:
    """Average a function over a Gaussian variable."""
    return float(_WEIGHTS @ np.asarray(function(np.sqrt(variance) * _NODES), dtype=float))


def _variance(gain: float, added: float, phi: Activation) -> float:
    """Solve for the variance of the pre-activations, the largest solution."""

    def excess(q: float) -> float:
        return gain**2 * _average(lambda h: np.asarray(phi.function(h)) ** 2, q) + added - q

    high = max(1.0, added)
    while excess(high) > 0:
        high *= 2
        if high > 1e12:
            raise ValueError(f"the variance grows without bound at `gain` {gain}: use less")
    # From above towards the largest fixed point; at and below g = 1 without input that is zero.
    low = added
    for q in high * 0.5 ** np.arange(1, 60):
        if q <= added:
            break
        if excess(q) > 0:
            low = q
            break
        high = q
    return _root(excess, low, high, 1e-14) if excess(low) > 0 else float(low)


def _root(function: Callable[[float], float], low: float, high: float, xtol: float) -> float:
    from scipy.optimize import bisect  # here, since it takes as long to load as all of lyapnet

    return float(bisect(function, low, high, xtol=xtol))
