"""Differences of the condition number between networks, and whether they are predicted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...numerics.arrays import Array
from ...results.result import Result
from ...results.storage import register
from ..plot import plot_networks
from ..result import ConditionNumber
from .common import is_condition, long_run_growth, time_index

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@register
@dataclass(frozen=True, repr=False, eq=False)
class NetworkComparison(Result):
    """Measured against estimated condition numbers of many networks, at one time.

    Attributes
    ----------
    log10_measured, log10_estimate : array (networks,)
        Unresolved and infinite ones are NaN, and left out of what follows.
    correlation : float
        Pearson's, between the two.
    correlation_low, correlation_high : float
        Its 95 % interval, by Fisher's transformation; NaN for fewer than four networks.
    slope, slope_stderr : float
        Of the measured in the estimated values, by least squares: 1 if differences are
        predicted in full.
    log10_offset : float
        Mean of measured minus estimated.
    log10_residual : float
        Standard deviation of measured minus estimated.
    log10_spread : float
        Standard deviation of the measured values: what there is to predict.
    t : float
        Time.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = dict.fromkeys(
        ("log10_measured", "log10_estimate"), ("network",)
    )

    log10_measured: Array
    log10_estimate: Array
    correlation: float
    correlation_low: float
    correlation_high: float
    slope: float
    slope_stderr: float
    log10_offset: float
    log10_residual: float
    log10_spread: float
    t: float

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot measured against estimated values, with the line of equality.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        return plot_networks(self, ax)


def compare_networks(
    conditions: Sequence[ConditionNumber],
    spectra: Sequence[Any] | None = None,
    *,
    t: float | None = None,
) -> NetworkComparison:
    """Ask whether the estimate tells apart networks that are drawn from one distribution.

    A mean-field theory gives them all the same condition number; at finite size they differ.

    Parameters
    ----------
    conditions : sequence of ConditionNumber
        One for each network, at least three, with as many directions each.
    spectra : sequence of Spectrum, optional
        Of the same networks, whose exponents make the estimates; default those of the measured
        windows. Spectra of another stretch of time make it a prediction.
    t : float, optional
        One of the measured times; default the last.

    Returns
    -------
    NetworkComparison

    Raises
    ------
    ValueError
        If fewer than three networks are resolved and finite, or all of them are equal.

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> found = []
    >>> for rate in (2.0, 3.0, 5.0):
    ...     D = np.tile(np.diag([rate, 1.0]), (30, 1, 1))
    ...     found.append(ln.condition_from_jacobians(D, basis=np.eye(2)))
    >>> n = compare_networks(found)
    >>> round(n.slope, 9), round(n.correlation, 9)
    (1.0, 1.0)
    """
    if not isinstance(conditions, Iterable):
        is_condition("conditions", conditions)  # type: ignore[unreachable]  # by types, not by users
        raise TypeError("`conditions` must be a sequence, one for each network: got one alone")
    found = list(conditions)
    for i, condition in enumerate(found):
        is_condition(f"conditions[{i}]", condition)
    if len(found) < 3:
        raise ValueError(f"`conditions` must hold at least 3 networks, got {len(found)}")
    sizes = {c.settings["k"] for c in found}
    if len(sizes) > 1:
        raise ValueError(f"`conditions` must have equally many directions, got {sorted(sizes)}")
    if spectra is not None and len(spectra) != len(found):
        raise ValueError(
            f"`spectra` must be one for each of the {len(found)} networks, got {len(spectra)}"
        )
    t = float(found[0].times[-1]) if t is None else t
    at = [time_index(c, t) for c in found]
    y = np.array([c.log10_measured[i] for c, i in zip(found, at, strict=True)])
    x = np.array([c.log10_predicted[i] for c, i in zip(found, at, strict=True)])
    if spectra is not None:
        growth = [long_run_growth(s, c)[i] for s, c, i in zip(spectra, found, at, strict=True)]
        x = np.array([g[0] - g[-1] for g in growth])
    good = np.isfinite(x) & np.isfinite(y)
    x, y = np.where(good, x, np.nan), np.where(good, y, np.nan)
    return _compare(x, y, good, float(t))


def _compare(x: Array, y: Array, good: Array, t: float) -> NetworkComparison:
    """Do the statistics."""
    a, b, n = x[good], y[good], int(good.sum())
    if n < 3:
        raise ValueError(f"only {n} networks are resolved and finite at t = {t:g}: 3 are needed")
    da, db = a - a.mean(), b - b.mean()
    if not da.any() or not db.any():
        raise ValueError(f"the condition numbers at t = {t:g} are all equal: nothing to compare")
    squares = float(da @ da)
    slope = float(da @ db) / squares
    correlation = float(np.clip(da @ db / np.sqrt(squares * (db @ db)), -1.0, 1.0))
    residual = db - slope * da
    low = high = np.nan
    if n > 3:
        z, width = np.arctanh(np.clip(correlation, -1 + 1e-15, 1 - 1e-15)), 1.96 / np.sqrt(n - 3)
        low, high = np.tanh(z - width), np.tanh(z + width)
    return NetworkComparison(
        log10_measured=y,
        log10_estimate=x,
        correlation=correlation,
        correlation_low=float(low),
        correlation_high=float(high),
        slope=slope,
        slope_stderr=float(np.sqrt(residual @ residual / (n - 2) / squares)),
        log10_offset=float(np.mean(b - a)),
        log10_residual=float(np.std(b - a, ddof=1)),
        log10_spread=float(np.std(b, ddof=1)),
        t=t,
    )
