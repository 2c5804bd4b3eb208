"""autograd.numpy, but for functions that it differentiates badly, or not at all.

The derivative of its hyperbolic tangent is one over cosh squared: where tanh saturates, as that of
v / width does, it overflows with a warning, and the second derivative is NaN.
"""

from __future__ import annotations

import types
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive

from .listed import taking_lists
from .more_functions import MORE, SPECIAL


def sech2(h: Any) -> Any:
    """Return the derivative of tanh with all its digits; traceable."""
    if anp.iscomplexobj(h):
        return 1.0 - tanh(h) ** 2
    e = anp.exp(-2.0 * anp.abs(h))
    return 4.0 * e / (1.0 + e) ** 2


def _pulled(ans: Any, x: Any) -> Any:
    slope = sech2(x)  # once, however many cotangents are pulled back
    return lambda g: g * slope


tanh = primitive(np.tanh)
defvjp(tanh, _pulled)
defjvp(tanh, lambda g, ans, x: g * sech2(x))


def _as_array(x: Any, *_: Any, **__: Any) -> Any:
    return anp.array(x)


def _flip(x: Any, axis: Any = None) -> Any:
    axes = range(anp.ndim(x)) if axis is None else np.atleast_1d(axis) % anp.ndim(x)
    return x[tuple(slice(None, None, -1 if i in axes else None) for i in range(anp.ndim(x)))]


def _take(x: Any, indices: Any, axis: int | None = None) -> Any:
    x, axis = (anp.ravel(x), 0) if axis is None else (x, axis % anp.ndim(x))
    return x[(slice(None),) * axis + (np.asarray(indices),)]


def _spread(x: Any, axis: int | None = None) -> Any:
    return anp.max(x, axis=axis) - anp.min(x, axis=axis)


#: Functions of which autograd knows no derivative, made of others.
_MADE_OF_OTHERS = {
    "asarray": _as_array, "asanyarray": _as_array, "ascontiguousarray": _as_array, "flip": _flip,
    "take": _take, "ptp": _spread,
}  # fmt: skip

#: To be called in the place of autograd.numpy, and of NumPy, whose further names it has.
NUMPY = types.SimpleNamespace(
    **{name: x for name, x in vars(np).items() if not name.startswith("_")}
    | taking_lists({**vars(anp), **_MADE_OF_OTHERS, **MORE, **SPECIAL, "tanh": tanh})
)
