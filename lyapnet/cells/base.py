"""What all network cells share."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from scipy.linalg.blas import dgemm

from .. import storage, validate
from ..autodiff import value
from ..linalg import Array, unbroadcast
from ..systems import System


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

    def _remarkable(self) -> dict[str, Any]:
        """Return the options that are not the default ones, as the `repr` shows them."""
        return {}

    @property
    def networks(self) -> tuple[int, ...]:
        """Shape of the ensemble of networks that the parameters span."""
        shapes = [np.shape(value(self.params[k]))[: -a or None] for k, a in self._axes.items()]
        return np.broadcast_shapes(*shapes)

    def with_params(self, params: Any) -> Self:
        """Return a new cell of the same kind with other parameters.

        Parameters
        ----------
        params : dict
            Name to array, all names of `params`; traced by autograd or not.
        """
        if not hasattr(params, "keys"):
            raise TypeError(f"`params` must be a dictionary of arrays, got {params!r}")
        if set(params.keys()) != set(self.params):
            raise ValueError(
                f"`params` must have exactly the keys {sorted(self.params)}, "
                f"got {sorted(params.keys())}"
            )
        return self._with({name: params[name] for name in self.params})

    def _with(self, params: dict[str, Any]) -> Self:
        raise NotImplementedError

    @property
    def n_outputs(self) -> int:
        """Number of outputs: what a layer above has as inputs."""
        raise NotImplementedError

    def output(self, x: Any) -> Any:
        """Return the output activation ``(..., n_outputs)`` of states ``(..., n)``."""
        raise NotImplementedError

    def output_pushforward(self, x: Any, Q: Any) -> Any:
        """Return the Jacobian of `output` times ``Q (..., n, k)``."""
        raise NotImplementedError

    def input_jacobian(self, x: Any, u: Any = None) -> Any:
        """Return the Jacobian of `step` in the input, ``(..., n, n_inputs)``."""
        raise NotImplementedError

    def _options(self) -> dict[str, Any]:
        """Return the options that the cell was made with, as plain values."""
        return {}

    def save(self, path: Any) -> Path:
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
        return np.broadcast_shapes(super().ensemble(x, u), self.networks)


def parameter(name: str, x: Any, axes: int) -> Any:
    """Check a parameter, unless autograd is tracing it."""
    return x if hasattr(x, "_value") else validate.array(name, x, least=axes)


_vecdot: Any = np.vecdot  # its stub knows no axis


def overlap(a: Array, b: Array, out: Array | None = None, scratch: Array | None = None) -> Array:
    """Sum ``a b`` over the tangent vectors: ``(..., k, n)`` to ``(..., n)``.

    One step's is best done along the components in memory, with `scratch` of the shape of `a`.
    """
    if a.ndim > 2:
        return _vecdot(a, b, axis=-2, out=out)
    return np.dot(np.ones(len(a)), np.multiply(a, b, out=scratch), out=out)


#: Weights up to this size are kept transposed, too.
_SMALL = 256


def transposed(W: Array) -> Array:
    """Return :math:`W^T` for `times`, as a copy where that is worth it.

    BLAS has kernels of its own for small matrices, but none for a transposed one: half the time.
    """
    turned = W.swapaxes(-1, -2)
    return np.ascontiguousarray(turned) if max(turned.shape[-2:]) <= _SMALL else turned


def times(x: Array, W: Array, out: Array | None = None) -> Array:
    """Multiply rows ``x (..., k, n)`` by matrices ``W (..., n, m)``.

    One matrix product for all members where they share their weights.
    """
    if W.ndim > 2:
        return np.matmul(x, W, out=out)
    if x.ndim <= 2 or not (x if out is None else out).flags.c_contiguous:
        return np.dot(x, W, out=out)
    flat = None if out is None else out.reshape(-1, out.shape[-1])
    return np.dot(x.reshape(-1, x.shape[-1]), W, out=flat).reshape(*x.shape[:-1], W.shape[-1])


#: OpenBLAS does products of up to so many multiplications without copying their operands into an
#: order of its own, which is worth it for sums of many rows, taken so many rows at least at a time.
_DIRECT, _WORTH = 10**6, 100


def contract(left: Array, right: Array, shape: tuple[int, ...]) -> Array:
    r"""Sum :math:`a b^T` over time, members and tangent vectors: the gradient of a weight matrix.

    Parameters
    ----------
    left, right : array (T, ..., k, i) and (T, ..., k, j)
    shape : tuple of int
        Of the weights, ``(..., i, j)``; the sum is over the members that share them.
    """
    if len(shape) == 2:
        left, right = (x.reshape(-1, x.shape[-1]) for x in (left, right))
        part = _DIRECT // (shape[0] * shape[1])
        if not _WORTH <= part < len(left):
            return np.dot(left.T, right)
        out = np.zeros(shape)
        for start in range(0, len(left), part):
            a, b = (x[start : start + part].T for x in (left, right))
            dgemm(1.0, b, a, trans_b=True, beta=1.0, c=out.T, overwrite_c=True)
        return out
    left, right = (np.moveaxis(x, 0, -3) for x in (left, right))
    left, right = (x.reshape(*x.shape[:-3], -1, x.shape[-1]) for x in (left, right))
    return unbroadcast(np.matmul(left.swapaxes(-1, -2), right), shape)


def through_drive(
    bar: Array, inputs: Array | None, V: Array, b: Array, wanted: bool = True
) -> tuple[Array | None, dict[str, Array]]:
    """Return the cotangents of the inputs, if wanted, and of V and b, given those of V u + b.

    Parameters
    ----------
    bar : array (T, ..., i)
    inputs : array (T, ..., m) or None
    V, b : array (..., i, m) and (..., i)
    wanted : bool, optional
    """
    params = {"V": np.zeros(V.shape), "b": unbroadcast(bar, b.shape)}
    m = V.shape[-1]
    if inputs is None or not m:
        return None, params
    u = np.broadcast_to(inputs, (*bar.shape[:-1], m))
    params["V"] = contract(bar[..., None, :], u[..., None, :], V.shape)
    if not wanted:
        return None, params
    return unbroadcast(times(bar[..., None, :], V)[..., 0, :], inputs.shape), params
