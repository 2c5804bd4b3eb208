"""Tasks: where what comes in and what is asked for come from."""

from .data import Characters, Sequences, SequentialDigits
from .memory import AddingProblem, CopyMemory, FlipFlop, Hold
from .streaming import DelayedCopy, SpatialXOR, TemporalXOR
from .task import Task

__all__ = [
    "AddingProblem",
    "Characters",
    "CopyMemory",
    "DelayedCopy",
    "FlipFlop",
    "Hold",
    "Sequences",
    "SequentialDigits",
    "SpatialXOR",
    "Task",
    "TemporalXOR",
]


def __dir__() -> list[str]:
    return __all__
