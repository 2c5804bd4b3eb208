"""What `train` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic

import numpy as np

from .. import validate
from ..numerics.arrays import Array, ArrayLike
from ..optimize import Adam
from ..results.result import Result
from ..results.storage import register
from ..systems import AnySystem
from ..tangent.stretches import run_orbit
from .network import Network, Readout
from .plot import plot_training

if TYPE_CHECKING:
    import pandas
    import xarray
    from matplotlib.axes import Axes


#: What the axes of diagnostics are called in tables, where not like the diagnostic.
_DIAGNOSTIC_AXES = {
    "singular_values": "singular_value",
    "diagnostic_exponents": "diagnostic_exponent",
    "gradient_overlap": "covariant_vector",
    "gates": "gate",
    "gate_saturation": "gate",
}


@register
@dataclass(frozen=True, repr=False, eq=False)
class TrainResult(Result, Generic[AnySystem]):
    """What `train` returns.

    Its ``repr`` shows the means of loss and accuracy over the last 100 epochs, or fewer in a
    shorter run; R2 where that is what the accuracy is.

    Attributes
    ----------
    cell : System
        Trained.
    readout : Readout
        Weights ``W (n_outputs, n)`` and biases ``b (n_outputs,)`` of the trained readout.
    x0 : array (n,)
        Trained initial state.
    loss, accuracy : array (n_epochs,)
        On each epoch's fresh batch, before it is learnt from: a test, for a task that
        streams.
    exponents : array (flossing epochs, k)
        Of each flossing epoch's window, in QR order.
    flossing_epochs : array (n_epochs,) of int
        Number of flossing epochs before each training epoch.
    diagnostics : dict of str to array (n_epochs, ...)
        What was asked for, and always `gradient_norm_h0` and `transmission`.
    optimizer : Adam
        Of training, to go on with.
    flossing_optimizer : Adam or None
    accuracy_kind : {"fraction", "R2", "own"}
        What `accuracy` is: the fraction of outputs on the right side, the coefficient of
        determination R² of real targets, or what the task's own `accuracy` says.
    chance : float or None
        Accuracy of a network that knows nothing, where the task says it.
    """

    cell: AnySystem
    readout: Readout
    x0: Array
    loss: Array
    accuracy: Array
    exponents: Array
    flossing_epochs: Array
    diagnostics: dict[str, Array]
    optimizer: Adam
    flossing_optimizer: Adam | None
    accuracy_kind: str = "fraction"
    chance: float | None = None

    _dims: ClassVar[dict[str, tuple[str, ...]]] = {
        "loss": ("epoch",),
        "accuracy": ("epoch",),
        "flossing_epochs": ("epoch",),
        "exponents": ("flossing_epoch", "exponent"),
    }

    def _summary(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"cell": self.cell, "n_epochs": len(self.loss)}
        if len(self.loss):
            last = slice(-100, None)
            kind = accuracy_name(self.accuracy_kind)
            over = f"over_{min(100, len(self.loss))}_epochs"
            shown[f"loss_{over}"] = self.loss[last].mean()
            shown[f"{kind}_{over}"] = self.accuracy[last].mean()
        return {**shown, "flossing_epochs": int(self.flossing_epochs.sum())}

    def to_xarray(self) -> xarray.Dataset:
        """Return an `xarray.Dataset` of what was recorded, diagnostics included, by epoch.

        The diagnostic `exponents` is called ``diagnostic_exponents`` there, since ``exponents``
        are those of flossing.

        Raises
        ------
        ImportError
            Without xarray: ``pip install "lyapnet[io]"``.
        """
        data = super().to_xarray()
        for name, x in self._watched().items():
            own = _DIAGNOSTIC_AXES.get(name, name)
            axes = [own if x.ndim == 2 else f"{own}_{i}" for i in range(x.ndim - 1)]
            data[name] = (("epoch", *axes), x)
        return data

    def to_dataframe(self) -> pandas.DataFrame:
        """Return a `pandas.DataFrame` by epoch, with the diagnostics that are one number each.

        Raises
        ------
        ImportError
            Without pandas: ``pip install "lyapnet[io]"``.
        """
        numbers = {name: x for name, x in self._watched().items() if x.ndim == 1}
        return super().to_dataframe().assign(**numbers)

    def _watched(self) -> dict[str, Array]:
        """Return the diagnostics by names that nothing else has."""
        taken = self._dims
        return {f"diagnostic_{x}" if x in taken else x: y for x, y in self.diagnostics.items()}

    def outputs(self, inputs: ArrayLike) -> Array:
        """Run the trained network from its initial state.

        Parameters
        ----------
        inputs : array (T, batch, n_inputs)

        Returns
        -------
        array (T, batch, n_outputs)
            Logits, where the loss was the cross-entropy.
        """
        u = validate.array("inputs", inputs, ndim=3)
        validate.trailing("inputs", u, self.cell.n_inputs, "the cell's n_inputs")
        x = np.broadcast_to(self.x0, (u.shape[1], self.cell.dim))
        states = run_orbit(self.cell, x, u, 0, len(u)).states
        return Network(self.cell, self.readout, self.x0).outputs(states[1:])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the accuracy over the epochs, and mark where it was flossed; return the Axes.

        The line is a running mean over a fortieth of the run, 200 epochs at most.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        """
        return plot_training(self, ax)


def accuracy_name(kind: str) -> str:
    """Return what to call an accuracy of this kind."""
    return "R2" if kind == "R2" else "accuracy"
