"""What stands in the checkpoint of a run that was interrupted."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..numerics.arrays import Array
from ..runs.checkpoint import read_state
from ..systems import System, as_system
from ..systems.parameters import with_named_params
from .network import Readout


class Saved(NamedTuple):
    """A network as a checkpoint holds it.

    Attributes
    ----------
    cell : System
    readout : Readout or None
        None from a run of `floss`, as `x0` and `accuracy`.
    x0 : array (n,) or None
    epoch : int
        Number of epochs done.
    loss : array (epoch, ...)
    accuracy : array (epoch,) or None
    """

    cell: System
    readout: Readout | None
    x0: Array | None
    epoch: int
    loss: Array
    accuracy: Array | None

    def __repr__(self) -> str:
        lost = float(np.mean(self.loss[-1])) if len(self.loss) else float("nan")
        return f"Saved(epoch={self.epoch}, loss={lost:.6g}, cell={self.cell!r})"


def read_checkpoint(path: Any, cell: Any) -> Saved:
    """Read the network that a run of `train` or `floss` has got to.

    Parameters
    ----------
    path : path
        What was given as `checkpoint`; the run may still be going on.
    cell : System
        As given to that run: a checkpoint holds the numbers alone.

    Returns
    -------
    Saved

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no checkpoint, or of another kind of cell.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import lyapnet as ln
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "run.npz"
    >>> cell = ln.VanillaRNN.random(8, rng=0)
    >>> r = ln.floss(cell, 3, k=1, n_steps=5, rng=0, checkpoint=path)
    >>> saved = ln.read_checkpoint(path, cell)
    >>> saved.epoch, bool((saved.cell.params["W"] == r.cell.params["W"]).all())
    (3, True)
    """
    system, state = as_system(cell, "cell"), read_state(validate.place("path", path))
    params = {name: np.asarray(x) for name, x in state["params"].items()}
    x0 = params.pop("x0", None)
    readout = None
    if "readout.W" in params:
        readout = Readout(params.pop("readout.W"), params.pop("readout.b"))
    try:
        found = with_named_params(system, params)
    except (KeyError, ValueError) as error:
        raise ValueError(f"`cell` is not of the kind in {str(path)!r}: {error}") from None
    own = state.get("history", state)
    loss = np.asarray(own["loss"])[: state["epoch"]]
    accuracy = None if readout is None else np.asarray(own["accuracy"])[: state["epoch"]]
    return Saved(found, readout, x0, state["epoch"], loss, accuracy)
