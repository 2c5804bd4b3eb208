"""What functions take for a system, for type checkers."""

from __future__ import annotations

from typing import Any, Protocol


class Stepped(Protocol):
    """What an object of one's own needs, for type checkers, beside a derivative of its step."""

    @property
    def dim(self) -> int:
        """Dimension of the state."""
        ...

    @property
    def n_inputs(self) -> int:
        """Dimension of the input."""
        ...

    @property
    def dt(self) -> float:
        """Time that a step takes."""
        ...

    def step(self, x: Any, u: Any = None, /) -> Any:
        """Return the next state."""


class WithJacobian(Stepped, Protocol):
    """One whose derivative is a matrix."""

    def jacobian(self, x: Any, u: Any = None, /) -> Any:
        """Return the Jacobian of the step."""


class WithPushforward(Stepped, Protocol):
    """One whose derivative takes tangent vectors along."""

    def pushforward(self, x: Any, Q: Any, u: Any = None, /) -> Any:
        """Return the Jacobian times a tangent basis."""


#: What functions take for a `System`: one of the two derivatives will do.
SystemLike = WithJacobian | WithPushforward
