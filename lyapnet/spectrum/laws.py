"""The laws that `check_invariants` holds a spectrum to, one function each."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..numerics.arrays import Array, unit_of
from ..systems import Flow, System
from ..systems.integrators import CONTROLLED
from .own_direction import explains, rate_of_speed
from .result import Spectrum
from .retrace import Retraced
from .uncertainty.stderr import mean_and_stderr

#: The sum of all exponents and the mean log determinant are one number but for rounding.
ROUNDING = 1e-9

#: What counts in a step where exponents add up to nothing.
_LEAST = 0.01

#: Of exponents, or of the rates of Jacobians, which are found up to so many dimensions, an
#: integrator may miss this part in volumes, whatever the error bars.
DISCRETISATION, _MOST = 1e-5, 500

#: Central differences agree with an exact derivative to about 1e-10.
DERIVATIVE = 1e-5


class Checks:
    """What was checked so far, and what came out."""

    def __init__(self, lead: tuple[int, ...]) -> None:
        self.lead = lead
        self.rows: dict[str, tuple[Array, Array, Array]] = {}
        self.verdicts: dict[str, str] = {}
        self.passed: list[bool] = []

    def add(self, name: str, value: Any, expected: Any, tolerance: Any, what: str) -> None:
        """Compare; `what` names value and expectation in the verdict."""
        v, e, tol = (
            np.broadcast_to(np.asarray(x), self.lead) for x in (value, expected, tolerance)
        )
        with np.errstate(invalid="ignore"):
            good = (v == e) | (np.abs(v - e) <= tol)
        worst = np.unravel_index(int(np.argmin(good)), good.shape)
        member = ", ".join(map(str, worst))
        where = f" in member {member}" if self.lead and not good.all() else ""
        word = "holds" if good.all() else "fails"
        self.verdicts[name] = (
            f"{word}{where}: {what} is {v[worst]:.9g}, expected {e[worst]:.9g} "
            f"within {tol[worst]:.2g}"
        )
        self.rows[name] = v, e, tol
        self.passed.append(bool(good.all()))

    def skip(self, name: str, reason: str) -> None:
        """Say why a law was not checked."""
        self.verdicts[name] = f"not checked: {reason}"

    def table(self) -> Array:
        """Return values, expectations and tolerances, shape (3, ..., c)."""
        empty = np.zeros((3, *self.lead, 0))
        return np.stack(list(self.rows.values()), axis=-1) if self.rows else empty


def check_derivative(
    checks: Checks,
    run: Retraced | None,
    system: System | None,
    reason: str,
    x0: Array,
    rng: np.random.Generator,
) -> None:
    """Compare Jacobian and pushforward with central differences of the step.

    These are of the size of the states, or that of x0, from where they may have decayed; of all
    components, or of each.
    """
    if run is None or system is None:
        return checks.skip("derivative", reason)
    sizes = np.maximum(np.abs(run.states).max(axis=0), np.abs(x0))
    unit = unit_of(sizes)
    units = unit, np.where(sizes > 0, sizes, unit)
    worst = np.full(checks.lead, np.nan)
    formed: Any = run.jacobians if len(run.jacobians) else [None] * len(run.states)
    for x, u, D in zip(run.states, run.inputs, formed, strict=True):
        rows = None if u is None else u[None]
        direction = rng.standard_normal(x.shape)
        away = [_distance(system, x, rows, D, size * direction, size) for size in units]
        least = np.fmin(*away)
        worst = np.fmax(worst, np.where(least > DERIVATIVE, np.minimum(*away), least))
    if np.isnan(worst).any():
        return checks.skip("derivative", "there are kinks or jumps as near as it could be told")
    what = f"distance from finite differences at {len(run.states)} states"
    return checks.add("derivative", worst, 0.0, DERIVATIVE, what)


def _distance(
    system: System, x: Array, inputs: Array | None, D: Array | None, vector: Array, unit: Any
) -> Array:
    """Return how far derivatives along a vector are from differences, NaN where there are kinks.

    Components of steps are measured in some `unit`, or each in its own.
    """
    pushed = np.empty_like(vector[..., None, :])
    system.orbit(x, inputs, 1).push(0, vector[..., None, :], pushed)
    pushed = pushed[..., 0, :] / unit
    exact = pushed if D is None else np.matmul(D, vector[..., None])[..., 0] / unit
    scale = 1 + np.abs(exact).max(axis=-1)
    away = np.full(x.shape[:-1], np.inf)
    here = system.orbit(x, inputs, 1).states[-1]
    for h in (1e-5, 1e-6, 1e-7):  # a kink or a jump may lie within one, hardly within all
        step = h * (1 + np.abs(x / unit).max())
        forth, back = (
            system.orbit(x + sign * step * vector, inputs, 1).states[-1] for sign in (1, -1)
        )
        slope = (forth - back) / (2 * step * unit)
        error = np.maximum(np.abs(slope - exact), np.abs(slope - pushed)).max(axis=-1)
        away = np.minimum(away, error / scale)
        bend = np.abs((forth - 2 * here + back) / unit).max(axis=-1) / step
    # But in states that decay to one, where no derivative can be told.
    return np.where((away > DERIVATIVE) & (bend > DERIVATIVE * scale), np.nan, away)


def check_volume(
    checks: Checks, spectrum: Spectrum, run: Retraced | None, reason: str, level: float
) -> None:
    """Compare the sum of the exponents with the mean log determinant."""
    if run is None:
        return checks.skip("volume", reason)
    n, k = spectrum.dim, spectrum.exponents.shape[-1]
    if k < n:
        return checks.skip("volume", f"it takes all {n} exponents, the spectrum has {k}")
    dt = spectrum.settings["dt"]
    total = spectrum.exponents.sum(axis=-1)
    expected = run.log_det.mean(axis=0) / dt
    size = np.where(np.isfinite(spectrum.exponents), np.abs(spectrum.exponents), 0.0).sum(axis=-1)
    tolerance = ROUNDING * np.maximum(_LEAST / dt, size) + run.rounding / dt
    blurred = run.rounding * len(run.log_det) > 1.0
    tolerance = np.where(np.isfinite(expected), tolerance, 0.0)
    if (blurred & np.isfinite(expected)).any():
        return checks.skip("volume", "Jacobians are singular to rounding; ask for fewer exponents")
    what = "the sum of the exponents"
    constant = np.isfinite(expected).all() and np.ptp(run.log_det) <= ROUNDING
    if not run.same and not constant:
        here = mean_and_stderr(run.log_det, np.full(len(run.log_det), dt)).half_width(level)
        own = spectrum.combination(np.ones(n)).half_width(level)
        tolerance = np.hypot(here, own)
        what += " (of another trajectory: rounding did not allow to retrace the run)"
    return checks.add("volume", total, expected, tolerance, what)


def check_divergence(
    checks: Checks,
    spectrum: Spectrum,
    system: System | None,
    run: Retraced | None,
    level: float,
) -> None:
    """Compare the sum of the exponents with the mean divergence of the field.

    Their difference is what the integrator does to volumes: it should not exceed what errors
    exponents have anyway.
    """
    if isinstance(system, Flow) and system.method in CONTROLLED:
        return checks.skip("divergence", "steps are divided by their error: see check_step")
    if run is None or run.divergence is None:
        return
    low, high = spectrum.confidence_interval(level)
    half = (high - low).max(axis=-1) / 2
    if not np.isfinite(half).all():
        return checks.skip("divergence", "the run is too short to tell errors")
    size = np.abs(spectrum.exponents).sum(axis=-1)
    if spectrum.dim <= _MOST:
        rates = np.linalg.eigvals(run.jacobians - np.eye(spectrum.dim)) / spectrum.settings["dt"]
        size = np.maximum(size, np.abs(rates).max(axis=(0, -1)))
    checks.add(
        "divergence",
        spectrum.exponents.sum(axis=-1),
        run.divergence,
        np.maximum(half, DISCRETISATION * size),
        "the sum of the exponents, beside the mean divergence of the field,",
    )
    if not checks.passed[-1]:
        checks.verdicts["divergence"] += ": the step is too long, take a smaller dt"


def check_zero(
    checks: Checks,
    spectrum: Spectrum,
    system: System | None,
    zero: bool | None,
    reason: str,
    level: float,
) -> None:
    """Look for an exponent that is compatible with 0."""
    name = "zero exponent"
    if zero is None:
        if system is None or not isinstance(system, Flow) or system.n_inputs or system.time:
            if system is None:
                checks.skip(name, f"{reason}, or say zero=True")
            return None
    elif not zero:
        return None
    lam = spectrum.exponents
    at = np.argmin(np.abs(lam), axis=-1)[..., None]
    low, high = spectrum.confidence_interval(level)
    with np.errstate(invalid="ignore"):  # of exponents that are -inf
        half = np.take_along_axis((high - low) / 2, at, axis=-1)[..., 0]
    value = np.take_along_axis(lam, at, axis=-1)[..., 0]
    if zero is None and system is not None:
        ends = spectrum.x0, spectrum.state
        rate = rate_of_speed(system, ends, spectrum.settings["n_steps"], lam.shape[-1])
        off = ~(np.abs(value) <= half)
        if (~np.isfinite(rate) | (off & explains(rate, value))).any():
            return checks.skip(name, "the flow comes to rest or escapes, and needs none")
    if not np.isfinite(half).all():
        return checks.skip(name, "the run is too short to tell errors")
    if lam.shape[-1] < spectrum.dim and (lam[..., -1] > half).any():
        return checks.skip(
            name, f"it is not among the {lam.shape[-1]} leading exponents: take more"
        )
    return checks.add(name, value, 0.0, half, "the exponent nearest to 0")


def check_pairing(
    checks: Checks,
    spectrum: Spectrum,
    run: Retraced | None,
    pairing: bool | float | None,
    level: float,
) -> None:
    """Compare the sums of first and last exponents with what they have in common."""
    if pairing is False:
        return None
    n, k = spectrum.dim, spectrum.exponents.shape[-1]
    expected: Any = None if isinstance(pairing, bool) or pairing is None else pairing
    if expected is None:
        formed = run is not None and len(run.jacobians) > 0 and not n % 2
        factor = _conformal(run.jacobians) if run is not None and formed else None
        if factor is None and pairing is None:
            return None
        if run is not None and factor is not None and k == n and len(run.log_det):
            # c of each step is its log determinant, n / 2 times
            expected = run.log_det.mean(axis=0) * 2 / n / spectrum.settings["dt"]
    else:
        expected = validate.real("pairing", expected)
    if k < n or n % 2 or not np.isfinite(spectrum.exponents).all():
        why = f"it takes all exponents of an even dimension, all finite; there are {k} of {n}"
        return checks.skip("pairing", why)
    if expected is None:
        expected = spectrum.exponents.mean(axis=-1) * 2
    sums, halves = [], []
    for i in range(n // 2):
        weights = np.zeros(n)
        weights[[i, n - 1 - i]] = 1.0
        pair = spectrum.combination(weights)
        sums.append(spectrum.exponents[..., i] + spectrum.exponents[..., n - 1 - i])
        halves.append(pair.half_width(1 - (1 - level) / (n // 2)))
    value = np.array(sums)
    half = np.maximum(halves, ROUNDING * _LEAST / spectrum.settings["dt"])
    if not np.isfinite(half).all():
        return checks.skip("pairing", "the run is too short to tell errors")
    worst = np.argmax(np.abs(value - expected) / half, axis=0)[None]
    value, half = (np.take_along_axis(x, worst, axis=0)[0] for x in (value, half))
    return checks.add("pairing", value, expected, half, "the sum of the worst pair of exponents")


def _conformal(jacobians: Array) -> Array | None:
    r"""Return :math:`\mu` of each matrix if :math:`D^T J D = \mu J`, :math:`\mu > 0`, for all."""
    n = jacobians.shape[-1]
    J = np.kron([[0.0, 1.0], [-1.0, 0.0]], np.eye(n // 2))
    form = jacobians.swapaxes(-1, -2) @ J @ jacobians
    mu = np.einsum("...ij,ij->...", form, J) / n
    size = np.abs(jacobians).max(axis=(-2, -1)) ** 2
    away = np.abs(form - mu[..., None, None] * J).max(axis=(-2, -1))
    return mu if (away <= 1e-9 * n * size).all() and (np.abs(mu) > 0).all() else None
