"""Measured against estimated condition numbers as time goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ... import validate
from ...numerics.arrays import Array
from ...results.result import Result
from ...results.storage import register
from ...spectrum.result import Spectrum
from ..line import LN10, beyond_exponents, line_of
from ..plot import plot_comparison
from ..result import ConditionNumber
from .band import prediction_band, probability
from .common import is_condition, long_run_growth

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@register
@dataclass(frozen=True, repr=False, eq=False)
class ConditionComparison(Result):
    r"""How a measured condition number follows its estimate.

    .. math:: \log \kappa_m(t) = \log C + (\lambda_1 - \lambda_m)\, t + \dots

    Attributes
    ----------
    times : array (m,)
        Times t.
    log10_measured, log10_estimate : array (m,)
        Unresolved and infinite values are NaN.
    log10_ratio : array (m,)
        Measured over estimated.
    log10_low, log10_high : array (m,)
        Band that a window of length t of another stretch of the trajectory falls into, by its
        finite-time exponents; NaN without a spectrum, or where that is too short.
    log10_prefactor, log10_prefactor_stderr : float
        :math:`\log_{10} C`: where a line through `log10_ratio` meets t = 0.
    slope_difference, slope_difference_stderr : float
        That line's slope in nats per unit time, measured minus estimated: zero in theory.
    level : float
        Probability of the band.
    settings : dict
        `estimate` is "window" or "spectrum", `fit_from` the first time that the line knows.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = dict.fromkeys(
        ("times", "log10_measured", "log10_estimate", "log10_ratio", "log10_low", "log10_high"),
        ("time",),
    )

    times: Array
    log10_measured: Array
    log10_estimate: Array
    log10_ratio: Array
    log10_low: Array = field(repr=False)
    log10_high: Array = field(repr=False)
    log10_prefactor: float
    log10_prefactor_stderr: float
    slope_difference: float
    slope_difference_stderr: float
    level: float
    settings: dict[str, Any] = field(repr=False)

    @property
    def note(self) -> str:
        """That most of the condition number is not what exponents predict, where it is so."""
        return beyond_exponents(self.log10_measured, self.log10_estimate)

    def _summary(self) -> dict[str, Any]:
        shown = super()._summary()
        return {**shown, "note": self.note} if self.note else shown

    def valid_from(self, factor: float, *, prefactor: bool = False) -> float:
        """Return the time from which on the estimate is within a factor of what is measured.

        Parameters
        ----------
        factor : float
            Greater than 1.
        prefactor : bool, optional
            Whether to multiply the estimate by the prefactor that was found.

        Returns
        -------
        float
            One of `times`; NaN if the last of them is still farther off. Times that are not
            resolved say nothing.
        """
        factor = validate.real("factor", factor)
        if factor <= 1.0:
            raise ValueError(f"`factor` must be greater than 1, got {factor:g}")
        ratio = self.log10_ratio - (self.log10_prefactor if prefactor else 0.0)
        known = np.isfinite(ratio)
        good = np.abs(ratio[known]) <= np.log10(factor)
        wrong = np.flatnonzero(~good)
        first = wrong[-1] + 1 if wrong.size else 0
        return float(self.times[known][first]) if first < good.size else np.nan

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the measured condition number over its estimate and band.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        return plot_comparison(self, ax)


def compare_condition(
    condition: ConditionNumber,
    spectrum: Spectrum | None = None,
    *,
    fit_from: float | None = None,
    level: float = 0.95,
) -> ConditionComparison:
    """Compare a measured condition number with its Lyapunov estimate.

    Without `spectrum` the estimate takes the exponents of the same window [0, t]: the ratio
    then tends to a constant, the prefactor, which depends on the starting basis and on the
    first steps. With the spectrum of a long run the estimate knows nothing of the window,
    and the ratio also wanders as finite-time exponents do.

    Parameters
    ----------
    condition : ConditionNumber
    spectrum : Spectrum, optional
        Of the same system and of at least as many directions; with ``record=True`` it also
        gives the band (see `prediction_band`). Of an ensemble pass ``spectrum.pooled()``.
    fit_from : float, optional
        Prefactor and slope are fitted from this time on; default half of the last time.
    level : float, optional
        Probability of the band.

    Returns
    -------
    ConditionComparison

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> A = np.tile([[2.0, 1.5], [0.0, 0.5]], (40, 1, 1))  # kappa tends to 2 * 4**t
    >>> c = ln.condition_from_jacobians(A, basis=np.eye(2))
    >>> v = compare_condition(c)
    >>> round(10**v.log10_prefactor, 6)
    2.0
    >>> v.valid_from(1.5), v.valid_from(1.5, prefactor=True)
    (nan, 5.0)
    """
    is_condition("condition", condition)
    level = probability(level)
    times = condition.times
    measured = np.where(np.isfinite(condition.log10_measured), condition.log10_measured, np.nan)
    low = high = np.full(len(times), np.nan)
    if spectrum is None:
        estimate = condition.log10_predicted
    else:
        estimate = long_run_growth(spectrum, condition)
        estimate = estimate[:, 0] - estimate[:, -1]
        if len(spectrum.log_growth):
            low, high = prediction_band(spectrum, times, m=condition.settings["k"], level=level)
    estimate = np.where(np.isfinite(estimate), estimate, np.nan)
    start = times[-1] / 2 if fit_from is None else validate.real("fit_from", fit_from, low=0.0)
    ratio = measured - estimate
    late = times >= start
    line = line_of(times[late], ratio[late])
    return ConditionComparison(
        times=times,
        log10_measured=measured,
        log10_estimate=estimate,
        log10_ratio=ratio,
        log10_low=low,
        log10_high=high,
        log10_prefactor=line.intercept / LN10,
        log10_prefactor_stderr=line.intercept_stderr / LN10,
        slope_difference=line.slope,
        slope_difference_stderr=line.slope_stderr,
        level=level,
        settings={"estimate": "window" if spectrum is None else "spectrum", "fit_from": start},
    )
