"""How a run starts: counts of steps, first state, first basis and inputs, checked and completed."""

from __future__ import annotations

import warnings
from typing import Any

import autograd.numpy as anp
import numpy as np

from .. import validate
from ..numerics.arrays import Array
from ..numerics.autodiff import is_traced, value
from ..systems import System
from .interval import interval_of
from .qr import orthonormalise
from .stretches import Plan

#: Each warm-up takes a tenth of the run, but at least so many steps.
_WARM_UP = 100

#: With a tolerance no more than this, whatever the largest number of steps.
_LONGEST_WITH_TOL = 2000


def plan_of(u: Array | None, n_steps: Any, transient: Any, basis_transient: Any, tol: Any) -> Plan:
    """Complete the counts of steps."""
    if n_steps is not None:
        n_steps = validate.integer("n_steps", n_steps, low=1)
    elif u is None:
        more = ", the most to take," if tol is not None else ""
        raise ValueError(f"`n_steps`{more} is needed where no `inputs` fix the number of steps")
    length = 0 if u is None else len(u)
    steps = validate.counted(length, "step", "steps")
    given = {"transient": transient, "basis_transient": basis_transient}
    default = n_steps is not None and None in given.values()
    warm = length // 10 if n_steps is None else max(_WARM_UP, n_steps // 10)
    if tol is not None:
        warm = min(warm, _LONGEST_WITH_TOL)  # n_steps is only the most that may be needed
    transient = warm if transient is None else validate.integer("transient", transient, low=0)
    basis_transient = (
        warm
        if basis_transient is None
        else validate.integer("basis_transient", basis_transient, low=0)
    )
    if n_steps is None:
        n_steps = length - transient - basis_transient
        if n_steps < 1:
            raise ValueError(
                f"`inputs` has {steps}, not more than transient={transient} and "
                f"basis_transient={basis_transient} take: give a longer sequence"
            )
    elif default and u is not None and length < n_steps + transient + basis_transient:
        raise ValueError(_too_few_inputs(steps, length, n_steps, given, transient, basis_transient))
    return Plan(transient, basis_transient, n_steps)


