"""How far a run is: bars for the eye, and what a callback is told after each epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .storage import register


@register
@dataclass(frozen=True, repr=False)
class Progress:
    """What is known of a run so far: what the callback of `floss` is called with.

    Attributes
    ----------
    epoch : int
        Number of epochs done.
    cell : System
        With the parameters after them.
    loss : array (epoch, ...)
        Of each epoch before its update.
    exponents : array (..., k) or None
        Of the last flossing epoch before its update, in QR order; None before the first.
    """

    epoch: int
    cell: Any
    loss: NDArray[Any]
    exponents: NDArray[Any] | None

    def _summary(self) -> dict[str, str]:
        """Return what the ``repr`` shows: the last epoch."""
        shown = {"epoch": str(self.epoch)}
        if len(self.loss):
            shown["loss"] = f"{np.mean(self.loss[-1]):.4g}"
        if self.exponents is not None:
            lam = self.exponents
            shown["exponents"] = f"{lam.min():.3g} to {lam.max():.3g}"
        return shown

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={x}" for name, x in self._summary().items())
        return f"{type(self).__name__}({shown})"


@register
@dataclass(frozen=True, repr=False)
class TrainingProgress(Progress):
    """What is known of a training run so far: what schedules and callbacks of `train` see.

    `epoch` and `loss` are those of training.

    Attributes
    ----------
    accuracy : array (epoch,)
        Of each epoch's batch before its update.
    gradient_norm_h0 : array (epoch,)
        Norm of a sequence's loss gradient in its first state, mean over the batch.
    flossing_epochs : array (epoch,)
        Number of flossing epochs before each training epoch.
    diagnostics : dict of str to array (epoch, ...)
    """

    accuracy: NDArray[Any]
    gradient_norm_h0: NDArray[Any]
    flossing_epochs: NDArray[Any]
    diagnostics: dict[str, NDArray[Any]]

    def _summary(self) -> dict[str, str]:
        shown = super()._summary()
        if len(self.loss):
            shown["accuracy"] = f"{self.accuracy[-1]:.4g}"
            shown["gradient_norm_h0"] = f"{self.gradient_norm_h0[-1]:.3g}"
        return {**shown, "flossing_epochs": str(int(self.flossing_epochs.sum()))}


def progress_bar(total: int, *, show: bool, unit: str, **options: Any) -> Any:
    """Return a bar of tqdm, for a terminal or for Jupyter; one that does nothing unless shown.

    tqdm is loaded here, not with lyapnet: its notebook form looks for Jupyter's widgets.
    """
    if not show:
        from tqdm.std import tqdm
    else:
        from tqdm.auto import tqdm
    return tqdm(total=total, disable=not show, unit=unit, leave=False, **options)
