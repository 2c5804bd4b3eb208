"""Checks at the public door: the argument's name, its value and the remedy, before any work."""

from __future__ import annotations

import operator
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .numerics.arrays import Array, all_finite

#: The largest count: sums of a few of them fit into 64 bits, and a float64 holds each.
MOST = 2**53


def integer(name: str, value: Any, *, low: int | None = None, high: int | None = MOST) -> int:
    """Return an integer within bounds; without an upper one with ``high=None``."""
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
        if isinstance(value, str | bytes | bool | np.bool_):
            raise TypeError
        if isinstance(value, np.ma.MaskedArray | np.datetime64 | np.timedelta64):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"`{name}` must be a real number, got {value!r}") from None
    except OverflowError:
        raise ValueError(f"`{name}` must be within the range of float64, about 1.8e308") from None
    if not np.isfinite(number):
        raise ValueError(f"`{name}` must be finite, got {number}")
    if positive and number <= 0:
        raise ValueError(f"`{name}` must be positive, got {number}")
    if low is not None and number < low:
        raise ValueError(f"`{name}` must be at least {low}, got {number}")
    return number


def flag(name: str, value: Any) -> bool:
    """Return True or False, and nothing that is only taken for one of them."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"`{name}` must be True or False, got {value!r}")
    return bool(value)


def text(name: str, value: Any) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise TypeError(f"`{name}` must be a text, got {value!r}")
    return value


def names(name: str, value: Any) -> tuple[str, ...]:
    """Return a sequence of names."""
    found = None if isinstance(value, str) or not isinstance(value, Iterable) else tuple(value)
    if found is None or not all(isinstance(x, str) for x in found):
        raise TypeError(f"`{name}` must be a sequence of names, got {value!r}")
    return found


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
    x = numbers(name, value)
    if ndim is not None and x.ndim != ndim:
        raise ValueError(f"`{name}` must have {counted(ndim, 'axis', 'axes')}, got shape {x.shape}")
    if x.ndim < least:
        axes = counted(least, "axis", "axes")
        raise ValueError(f"`{name}` must have at least {axes}, got shape {x.shape}")
    finite(name, x)
    return x


def numbers(name: str, value: Any) -> Array:
    """Return an array of real numbers, which may be infinite or NaN."""
    if type(value) is np.ndarray and value.dtype == np.float64:
        return np.array(value)  # what follows takes longer than small arrays do
    if getattr(value, "requires_grad", False):  # a tensor of PyTorch, whose conversion fails
        raise TypeError(
            f"`{name}` is a tensor that requires grad, whose gradient would be lost here: give "
            f"{name}.detach().numpy()"
        )
    if hasattr(value, "toarray"):
        raise TypeError(
            f"`{name}` is a sparse matrix, and arrays here are dense: give {name}.toarray(); a "
            "system of your own with step and pushforward may keep it sparse"
        )
    value = widened(value)
    try:
        why = _no_numbers(value)
        if why is not None:
            raise TypeError(why)
        x = np.array(np.asarray(value), dtype=float)  # twice: tensors know no `copy`
    except (TypeError, ValueError) as error:
        raise TypeError(f"`{name}` must be an array of real numbers: {error}") from None
    except OverflowError:
        raise ValueError(
            f"`{name}` must be within the range of float64, about 1.8e308: it has larger integers"
        ) from None
    return x


def widened(value: Any) -> Any:
    """Return a tensor of PyTorch's bfloat16, which NumPy does not know, as one that it does."""
    if isinstance(value, np.ndarray):
        return value
    known = "bfloat16" not in str(getattr(value, "dtype", "")) or not hasattr(value, "float")
    return value if known else value.float()


def _no_numbers(value: Any) -> str | None:
    """Say why an array's entries are not real numbers, though NumPy would make some of them."""
    if _is_masked(value):
        return "it is masked, and what is masked has no value: fill it, value.filled(...)"
    if np.iscomplexobj(value):
        return "it is complex"
    x = np.asarray(value)
    if x.dtype.kind == "O" and any(isinstance(item, str | bytes) for item in x.ravel()):
        return "it is text"
    kinds = {"S": "text", "U": "text", "T": "text", "M": "dates", "m": "durations", "V": "records"}
    return f"it is {kinds[x.dtype.kind]}" if x.dtype.kind in kinds else None


def _is_masked(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_is_masked, value))
    return np.ma.isMaskedArray(value)


def counted(number: int, one: str, many: str) -> str:
    """Write a number of things: "1 axis", "2 axes"."""
    return f"{number} {one if number == 1 else many}"


def not_finite(x: Array) -> tuple[int, ...] | None:
    """Return where the first NaN or infinity is, None if there is none."""
    if all_finite(x):
        return None
    return tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])


def finite(name: str, x: Array) -> None:
    """Refuse NaN and infinity, and say where the first one is."""
    where = not_finite(x)
    if where is not None:
        at = f"[{', '.join(map(str, where))}]" if where else ""
        raise ValueError(f"`{name}` must be finite, but {name}{at} = {x[where]}")


def nonnegative(name: str, value: Any) -> Array:
    """Return an array of finite numbers, none of them negative."""
    found = array(name, value)
    if (found < 0).any():
        raise ValueError(f"`{name}` must be at least 0, got {float(found.min())}")
    return found


def trailing(name: str, x: Array, size: int, meaning: str) -> None:
    """Check the length of the last axis."""
    if x.ndim == 0 or x.shape[-1] != size:
        raise ValueError(f"`{name}` must have shape (..., {size}), {meaning}; got {x.shape}")


def members(name: str, shape: tuple[int, ...]) -> None:
    """Refuse an ensemble without members."""
    if 0 in shape:
        raise ValueError(
            f"`{name}` is an ensemble of shape {shape}, which has no members: give one"
        )


def fits(name: str, value: int, what: str, size: int) -> None:
    """Refuse a number for which `what`, of so many numbers, would not fit into the memory."""
    there = memory()
    if there is not None and 8 * size > there:
        raise ValueError(
            f"`{name}` = {value} is too large: {what} would take {8 * size / 2**30:.3g} GB, and "
            f"this machine has {there / 2**30:.3g}"
        )


def memory() -> int | None:
    """Return the bytes of this machine's memory, None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def generator(rng: Any) -> np.random.Generator:
    """Return the generator that `rng` means (SPEC 7).

    None, an integer or a Generator; a SeedSequence or a BitGenerator as well.
    """
    ready = np.random.Generator, np.random.BitGenerator, np.random.SeedSequence
    if rng is not None and not isinstance(rng, ready):
        try:
            rng = integer("rng", rng, low=0, high=None)
        except TypeError:
            raise TypeError(
                f"`rng` must be None, an integer or a numpy.random.Generator, got {rng!r}"
            ) from None
    return np.random.default_rng(rng)
