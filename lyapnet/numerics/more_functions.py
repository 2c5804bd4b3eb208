"""Functions of NumPy and SciPy of which autograd knows no derivative, made of what it knows.

Lanes and symbols go through them as well as what autograd traces.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from scipy import special


def _smooth(function: Any, slope: Callable[[Any, Any], Any]) -> Any:
    """Return a function of single numbers with a derivative, of its value and its argument."""
    made = primitive(function)
    defvjp(made, lambda z, x: lambda g: g * slope(z, x))
    defjvp(made, lambda g, z, x: g * slope(z, x))
    return made


def _flat(function: Any, *arguments: int) -> Any:
    """Return a function whose derivative is zero wherever it has one."""
    made = primitive(function)
    defvjp(made, *(None for _ in arguments), argnums=arguments)
    defjvp(made, *(None for _ in arguments), argnums=arguments)
    return made


cbrt = _smooth(np.cbrt, lambda z, x: z / (3.0 * x))
erf = _smooth(special.erf, lambda z, x: 2.0 / math.sqrt(math.pi) * anp.exp(-x * x))
erfc = _smooth(special.erfc, lambda z, x: -2.0 / math.sqrt(math.pi) * anp.exp(-x * x))
expit: Any = _smooth(special.expit, lambda z, x: z * expit(-x))
heaviside = _flat(np.heaviside, 0, 1)


def ndtr(x: Any) -> Any:
    """Return the distribution function of a normal variable."""
    return 0.5 * erfc(-x / math.sqrt(2.0))


def logit(x: Any) -> Any:
    """Return the inverse of `expit`."""
    return anp.log(x) - anp.log1p(-x)


def rounded(x: Any, decimals: int = 0) -> Any:
    """Round to a number of decimals."""
    return anp.rint(x) if decimals == 0 else anp.rint(x * 10.0**decimals) / 10.0**decimals


def fmod(x: Any, y: Any) -> Any:
    """Return the remainder that has the sign of x."""
    return x - y * anp.trunc(x / y)


def divmod_(x: Any, y: Any) -> tuple[Any, Any]:
    """Return quotient and remainder."""
    return anp.floor(x / y), anp.remainder(x, y)


def copysign(x: Any, y: Any) -> Any:
    """Return x with the sign of y."""
    return anp.abs(x) * anp.where(y < 0, -1.0, 1.0)


def float_power(x: Any, y: Any) -> Any:
    """Return the power of floats."""
    return anp.power(1.0 * x, y)


def polyval(p: Any, x: Any) -> Any:
    """Evaluate a polynomial, its highest coefficient first."""
    found = 0.0 * x
    for c in p:
        found = found * x + c
    return found


def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """Integrate by the trapezoidal rule."""
    y = anp.moveaxis(y, axis, -1) if anp.ndim(y) > 1 else y
    width = dx if x is None else anp.diff(x)
    return anp.sum(0.5 * width * (y[..., 1:] + y[..., :-1]), axis=-1)


def gradient(f: Any, *widths: Any, **options: Any) -> Any:
    """Take differences over two neighbours, of one axis with one width."""
    if anp.ndim(f) != 1 or options or any(anp.ndim(h) for h in widths):
        return anp.gradient(f, *widths, **options)
    inner = 0.5 * (f[2:] - f[:-2])
    ends = f[1:2] - f[:1], f[-1:] - f[-2:-1]
    return anp.concatenate([ends[0], inner, ends[1]]) / (widths[0] if widths else 1.0)


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Convolve two sequences."""
    a, v = (v, a) if len(v) > len(a) else (a, v)
    n, m = len(a), len(v)
    zeros = np.zeros(m - 1)
    padded = anp.concatenate([zeros, a, zeros]) if m > 1 else a
    full = sum(v[j] * padded[m - 1 - j : n + 2 * (m - 1) - j] for j in range(m))
    if mode == "full":
        return full
    first = (m - 1) // 2 if mode == "same" else m - 1
    return full[first : first + (n if mode == "same" else n - m + 1)]


def select(conditions: Sequence[Any], choices: Sequence[Any], default: Any = 0.0) -> Any:
    """Choose by the first condition that holds."""
    found = default
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        found = anp.where(condition, choice, found)
    return found


def piecewise(x: Any, conditions: Any, functions: Any, *args: Any, **options: Any) -> Any:
    """Evaluate the function of the last condition that holds."""
    conditions = list(conditions) if isinstance(conditions, list | tuple) else [conditions]
    parts = [f(x, *args, **options) if callable(f) else f for f in functions]
    found = parts.pop() if len(parts) > len(conditions) else 0.0
    for condition, part in zip(conditions, parts, strict=True):
        found = anp.where(condition, part, found)
    return found


def _moving(name: str) -> Callable[..., Any]:
    """Return a function that moves or repeats numbers: what it does to their places."""
    function = getattr(np, name)

    def moved(x: Any, *args: Any, **options: Any) -> Any:
        shape = anp.shape(x)
        places = function(np.arange(math.prod(shape)).reshape(shape), *args, **options)
        return anp.reshape(anp.ravel(x)[places.ravel()], places.shape)

    return moved


