"""What the step of the integrator does to exponents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import validate
from ..numerics.arrays import Array, ArrayLike, Seed
from ..results.result import Result
from ..results.storage import register
from ..systems import DelayFlow, NoisyFlow, SystemLike, as_system
from .measure import lyapunov_spectrum
from .plot import plot_step_check
from .second_run import apart
from .step_defect import NEGLIGIBLE, change_of, judge_step, of_all, step_defect
from .uncertainty.estimate import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: What it means where two runs differ, and growth along one trajectory does not.
_OTHER_ORBIT = (
    "beyond their errors, and growth along one trajectory by less: half the step leads to another "
    "orbit, or one of the runs has not settled; take a smaller dt, or longer transients"
)


@register
@dataclass(frozen=True, repr=False, eq=False)
class StepCheck(Result):
    """How far exponents are those of the flow, and how far those of its integrator.

    Attributes
    ----------
    exponents, finer : array (..., k)
        With the step as it is, and with half of it (or a tenth of the tolerance), of runs over
        the same time.
    difference : array (..., k)
        Of these: discretisation, and the errors of two runs.
    difference_stderr : array (..., k)
    defect : array (..., k) or None
        What the finer step changes in the growth along one and the same trajectory: without the
        errors of runs, but without what it does to the trajectory, too. None where that is not
        looked at, as under noise.
    half_width : array (..., k)
        Of the 95 % intervals of `exponents`.
    fine : bool
        Whether the step changes less than the error bars.
    verdict : str
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {
        name: ("exponent",)
        for name in (
            "exponents", "finer", "difference", "difference_stderr", "defect", "half_width"
        )
    }  # fmt: skip

    exponents: Array
    finer: Array
    difference: Array
    difference_stderr: Array
    defect: Array | None
    half_width: Array
    fine: bool
    verdict: str
    settings: dict[str, Any] = field(repr=False)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw what the finer step changes, beside the error bars; return the Axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        """
        return plot_step_check(self, ax)


def check_step(
    system: SystemLike,
    n_steps: int,
    *,
    inputs: ArrayLike | None = None,
    k: int | None = None,
    x0: ArrayLike | None = None,
    transient: int | None = None,
    basis_transient: int | None = None,
    t0: float = 0.0,
    rng: Seed = None,
    progress: bool = False,
) -> StepCheck:
    r"""Compare exponents with those of half the step.

    Two runs over the same time are compared, and the growth along one trajectory: from the same
    state and tangent vectors, one step and its two halves. The change is to be held against the
    error bars; with a method of order p the finer exponents are about :math:`2^p` times as near
    to those of the flow.

    Parameters
    ----------
    system : Flow, DelayFlow, NoisyFlow or a stroboscopic map
        Of a flow whose method divides its steps the tolerances are taken ten times as small.
    n_steps : int
        Averaged steps, after both transients.
    inputs : array (T, ..., m), optional
        As for `lyapunov_spectrum`; refined for the shorter steps as the flow interpolates them,
        noise by a Brownian bridge.
    k, x0, transient, basis_transient, t0, rng, progress
        As for `lyapunov_spectrum`.

    Returns
    -------
    StepCheck

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import lyapnet as ln
    >>> stiff = ln.Flow(lambda x: np.array([-x[0], -300 * x[1]]), 2, dt=0.01)
    >>> found = ln.check_step(stiff, 200, x0=[1.0, 1.0], transient=0, rng=0)
    >>> found.verdict.partition(",")[0]
    'too coarse: halving the step changes exponents by up to 2.9e+02'
    """
    found = as_system(system)
    finer = found.finer()
    if finer is None:
        raise TypeError(
            f"`system` must be a flow, got {found!r}: a map has no step that could be halved"
        )
    fine, m = finer
    rng = validate.generator(rng)
    run: dict[str, Any] = {"k": k, "t0": t0, "rng": rng, "progress": progress}
    if x0 is None:
        x0 = found.default_state(rng)
    if inputs is None and isinstance(found, NoisyFlow):
        warm = max(100, n_steps // 10)
        total = sum(warm if x is None else x for x in (transient, basis_transient)) + n_steps
        inputs = found.increments(total, lead=np.asarray(x0).shape[:-1], rng=rng)
    coarse = lyapunov_spectrum(
        found, n_steps, inputs=inputs, x0=x0, transient=transient,
        basis_transient=basis_transient, **run,
    )  # fmt: skip
    u = None if inputs is None else found.drive.refined(validate.array("inputs", inputs), m)
    start = x0
    if isinstance(found, DelayFlow) and isinstance(fine, DelayFlow):
        start = found.resampled(np.asarray(x0, dtype=float), fine)
    there = lyapunov_spectrum(
        fine, m * n_steps, inputs=u, x0=start,
        transient=m * coarse.settings["transient"],
        basis_transient=m * coarse.settings["basis_transient"], **run,
    )  # fmt: skip
    difference = there.exponents - coarse.exponents
    stderr = np.hypot(coarse.stderr, there.stderr)
    defect, _, steep, _ = step_defect(coarse)
    low, high = coarse.confidence_interval()
    half = (high - low) / 2
    seen = None if defect is None else change_of(defect, coarse)
    change = _change(difference, stderr, seen)
    of_sum = None if defect is None else of_all(defect, found.dim)
    duration = n_steps * found.dt
    is_fine, words = judge_step(change, coarse.exponents, half, found, duration, of_sum)
    if is_fine and steep:
        is_fine, words = False, f"unreliable: {steep}"
    elif is_fine and defect is None:
        is_fine, words = _by_two_runs(difference, stderr, coarse.exponents)
    one, other = (Estimate(x.exponents, x.stderr, x.dof) for x in (coarse, there))
    away = apart(one, other)
    if is_fine and away.any():
        is_fine, words = False, f"too coarse: two runs differ by {away.max():.2g}, {_OTHER_ORBIT}"
    return StepCheck(
        coarse.exponents, there.exponents, difference, stderr, defect, half, is_fine, words,
        {"n_steps": n_steps, "dt": found.dt, "system": repr(found)},
    )  # fmt: skip


def _by_two_runs(difference: Array, stderr: Array, exponents: Array) -> tuple[bool, str]:
    """Say what two runs tell where a step cannot be looked at along one trajectory."""
    away = np.abs(difference)
    if (away <= NEGLIGIBLE * np.abs(exponents).max(axis=-1, keepdims=True)).all():
        return True, f"fine: two runs agree to {away.max():.1g}"
    if not np.isfinite(stderr).all():
        return False, "too short: the errors of the two runs are not known; run longer"
    if (away > 2 * stderr).any():
        at = np.unravel_index(int(np.argmax(away - 2 * stderr)), away.shape)
        return False, (
            f"not settled: two runs differ by {away[at]:.1g}, more than twice their error of "
            f"{stderr[at]:.1g}; run longer, or take a smaller dt"
        )
    return True, (
        f"fine: two runs differ by no more than their errors, twice {stderr.max():.1g} at most; "
        "longer runs would show less"
    )


def _change(difference: Array, stderr: Array, seen: Array | None) -> Array:
    """Return what the step does: as seen along an orbit, or what errors do not explain."""
    with np.errstate(invalid="ignore"):
        beyond = np.where(np.isfinite(stderr), np.abs(difference) - 4 * stderr, 0.0)
    beyond = np.where(np.isnan(beyond), 0.0, np.maximum(beyond, 0.0))
    return beyond if seen is None else np.maximum(beyond, seen)
