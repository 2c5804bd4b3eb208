"""What a finer step would change in the growth along a trajectory."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..compiled.loop import jumps_within
from ..numerics.arrays import Array
from ..systems import DelayFlow, Flow, Map, NoisyFlow, Stroboscopic, System
from ..systems.integrators import CONTROLLED
from ..tangent.forward import forward
from ..tangent.start import orthonormal_rows
from .in_no_time import steep_later

#: Steps of the comparison: a share of the run, within bounds.
_SHARE, _LEAST, MOST = 20, 50, 300

#: Steps of a second run, at most, and in which compiled loops look for steep slopes.
MOST_AGAIN = 20_000

#: Numbers in all states of the comparison, where these are long.
_LARGE = 2**22

#: Below this part of the largest exponent the step is beyond reproach, whatever the error bars.
NEGLIGIBLE = 1e-4

#: What changes the growth over a whole run by less, in nats, is not seen in it.
_UNSEEN = 0.01


class Sample(NamedTuple):
    """Where the step is looked at.

    Attributes
    ----------
    x : array (..., n)
        A state.
    rows : array (..., k, n)
        Orthonormal tangent vectors there.
    inputs : array (T, ..., c) or None
        What the next steps are given, at least as many as there will be.
    first : int
        Steps that are averaged before.
    """

    x: Array
    rows: Array
    inputs: Array | None
    first: int = 0


def judge_step(
    change: Array,
    exponents: Array,
    half_width: Array,
    system: System,
    time: float,
    total: Array | None = None,
    tol: float | None = None,
) -> tuple[bool, str]:
    """Say whether the step matters in a run of some time, and put it into a sentence.

    Parameters
    ----------
    change : array (..., k)
        Of the exponents by a finer step.
    exponents, half_width : array (..., k)
    system : System
    time : float
    total : array (...), optional
        Change of the sum of all exponents, which is known better than that of each. More than the
        widest interval of a single one it should not be.
    tol : float, optional
        What exponents may be off by, as they were asked for.
    """
    k = change.shape[-1]
    if total is not None:
        change = np.concatenate([change, total[..., None]], axis=-1)
        half_width = np.concatenate([half_width, half_width.max(axis=-1, keepdims=True)], axis=-1)
    error = _off(system) * change
    with np.errstate(invalid="ignore"):
        scale = np.where(np.isfinite(exponents), np.abs(exponents), 0.0).max(axis=-1)
        matters = (error > half_width) & (error > NEGLIGIBLE * scale[..., None])
    matters &= error * time > _UNSEEN
    beyond = error > np.inf if tol is None else error > tol
    beyond[..., k:] = False  # of the sum nothing was asked
    matters |= beyond
    divides = isinstance(system, Flow) and system.method in CONTROLLED
    what = "half of dt with a tenth of the tolerance" if divides else "halving the step"
    if not matters.any():
        change, half_width = change[..., :k], half_width[..., :k]
        finite = half_width[np.isfinite(half_width)]
        widest = f" (up to {finite.max():.1g})" if finite.size else ""
        than = f"less than their error bars{widest}"
        if (change > half_width).any():
            than = "more than their error bars, but too little to matter"
        return True, f"fine: {what} changes exponents by up to {change.max():.1g}, {than}"
    if matters[..., :k].any():  # which says more than their sum
        matters[..., k:] = False
    worst = np.unravel_index(int(np.argmax(np.where(matters, error, -1.0))), change.shape)
    remedy = "a smaller dt, or smaller rtol and atol" if divides else "a smaller dt"
    alone = divides or isinstance(system, DelayFlow)
    stiff = "" if alone else ', or method="implicit" if the field is stiff'
    of = "exponents by up to" if worst[-1] < k else "the sum of all exponents by"
    off = "" if change[worst] > half_width[worst] else f", it is off by about {error[worst]:.2g}"
    bars = "their error bars" if worst[-1] < k else "the error bars of any of them"
    bars = f"tol = {tol:g}" if beyond[worst] else f"{bars} ({half_width[worst]:.1g})"
    return False, (
        f"too coarse: {what} changes {of} {change[worst]:.2g}{off}, more than {bars}; take "
        f"{remedy}{stiff}"
    )


def _no_finer(system: System | None, spectrum: Any) -> str:
    """Say why there is no finer step, and what a step of the user's own may leave out."""
    if system is None:
        return "the spectrum carries no system"
    jumps = jumps_within(system, spectrum.exponents.shape[:-1]) if isinstance(system, Map) else ""
    if not jumps:
        return "there is no finer one"
    return (
        f"there is no finer one, and it may jump ({jumps}): perturbations that meet a jump sooner "
        "or later than in the same step are left out, as if there were none; see the guide on "
        "fields that jump"
    )


