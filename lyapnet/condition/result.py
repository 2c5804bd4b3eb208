"""What a measurement of condition numbers returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import validate
from ..numerics.arrays import Array
from ..results.result import Result
from ..results.storage import register
from .line import beyond_exponents
from .plot import plot_condition

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@register
@dataclass(frozen=True, repr=False, eq=False)
class ConditionNumber(Result):
    r"""Condition numbers :math:`\kappa_k(T_t) = \sigma_1 / \sigma_k` along a trajectory.

    Attributes
    ----------
    times : array (m,)
        Times t.
    log10_measured : array (m,)
        Measured at high precision; NaN where unresolved, inf where proved infinite.
    log10_predicted : array (m,)
        Equation 10, :math:`(\lambda_1 - \lambda_k) t`, exponents of the window [0, t] in float64.
        What grows less than exponentially is in it only as far as it is in these; see `note`.
    log10_singular_values : array (m, k)
        Of the product, descending; NaN where unresolved. Of a singular product those
        that are proved to be zero are -inf, the others NaN: measure them with a smaller k.
    log10_growth : array (m, k)
        What the exponents of the window predict of these: :math:`\lambda_i t`, descending, in
        decimal logs; -inf where an exponent is.
    resolved : array of bool (m,)
        Whether `log10_measured` is right to 1e-10.
    log10_lower, log10_upper : array (m,) or None
        With ``certify=True``, rigorous bounds for the float64 Jacobians as they are: 0 and
        inf where the precision says nothing.
    log10_singular_lower, log10_singular_upper : array (m, k) or None
        Likewise, of all singular values.
    precision : int
        Working precision in bits.
    needed_precision : array (m,)
        Bits to try next for each value; `precision` where it is resolved. An estimate that
        looks ahead by at most a doubling: where it says twice `precision`, more may be needed.
    message : str
        Why values are unresolved or infinite; else empty.
    slope_measured, slope_predicted : float
        Least-squares slope of log kappa in t, nats per unit time, over the resolved finite
        values; NaN for fewer than two. Where growth is that of a power of t, it tends to zero.
    slope_measured_stderr, slope_predicted_stderr : float
        Their standard errors, for deviations that accumulate in time; NaN for fewer
        than three values.
    settings : dict
        Everything that the run used.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {
        "times": ("time",),
        "log10_measured": ("time",),
        "log10_predicted": ("time",),
        "log10_singular_values": ("time", "exponent"),
        "log10_growth": ("time", "exponent"),
        "resolved": ("time",),
        "log10_lower": ("time",),
        "log10_upper": ("time",),
        "log10_singular_lower": ("time", "exponent"),
        "log10_singular_upper": ("time", "exponent"),
        "needed_precision": ("time",),
    }

    times: Array
    log10_measured: Array
    log10_predicted: Array
    log10_singular_values: Array
    log10_growth: Array = field(repr=False)
    resolved: Array
    log10_lower: Array | None
    log10_upper: Array | None
    log10_singular_lower: Array | None = field(repr=False)
    log10_singular_upper: Array | None = field(repr=False)
    precision: int
    needed_precision: Array = field(repr=False)
    message: str
    slope_measured: float
    slope_measured_stderr: float
    slope_predicted: float
    slope_predicted_stderr: float
    settings: dict[str, Any] = field(repr=False)

    def _summary(self) -> dict[str, Any]:
        shown = {
            "times": self.times,
            "log10_measured": self.log10_measured,
            "log10_predicted": self.log10_predicted,
            "resolved": f"{int(self.resolved.sum())} of {self.resolved.size}",
            "precision": self.precision,
            "slope_measured": f"{self.slope_measured:.6g} +- {self.slope_measured_stderr:.2g}",
            "slope_predicted": f"{self.slope_predicted:.6g} +- {self.slope_predicted_stderr:.2g}",
        }
        said = {"message": self.message, "note": self.note}
        return {**shown, **{name: text for name, text in said.items() if text}}

    @property
    def note(self) -> str:
        """What speaks against the numbers; that most of them is not what exponents predict."""
        beyond = beyond_exponents(self.log10_measured, self.log10_predicted)
        if "reservation" not in self.settings:
            return beyond
        return "; ".join([f"unreliable: {self.settings['reservation']}", *[beyond] * bool(beyond)])

    def log10_condition_number(self, m: int) -> Array:
        """Return the measured log10 of sigma_1 / sigma_m at all times, for m directions."""
        m = validate.integer("m", m, low=1, high=self.log10_singular_values.shape[1])
        return self.log10_singular_values[:, 0] - self.log10_singular_values[:, m - 1]

    def usable_dimensions(self, log10_kappa_max: float) -> Array:
        """Return, for each time, how many directions stay below a condition number.

        Zero where unresolved.
        """
        log10_kappa_max = validate.real("log10_kappa_max", log10_kappa_max, low=0.0)
        values = self.log10_singular_values
        return np.sum(values[:, :1] - values <= log10_kappa_max, axis=1)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot measured against predicted condition numbers.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Axes
        """
        return plot_condition(self, ax)
