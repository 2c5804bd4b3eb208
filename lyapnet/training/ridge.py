"""Readouts by linear regression: what a reservoir learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from .. import validate
from ..cells import EchoStateNetwork
from ..numerics.arrays import Array, ArrayLike
from ..results.result import Result
from ..results.storage import register
from ..systems import System, SystemLike, as_system
from ..systems.closed_loop import ClosedLoop
from ..tangent.plan import divided
from ..tangent.start import check_inputs, input_sequence, start_state
from ..tangent.stretches import run_stretches
from .network import Readout
from .plot import plot_ridges

if TYPE_CHECKING:
    from matplotlib.axes import Axes


#: Steps of a sequence whose states are held at once.
_STRETCH = 2000


@register
@dataclass(frozen=True, repr=False, eq=False)
class ReadoutFit(Result):
    """What `fit_readout` returns.

    Attributes
    ----------
    readout : Readout
        Weights ``W (p, n)`` and biases ``b (p,)``.
    ridge : float
        The strength that was used.
    error : float
        Root mean square error over the steps after the washout, over the targets' standard
        deviation.
    ridges, scores : array (r,)
        The strengths that were tried, and the same error of each on the parts left out; of a
        single one, NaN.
    state : array (n,)
        After the last input, to go on from.
    cell : System
    """

    cell: Any
    readout: Readout
    ridge: float
    error: float
    ridges: Array
    scores: Array
    state: Array

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {"ridges": ("ridge",), "scores": ("ridge",)}

    def _summary(self) -> dict[str, Any]:
        return {"cell": self.cell, "ridge": self.ridge, "error": self.error}

    def outputs(self, states: Any) -> Array:
        """Read out states ``(..., n)``."""
        x = validate.array("states", states, least=1)[..., self.cell.visible]
        return np.asarray(x @ self.readout.W.T + self.readout.b)

    def closed_loop(self) -> System:
        """Return the autonomous system whose input is the output: start it from `state`.

        Its first output, in `state`, is the prediction of what comes after the last input.
        """
        cell = self.cell
        if isinstance(cell, EchoStateNetwork):
            return cell.closed(*self.readout)
        return ClosedLoop(cell, *self.readout)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the error on the parts left out over the ridge; return the Axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        """
        return plot_ridges(self, ax)


def fit_readout(
    cell: SystemLike,
    inputs: ArrayLike,
    targets: ArrayLike,
    *,
    ridge: float | ArrayLike = 1e-6,
    washout: int = 100,
    folds: int = 5,
    x0: ArrayLike | None = None,
) -> ReadoutFit:
    r"""Fit a linear readout of a driven system's states by ridge regression.

    .. math:: \min_{C, c} \sum_s |y_s - C x_s - c|^2 + T r\,|C|^2

    Parameters
    ----------
    cell : System
        An `EchoStateNetwork`, or any driven system; the readout sees what `ClosedLoop` and
        `train` see, the state of a vanilla network being its pre-activations.
    inputs : array (T, m)
    targets : array (T, p)
        Belonging to the state after the input of the same number. To predict a series u take
        ``inputs=u[:-1], targets=u[1:]``.
    ridge : float or sequence of float, optional
        r, relative to the number of steps T that count; the best of several is chosen by
        cross-validation on contiguous parts.
    washout : int, optional
        Steps at the start that do not count: the state has to forget its own start.
    folds : int, optional
        Parts of the cross-validation.
    x0 : array (n,), optional
        Zero if left out.

    Returns
    -------
    ReadoutFit

    References
    ----------
    H. Jaeger and H. Haas, Science 304, 78 (2004); M. Lukoševičius, "A practical guide to applying
    echo state networks", Neural Networks: Tricks of the Trade (2012).

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> u = np.sin(0.2 * np.arange(1000))[:, None]
    >>> esn = ln.EchoStateNetwork.random(50, spectral_radius=0.8, rng=0)
    >>> fit = ln.fit_readout(esn, u[:-1], u[1:], ridge=[1e-8, 1e-6, 1e-4])
    >>> fit.error < 1e-3
    True
    """
    system = as_system(cell, "cell")
    if inputs is None:
        raise TypeError("`inputs` is needed: a readout is fitted to what they make of the states")
    u = input_sequence(inputs)
    y = validate.array("targets", targets, least=2)
    washout = validate.integer("washout", washout, low=0)
    for name, x in (("inputs", u), ("targets", y)):
        if x.ndim != 2:
            raise ValueError(f"`{name}` must have 2 axes, one sequence; got shape {x.shape}")
    check_inputs(system, u, washout + 2, f"washout={washout} among them")
    if len(u) != len(y):
        raise ValueError(f"`inputs` has {len(u)} steps, `targets` has {len(y)}: give as many")
    ridges = np.atleast_1d(validate.array("ridge", ridge))
    if ridges.ndim != 1 or not len(ridges) or not (ridges >= 0).all():
        raise ValueError(
            f"`ridge` must be a number or a sequence of such, at least 0; got {ridges}"
        )
    folds = validate.integer("folds", folds, low=2)
    start = (
        np.zeros(system.dim) if x0 is None else start_state(system, x0, np.random.default_rng(0))
    )
    if start.ndim != 1:
        raise ValueError(f"`x0` must have shape ({system.dim},), got {start.shape}")
    several = len(ridges) > 1
    parts, state = _gather(system, start, u, y, washout, folds if several else 1)
    scores = np.full(len(ridges), np.nan)
    if several:
        scores = np.sqrt(np.mean([_left_out(parts, i, ridges) for i in range(folds)], axis=0))
    best = float(ridges[int(np.argmin(scores))] if several else ridges[0])
    together = _sum(parts)
    readout = _solve(together, np.array([best]))[0]
    error = float(np.sqrt(_error(together, readout)))
    return ReadoutFit(cell, readout, best, error, ridges, scores, state)


