"""When to floss during training: planned, or by a schedule of one's own."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Protocol

from .. import validate
from ..flossing.window import Window
from ..numerics.arrays import ArrayLike
from ..optimize import Adam
from .progress import TrainingProgress


class Windowed:
    """What all schedules of lyapnet share: the window that they floss, and how."""

    #: What the `repr` shows beside the window.
    _own: ClassVar[tuple[str, ...]] = ()

    def __init__(self, window: Window) -> None:
        self.settings = window.settings

    def __repr__(self) -> str:
        own = {name: getattr(self, name) for name in self._own if getattr(self, name) is not None}
        window = {name: self.settings[name] for name in ("k", "n_steps")}
        shown = ", ".join(f"{name}={_short(x)}" for name, x in {**own, **window}.items())
        return f"{type(self).__name__}({shown})"

    def episode(self, epoch: int, record: TrainingProgress) -> int:
        """Return the number of flossing epochs to do before training epoch `epoch`."""
        raise NotImplementedError

    def pace(self, epoch: int, record: TrainingProgress) -> float:
        """Return what multiplies the learning rate of flossing before training epoch `epoch`."""
        return 1.0


class FlossingSchedule(Windowed):
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
    k, n_steps, target, transient, basis_transient, weights, reduction, qr_interval, clip_norm, only
        The window, as for `floss`; `k` and `n_steps` are needed. It starts from the
        network's trained initial state, under one input sequence of the task.
    optimizer : Adam or SOAP, optional
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

    _own = ("before", "at", "epochs")

    def __init__(
        self,
        before: int = 0,
        at: int | Iterable[int] = (),
        epochs: int = 500,
        *,
        k: int,
        n_steps: int,
        target: ArrayLike = 0.0,
        transient: int = 0,
        basis_transient: int = 0,
        optimizer: Adam | None = None,
        weights: ArrayLike | None = None,
        reduction: str = "sum",
        qr_interval: int | str = "auto",
        clip_norm: float | tuple[str, float] | None = None,
        only: Iterable[str] | None = None,
    ) -> None:
        super().__init__(Window(
            k=k, n_steps=n_steps, target=target, transient=transient,
            basis_transient=basis_transient, optimizer=optimizer, weights=weights,
            reduction=reduction, qr_interval=qr_interval, clip_norm=clip_norm, only=only,
        ))  # fmt: skip
        self.before = validate.integer("before", before, low=0)
        each = at if isinstance(at, Iterable) else (at,)
        self.at = tuple(sorted({validate.integer("at", epoch, low=0) for epoch in each}))
        self.epochs = validate.integer("epochs", epochs, low=0)

    def episode(self, epoch: int, record: TrainingProgress | None) -> int:
        """Return the number of flossing epochs to do before training epoch `epoch`."""
        return self.before * (epoch == 0) + self.epochs * (epoch in self.at)


def _short(x: Any) -> str:
    """Write a setting, of many epochs only the ends."""
    if isinstance(x, tuple) and len(x) > 4:
        return f"({x[0]}, {x[1]}, ..., {x[-1]})"
    return f"{x:g}" if isinstance(x, float) else repr(x)


class Schedule(Protocol):
    """What `train` takes for a schedule: any object that has these two."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What to floss: a dictionary as for `FlossingSchedule`, k and n_steps at least."""

    def episode(self, epoch: int, record: Any, /) -> int:
        """Return the number of flossing epochs to do before training epoch `epoch`.

        Parameters
        ----------
        epoch : int
        record : TrainingProgress
        """


def pace_of(schedule: Any, epoch: int, record: TrainingProgress) -> float:
    """Return a schedule's `pace`, 1 of an object of one's own that has none."""
    pace = getattr(schedule, "pace", None)
    return 1.0 if pace is None else pace(epoch, record)


def window_of(schedule: Any) -> Window:
    """Return the window of a schedule, if it follows the protocol."""
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
    unknown = settings.keys() - inspect.signature(Window).parameters.keys()
    if unknown:
        raise ValueError(
            f"`schedule.settings` has {sorted(unknown)}, which FlossingSchedule does not take"
        )
    return Window(**settings)
