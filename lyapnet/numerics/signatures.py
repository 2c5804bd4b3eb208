"""Signatures as `help` prints them: types as they are written, without quotes around them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import Any


class _Written(str):
    """A type as it stands in the source."""

    __slots__ = ()
    __repr__ = str.__str__


def show_types(things: Iterable[Any], package: str) -> None:
    """Let the annotations of functions, and of classes' methods, print as they are written.

    Modules begin with ``from __future__ import annotations``, so all annotations are strings,
    which Python before 3.14 prints in quotes.

    Parameters
    ----------
    things : iterable
        Functions and classes; all else is left alone.
    package : str
        Base classes from elsewhere are left alone, too.
    """
    for function in set(_functions(things, package)):
        written = function.__annotations__
        for name, kind in written.items():
            if isinstance(kind, str):
                written[name] = _Written(kind)


def _functions(things: Iterable[Any], package: str) -> Iterator[FunctionType]:
    for thing in things:
        if inspect.isfunction(thing):
            yield from _layers(thing)
        elif inspect.isclass(thing):
            for kind in thing.__mro__:
                if kind.__module__.partition(".")[0] == package:
                    members = (getattr(x, "__func__", x) for x in vars(kind).values())
                    for member in filter(inspect.isfunction, members):
                        yield from _layers(member)


def _layers(function: FunctionType) -> Iterator[FunctionType]:
    """Yield a function and what it wraps, whose annotations are its own from Python 3.14 on."""
    while inspect.isfunction(function):
        yield function
        function = getattr(function, "__wrapped__", None)  # type: ignore[assignment]  # None ends the loop
