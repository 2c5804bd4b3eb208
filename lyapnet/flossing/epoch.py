"""One epoch of flossing: a step down the flossing loss of a window."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..numerics.arrays import Array
from ..optimize import adam_state, as_adam, clipped, restored
from ..systems import System
from ..systems.parameters import named_params, with_named_params
from ..tangent.gradient import exponents, gradient
from ..tangent.qr import orthonormalise
from .window import Window


class Flosser:
    """What flosses a system by a window, with an optimiser and a QR interval that go on."""

    def __init__(self, window: Window, system: System) -> None:
        self.window = window
        self.names = window.chosen(system)
        self.clip_norm = window.settings["clip_norm"]
        self.optimizer = as_adam(window.settings["optimizer"])
        self.interval = window.interval

    def epoch(
        self,
        system: System,
        x: Array,
        inputs: Array | None,
        rng: np.random.Generator,
        pace: float = 1.0,
    ) -> tuple[System, Array, Array]:
        """Take one step down the flossing loss, from a random orthonormal basis.

        Parameters
        ----------
        system : System
        x : array (..., n)
            First states, with all axes of the ensemble: members, then networks.
        inputs : array (T, ..., m) or None
        rng : Generator
        pace : float, optional
            What multiplies the learning rate.

        Returns
        -------
        system : System
            With new parameters.
        lam : array (networks..., k)
            Exponents before the step, in QR order, mean over the members.
        loss : array (networks...)
            The loss before the step.
        """
        window = self.window
        plan = self.interval.within(window.plan)
        rows = rng.standard_normal((*x.shape[:-1], window.k, system.dim))
        orthonormalise(rows)
        lam, record = exponents(system, x, rows, inputs, plan, keep=True)
        networks = getattr(system, "networks", ())
        members = tuple(range(lam.ndim - 1 - len(networks)))
        count = int(np.prod(lam.shape[: len(members)]))
        with np.errstate(invalid="ignore"):  # an exponent of -inf is refused by the gradient
            slope = 2 * window.each * (lam - window.goal) / count
        params_bar = gradient(record, slope, inputs=False)[3]
        loss = np.sum(window.each * (lam - window.goal) ** 2, axis=(*members, -1)) / count
        params, grads = named_params(system.params, params_bar)
        free, bars = ({name: x[name] for name in self.names} for x in (params, grads))
        rate = self.optimizer.learning_rate
        self.optimizer.learning_rate = pace * rate
        params = {**params, **self.optimizer.update(free, clipped(bars, self.clip_norm))}
        self.optimizer.learning_rate = rate
        self.interval.adapt(record.smallest_sine, plan.n_steps)
        return with_named_params(system, params), lam.mean(axis=members), loss

    @property
    def state(self) -> dict[str, Any]:
        """All that the next epoch depends on, beside the system and the generator."""
        return {"optimizer": adam_state(self.optimizer), "interval": self.interval.steps}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.optimizer = restored(self.optimizer, state["optimizer"])
        self.interval.steps = state["interval"]