def change_of(defect: Array, spectrum: Any, level: float = 0.95) -> Array:
    """Return by how much finer steps change exponents ``(..., k)``, those not told apart alike.

    Where exponents are equal, what a step does to the growth of one basis or another hangs on the
    basis; of their sum it does not.
    """
    low, high = spectrum.confidence_interval(level)
    overlap = (low[..., None] <= high[..., None, :]) & (low[..., None, :] <= high[..., None])
    known = np.isfinite(low) & np.isfinite(high)
    alike = overlap & known[..., None] & known[..., None, :]
    alike |= np.eye(defect.shape[-1], dtype=bool)
    found: Array = np.abs((alike * defect[..., None, :]).sum(axis=-1) / alike.sum(axis=-1))
    return found


def within_tolerance(spectrum: Any, look: Look, tol: float) -> bool:
    """Say whether what is seen of the steps of a `Spectrum` leaves exponents as good as `tol`."""
    if look.defect is None:
        return True
    change = change_of(look.defect, spectrum)
    return bool((_off(spectrum.system) * change <= tol).all())


def of_all(defect: Array, dim: int) -> Array | None:
    """Return by how much the sum of exponents changes, if they are all that there are."""
    return np.abs(defect.sum(axis=-1)) if defect.shape[-1] == dim else None


def _off(system: System) -> float:
    """Return by how much more than halving the step changes a step of a flow is off."""
    flow = system.flow if isinstance(system, Stroboscopic) else system
    if not isinstance(flow, Flow) or flow.method in CONTROLLED:
        return 1.0
    power = 2.0**flow._method.order
    return float(power / (power - 1))


class Look(NamedTuple):
    """What is seen of the steps of a run.

    Attributes
    ----------
    defect : array (..., k) or None
        What finer steps change in the growth along a trajectory, per unit time, in the order of
        the exponents.
    unseen : str
        Why that is not looked at, if not; empty where there is nothing to look at, too: of maps.
    steep : str
        What steps cannot see, whatever their length, in a sentence.
    strays : float
        By how much finer steps end elsewhere, relative to how far they go.
    """

    defect: Array | None = None
    unseen: str = ""
    steep: str = ""
    strays: float = 0.0


