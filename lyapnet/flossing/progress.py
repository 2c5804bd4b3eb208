"""What the callback of `floss` is told after each epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..numerics.arrays import Array
from ..results.storage import register


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
    loss: Array
    exponents: Array | None

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
