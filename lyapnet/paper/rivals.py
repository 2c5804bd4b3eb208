"""What flossing competes with: penalties that end, so that cost and time can be made equal."""

from __future__ import annotations

from typing import Any

from ..training.penalty import PENALTIES


def rival(name: str | None, strength: float, until: int | None) -> Any:
    """Return the penalty that the arguments of `learn` mean, as `train` takes it."""
    if name is None:
        return None
    return (name, strength) if until is None else Until(name, strength, until)


class Until:
    """A penalty in the first epochs of training alone, as flossing is.

    Parameters
    ----------
    name : str
        One of `lyapnet.training.penalty.PENALTIES`.
    strength : float
    epochs : int
        In which it acts. Runs that use it are not to be saved and resumed: it counts by itself.
    """

    def __init__(self, name: str, strength: float, epochs: int) -> None:
        self.penalty: Any = PENALTIES[name](strength)
        self.left = epochs

    def evaluate(self, system: Any, orbit: Any, rng: Any) -> tuple[float, Any, dict[str, Any]]:
        """Return the penalty and its cotangents, none after the last of its epochs."""
        self.left -= 1
        if self.left < 0:
            return 0.0, None, {}
        found: tuple[float, Any, dict[str, Any]] = self.penalty.evaluate(system, orbit, rng)
        return found
