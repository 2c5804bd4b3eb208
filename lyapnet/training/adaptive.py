"""Flossing as long as the gradient needs it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import validate
from ..flossing.window import Window
from ..numerics.arrays import ArrayLike
from ..optimize import Adam
from .progress import TrainingProgress
from .schedule import Windowed

#: What a learning rate of flossing is divided by where it is to go on in smaller steps.
_SLOWER = 3.0


class AdaptiveFlossing(Windowed):
    """Floss while the gradient across the horizon has collapsed, and stop when it is back.

    What counts is the `transmission`, the share of the loss gradient that arrives in the first
    state, which each training epoch measures. Flossing goes on before training, in short episodes
    with a training epoch after each, as long as it makes the transmission grow. It begins again
    whenever that has fallen far below what it was when flossing ended, and ends as soon as most of
    it is back.

    Parameters
    ----------
    low, high : float, optional
        Limits instead, of the norm of :math:`dL/dh_0`: flossing begins when its geometric mean
        over `window` epochs is below `low`, never before training, and goes on until it is above
        `high`. What is usual depends on the loss, the sequence's length, the readout and the
        task.
    epochs : int, optional
        Number of flossing epochs between two training epochs.
    most : int, optional
        No more flossing epochs than this, all in all.
    window : int, optional
        Training epochs over which the gradient is judged before flossing begins again.
    drop : float, optional
        Flossing begins again when the geometric mean over `window` epochs is this many times
        below the transmission at the end of the last flossing.
    growth, patience : float, int, optional
        Flossing ends when the last `patience` episodes have not brought the transmission to
        `growth` times what those before them had reached.
    enough : float, optional
        Flossing during training ends as soon as the transmission is this many times as large as
        it was at the best end of flossing so far; infinite for no such end.
    until : float, optional
        Flossing before training ends as soon as the transmission has come from below to this: at
        1 all of the gradient arrives, and what is left of `most` is for training, which may need
        it. Infinite by default.
    slower : int, optional
        So many times flossing before training goes on at a third of its learning rate when it
        has stopped to help; flossing during training takes the last of these rates. Networks of
        hundreds of units need it: in them, steps of 1e-3 undo what flossing has done.
    clip_norm : float, optional
        As for `floss`.
    k, n_steps, target, transient, basis_transient, optimizer, ...
        As for `FlossingSchedule`.

    Notes
    -----
    A loop that measures no transmission, such as that of `lyapnet.torch`, is judged in the same
    way by the norm of :math:`dL/dh_0`, which also falls as the task is learnt.

    Examples
    --------
    >>> import lyapnet as ln
    >>> schedule = ln.AdaptiveFlossing(k=75, n_steps=39, transient=10, basis_transient=6)
    >>> schedule
    AdaptiveFlossing(epochs=20, most=2000, window=20, k=75, n_steps=39)
    """

    _own = ("low", "high", "epochs", "most", "window")

    def __init__(
        self,
        low: float | None = None,
        high: float | None = None,
        *,
        epochs: int = 20,
        most: int = 2000,
        window: int = 20,
        drop: float = 100.0,
        growth: float = 1.2,
        patience: int = 3,
        enough: float = 0.3,
        until: float = np.inf,
        slower: int = 0,
        clip_norm: float | tuple[str, float] | None = 1.0,
        k: int,
        n_steps: int,
        target: ArrayLike = 0.0,
        transient: int = 0,
        basis_transient: int = 0,
        optimizer: Adam | None = None,
        weights: ArrayLike | None = None,
        reduction: str = "sum",
        qr_interval: int | str = "auto",
        only: Iterable[str] | None = None,
    ) -> None:
        super().__init__(Window(
            k=k, n_steps=n_steps, target=target, transient=transient,
            basis_transient=basis_transient, optimizer=optimizer, weights=weights,
            reduction=reduction, qr_interval=qr_interval, clip_norm=clip_norm, only=only,
        ))  # fmt: skip
        if (low is None) != (high is None):
            raise ValueError(f"`low` and `high` go together: got {low} and {high}")
        self.low = None if low is None else validate.real("low", low, positive=True)
        self.high = None if high is None else validate.real("high", high, low=self.low)
        self.epochs = validate.integer("epochs", epochs, low=1)
        self.most = validate.integer("most", most, low=0)
        self.window = validate.integer("window", window, low=1)
        self.drop = validate.real("drop", drop, low=1.0)
        self.growth = validate.real("growth", growth, low=1.0)
        self.patience = validate.integer("patience", patience, low=1)
        self.slower = validate.integer("slower", slower, low=0)
        if self.slower and self.low is not None:
            raise ValueError("`slower` and the limits `low` and `high` exclude each other")
        self.enough, self.until = (
            np.inf if x == np.inf else validate.real(name, x, positive=True)
            for name, x in (("enough", enough), ("until", until))
        )

    def episode(self, epoch: int, record: TrainingProgress) -> int:
        """Return the number of flossing epochs to do before training epoch `epoch`."""
        left = self.most - int(record.flossing_epochs.sum())
        if self.low is None or self.high is None:
            on = self._is_collapsed(record)
        else:
            on = self._is_low(record, self.low, self.high)
        return min(self.epochs, max(left, 0)) if on else 0

    def pace(self, epoch: int, record: TrainingProgress) -> float:
        """Return what multiplies the learning rate of flossing before training epoch `epoch`."""
        share, flossed = _share(record), record.flossing_epochs > 0
        before = int(np.argmin(np.append(flossed, False)))
        began = self._times_stopped(share[:before]) if before == len(flossed) else self.slower
        return float(_SLOWER ** -min(began, self.slower))

    def _is_low(self, record: TrainingProgress, low: float, high: float) -> bool:
        """Say whether the gradient is below its limits."""
        norms, flossed = record.gradient_norm_h0, record.flossing_epochs
        if not len(flossed):
            return False
        if flossed[-1]:
            return bool(norms[-1] < high)
        return bool(_geometric_mean(norms[-self.window :]) < low)

    def _is_collapsed(self, record: TrainingProgress) -> bool:
        """Say whether flossing still helps, or training has undone what it did."""
        share = _share(record)
        flossed = record.flossing_epochs > 0
        if not flossed.any():
            return not len(share)  # before training
        ends = np.flatnonzero(flossed & ~np.append(flossed[1:], False))
        if flossed[-1]:
            before = ends[:-1]
            first = before[-1] + 1 if len(before) else 0
            return self._still_helps(share[first:][flossed[first:]], share[before])
        since = share[ends[-1] :]
        return len(since) > self.window and bool(
            _geometric_mean(since[-self.window :]) < since[0] / self.drop
        )

    def _still_helps(self, episodes: Any, ends: Any) -> bool:
        """Say whether to go on after these episodes, given how far flossing came before."""
        if len(ends):
            enough = episodes[-1] >= self.enough * ends.max()
            return not enough and not self._times_stopped(episodes)
        back = episodes[0] < self.until <= episodes[-1]
        return not back and self._times_stopped(episodes) <= self.slower

    def _times_stopped(self, episodes: Any) -> int:
        """Count how often flossing has stopped to help, and begun at another rate."""
        stopped = begin = 0
        for end in range(self.patience + 1, len(episodes) + 1):
            first = end - self.patience
            now, earlier = episodes[first:end].max(), episodes[:first].max()
            if first >= begin and not now > self.growth * earlier:  # nor where one is NaN
                stopped, begin = stopped + 1, end
        return stopped


def _share(record: TrainingProgress) -> Any:
    """Return what says how much of the gradient arrives in the first state."""
    return record.gradient_norm_h0 if record.transmission is None else record.transmission


def _geometric_mean(x: Any) -> float:
    with np.errstate(divide="ignore"):
        return float(np.exp(np.log(x).mean()))
