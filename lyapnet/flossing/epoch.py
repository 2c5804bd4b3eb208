"""The flossing loss: the exponents of a window held against their targets, and its descent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import validate
from ..numerics.arrays import Array
from ..optimize import Adam, adam_state, clipped, restored
from ..systems import System
from ..systems.parameters import named_params, with_named_params
from ..tangent.gradient import exponents, gradient
from ..tangent.interval import Interval
from ..tangent.plan import Plan, window_plan
from ..tangent.qr import orthonormalise
from .loss import per_exponent


@dataclass(frozen=True)
class Window:
    """What flossing looks at, epoch by epoch.

    Attributes
    ----------
    k : int
        Number of exponents.
    plan : Plan
        Transients and averaged steps.
    goal, each : array (k,)
        Target of each exponent, and the factor of its squared distance.
    only : tuple of str or None
        Names of the parameters that are changed, None for all.
    """

    k: int
    plan: Plan
    goal: Array
    each: Array
    only: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls,
        system: System,
        *,
        k: Any,
        n_steps: Any,
        target: Any = 0.0,
        weights: Any = None,
        reduction: str = "sum",
        transient: Any = 0,
        basis_transient: Any = 0,
        only: Any = None,
    ) -> Window:
        """Check the settings of a window."""
        k = validate.integer("k", k, low=1, high=system.dim)
        plan = window_plan(None, n_steps, transient, basis_transient)
        return cls(k, plan, *per_exponent(target, weights, reduction, k), _chosen(only, system))


def _chosen(only: Any, system: System) -> tuple[str, ...] | None:
    """Return the names of the parameters to change."""
    if only is None:
        return None
    known = list(named_params(system.params, system.params)[0])
    if isinstance(only, str) or not isinstance(only, Iterable):
        raise TypeError(f"`only` must be a sequence of names among {known}, got {only!r}")
    chosen = tuple(only)
    if not chosen or not set(chosen) <= set(known):
        raise ValueError(f"`only` must be a sequence of names among {known}, got {chosen}")
    return chosen


class Flosser:
    """Flossing in progress: a window, and the optimiser and QR interval that go with it."""

    def __init__(
        self, window: Window, optimizer: Adam, interval: Interval, clip_norm: Any = None
    ) -> None:
        self.window = window
        self.clip_norm = clip_norm
        self.optimizer = optimizer
        self.interval = interval

    def epoch(
        self, system: System, x: Array, inputs: Array | None, rng: np.random.Generator
    ) -> tuple[System, Array, Array]:
        """Take one step down the flossing loss, from a random orthonormal basis.

        Parameters
        ----------
        system : System
        x : array (..., n)
            First states, with all axes of the ensemble: members, then networks.
        inputs : array (T, ..., m) or None
        rng : Generator

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
        params_bar = gradient(record, slope)[3]
        loss = np.sum(window.each * (lam - window.goal) ** 2, axis=(*members, -1)) / count
        params, grads = named_params(system.params, params_bar)
        names = params if window.only is None else window.only
        free, bars = ({name: x[name] for name in names} for x in (params, grads))
        params = {**params, **self.optimizer.update(free, clipped(bars, self.clip_norm))}
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
