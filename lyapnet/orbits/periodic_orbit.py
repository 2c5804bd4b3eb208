"""Cycles by shooting, with their Floquet multipliers."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from .. import validate
from ..errors import LyapnetError
from ..numerics.arrays import Array, ArrayLike, Seed
from ..results.result import Result
from ..results.storage import register
from ..systems import DelayFlow, Flow, NoisyFlow, System, SystemLike, as_system
from ..systems.closed_loop import ClosedLoop
from ..systems.damped import damped
from ..tangent.start import start_state, start_time
from ..tangent.stretches import run_orbit
from .cycle_check import at_a_bifurcation, in_a_family, missing_one, step_of_cycle
from .floquet import multipliers_of
from .plot import plot_cycle
from .shooting import Shot, closed, returns, turns_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Logarithms of multipliers, as of a cycle among others, that are 0 but for rounding.
_ROUNDING = 1e-10

#: Exponents of up to so many times what half the step changes are those of the step.
_BY_THE_STEP = 3.0


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
    stable : bool or None
        Whether all multipliers, but for that along the flow, lie inside the unit circle, by more
        than rounding. None where the multipliers are unreliable, see `verdict`, or where all decay
        but some not by more than half the step changes.
    residual : float
        Distance between last and first state.
    turns : int
        How often the shortest cycle is gone around in the period: 1, or more where the period that
        was given is a multiple of `minimal_period`; of a map's fixed point the period.
        `multipliers` are those of the whole period, exponents those of the cycle in any case.
    verdict : str
        What the step of a flow does, in a sentence: "fine:" or "too coarse:" with what half of it
        changes; of a map "fine:" with how near it closes. "unreliable:" where multipliers cannot
        be those of the cycle. Where cycles form a family, as where energy is conserved, it says so.
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
    stable: bool | None
    residual: float
    turns: int
    settings: dict[str, Any] = field(repr=False)
    verdict: str = ""

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
    inputs: ArrayLike | None = None,
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
    Of a map, or a flow forced in time, the period is given. Of a family of cycles, as where energy
    is conserved, that which is nearest to state and guess is found, if the steps conserve it, too.

    The multipliers are found without their product: a basis is carried around the cycle,
    factorised in each step, until its spans come back as they were (orthogonal iteration, which
    converges to the periodic Schur form). So are those right that are many orders below the first.

    Parameters
    ----------
    system : Flow, network or map
    period : float, optional
        Of a map the number of steps, times its dt; of a forced flow the period of the cycle. Of an
        autonomous flow a guess: by default the times of the first three near returns.
    inputs : array (m,), optional
        What a network or map is given in every step; zeros if left out.
    x0 : array (n,), optional
        State near the cycle; by default the system's own.
    transient : int, optional
        Steps to run before: towards a cycle that attracts.
    t0 : float, optional
        Time of the first state, where the system depends on it (that after the transient).
    tol : float, optional
        Largest distance between last and first state, relative to the size of the state, at least
        1, or that of the state to start from if it is smaller.
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
        If the multipliers are unreliable: they cannot be told apart, or the derivative misses
        something, as jumps, so that none of an autonomous flow is near 1; or they decay within a
        part of an implicit step; or one is at the unit circle, where a cycle is born or loses its
        stability, and the cycle not known well enough to tell on which side.

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
    if isinstance(found, NoisyFlow | DelayFlow) or (isinstance(found, Flow) and found.n_inputs):
        raise ValueError(
            "`system` must be a network, a map, or a flow without delays, noise or inputs (put a "
            f"constant one into the field), got {found!r}"
        )
    found = _under(found, inputs)
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
    if period is not None:
        guesses = np.array([validate.real("period", period, positive=True)])
    elif isinstance(found, Flow) and not found.time:
        guesses = returns(found, x)
    else:
        raise ValueError("`period` is needed: only that of an autonomous flow can be guessed")
    *others, last = (Shot.at_first(found, float(T), t0, x, tol) for T in guesses)
    for shot in others:
        with contextlib.suppress(LyapnetError):  # of a state that comes near on its way around
            return _result(*closed(shot, x, tol, max_iterations), tol)
    return _result(*closed(last, x, tol, max_iterations), tol)


def _under(system: System, inputs: ArrayLike | None) -> System:
    """Return a network or map under a constant input, zeros if left out."""
    n, m = system.dim, system.n_inputs
    u = np.zeros(m) if inputs is None else validate.array("inputs", inputs, ndim=1)
    validate.trailing("inputs", u, m, "the system's n_inputs")
    return ClosedLoop(system, np.zeros((m, n)), u) if m else system


def _result(shot: Shot, x: Array, tol: float) -> PeriodicOrbit:
    orbit = shot.orbit(x)
    turns = turns_of(shot, orbit.states, tol)
    logs = shot.log_multipliers(orbit)
    mu, exponents = multipliers_of(logs), logs.real / shot.period
    others = np.arange(len(mu))
    others = np.delete(others, np.argmin(np.abs(mu - 1))) if shot.free else others
    residual = float(np.abs(orbit.states[-1] - x).max())
    reservation = shot.system.reservation or missing_one(shot, logs, turns)
    if not reservation and isinstance(shot.fine, Flow):
        reservation = shot.fine.too_steep(orbit.states, orbit.inputs)
    reservation = reservation or damped(shot.fine, orbit, exponents)
    family = not reservation and in_a_family(shot, x)
    if not family:
        reservation = reservation or at_a_bifurcation(shot, x, logs, others)
    stable: bool | None = None
    if reservation:
        warnings.warn(f"these multipliers are unreliable: {reservation}", stacklevel=3)
        verdict = f"unreliable: {reservation}"
    else:
        of_map = f"fine: the orbit closes to {residual:.1g}, and a map has no step to halve"
        words, change = step_of_cycle(shot, x, exponents)
        verdict = (words or of_map) + family * "; other cycles lie beside it, a family"
        known = np.abs(exponents) > _BY_THE_STEP * change
        if family or not (decays := (logs.real < -_ROUNDING)[others]).all():
            stable = False
        elif known[others].all():
            stable = bool(decays.all())
    return PeriodicOrbit(
        states=orbit.states,
        times=shot.t0 + shot.fine.dt * np.arange(shot.steps + 1),
        period=shot.period,
        multipliers=mu,
        log_multipliers=logs,
        exponents=exponents,
        stable=stable,
        residual=residual,
        turns=turns,
        settings={"tol": tol, "steps": shot.steps, "system": repr(shot.system)},
        verdict=verdict,
    )
