"""Flossing in progress: all that goes from epoch to epoch, and can be saved and restored."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..numerics.arrays import Array
from ..systems import System
from ..systems.parameters import named_params, with_named_params
from ..tangent.step_derivative import MISMATCH, is_of_the_step
from .epoch import Flosser
from .progress import Progress
from .result import FlossResult
from .source import Source
from .verdict import is_met, verdict_of


class FlossRun:
    """A flossing run between two epochs.

    Parameters
    ----------
    system : System
    source : Source
    flosser : Flosser
    n_epochs : int
    tol : float or None
    rng : Generator
    """

    name = "flossing"

    def __init__(
        self,
        system: System,
        source: Source,
        flosser: Flosser,
        n_epochs: int,
        tol: float | None,
        rng: np.random.Generator,
    ) -> None:
        self.system, self.source, self.flosser = system, source, flosser
        self.n_epochs, self.tol, self.rng = n_epochs, tol, rng
        networks = getattr(system, "networks", ())
        self._exponents = np.empty((n_epochs, *networks, flosser.window.k))
        self._loss = np.empty((n_epochs, *networks))
        self.epoch = 0
        self.stopped = False
        #: First state and inputs of the last window.
        self.seen: tuple[Array, Array | None] | None = None

    @property
    def exponents(self) -> Array:
        """Those of the epochs that are done."""
        return self._exponents[: self.epoch]

    @property
    def loss(self) -> Array:
        """That of the epochs that are done."""
        return self._loss[: self.epoch]

    @property
    def done(self) -> bool:
        """Whether all epochs are done, or the target is met."""
        if self.epoch >= self.n_epochs:
            return True
        return self.tol is not None and is_met(self.exponents, self.flosser.window, self.tol)

    def advance(self) -> None:
        """Do the next epoch."""
        x, u = self.source.draw(self.system, self.rng)
        if not self.epoch and not is_of_the_step(self.system, x, u):
            warnings.warn(f"what is flossed is unreliable: {MISMATCH}", stacklevel=2)
        self.system, lam, loss = self.flosser.epoch(self.system, x, u, self.rng)
        self._exponents[self.epoch], self._loss[self.epoch] = lam, loss
        self.seen = x, u
        self.epoch += 1

    def progress(self) -> Progress:
        """Return what is known so far."""
        return Progress(self.epoch, self.system, self.loss, self.exponents[-1])

    def shown(self) -> dict[str, str]:
        """Return what the progress bar shows."""
        return {"loss": f"{self.loss[-1].mean():.3g}"}

    @property
    def state(self) -> dict[str, Any]:
        """All that the rest of the run depends on, and all that it has found."""
        return {
            "epoch": self.epoch,
            "params": named_params(self.system.params, self.system.params)[0],
            "flosser": self.flosser.state,
            "rng": self.rng.bit_generator.state,
            "lam": self.exponents,
            "loss": self.loss,
            **({"stopped": True} if self.stopped else {}),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.epoch, self.stopped = state["epoch"], state.get("stopped", False)
        self._exponents[: self.epoch], self._loss[: self.epoch] = state["lam"], state["loss"]
        self.system = with_named_params(self.system, state["params"])
        self.flosser.restore(state["flosser"])
        self.rng.bit_generator.state = state["rng"]

    def result(self) -> FlossResult[Any]:
        """Return what has been found so far, with a verdict."""
        window = self.flosser.window
        met, verdict = verdict_of(self.exponents, self.loss, window, self.tol)
        return FlossResult(
            self.system, self.exponents.copy(), self.loss.copy(), self.flosser.optimizer, met,
            verdict, window.goal,
        )  # fmt: skip
