"""Alignment indices: whether orbits are regular or chaotic."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import validate
from ..numerics.arrays import Array, ArrayLike, Seed, blas_threads
from ..results.result import Result
from ..results.storage import register
from ..runs.progress import compiling, progress_bar
from ..systems import SystemLike, as_system
from ..tangent.plan import divided
from ..tangent.start import Start, input_sequence
from ..tangent.stretches import check_states, run_stretches, stretch_length
from .motion import Motion
from .plot import plot_alignment, plot_phase_space
from .units import extents

if TYPE_CHECKING:
    from matplotlib.axes import Axes


#: Steps between normalisations of the vectors, which may grow by 1e19 in each.
_EVERY = 16

#: Regular orbits keep GALI_2 above about t^-2, and deviations below about t: by so much may they
#: fail to, for shear that is strong and for the time that it takes to begin.
_MARGIN = 1e3

#: In the last tenth of a run growth keeps within this factor of what linear growth takes it to, and
#: within this logarithm where there is no other sign of a torus.
_STEADY, _QUIET = 10.0, 0.3

#: Near this GALI is rounding.
_FLOOR = 1e-15


@register
@dataclass(frozen=True, repr=False, eq=False)
class Alignment(Result):
    r"""Alignment indices over time, with a verdict on each orbit.

    Attributes
    ----------
    times : array (m,)
        Time since the start, evenly spaced in their logarithm.
    gali : array (m, ..., k - 1)
        :math:`\mathrm{GALI}_2 \dots \mathrm{GALI}_k`.
    sali : array (m, ...)
        Of the first two vectors.
    log_growth : array (m, ...)
        Logarithm of the growth of the first vector since the start.
    verdict : array of str (...)
        "regular", "chaotic" or "undecided"; or, where vectors grow for another reason, "unstable
        fixed point", "unstable cycle", or "unbounded".
    x0, state : array (..., n)
        At the start and at the end.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {
        "gali": ("time", "...", "order"),
        "sali": ("time", "..."),
        "log_growth": ("time", "..."),
        "times": ("time",),
        "verdict": (),
        "x0": ("unit",),
        "state": ("unit",),
    }

    times: Array
    gali: Array
    sali: Array = field(repr=False)
    log_growth: Array = field(repr=False)
    verdict: Any
    x0: Array = field(repr=False)
    state: Array = field(repr=False)
    settings: dict[str, Any] = field(repr=False)

    def _summary(self) -> dict[str, Any]:
        words, counts = np.unique(self.verdict, return_counts=True)
        found = ", ".join(f"{n} {word}" for word, n in zip(words, counts, strict=True))
        return {"orbits": int(np.size(self.verdict)), "verdict": found, "time": self.times[-1]}

    def plot(self, ax: Axes | None = None, *, order: int = 2) -> Axes:
        """Draw GALI over time with the laws of regular orbits beside it; return the Axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        order : int, optional
            Number of vectors, 2 to k.
        """
        order = validate.integer("order", order, low=2, high=self.gali.shape[-1] + 1)
        return plot_alignment(self, ax, order)

    def plot_phase_space(self, ax: Axes | None = None, *, axes: tuple[int, int] = (0, 1)) -> Axes:
        """Draw the starts in phase space, coloured by their last GALI_2; return the Axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        axes : (int, int), optional
            Components of the state.
        """
        return plot_phase_space(self, ax, axes)


