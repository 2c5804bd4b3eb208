"""What linear algebra and Fourier transforms do to lanes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from ..steady import NUMPY
from .array import RULES, Lanes, as_lanes, elementwise, lifted, plain
from .rules import along, reshape, same_lanes, transpose


def _matmul(a: Any, b: Any) -> Any:
    """Multiply matrices or vectors; a matrix that all lanes share is multiplied once."""
    a, b = lifted(a), lifted(b)
    m, n = (x.ndim if isinstance(x, Lanes) else np.ndim(plain(x)) for x in (a, b))
    if 0 in (m, n):
        return elementwise(anp.multiply, a, b)
    if max(m, n) > 2:
        raise TypeError("lanes have no rule for products of more than two axes")
    left, right = "ij"[2 - m :], "jk"[:n]
    if not isinstance(a, Lanes):
        return Lanes(anp.tensordot(a, b.data, 1))
    if not isinstance(b, Lanes):
        product = anp.tensordot(b.T if n == 2 else b, anp.moveaxis(a.data, m - 1, 0), 1)
        return Lanes(anp.moveaxis(product, 0, -2) if n == 2 and m == 2 else product)
    out = left.replace("j", "") + right.replace("j", "")
    return Lanes(anp.einsum(f"{left}z,{right}z->{out}z", *same_lanes(a, b)))


def _einsum(subscripts: str, *operands: Any, **options: Any) -> Any:
    if options or "." in subscripts or "z" in subscripts:
        raise TypeError("lanes have no rule for this einsum")
    inputs, _, out = subscripts.replace(" ", "").partition("->")
    if "->" not in subscripts:
        letters = sorted(set(inputs) - {","})
        out = "".join(letter for letter in letters if inputs.count(letter) == 1)
    lanes = same_lanes(*(as_lanes(x) for x in operands))
    inputs = ",".join(term + "z" for term in inputs.split(","))
    return Lanes(anp.einsum(f"{inputs}->{out}z", *lanes))


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = same_lanes(as_lanes(a), as_lanes(b))
    m, n = np.ndim(plain(a)) - 1, np.ndim(plain(b)) - 1
    if np.ndim(axes) == 0:
        axes = range(m - axes, m), range(axes)
    left, right = (np.atleast_1d(x).tolist() for x in axes)
    first, second = list(range(m)), list(range(m, m + n))
    for i, j in zip(left, right, strict=True):
        second[j] = first[i]
    out = [i for i in (*first, *second) if (i in first) != (i in second)]
    z = m + n
    return Lanes(anp.einsum(a, [*first, z], b, [*second, z], [*out, z]))


def _outer(a: Any, b: Any) -> Any:
    a, b = (reshape(as_lanes(x), (-1,)).data for x in (a, b))
    return Lanes(a[:, None] * b[None])


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = as_lanes(x)
    if ord not in (None, 2) or (ord == 2 and axis is None and x.ndim > 1):
        raise TypeError("lanes have no rule for this norm")
    return elementwise(anp.sqrt, RULES["sum"](x * x, axis=axis, keepdims=keepdims))


def _diag(x: Any, k: int = 0) -> Any:
    x = as_lanes(x)
    if x.ndim == 2:
        rows = np.arange(max(0, -k), min(x.shape[0], x.shape[1] - k))
        return x[rows, rows + k]
    n = len(x) + abs(k)
    place = np.zeros((n, n, len(x)))
    place[np.arange(len(x)) + max(0, -k), np.arange(len(x)) + max(0, k), np.arange(len(x))] = 1.0
    return Lanes(anp.tensordot(place, x.data, 1))


def _of_matrices(name: str) -> Callable[..., Any]:
    """Return a function of linear algebra, of the matrices of all lanes."""
    function = getattr(anp.linalg, name)

    def rule(*arrays: Any) -> Any:
        lanes = [anp.moveaxis(x, -1, 0) for x in same_lanes(*map(as_lanes, arrays))]
        vector = len(lanes) == 2 and np.ndim(plain(lanes[1])) == 2
        if vector:
            lanes[1] = lanes[1][..., None]
        found = function(*lanes)
        return Lanes(anp.moveaxis(found[..., 0] if vector else found, 0, -1))

    return rule


def _transform(name: str) -> Callable[..., Any]:
    """Return a Fourier transform along one axis."""
    function = getattr(anp.fft, name)

    def rule(x: Any, n: int | None = None, axis: int = -1) -> Any:
        x = as_lanes(x)
        return Lanes(function(x.data, n, axis=along(axis, x.ndim)))

    return rule


RULES.update({
    "matmul": _matmul,
    "dot": _matmul,
    "inner": lambda a, b: _matmul(a, transpose(b) if np.ndim(b) == 2 else b),
    "vdot": NUMPY.vdot,
    "einsum": _einsum,
    "tensordot": _tensordot,
    "outer": _outer,
    "trace": lambda x: RULES["sum"](_diag(x)),
    "diag": _diag,
    "norm": _norm,
    **{name: _transform(name) for name in ("fft", "ifft", "rfft", "irfft")},
    **{name: _of_matrices(name) for name in ("solve", "inv", "det")},
})  # fmt: skip
