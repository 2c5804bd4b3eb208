"""Enclosures in decimal logarithms, and slopes with their errors."""

from __future__ import annotations

import numpy as np

from lyapnet.precision.arithmetic import FloatArray

LN10 = float(np.log(10.0))


def enclosure(log10_values: FloatArray, spread: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Widen by the spread (nats) and by the rounding of the decimal logarithm itself."""
    with np.errstate(invalid="ignore"):
        margin = spread / LN10 + 4.0 * np.abs(np.spacing(log10_values))
        low, high = log10_values - margin, log10_values + margin
    exact = np.isinf(log10_values)
    return np.where(exact, log10_values, low), np.where(exact, log10_values, high)


def slope_of(times: FloatArray, log10_kappa: FloatArray) -> tuple[float, float]:
    r"""Fit a line, and the slope's standard error.

    Growth fluctuates at every step and log kappa sums it up: deviations from a line
    accumulate like a random walk. The slope is :math:`\sum_i w_i y_i`, so an increment enters
    with the sum of all later weights; its variance per unit time is estimated from the
    increments. Where independent deviations would give more, that is taken.
    """
    good = np.isfinite(log10_kappa)
    t, y = times[good], log10_kappa[good] * LN10
    if len(t) < 2:
        return np.nan, np.nan
    centred = t - t.mean()
    weights = centred / np.sum(centred**2)
    slope = float(weights @ y)
    if len(t) < 3:
        return slope, np.nan
    gaps = np.diff(t)
    deviations = np.diff(y) - slope * gaps
    rate = np.sum(deviations**2 / gaps) / (len(gaps) - 1)
    later = np.cumsum(weights[::-1])[::-1][1:]
    walk = rate * np.sum(later**2 * gaps)
    residual = y - y.mean() - slope * centred
    independent = np.sum(residual**2) / (len(t) - 2) / np.sum(centred**2)
    return slope, float(np.sqrt(max(walk, independent)))