class _Moments(NamedTuple):
    """Sums over steps: what a regression needs of them."""

    steps: int
    x: Array
    y: Array
    xx: Array
    xy: Array
    yy: Array

    @classmethod
    def of(cls, x: Array, y: Array) -> _Moments:
        return cls(len(x), x.sum(0), y.sum(0), x.T @ x, x.T @ y, (y * y).sum(0))


def _sum(parts: list[_Moments]) -> _Moments:
    return _Moments(*(sum(x[1:], x[0]) for x in zip(*parts, strict=True)))


def _gather(
    system: System, x: Array, u: Array, y: Array, washout: int, folds: int
) -> tuple[list[_Moments], Array]:
    """Run the system; return the moments of each part, and the last state."""
    edges = np.linspace(washout, len(u), folds + 1).astype(int)
    phases = {"washout": washout} | {f"fold {i}": int(n) for i, n in enumerate(np.diff(edges))}
    found: dict[str, list[_Moments]] = {}
    for phase, start, orbit in run_stretches(system, x, u, divided(phases, _STRETCH)):
        x = orbit.last
        if phase != "washout":
            targets = y[start : start + orbit.n_steps]
            moments = _Moments.of(orbit.states[1:, system.visible], targets)
            found.setdefault(phase, []).append(moments)
    return [_sum(found[fold]) for fold in phases if fold != "washout"], x


def _solve(m: _Moments, ridges: Array) -> list[Readout]:
    """Solve the centred regression for each strength, from one eigendecomposition."""
    mean_x, mean_y = m.x / m.steps, m.y / m.steps
    xx = m.xx / m.steps - np.outer(mean_x, mean_x)
    xy = m.xy / m.steps - np.outer(mean_x, mean_y)
    values, vectors = np.linalg.eigh(xx)
    values = np.maximum(values, 0.0)
    along = vectors.T @ xy
    found = []
    for ridge in ridges:
        # Directions that rounding made cannot be regressed on.
        least = max(ridge, len(values) * np.finfo(float).eps * values[-1])
        usable = values + ridge >= least
        inverse = np.divide(1.0, values + ridge, out=np.zeros_like(values), where=usable)
        W = (vectors @ (inverse[:, None] * along)).T
        found.append(Readout(W, mean_y - W @ mean_x))
    return found


def _error(m: _Moments, readout: Readout) -> float:
    """Return the mean square error over the targets' variance."""
    W, b = readout
    square = m.yy - 2 * (np.sum(W * m.xy.T, axis=1) + b * m.y)
    square = square + np.sum((W @ m.xx) * W, axis=1) + 2 * b * (W @ m.x) + m.steps * b**2
    variance = m.yy - m.y**2 / m.steps
    return float(max(square.sum(), 0.0) / max(variance.sum(), np.finfo(float).tiny))


def _left_out(parts: list[_Moments], i: int, ridges: Array) -> Array:
    """Return the error on part i of readouts that were fitted without it."""
    rest = _sum([part for j, part in enumerate(parts) if j != i])
    return np.array([_error(parts[i], readout) for readout in _solve(rest, ridges)])
