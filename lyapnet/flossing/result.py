"""What `floss` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from ..numerics.arrays import Array
from ..optimize import Adam
from ..results.result import Result
from ..results.storage import register
from ..systems import AnySystem
from .plot import plot_flossing

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@register
@dataclass(frozen=True, repr=False, eq=False)
class FlossResult(Result, Generic[AnySystem]):
    """What `floss` returns.

    Attributes
    ----------
    cell : System
        With the parameters after the last epoch.
    exponents : array (n_epochs, ..., k)
        Exponents of each epoch's window before its update, in QR order; the mean over the
        batch, and one row per network of an ensemble.
    loss : array (n_epochs, ...)
        The flossing loss before each update.
    optimizer : Adam
        To go on with.
    met : bool
        Whether the target was met at the end: within `tol`, or within 0.05 without one, as
        means over the last five epochs and the five before.
    verdict : str
        The same in words, with what to do about it.
    target : array (k,)
    """

    cell: AnySystem
    exponents: Array
    loss: Array
    optimizer: Adam
    met: bool
    verdict: str
    target: Array

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {
        "exponents": ("epoch", "exponent"),
        "loss": ("epoch",),
        "target": ("exponent",),
    }

    def _summary(self) -> dict[str, Any]:
        last = {"last_exponents": self.exponents[-1]} if len(self.loss) else {}
        return {"cell": self.cell, "n_epochs": len(self.loss), **last, "verdict": self.verdict}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the exponents over the epochs, with their targets; return the Axes.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        """
        return plot_flossing(self, ax)