def alignment(
    system: SystemLike,
    n_steps: int,
    *,
    k: int = 2,
    x0: ArrayLike | None = None,
    inputs: ArrayLike | None = None,
    n_times: int = 100,
    t0: float = 0.0,
    rng: Seed = None,
    progress: bool = False,
) -> Alignment:
    r"""Tell regular orbits from chaotic ones by how tangent vectors align.

    k unit vectors are carried along without orthonormalisation.
    :math:`\mathrm{GALI}_j = |\hat w_1 \wedge \dots \wedge \hat w_j|` is the volume that the first j
    span, :math:`\mathrm{SALI} = \min |\hat w_1 \pm \hat w_2|`. In chaos they fall exponentially,
    :math:`\mathrm{GALI}_2 \sim e^{-(\lambda_1 - \lambda_2) t}`. On regular orbits of N degrees of
    freedom :math:`\mathrm{GALI}_j` stays about constant for :math:`j \le N` and falls like
    :math:`t^{-2(j - N)}` beyond (in maps of the plane, N = 1: :math:`\mathrm{GALI}_2 \sim t^{-2}`).

    Parameters
    ----------
    system : System
        A map or flow; the laws are those of conservative systems.
    n_steps : int
    k : int, optional
        Number of vectors, 2 to n.
    x0 : array (..., n), optional
        States to start from: many orbits in one call.
    inputs : array (T, ..., m), optional
    n_times : int, optional
        Number of times at which indices are kept, at most.
    t0 : float, optional
        Time at the start, where the system depends on it.
    rng : None, int or Generator, optional
        Draws the vectors.
    progress : bool, optional

    Returns
    -------
    Alignment

    Notes
    -----
    The verdict wants several witnesses. An orbit is chaotic if the first vector has grown a
    thousand times as far as linear growth, t, would take it, and further than the speed of the
    motion rises on the way, as from a saddle or to infinity; and if :math:`\mathrm{GALI}_2` has
    fallen a thousand times squared below :math:`t^{-2}`. Here t is counted in radians of the
    fastest turns, and lengths and angles must say so both as they are and with components in parts
    of how far they go: units do not matter. It is regular if there is neither such
    growth nor alignment, if growth since a tenth of the run is not ten times linear growth, and,
    where it is more than a third above it, or the run sees fewer than twenty turns that do not die
    out, if averages of the motion over the second and the last third of the run agree as they do on
    a torus, to 1e-3 (see [1]_), which takes some periods of its slowest frequency; else undecided.
    Chaos whose Lyapunov time is longer than about a tenth of a run of more turns is not seen, nor
    that of an orbit that sticks to an island all the time, and two leading exponents that nearly
    coincide leave it undecided. In dissipative systems vectors align on regular attractors, too:
    these are regular where there is no such growth and both averages agree to 1e-6, and undecided
    until then.

    References
    ----------
    C. Skokos, J. Phys. A 34, 10029 (2001), for SALI; C. Skokos, T. C. Bountis and C. Antonopoulos,
    Physica D 231, 30 (2007), for GALI and its laws.

    .. [1] E. Sander and J. D. Meiss, Physica D 411, 132569 (2020).

    Examples
    --------
    >>> import lyapnet as ln
    >>> x0 = [[3.0, 0.1], [0.05, 0.0]]  # a torus, and the chaotic layer
    >>> found = ln.alignment(ln.catalog.standard(k=1.2), 3000, x0=x0, rng=0)
    >>> found.verdict.tolist()
    ['regular', 'chaotic']
    """
    found = as_system(system)
    rng = validate.generator(rng)
    n_steps = validate.integer("n_steps", n_steps, low=10)
    k = validate.integer("k", k, low=2, high=found.dim)
    n_times = validate.integer("n_times", n_times, low=2)
    start = Start.of(found, input_sequence(inputs), n_steps, x0=x0, t0=t0, rng=rng, k=k)
    keep = np.unique(np.round(np.geomspace(1, n_steps, n_times)).astype(int))
    with compiling(show=progress):
        fast = found.prepared(start.x, start.inputs, k, n_steps)
    run = replace(start, system=fast)
    bars = progress_bar(2 * n_steps, show=progress, unit="step")
    with bars as bar, blas_threads(start.rows.size):
        carried = _Carried(run, n_steps, _units(run, n_steps, bar))
        looks = [carried.to(stop, bar) for stop in keep]
    gali, sali, growth, *in_units = (np.stack(x) for x in zip(*looks, strict=True))
    # Chaos shows in any units, and what is regular looks so in some; who escapes goes any length.
    least = np.minimum(growth, np.where(carried.motion.escapes, growth, in_units[1]))
    return Alignment(
        keep * found.dt, gali, sali, growth,
        _verdict(keep, np.maximum(gali[..., 0], in_units[0]), least, carried.motion),
        start.x, carried.x,
        {"n_steps": n_steps, "k": k, "dt": found.dt, "system": repr(found)},
    )  # fmt: skip


def _units(start: Start, n_steps: int, bar: Any) -> Array:
    """Run the orbits alone, and return how far their components go ``(..., n)``."""
    low = high = start.x
    length = stretch_length(start.system, low.shape[:-1], start.rows.shape[-2])
    stretches = divided({"units": n_steps}, length)
    for _, first, orbit in run_stretches(start.system, low, start.inputs, stretches, bar=bar):
        check_states(orbit, first)
        low, high = (
            f(y, f.reduce(orbit.states)) for f, y in ((np.minimum, low), (np.maximum, high))
        )
    return extents(low, high)


