"""Enclosures in decimal logarithms, and slopes with their errors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .precision.arithmetic import FloatArray

LN10 = float(np.log(10.0))


def enclosure(log10_values: FloatArray, spread: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Widen by the spread (nats) and by the rounding of the decimal logarithm itself."""
    with np.errstate(invalid="ignore"):
        margin = spread / LN10 + 4.0 * np.abs(np.spacing(log10_values))
        low, high = log10_values - margin, log10_values + margin
    exact = np.isinf(log10_values)
    return np.where(exact, log10_values, low), np.where(exact, log10_values, high)


class Line(NamedTuple):
    """A straight line through the logarithm of a condition number, in nats.

    Attributes
    ----------
    slope, intercept : float
        NaN for fewer than two finite values.
    slope_stderr, intercept_stderr : float
        NaN for fewer than three.
    """

    slope: float
    slope_stderr: float
    intercept: float
    intercept_stderr: float


def line_of(times: FloatArray, log10_kappa: FloatArray) -> Line:
    r"""Fit a line, with standard errors.

    Growth fluctuates at every step and log kappa sums it up: deviations from a line
    accumulate like a random walk that starts at time 0. Slope and intercept are
    :math:`\sum_i w_i y_i`, so an increment enters with the sum of all later weights; its variance
    per unit time is estimated from the increments. Where independent deviations would give
    more, that is taken.
    """
    good = np.isfinite(log10_kappa)
    t, y = times[good], log10_kappa[good] * LN10
    if len(t) < 2:
        return Line(*[np.nan] * 4)
    centred = t - t.mean()
    squares = float(np.sum(centred**2))
    weights = centred / squares
    slope = float(weights @ y)
    intercept = float(y.mean() - slope * t.mean())
    if len(t) < 3:
        return Line(slope, np.nan, intercept, np.nan)
    gaps = np.diff(t)
    deviations = np.diff(y) - slope * gaps
    rate = np.sum(deviations**2 / gaps) / (len(gaps) - 1)
    residual = y - intercept - slope * t
    noise = np.sum(residual**2) / (len(t) - 2)

    def stderr(w: FloatArray, start: float) -> float:
        """Error of ``w @ y``, of which the walk until the first time enters as `start`."""
        later = np.cumsum(w[::-1])[::-1][1:]
        walk = rate * (start + np.sum(later**2 * gaps))
        return float(np.sqrt(max(walk, noise * np.sum(w**2))))

    mean = np.full(len(t), 1.0 / len(t)) - t.mean() * weights
    return Line(slope, stderr(weights, 0.0), intercept, stderr(mean, float(t[0])))


def beyond_exponents(measured: FloatArray, predicted: FloatArray) -> str:
    """Say that most of a condition number is not what exponents predict, where that is so.

    Parameters
    ----------
    measured, predicted : array (m,)
        Of decimal logarithms in the order of time; the last that are finite count.

    Returns
    -------
    str
        Empty where the exponents predict half of the decades, or where there is less than one.
    """
    known = np.flatnonzero(np.isfinite(measured) & np.isfinite(predicted))
    if not known.size:
        return ""
    found, said = float(measured[known[-1]]), float(predicted[known[-1]])
    if found < 1.0 or said > found / 2:
        return ""
    return (
        f"exponents predict {max(said, 0.0):.1f} of {found:.1f} decades: they know nothing of "
        "prefactors, and of growth that is less than exponential, such as that of a shear"
    )
