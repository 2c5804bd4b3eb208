"""Arrays, sums over their broadcast axes, and BLAS threads."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

Array = npt.NDArray[Any]
ArrayLike = npt.ArrayLike

#: What `rng` may be: a seed, a generator, or None for fresh entropy.
Seed = int | np.random.Generator | np.random.BitGenerator | np.random.SeedSequence | None
#: What a `path` may be.
PathLike = str | os.PathLike[str]

Params = dict[str, Array]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def unit_of(states: Array) -> float:
    """Return what is no small change of some states: 1, or their size if that is less.

    Whoever writes currents in amperes has states of 1e-9.
    """
    size = float(np.max(np.abs(states), initial=0.0, where=np.isfinite(states)))
    return min(1.0, size) if size > 0 else 1.0


def patient(function: _Function) -> _Function:
    """Let a function run where the caller has told NumPy to raise floating-point errors.

    Underflow, or the logarithm of zero, is part of the work; what does go wrong is raised by name.
    """

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        if "raise" not in np.geterr().values():
            return function(*args, **kwargs)
        with np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"):
            return function(*args, **kwargs)

    return run  # type: ignore[return-value]  # of the same signature


def own(y: Any) -> Any:
    """Return an array that comes from a user's function, or goes to one, as nobody else's.

    Such a function may write into what it is given, and return the same array in every call.
    """
    return y.copy() if isinstance(y, np.ndarray) else y


#: Of numbers, up to which their squares are added by one thread.
_FEW = 10_000


def all_finite(x: Array) -> bool:
    """Say whether all numbers of an array of floats are finite.

    The sum of a few squares says it in half of the time, unless it overflows.
    """
    if x.size <= _FEW:
        flat = x.reshape(-1)
        if math.isfinite(np.vdot(flat, flat)):  # without a warning, unlike `numpy.dot`
            return True
    return bool(np.isfinite(x).all())


#: Below this many multiplications in a product a second BLAS thread costs more than it gives.
_THREADING_PAYS = 2e7


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return what `numpy.broadcast_shapes` does, at once where all shapes are the same or ()."""
    longest = max(shapes, key=len, default=())
    if all(shape == longest or not shape for shape in shapes):
        return longest
    return np.broadcast_shapes(*shapes)


def unbroadcast(x: Array, shape: tuple[int, ...]) -> Array:
    """Sum over the axes that broadcasting to ``x.shape`` has added or stretched."""
    if x.shape[-1:] == shape and x.ndim > 1:
        flat = x.reshape(-1, *shape)
        return np.dot(np.ones(len(flat)), flat)
    x = x.sum(axis=tuple(range(x.ndim - len(shape))))
    stretched = tuple(i for i, size in enumerate(shape) if size == 1 and x.shape[i] != 1)
    return x.sum(axis=stretched, keepdims=True) if stretched else x


@cache
def _blas_libraries() -> list[Any]:
    libraries = ThreadpoolController().lib_controllers
    return [library for library in libraries if library.user_api == "blas"]


#: Threads that BLAS had before `blas_threads` took them away.
_outside: ContextVar[int | None] = ContextVar("outside", default=None)


def blas_limit() -> int:
    """Return the number of threads that the caller allows BLAS."""
    outside = _outside.get()
    counts = [library.get_num_threads() for library in _blas_libraries()]
    return outside or max(counts, default=1)


def worth_sharing(multiplications: float) -> bool:
    """Say whether a second BLAS thread in a product gives more than it costs."""
    return multiplications >= _THREADING_PAYS


@contextmanager
def blas_threads(multiplications: float) -> Iterator[None]:
    """Use one BLAS thread for products too small to share, and put the number back."""
    counts = [(library, library.get_num_threads()) for library in _blas_libraries()]
    many = [(library, count) for library, count in counts if count != 1]
    if worth_sharing(multiplications) or not many:
        yield
        return
    token = _outside.set(blas_limit())
    try:
        for library, _ in many:
            library.set_num_threads(1)
        yield
    finally:
        _outside.reset(token)
        for library, count in many:
            library.set_num_threads(count)
