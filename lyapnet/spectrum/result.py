"""What a run tells: exponents, their errors, and what follows from both."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from .. import validate
from ..numerics.arrays import Array, ArrayLike, patient
from ..results.result import Result
from ..results.storage import register
from ..systems import System, SystemLike, as_system
from ..tangent.start import check_inputs, prepare_inputs
from ..tangent.stretches import Plan
from .benettin import Benettin
from .dimension import entropy, kaplan_yorke_dimension
from .html import spectrum_html
from .plot import plot_spectrum
from .step_defect import judge_step, step_defect
from .uncertainty.batches import GrowthStatistics
from .uncertainty.diagnosis import Diagnosis
from .uncertainty.diagnosis import diagnose as judge
from .uncertainty.ensemble import pooled
from .uncertainty.stderr import Estimate, linear_stderr

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@register
@dataclass(frozen=True, repr=False, eq=False)
class Spectrum(Result):
    r"""Lyapunov exponents of a run, with all that the run tells about them.

    The leading axes ``...`` are those of the ensemble. Exponents are in nats per unit time.

    Attributes
    ----------
    exponents : array (..., k)
        In descending order.
    stderr : array (..., k)
        Standard errors that account for autocorrelation; ``inf`` where the run is too short to
        tell, ``nan`` where the exponent is ``-inf``.
    dof : array (..., k)
        Degrees of freedom of the errors: a t distribution's, see `confidence_interval`.
    log_growth : array (blocks, ..., k)
        Logarithms of the growth factors, raw, in QR order; empty with ``record=False``.
    times : array (blocks,)
        End of each block, from the start of the average.
    converged : bool or None
        Whether all half-widths are below `tol`; None without.
    state : array (..., n)
        At the end of the run.
    basis : array (..., n, k)
        At the end of the run.
    x0 : array (..., n)
        State at the start of the run, before the transients.
    settings : dict
        Everything that the run used, what was chosen automatically included.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {
        "exponents": ("exponent",),
        "stderr": ("exponent",),
        "dof": ("exponent",),
        "log_growth": ("time", "...", "growth"),
        "times": ("time",),
        "state": ("unit",),
        "basis": ("unit", "growth"),
        "x0": ("unit",),
    }

    _units: ClassVar[dict[str, str]] = {
        "exponents": "nats per unit time",
        "stderr": "nats per unit time",
        "log_growth": "nats",
        "times": "time",
    }

    exponents: Array
    stderr: Array
    dof: Array
    log_growth: Array
    times: Array
    converged: bool | None
    state: Array
    basis: Array
    x0: Array
    settings: dict[str, Any]
    statistics: GrowthStatistics = field(repr=False)
    system: System | None = field(default=None, repr=False, compare=False)

    def _repr_html_(self) -> str:
        return spectrum_html(self)

    def _summary(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"exponents": self.exponents, "stderr": self.stderr}
        shown["n_steps"] = self.settings["n_steps"]
        shown["time"] = self.settings["n_steps"] * self.settings["dt"]
        if self.converged is not None:
            shown["converged"] = self.converged
        if np.isposinf(self.stderr).any():
            shown["note"] = "too short a run to tell the errors"
        if self.settings.get("reservations"):
            shown["note"] = "unreliable, see diagnose()"
        return shown

    @property
    def dim(self) -> int:
        """Dimension n of the state."""
        return int(self.basis.shape[-2])

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
        weights = np.broadcast_to(validate.array("weights", weights, least=1), self.exponents.shape)
        statistics = self._own_statistics
        raw = np.zeros(weights.shape)
        np.put_along_axis(raw, self._order, weights, axis=-1)
        found = linear_stderr(statistics.growth, statistics.durations, raw)
        if not self.settings.get("diverged"):
            return found
        return Estimate(*(np.where(self._lost, np.nan, x) for x in found))

    def _linear(self, weights: Array) -> Array:
        """Return the standard error of a `combination`; ``nan`` where weights are not finite."""
        known = np.asarray(np.isfinite(weights).all(axis=-1))
        stderr = self.combination(np.where(known[..., None], weights, 0.0)).stderr
        return np.asarray(np.where(known, stderr, np.nan))[()]

    def _derived(self, function: Callable[..., tuple[Array, Array]]) -> tuple[Array, Array]:
        """Return a number that follows from the exponents, with its derivatives in them."""
        if not self.settings.get("diverged"):
            return function(self.exponents, self.dim)
        lost = self._lost
        found, slopes = function(np.where(lost[..., None], 0.0, self.exponents), self.dim)
        return np.where(lost, np.nan, found), slopes

    @property
    def kaplan_yorke_dimension(self) -> Array:
        """Kaplan-Yorke (Lyapunov) dimension; ``nan`` where k exponents do not reach it."""
        return self._derived(kaplan_yorke_dimension)[0]

    @property
    def kaplan_yorke_stderr(self) -> Array:
        """Standard error of `kaplan_yorke_dimension`, correlations included."""
        return self._linear(self._derived(kaplan_yorke_dimension)[1])

    @property
    def entropy(self) -> Array:
        """Sum of the positive exponents, nats per unit time: the entropy rate (Pesin)."""
        return self._derived(entropy)[0]

    @property
    def entropy_stderr(self) -> Array:
        """Standard error of `entropy`, correlations included."""
        return self._linear(self._derived(entropy)[1])

    def log10_condition_number(self, t: ArrayLike, m: int | None = None) -> Array:
        r"""Predict the condition number of the long-term Jacobian (eq. 10), in decimal logs.

        .. math:: \kappa_m \sim \exp((\lambda_1 - \lambda_m)\, t)

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

    @patient
    def diagnose(self, *, tol: float | None = None, level: float = 0.95) -> Diagnosis:
        """Say in plain words whether the run has converged, and why.

        Members of an ensemble are tested for agreement if they are runs of one system; an
        ensemble of networks or parameters is not expected to agree.

        Of a flow that is not driven the growth over the next steps is held against that over
        half steps: if it differs by more than the error bars, the verdict is "too coarse".

        Parameters
        ----------
        tol : float, optional
            Largest acceptable half-width; default the run's own.
        level : float, optional
            Level of the intervals.

        Returns
        -------
        Diagnosis
        """
        tol = self.settings["tol"] if tol is None else validate.real("tol", tol, positive=True)
        growth = self.statistics.growth
        order = np.broadcast_to(self._order, growth.shape[1:])
        growth = np.take_along_axis(growth, order[None], axis=-1)
        growth, x0, state = self._surviving(growth, self.x0[None], self.state[None])
        found = judge(
            growth,
            self.statistics.durations,
            tol=tol,
            level=level,
            same_system=self.settings.get("one_system", True),
            x0=x0[0],
            state=state[0],
        )
        found = self._with_step(found)
        reservations = self.settings.get("reservations")
        if not reservations:
            return found
        verdict = f"unreliable: {'; and '.join(reservations)}"
        return replace(found, verdict=verdict, converged=False)

    def _with_step(self, found: Diagnosis) -> Diagnosis:
        """Hold what the integrator's step does to the exponents against their error bars."""
        defect = step_defect(self)
        if defect is None or self.system is None:
            return found
        low, high = self.confidence_interval(found.level)
        change = np.abs(defect)
        fine, words = judge_step(change, self.exponents, (high - low) / 2, self.system)
        if fine:
            return replace(found, step_error=change, step_verdict=words)
        return replace(
            found,
            step_error=change,
            step_verdict=words,
            converged=False,
            verdict=f"{words}. Apart from the step: {found.verdict}",
        )

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
    def _lost(self) -> Array:
        """Members that have diverged, (...) of bool."""
        lost = np.zeros(self.statistics.growth.shape[1:-1], dtype=bool)
        for one in self.settings.get("diverged", ()):
            lost[tuple(one["member"])] = True
        return lost

    def _surviving(self, *arrays: Array) -> list[Array]:
        """Return of arrays ``(m, ..., j)`` what is of the members that have not diverged."""
        lost = self._lost
        return [x[:, ~lost] if lost.any() else x for x in arrays]

    def plot(
        self,
        ax: Axes | None = None,
        *,
        against: ArrayLike | None = None,
        members: ArrayLike | None = None,
        label: str | None = None,
    ) -> Axes:
        """Draw the exponents with their 95 % intervals; return the Axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        against : array (...), optional
            Of an ensemble, a parameter of its members: the exponents are drawn over it, one line
            for each (of many, for five), instead of over their index.
        members : array (...), optional
            Values that name the members in the legend or colour bar.
        label : str, optional
            What `against` or `members` are.

        Examples
        --------
        >>> import numpy as np
        >>> import lyapnet as ln
        >>> gains = np.linspace(0.5, 2.0, 16)
        >>> family = ln.VanillaRNN.random(40, gain=gains, n_inputs=0, rng=0)
        >>> s = ln.lyapunov_spectrum(family, 200, k=2, rng=0)
        >>> ax = s.plot(against=gains, label="gain g")
        """
        return plot_spectrum(self, ax, against=against, members=members, label=label)

    @patient
    def pooled(self) -> Spectrum:
        """Return one spectrum of an ensemble: averaged in QR order, then sorted.

        Its errors combine the spread of the members with the errors within each run. Its
        `diagnose` still judges the members, so that it tells if runs of one system disagree.
        """
        lead = self.exponents.shape[:-1]
        if not lead:
            return self
        lost = self._lost
        statistics = self.statistics.of_members(~lost)
        estimate = pooled(statistics.growth, statistics.durations)
        order = np.argsort(-estimate.mean, kind="stable")
        return replace(
            self,
            exponents=estimate.mean[order],
            stderr=estimate.stderr[order],
            dof=estimate.dof[order],
            log_growth=self.log_growth[:, ~lost].mean(axis=1),
            state=self.state[~lost][0],
            basis=self.basis[~lost][0],
            x0=self.x0[~lost][0],
            settings={**self.settings, "pooled": int((~lost).sum()), "diverged": []},
            statistics=statistics,
        )

    @patient
    def extend(
        self, n_steps: int, *, inputs: ArrayLike | None = None, system: SystemLike | None = None
    ) -> Spectrum:
        """Continue the run, to the same result as one long run.

        Parameters
        ----------
        n_steps : int
            Further steps.
        inputs : array (n_steps, ..., m), optional
            The inputs of these steps; needed where the run so far was driven.
        system : System, optional
            Needed where the spectrum has been loaded from a file, or to go on with another.
        """
        found = self.system if system is None else as_system(system)
        if found is None:
            raise ValueError("`system` is needed: this spectrum does not carry one")
        n_steps = validate.integer("n_steps", n_steps, low=1)
        if found.dim != self.dim:
            raise ValueError(f"`system` must have dim {self.dim} like the run, got {found.dim}")
        if "pooled" in self.settings:
            raise ValueError("a pooled spectrum cannot be extended: extend the ensemble, then pool")
        if self.settings.get("diverged"):
            raise ValueError("members of this run have diverged: run the others by themselves")
        if self.settings["driven"] and inputs is None:
            raise ValueError("`inputs` is needed: the run so far was driven")
        u = None if inputs is None else validate.array("inputs", inputs, least=2)
        check_inputs(found, u, n_steps)
        recorded = len(self.log_growth) > 0
        run = Benettin(
            found,
            self.state,
            np.ascontiguousarray(self.basis.swapaxes(-1, -2)),
            prepare_inputs(
                found,
                u,
                self.state.shape[:-1],
                n_steps,
                t0=self.settings.get("t0", 0.0),
                first=self.steps_so_far,
                seed=self.settings.get("seed"),
            ),
            Plan(0, 0, n_steps, self.settings["qr_interval"], self.settings["forgiving"]),
            record=recorded,
            tol=self.settings["tol"],
            n_done=self.settings["n_steps"],
            growth=[self.log_growth] if recorded else [],
            durations=[np.diff(self.times, prepend=0.0)] if recorded else [],
            statistics=copy.deepcopy(self.statistics),
            x0=self.x0,
        )
        return self.from_run(run.run(), self.settings)

    @property
    def steps_so_far(self) -> int:
        """Number of all steps of the run, transients included."""
        return sum(self.settings[name] for name in ("transient", "basis_transient", "n_steps"))

    @classmethod
    def from_run(cls, run: Benettin, settings: dict[str, Any]) -> Self:
        """Sort and describe what a run has found."""
        estimate = run.statistics.estimate()
        order = np.argsort(-estimate.mean, axis=-1, kind="stable")
        exponents, stderr, dof = (np.take_along_axis(x, order, axis=-1) for x in estimate)
        durations = np.concatenate([*run.durations, np.zeros(0)])
        growth = np.concatenate(run.growth or [np.zeros((0, *exponents.shape))])
        state, basis = run.x, run.rows.swapaxes(-1, -2)
        diverged: list[dict[str, Any]] = []
        if run.losses is not None and run.losses.lost.any():
            lost = run.losses.lost
            for x in (exponents, stderr, dof):
                x[lost] = np.nan
            growth = np.where(lost[..., None], np.nan, growth)
            state, basis = np.array(state), np.array(basis)
            state[lost], basis[lost] = np.nan, np.nan
            diverged = [
                {"member": at.tolist(), "step": int(run.losses.steps[tuple(at)])}
                for at in np.argwhere(lost)
            ]
        return cls(
            exponents=exponents,
            stderr=stderr,
            dof=dof,
            log_growth=growth,
            times=np.cumsum(durations),
            converged=None if run.tol is None else run.within(run.tol) and not run.reservations,
            state=state,
            basis=basis,
            x0=run.x if run.x0 is None else run.x0,
            settings={
                **settings,
                "n_steps": run.n_done,
                "reservations": run.reservations,
                "diverged": diverged,
                **_engine(run),
            },
            statistics=run.statistics,
            system=run.system,
        )


def _engine(run: Benettin) -> dict[str, str]:
    """Say which engine has run a system, and why if it was NumPy."""
    used, reason = (run.engine or run.system).engine_used
    return {"engine": used, **({"engine_reason": reason} if reason else {})}


@patient
def diagnose(spectrum: Spectrum, *, tol: float | None = None, level: float = 0.95) -> Diagnosis:
    """Say in plain words whether a spectrum has converged, and why.

    Parameters
    ----------
    spectrum : Spectrum
    tol : float, optional
        Largest acceptable half-width, nats per unit time; default the run's own.
    level : float, optional
        Level of the intervals.

    Returns
    -------
    Diagnosis
        With a verdict in one sentence, the tests behind it, and a plot.

    Examples
    --------
    >>> import lyapnet as ln
    >>> s = ln.lyapunov_spectrum(ln.catalog.henon(), 5000, rng=0)
    >>> ln.diagnose(s).converged
    True
    """
    if not isinstance(spectrum, Spectrum):
        raise TypeError(f"`spectrum` must be a Spectrum, got {type(spectrum).__name__}")
    return spectrum.diagnose(tol=tol, level=level)
