"""What a run tells: exponents, their errors, and what follows from both."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ..numerics.arrays import Array, ArrayLike, patient
from ..results.storage import register
from ..systems import System, SystemLike
from .benettin import Benettin
from .continued import continued, seal_of
from .described import described
from .exponents import Exponents
from .html import spectrum_html
from .plot import plot_spectrum
from .second_run import Pair, second_run
from .step_defect import Look, Sample, step_defect, within_tolerance
from .uncertainty.batches import GrowthStatistics
from .uncertainty.diagnosis import Diagnosis
from .uncertainty.ensemble import pooled
from .verdict import diagnosis_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@register
@dataclass(frozen=True, repr=False, eq=False)
class Spectrum(Exponents):
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
        Whether all half-widths are below `tol`, and what the step of a flow changes, too; None
        without.
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
    sample: Sample | None = field(default=None, repr=False, compare=False)

    def _to_state(self) -> dict[str, Any]:
        """Return what a file holds: without a system there is nothing to look at in a sample."""
        state = {name: x for name, x in super()._to_state().items() if name != "sample"}
        return self._sealed(state)

    def __getstate__(self) -> dict[str, Any]:
        return self._sealed(super().__getstate__())

    def _sealed(self, state: dict[str, Any]) -> dict[str, Any]:
        """Keep what tells parameters from others where the system is left out, for `extend`."""
        seal = "" if self.system is None or state.get("system") else seal_of(self.system)
        if not seal:
            return state
        return {**state, "settings": {**self.settings, "parameters": seal}}

    def _repr_html_(self) -> str:
        return spectrum_html(self)

    def _summary(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"exponents": self.exponents, "stderr": self.stderr}
        shown["n_steps"], shown["time"] = self.n_steps, self.time
        if self.converged is not None:
            shown["converged"] = self.converged
        if "superstable" in self.settings:
            shown["note"] = "superstable, see diagnose()"
        elif np.isposinf(self.stderr).any():
            shown["note"] = "too short a run to tell the errors, see diagnose()"
        if self.settings.get("reservations"):
            shown["note"] = "unreliable, see diagnose()"
        elif self.converged is False and "note" not in shown:
            shown["note"] = "see diagnose()"
        return shown

    @patient
    def diagnose(self, *, tol: float | None = None, level: float = 0.95) -> Diagnosis:
        """Say in plain words whether the run has converged, and why.

        Members of an ensemble are tested for agreement if they are runs of one system; an
        ensemble of networks or parameters is not expected to agree.

        Of a flow the growth over some steps is held against that over half steps: if it differs
        by more than the error bars, the verdict is "too coarse". Where that cannot be done, as
        under noise, it says so.

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
        return diagnosis_of(self, tol, level)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        against: ArrayLike | None = None,
        members: ArrayLike | None = None,
        label: str | None = None,
    ) -> Axes:
        """Draw the exponents with their 95 % intervals; return the Axes.

        Of more than 50 members of one system the medians are drawn, and where half and 95 % of
        the members lie; of more than 50 different systems lines without intervals.

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

        Its errors combine the spread of the members with the errors within each run, and by how
        much their average is seen to drift. Its `diagnose` still judges the members, so that it
        tells if runs of one system disagree, and their average.
        """
        lead = self.exponents.shape[:-1]
        if not lead:
            return self
        lost = self._lost
        statistics = self.statistics.of_members(~lost)
        estimate = pooled(statistics.growth, statistics.durations)
        order = np.argsort(-estimate.mean, kind="stable")
        stderr = estimate.stderr[order]
        if "superstable" in self.settings:
            hangs = ~np.isnan(self.settings["superstable"][~lost]).all(axis=0)
            stderr[hangs & ~np.isnan(stderr)] = np.inf
        if "at_rest" in self.settings:  # what members are all off by alike does not spread
            off = np.abs(estimate.mean[order] - self.settings["at_rest"][~lost].mean(axis=0))
            stderr = np.where(np.isfinite(off), np.maximum(stderr, off), stderr)
        return replace(
            self,
            exponents=estimate.mean[order],
            stderr=stderr,
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
        self,
        n_steps: int | None = None,
        *,
        inputs: ArrayLike | None = None,
        system: SystemLike | None = None,
    ) -> Spectrum:
        """Continue the run, to the same exponents as one long run in as long blocks.

        But for inputs that a flow interpolates: the last step of the first part has not seen the
        sample behind it, and holds its own. Blocks stay as long as they were; of a long run they
        may be longer, and errors somewhat others.

        Parameters
        ----------
        n_steps : int, optional
            Further steps; as many as there are `inputs` if left out.
        inputs : array (n_steps, ..., m), optional
            The inputs of these steps; needed where the run so far was driven.
        system : System, optional
            That of the run: needed where a file could not hold it.

        Raises
        ------
        ValueError
            If members of the run have diverged (``on_divergence="nan"``), or it is pooled; if
            `system` is seen to be another one.
        """
        return self.from_run(continued(self, n_steps, inputs, system).run(), self.settings)

    @classmethod
    def from_run(cls, run: Benettin, settings: dict[str, Any]) -> Self:
        """Sort and describe what a run has found."""
        found = cls(**described(run, settings))
        if run.tol is None or not found.converged:
            return found
        look, there = found._of_the_step
        if within_tolerance(found, look, run.tol) and not (there and there.away.any()):
            return found
        return replace(found, converged=False)

    @cached_property
    def _of_the_step(self) -> tuple[Look, Pair | None]:
        """What is seen of the steps of the run along its orbit, and by another run."""
        look = step_defect(self)
        return look, second_run(self, look.strays)


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
        raise TypeError(f"`spectrum` must be a Spectrum, got a {type(spectrum).__name__}")
    return spectrum.diagnose(tol=tol, level=level)
