"""The trajectory of a spectrum once more, with what its Jacobians tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import validate
from ..numerics.arrays import Array, blas_threads
from ..runs.progress import progress_bar
from ..systems import DelayFlow, Flow, System
from ..systems.integrators import CONTROLLED
from ..tangent.start import check_inputs, prepare_inputs
from ..tangent.stretches import Plan, run_orbit, stretch_length
from .result import Spectrum

#: States at which Jacobians are kept.
_LOOKS = 8

#: Up to so many states Jacobians are formed at all.
_FORMED = 5000

#: Jacobians of a stretch are taken together up to so many numbers, else one by one.
_TOGETHER = 2**24


@dataclass
class Retraced:
    """The trajectory of a spectrum once more.

    `states` and `inputs` are at some steps of the average, `jacobians` theirs; `first` and `last`
    are displacements in the first and last step; `log_det` is of every averaged step, and
    `rounding` the mean error in it: the condition number in units of the last place; `divergence`
    is the mean divergence of a flow's field.
    """

    states: Array
    inputs: list[Array | None]
    jacobians: Array
    first: Array
    last: Array
    log_det: Array
    rounding: Array
    same: bool
    divergence: Array | None = None


def retrace(
    spectrum: Spectrum, system: System | None, inputs: Any, *, progress: bool = False
) -> tuple[Retraced | None, str]:
    """Run the states of a spectrum's run again, in the same stretches, or say why not."""
    settings = spectrum.settings
    if system is None:
        return None, "the spectrum carries no system: give `system`"
    if "pooled" in settings:
        return None, "the spectrum is pooled: check the ensemble, then pool it"
    if np.isnan(spectrum.x0).any():
        return None, "the spectrum does not tell its states"
    if settings["driven"] and inputs is None:
        return None, "the run was driven: give its `inputs`"
    plan = Plan(
        settings["transient"],
        settings["basis_transient"],
        settings["n_steps"],
        settings["qr_interval"],
    )
    u = None if inputs is None else validate.array("inputs", inputs, least=2)
    check_inputs(system, u, plan.total)
    x = spectrum.x0
    n, lead = system.dim, x.shape[:-1]
    t0, seed = settings.get("t0", 0.0), settings.get("seed")
    u = prepare_inputs(system, u, lead, plan.total, t0=t0, seed=seed)
    begin = plan.transient + plan.basis_transient
    looks = {begin + int(i) for i in np.linspace(0, plan.n_steps - 1, _LOOKS)}
    states, given, jacobians, log_det, condition, first = [], [], [], [], [], None
    want_det = spectrum.exponents.shape[-1] == n and n <= _FORMED
    divergence: list[Array] = []
    fixed = want_det and _has_divergence(system)
    length = stretch_length(system, lead, spectrum.exponents.shape[-1])
    bars = progress_bar(plan.total, show=progress, unit="step", desc="retracing")
    with blas_threads(n**3), bars as bar:
        for phase, start, stop in plan.stretches(length):
            orbit = run_orbit(system, x, u, start, stop)
            x = orbit.states[-1]
            bar.update(stop - start)
            if phase != "n_steps":
                continue
            if first is None:
                first = orbit.states[1] - orbit.states[0]
            last = orbit.states[-1] - orbit.states[-2]
            together = orbit.states.size * n <= _TOGETHER and want_det
            D = orbit.jacobians if together else None
            for s in range(start, stop):
                here = orbit.states[s - start]
                if D is None and not (want_det or s in looks):
                    continue
                now = None if u is None else u[s : s + 1]
                if s in looks:
                    states.append(here)
                    given.append(None if u is None else u[s])
                if n > _FORMED:
                    continue
                J = system.orbit(here, now, 1).jacobians[0] if D is None else D[s - start]
                if s in looks:
                    jacobians.append(np.broadcast_to(J, (*here.shape, n)))
                if D is None and want_det:
                    log_det.append(_log_det(J))
                    condition.append(np.linalg.cond(J, 1))
            if fixed:
                divergence.append(system.divergence(orbit))  # type: ignore[attr-defined]
            if D is not None:
                log_det.extend(_log_det(D) if orbit.log_volume is None else orbit.log_volume)
                condition.extend(np.linalg.cond(D, 1))
    same = bool(np.allclose(x, spectrum.state, rtol=1e-9, atol=1e-12))
    assert first is not None
    rounding = np.finfo(float).eps * np.mean(condition, axis=0) if want_det else np.zeros(lead)
    found = Retraced(
        np.array(states),
        given,
        np.array(jacobians),
        first,
        last,
        np.array(log_det),
        rounding,
        same,
        np.concatenate(divergence).mean(axis=0) if divergence else None,
    )
    return found, ""


def _has_divergence(system: System) -> bool:
    """Say whether steps are short enough for the divergence at their ends to tell their mean."""
    return (
        isinstance(system, Flow)
        and not isinstance(system, DelayFlow)
        and system.method not in CONTROLLED
        and not system.seen.jumps  # which change volumes, too
    )


def _log_det(jacobians: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.linalg.slogdet(jacobians)[1]
