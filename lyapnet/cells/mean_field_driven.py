r"""When a large random network under noise becomes unstable, with a leak or with gates.

What such a network adds to a gate of one unit, :math:`a_t = \sum_j W_{ij} v_{j,t}` of its outputs
v, is Gaussian, independent from gate to gate, with the covariance in time

.. math:: C_a(\tau) = g^2 \langle v_t v_{t+\tau} \rangle + \sigma^2 \delta_{\tau 0} .

A leak or a gate remembers, so that covariances at all lags count. A perturbation obeys the same
equations with the tangent map of the unit: at the critical gain there is a covariance
:math:`\langle \delta v_t\, \delta v_{t+\tau} \rangle` that reproduces itself. Averages are over
many units that are run around a circle of time under drawn fields, always from the same random
numbers, so that the gain is a smooth function of all arguments.

References
----------
J. Schuecker, S. Goedeke and M. Helias, Phys. Rev. X 8, 041029 (2018), for noise.
K. Krishnamurthy, T. Can and D. J. Schwab, Phys. Rev. X 12, 011011 (2022), for gates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..numerics.arrays import Array
from ..runs.progress import progress_bar
from .cell import checked_leak
from .mean_field_spectrum import gate_biases, quiescent_gain

#: Steps of the circle, and units.
_STEPS, _UNITS = 48, 3000
#: Relative change of a covariance at which it is taken as its own, and how often it is tried.
_TOL, _MOST = 1e-3, 200
_GATES = {
    "gru": ("reset", "update", "new"),
    "lstm": ("input", "forget", "cell", "output"),
}
#: Gains between which to look.
_RANGE = 0.05, 100.0
#: Imaginary part of the complex step, whose square no digit sees.
_TINY = 1e-30


class _Unit(NamedTuple):
    """One unit: ``step(s, *a) -> s, v`` of its state and fields, and which of these see what."""

    step: Callable[..., tuple[Any, Any]]
    recurrent: tuple[bool, ...]
    driven: tuple[bool, ...]


def driven_gain(
    kind: str,
    *,
    input_variance: float = 1.0,
    bias: Any = None,
    leak: float = 1.0,
    rng: Any = 0,
    progress: bool = False,
) -> float:
    r"""Return the gain at which a large random network under noise becomes unstable.

    Its largest exponent is zero there: below it forgets where it came from, and follows its inputs.

    Parameters
    ----------
    kind : {"vanilla", "echo_state", "gru", "lstm"}
        All weights of all gates are drawn from :math:`N(0, g^2/n)`.
    input_variance : float, optional
        Variance :math:`\sigma^2` over units and time of ``V u`` in each gate, of inputs that are
        independent from step to step and differ from unit to unit, such as many.
    bias : dict, optional
        Of the gates by name, as for `GRU.random`, the same for all units; zero if left out.
    leak : float, optional
        Of a vanilla or echo state network.
    rng : None, int or Generator, optional
        For the units' random numbers; another seed changes the gain by a per cent or
        two, and more where the exponent hardly depends on it: with little noise, or a small leak.
    progress : bool, optional
        Show the gains that are tried, of which there are about ten.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If no gain between 0.05 and 100 is critical.

    See Also
    --------
    critical_gain : A vanilla network without leak, to all digits.
    quiescent_gain : The zero state, without input.

    Examples
    --------
    >>> import lyapnet as ln
    >>> theory = ln.critical_gain(input_variance=1.0)
    >>> abs(ln.driven_gain("vanilla") / theory - 1) < 0.02
    True
    >>> ln.quiescent_gain("gru") < ln.driven_gain("gru")  # noise keeps it stable for longer
    True
    """
    kind = validate.option("kind", kind, ("vanilla", "echo_state", "gru", "lstm"))
    variance = validate.real("input_variance", input_variance, low=0.0)
    leak = checked_leak(leak)
    biases = gate_biases(bias, _GATES.get(kind, ()))
    unit = _unit(kind, biases, float(leak))
    generator = validate.generator(rng)
    gates = {name: x for name, x in biases.items() if name not in ("new", "cell")}
    start = float(np.log(quiescent_gain(kind, bias=gates)))
    try:
        with progress_bar(None, show=progress, unit="gain") as bar:
            crowd = _Crowd(unit, variance, generator, bar)
            return float(np.exp(_root_near(crowd.excess, start, np.log(_RANGE))))
    except ArithmeticError:
        raise ValueError(
            f"no gain between {_RANGE[0]:g} and {_RANGE[1]:g} is critical for `kind` {kind!r}, "
            f"`input_variance` {variance} and these biases"
        ) from None


def _root_near(function: Callable[[float], float], start: float, ends: Array) -> float:
    """Return the root of a growing function next to a start, in steps until its sign changes."""
    from scipy.optimize import brentq  # here, since it takes as long to load as all of lyapnet

    low = high = float(np.clip(start, *ends))
    step = 0.4 if function(low) < 0 else -0.4
    while ends[0] <= high <= ends[1]:
        low, high = high, high + step
        if function(high) * step > 0:
            return float(brentq(function, min(low, high), max(low, high), xtol=1e-3))
    raise ArithmeticError


def _unit(kind: str, bias: dict[str, float], leak: float) -> _Unit:
    """Return the equations of one unit; written for complex numbers, too."""

    def vanilla(s: Any, a: Any) -> tuple[Any, Any]:
        s = (1 - leak) * s + leak * a
        return s, np.tanh(s)

    def echo_state(s: Any, a: Any) -> tuple[Any, Any]:
        s = (1 - leak) * s + leak * np.tanh(a)
        return s, s

    def gru(s: Any, r: Any, z: Any, a: Any, u: Any) -> tuple[Any, Any]:
        z = _logistic(z + bias["update"])
        s = z * s + (1 - z) * np.tanh(u + bias["new"] + _logistic(r + bias["reset"]) * a)
        return s, s

    def lstm(s: Any, i: Any, f: Any, g: Any, o: Any) -> tuple[Any, Any]:
        kept = _logistic(f + bias["forget"]) * s
        s = kept + _logistic(i + bias["input"]) * np.tanh(g + bias["cell"])
        return s, _logistic(o + bias["output"]) * np.tanh(s)

    yes, no = True, False
    return {
        "vanilla": _Unit(vanilla, (yes,), (yes,)),
        "echo_state": _Unit(echo_state, (yes,), (yes,)),
        # the reset gate multiplies what comes back, and not the input
        "gru": _Unit(gru, (yes, yes, yes, no), (yes, yes, no, yes)),
        "lstm": _Unit(lstm, (yes,) * 4, (yes,) * 4),
    }[kind]


def _logistic(x: Any) -> Any:
    return 0.5 + 0.5 * np.tanh(0.5 * x)


class _Crowd:
    """Units under Gaussian fields on a circle of time, with random numbers of their own."""

    def __init__(self, unit: _Unit, variance: float, rng: np.random.Generator, bar: Any) -> None:
        self.unit, self.variance, self._bar = unit, variance, bar
        shape = len(unit.recurrent), _STEPS, _UNITS
        self._noise, self._disturbance = (_white(shape, rng) for _ in range(2))

    def excess(self, log_gain: float) -> float:
        """Return half the logarithm of what a perturbation's covariance grows by."""
        self._bar.update(1)
        gain = float(np.exp(log_gain))
        power = np.full(_STEPS // 2 + 1, 0.5)
        for _ in range(_MOST):
            fields = self._fields(self._noise, gain, power, self.variance)
            new = _power(self._around(fields, 0.0))
            done = np.abs(new - power).max() < _TOL * power.max()
            power = new
            if done:
                break
        fields = self._fields(self._noise, gain, power, self.variance)
        growth, power = 1.0, np.ones_like(power)
        for _ in range(_MOST):
            moved = self._fields(self._disturbance, gain, power, 0.0)
            new = _power(self._around(fields, moved))
            before, growth = growth, float(new.sum() / power.sum())
            if growth == 0.0:
                return -np.inf
            power = new / new.mean()
            if abs(growth - before) < _TOL * growth:
                break
        return 0.5 * float(np.log(growth))

    def _fields(self, noise: Array, gain: float, power: Array, variance: float) -> Array:
        """Draw fields of a power spectrum ``(fields, steps, units)``, from given white noise."""
        rows = [
            np.sqrt(gain**2 * recurrent * power + variance * driven)
            for recurrent, driven in zip(self.unit.recurrent, self.unit.driven, strict=True)
        ]
        return np.fft.irfft(np.array(rows)[..., None] * noise, _STEPS, axis=1)

    def _around(self, fields: Array, moved: Any) -> Array:
        """Run all units around, the second time for good; return outputs, or how they move."""
        tangent = np.ndim(moved) > 0
        fields = fields + 1j * _TINY * moved if tangent else fields
        s, outputs = np.zeros_like(fields[0, 0]), np.empty(fields.shape[1:])
        for _ in range(2):
            for t in range(_STEPS):
                s, v = self.unit.step(s, *fields[:, t])
                outputs[t] = v.imag / _TINY if tangent else v
        return outputs


def _white(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Draw the Fourier transform of white noise, white to rounding in the mean of the units."""
    noise = np.fft.rfft(rng.standard_normal(shape), axis=1)
    return noise / np.sqrt(np.mean(np.abs(noise) ** 2, axis=2, keepdims=True) / shape[1])


def _power(outputs: Array) -> Array:
    """Return the mean power spectrum of outputs ``(steps, units)``."""
    return np.mean(np.abs(np.fft.rfft(outputs, axis=0)) ** 2, axis=1) / len(outputs)
