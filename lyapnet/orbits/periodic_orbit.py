"""Cycles by shooting, with their Floquet multipliers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.interpolate import CubicSpline

from .. import validate
from ..errors import LyapnetError
from ..numerics.arrays import Array, ArrayLike, Seed
from ..results.result import Result
from ..results.storage import register
from ..systems import DelayFlow, Flow, NoisyFlow, System, SystemLike, as_system
from ..tangent.start import start_state, start_time
from ..tangent.stretches import run_orbit
from .floquet import floquet_logs
from .plot import plot_cycle

if TYPE_CHECKING:
    from matplotlib.axes import Axes


#: A return is a minimum of the distance that is this much nearer than the farthest point.
_RETURN = 0.2

#: Steps in which a first return is looked for.
_HORIZON = 20_000

#: Steps of a flow in a cycle.
_LEAST_STEPS = 4

#: Turns that differ by less, relative to the extent of the cycle, are the same.
_SAME = 1e-3


@register
@dataclass(frozen=True, repr=False, eq=False)
class PeriodicOrbit(Result):
    r"""A cycle.

    Attributes
    ----------
    states : array (steps + 1, n)
        The last is the first again.
    times : array (steps + 1,)
    period : float
    multipliers : array (n,), complex
        Eigenvalues of the Jacobian over a period, by falling modulus. Along an autonomous flow
        one of them is 1. What is below the range of floating-point numbers is 0 here.
    log_multipliers : array (n,), complex
        Their logarithms, in whose range they all are; the imaginary part is the phase.
    exponents : array (n,)
        Floquet exponents :math:`\log |\mu_i| / T`, nats per unit time: the Lyapunov exponents of
        the cycle.
    stable : bool
        Whether all multipliers, but for that along the flow, lie inside the unit circle.
    residual : float
        Distance between last and first state.
    turns : int
        How often the shortest cycle is gone around in the period: 1, or more where the period that
        was given is a multiple of `minimal_period`; of a map's fixed point the period.
        `multipliers` are those of the whole period, exponents those of the cycle in any case.
    """

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {
        "states": ("time", "unit"),
        "times": ("time",),
        "multipliers": ("exponent",),
        "log_multipliers": ("exponent",),
        "exponents": ("exponent",),
    }

    states: Array = field(repr=False)
    times: Array = field(repr=False)
    period: float
    multipliers: Array = field(repr=False)
    log_multipliers: Array = field(repr=False)
    exponents: Array
    stable: bool
    residual: float
    turns: int
    settings: dict[str, Any] = field(repr=False)

    @property
    def minimal_period(self) -> float:
        """Period of the shortest cycle: `period`, unless there are several `turns`."""
        return self.period / self.turns

    def plot(self, ax: Axes | None = None, *, axes: tuple[int, int] = (0, 1)) -> Axes:
        """Draw the cycle in phase space; return the Axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        axes : (int, int), optional
            Components of the state.
        """
        return plot_cycle(self, ax, axes)


def periodic_orbit(
    system: SystemLike,
    period: float | None = None,
    *,
    x0: ArrayLike | None = None,
    transient: int = 0,
    t0: float = 0.0,
    tol: float = 1e-10,
    max_iterations: int = 50,
    rng: Seed = None,
) -> PeriodicOrbit:
    r"""Find a cycle near a state by Newton's method (shooting).

    .. math:: \varphi_T(x) - x = 0, \qquad f(x_0) \cdot (x - x_0) = 0

    For an autonomous flow state and period are unknown, and the second equation fixes the phase.
    Of a map, or a flow forced in time, the period is given.

    The multipliers are found without their product: a basis is carried around the cycle,
    factorised in each step, until its spans come back as they were (orthogonal iteration, which
    converges to the periodic Schur form). So are those right that are many orders below the first.

    Parameters
    ----------
    system : Flow, or a map
    period : float, optional
        Of a map the number of steps, times its dt; of a forced flow the period of the cycle. Of an
        autonomous flow a guess: by default the time of the first near return.
    x0 : array (n,), optional
        State near the cycle; by default the system's own.
    transient : int, optional
        Steps to run before: towards a cycle that attracts.
    t0 : float, optional
        Time of the first state, where the system depends on it (that after the transient).
    tol : float, optional
        Largest distance between last and first state, relative to the size of the state.
    max_iterations : int, optional
    rng : None, int or Generator, optional
        For a default state that is drawn.

    Returns
    -------
    PeriodicOrbit
        Whose `turns` say whether its shortest period is a part of the one that was given.

    Raises
    ------
    LyapnetError
        If no cycle is found, or of a flow a fixed point.

    Warns
    -----
    UserWarning
        If the multipliers cannot be told apart: they are unreliable.

    References
    ----------
    R. Seydel, Practical Bifurcation and Stability Analysis (Springer, 2010), chapter 7, for
    shooting. A. Bojanczyk, G. H. Golub and P. Van Dooren, Proc. SPIE 1770, 31 (1992), and K. Lust,
    Int. J. Bifurcation Chaos 11, 2389 (2001), for multipliers of products.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import lyapnet as ln
    >>> van_der_pol = ln.Flow(lambda x: np.array([x[1], (1 - x[0]**2) * x[1] - x[0]]), 2, dt=0.02)
    >>> cycle = ln.periodic_orbit(van_der_pol, x0=[2.0, 0.0], transient=1000)
    >>> print(f"{cycle.period:.5f}, exponents {cycle.exponents.round(4) + 0.0}, {cycle.stable}")
    6.66329, exponents [ 0.     -1.0594], True
    """
    found = as_system(system)
    if isinstance(found, NoisyFlow | DelayFlow) or found.n_inputs:
        raise ValueError(
            f"`system` must be a map or flow without delays, noise or inputs, got {found!r}"
        )
    rng = validate.generator(rng)
    transient = validate.integer("transient", transient, low=0)
    max_iterations = validate.integer("max_iterations", max_iterations, low=1)
    tol = validate.real("tol", tol, positive=True)
    t0 = start_time(found, t0)
    x = start_state(found, x0, rng)
    if x.ndim != 1:
        raise ValueError(f"`x0` must be one state ({found.dim},), got shape {x.shape}")
    if transient:
        rows = found.drive.rows(None, (), transient, t0=t0 - transient * found.dt)
        x = run_orbit(found, x, rows, 0, transient).states[-1]
    free = isinstance(found, Flow) and not found.time
    if period is None:
        if not free:
            raise ValueError("`period` is needed: only that of an autonomous flow can be guessed")
        assert isinstance(found, Flow)
        T = _first_return(found, x)
    else:
        T = validate.real("period", period, positive=True)
    shot = _Shot(found, T, t0)
    for _ in range(max_iterations):
        end, D, velocity = shot.run(x)
        away = end - x
        size = max(1.0, float(np.abs(x).max()))
        if np.abs(away).max() <= tol * size:
            return _result(shot, x, tol)
        move, dT = _newton(away, D, velocity if free else None)
        # A step that changes the period by more than a part leads to another cycle, or none.
        length = float(np.linalg.norm(move))
        damp = min(1.0, 0.25 * shot.period / max(abs(dT), 1e-300))
        damp = min(damp, 0.5 * (1 + float(np.linalg.norm(x))) / max(length, 1e-300))
        x = x + damp * move
        shot = shot.with_period(shot.period + damp * dT)
    raise LyapnetError(
        f"no cycle found from this state: after {max_iterations} iterations the state misses "
        f"itself by {np.abs(away).max():.2g} after {shot.period:.6g}; start nearer to the cycle (a "
        "`transient` leads to one that attracts), or give another `period`"
    )


class _Shot:
    """The flow over a period, in steps that divide it."""

    def __init__(self, system: System, period: float, t0: float) -> None:
        self.system, self.period, self.t0 = system, period, t0
        self.steps = max(1, round(period / system.dt)) if not isinstance(system, Flow) else max(
            _LEAST_STEPS, int(np.ceil(period / system.dt - 1e-9))
        )  # fmt: skip
        self.fine = system
        if isinstance(system, Flow):
            self.fine = system.with_dt(period / self.steps)
        elif abs(self.steps * system.dt - period) > 1e-9 * period:
            raise ValueError(f"`period` must be a multiple of dt={system.dt:g}, got {period:g}")

    def with_period(self, period: float) -> _Shot:
        return self if period == self.period else _Shot(self.system, period, self.t0)

    def orbit(self, x: Array) -> Any:
        """Return the orbit over one period."""
        rows = self.fine.drive.rows(None, (), self.steps, t0=self.t0)
        return run_orbit(self.fine, x, rows, 0, self.steps)

    def run(self, x: Array) -> tuple[Array, Array, Array]:
        """Return the last state, the Jacobian over the period and the velocity at its end."""
        orbit = self.orbit(x)
        D = np.eye(len(x))
        for J in orbit.jacobians:
            D = J @ D
        return orbit.states[-1], D, self._velocity(orbit.states[-1])

    def _velocity(self, x: Array) -> Array:
        if not isinstance(self.fine, Flow) or self.fine.time:
            return np.zeros_like(x)
        return np.asarray(self.fine.velocity(x))


def _newton(away: Array, D: Array, velocity: Array | None) -> tuple[Array, float]:
    """Return the steps of state and period."""
    n = len(away)
    A = D - np.eye(n)
    if velocity is None:
        return np.linalg.lstsq(A, -away, rcond=None)[0], 0.0
    bordered = np.block([[A, velocity[:, None]], [velocity[None], np.zeros((1, 1))]])
    found = np.linalg.lstsq(bordered, np.append(-away, 0.0), rcond=None)[0]
    return found[:n], float(found[n])


def _first_return(flow: Flow, x: Array) -> float:
    """Return the time of the first near return to a state."""
    away = np.zeros(1)
    for n in (_HORIZON // 10, _HORIZON):
        states = run_orbit(flow, x, flow.drive.rows(None, (), n), 0, n).states
        away = np.linalg.norm(states - x, axis=-1)
        left = int(np.argmax(away > 0.5 * away.max()))
        inner = away[left + 1 : -1]
        near = (inner <= away[left:-2]) & (inner <= away[left + 2 :])
        found = np.flatnonzero(near & (inner < _RETURN * away.max()))
        if away.max() > 0 and len(found):
            return float((left + 1 + found[0]) * flow.dt)
    raise LyapnetError(
        f"no return to the first state within {_HORIZON} steps: give a guess of the `period`, or a "
        "`transient` that leads to the cycle"
    )


def _result(shot: _Shot, x: Array, tol: float) -> PeriodicOrbit:
    orbit = shot.orbit(x)
    turns = _turns(shot, orbit.states, tol)
    logs = floquet_logs(orbit.factors)
    with np.errstate(over="ignore"):
        mu = np.exp(logs.real) * np.exp(1j * logs.imag)
    others = logs
    if isinstance(shot.system, Flow) and not shot.system.time:
        others = np.delete(logs, np.argmin(np.abs(mu - 1)))
    return PeriodicOrbit(
        states=orbit.states,
        times=shot.t0 + shot.fine.dt * np.arange(shot.steps + 1),
        period=shot.period,
        multipliers=mu,
        log_multipliers=logs,
        exponents=logs.real / shot.period,
        stable=bool((others.real < 0).all()),
        residual=float(np.abs(orbit.states[-1] - x).max()),
        turns=turns,
        settings={"tol": tol, "steps": shot.steps, "system": repr(shot.system)},
    )


def _turns(shot: _Shot, states: Array, tol: float) -> int:
    """Return how often a closed orbit goes around its shortest cycle."""
    size = max(1.0, float(np.abs(states).max()))
    extent = float(np.abs(states - states[0]).max())
    flow = isinstance(shot.system, Flow)
    if extent <= np.sqrt(tol) * size:
        if flow and not shot.system.time:
            raise LyapnetError(
                "no cycle found from this state: Newton's method ends at a fixed point, which has "
                "any period (see `fixed_points`); start nearer to the cycle"
            )
        return 1 if flow else shot.steps
    if not flow:
        parts = [n for n in range(1, shot.steps) if shot.steps % n == 0]
        found = [n for n in parts if np.abs(states[n:] - states[:-n]).max() <= _SAME * extent]
        return shot.steps // found[0] if found else 1
    times = np.linspace(0.0, 1.0, shot.steps + 1)
    along = CubicSpline(times, np.concatenate([states[:-1], states[:1]]), bc_type="periodic")

    def differ(at: Array, turns: Array) -> Array:
        later = along(at + 1 / turns[:, None])
        return np.asarray(np.abs(later - along(at)).max(axis=(1, 2)) > _SAME * extent)

    turns = np.arange(shot.steps // _LEAST_STEPS, 1, -1)
    turns = turns[~differ(times[:: -(-shot.steps // 16)], turns)]
    return next((int(n) for n in turns if not differ(times, np.array([n]))[0]), 1)
