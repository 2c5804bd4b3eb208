r"""All exponents of a large random network, and when the zero state of gated ones is unstable.

A step's Jacobian is :math:`W D` with D the diagonal of slopes, whose distribution mean-field theory
gives. If W were drawn anew in each step the exponents of the product would follow from free
probability: with :math:`\tau = i / n`,

.. math::
    \lambda(\tau) = \tfrac12 \log \frac{g^2 \tau}{s}, \qquad
    \tau = \int \frac{s\,\phi'(\sqrt q z)^2}{1 + s\,\phi'(\sqrt q z)^2}\, Dz ,

Kargin's formula :math:`-\tfrac12 \log S(-\tau)` with the S-transforms of both factors written out.
In a network W is the same in each step; that its slopes are not makes it as good as new, which is
tested, not proved.

References
----------
C. M. Newman, Commun. Math. Phys. 103, 121 (1986), for the case D = 1.
V. Kargin, Probab. Theory Relat. Fields 142, 97 (2008).
K. Krishnamurthy, T. Can and D. J. Schwab, Phys. Rev. X 12, 011011 (2022), for gates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.special import expit

from .. import validate
from ..numerics.arrays import Array
from .activation import Activation, as_activation
from .cell import checked_leak
from .gaussian import rule
from .mean_field import _LEAST, _variance


def mean_field_spectrum(
    gain: float,
    n: int,
    *,
    input_variance: float = 0.0,
    activation: str | Activation = "tanh",
) -> Array:
    """Predict all exponents of a large random `VanillaRNN` without leak.

    Parameters
    ----------
    gain : float
        g, the weights being drawn from :math:`N(0, g^2/n)`.
    n : int
        Number of units.
    input_variance : float, optional
        As for `mean_field_exponent`: of inputs that differ from unit to unit, such as many
        independent ones.
    activation : str or Activation, optional

    Returns
    -------
    array (n,)
        Descending, nats per step; ``-inf`` beyond the share of units that have a slope at all,
        such as half of the rectified ones.

    Examples
    --------
    >>> import lyapnet as ln
    >>> lam = ln.mean_field_spectrum(3.0, 200)
    >>> lam[[0, 50, 100]].round(2)
    array([ 0.31, -0.28, -1.43])
    """
    gain = validate.real("gain", gain, positive=True)
    n = validate.integer("n", n, low=1)
    variance = validate.real("input_variance", input_variance, low=0.0)
    phi = as_activation(activation)
    q = max(_variance(gain, variance, phi), _LEAST**2)
    h, weights = rule(lambda h: np.asarray(phi.derivative(h)) ** 2, q)
    with np.errstate(divide="ignore"):
        log_slopes = 2 * np.log(np.abs(np.asarray(phi.derivative(h), dtype=float)))
    most = float(weights @ np.isfinite(log_slopes))

    def share(log_s: float) -> float:
        return float(weights @ expit(log_s + log_slopes))

    # The middle of each unit's share, from the first on: each root is next to the last one.
    found, log_s = np.full(n, -np.inf), -np.log(2.0 * n)
    for i, tau in enumerate((np.arange(n) + 0.5) / n):
        if tau >= most * (1 - 1e-12):
            break
        log_s = _next(lambda x, tau=tau: share(x) - tau, log_s)  # type: ignore[misc]  # no type for tau=
        found[i] = 0.5 * (np.log(gain**2 * tau) - log_s)
    return found


def _next(function: Callable[[float], float], start: float) -> float:
    """Return the root of a growing function near a start."""
    from scipy.optimize import brentq  # here, since it takes as long to load as all of lyapnet

    low, high, width = start, start, 0.5
    while function(low) > 0:
        low, width = low - width, 2 * width
    while function(high) < 0:
        high, width = high + width, 2 * width
    return float(brentq(function, low, high, xtol=1e-12)) if low < high else start


def quiescent_gain(kind: str, *, bias: Any = None, leak: float = 1.0) -> float:
    r"""Return the gain at which the zero state of a large random network becomes unstable.

    Without input, and biases that are the same for all units:

    .. math::
        \text{vanilla, echo state: } g = 1, \qquad
        \text{GRU: } g = 1 / r, \qquad
        \text{LSTM: } g = (1 - f) / (i\,o),

    from the edge of the circular law in :math:`1 - \alpha + \alpha g`, :math:`z + (1 - z) r g`
    and :math:`f + i o g`. The leak and the update gate slow the network down, and do not
    move the point.

    Parameters
    ----------
    kind : {"vanilla", "echo_state", "gru", "lstm"}
    bias : dict, optional
        Of the gates by name, as for `GRU.random`; those of the candidate must be zero, or zero is
        no fixed point. Zero if left out.
    leak : float, optional

    Returns
    -------
    float

    Examples
    --------
    >>> import lyapnet as ln
    >>> ln.quiescent_gain("gru"), ln.quiescent_gain("lstm")
    (2.0, 2.0)
    >>> round(ln.quiescent_gain("lstm", bias={"forget": 1.0}), 3)
    1.076
    """
    kind = validate.option("kind", kind, ("vanilla", "echo_state", "gru", "lstm"))
    leak = checked_leak(leak)
    names = {"gru": ("reset", "update"), "lstm": ("input", "forget", "output")}.get(kind, ())
    opened = {x: float(expit(b)) for x, b in gate_biases(bias, names).items()}
    if kind == "gru":
        return 1.0 / opened["reset"]
    if kind == "lstm":
        return (1.0 - opened["forget"]) / (opened["input"] * opened["output"])
    return 1.0


def gate_biases(bias: Any, names: tuple[str, ...]) -> dict[str, float]:
    """Return the bias of each gate, zero where none is given."""
    if not isinstance(bias, Mapping | None):
        raise TypeError(f"`bias` must be a dict from gates to numbers, got {bias!r}")
    given = dict(bias or {})
    if not set(given) <= set(names):
        raise ValueError(f"`bias` must be of {', '.join(names) or 'no gate'}, got {sorted(given)}")
    return {x: validate.real(f"bias[{x!r}]", given.get(x, 0.0)) for x in names}
