"""Whether a reservoir forgets fast enough to learn all exponents of a system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.special import stdtrit

from .. import validate
from ..numerics.arrays import Array
from ..results.result import Result
from ..results.storage import register
from .plot import plot_reservoir
from .result import Spectrum

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Relative error within which the quotient of two steps is a whole number.
_WHOLE = 1e-9


@register
@dataclass(frozen=True, repr=False, eq=False)
class ReservoirCriterion(Result):
    """Whether the leading conditional exponent lies below the smallest one of the target.

    Attributes
    ----------
    conditional, smallest : float
        The two exponents, nats per unit time.
    difference, low, high : float
        The first less the second, with its interval.
    verdict : str
        "holds", "fails" or "undecided".
    explanation : str
        One sentence.
    level : float
        Of the interval.
    """

    conditional: float
    smallest: float
    difference: float
    low: float
    high: float
    verdict: str
    explanation: str
    level: float

    _dims: ClassVar[dict[str, tuple[str, ...]]] = dict.fromkeys(
        ("conditional", "smallest", "difference", "low", "high"), ()
    )

    def _summary(self) -> dict[str, Any]:
        return {"verdict": self.verdict, "explanation": self.explanation}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw both exponents, and their difference with its interval; return the Axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        """
        return plot_reservoir(self, ax)


def reservoir_criterion(
    conditional: Spectrum, target: Spectrum, *, every: int | None = None, level: float = 0.95
) -> ReservoirCriterion:
    r"""Say whether a driven reservoir can have all exponents of the system that drives it.

    A reservoir follows its drive as a function of the drive's state, which is smooth only if
    perturbations of the reservoir shrink faster than anything does in the drive. Closed upon
    itself it then has the exponents of the target among its own, the negative ones too; otherwise
    only those above its leading conditional exponent.

    Parameters
    ----------
    conditional : Spectrum
        Of the reservoir under the target's series as `inputs`; one exponent is enough.
    target : Spectrum
        Of the system itself, all exponents.
    every : int, optional
        Steps of the target from one input to the next: a step of the reservoir takes so long. By
        default as many as the reservoir's `dt` has; to be given where that was left at 1, and
        the target's is another.
    level : float, optional
        Of the two-sided interval of the difference.

    Returns
    -------
    ReservoirCriterion

    Raises
    ------
    ValueError
        If the first is of a run without inputs, the second has not all exponents, or nothing
        says how long the reservoir's steps are.

    References
    ----------
    B. R. Hunt, E. Ott and J. A. Yorke, Phys. Rev. E 55, 4029 (1997), for the smoothness;
    J. A. Platt et al., Chaos 31, 123118 (2021), for reservoirs.

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> henon = ln.catalog.henon()
    >>> target = ln.lyapunov_spectrum(henon, 3000, rng=0)
    >>> u = henon.orbit(np.array([0.1, 0.1]), None, 3500).states[:, :1]
    >>> esn = ln.EchoStateNetwork.random(30, spectral_radius=0.1, rng=0)
    >>> s = ln.lyapunov_spectrum(esn, inputs=u, k=1, rng=0)
    >>> ln.reservoir_criterion(s, target).verdict
    'holds'
    """
    for name, x in (("conditional", conditional), ("target", target)):
        if not isinstance(x, Spectrum):
            raise TypeError(f"`{name}` must be a Spectrum, got {type(x).__name__}")
        if x.exponents.ndim != 1:
            raise ValueError(
                f"`{name}` must be of one run, got {x.exponents.shape}: take .pooled()"
            )
    if not conditional.settings["driven"]:
        raise ValueError("`conditional` must be of a run with `inputs`, the series of the target")
    if target.system is not None and len(target.exponents) != target.system.dim:
        raise ValueError(
            f"`target` must have all {target.system.dim} exponents, got {len(target.exponents)}"
        )
    if not 0 < validate.real("level", level) < 1:
        raise ValueError(f"`level` must lie between 0 and 1, got {level}: 0.95 is usual")
    scale = _scale(conditional.settings["dt"], target.settings["dt"], every)
    a, b = scale * conditional.exponents[0], target.exponents[-1]
    difference = float(a - b)
    stderr = np.array([scale * conditional.stderr[0], target.stderr[-1]])
    half = _half_width(stderr**2, np.array([conditional.dof[0], target.dof[-1]]), level)
    low, high = difference - half, difference + half
    verdict = (
        "undecided" if low <= 0 <= high or np.isnan(half) else "holds" if high < 0 else "fails"
    )
    explanation = (
        f"the reservoir's leading conditional exponent is {a:.3g}, the target's smallest {b:.3g}: "
        f"a difference of {difference:.3g}, {100 * level:g} % interval [{low:.3g}, {high:.3g}]"
    )
    if verdict == "fails":
        explanation += "; closed upon itself it has only the target's exponents above the former"
    return ReservoirCriterion(
        float(a), float(b), difference, float(low), float(high), verdict, explanation, float(level)
    )


def _scale(dt: float, given: float, every: int | None) -> float:
    """Return by what exponents of the reservoir, of steps `dt`, are in the target's unit of time.

    The target's steps are `given`, `every` of which make one of the reservoir.
    """
    if every is not None:
        return dt / (validate.integer("every", every, low=1) * given)
    ratio = dt / given
    if ratio != 1 and (dt == 1 or abs(ratio - round(ratio)) > _WHOLE * ratio):
        raise ValueError(
            f"the reservoir's steps have dt={dt:g}, the target's dt={given:g}: give the network "
            "the time between two of its inputs as `dt`, or say by `every` how many steps of the "
            "target lie between them"
        )
    return 1.0


def _half_width(variances: Array, dofs: Array, level: float) -> float:
    """Return the half-width of the interval of a difference, after Welch."""
    total = float(variances.sum())
    if not total > 0:
        return total  # zero, or NaN where an error is not known
    dof = total**2 / float(np.sum(variances**2 / dofs))
    return float(np.sqrt(total) * stdtrit(dof, 0.5 + level / 2))
