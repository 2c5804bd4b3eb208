"""Condition numbers of a system's long-term Jacobian at any precision."""

from __future__ import annotations

import numpy as np

from .. import validate
from ..numerics.arrays import ArrayLike, Seed, patient
from ..systems import SystemLike, as_system
from ..tangent.start import (
    check_inputs,
    noise_seed,
    plan_of,
    prepare_inputs,
    start_state,
    start_time,
)
from ..tangent.stretches import run_orbit
from .request import Request, start_basis, steps_of
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
    u = None if inputs is None else validate.array("inputs", inputs, least=2)
    plan = plan_of(u, n_steps, transient, 0, None)
    check_inputs(found, u, plan.total)
    request = Request(precision, backend, certify, progress)
    t0 = start_time(found, t0)
    x = start_state(found, x0, generator)
    lead = found.ensemble(x, None if u is None else u[0])
    if lead:
        raise ValueError(
            f"condition_number measures one trajectory, but `x0`, `inputs` or parameters have "
            f"the leading axes {lead}: call it once for each member"
        )
    Q = start_basis(found.dim, k, basis, generator)
    steps = steps_of(times, plan.n_steps, found.dt)
    seed = noise_seed(found, u, generator)
    run_inputs = prepare_inputs(found, u, (), plan.total, t0=t0, seed=seed)
    x = run_orbit(found, x, run_inputs, 0, plan.transient).states[-1] if plan.transient else x
    D = run_orbit(found, x, run_inputs, plan.transient, plan.total).jacobians
    settings = {
        "transient": plan.transient,
        "driven": u is not None,
        "t0": t0,
        "system": repr(system),
    }
    return measured(np.asarray(D, dtype=float), Q, steps, found.dt, request, settings)
