"""Products of a cell with states, tangent vectors and cotangents, as BLAS takes them best."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg.blas import dgemm

from ..numerics.arrays import Array, unbroadcast

_vecdot: Any = np.vecdot  # its stub knows no axis


#: Weights up to this size are kept transposed, too.
_SMALL = 256


#: OpenBLAS does products of up to so many multiplications without copying their operands into an
#: order of its own, which is worth it for sums of many rows, taken so many rows at least at a time.
_DIRECT, _WORTH = 10**6, 100


def overlap(a: Array, b: Array, out: Array | None = None, scratch: Array | None = None) -> Array:
    """Sum ``a b`` over the tangent vectors: ``(..., k, n)`` to ``(..., n)``.

    One step's is best done along the components in memory, with `scratch` of the shape of `a`.
    """
    if a.ndim > 2:
        return _vecdot(a, b, axis=-2, out=out)
    return np.dot(np.ones(len(a)), np.multiply(a, b, out=scratch), out=out)


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


def drive(inputs: Array | None, V: Array, b: Array, out: Array) -> None:
    """Write V u + b for all steps, ``(T, ..., i)``, in one matrix product."""
    if inputs is None or not V.shape[-1]:
        out[...] = b
        return
    if V.ndim == 2 and b.ndim == 1 and inputs.shape[:-1] == out.shape[:-1]:
        ones = np.ones((*inputs.shape[:-1], 1))
        weights = np.concatenate([V.T, b[None]])
        times(np.concatenate([inputs, ones], axis=-1), weights, out=out)
        return
    out[...] = np.matmul(V, inputs[..., None])[..., 0]
    out += b


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