def step_defect(spectrum: Any) -> Look:
    """Look at the steps of a `Spectrum`: on from its end, or in a part of a driven run."""
    system, settings = spectrum.system, spectrum.settings
    if system is None or system.finer() is None:
        return Look(unseen="" if settings["dt"] == 1 else f": {_no_finer(system, spectrum)}")
    if "pooled" in settings:
        return Look(unseen=" where members are pooled: see diagnose() of the ensemble")
    steps = int(np.clip(settings["n_steps"] * system.substeps // _SHARE, _LEAST, MOST))
    steps = -(-steps // system.substeps)
    far = max(steps, min(MOST_AGAIN, _LARGE // spectrum.state.size) // system.substeps)
    at = spectrum.sample if settings["driven"] else _behind(spectrum, far)
    if isinstance(system, NoisyFlow):  # which a finer step needs in between
        steep = steep_later(system, at, far, steps)
        return Look(unseen=" under noise: see check_step()", steep=steep)
    if at is None:
        return Look(unseen=" in so short a run")
    if isinstance(system, Stroboscopic):  # seen in the steps of its flow
        at = at._replace(inputs=system.within(at.inputs, far))
        steps, far = steps * system.steps, far * system.steps
        system = system.flow
    if isinstance(system, DelayFlow):
        steps = min(steps, max(_LEAST, _LARGE // at.x.size))
    near = at
    if at.inputs is not None:
        steps = min(steps, len(at.inputs))
        near = at._replace(inputs=at.inputs[:steps])
    with np.errstate(all="ignore"):
        along = _on_finer_grid if isinstance(system, DelayFlow) else _step_by_step
        defect, steep, strays = along(system, near, steps)
    steep = steep or steep_later(system, at, far, steps)
    if defect is None:
        return Look(unseen=": states go to infinity")
    order = np.argsort(-spectrum.statistics.estimate().mean, axis=-1, kind="stable")
    defect = np.where(np.isfinite(defect), defect, 0.0)
    return Look(np.take_along_axis(defect, order, axis=-1), "", steep, strays)


def _behind(spectrum: Any, steps: int) -> Sample:
    """Return the steps behind the end of a run, under no input."""
    rows = np.ascontiguousarray(spectrum.basis.swapaxes(-1, -2))
    given = spectrum.system.drive.rows(
        None, spectrum.state.shape[:-1], steps, t0=spectrum.settings.get("t0", 0.0),
        first=spectrum.steps_so_far, seed=spectrum.settings.get("seed"),
    )  # fmt: skip
    return Sample(spectrum.state, rows, given)


def _step_by_step(system: Flow, at: Sample, steps: int) -> tuple[Array | None, str, float]:
    """Compare each step with its parts, from the same state and basis."""
    lead = at.x.shape[:-1]
    orbit = system.orbit(at.x, at.inputs, steps)
    if not np.isfinite(orbit.states).all():
        return None, "", 0.0
    tape = forward(orbit, at.rows, 1, start=0, forgiving=True, keep=True)[3]
    assert tape is not None
    fine, m = system.finer()
    Q = tape.rows[:-1].swapaxes(-1, -2)
    x, coarse = orbit.states[:-1], orbit.jacobians
    mode = system.tangent_mode(
        orbit.states, orbit.inputs, lambda mode, lead: system._at(mode, lead)[0]
    )
    there = np.eye(system.dim)
    for row in system.drive.parts(at.inputs, m):
        step, derivative = fine._at(mode, lead)
        there = np.matmul(derivative(x, row, fine.params), there)
        x = step(x, row, fine.params)
    growth = [_log_growth(np.matmul(D, Q)) for D in (there, coarse)]
    defect: Array = np.mean(growth[0] - growth[1], axis=0) / system.dt
    if orbit.log_volume is not None and Q.shape[-1] == system.dim:
        defect[..., -1] = -defect[..., :-1].sum(axis=-1)  # the volume is known apart
    steep = "" if system.tangent_apart else system.too_steep(orbit.states, orbit.inputs)
    return defect, steep, _strays(x - orbit.states[1:], np.diff(orbit.states, axis=0))


def _strays(off: Array, moved: Array) -> float:
    """Return how far steps end elsewhere, relative to how far they go, of the worst member."""
    far = np.abs(moved)  # each member's unit: squares are finite however far its state has gone
    unit = np.max(far, axis=(0, -1), keepdims=True, where=np.isfinite(far), initial=0.0)
    unit = np.where(unit > 0, unit, np.inf)
    off, moved = off / unit, moved / unit
    far = np.sqrt(np.mean(moved**2, axis=(0, -1)))
    ratio = np.sqrt(np.mean(off**2, axis=(0, -1))) / np.where(far > 0, far, np.inf)
    return float(np.max(ratio, where=~np.isnan(ratio), initial=0.0))


def _on_finer_grid(system: DelayFlow, at: Sample, steps: int) -> tuple[Array | None, str, float]:
    """Compare the growth of tangent vectors of both grids, along a trajectory of the finer one.

    A finer step needs a past on a finer grid, and leaves one. Growth is that on the coarse grid.
    """
    fine, m = system.finer()
    rows, factor = orthonormal_rows(system.resampled(at.rows, fine).swapaxes(-1, -2))
    inputs = None if at.inputs is None else divided_inputs(system, at.inputs, m)
    orbit = fine.orbit(system.resampled(at.x, fine), inputs, m * steps)
    if not np.isfinite(orbit.states).all():
        return None, "", 0.0
    coarse = system.along(fine.resampled(orbit.states[::m], system), at.inputs)
    grown, end, _, _ = forward(orbit, rows, 1, start=0, forgiving=True)
    ends = _log_growth(fine.resampled(end, system).swapaxes(-1, -2))
    begins = np.log(np.abs(np.diagonal(factor, axis1=-2, axis2=-1)))
    other = forward(coarse, at.rows, 1, start=0, forgiving=True)[0].sum(axis=0)
    found: Array = (begins + grown.sum(axis=0) + ends - other) / (steps * system.dt)
    return found, fine.too_steep(orbit.states, inputs), 0.0


def divided_inputs(system: System, inputs: Array, m: int) -> Array:
    """Return what parts of steps are given, ``(m T, ..., c)``: the same as the steps were."""
    parts = np.stack(system.drive.parts(inputs, m), axis=1)
    return parts.reshape(m * len(inputs), *inputs.shape[1:])


def _log_growth(carried: Array) -> Array:
    """Return the logarithms of growth factors of carried bases ``(..., n, k)``."""
    return np.log(np.abs(np.diagonal(np.linalg.qr(carried)[1], axis1=-2, axis2=-1)))
