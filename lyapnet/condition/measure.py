"""Condition numbers of a system's long-term Jacobian at any precision."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from .. import validate
from ..numerics.arrays import ArrayLike, Seed, patient
from ..spectrum.doubts import of_orbit
from ..systems import SystemLike, as_system
from ..tangent.plan import plan_of
from ..tangent.start import Start, input_sequence
from ..tangent.stretches import run_stretches
from .request import Request, steps_of
from .result import ConditionNumber
from .run import measured

__all__ = ["condition_number"]


@patient
def condition_number(
    system: SystemLike,
    n_steps: int | None = None,
    *,
    k: int | None = None,
    inputs: ArrayLike | None = None,
    x0: ArrayLike | None = None,
    basis: ArrayLike | None = None,
    times: ArrayLike | None = None,
    transient: int | None = None,
    precision: int | str = 256,
    backend: str = "auto",
    certify: bool = False,
    t0: float = 0.0,
    rng: Seed = None,
    progress: bool = False,
) -> ConditionNumber:
    """Measure condition numbers of a system's long-term Jacobian at high precision.

    The trajectory and its Jacobians are computed in float64, after `transient` steps of the
    state; see `condition_from_jacobians` for the rest.

    Parameters
    ----------
    system : System
        A cell, map or flow; see `lyapunov_spectrum`.
    n_steps : int, optional
        Number T of Jacobians, after the transient. Without it, all that `inputs` leave.
    k : int, optional
        Number of directions; default all.
    inputs : array (transient + n_steps, m), optional
        One input per step; zeros if left out.
    x0 : array (n,), optional
        State to start from.
    basis, times, precision, backend, certify, rng, progress
        See `condition_from_jacobians`; times count from the end of the transient.
    transient : int, optional
        Steps before t=0; default a tenth of the run, at least 100.
    t0 : float, optional
        Time at the start of the transient, where the system depends on it.

    Returns
    -------
    ConditionNumber

    Raises
    ------
    DivergedError
        If the state is not finite.
    PrecisionError
        If no value is resolved; `partial` is the result.

    Warns
    -----
    UserWarning
        If directions decay within a part of an implicit step, or the orbit is one that no other
        comes near to, by rounding or a symmetry of its start; `note` tells of this, too.

    Examples
    --------
    >>> import lyapnet as ln
    >>> cell = ln.VanillaRNN.random(8, rng=0)
    >>> c = condition_number(cell, 100, times=[50, 100], precision=128, rng=0)
    >>> c.resolved
    array([ True,  True])
    """
    found = as_system(system)
    generator = validate.generator(rng)
    u = input_sequence(inputs)
    plan = plan_of(None if u is None else len(u), n_steps, transient, 0)
    size = plan.n_steps * found.dim**2
    validate.fits("n_steps", plan.n_steps, "the Jacobians of all steps", size)
    request = Request(precision, backend, certify, progress)
    start = Start.of(found, u, plan.total, x0=x0, t0=t0, rng=generator, k=k, basis=basis)
    lead = start.x.shape[:-1]
    if lead:
        raise ValueError(
            f"condition_number measures one trajectory, but `x0`, `inputs`, `basis` or parameters "
            f"have the leading axes {lead}: call it once for each member"
        )
    steps = steps_of(times, plan.n_steps, found.dt)
    for phase, _, orbit in run_stretches(found, start.x, start.inputs, plan.stretches(plan.total)):
        if phase == "n_steps":
            D = np.asarray(orbit.jacobians, dtype=float)
    settings = {**start.settings, "transient": plan.transient, "system": repr(system)}
    result = measured(D, start.rows.T, steps, found.dt, request, settings)
    growth = result.log10_growth[-1] * np.log(10)
    u = start.inputs
    late = (orbit.last, None) if u is None else (orbit.states[0], u[plan.transient :])
    if said := of_orbit(found, start.x, orbit.last, growth, plan.n_steps, orbit, late):
        warnings.warn(f"these condition numbers are unreliable: {said}", stacklevel=3)
        result = replace(result, settings={**result.settings, "reservation": said})
    return result
