"""Exponents with their errors, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import validate
from ..numerics.arrays import Array, ArrayLike, patient
from ..results.result import Result
from ..systems import System
from .dimension import entropy, kaplan_yorke_dimension
from .uncertainty.batches import GrowthStatistics
from .uncertainty.ensemble import pooled_combination
from .uncertainty.estimate import Estimate
from .uncertainty.stderr import linear_stderr


class Exponents(Result):
    """What a `Spectrum` tells, whatever run it is of; see there for the attributes."""

    exponents: Array
    stderr: Array
    dof: Array
    log_growth: Array
    times: Array
    state: Array
    basis: Array
    x0: Array
    settings: dict[str, Any]
    statistics: GrowthStatistics
    system: System | None

    @property
    def dim(self) -> int:
        """Dimension n of the state."""
        return int(self.basis.shape[-2])

    @property
    def n_steps(self) -> int:
        """Number of averaged steps."""
        return int(self.settings["n_steps"])

    @property
    def time(self) -> float:
        """Time that is averaged over: `n_steps` times dt."""
        return float(self.n_steps * self.settings["dt"])

    @property
    def _lost(self) -> Array:
        """Members that have diverged, (...) of bool."""
        lost = np.zeros(self.statistics.growth.shape[1:-1], dtype=bool)
        for one in self.settings.get("diverged", ()):
            lost[tuple(one["member"])] = True
        return lost

    @property
    def _own_statistics(self) -> GrowthStatistics:
        """What the exponents are estimated from: of a pooled spectrum the mean of its members."""
        pooled = "pooled" in self.settings
        return self.statistics.mean_over_members() if pooled else self.statistics

    @property
    def _order(self) -> Any:
        """Columns of the growth in the order of the exponents, ``(..., k)`` of int."""
        return np.argsort(-self._own_statistics.estimate().mean, axis=-1, kind="stable")

    @property
    def steps_so_far(self) -> int:
        """Number of all steps of the run, transients included."""
        return sum(self.settings[name] for name in ("transient", "basis_transient", "n_steps"))

    def confidence_interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Return the ends ``(low, high)``, each ``(..., k)``, of two-sided intervals.

        Parameters
        ----------
        level : float, optional
            Probability with which an interval holds the exponent.
        """
        return Estimate(self.exponents, self.stderr, self.dof).confidence_interval(level)

    def running(self) -> Array:
        """Return the estimate after each block, ``(blocks, ..., k)``, in QR order."""
        self._need_record("running")
        end = self.times.reshape(-1, *(1,) * (self.log_growth.ndim - 1))
        return np.cumsum(self.log_growth, axis=0) / end

    def finite_time(self, window: int) -> Array:
        """Return the exponents of consecutive windows, without resetting the basis.

        Parameters
        ----------
        window : int
            Steps in a window: a multiple of the QR interval. What is left at the end of the
            run, less than a window, is not returned.

        Returns
        -------
        array (windows, ..., k)
            In QR order. Where the windows fill the run, their mean is the spectrum.
        """
        self._need_record("finite_time")
        interval = self.settings["qr_interval"]
        window = validate.integer("window", window, low=1, high=self.settings["n_steps"])
        if window % interval:
            raise ValueError(
                f"`window` must be a multiple of the qr_interval {interval}, got {window}: take "
                f"{max(1, round(window / interval)) * interval}, or run with qr_interval=1"
            )
        per = window // interval
        count = self.settings["n_steps"] // window
        blocks = self.log_growth[: count * per]
        summed = blocks.reshape(count, per, *blocks.shape[1:]).sum(axis=1)
        return summed / (window * self.settings["dt"])

    def _need_record(self, what: str) -> None:
        if not len(self.log_growth):
            raise ValueError(f"`{what}` needs the growth of each block: run with record=True")

    @patient
    def combination(self, weights: ArrayLike) -> Estimate:
        """Estimate a linear combination of the exponents, their correlations accounted for.

        Parameters
        ----------
        weights : array (..., k)
            Of the exponents as sorted; finite. With ones the estimate is that of their sum.

        Returns
        -------
        Estimate
            With `mean`, `stderr` and `dof`, each of shape (...), and `confidence_interval`.

        Examples
        --------
        >>> import lyapnet as ln
        >>> s = ln.lyapunov_spectrum(ln.catalog.henon(), 5000, rng=0)
        >>> total = s.combination([1, 1])  # each step contracts areas by 0.3: no error
        >>> print(f"{total.mean:.6f}, {total.stderr < 1e-8}")
        -1.203973, True
        """
        weights = validate.array("weights", weights, least=1)
        try:
            weights = np.broadcast_to(weights, self.exponents.shape)
        except ValueError:
            raise ValueError(
                f"`weights` must fit the exponents, of shape {self.exponents.shape}, got shape "
                f"{weights.shape}: give 0 for those that do not count"
            ) from None
        statistics = self.statistics
        raw = np.zeros(weights.shape)
        np.put_along_axis(raw, self._order, weights, axis=-1)
        if "pooled" in self.settings:
            return pooled_combination(statistics.growth, statistics.durations, raw)
        found = linear_stderr(statistics.growth, statistics.durations, raw)
        if not self.settings.get("diverged"):
            return found
        return Estimate(*(np.where(self._lost, np.nan, x) for x in found))

    def _linear(self, weights: Array) -> Array:
        """Return the standard error of a `combination`; ``nan`` where weights are not finite.

        Rounding is that of exponents: the largest weight is taken out, which may be a time.
        """
        known = np.asarray(np.isfinite(weights).all(axis=-1))
        weights = np.where(known[..., None], weights, 0.0)
        largest = np.abs(weights).max(axis=-1)
        parts = weights / np.where(largest > 0, largest, 1.0)[..., None]
        return np.asarray(np.where(known, largest * self.combination(parts).stderr, np.nan))[()]

    def _derived(self, function: Callable[..., tuple[Array, Array]], of: Array) -> Any:
        """Return a number that follows from exponents `of`, with its derivatives in them."""
        if not self.settings.get("diverged"):
            return function(of, self.dim)
        lost = self._lost
        found, slopes = function(np.where(lost[..., None], 0.0, of), self.dim)
        return np.where(lost, np.nan, found), slopes

    @property
    def _perhaps_zero(self) -> Array:
        """Exponents (..., k) whose 95 % intervals are finite and hold zero."""
        low, high = self.confidence_interval()
        return np.asarray((low <= 0) & (high >= 0) & np.isfinite(self.stderr))

    @property
    def _dimension(self) -> tuple[Array, Array]:
        """Kaplan-Yorke dimension, with its standard error.

        It jumps where the first exponent passes zero, from 0 to the number of those that are zero,
        as on a cycle or a torus: they are taken for zero there, and the error is the jump.
        """
        even = self._perhaps_zero
        of = np.where(even & even[..., :1], 0.0, self.exponents)
        found, slopes = self._derived(kaplan_yorke_dimension, of)
        stderr = self._linear(slopes)
        stderr = np.where(even[..., 0], np.maximum(stderr, found), stderr)
        return found, self._unknown_beside(stderr)

    def _unknown_beside(self, stderr: Array) -> Array:
        """Return errors (...), infinite where not even the first exponent's sign is known."""
        unknown = np.isposinf(self.stderr[..., 0]) & ~np.isnan(stderr)
        return np.asarray(np.where(unknown, np.inf, stderr))[()]

    @property
    def kaplan_yorke_dimension(self) -> Array:
        """Kaplan-Yorke (Lyapunov) dimension; ``nan`` where k exponents do not reach it.

        Where the first exponent is not told from zero, such exponents are counted as zero.
        """
        return self._dimension[0]

    @property
    def kaplan_yorke_stderr(self) -> Array:
        """Standard error of `kaplan_yorke_dimension`, correlations included.

        The whole dimension where the first exponent is not told from zero: of a slow decay to
        a fixed point it is 0.
        """
        return self._dimension[1]

    @property
    def entropy(self) -> Array:
        """Sum of the positive exponents, nats per unit time: the entropy rate (Pesin)."""
        return self._derived(entropy, self.exponents)[0]

    @property
    def entropy_stderr(self) -> Array:
        """Standard error of `entropy`, correlations included; of all that may be positive."""
        slopes, perhaps = self._derived(entropy, self.exponents)[1], self._perhaps_zero
        sure = self._linear(np.where(perhaps & ~np.isnan(slopes), 0.0, slopes))
        each = np.where(perhaps, self.stderr, 0.0)  # which of them count is not known
        return self._unknown_beside(np.hypot(sure, np.linalg.norm(each, axis=-1)))

    def log10_condition_number(self, t: ArrayLike, m: int | None = None) -> Array:
        r"""Predict the condition number of the long-term Jacobian (eq. 10), in decimal logs.

        .. math:: \kappa_m \sim \exp((\lambda_1 - \lambda_m)\, t)

        What grows less than exponentially is not in it: prefactors, and powers of t. All exponents
        of a shear are 0, and so is what they predict, while its condition number grows like t^2.

        Parameters
        ----------
        t : float or array
            Time.
        m : int, optional
            Number of tangent directions; default all k.

        Returns
        -------
        array
            Of the shape of the ensemble, the axes of `t` behind it.
        """
        k = self.exponents.shape[-1]
        m = k if m is None else validate.integer("m", m, low=1, high=k)
        t = validate.array("t", t)
        if (t < 0).any():
            raise ValueError(f"`t` must not be negative, got {t.min():g}")
        with np.errstate(invalid="ignore"):  # -inf from -inf, and inf times 0
            gap = self.exponents[..., 0] - self.exponents[..., m - 1]
            found = np.multiply.outer(gap, t) / np.log(10)
        # Where not even the first direction survives none can be compared with it.
        return np.where(np.isnan(found), np.where(t > 0, np.inf, 0.0), found)

    def usable_dimensions(self, t: float, log10_kappa_max: float) -> Array:
        """Count the tangent directions whose predicted condition number stays acceptable.

        Parameters
        ----------
        t : float
            Time.
        log10_kappa_max : float
            Decimal log of the largest acceptable condition number.
        """
        t = validate.real("t", t, low=0.0)
        limit = validate.real("log10_kappa_max", log10_kappa_max, low=0.0)
        if not t:
            return np.full(self.exponents.shape[:-1], self.exponents.shape[-1])[()]
        with np.errstate(invalid="ignore"):  # -inf from -inf: a direction that does not survive
            gap = self.exponents[..., :1] - self.exponents
        return (gap * (t / np.log(10)) <= limit).sum(axis=-1)
