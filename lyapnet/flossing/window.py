"""What flossing looks at in each epoch, and how it descends: what `floss` and schedules share."""

from __future__ import annotations

from typing import Any

from .. import validate
from ..optimize import as_adam, checked_clip
from ..systems import System
from ..systems.parameters import named_params
from ..tangent.interval import Interval
from ..tangent.plan import window_plan
from .loss import per_exponent


class Window:
    """The checked arguments of `floss` that its schedules take, too; see there.

    Attributes
    ----------
    k : int
        Number of exponents.
    plan : Plan
        Transients and averaged steps.
    goal, each : array (k,)
        Target of each exponent, and the factor of its squared distance.
    settings : dict
        The arguments by name, as far as they are told from others: see `Checkpoint`.
    """

    def __init__(
        self,
        *,
        k: Any,
        n_steps: Any,
        transient: Any = 0,
        basis_transient: Any = 0,
        target: Any = 0.0,
        optimizer: Any = None,
        weights: Any = None,
        reduction: str = "sum",
        qr_interval: Any = "auto",
        clip_norm: Any = None,
        only: Any = None,
    ) -> None:
        self.k = validate.integer("k", k, low=1)
        n_steps = validate.integer("n_steps", n_steps, low=1)
        self.plan = window_plan(None, n_steps, transient, basis_transient, qr_interval)
        self.goal, self.each = per_exponent(target, weights, reduction, self.k)
        as_adam(optimizer)
        self.settings: dict[str, Any] = dict(
            k=k, n_steps=n_steps, transient=self.plan.transient,
            basis_transient=self.plan.basis_transient, target=target, optimizer=optimizer,
            weights=weights, reduction=reduction, qr_interval=qr_interval,
            clip_norm=checked_clip(clip_norm),
        )  # fmt: skip
        if only is not None:
            self.settings["only"] = validate.names("only", only)

    @property
    def interval(self) -> Interval:
        """The QR interval to begin with."""
        return Interval.of(self.settings["qr_interval"])

    def chosen(self, system: System) -> tuple[str, ...]:
        """Return the names of the parameters to change, of a system that this window fits."""
        validate.integer("k", self.k, high=system.dim)
        known = list(named_params(system.params, system.params)[0])
        names = tuple(self.settings.get("only", known))
        if not names or not set(names) <= set(known):
            raise ValueError(f"`only` must be a sequence of names among {known}, got {names}")
        return names
