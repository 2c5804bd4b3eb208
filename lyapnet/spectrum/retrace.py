"""The trajectory of a spectrum once more, with what its Jacobians tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..numerics.arrays import Array, blas_threads, unit_of
from ..runs.progress import progress_bar
from ..systems import System
from ..systems.orbit import Orbit
from ..tangent.plan import Plan
from ..tangent.start import check_inputs, input_sequence
from ..tangent.stretches import run_stretches, stretch_length
from .result import Spectrum
from .volume import has_divergence

#: States at which Jacobians are kept.
_LOOKS = 8

#: Up to so many states Jacobians are formed at all.
_FORMED = 5000

#: Condition numbers beyond this may be a matter of units.
_LARGE = 1e6

#: Jacobians of a stretch are taken together up to so many numbers, else one by one.
_TOGETHER = 2**24


@dataclass
class Retraced:
    """The trajectory of a spectrum once more.

    `states` and `inputs` are at some steps of the average, `jacobians` theirs; `log_det` is of
    every averaged step, and `rounding` the mean error in it: the condition number in units of the
    last place; `divergence` is the mean divergence of a flow's field.
    """

    states: Array
    inputs: list[Array | None]
    jacobians: Array
    log_det: Array
    rounding: Array
    same: bool
    divergence: Array | None = None


def retrace(
    spectrum: Spectrum, system: System | None, inputs: Any, *, progress: bool = False
) -> tuple[Retraced | None, str]:
    """Run the states of a spectrum's run again, in the same stretches, or say why not."""
    if system is None:
        return None, "the spectrum carries no system: give `system`"
    reason = _why_not(spectrum, inputs)
    if reason:
        return None, reason
    settings, x = spectrum.settings, spectrum.x0
    plan = Plan.of(settings)
    samples = input_sequence(inputs)
    check_inputs(system, samples, plan.total)
    at = {"t0": settings.get("t0", 0.0), "seed": settings.get("seed")}
    given = system.drive.rows(samples, x.shape[:-1], plan.total, **at)
    k = spectrum.exponents.shape[-1]
    stretches = plan.stretches(stretch_length(system, x.shape[:-1], k))
    witness = _Witness(system, plan, given, volume=k == system.dim)
    fast = system.prepared(x, given, k, plan.total)  # as the run was: it is the same orbit, then
    bars = progress_bar(plan.total, show=progress, unit="step", desc="retracing")
    with blas_threads(system.dim**3), bars as bar:
        for phase, start, orbit in run_stretches(fast, x, given, stretches, bar=bar):
            if phase == "n_steps":
                witness.look(orbit, start)
    return witness.told(spectrum), ""


def _why_not(spectrum: Spectrum, inputs: Any) -> str:
    """Say why the states of a spectrum's run cannot be had again, if they cannot."""
    if "pooled" in spectrum.settings:
        return "the spectrum is pooled: check the ensemble, then pool it"
    if np.isnan(spectrum.x0).any():
        return "the spectrum does not tell its states"
    if spectrum.settings["driven"] and inputs is None:
        return "the run was driven: give its `inputs`"
    return ""


class _Witness:
    """Gathers, stretch by stretch, what `Retraced` holds.

    Parameters
    ----------
    system : System
    plan : Plan
    given : array (T, ..., c) or None
        What each step was given.
    volume : bool
        Whether the determinants of all Jacobians are wanted.
    """

    def __init__(self, system: System, plan: Plan, given: Array | None, volume: bool) -> None:
        steps = np.linspace(0, plan.n_steps - 1, _LOOKS)
        self.looks = {plan.warm_up + int(i) for i in steps}
        self.system, self.given = system, given
        self.volume = volume and system.dim <= _FORMED
        self.diverging = self.volume and has_divergence(system)
        self.states: list[Array] = []
        self.inputs: list[Array | None] = []
        self.jacobians: list[Array] = []
        self.log_det: list[Array] = []
        self.condition: list[Array] = []
        self.divergence: list[Array] = []
        self.end: Array

    def look(self, orbit: Orbit, start: int) -> None:
        """Look at a stretch that begins at step `start` of the run."""
        states = orbit.states
        self.end = states[-1]
        together = self.volume and states.size * self.system.dim <= _TOGETHER
        D = orbit.jacobians if together else None
        for s in range(orbit.n_steps):
            seen = start + s in self.looks
            if seen:
                self.states.append(states[s])
                self.inputs.append(None if self.given is None else self.given[start + s])
            if self.system.dim <= _FORMED and (seen or (self.volume and D is None)):
                J = self._jacobian(states[s], start + s) if D is None else D[s]
                if seen:
                    self.jacobians.append(np.broadcast_to(J, (*states[s].shape, J.shape[-1])))
                if D is None and self.volume:
                    self._measure(J[None], states[s : s + 2])
        if self.diverging:
            self.divergence.append(self.system.divergence(orbit))  # type: ignore[attr-defined]  # `diverging` says that it has one
        if D is not None:
            self._measure(D, states, orbit.log_volume)

    def _jacobian(self, x: Array, s: int) -> Array:
        """Return the Jacobian of one step, without those of all others."""
        now = None if self.given is None else self.given[s : s + 1]
        return self.system.orbit(x, now, 1).jacobians[0]

    def _measure(self, D: Array, states: Array, log_det: Array | None = None) -> None:
        """Note determinants and condition numbers of steps, those in better units if it matters."""
        if log_det is None:
            with np.errstate(divide="ignore"):
                log_det = np.linalg.slogdet(D)[1]
        self.log_det.extend(log_det)
        condition = np.linalg.cond(D, 1)
        if (condition > _LARGE).any():
            size = np.abs(states).max(axis=0)
            size = np.where(size > 0, size, 1.0)
            condition = np.fmin(
                condition, np.linalg.cond(D * size[..., None, :] / size[..., None], 1)
            )
        self.condition.extend(condition)

    def told(self, spectrum: Spectrum) -> Retraced:
        """Return all that was seen, and whether it was the run of a spectrum."""
        end, unit = spectrum.state, max(unit_of(spectrum.state), unit_of(spectrum.x0))
        worst = np.mean(self.condition, axis=0) if self.volume else np.zeros(end.shape[:-1])
        return Retraced(
            np.array(self.states),
            self.inputs,
            np.array(self.jacobians),
            np.array(self.log_det),
            np.finfo(float).eps * worst,
            bool(_alike(self.end, end, unit).all()),
            np.concatenate(self.divergence).mean(axis=0) if self.divergence else None,
        )


def _alike(one: Array, other: Array, unit: float) -> Array:
    """Return where components agree, but for rounding that has hardly grown.

    Of those larger than a unit, such as phases that go round, the size is no measure: volumes hang
    on the part of a turn, and are off by as much as that is.
    """
    size = np.abs(other)
    room = 1e-9 * np.minimum(size, unit) + 1e-12 * np.maximum(size, unit)
    found: Array = np.abs(one - other) <= room
    return found
