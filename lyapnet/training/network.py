"""A network with a readout, and a batch of sequences for it."""

from __future__ import annotations

from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..numerics.arrays import Array, Params
from ..results.storage import register
from ..systems import System
from ..systems.parameters import named, with_named_params


@register
class Readout(NamedTuple):
    """A linear readout of pre-activations: outputs are ``h @ W.T + b``."""

    #: Weights ``(n_outputs, n)``.
    W: Array
    #: Biases ``(n_outputs,)``.
    b: Array


class Batch(NamedTuple):
    """Inputs, targets and weights of one training epoch, all with time first."""

    inputs: Array
    targets: Array
    #: What each step counts in the loss, ``(T, batch)`` or ``(T, 1)``.
    weights: Array
    #: Time at which the sequences begin, for systems that depend on it.
    t0: float = 0.0

    def rows(self, system: System) -> Array:
        """Return what each step of a system is given: its input, and the time if it asks for it."""
        members = self.inputs.shape[1:-1]
        found: Array = system.drive.rows(self.inputs, members, len(self.inputs), t0=self.t0)
        return found


class Network(NamedTuple):
    """All that training changes: a cell, its readout, and the state that it starts from."""

    system: System
    readout: Readout
    x0: Array

    @property
    def params(self) -> Params:
        """All parameters by name, as an optimiser sees them."""
        own = named(self.system.params)
        return {**own, "readout.W": self.readout.W, "readout.b": self.readout.b, "x0": self.x0}

    def with_params(self, params: Params) -> Network:
        """Return a network with other values of `params`."""
        own = dict(params)
        readout = Readout(own.pop("readout.W"), own.pop("readout.b"))
        x0 = own.pop("x0")
        return Network(with_named_params(self.system, own), readout, x0)

    def outputs(self, states: Array) -> Array:
        """Read out states ``(..., n)``."""
        return self.read(self.seen(states))

    def seen(self, states: Array) -> Array:
        """Return what the readout sees of states, in one piece."""
        return np.ascontiguousarray(states[..., self.system.visible])

    def read(self, seen: Array) -> Array:
        """Read out what is seen of states."""
        W, b = self.readout
        flat = seen.reshape(-1, W.shape[1])
        return (np.dot(flat, W.T) + b).reshape(*seen.shape[:-1], len(W))


def draw_readout(readout: Any, n_outputs: int, n: int, rng: np.random.Generator) -> Readout:
    """Return the readout that was given, or one without bias, normal of a standard deviation."""
    if readout is None or isinstance(readout, Real):
        deviation = 1.0 if readout is None else validate.real("readout", readout, low=0.0)
        return Readout(deviation * rng.standard_normal((n_outputs, n)), np.zeros(n_outputs))
    try:
        W, b = (np.array(x, dtype=float) for x in readout)
    except (TypeError, ValueError):
        raise TypeError(
            "`readout` must be a pair of weights and biases, or the standard deviation of the "
            f"weights, got {readout!r}"
        ) from None
    for name, x, shape in (("weights", W, (n_outputs, n)), ("biases", b, (n_outputs,))):
        if x.shape != shape:
            raise ValueError(f"`readout`'s {name} must have shape {shape}, got {x.shape}")
        if not np.isfinite(x).all():
            raise ValueError(f"`readout`'s {name} must be finite")
    return Readout(W, b)
