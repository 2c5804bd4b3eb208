"""What a finer step would change in the growth along a trajectory."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..numerics.arrays import Array
from ..systems import DelayFlow, Flow, Stroboscopic, System
from ..systems.integrators import CONTROLLED
from ..tangent.forward import forward

#: Steps of the comparison: a share of the run, within bounds.
_SHARE, _LEAST, _MOST = 20, 50, 300

#: Below this part of the largest exponent the step is beyond reproach, whatever the error bars.
NEGLIGIBLE = 1e-4

#: What changes the growth over a whole run by less, in nats, is not seen in it.
_UNSEEN = 0.01


def judge_step(
    change: Array, exponents: Array, half_width: Array, system: System, time: float
) -> tuple[bool, str]:
    """Say whether the step matters in a run of some time, and put it into a sentence."""
    with np.errstate(invalid="ignore"):
        scale = np.where(np.isfinite(exponents), np.abs(exponents), 0.0).max(axis=-1)
        matters = (change > half_width) & (change > NEGLIGIBLE * scale[..., None])
    matters &= change * time > _UNSEEN
    divides = isinstance(system, Flow) and system.method in CONTROLLED
    what = "half of dt with a tenth of the tolerance" if divides else "halving the step"
    if not matters.any():
        finite = half_width[np.isfinite(half_width)]
        widest = f" (up to {finite.max():.1g})" if finite.size else ""
        than = f"less than their error bars{widest}"
        if (change > half_width).any():
            than = "too little to matter"
        return True, f"fine: {what} changes exponents by up to {change.max():.1g}, {than}"
    worst = np.unravel_index(int(np.argmax(np.where(matters, change, -1.0))), change.shape)
    remedy = "a smaller dt, or smaller rtol and atol" if divides else "a smaller dt"
    stiff = "" if divides else ', or method="implicit" if the field is stiff'
    return False, (
        f"too coarse: {what} changes exponents by up to {change[worst]:.2g}, more than their "
        f"error bars ({half_width[worst]:.1g}); take {remedy}{stiff}"
    )


def step_defect(spectrum: Any) -> Array | None:
    """Return what finer steps change in the growth along a trajectory, per unit time.

    On from the end of the run of a `Spectrum`, ``(..., k)``, in the order of the exponents; None
    where that cannot be told: of maps, driven runs, and states that differ in kind.
    """
    system, settings = spectrum.system, spectrum.settings
    if not isinstance(system, Flow | Stroboscopic) or isinstance(system, DelayFlow):
        return None
    if settings["driven"] or "pooled" in settings:
        return None
    steps = int(np.clip(settings["n_steps"] * system.substeps // _SHARE, _LEAST, _MOST))
    steps = -(-steps // system.substeps)
    lead = spectrum.state.shape[:-1]
    inputs = system.drive.rows(
        None, lead, steps, t0=settings.get("t0", 0.0), first=spectrum.steps_so_far
    )
    if isinstance(system, Stroboscopic):  # seen in the steps of its flow
        inputs = system.within(inputs, steps)
        steps *= system.steps
        system = system.flow
    orbit = system.orbit(spectrum.state, inputs, steps)
    if not np.isfinite(orbit.states).all():
        return None
    start = np.ascontiguousarray(spectrum.basis.swapaxes(-1, -2))
    tape = forward(orbit, start, 1, start=0, forgiving=True, keep=True)[3]
    assert tape is not None
    fine, m = system.finer()
    Q = tape.rows[:-1].swapaxes(-1, -2)
    x, coarse = orbit.states[:-1], orbit.jacobians
    mode = system.tangent_mode(orbit.states, orbit.inputs, lambda mode: system._at(mode, lead)[0])
    there = np.eye(system.dim)
    with np.errstate(all="ignore"):
        for row in system.drive.parts(inputs, m):
            step, derivative = fine._at(mode, lead)
            there = np.matmul(derivative(x, row, fine.params), there)
            x = step(x, row, fine.params)
        growth = [_log_growth(np.matmul(D, Q)) for D in (there, coarse)]
    defect = np.mean(growth[0] - growth[1], axis=0) / system.dt
    defect = np.where(np.isfinite(defect), defect, 0.0)
    if orbit.log_volume is not None and Q.shape[-1] == system.dim:
        defect[..., -1] = -defect[..., :-1].sum(axis=-1)  # the volume is known apart
    order = np.argsort(-spectrum.statistics.estimate().mean, axis=-1, kind="stable")
    return np.take_along_axis(defect, order, axis=-1)


def _log_growth(carried: Array) -> Array:
    """Return the logarithms of growth factors of carried bases ``(..., n, k)``."""
    return np.log(np.abs(np.diagonal(np.linalg.qr(carried)[1], axis1=-2, axis2=-1)))
