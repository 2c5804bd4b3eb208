"""When to floss during training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from . import validate
from .optimize import Adam, as_adam, checked_clip
from .progress import TrainingProgress
from .window import Interval, per_exponent


class _Schedule:
    """What all schedules of lyapnet share: the window that they floss, and how."""

    def __init__(
        self,
        *,
        k: int,
        n_steps: int,
        target: Any = 0.0,
        transient: int = 0,
        basis_transient: int = 0,
        optimizer: Adam | None = None,
        weights: Any = None,
        reduction: str = "sum",
        qr_interval: Any = "auto",
        clip_norm: Any = None,
    ) -> None:
        Interval.of(qr_interval)
        per_exponent(target, weights, reduction, validate.integer("k", k, low=1))
        as_adam(optimizer)
        self.settings: dict[str, Any] = dict(
            k=k,
            n_steps=validate.integer("n_steps", n_steps, low=1),
            transient=validate.integer("transient", transient, low=0),
            basis_transient=validate.integer("basis_transient", basis_transient, low=0),
            target=target,
            optimizer=optimizer, weights=weights, reduction=reduction, qr_interval=qr_interval,
            clip_norm=checked_clip(clip_norm),
        )  # fmt: skip

    def episode(self, epoch: int, record: TrainingProgress) -> int:
        """Return the number of flossing epochs to do before training epoch `epoch`."""
        raise NotImplementedError


class FlossingSchedule(_Schedule):
    """Floss before training, and again before given epochs.

    Parameters
    ----------
    before : int, optional
        Number of flossing epochs before training.
    at : int or sequence of int, optional
        Training epochs before which to floss again: ``range(100, 10000, 100)`` flosses
        throughout.
    epochs : int, optional
        Number of flossing epochs in each of these episodes.
    k, n_steps, target, transient, basis_transient, weights, reduction, qr_interval, clip_norm
        The window, as for `floss`; `k` and `n_steps` are needed. It starts from the
        network's trained initial state, under one input sequence of the task.
    optimizer : Adam, optional
        For flossing alone; it goes on from episode to episode.

    Examples
    --------
    The paper's flossing during training, with 39 of 55 steps averaged:

    >>> import lyapnet as ln
    >>> schedule = ln.FlossingSchedule(
    ...     before=500, at=500, epochs=500, k=75, n_steps=39, transient=10, basis_transient=6)
    >>> schedule.episode(0, None), schedule.episode(1, None), schedule.episode(500, None)
    (500, 0, 500)
    """

    def __init__(
        self, before: int = 0, at: int | Iterable[int] = (), epochs: int = 500, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.before = validate.integer("before", before, low=0)
        each = at if isinstance(at, Iterable) else (at,)
        self.at = tuple(sorted({validate.integer("at", epoch, low=0) for epoch in each}))
        self.epochs = validate.integer("epochs", epochs, low=0)

    def episode(self, epoch: int, record: TrainingProgress | None) -> int:
        """Return the number of flossing epochs to do before training epoch `epoch`."""
        return self.before * (epoch == 0) + self.epochs * (epoch in self.at)


class AdaptiveFlossing(_Schedule):
    """Floss while the gradient across the horizon has collapsed, and stop when it is back.

    The gradient is that of the loss in the first state, measured by each training epoch:
    flossing goes on in short episodes between training epochs until it has been restored.

    Parameters
    ----------
    low, high : float, optional
        Flossing begins when the gradient norm, as a geometric mean over `window` epochs, is
        below `low`, and goes on until it is above `high`.
    epochs : int, optional
        Number of flossing epochs between two training epochs.
    most : int, optional
        No more flossing epochs than this, all in all.
    window : int, optional
        Training epochs over which the gradient is judged before flossing begins again.
    clip_norm : float, optional
        As for `floss`.
    k, n_steps, target, transient, basis_transient, optimizer, ...
        As for `FlossingSchedule`.

    Examples
    --------
    >>> import lyapnet as ln
    >>> schedule = ln.AdaptiveFlossing(k=75, n_steps=39, transient=10, basis_transient=6)
    """

    def __init__(
        self,
        low: float = 1e-5,
        high: float = 1e-3,
        *,
        epochs: int = 20,
        most: int = 2000,
        window: int = 20,
        clip_norm: Any = 1.0,
        **settings: Any,
    ) -> None:
        super().__init__(clip_norm=clip_norm, **settings)
        self.low = validate.real("low", low, positive=True)
        self.high = validate.real("high", high, low=self.low)
        self.epochs = validate.integer("epochs", epochs, low=1)
        self.most = validate.integer("most", most, low=0)
        self.window = validate.integer("window", window, low=1)

    def episode(self, epoch: int, record: TrainingProgress) -> int:
        """Return the number of flossing epochs to do before training epoch `epoch`."""
        done = int(record.flossing_epochs.sum())
        if not epoch or done >= self.most:
            return 0
        if record.flossing_epochs[-1]:
            on = record.gradient_norm_h0[-1] < self.high
        else:
            with np.errstate(divide="ignore"):
                on = np.log(record.gradient_norm_h0[-self.window :]).mean() < np.log(self.low)
        return min(self.epochs, self.most - done) if on else 0


def check_schedule(schedule: Any) -> dict[str, Any]:
    """Return a schedule's settings, if it follows the protocol."""
    if not callable(getattr(schedule, "episode", None)):
        raise TypeError(
            "`schedule` must be a FlossingSchedule or have a method episode(epoch, record), "
            f"got {schedule!r}"
        )
    settings = getattr(schedule, "settings", None)
    if not isinstance(settings, dict) or not {"k", "n_steps"} <= settings.keys():
        raise TypeError(
            "`schedule.settings` must be a dictionary with k and n_steps, and what else "
            f"FlossingSchedule takes; got {settings!r}"
        )
    return dict(settings)
