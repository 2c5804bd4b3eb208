"""What schedules and callbacks of `train` are told after each epoch."""

from __future__ import annotations

from dataclasses import dataclass

from ..flossing.progress import Progress
from ..numerics.arrays import Array
from ..results.storage import register


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
    transmission : array (epoch,) or None
        The diagnostic of that name, where it is known.
    """

    accuracy: Array
    gradient_norm_h0: Array
    flossing_epochs: Array
    diagnostics: dict[str, Array]
    transmission: Array | None = None

    def _summary(self) -> dict[str, str]:
        shown = super()._summary()
        if len(self.loss):
            shown["accuracy"] = f"{self.accuracy[-1]:.4g}"
            shown["gradient_norm_h0"] = f"{self.gradient_norm_h0[-1]:.3g}"
        return {**shown, "flossing_epochs": str(int(self.flossing_epochs.sum()))}
