"""What a method of integration must do, and their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ... import validate
from ...compiled.scheme import Scheme
from ...numerics.arrays import Array
from .embedded import DormandPrince853
from .explicit import ExplicitRungeKutta
from .leapfrog import Leapfrog
from .radau import Radau
from .tableaus import TABLEAUS

Field = Callable[[Any, float], Any]  # (x, c) -> slope, or its Jacobian


class Method(Protocol):
    """One numerical step."""

    order: int

    def step(self, f: Field, j: Field, x: Any, h: Any) -> Any:
        """Return the next state ``(..., n)``."""

    def jacobian(self, f: Field, j: Field, x: Any, h: Any) -> Any:
        """Return the derivative of the next state in this one, ``(..., n, n)``."""


class Controlled(Method, Protocol):
    """A method that estimates its error, so that steps can be divided as need be.

    The estimate is of order `error_order` in the step.
    """

    error_order: int

    def scheme(self) -> Scheme:
        """Return the method as compiled loops are given it."""

    def attempt(
        self, f: Field, j: Field, x: Array, h: Array, rtol: float, atol: float
    ) -> tuple[Array, Array]:
        """Return the next state ``(..., n)``, and its error in units of the tolerance ``(...)``."""


#: Methods that divide the step.
CONTROLLED = ("adaptive", "implicit")

#: All methods.
METHODS = (*TABLEAUS, "leapfrog", *CONTROLLED)


def method_of(name: str) -> Method:
    """Return the method of a name."""
    if name == "leapfrog":
        return Leapfrog()
    if name == "adaptive":
        return DormandPrince853()
    if name == "implicit":
        return Radau()
    return ExplicitRungeKutta(TABLEAUS[name]())


def tolerances(method: str, rtol: Any, atol: Any) -> tuple[float | None, float | None]:
    """Return the tolerances of a method that has them."""
    if method not in CONTROLLED:
        if rtol is not None or atol is not None:
            raise ValueError(
                f"`rtol` and `atol` are for {' and '.join(map(repr, CONTROLLED))}; method "
                f"{method!r} has a fixed step: take a smaller dt"
            )
        return None, None
    usual = (1e-6, 1e-9) if method == "implicit" else (1e-8, 1e-10)
    return (
        usual[0] if rtol is None else validate.real("rtol", rtol, low=1e-14),
        usual[1] if atol is None else validate.real("atol", atol, positive=True),
    )
