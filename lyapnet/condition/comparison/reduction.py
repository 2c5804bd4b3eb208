"""What flossing, or anything else, does to a condition number: before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...numerics.arrays import Array
from ...results.result import Result
from ...results.storage import register
from ..line import line_of
from ..plot import plot_reduction
from ..result import ConditionNumber
from .common import is_condition

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@register
@dataclass(frozen=True, repr=False, eq=False)
class ConditionReduction(Result):
    """Condition numbers before and after, at the same times.

    Attributes
    ----------
    times : array (m,)
    log10_before, log10_after : array (m,)
        Measured.
    log10_before_estimate, log10_after_estimate : array (m,)
        By the exponents of each window.
    log10_reduction, log10_reduction_estimate : array (m,)
        Before over after: orders of magnitude that are gained.
    slope, slope_stderr : float
        Growth rate of the measured reduction, nats per unit time.
    slope_estimate, slope_estimate_stderr : float
        The same, estimated.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = dict.fromkeys(
        (
            "times",
            "log10_before",
            "log10_after",
            "log10_before_estimate",
            "log10_after_estimate",
            "log10_reduction",
            "log10_reduction_estimate",
        ),
        ("time",),
    )

    times: Array
    log10_before: Array
    log10_after: Array
    log10_before_estimate: Array
    log10_after_estimate: Array
    log10_reduction: Array
    log10_reduction_estimate: Array
    slope: float
    slope_stderr: float
    slope_estimate: float
    slope_estimate_stderr: float

    def _summary(self) -> dict[str, Any]:
        return {
            "times": self.times,
            "log10_reduction": self.log10_reduction,
            "log10_reduction_estimate": self.log10_reduction_estimate,
            "slope": f"{self.slope:.6g} +- {self.slope_stderr:.2g}",
            "slope_estimate": f"{self.slope_estimate:.6g} +- {self.slope_estimate_stderr:.2g}",
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot both condition numbers, points for the measured and lines for the estimate.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        return plot_reduction(self, ax)


def condition_reduction(before: ConditionNumber, after: ConditionNumber) -> ConditionReduction:
    """Compare condition numbers before and after flossing.

    Parameters
    ----------
    before, after : ConditionNumber
        Measured at the same times, with as many directions.

    Returns
    -------
    ConditionReduction

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> def measured(rate):
    ...     D = np.tile(np.diag([rate, 1.0]), (40, 1, 1))
    ...     return ln.condition_from_jacobians(D, basis=np.eye(2))
    >>> r = condition_reduction(measured(10.0), measured(1.0))
    >>> round(float(r.log10_reduction[-1]), 9)  # 40 orders of magnitude
    40.0
    >>> round(r.slope, 6)  # in nats per step
    2.302585
    """
    is_condition("before", before)
    is_condition("after", after)
    if before.times.shape != after.times.shape or not np.allclose(before.times, after.times):
        raise ValueError(
            f"`before` and `after` must be measured at the same times, got {before.times} "
            f"and {after.times}: pass the same `times`"
        )
    if before.settings["k"] != after.settings["k"]:
        raise ValueError(
            f"`before` and `after` must have equally many directions, got "
            f"{before.settings['k']} and {after.settings['k']}"
        )
    with np.errstate(invalid="ignore"):  # infinite before and after
        reduction = before.log10_measured - after.log10_measured
        expected = before.log10_predicted - after.log10_predicted
    line = line_of(before.times, reduction)
    line_expected = line_of(before.times, np.where(np.isfinite(reduction), expected, np.nan))
    return ConditionReduction(
        times=before.times,
        log10_before=before.log10_measured,
        log10_after=after.log10_measured,
        log10_before_estimate=before.log10_predicted,
        log10_after_estimate=after.log10_predicted,
        log10_reduction=reduction,
        log10_reduction_estimate=expected,
        slope=line.slope,
        slope_stderr=line.slope_stderr,
        slope_estimate=line_expected.slope,
        slope_estimate_stderr=line_expected.slope_stderr,
    )