def _too_few_inputs(
    steps: str, length: int, n_steps: int, given: dict[str, Any], transient: int, basis: int
) -> str:
    """Say that inputs are too few for warm-ups that were not asked for, and what to give."""
    warm = {"transient": transient, "basis_transient": basis}
    more = " and ".join(f"{name}={count}" for name, count in warm.items() if count)
    asked = {name: int(count) for name, count in given.items() if count is not None}
    left = length - n_steps - sum(asked.values())
    ways = []
    if left > 1:
        own = [name for name in given if name not in asked]
        fits = {name: left // len(own) for name in own}
        ways.append(f"give {', '.join(f'{name}={count}' for name, count in fits.items())}")
    if length > transient + basis:
        ways.append(f"n_steps={length - transient - basis}")
    ways.append("leave out n_steps, and it is what shorter warm-ups leave of the inputs")
    return (
        f"`inputs` has {steps}, but n_steps={n_steps} comes on top of {more}, "
        f"{n_steps + transient + basis} together: {'; or '.join(ways)}; or give a longer sequence"
    )


def window_plan(
    u: Any, n_steps: int | None, transient: int, basis_transient: int, qr_interval: int | str
) -> Plan:
    """Check the counts of steps of a window, and complete them from the inputs."""
    transient = validate.integer("transient", transient, low=0)
    basis_transient = validate.integer("basis_transient", basis_transient, low=0)
    interval = interval_of(qr_interval)
    if n_steps is None:
        if u is None:
            raise ValueError("`n_steps` is needed where no `inputs` fix the number of steps")
        n_steps = np.shape(value(u))[0] - transient - basis_transient
        if n_steps < 1:
            raise ValueError(
                f"`inputs` has {np.shape(value(u))[0]} steps, not more than the transients of "
                f"{transient} and {basis_transient}: give a longer sequence"
            )
    n_steps = validate.integer("n_steps", n_steps, low=1)
    return Plan(transient, basis_transient, n_steps, interval or 1, forgiving=interval is None)


def start_state(system: System, x0: Any, rng: np.random.Generator) -> Array:
    """Return the state to start from."""
    if x0 is None:
        x0 = system.default_state(rng)
        if x0 is None:
            raise ValueError("`x0` is needed: this system has no initial state of its own")
    return as_state(system, x0)


def as_state(system: System, x0: Any) -> Any:
    """Return a state ``(..., n)`` that was given, traced or not; of one component also a number."""
    x = x0 if is_traced(x0) else validate.array("x0", x0)
    if np.ndim(value(x)) == 0 and system.dim == 1:
        x = anp.reshape(x, (1,))
    validate.trailing("x0", value(x), system.dim, system.state_is)
    validate.members("x0", value(x).shape[:-1])
    return x


def directions(k: Any, basis: Array | None, n: int) -> int:
    """Return the number of exponents that `k` and `basis` mean."""
    if basis is not None:
        check_basis(basis.shape, n)
        if k is not None and k != basis.shape[-1]:
            raise ValueError(
                f"`k` is {k} but `basis` has {basis.shape[-1]} columns: leave out one of them"
            )
        return basis.shape[-1]
    return n if k is None else validate.integer("k", k, low=1, high=n)


def check_basis(shape: tuple[int, ...], n: int) -> None:
    """Check the shape ``(..., n, k)`` of a tangent basis."""
    if len(shape) < 2 or shape[-2] != n or not 1 <= shape[-1] <= n:
        raise ValueError(f"`basis` must have shape (..., {n}, k) with 1 <= k <= {n}, got {shape}")


def start_rows(basis: Array | None, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return the first tangent vectors as rows, for the whole ensemble."""
    if basis is None:
        return orthonormal_rows(rng.standard_normal(shape))[0]
    lead = np.broadcast_shapes(basis.shape[:-2], shape[:-2])
    return orthonormal_rows(np.broadcast_to(basis, (*lead, *shape[-2:])))[0]


def orthonormal_rows(basis: Array) -> tuple[Array, Array]:
    """Return the rows of an orthonormal basis ``(..., k, n)`` and the factor R of a given one."""
    *lead, n, k = basis.shape
    # By powers of two, which round nothing: the squares of a column's entries may overflow.
    _, places = np.frexp(np.abs(basis).max(axis=-2, keepdims=True))
    rows = np.array(np.ldexp(basis, -places).swapaxes(-1, -2), order="C")
    factor = np.empty((*lead, k, k))
    size, length = orthonormalise(rows, factor)
    if not (size > n * np.finfo(float).eps * length).all():
        raise ValueError("`basis` must have independent columns: draw it at random, or use fewer")
    return rows, np.ldexp(np.tril(factor).swapaxes(-1, -2), places)


def input_sequence(inputs: Any) -> Array:
    """Return an input sequence ``(n_steps, ..., n_inputs)`` as an array."""
    u = validate.array("inputs", inputs, least=1)
    if u.ndim == 1:
        raise ValueError(
            "`inputs` must have at least 2 axes, (n_steps, ..., n_inputs), got shape "
            f"{u.shape}: for one input use inputs[:, None]"
        )
    validate.members("inputs", u.shape[1:-1])
    return u


def check_order(u: Array | None, lead: tuple[int, ...]) -> None:
    """Warn where inputs look like (batch, time, features): of more members than steps.

    Parameters
    ----------
    u : array (T, ..., m) or None
    lead : tuple of int
        Ensemble that state and system span without the inputs.
    """
    if u is not None and u.ndim == 3 and not lead and 1 < len(u) < u.shape[1]:
        warnings.warn(
            f"`inputs` of shape {u.shape} are taken for {u.shape[1]} members of {len(u)} steps, "
            "since time is the first axis: if the batch comes first, give inputs.swapaxes(0, 1); "
            "if not, say so by an `x0` with the members' axis",
            stacklevel=4,
        )


def check_inputs(system: System, u: Array | None, needed: int, parts: str = "") -> None:
    """Check that inputs ``(T, ..., m)`` fit the system and cover the run, made of `parts`."""
    if u is None:
        return
    if not system.n_inputs:
        raise ValueError("`inputs` given, but the system has n_inputs=0: leave them out")
    if u.ndim < 2 or u.shape[-1] != system.n_inputs:
        raise ValueError(
            f"`inputs` must have shape (n_steps, ..., {system.n_inputs}), got {u.shape}"
        )
    if len(u) < needed:
        parts = parts or "with its transients if it has some"
        steps = validate.counted(len(u), "step", "steps")
        raise ValueError(
            f"`inputs` has {steps}, but the run takes {needed}, "
            f"{parts}: give a longer sequence, by {needed - len(u)}, or take so many steps fewer"
        )


def prepare_inputs(
    system: System,
    u: Array | None,
    lead: tuple[int, ...],
    total: int,
    *,
    t0: float = 0.0,
    first: int = 0,
    seed: int | None = None,
) -> Array | None:
    """Return the row of numbers that each step is given, with the axes of the ensemble.

    See `Drive`: zeros where a driven system has no inputs.
    """
    return system.drive.rows(u, lead, total, t0=t0, first=first, seed=seed)


def start_time(system: System, t0: Any) -> float:
    """Return the time at which a run starts."""
    t0 = validate.real("t0", t0)
    if t0 and not system.time:
        raise ValueError(
            f"`t0` is {t0:g}, but the system does not depend on time: leave it out, or make the "
            "system with time=True"
        )
    return t0


def noise_seed(system: System, u: Array | None, rng: np.random.Generator) -> int | None:
    """Return a seed for the noise of a run, None where there is none to draw."""
    return int(rng.integers(2**63)) if system.drive.noisy and u is None else None
