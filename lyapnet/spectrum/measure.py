"""Lyapunov spectra of systems, and of Jacobians that come from elsewhere."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from .. import validate
from ..errors import LyapnetError
from ..numerics.arrays import ArrayLike, Seed, patient
from ..numerics.autodiff import is_traced
from ..systems import SystemLike, as_system
from ..systems.given_jacobians import GivenJacobians
from ..tangent.interval import automatic_interval
from ..tangent.plan import Plan, interval_of, plan_of
from ..tangent.start import Start, directions, input_sequence, start_rows
from ..tangent.stretches import Losses
from .benettin import Benettin
from .result import Spectrum


@patient
def lyapunov_spectrum(
    system: SystemLike,
    n_steps: int | None = None,
    *,
    inputs: ArrayLike | None = None,
    k: int | None = None,
    x0: ArrayLike | None = None,
    basis: ArrayLike | None = None,
    transient: int | None = None,
    basis_transient: int | None = None,
    qr_interval: int | str = "auto",
    tol: float | None = None,
    on_divergence: str = "raise",
    record: bool = True,
    t0: float = 0.0,
    rng: Seed = None,
    progress: bool = False,
) -> Spectrum:
    r"""Measure the leading Lyapunov exponents of a system, with their errors.

    Benettin's algorithm: a tangent basis is carried along a trajectory and
    reorthonormalised, :math:`D Q = Q' R`; the exponents are the time averages of
    :math:`\log R_{ii}`.

    Parameters
    ----------
    system : System
        A cell, map or flow, or any object with `dim`, `n_inputs`, `dt`, `step`,
        `jacobian` and `pushforward`.
    n_steps : int, optional
        Number of averaged steps, after both transients. Without it, all that `inputs` leave.
    inputs : array (T, ..., m), optional
        One input per step, for transients and average; the exponents are then those
        conditional on it. A driven system without inputs gets zeros.
    k : int, optional
        Number of leading exponents; default all.
    x0 : array (..., n), optional
        State to start from. Needed for a `Map` or `Flow` of one's own; a catalog system has
        its own, a cell draws a standard normal one.
    basis : array (..., n, k), optional
        Tangent vectors to start from, orthonormalised; default random.
    transient, basis_transient : int, optional
        Steps of the state alone, then of state and basis, before the average. Default: a
        tenth of the run each, at least 100 (with `inputs` and no `n_steps`, a tenth of
        the sequence each).
    qr_interval : int or "auto", optional
        Steps between reorthonormalisations. "auto" takes the longest divisor of 100, up
        to 50, for which the basis stays well conditioned, and less wherever that is not
        enough; at a fixed point or on a short cycle it takes 1. Exponents do not depend on it
        but for rounding.
    tol : float, optional
        Stop as soon as the half-width of every exponent's 95 % interval is below it;
        `n_steps` is then the most.
    on_divergence : {"raise", "nan"}, optional
        What to do where the state of a member of an ensemble diverges: to raise an error that
        names it, or to go on with the others. The exponents of those that have diverged are NaN
        then, and `settings["diverged"]` lists them, with the steps at which they did. Such a
        spectrum cannot be extended: the others would have to be run by themselves.
    record : bool, optional
        Whether to keep the growth of each block. Without, memory does not grow with the run.
    t0 : float, optional
        Time at the start of the run, where the system depends on it.
    rng : None, int or Generator, optional
        Draws the basis and, for a cell, the state; the noise of a noisy system, too.
    progress : bool, optional
        Whether to show a progress bar.

    Returns
    -------
    Spectrum

    Raises
    ------
    DivergedError
        If the state is not finite, of an ensemble with the member that was the first;
        `partial` is the spectrum until then, of all members.
    DegenerateBasisError
        If the basis degenerates within a `qr_interval` that was given.

    References
    ----------
    .. [1] G. Benettin, L. Galgani, A. Giorgilli and J.-M. Strelcyn, Meccanica 15, 21 (1980).
    .. [2] K. Geist, U. Parlitz and W. Lauterborn, Prog. Theor. Phys. 83, 875 (1990).

    Examples
    --------
    >>> import lyapnet as ln
    >>> spectrum = ln.lyapunov_spectrum(ln.catalog.henon(), 20_000, rng=0)
    >>> low, high = spectrum.confidence_interval()
    >>> bool(low[0] < 0.419217 < high[0])
    True
    """
    found = as_system(system)
    if is_traced(found.params, x0, basis, inputs):
        raise TypeError("autograd is tracing: differentiate `finite_time_exponents` instead")
    rng = validate.generator(rng)
    lenient = validate.option("on_divergence", on_divergence, ("raise", "nan")) == "nan"
    u = input_sequence(inputs)
    plan = plan_of(None if u is None else len(u), n_steps, transient, basis_transient, tol)
    start = Start.of(found, u, plan.total, x0=x0, t0=t0, rng=rng, k=k, basis=basis)
    interval = interval_of(qr_interval)
    run = Benettin(
        found,
        start.x,
        start.rows,
        start.inputs,
        replace(plan, interval=interval or 1, forgiving=interval is None),
        record=validate.flag("record", record),
        tol=None if tol is None else validate.real("tol", tol, positive=True),
        progress=bool(progress),
        losses=Losses(start.x.shape[:-1]) if lenient else None,
    )
    settings = {
        **start.settings,
        "transient": plan.transient,
        "basis_transient": plan.basis_transient,
        "tol": run.tol,
        "seed": start.seed,
        "one_system": start.of_one_system,
        "one_input": start.of_one_input,
        "forgiving": interval is None,
        "system": repr(system),
    }
    return _finish(run, settings)


def _finish(run: Benettin, settings: dict[str, Any]) -> Spectrum:
    """Run, and give a failure the spectrum of what was computed until then."""
    try:
        if run.plan.forgiving:
            losses = None if run.losses is None else Losses(run.x.shape[:-1])
            found = automatic_interval(run.prepare(), run.x, run.rows, run.inputs, run.plan, losses)
            run.plan = replace(run.plan, interval=found)
        settings = {**settings, "qr_interval": run.plan.interval}
        run.run()
        for reservation in run.doubts.reservations:
            warnings.warn(f"these exponents are unreliable: {reservation}", stacklevel=4)
        return Spectrum.from_run(run, settings)
    except LyapnetError as error:
        error.partial = Spectrum.from_run(run, settings) if run.n_done else None
        raise


@patient
def spectrum_from_jacobians(
    jacobians: ArrayLike,
    *,
    k: int | None = None,
    basis: ArrayLike | None = None,
    basis_transient: int = 0,
    qr_interval: int | str = 1,
    dt: float = 1.0,
    rng: Seed = None,
) -> Spectrum:
    """Measure the exponents of a sequence of Jacobians.

    Parameters
    ----------
    jacobians : array (T, ..., n, n)
        In the order of time: the first acts first.
    k : int, optional
        Number of leading exponents; default all.
    basis : array (..., n, k), optional
        Tangent vectors to start from, orthonormalised; default random.
    basis_transient : int, optional
        Steps for the basis to align, not averaged.
    qr_interval : int or "auto", optional
        Steps between reorthonormalisations; "auto" as for `lyapunov_spectrum`.
    dt : float, optional
        Time that a Jacobian spans.
    rng : None, int or Generator, optional
        Draws the basis.

    Returns
    -------
    Spectrum
        Without `state` and `x0` (they are NaN: Jacobians do not tell them).

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> jacobians = np.tile(np.diag([2.0, 0.5]), (100, 1, 1))
    >>> ln.spectrum_from_jacobians(jacobians, basis=np.eye(2)).exponents.round(6)
    array([ 0.693147, -0.693147])
    """
    D = validate.array("jacobians", jacobians, least=3)
    if D.shape[-1] != D.shape[-2] or not len(D):
        raise ValueError(f"`jacobians` must have shape (T, ..., n, n) with T >= 1, got {D.shape}")
    warm = validate.integer("basis_transient", basis_transient, low=0, high=len(D) - 1)
    interval = interval_of(qr_interval)
    Q = None if basis is None else validate.array("basis", basis, least=2)
    n = D.shape[-1]
    k = directions(k, Q, n)
    system = GivenJacobians(n, validate.real("dt", dt, positive=True))
    rows = start_rows(Q, (*D.shape[1:-2], n, k), validate.generator(rng))
    x = np.zeros((*rows.shape[:-2], n))
    plan = Plan(0, warm, len(D) - warm, interval or 1, forgiving=interval is None)
    run = Benettin(system, x, rows, D, plan)
    settings = {
        "k": k,
        "transient": 0,
        "basis_transient": warm,
        "dt": system.dt,
        "tol": None,
        "driven": False,
        "forgiving": plan.forgiving,
        "system": f"{len(D)} Jacobians",
    }
    spectrum = _finish(run, settings)
    unknown = np.full_like(spectrum.state, np.nan)
    return replace(spectrum, state=unknown, x0=unknown, system=None)
