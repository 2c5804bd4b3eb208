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
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from .. import validate
from ..numerics.arrays import Array
from . import Activation
from .activation import as_activation
from .gaussian import average

#: Standard deviations of pre-activations that stand for the limits of zero and of infinity.
_LEAST, _MOST = 1e-12, 1e9


@overload
def mean_field_exponent(
    gain: float, *, input_variance: float = 0.0, activation: str | Activation = "tanh"
) -> float: ...
@overload
def mean_field_exponent(
    gain: ArrayLike, *, input_variance: ArrayLike = 0.0, activation: str | Activation = "tanh"
) -> float | Array: ...
def mean_field_exponent(
    gain: ArrayLike, *, input_variance: ArrayLike = 0.0, activation: str | Activation = "tanh"
) -> float | Array:
    """Predict the largest exponent of a large random `VanillaRNN` without leak.

    Parameters
    ----------
    gain : float or array
        g, the weights being drawn from :math:`N(0, g^2/n)`.
    input_variance : float or array, optional
        Variance over units and time of ``V u + b``: for standard normal input weights, that
        of the inputs, summed. It is taken to be the same over the units in each step, as of many
        inputs; of a single normal one it is not, and the exponent at g = 2 and variance 1 is 0.063
        instead of 0.046.
    activation : str or Activation, optional
        Its derivative may jump.

    Returns
    -------
    float or array
        Nats per step, of the shape to which `gain` and `input_variance` broadcast; ``-inf`` if no
        perturbation survives a step. Where the variance grows without bound, as that of
        rectified units above their critical gain, it is the exponent of the growing state.

    Examples
    --------
    >>> import lyapnet as ln
    >>> round(ln.mean_field_exponent(0.5), 6)  # zero is the fixed point: log g
    -0.693147
    >>> ln.mean_field_exponent(2.0) > 0 > ln.mean_field_exponent(2.0, input_variance=4.0)
    True
    >>> ln.mean_field_exponent([0.5, 1.0, 2.0], activation="relu").round(3)  # log(g^2 / 2) / 2
    array([-1.04 , -0.347,  0.347])
    """
    phi = as_activation(activation)
    gains, variances = (
        validate.nonnegative("gain", gain),
        validate.nonnegative("input_variance", input_variance),
    )
    return _each(lambda g, v: _exponent(g, v, phi), gains, variances)


@overload
def critical_gain(
    *, input_variance: float = 0.0, activation: str | Activation = "tanh"
) -> float: ...
@overload
def critical_gain(
    *, input_variance: ArrayLike = 0.0, activation: str | Activation = "tanh"
) -> float | Array: ...
def critical_gain(
    *, input_variance: ArrayLike = 0.0, activation: str | Activation = "tanh"
) -> float | Array:
    """Return the gain at which the largest exponent of a large random network is zero.

    Parameters
    ----------
    input_variance : float or array, optional
        As for `mean_field_exponent`.
    activation : str or Activation, optional

    Returns
    -------
    float or array
        To be given to ``VanillaRNN.random(n, gain=...)``.

    Raises
    ------
    ValueError
        If no gain up to 10^6 is critical.

    Examples
    --------
    >>> import lyapnet as ln
    >>> round(ln.critical_gain(), 3)  # without input the network is critical at g = 1
    1.0
    >>> round(ln.critical_gain(activation="relu"), 6)  # half of the units are on: sqrt(2)
    1.414214
    >>> ln.critical_gain(input_variance=[0.0, 1.0]).round(2)
    array([1. , 1.8])
    """
    phi = as_activation(activation)
    return _each(
        lambda v: _critical(v, phi), validate.nonnegative("input_variance", input_variance)
    )


def _critical(variance: float, phi: Activation) -> float:
    def exponent(log_gain: float) -> float:
        return max(_exponent(float(np.exp(log_gain)), variance, phi), -1e3)

    low, high = np.log(1e-3), np.log(1e6)
    if not exponent(low) < 0 < exponent(high):
        raise ValueError(
            "no gain between 0.001 and 10^6 is critical for this `activation` and "
            f"`input_variance` {variance}"
        )
    return float(np.exp(_root(exponent, low, high, 1e-9)))


def _exponent(gain: float, variance: float, phi: Activation) -> float:
    q = max(_variance(gain, variance, phi), _LEAST**2)
    slope = average(lambda h: np.asarray(phi.derivative(h)) ** 2, q)
    with np.errstate(divide="ignore"):
        return float(0.5 * np.log(gain**2 * slope))


def _each(function: Callable[..., float], *arrays: Array) -> float | Array:
    """Apply a function of numbers to arrays that broadcast; of numbers return a number."""
    found = np.array([function(*map(float, one)) for one in np.broadcast(*arrays)])
    shape = np.broadcast_shapes(*(x.shape for x in arrays))
    return found.reshape(shape) if shape else float(found[0])


def _variance(gain: float, added: float, phi: Activation) -> float:
    """Solve for the variance of the pre-activations, the largest solution."""

    def excess(q: float) -> float:
        return gain**2 * average(lambda h: np.asarray(phi.function(h)) ** 2, q) + added - q

    high = max(1.0, added)
    while excess(high) > 0:
        high *= 2
        if high > _MOST**2:
            return _MOST**2  # it grows without bound
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
    from scipy.optimize import brentq  # here, since it takes as long to load as all of lyapnet

    return float(brentq(function, low, high, xtol=xtol))