class _Carried:
    """Vectors on their way along orbits, whose components are worth some `units`."""

    def __init__(self, start: Start, n_steps: int, units: Array) -> None:
        self.start, self.x, self.rows = start, start.x, start.rows
        self.motion, self.units = Motion(start.x, n_steps, units), units
        self.step = 0
        self.log_growth = np.zeros(self.x.shape[:-1])
        self.at_first = self._log_length()
        self.length = stretch_length(start.system, self.x.shape[:-1], self.rows.shape[-2])

    def to(self, end: int, bar: Any) -> tuple[Array, ...]:
        """Go on to a step; return GALI, SALI and growth there, and GALI_2 and growth in units."""
        system, inputs = self.start.system, self.start.inputs
        stretches = divided({"to the next look": end - self.step}, self.length, self.step)
        for _, first, orbit in run_stretches(system, self.x, inputs, stretches, bar=bar):
            check_states(orbit, first)
            self.motion.see(first, orbit.states)
            for s in range(0, orbit.n_steps, _EVERY):
                self.rows = orbit.through(self.rows, s, min(s + _EVERY, orbit.n_steps))
                self._normalise()
            self.x = orbit.last
        self.step = end
        return self._indices()

    def _normalise(self) -> None:
        largest = np.abs(self.rows).max(axis=-1, keepdims=True)  # squares might leave the range
        self.rows /= np.where(largest > 0, largest, 1.0)
        lengths = np.linalg.norm(self.rows, axis=-1, keepdims=True)
        self.rows /= np.where(lengths > 0, lengths, 1.0)
        with np.errstate(divide="ignore"):
            first = np.log(largest[..., 0, 0]) + np.log(lengths[..., 0, 0])
        self.log_growth = self.log_growth + first

    def _log_length(self) -> Array:
        """Return that of the first vector in units."""
        length: Array = np.log(np.linalg.norm(self.rows[..., 0, :] / self.units, axis=-1))
        return length

    def _indices(self) -> tuple[Array, ...]:
        first, second = self.rows[..., 0, :], self.rows[..., 1, :]
        sali = np.minimum(*(np.linalg.norm(first + s * second, axis=-1) for s in (1, -1)))
        gali_2 = _volumes(self.rows[..., :2, :] / self.units[..., None, :])[..., 0]
        in_units = gali_2, self.log_growth + self._log_length() - self.at_first
        return _volumes(self.rows), sali, self.log_growth, *in_units


def _volumes(rows: Array) -> Array:
    """Return the volumes that the first 2 to k vectors span, ``(..., k - 1)``, per length."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    R = np.linalg.qr((rows / np.where(lengths > 0, lengths, 1.0)).swapaxes(-1, -2))[1]
    return np.cumprod(np.abs(np.diagonal(R, axis1=-2, axis2=-1)), axis=-1)[..., 1:]


def _verdict(steps: Array, gali: Array, log_growth: Array, motion: Motion) -> Any:
    """Judge orbits by growth beyond t, alignment beyond t^-2, and how they move.

    What t is would be a matter of units; it is counted in radians of the motion.
    """
    each = steps.reshape(-1, *(1,) * (gali.ndim - 1))
    t = np.maximum(each / motion.steps_of_a_radian, 1.0)
    excess = log_growth[-1] - np.log(t[-1] * _MARGIN)
    expected = np.maximum(t**-2.0 / _MARGIN**2, _FLOOR)
    aligned = (gali < expected).any(axis=0)
    grows, explained = excess > 0, motion.explained
    burst = _burst(steps, log_growth - np.log(t))
    doubt = grows | (burst > np.log(_STEADY)) | (aligned & ~motion.attracted)
    doubt |= ((burst > _QUIET) | motion.seen_shortly) & ~motion.on_torus
    words = np.where(doubt, "undecided", "regular").astype("<U20")
    words = np.where(grows & motion.escapes, "unbounded", words)
    words = np.where(grows & motion.cycles, "unstable cycle", words)
    words = np.where(grows & motion.rests, "unstable fixed point", words)
    return np.where(aligned & (excess > explained), "chaotic", words)


def _burst(times: Array, excess: Array) -> Any:
    """Return how growth beyond linear has risen since a tenth of the run: its highest points."""
    late = times > times[-1] / 10
    before = ~late & (times > times[-1] / 100)
    if not before.any():
        return np.zeros(excess.shape[1:])
    return excess[late].max(axis=0) - excess[before].max(axis=0)
