"""Laws that a spectrum has to obey whatever the system: volume, zero exponent, pairing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from . import validate
from .exponents import Spectrum
from .linalg import Array
from .longrun import mean_and_stderr
from .results import Result
from .retrace import Retraced, retrace
from .spectrum import lyapunov_spectrum
from .systems import Flow, System, as_system

#: The sum of all exponents and the mean log determinant are one number but for rounding.
_ROUNDING = 1e-9

#: Central differences agree with an exact derivative to about 1e-10.
_DERIVATIVE = 1e-5

#: A flow whose speed has fallen by this factor is coming to rest, and has no zero exponent.
_AT_REST = 1e-4


@dataclass(frozen=True, repr=False, eq=False)
class Invariants(Result):
    """What was checked, with what result.

    Attributes
    ----------
    value, expected, tolerance : array (..., c)
        For each of the c checks; the leading axes are those of the ensemble.
    checks : list of str
        Their names: "derivative", "volume", "zero exponent", "pairing".
    verdicts : dict
        Name to a sentence; also for a check that was not made, with the reason.
    passed : bool or None
        Whether all checks were passed; None if none could be made.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {
        "value": ("check",),
        "expected": ("check",),
        "tolerance": ("check",),
    }

    value: Array
    expected: Array
    tolerance: Array
    checks: list[str]
    verdicts: dict[str, str]
    passed: bool | None
    settings: dict[str, Any] = field(repr=False)

    def _summary(self) -> dict[str, Any]:
        return {"passed": self.passed, **self.verdicts}

    def plot(self, ax: Any = None) -> Any:
        """Draw each deviation as a fraction of its tolerance; return the Axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        """
        from . import plotting

        ax = plotting.new_axes(ax, figsize=(5, 0.8 + 0.5 * max(1, len(self.checks))))
        with np.errstate(invalid="ignore"):
            away = np.abs(self.value - self.expected)
        away = np.where(self.value == self.expected, 0.0, away) / self.tolerance
        away = np.maximum(away.reshape(-1, len(self.checks)), 1e-6)
        for i in range(len(self.checks)):
            colors = np.where(away[:, i] <= 1, plotting.BLUE, plotting.RED)
            ax.scatter(away[:, i], np.full(len(away), i), c=colors, s=25, zorder=3)
        ax.axvline(1.0, color="0.4", lw=0.8)
        ax.set_xscale("log")
        ax.set_xlim(5e-7, max(3.0, 2 * away.max(initial=1.0)))
        ax.set_yticks(range(len(self.checks)), self.checks)
        ax.set_ylim(len(self.checks) - 0.5, -0.5)
        ax.set_xlabel("deviation / tolerance")
        return ax


def check_invariants(
    subject: Any,
    n_steps: int | None = None,
    *,
    inputs: Any = None,
    x0: Any = None,
    system: Any = None,
    zero: bool | None = None,
    pairing: bool | float | None = None,
    level: float = 0.999,
    t0: float = 0.0,
    rng: Any = None,
    progress: bool = False,
) -> Invariants:
    r"""Check a spectrum, or a system on a run of its own, against laws that hold exactly.

    "derivative"
        the Jacobian is the derivative of the step, by central differences;
    "volume"
        the sum of all n exponents is the mean of :math:`\log |\det D_s|` along the very
        trajectory of the run, which is retraced for it;
    "zero exponent"
        an autonomous flow that does not come to rest has an exponent that is compatible
        with 0 within its interval;
    "pairing"
        :math:`\lambda_i + \lambda_{n+1-i} = c` for all i, where :math:`D_s^T J D_s = \mu_s J`
        in each step and c is the mean of :math:`\log |\mu_s|` per unit time: 0 for a symplectic
        system (:math:`\mu_s = 1`), a constant for a conformally symplectic one.

    Parameters
    ----------
    subject : Spectrum or System
        A spectrum, which is checked as it is, or a system, which is run first.
    n_steps : int, optional
        Averaged steps of the run of a system; not for a spectrum.
    inputs : array (T, ..., m), optional
        For the run of a system; for the spectrum of a driven run all its inputs again, since
        it does not keep them.
    x0 : array (..., n), optional
        State to start the run of a system from.
    system : System, optional
        For a spectrum that carries none, since it was loaded from a file.
    zero : bool, optional
        Whether there must be a zero exponent; default: if the system is an autonomous `Flow`
        that does not come to rest.
    pairing : bool or float, optional
        Whether exponents must pair, or the number c that pairs must add up to, in nats per
        unit time. Default: if the Jacobians are found symplectic, or conformally so, in
        coordinates (q, p).
    level : float, optional
        Level of the intervals, in checks that are statistical.
    t0 : float, optional
        Time at which the run of a system starts, where the system depends on it.
    rng : None, int or Generator, optional
        Draws the start of a system's run, and directions for the derivative.
    progress : bool, optional
        Whether to show a progress bar: of a system's run, then of retracing it.

    Returns
    -------
    Invariants

    Notes
    -----
    What holds to rounding has a tolerance of 1e-9 of the sum of the exponents' absolute values
    (at least of 1), and what ill-conditioned Jacobians add to it. Zero exponent and pairs have
    the half-width of their interval.

    References
    ----------
    V. I. Oseledets, Trans. Moscow Math. Soc. 19, 197 (1968); H. Haken, Phys. Lett. A 94, 71
    (1983), for the zero exponent; U. Dressler, Phys. Rev. A 38, 2103 (1988), for pairing
    about a constant.

    Examples
    --------
    >>> import lyapnet as ln
    >>> found = ln.check_invariants(ln.catalog.lorenz63(), 10_000, rng=0)
    >>> found.passed
    True
    >>> found.checks
    ['derivative', 'volume', 'zero exponent']
    >>> alone = ln.spectrum_from_jacobians([[[2.0]]])
    >>> print(ln.check_invariants(alone).verdicts["volume"])
    not checked: the spectrum carries no system: give `system`
    """
    if not 0 < validate.real("level", level) < 1:
        raise ValueError(f"`level` must lie between 0 and 1, got {level}: 0.999 is usual")
    if zero not in (None, True, False):
        raise TypeError(f"`zero` must be True, False or None, got {zero!r}")
    rng = validate.generator(rng)
    if isinstance(subject, Spectrum):
        if n_steps is not None or x0 is not None:
            raise ValueError("`n_steps` and `x0` are for a system: this spectrum has its run")
        spectrum, known = subject, subject.system if system is None else as_system(system)
    else:
        if system is not None:
            raise ValueError("`system` given twice: it is for a spectrum that carries none")
        known = as_system(subject)
        spectrum = lyapunov_spectrum(
            known, n_steps, inputs=inputs, x0=x0, t0=t0, rng=rng, progress=progress
        )
    run, reason = retrace(spectrum, known, inputs, progress=progress)
    checks = _Checks(spectrum.exponents.shape[:-1])
    _derivative(checks, run, known, reason, rng)
    _volume(checks, spectrum, run, reason, level)
    _zero(checks, spectrum, run, known, zero, reason, level)
    _pairing(checks, spectrum, run, pairing, level)
    return checks.result({"level": level, "system": spectrum.settings["system"]})


