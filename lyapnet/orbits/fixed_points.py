"""Fixed points and slow points, from many starts."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import validate
from ..numerics.arrays import Array, ArrayLike, Seed
from ..results.result import Result, import_optional
from ..results.storage import register
from ..systems import NoisyFlow, Stroboscopic, System, SystemLike, as_system
from ..systems.apart import refuse_mixing
from ..systems.damped import damped
from ..tangent.start import start_time
from .floquet import floquet_logs, in_doubt, multipliers_of
from .plot import plot_fixed_points
from .speed import SpeedMinima
from .starts import starts_of
from .units import in_units

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes


#: Moduli of multipliers this close to 1 are neutral.
_NEUTRAL = 1e-7


@register
@dataclass(frozen=True, repr=False, eq=False)
class FixedPoints(Result):
    r"""Fixed points of a system, and slow points where the speed has a minimum above zero.

    Attributes
    ----------
    points : array (m, n)
        Fixed points first, those that most starts lead to before others, then slow points.
    speed : array (m,)
        :math:`|f(x) - x| / \Delta t`.
    eigenvalues : array (m, n), complex
        Of the Jacobian of a step: multipliers, by falling modulus. Those of a step that is made
        of many, as of a stroboscopic map, are found without their product.
    exponents : array (m, n)
        :math:`\log |\mu_i| / \Delta t`: at a fixed point its Lyapunov exponents.
    kinds : list of str
        "sink", "saddle", "source", "neutral" (no multiplier outside of the unit circle, some on
        it), or "slow".
    counts : array (m,)
        Number of starts that led there.
    n_starts : int
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {
        "points": ("point", "unit"),
        "speed": ("point",),
        "eigenvalues": ("point", "eigenvalue"),
        "exponents": ("point", "eigenvalue"),
        "counts": ("point",),
    }

    points: Array
    speed: Array
    eigenvalues: Array
    exponents: Array
    kinds: list[str]
    counts: Array
    n_starts: int
    settings: dict[str, Any] = field(repr=False)

    def _summary(self) -> dict[str, Any]:
        names = list(dict.fromkeys(self.kinds))
        found = ", ".join(f"{self.kinds.count(name)} {name}" for name in names)
        shown = {"points": found or "none", "starts": self.n_starts}
        unreliable = self.settings.get("reservation")
        return {**shown, "note": f"unreliable: {unreliable}"} if unreliable else shown

    def to_dataframe(self) -> pandas.DataFrame:
        """Return a `pandas.DataFrame` with a row for each point.

        Its columns are kind, speed, count, the components of the state ``x_1 ... x_n``, and
        ``exponent_1 ... exponent_n``.

        Raises
        ------
        ImportError
            Without pandas: ``pip install "lyapnet[io]"``.
        """
        numbered = {
            f"{name}_{i + 1}": column
            for name, array in (("x", self.points), ("exponent", self.exponents))
            for i, column in enumerate(array.T)
        }
        columns = {"kind": self.kinds, "speed": self.speed, "count": self.counts, **numbered}
        return import_optional("pandas").DataFrame(columns).rename_axis("point")

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the points on their two principal axes, coloured by kind; return the Axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        """
        return plot_fixed_points(self, ax)


def fixed_points(
    system: SystemLike,
    n_starts: int = 100,
    *,
    inputs: ArrayLike | None = None,
    x0: ArrayLike | None = None,
    spread: float = 0.0,
    tol: float = 1e-10,
    distance: float = 1e-4,
    slow: float | None = None,
    max_iterations: int = 500,
    t0: float = 0.0,
    rng: Seed = None,
) -> FixedPoints:
    r"""Find fixed points of a map, a flow or a network under constant input.

    The squared speed :math:`|f(x) - x|^2` is minimised from many states at once, by Newton's
    method with the exact Jacobian of the step, damped where it would not descend (Levenberg and
    Marquardt). Minima at zero are fixed points; others, within `slow`, are slow points.

    Parameters
    ----------
    system : System
        A cell, map or flow that does not depend on time; or a stroboscopic map, whose fixed
        points are cycles.
    n_starts : int, optional
    inputs : array (m,), optional
        The constant input; zeros if left out.
    x0 : array (n,) or (n_starts, n), optional
        States to start from; or one state, from which a trajectory is run to draw them. By default
        a state of each of `n_starts` trajectories, where the system draws its states, as a cell
        does, early states more often than late ones; where it has one of its own, as in the
        catalog, states of the trajectory from there.
    spread : float, optional
        Standard deviation of normal noise that is added to states drawn from trajectories.
    tol : float, optional
        Way of a step below which a point is fixed, relative to the size of the state, at least 1,
        or that of the states to start from if these are all smaller. Components of very different
        sizes are taken by their own.
    distance : float, optional
        Points that are nearer to each other, relative to the size of the state, are one. A
        further step of Newton's method moves a fixed point by less; what it moves by more is just
        slow, as are states on the way to infinity.
    slow : float, optional
        Speed up to which minima of the speed are returned, too; default none are.
    max_iterations : int, optional
    t0 : float, optional
        Phase of a stroboscopic map of a flow that is forced in time.
    rng : None, int or Generator, optional

    Returns
    -------
    FixedPoints

    Warns
    -----
    UserWarning
        If multipliers are unreliable: they cannot be told apart, or decay within a part of an
        implicit step.

    Notes
    -----
    What no start leads to is not found: more starts, and wider ones, find more. Of a flow the
    step's fixed points are the zeros of the field for every method of the library.

    References
    ----------
    D. Sussillo and O. Barak, "Opening the black box", Neural Comput. 25, 626 (2013), for networks
    and slow points; K. Levenberg, Quart. Appl. Math. 2, 164 (1944).

    Examples
    --------
    >>> import lyapnet as ln
    >>> found = ln.fixed_points(ln.catalog.lorenz63(), 50, rng=0)
    >>> found.kinds
    ['saddle', 'saddle', 'saddle']
    >>> (abs(found.points).round(4) + 0.0).max(axis=0)  # the origin and (+-c, +-c, 27)
    array([ 8.4853,  8.4853, 27.    ])
    """
    found = as_system(system)
    rng = validate.generator(rng)
    periodic = isinstance(found, Stroboscopic)
    if (found.time and not periodic) or isinstance(found, NoisyFlow):
        what = "depends on time" if found.time else "is noisy"
        raise ValueError(
            f"`system` {what} and has no fixed points: of a periodically forced flow take the map "
            "over a period, ln.stroboscopic(flow, period)"
        )
    n_starts = validate.integer("n_starts", n_starts, low=1)
    max_iterations = validate.integer("max_iterations", max_iterations, low=1)
    tol = validate.real("tol", tol, positive=True)
    distance = validate.real("distance", distance, positive=True)
    bound = 0.0 if slow is None else validate.real("slow", slow, positive=True)
    u = None if inputs is None else validate.array("inputs", inputs, ndim=1)
    if u is not None:
        validate.trailing("inputs", u, found.n_inputs, "the system's n_inputs")
    spread = validate.real("spread", spread, low=0.0)
    t0 = start_time(found, t0)
    starts = starts_of(found, u, x0, n_starts, spread, t0, rng)
    if type(found).orbit is System.orbit:
        refuse_mixing(found, starts, u)
    search = SpeedMinima(found, u, t0, starts, tol)
    x = search.minimise(starts, tol, max_iterations)
    speed, way, size = search.speed(x), search.way(x), search.size(x)
    slowly = search.settled & (speed <= bound)
    good = np.isfinite(speed) & ((way <= tol * size) | slowly)
    x, speed, way, size, slowly = (a[good] for a in (x, speed, way, size, slowly))
    first, counts = _distinct(x / search.units, way, distance * size)
    x, speed, way, size, slowly = (a[first] for a in (x, speed, way, size, slowly))
    # On the way to infinity the speed may be as small, but a fixed point is nowhere near.
    moves = search.newton(x)
    fixed = (way <= tol * size) & (np.linalg.norm(moves, axis=-1) <= distance * size)
    order = np.lexsort((-counts, ~fixed))
    order = order[(fixed | slowly)[order]]
    x, speed, counts, fixed, moves = (a[order] for a in (x, speed, counts, fixed, moves))
    logs, reservation = _log_multipliers(search, x)
    exponents = logs.real / found.dt
    mu = multipliers_of(logs)
    doubt = in_doubt(logs, _log_multipliers(search, x + moves * search.units)[0])
    kinds = [
        _kind(*of) if is_fixed else "slow"
        for *of, is_fixed in zip(logs.real, doubt, fixed, strict=True)
    ]
    settings = {"tol": tol, "distance": distance, "slow": slow, "system": repr(found)}
    if reservation:
        warnings.warn(f"these multipliers are unreliable: {reservation}", stacklevel=2)
        settings["reservation"] = reservation
    return FixedPoints(x, speed, mu, exponents, kinds, counts, n_starts, settings)


def _log_multipliers(search: SpeedMinima, x: Array) -> tuple[Array, str]:
    """Return the logarithms of multipliers ``(m, n)`` of points ``(m, n)``, and what is wrong.

    A step may be made of many, as that of a stroboscopic map: their product loses what decays.
    """
    system = search.system
    if not len(x):
        return np.zeros((0, system.dim), dtype=complex), ""
    orbit = search.step(x)
    factors = in_units(orbit.finest.jacobians, search.units)
    logs = np.stack([floquet_logs(factors[:, i]) for i in range(len(x))])
    return logs, damped(system, orbit, logs.real / system.dt)


def _distinct(x: Array, speed: Array, within: Array) -> tuple[Array, Array]:
    """Return the slowest of each group of points near to each other, and their numbers."""
    left = np.argsort(speed, kind="stable")
    first, counts = [], []
    while len(left):
        away = np.linalg.norm(x[left] - x[left[0]], axis=-1)
        same = away <= within[left[0]]
        first.append(left[0])
        counts.append(int(same.sum()))
        left = left[~same]
    return np.array(first, dtype=int), np.array(counts, dtype=int)


def _kind(logs: Array, doubt: Array) -> str:
    """Name a fixed point by the logarithms of its multipliers, and what these are off by."""
    outside, inside = logs > _NEUTRAL + doubt, logs < -_NEUTRAL - doubt
    if outside.any():
        return "source" if outside.all() else "saddle"
    return "sink" if inside.all() else "neutral"
