"""Work shared among the threads that the caller allows."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .arrays import blas_limit

_Result = TypeVar("_Result")


def allowed_threads() -> int:
    """Return the threads that the caller's affinity and BLAS limits allow."""
    count = getattr(os, "process_cpu_count", None)
    if count is None and hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = (count or os.cpu_count)() or 1
    return min(cores, blas_limit())


def shared(part: Callable[[int, int], _Result], size: int, n_threads: int) -> list[_Result]:
    """Return what a function of ranges yields for as many of them as threads, side by side.

    Parameters
    ----------
    part : callable (first, last)
    size : int
        What is shared: the ranges fill ``range(size)``.
    n_threads : int
        As many as the work is worth; no more than are allowed are used.
    """
    n_threads = min(size, n_threads)
    if n_threads > 1:
        n_threads = min(n_threads, allowed_threads())
    if n_threads < 2:
        return [part(0, size)]
    edges = [size * i // n_threads for i in range(n_threads + 1)]
    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(part, edges[:-1], edges[1:]))