def pad(x: Any, width: Any, mode: str = "constant", **options: Any) -> Any:
    """Lengthen an array at its ends."""
    if mode != "constant":
        return _moving("pad")(x, width, mode, **options)
    shape = anp.shape(x)
    places = np.pad(np.arange(math.prod(shape)).reshape(shape), width, constant_values=-1)
    inside = np.where(places < 0, 0.0, 1.0)
    around = np.pad(np.zeros(shape), width, **options)
    return anp.reshape(anp.ravel(x)[places.ravel()], places.shape) * inside + around


def meshgrid(*axes: Any, **options: Any) -> list[Any]:
    """Return the coordinates of a grid, one array for each axis."""
    places = np.meshgrid(*(np.arange(len(x)) for x in axes), **options)
    return [x[at] for x, at in zip(axes, places, strict=True)]


def tril(x: Any, k: int = 0) -> Any:
    """Return what lies on and below a diagonal."""
    return x * np.tril(np.ones(anp.shape(x)[-2:]), k)


def triu(x: Any, k: int = 0) -> Any:
    """Return what lies on and above a diagonal."""
    return x * np.triu(np.ones(anp.shape(x)[-2:]), k)


def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """Return a mean, a weighted one for one axis."""
    if weights is None:
        return anp.mean(x, axis=axis)
    if anp.ndim(x) != 1:
        raise TypeError("`np.average` with weights is differentiated for one axis alone")
    return anp.sum(x * anp.array(weights)) / anp.sum(anp.array(weights))


def vdot(x: Any, y: Any) -> Any:
    """Return the inner product of all numbers of two arrays."""
    return anp.dot(anp.ravel(x), anp.ravel(y))


def cross(a: Any, b: Any, **options: Any) -> Any:
    """Return the product of two vectors in space."""
    if options or anp.shape(a) != (3,) or anp.shape(b) != (3,):
        return anp.cross(a, b, **options)
    a, b = anp.array(a), anp.array(b)
    return anp.stack([a[i - 2] * b[i - 1] - a[i - 1] * b[i - 2] for i in range(3)])


class _Rows:
    """What joins arrays and numbers in brackets, as `numpy.r_` does."""

    def __getitem__(self, parts: Any) -> Any:
        parts = parts if isinstance(parts, tuple) else (parts,)
        if any(isinstance(x, str | slice) for x in parts):
            return anp.r_[parts]
        return anp.concatenate([anp.atleast_1d(x) for x in parts])


def append(x: Any, values: Any) -> Any:
    """Join two arrays, flat."""
    return anp.concatenate([anp.ravel(x), anp.ravel(values)])


def block(arrays: Any) -> Any:
    """Join arrays: a list of them, or a list of rows."""
    if arrays and isinstance(arrays[0], list):
        return anp.vstack([block(row) for row in arrays])
    return anp.hstack(arrays) if isinstance(arrays, list) else anp.array(arrays)


def vectorize(function: Callable[..., Any], *options: Any, **more: Any) -> Callable[..., Any]:
    """Return a function of arrays that applies one of numbers to theirs, one by one."""

    def apply(*args: Any) -> Any:
        shapes = [anp.shape(x) for x in args]
        shape = np.broadcast_shapes(*shapes)
        if {shape, ()} != {*shapes, ()}:
            raise TypeError("`np.vectorize` of arrays of different shapes has no derivative")
        flat = [anp.reshape(x, -1) if own else x for x, own in zip(args, shapes, strict=True)]
        rows = (
            [x[i] if own else x for x, own in zip(flat, shapes, strict=True)]
            for i in range(math.prod(shape))
        )
        return anp.reshape(anp.array([function(*row) for row in rows]), shape)

    return np.vectorize(function, *options, **more) if options or more else apply


def _slope(x: Any, xp: Any, fp: Any, *_: Any, period: float | None = None, **__: Any) -> Any:
    """Return the slopes of a table at x."""
    if period is not None:
        raise TypeError("`np.interp` with a period has no derivative: repeat the table")
    xp = np.asarray(xp, dtype=float)
    at = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, len(xp) - 2)
    slopes = np.diff(fp) / np.diff(xp)
    return np.where((x < xp[0]) | (x > xp[-1]), 0.0, slopes[at])


_slope_of = _flat(_slope, 0)
interp = primitive(np.interp)
defvjp(interp, lambda y, x, *table, **options: lambda g: g * _slope_of(x, *table, **options))
defjvp(interp, lambda g, y, x, *table, **options: g * _slope_of(x, *table, **options))

MORE = {
    "positive": lambda x: 1.0 * x, "cbrt": cbrt, "heaviside": heaviside, "fmod": fmod,
    "divmod": divmod_, "copysign": copysign,
    "float_power": float_power, "polyval": polyval, "trapezoid": trapezoid, "gradient": gradient,
    "convolve": convolve, "select": select, "piecewise": piecewise, "block": block,
    "append": append,
    "r_": _Rows(), "pad": pad, "meshgrid": meshgrid, "tril": tril, "triu": triu, "vdot": vdot,
    "average": average, "cross": cross,
    **{name: _moving(name) for name in (
        "delete", "diagonal", "fliplr", "flipud", "repeat", "rollaxis", "rot90", "tile")},
 "vectorize": vectorize, "interp": interp, "round": rounded, "around": rounded,
}  # fmt: skip

#: Functions of scipy.special.
SPECIAL = {"erf": erf, "erfc": erfc, "expit": expit, "logit": logit, "ndtr": ndtr}
