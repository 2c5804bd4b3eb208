"""Checks at the public door: the argument's name, its value and the remedy, before any work."""

from __future__ import annotations

import operator
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from .numerics.arrays import Array


def integer(name: str, value: Any, *, low: int | None = None, high: int | None = None) -> int:
    """Return an integer within bounds."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"`{name}` must be an integer, got {value!r}") from None
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"`{name}` must be an integer, got {value!r}")
    if low is not None and number < low:
        raise ValueError(f"`{name}` must be at least {low}, got {number}")
    if high is not None and number > high:
        raise ValueError(f"`{name}` must be at most {high}, got {number}")
    return number


def real(name: str, value: Any, *, positive: bool = False, low: float | None = None) -> float:
    """Return a finite real number."""
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"`{name}` must be a real number, got {value!r}") from None
    if not np.isfinite(number):
        raise ValueError(f"`{name}` must be finite, got {number}")
    if positive and number <= 0:
        raise ValueError(f"`{name}` must be positive, got {number}")
    if low is not None and number < low:
        raise ValueError(f"`{name}` must be at least {low}, got {number}")
    return number


def function(name: str, value: Any) -> Any:
    """Return a callable, or None."""
    if value is not None and not callable(value):
        raise TypeError(f"`{name}` must be callable, got {value!r}")
    return value


def place(name: str, value: Any) -> Path:
    """Return a path."""
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"`{name}` must be a path, got {value!r}")
    return Path(value)


def option(name: str, value: Any, allowed: Collection[Any]) -> Any:
    """Return one of the allowed values."""
    if not (isinstance(value, str) and value in allowed):
        raise ValueError(f"`{name}` must be one of {sorted(allowed)}, got {value!r}")
    return value


def array(name: str, value: Any, *, ndim: int | None = None, least: int = 0) -> Array:
    """Return a finite float64 array with the given (or at least so many) axes."""
    if getattr(value, "requires_grad", False):  # a tensor of PyTorch, whose conversion fails
        raise TypeError(
            f"`{name}` is a tensor that requires grad, whose gradient would be lost here: give "
            f"{name}.detach().numpy()"
        )
    try:
        if np.iscomplexobj(value):
            raise TypeError("it is complex")
        if np.asarray(value).dtype.kind in "SU":
            raise TypeError("it is text")
        x = np.array(value, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"`{name}` must be an array of real numbers: {error}") from None
    if ndim is not None and x.ndim != ndim:
        raise ValueError(f"`{name}` must have {counted(ndim, 'axis', 'axes')}, got shape {x.shape}")
    if x.ndim < least:
        axes = counted(least, "axis", "axes")
        raise ValueError(f"`{name}` must have at least {axes}, got shape {x.shape}")
    finite(name, x)
    return x


def counted(number: int, one: str, many: str) -> str:
    """Write a number of things: "1 axis", "2 axes"."""
    return f"{number} {one if number == 1 else many}"


def not_finite(x: Array) -> tuple[int, ...] | None:
    """Return where the first NaN or infinity is, None if there is none."""
    good = np.isfinite(x)
    return None if good.all() else tuple(int(i) for i in np.argwhere(~good)[0])


def finite(name: str, x: Array) -> None:
    """Refuse NaN and infinity, and say where the first one is."""
    where = not_finite(x)
    if where is not None:
        raise ValueError(
            f"`{name}` must be finite, but {name}[{', '.join(map(str, where))}] = {x[where]}"
        )


def trailing(name: str, x: Array, size: int, meaning: str) -> None:
    """Check the length of the last axis."""
    if x.ndim == 0 or x.shape[-1] != size:
        raise ValueError(f"`{name}` must have shape (..., {size}), {meaning}; got {x.shape}")


def generator(rng: Any) -> np.random.Generator:
    """Return the generator that `rng` means (SPEC 7): None, an integer or a Generator."""
    if rng is not None and not isinstance(rng, np.random.Generator):
        try:
            rng = integer("rng", rng, low=0)
        except TypeError:
            raise TypeError(
                f"`rng` must be None, an integer or a numpy.random.Generator, got {rng!r}"
            ) from None
    return np.random.default_rng(rng)
