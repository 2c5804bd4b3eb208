"""Laws that a spectrum has to obey whatever the system: volume, zero exponent, pairing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from .. import validate
from ..numerics.arrays import Array, ArrayLike, Seed, patient
from ..results.result import Result
from ..results.storage import register
from ..systems import SystemLike, as_system
from .laws import (
    Checks,
    check_derivative,
    check_divergence,
    check_pairing,
    check_volume,
    check_zero,
)
from .measure import lyapunov_spectrum
from .plot import plot_invariants
from .result import Spectrum
from .retrace import retrace

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@register
@dataclass(frozen=True, repr=False, eq=False)
class Invariants(Result):
    """What was checked, with what result.

    Attributes
    ----------
    value, expected, tolerance : array (..., c)
        For each of the c checks; the leading axes are those of the ensemble.
    checks : list of str
        Their names: "derivative", "volume", "divergence", "zero exponent", "pairing".
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

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each deviation as a fraction of its tolerance; return the Axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        """
        return plot_invariants(self, ax)


@patient
def check_invariants(
    subject: Spectrum | SystemLike,
    n_steps: int | None = None,
    *,
    inputs: ArrayLike | None = None,
    x0: ArrayLike | None = None,
    system: SystemLike | None = None,
    zero: bool | None = None,
    pairing: bool | float | None = None,
    level: float = 0.999,
    t0: float = 0.0,
    rng: Seed = None,
    progress: bool = False,
) -> Invariants:
    r"""Check a spectrum, or a system on a run of its own, against laws that hold exactly.

    "derivative"
        the Jacobian is the derivative of the step, by central differences;
    "volume"
        the sum of all n exponents is the mean of :math:`\log |\det D_s|` along the very
        trajectory of the run, which is retraced for it;
    "divergence"
        the sum of all exponents of a flow is the mean divergence of its *field*: beyond the
        error bars, or 1e-5 of the rates of exponents and Jacobians, the step of the integrator is
        too long (not checked where steps are divided by their error);
    "zero exponent"
        an autonomous flow that neither comes to rest nor escapes has an exponent that is compatible
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
        that neither comes to rest nor escapes.
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
    (at least of 0.01 per step), and what ill-conditioned Jacobians add to it. Zero exponent and
    pairs have the half-width of their interval.

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
    ['derivative', 'volume', 'divergence', 'zero exponent']
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
        known = as_system(subject, "subject")
        spectrum = lyapunov_spectrum(
            known, n_steps, inputs=inputs, x0=x0, t0=t0, rng=rng, progress=progress
        )
    if getattr(known, "_variation", None) is not None:  # tangent vectors are of a part, say
        known, run, reason = None, None, "tangent vectors are not carried by the whole derivative"
    else:
        run, reason = retrace(spectrum, known, inputs, progress=progress)
    checks = Checks(spectrum.exponents.shape[:-1])
    check_derivative(checks, run, known, reason, spectrum.x0, rng)
    check_volume(checks, spectrum, run, reason, level)
    check_divergence(checks, spectrum, known, run, level)
    check_zero(checks, spectrum, known, zero, reason, level)
    check_pairing(checks, spectrum, run, pairing, level)
    passed = all(checks.passed) if checks.passed else None
    settings = {"level": level, "system": spectrum.settings["system"]}
    value, expected, tolerance = checks.table()
    return Invariants(
        value, expected, tolerance, list(checks.rows), checks.verdicts, passed, settings
    )
