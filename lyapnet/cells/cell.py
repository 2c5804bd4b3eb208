"""What all network cells share."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from autograd.tracer import isbox

from .. import validate
from ..numerics.arrays import Array, PathLike, broadcast_shapes
from ..numerics.autodiff import shape, value
from ..results import storage
from ..results.html import table
from ..systems import System

#: Numbers that compiled loops keep of a step, for each component of the state.
_KEPT = 8


class Cell(System):
    """A recurrent network: a system whose parameters are a dictionary of arrays.

    Attributes
    ----------
    params : dict
        Name to array, ``float64``; each may carry the axes of an ensemble of networks in
        front of its own.
    """

    #: Number of axes that each parameter has in one network.
    _axes: ClassVar[dict[str, int]] = {}
    params: dict[str, Any]

    def __repr__(self) -> str:
        lead = self.networks
        many = {"networks": lead} if lead else {}
        shown = {"dim": self.dim, "n_inputs": self.n_inputs, **many, **self._remarkable()}
        return f"{type(self).__name__}({', '.join(f'{name}={x}' for name, x in shown.items())})"

    def _repr_html_(self) -> str:
        rows = []
        for name, x in self.params.items():
            shape, size = " x ".join(map(str, np.shape(x))), np.abs(value(x))
            spread = f"{np.sqrt(np.mean(size**2)):.4g}" if size.size else "none"
            rows.append((name, shape or "number", spread))
        return table(repr(self), rows, ("parameter", "shape", "root mean square"))

    @property
    def differentiated(self) -> bool:  # type: ignore[override]  # not the same for all cells
        """Whether the derivative is lyapnet's own, for a class that is."""
        return type(self).__module__.startswith(__package__)

    def kept(self, k: int) -> int:
        """Return the numbers that a run keeps of each of a few steps: compiled loops, no bases."""
        compiled = self.engine_used[0] == "compiled"
        return _KEPT * self.dim if compiled else super().kept(k)

    def _remarkable(self) -> dict[str, Any]:
        """Return the options that are not the default ones, as the `repr` shows them."""
        return {}

    @property
    def networks(self) -> tuple[int, ...]:
        """Shape of the ensemble of networks that the parameters span."""
        params = value(self.params)
        shapes = [np.shape(value(params[k]))[: -a or None] for k, a in self._axes.items()]
        return broadcast_shapes(*shapes) if any(shapes) else ()

    def with_params(self, params: Any) -> Self:
        """Return a new cell of the same kind with other parameters.

        Parameters
        ----------
        params : dict
            Name to array, all names of `params`; traced by autograd or not. What it traces as a
            whole is kept as it is: to take arrays from it costs more than a small network's sweep.
        """
        if not hasattr(params, "keys"):
            raise TypeError(f"`params` must be a dictionary of arrays, got {params!r}")
        if set(params.keys()) != set(self.params):
            raise ValueError(
                f"`params` must have exactly the keys {sorted(self.params)}, "
                f"got {sorted(params.keys())}"
            )
        other = self._copied(params) or self._with({name: params[name] for name in self.params})
        other.engine, other.engine_used = self.engine, self.engine_used
        return other

    def _with(self, params: dict[str, Any]) -> Self:
        raise NotImplementedError

    def _copied(self, params: Any) -> Self | None:
        """Return a copy with parameters of the same shapes as these, which need no other check.

        None where shapes differ, or where a class of the user's may derive more from parameters.
        """
        if not type(self).__init__.__module__.startswith(__package__):
            return None
        given: Any = value(params)
        known: Any = value(self.params)
        if any(shape(given[k]) != shape(x) for k, x in known.items()):
            return None
        other = copy.copy(self)
        other.params = params
        if not isbox(params):
            other.params = {k: parameter(k, given[k], self._axes[k]) for k in known}
        return other

    @property
    def if_it_diverges(self) -> str:
        """What a user may do about states that are not finite."""
        return f"use smaller weights (`gain`){' or inputs' * (self.n_inputs > 0)}"

    @property
    def n_outputs(self) -> int:
        """Number of outputs: what a layer above has as inputs."""
        raise NotImplementedError

    def output(self, x: Array) -> Array:
        """Return the output activation ``(..., n_outputs)`` of states ``(..., n)``."""
        raise NotImplementedError

    def output_pushforward(self, x: Array, Q: Array) -> Array:
        """Return the Jacobian of `output` times ``Q (..., n, k)``."""
        raise NotImplementedError

    def output_pullback(self, x: Array, bar: Array) -> Array:
        """Return the transpose of `output`'s Jacobian times cotangents ``(..., n_outputs)``."""
        unit = np.broadcast_to(np.eye(self.dim), (*x.shape, self.dim))
        return np.matmul(bar[..., None, :], self.output_pushforward(x, unit))[..., 0, :]

    def input_jacobian(self, x: Array, u: Array | None = None) -> Array:
        """Return the Jacobian of `step` in the input, ``(..., n, n_inputs)``."""
        raise NotImplementedError

    def _options(self) -> dict[str, Any]:
        """Return the options that the cell was made with, as plain values."""
        return {}

    def save(self, path: PathLike) -> Path:
        """Save to a file that `lyapnet.load` reads.

        Parameters
        ----------
        path : path
            By convention with the ending ``.npz``.
        """
        return storage.save(self, path)

    def _to_state(self) -> dict[str, Any]:
        return {"params": self.params, "options": self._options()}

    @classmethod
    def _from_state(cls, state: dict[str, Any]) -> Self:
        return cls(**state["params"], **state["options"])

    def default_state(self, rng: np.random.Generator) -> Array:
        """Draw a standard normal state: zero can be a fixed point."""
        return rng.standard_normal(self.dim)

    def ensemble(self, x: Array, u: Array | None) -> tuple[int, ...]:
        """Return the shape of the ensemble that states, inputs and networks span."""
        return broadcast_shapes(super().ensemble(x, u), self.networks)


def parameter(name: str, x: Any, axes: int) -> Any:
    """Check a parameter, unless autograd is tracing it."""
    if hasattr(x, "_value"):
        return x
    checked = validate.array(name, x, least=axes)
    validate.members(name, checked.shape[:-axes])
    return checked


def checked_leak(leak: Any) -> float:
    """Check the leak of a network, which is one number for all of its units."""
    if np.ndim(leak):
        raise TypeError(
            f"`leak` must be one number, got an array of shape {np.shape(leak)}: units with time "
            "constants of their own make a lyapnet.Map, of the function "
            'lambda h, p: (1 - a) * h + a * (p["W"] @ np.tanh(h) + p["b"]) with the leaks a (n,)'
        )
    if not 0 < validate.real("leak", leak) <= 1:
        raise ValueError(f"`leak` must lie in (0, 1], got {leak}")
    return float(leak)
