"""Condition numbers against the number of tangent directions, at one time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from ... import validate
from ...numerics.arrays import Array
from ...results.result import Result
from ...results.storage import register
from ..plot import plot_by_dimension
from ..result import ConditionNumber
from .common import is_condition, long_run_growth, time_index

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@register
class Usable(NamedTuple):
    """Numbers of directions whose condition number is acceptable.

    Attributes
    ----------
    measured, estimated : int
    """

    measured: int
    estimated: int


@register
@dataclass(frozen=True, repr=False, eq=False)
class ConditionByDimension(Result):
    r"""Condition numbers :math:`\kappa_m = \sigma_1 / \sigma_m` for m = 1 ... k directions.

    Attributes
    ----------
    m : array (k,)
        Numbers of directions.
    log10_measured : array (k,)
        NaN where unresolved, inf where proved infinite.
    log10_estimate : array (k,)
        :math:`(\lambda_1 - \lambda_m)\, t`.
    log10_lower, log10_upper : array (k,) or None
        Rigorous bounds, if the condition number was certified.
    t : float
        Time.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = dict.fromkeys(
        ("m", "log10_measured", "log10_estimate", "log10_lower", "log10_upper"), ("direction",)
    )

    m: Array
    log10_measured: Array
    log10_estimate: Array
    log10_lower: Array | None = field(repr=False)
    log10_upper: Array | None = field(repr=False)
    t: float

    def usable(self, log10_kappa_max: float) -> Usable:
        """Return how many directions stay below an acceptable condition number.

        Parameters
        ----------
        log10_kappa_max : float
            Decimal log of the largest acceptable condition number.

        Returns
        -------
        Usable
            Numbers `measured` (0 if nothing is resolved) and `estimated`.
        """
        limit = validate.real("log10_kappa_max", log10_kappa_max, low=0.0)
        counts = (np.sum(x <= limit) for x in (self.log10_measured, self.log10_estimate))
        return Usable(*map(int, counts))

    def plot(self, ax: Axes | None = None, *, color: Any = None, label: str = "") -> Axes:
        """Plot condition numbers against the number of directions.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        color : color, optional
            Of points and line; default one for each.
        label : str, optional
            Put before the names in the legend.

        Returns
        -------
        matplotlib Axes
        """
        return plot_by_dimension(self, ax, color=color, label=label)


def condition_by_dimension(
    condition: ConditionNumber, spectrum: Any = None, *, t: float | None = None
) -> ConditionByDimension:
    """Show how the condition number grows with the number of tangent directions.

    Parameters
    ----------
    condition : ConditionNumber
    spectrum : Spectrum, optional
        Whose exponents make the estimate; default those of the window [0, t] itself.
    t : float, optional
        One of the measured times; default the last.

    Returns
    -------
    ConditionByDimension

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> D = np.tile(np.diag([10.0, 1.0, 0.1]), (20, 1, 1))
    >>> c = ln.condition_from_jacobians(D, basis=np.eye(3))
    >>> d = condition_by_dimension(c)
    >>> d.log10_measured
    array([ 0., 20., 40.])
    >>> d.usable(30.0)
    Usable(measured=2, estimated=2)
    """
    is_condition("condition", condition)
    at = time_index(condition, t)
    s = condition.log10_singular_values[at]
    growth = condition.log10_growth[at]
    if spectrum is not None:
        growth = long_run_growth(spectrum, condition)[at]
    lower = upper = None
    low, high = condition.log10_singular_lower, condition.log10_singular_upper
    if low is not None and high is not None:
        lower = np.fmax(_outwards(low[at, 0] - high[at], -np.inf), 0.0)
        upper = _outwards(_over(high[at, 0], low[at]), np.inf)
        upper[0], lower[0] = 0.0, 0.0  # kappa_1 = 1
    measured = _over(s[0], s)
    measured[np.isneginf(s)] = np.inf
    return ConditionByDimension(
        m=np.arange(1, s.size + 1),
        log10_measured=measured,
        log10_estimate=_over(growth[0], growth),
        log10_lower=lower,
        log10_upper=upper,
        t=float(condition.times[at]),
    )


def _over(first: float, values: Array) -> Array:
    """Subtract logarithms; zero is infinitely smaller than anything, itself included."""
    return np.where(np.isneginf(values), np.inf, first - np.where(np.isneginf(values), 0, values))


def _outwards(x: Array, direction: float) -> Array:
    """Widen by the rounding of the difference; NaN says nothing."""
    return np.nextafter(np.where(np.isnan(x), direction, x), direction)
