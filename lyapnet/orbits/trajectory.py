"""The states of a run, and nothing else."""

from __future__ import annotations

import numpy as np

from .. import validate
from ..errors import DivergedError
from ..numerics.arrays import Array, ArrayLike, patient
from ..runs.progress import compiling, progress_bar
from ..systems import SystemLike, as_system
from ..tangent.plan import divided
from ..tangent.start import Start, input_sequence
from ..tangent.stretches import check_states, stretch_length


@patient
def trajectory(
    system: SystemLike,
    n_steps: int,
    *,
    x0: ArrayLike | None = None,
    inputs: ArrayLike | None = None,
    transient: int = 0,
    t0: float = 0.0,
    rng: int | np.random.Generator | None = None,
    progress: bool = False,
) -> Array:
    """Return the states of a trajectory, by the steps whose tangent map spectra are of.

    Parameters
    ----------
    system : System
        Of a `DelayFlow`, states are histories, the present first.
    n_steps : int
        Steps that are returned.
    x0 : array_like, shape (..., n), optional
        State at the start; drawn where the system has such a default, as networks have.
    inputs : array_like, shape (T, ..., m), optional
        The input of each step, those of the transient first; T at least ``transient + n_steps``.
        Default: zero; of a `NoisyFlow`, drawn.
    transient : int, optional
        Steps before, which are left out.
    t0 : float, optional
        Time at the start of the transient, where the system depends on it.
    rng : int or numpy.random.Generator, optional
        Of what is drawn: the state, and noise.
    progress : bool, optional
        Whether to show a progress bar.

    Returns
    -------
    array, shape (n_steps + 1, ..., n)
        ``states[0]`` is that after the transient. Times are
        ``t0 + system.dt * (transient + np.arange(n_steps + 1))``.

    Raises
    ------
    DivergedError
        If a state is not finite; `partial` has the states before, of all members.

    Examples
    --------
    >>> import lyapnet as ln
    >>> x = ln.trajectory(ln.catalog.lorenz63(), 2000, x0=[1.0, 1.0, 20.0], transient=1000)
    >>> x.shape
    (2001, 3)
    """
    found = as_system(system)
    rng = validate.generator(rng)
    n_steps = validate.integer("n_steps", n_steps, low=1)
    transient = validate.integer("transient", transient, low=0)
    total, parts = transient + n_steps, f"n_steps = {n_steps}, transient = {transient}"
    samples = input_sequence(inputs)
    start = Start.of(found, samples, total, x0=x0, t0=t0, rng=rng, k=1, parts=parts)
    x, u = start.x, start.inputs
    validate.fits("n_steps", n_steps, "the states that are returned", (n_steps + 1) * x.size)
    with compiling(show=progress):
        fast = found.prepared(x, u, 1, total)
    states = np.empty((n_steps + 1, *x.shape))
    states[0] = x
    stretches = divided(
        {"transient": transient, "n_steps": n_steps}, stretch_length(fast, x.shape[:-1], found.dim)
    )
    with progress_bar(total, show=progress, unit="step") as bar:
        for phase, first, last in stretches:
            orbit = fast.orbit(x, None if u is None else u[first:last], last - first)
            orbit.remedy = found.if_it_diverges
            here = first - transient
            if phase == "n_steps":
                states[here : here + orbit.n_steps + 1] = orbit.states
            try:
                check_states(orbit, first)
            except DivergedError as error:
                error.partial = states[: max(0, (error.step or 0) - transient)]
                raise
            x = orbit.last
            bar.update(last - first)
    return states
