"""Exceptions that a user's function cannot catch for good."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Insistent(TypeError):
    """What is raised again where a function has caught it, by an ``except`` of its own."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        _raised.last = self


class _Raised(threading.local):
    """The last one in a thread."""

    last: Insistent | None = None


_raised = _Raised()


@contextmanager
def not_caught() -> Iterator[None]:
    """Raise again what has been raised in here and caught."""
    _raised.last = None
    yield
    if _raised.last is not None:
        raise _raised.last
