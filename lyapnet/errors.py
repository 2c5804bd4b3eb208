"""What can go wrong in a computation, each with what was computed until then."""

from __future__ import annotations

from typing import Any


class LyapnetError(Exception):
    """A numerical failure, with the place where it happened and the work done before it.

    Bad arguments raise `ValueError` or `TypeError` instead, before any work.

    Parameters
    ----------
    message : str
        What happened, and the remedy.
    step : int, optional
        The step of the trajectory, counted from the start of the run, warm-up included.
    exponent : int, optional
        The index of the exponent concerned, from 0; messages count from 1.
    partial : object, optional
        What was computed until then.
    """

    def __init__(
        self,
        message: str,
        *,
        step: int | None = None,
        exponent: int | None = None,
        partial: Any = None,
    ) -> None:
        super().__init__(message)
        self.step = step
        self.exponent = exponent
        self.partial = partial


class DivergedError(LyapnetError):
    """The state, or a loss, is no longer finite."""


class DegenerateBasisError(LyapnetError):
    """The tangent basis lost rank between two reorthonormalisations."""


class PrecisionError(LyapnetError):
    """The working precision cannot resolve the answer."""


class FileError(ValueError):
    """A file is damaged, or not what it should be; the message names it, and the remedy."""
