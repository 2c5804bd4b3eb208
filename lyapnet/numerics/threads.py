"""Work shared among the threads that the caller allows."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from contextvars import copy_context
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


def in_pieces(
    part: Callable[[int, int], _Result], size: int, each: int, n_threads: int
) -> list[_Result]:
    """Return what a function of ranges yields for pieces of a size, which free threads take.

    The calling thread begins at once, and goes on until all pieces are taken: it does not wait for
    others to wake up, nor for those that others have other work to do. Where the pieces are does
    not depend on how many threads there are, nor does what they yield.

    Parameters
    ----------
    part : callable (first, last)
        Called with the caller's context, NumPy's error handling included.
    size, each : int
        What is shared, ``range(size)``, and what goes into a piece.
    n_threads : int
        As many as the work is worth; no more than are allowed are used, and by a helper none.
    """
    starts = range(0, size, each)
    n_threads = _threads(min(len(starts), n_threads))
    if n_threads < 2:
        return [part(first, min(size, first + each)) for first in starts]
    found: dict[int, _Result] = {}
    left = deque(starts)

    def work() -> None:
        while left:
            try:
                first = left.popleft()
            except IndexError:  # another thread was faster
                return
            found[first] = part(first, min(size, first + each))

    given = _given(work, n_threads - 1)
    try:
        work()
    finally:
        # What has not begun has nothing to do; else nobody is left who writes where others read.
        begun = [other for other in given if not other.cancel()]
        wait(begun)
    for other in begun:
        other.result()
    return [found[first] for first in starts]


def shared(part: Callable[[int, int], object], size: int, n_threads: int) -> None:
    """Call a function of ranges that fill ``range(size)``, a few for each thread.

    For work whose results do not depend on where ranges begin and end; see `in_pieces`.
    """
    n_threads = _threads(min(size, n_threads))
    each = size if n_threads < 2 else -(-size // (4 * n_threads))
    in_pieces(part, size, max(1, each), n_threads)


def _threads(wanted: int) -> int:
    """Return how many threads may work, where so many would be worth it."""
    if wanted < 2 or hasattr(_this, "helps"):
        return 1
    return min(wanted, allowed_threads())


def _given(work: Callable[[], None], count: int) -> list[Future[None]]:
    """Let so many helpers work, or as many as take it: none does while the interpreter ends."""
    given: list[Future[None]] = []
    with suppress(RuntimeError):
        for _ in range(count):
            given.append(_pool().submit(copy_context().run, work))
    return given


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
