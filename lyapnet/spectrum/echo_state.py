"""Driven and autonomous networks: output fed back as input, and the echo-state verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.special import stdtr

from .. import validate
from ..numerics.arrays import Array
from ..results.result import Result
from ..results.storage import register
from .plot import plot_echo_state
from .result import Spectrum

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: States that differ by more of their size have not come together; by so much more than the
#: exponents leave of the first distance may nonlinear steps keep them apart.
_APART, _FACTOR = 1e-6, 1e3


@register
@dataclass(frozen=True, repr=False, eq=False)
class EchoState(Result):
    """Whether a driven system forgets where it started, and how sure that is.

    Attributes
    ----------
    exponent, low, high : array (...)
        Largest conditional exponent with its interval, nats per unit time.
    probability : array (...)
        That the exponent is negative: from Student's t about the estimate.
    verdict : str
        "holds", "fails" or "undecided"; of an ensemble "holds" if it holds for every member,
        "fails" if it fails for any.
    explanation : str
        One sentence.
    level : float
        Of the interval.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {
        name: () for name in ("exponent", "low", "high", "probability")
    }

    exponent: Array
    low: Array
    high: Array
    probability: Array
    verdict: str
    explanation: str
    level: float

    def _summary(self) -> dict[str, Any]:
        return {"verdict": self.verdict, "explanation": self.explanation}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the interval of each member beside zero; return the Axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        """
        return plot_echo_state(self, ax)


def echo_state(spectrum: Spectrum, *, level: float = 0.95) -> EchoState:
    r"""Say whether the echo-state property holds along a driven run, with its confidence.

    Two copies of the system under the same input that are close to each other approach, as
    :math:`|\delta h_s| \sim e^{\lambda_1 s}`, if the largest conditional exponent is negative: the
    state then is an echo of the input alone, as far as small perturbations tell. In this sense
    the property holds if the whole interval of :math:`\lambda_1` lies below zero, fails if it lies
    above, and is undecided otherwise. Where the members of an ensemble are one system under one
    input, from several states, it fails as well if they have not come together.

    Parameters
    ----------
    spectrum : Spectrum
        Of a run with `inputs`, or with noise. One exponent is enough, ``k=1``.
    level : float, optional
        Level of the two-sided interval.

    Returns
    -------
    EchoState

    Notes
    -----
    Exponents are about small perturbations under this input. Several attracting responses may exist
    beside each other, each with negative exponents: start an ensemble of states under one input,
    ``x0`` of shape (members, n). Members count as apart that are so by more than a millionth of
    their size, and by more than the exponents would have left of where they started.

    References
    ----------
    H. Jaeger, GMD Report 148 (2001); G. Manjunath and H. Jaeger, Neural Comput. 25, 671 (2013),
    for its dependence on the input.

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> cell = ln.VanillaRNN.random(50, gain=1.5, rng=0)
    >>> inputs = np.random.default_rng(1).standard_normal((3000, 1))
    >>> weak = ln.lyapunov_spectrum(cell, inputs=0.01 * inputs, k=1, rng=0)
    >>> ln.echo_state(weak).verdict
    'fails'
    >>> strong = ln.lyapunov_spectrum(cell, inputs=inputs, k=1, rng=0)
    >>> ln.echo_state(strong).verdict
    'holds'
    """
    if not isinstance(spectrum, Spectrum):
        raise TypeError(
            f"`spectrum` must be a Spectrum, got {type(spectrum).__name__}: give what "
            "lyapunov_spectrum returns for the system under its inputs"
        )
    how = spectrum.settings
    if not how["driven"] and how.get("seed") is None and spectrum.system is not None:
        raise ValueError(
            "`spectrum` is of a run without inputs, and an echo needs a source: give `inputs` to "
            "lyapunov_spectrum (zeros, if that is meant)"
        )
    if not 0 < validate.real("level", level) < 1:
        raise ValueError(f"`level` must lie between 0 and 1, got {level}: 0.95 is usual")
    lam, stderr, dof = (x[..., 0] for x in (spectrum.exponents, spectrum.stderr, spectrum.dof))
    low, high = (x[..., 0] for x in spectrum.confidence_interval(level))
    gone = np.isneginf(lam)
    t = np.divide(-lam, stderr, out=np.zeros_like(lam), where=~gone & (stderr > 0))
    probability = np.where(gone, 1.0, stdtr(np.where(gone, 1.0, dof), t))
    responses = _responses(spectrum)
    if np.all(high < 0) and responses > 1:
        verdict = "fails"
    elif np.all(high < 0):
        verdict = "holds"
    else:
        verdict = "fails" if np.any(low > 0) else "undecided"
    at = np.unravel_index(int(np.argmax(np.nan_to_num(lam, neginf=-1e300))), lam.shape)
    side = "below" if high[at] < 0 else "above" if low[at] > 0 else "on both sides of"
    explanation = (
        f"the largest conditional exponent{', of all members,' if lam.ndim else ''} is "
        f"{lam[at]:.3g}, its {100 * level:g} % interval [{low[at]:.3g}, {high[at]:.3g}] lies "
        f"{side} zero; it is negative with probability {probability[at]:.3g}"
    )
    if verdict == "undecided":
        explanation += "; run longer"
    if responses > 1:
        explanation += f"; under the same input members have ended in {responses} different states"
    elif verdict == "holds" and responses:
        explanation += f"; all {lam.size} members have ended in one state"
    elif verdict == "holds":
        explanation += "; that is about small perturbations: start several states, too"
    return EchoState(lam, low, high, probability, verdict, explanation, float(level))


def _responses(spectrum: Spectrum) -> int:
    """Return in how many states members under one input have ended, 0 where that says nothing."""
    how = spectrum.settings
    shared = how.get("one_system") and how.get("one_input") and "pooled" not in how
    if spectrum.exponents.ndim == 1 or not shared or how.get("diverged"):
        return 0
    n = spectrum.state.shape[-1]
    state, x0 = (np.broadcast_to(x, spectrum.state.shape).reshape(-1, n) for x in (
        spectrum.state, spectrum.x0
    ))  # fmt: skip
    if (x0 == x0[0]).all():
        return 0
    slowest = np.nan_to_num(spectrum.exponents[..., 0], neginf=-np.inf).max()
    with np.errstate(over="ignore"):
        left = np.exp(np.minimum(slowest * spectrum.steps_so_far * how["dt"], 0.0))
    spread = np.abs(x0 - x0[0]).max()
    size = max(np.abs(x0).max(), np.abs(state).max())
    within = np.maximum(_APART * size, _FACTOR * left * spread)
    ends: list[Array] = []
    for x in state:
        if all(np.abs(x - other).max() > within for other in ends):
            ends.append(x)
    return len(ends)