class _Checks:
    """Checks as they come in."""

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
        self.verdicts[name] = f"not checked: {reason}"

    def result(self, settings: dict[str, Any]) -> Invariants:
        empty = np.zeros((3, *self.lead, 0))
        rows = np.stack(list(self.rows.values()), axis=-1) if self.rows else empty
        passed = all(self.passed) if self.passed else None
        value, expected, tolerance = rows
        return Invariants(
            value, expected, tolerance, list(self.rows), self.verdicts, passed, settings
        )


def _derivative(
    checks: _Checks,
    run: Retraced | None,
    system: System | None,
    reason: str,
    rng: np.random.Generator,
) -> None:
    """Compare Jacobian and pushforward with central differences of the step."""
    if run is None or system is None:
        return checks.skip("derivative", reason)
    worst = np.zeros(checks.lead)
    for x, u, D in zip(run.states, run.inputs, run.jacobians, strict=True):
        rows = None if u is None else u[None]
        direction = rng.standard_normal(x.shape)
        exact = np.matmul(D, direction[..., None])[..., 0]
        pushed = np.empty_like(direction[..., None, :])
        system.orbit(x, rows, 1).push(0, direction[..., None, :], pushed)
        pushed = pushed[..., 0, :]
        scale = 1 + np.abs(exact).max(axis=-1)
        away = np.full(checks.lead, np.inf)
        for h in (1e-5, 1e-6, 1e-7):  # a kink or a jump may lie within one, hardly within all
            step = h * (1 + np.abs(x).max())
            forth, back = (
                system.orbit(x + sign * step * direction, rows, 1).states[-1] for sign in (1, -1)
            )
            slope = (forth - back) / (2 * step)
            error = np.maximum(np.abs(slope - exact), np.abs(slope - pushed)).max(axis=-1)
            away = np.minimum(away, error / scale)
        worst = np.maximum(worst, away)
    what = f"distance from finite differences at {len(run.states)} states"
    return checks.add("derivative", worst, 0.0, _DERIVATIVE, what)


def _volume(
    checks: _Checks, spectrum: Spectrum, run: Retraced | None, reason: str, level: float
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
    tolerance = _ROUNDING * np.maximum(1.0, size) + run.rounding / dt
    blurred = run.rounding * len(run.log_det) > 1.0
    tolerance = np.where(np.isfinite(expected), tolerance, 0.0)
    if (blurred & np.isfinite(expected)).any():
        return checks.skip("volume", "Jacobians are singular to rounding; ask for fewer exponents")
    what = "the sum of the exponents"
    constant = np.isfinite(expected).all() and np.ptp(run.log_det) <= _ROUNDING
    if not run.same and not constant:
        here = mean_and_stderr(run.log_det, np.full(len(run.log_det), dt)).half_width(level)
        own = spectrum.combination(np.ones(n)).half_width(level)
        tolerance = np.hypot(here, own)
        what += " (of another trajectory: rounding did not allow to retrace the run)"
    return checks.add("volume", total, expected, tolerance, what)


def _zero(
    checks: _Checks,
    spectrum: Spectrum,
    run: Retraced | None,
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
        if run is not None:
            first, last = (np.linalg.norm(x, axis=-1) for x in (run.first, run.last))
            if not (last > _AT_REST * first).all() or not first.all():
                return checks.skip(name, "the flow comes to rest, and needs none")
    elif not zero:
        return None
    lam = spectrum.exponents
    at = np.argmin(np.abs(lam), axis=-1)[..., None]
    low, high = spectrum.confidence_interval(level)
    half = np.take_along_axis((high - low) / 2, at, axis=-1)[..., 0]
    value = np.take_along_axis(lam, at, axis=-1)[..., 0]
    if not np.isfinite(half).all():
        return checks.skip(name, "the run is too short to tell errors")
    if lam.shape[-1] < spectrum.dim and (lam[..., -1] > half).any():
        return checks.skip(
            name, f"it is not among the {lam.shape[-1]} leading exponents: take more"
        )
    return checks.add(name, value, 0.0, half, "the exponent nearest to 0")


def _pairing(
    checks: _Checks,
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
        factor = None if run is None or n % 2 else _conformal(run.jacobians)
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
    value, half = np.array(sums), np.maximum(halves, _ROUNDING)
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
