"""Work shared among the threads that the caller allows."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from itertools import chain, pairwise
from typing import Any, TypeVar

from .arrays import blas_limit

_Result = TypeVar("_Result")

#: Threads that wait for work, of one process and the cores that it could use: to start one takes
#: as long as much of the work that is shared.
_helpers: dict[Any, ThreadPoolExecutor] = {}

#: Whether a thread is one of these.
_this = threading.local()


def _cores() -> Any:
    """Return the cores that the caller may use, or how many."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def allowed_threads() -> int:
    """Return the threads that the caller's affinity and BLAS limits allow."""
    cores = _cores()
    count = getattr(os, "process_cpu_count", None)
    if count is not None:
        cores = count() or 1
    return min(cores if isinstance(cores, int) else len(cores), blas_limit())


def shared(part: Callable[[int, int], _Result], size: int, n_threads: int) -> list[_Result]:
    """Return what a function of ranges yields for as many of them as threads, side by side.

    The calling thread does the first range itself.

    Parameters
    ----------
    part : callable (first, last)
        Called with the caller's context, NumPy's error handling included.
    size : int
        What is shared: the ranges fill ``range(size)``.
    n_threads : int
        As many as the work is worth; no more than are allowed are used, and by a helper none.
    """
    n_threads = min(size, n_threads)
    if n_threads > 1:
        n_threads = 1 if hasattr(_this, "helps") else min(n_threads, allowed_threads())
    if n_threads < 2:
        return [part(0, size)]
    ranges = list(pairwise(size * i // n_threads for i in range(n_threads + 1)))
    given = _given(part, ranges[1:])
    try:
        own = [part(a, b) for a, b in (ranges[0], *ranges[1 + len(given) :])]
    finally:
        for other in given:
            other.exception()  # waits: nobody is left who writes where the caller reads
    return [own[0], *(other.result() for other in given), *own[1:]]


def _given(part: Callable[[int, int], _Result], ranges: list[Any]) -> list[Future[_Result]]:
    """Give ranges to helpers, as many as these take: none does while the interpreter ends."""
    pool, given = _pool(), []
    with suppress(RuntimeError):
        for a, b in ranges:
            given.append(pool.submit(copy_context().run, part, a, b))
    return given


def in_pieces(
    part: Callable[[int, int], _Result], size: int, each: int, n_threads: int
) -> list[_Result]:
    """Return what a function of ranges yields for pieces of a size, shared among threads.

    Where the pieces are does not depend on how many threads there are, nor does what they yield.

    Parameters
    ----------
    part : callable (first, last)
    size, each : int
        What is shared, and what goes into a piece.
    n_threads : int
        As for `shared`.
    """

    def pieces(first: int, last: int) -> list[_Result]:
        return [part(i * each, min(size, (i + 1) * each)) for i in range(first, last)]

    return list(chain.from_iterable(shared(pieces, -(-size // each), n_threads)))


def _pool() -> ThreadPoolExecutor:
    """Return the helpers of this process, on the cores that the caller may use."""
    key = os.getpid(), _cores()
    pool = _helpers.get(key)
    if pool is None:
        _helpers.clear()
        pool = _helpers.setdefault(key, ThreadPoolExecutor(os.cpu_count(), "lyapnet", _begin))
    return pool


def _begin() -> None:
    _this.helps = True


def _dismiss() -> None:
    """Let helpers end that wait: a process that is forked should have none."""
    while _helpers:
        _helpers.popitem()[1].shutdown()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_dismiss)
