"""What a method of integration must do, and their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from .explicit import ExplicitRungeKutta
from .leapfrog import Leapfrog
from .tableaus import TABLEAUS

Field = Callable[[Any, float], Any]  # (x, c) -> slope, or its Jacobian


class Method(Protocol):
    """One numerical step."""

    order: int

    def step(self, f: Field, x: Any, h: Any) -> Any:
        """Return the next state ``(..., n)``."""

    def jacobian(self, f: Field, j: Field, x: Any, h: Any) -> Any:
        """Return the derivative of the next state in this one, ``(..., n, n)``."""


#: Methods of a fixed step.
METHODS = (*TABLEAUS, "leapfrog")


def method_of(name: str) -> Method:
    """Return the method of a name."""
    if name == "leapfrog":
        return Leapfrog()
    return ExplicitRungeKutta(TABLEAUS[name]())
