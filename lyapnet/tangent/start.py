"""How a run starts: first state, first basis and inputs, checked and completed."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any, overload

import autograd.numpy as anp
import numpy as np

from .. import validate
from ..compiled.limits import EPS
from ..numerics.arrays import Array, ArrayLike, broadcast_shapes
from ..numerics.autodiff import is_traced, value
from ..systems import System
from .qr import orthonormalise


@dataclass(frozen=True)
class Start:
    """A run before its first step: checked, drawn, and spread over its ensemble.

    Attributes
    ----------
    system : System
    x : array (..., n)
        First state, with all axes of the ensemble.
    rows : array (..., k, n)
        First tangent vectors, orthonormal.
    inputs : array (T, ..., c) or None
        What each step is given, see `Drive`.
    samples : array (T, ..., m) or None
        The inputs as they were given.
    t0 : float
        Time.
    seed : int or None
        Of the noise that was drawn, if there is some.
    """

    system: System
    x: Array
    rows: Array
    inputs: Array | None
    samples: Array | None
    t0: float
    seed: int | None

    @classmethod
    def of(
        cls,
        system: System,
        samples: Array | None,
        total: int,
        *,
        x0: Any,
        t0: Any,
        rng: np.random.Generator,
        k: Any = None,
        basis: Any = None,
        parts: str = "",
    ) -> Start:
        """Check what a run of `total` steps is given, and draw what it is not.

        Drawn are state, basis and noise, in this order; `parts` says what the steps are for.
        """
        check_inputs(system, samples, total, parts)
        t0 = start_time(system, t0)
        x = start_state(system, x0, rng)
        Q = None if basis is None else validate.array("basis", basis, least=2)
        check_order(samples, system.ensemble(x, None))
        k = directions(k, Q, system.dim)
        lead = system.ensemble(x, None if samples is None else samples[0])
        rows = start_rows(Q, (*lead, system.dim, k), rng)
        return cls.spread(system, x, rows, samples, total, t0, noise_seed(system, samples, rng))

    @classmethod
    def spread(
        cls,
        system: System,
        x: Array,
        rows: Array,
        samples: Array | None,
        total: int,
        t0: float,
        seed: int | None,
    ) -> Start:
        """Give state and inputs, checked already, the axes of the ensemble that `rows` have."""
        lead = rows.shape[:-2]
        inputs = system.drive.rows(samples, lead, total, t0=t0, seed=seed)
        x = np.broadcast_to(x, (*lead, system.dim)).copy()
        return cls(system, x, rows, inputs, samples, t0, seed)

    @property
    def settings(self) -> dict[str, Any]:
        """What a result tells of it."""
        return {
            "k": self.rows.shape[-2],
            "dt": self.system.dt,
            "driven": self.samples is not None,
            "t0": self.t0,
        }

    @property
    def of_one_system(self) -> bool:
        """Whether all members are of one network, or have the same parameters."""
        if not self.system.alike(self.rows.shape[:-2]):
            return False
        state = self.x[(0,) * (self.x.ndim - 1)]
        u = self.samples
        now = None if u is None else u[(0,) * (u.ndim - 1)]
        return int(np.prod(self.system.ensemble(state, now))) == 1  # they span no ensemble

    @property
    def of_one_input(self) -> bool:
        """Whether all members have the same input: none, one that they share, or equal ones."""
        u = self.samples
        if u is None:
            return self.seed is None  # noise is drawn for each member
        members = u.reshape(len(u), -1, u.shape[-1])
        return bool((members == members[:, :1]).all())


def start_state(system: System, x0: Any, rng: np.random.Generator) -> Array:
    """Return the state to start from."""
    if x0 is None:
        x0 = system.default_state(rng)
        if x0 is None:
            raise ValueError("`x0` is needed: this system has no initial state of its own")
    found: Array = as_state(system, x0)
    return found


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
        rows = np.array(rng.standard_normal(shape).swapaxes(-1, -2), order="C")
        orthonormalise(rows)
        return rows
    lead = broadcast_shapes(basis.shape[:-2], shape[:-2])
    return orthonormal_rows(np.broadcast_to(basis, (*lead, *shape[-2:])))[0]


@cache
def _unit(k: int) -> Array:
    """Return a unit matrix, not to be written to."""
    unit = np.eye(k)
    unit.flags.writeable = False
    return unit


def orthonormal_rows(basis: Array) -> tuple[Array, Array]:
    """Return the rows of an orthonormal basis ``(..., k, n)`` and the factor R of a given one."""
    *lead, n, k = basis.shape
    rows = np.array(basis.swapaxes(-1, -2), order="C")
    with np.errstate(over="ignore", invalid="ignore"):
        error = np.matmul(rows, basis)
        error -= _unit(k)
    if np.abs(error, out=error).max() <= (n + 3) * EPS:  # as it is: so much is rounding of the sums
        return rows, np.broadcast_to(_unit(k), (*lead, k, k))
    # By powers of two, which round nothing: the squares of a column's entries may overflow.
    _, places = np.frexp(np.abs(basis).max(axis=-2, keepdims=True))
    rows = np.array(np.ldexp(basis, -places).swapaxes(-1, -2), order="C")
    factor = np.empty((*lead, k, k))
    size, length = orthonormalise(rows, factor)
    if not (size > n * np.finfo(float).eps * length).all():
        raise ValueError("`basis` must have independent columns: draw it at random, or use fewer")
    return rows, np.ldexp(np.tril(factor).swapaxes(-1, -2), places)


@overload
def input_sequence(inputs: None) -> None: ...


@overload
def input_sequence(inputs: ArrayLike) -> Array: ...


def input_sequence(inputs: Any) -> Array | None:
    """Return an input sequence ``(n_steps, ..., n_inputs)`` as an array."""
    if inputs is None:
        return None
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
            stacklevel=5,
        )


def check_inputs(system: System, u: Array | None, needed: int, parts: str = "") -> None:
    """Check that inputs ``(T, ..., m)`` fit the system and cover the run, made of `parts`."""
    if u is None:
        return
    if not system.n_inputs:
        raise ValueError("`inputs` given, but the system has n_inputs=0: leave them out")
    if u.ndim < 2 or u.shape[-1] != system.n_inputs:
        turned = u.ndim == 2 and len(u) == system.n_inputs
        raise ValueError(
            f"`inputs` must have shape (n_steps, ..., {system.n_inputs}), got {u.shape}"
            f"{'. Transposed? Give inputs.T' * turned}"
        )
    if len(u) < needed:
        parts = parts or "with its transients if it has some"
        steps = validate.counted(len(u), "step", "steps")
        raise ValueError(
            f"`inputs` has {steps}, but the run takes {needed}, "
            f"{parts}: give a longer sequence, by {needed - len(u)}, or take so many steps fewer"
        )


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
