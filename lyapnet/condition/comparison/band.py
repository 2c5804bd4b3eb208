"""Where the estimate of a single window lies, by the windows of a long run."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import stdtrit

from ... import validate
from ...numerics.arrays import Array
from ...spectrum.result import Spectrum
from ..line import LN10

_FEWEST = 4  # windows that a band can be made of


def prediction_band(
    spectrum: Spectrum, times: Any, *, m: int | None = None, level: float = 0.95
) -> tuple[Array, Array]:
    r"""Return where the estimate of a single window of length t lies, in decimal logs.

    Windows slide along the run, and over all members of an ensemble; in each the estimate
    is :math:`(\lambda_1 - \lambda_m)\, t` with the exponents of that window, numbered as in
    the whole run. The band is
    Student's prediction interval for one window more, with as many samples as disjoint
    windows fit.

    Parameters
    ----------
    spectrum : Spectrum
        With ``record=True``.
    times : array (w,)
        Lengths t of the windows.
    m : int, optional
        Number of directions; default all k.
    level : float, optional
        Probability that a window lies inside.

    Returns
    -------
    low, high : array (w,)
        NaN where fewer than four disjoint windows fit, where t is no multiple of the
        reorthonormalisation interval, and where an exponent is -inf.

    Examples
    --------
    >>> import lyapnet as ln
    >>> s = ln.lyapunov_spectrum(ln.catalog.henon(), 5000, rng=0)
    >>> low, high = prediction_band(s, [100])
    >>> bool(low[0] < s.log10_condition_number(100) < high[0])
    True
    """
    if not isinstance(spectrum, Spectrum):
        raise TypeError(f"`spectrum` must be a Spectrum, got {type(spectrum).__name__}")
    if not len(spectrum.log_growth):
        raise ValueError("`spectrum` has no record of its growth: run it with record=True")
    t = np.atleast_1d(validate.array("times", times))
    level = probability(level)
    k = spectrum.log_growth.shape[-1]
    m = k if m is None else validate.integer("m", m, low=1, high=k)
    order = np.argsort(-spectrum.statistics.estimate().mean, axis=-1, kind="stable")
    growth = np.take_along_axis(spectrum.log_growth, order[None], axis=-1)
    with np.errstate(invalid="ignore"):
        gap = growth[..., 0] - growth[..., m - 1]
    ends = np.concatenate([[0.0], spectrum.times])
    total = np.concatenate([np.zeros((1, *gap.shape[1:])), np.cumsum(gap, axis=0)])
    low, high = np.full(t.shape, np.nan), np.full(t.shape, np.nan)
    for i, length in enumerate(t):
        blocks = int(np.searchsorted(ends, length * (1 - 1e-9)))
        if blocks < 1 or blocks >= len(ends) or not np.isclose(ends[blocks], length, rtol=1e-6):
            continue
        windows = (total[blocks:] - total[:-blocks]) / LN10
        count = (len(gap) // blocks) * max(1, windows[0].size)
        if count < _FEWEST or not np.isfinite(windows).all():
            continue
        # Sliding windows overlap: what they have in common lowers their spread.
        spread = windows.std() * np.sqrt(count / (count - 1))
        width = stdtrit(count - 1, 0.5 + level / 2) * spread * np.sqrt(1 + 1 / count)
        low[i], high[i] = windows.mean() - width, windows.mean() + width
    return low, high


def probability(level: float) -> float:
    """Return the level of a band."""
    level = validate.real("level", level)
    if not 0.0 < level < 1.0:
        raise ValueError(f"`level` must lie between 0 and 1, got {level:g}")
    return level
