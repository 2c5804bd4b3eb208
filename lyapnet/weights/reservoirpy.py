"""Reservoirs of reservoirpy."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..cells import EchoStateNetwork
from .layers import as_array

_ACTIVATIONS = {"tanh": "tanh", "relu": "relu", "identity": "linear"}


def from_reservoirpy(node: Any, *, dt: float = 1.0) -> EchoStateNetwork:
    r"""Make a network of a `reservoirpy.nodes.Reservoir`, whose state is the same.

    Parameters
    ----------
    node : Reservoir
        Initialised: run once, or given `input_dim`. Sparse weights stay sparse. Noise is left
        out.
    dt : float, optional
        Time that a step takes.

    Returns
    -------
    EchoStateNetwork

    Raises
    ------
    TypeError
        If it has not what a reservoir has.
    ValueError
        If it is not initialised, has a leak for each unit, feedback, or another activation
        function than tanh, relu or identity; the equation of `ESN` with the leak inside of the
        nonlinearity has no counterpart.

    Examples
    --------
    A stand-in with the same attributes:

    >>> import numpy as np
    >>> import lyapnet as ln
    >>> from types import SimpleNamespace
    >>> def tanh(x):
    ...     return np.tanh(x)
    >>> node = SimpleNamespace(W=np.eye(3), Win=np.ones((3, 1)), bias=0.0, lr=0.3, activation=tanh)
    >>> ln.from_reservoirpy(node)
    EchoStateNetwork(dim=3, n_inputs=1, leak=0.3)
    """
    missing = [x for x in ("W", "Win", "bias", "lr", "activation") if not hasattr(node, x)]
    if missing:
        raise TypeError(
            f"`node` must be a reservoirpy.nodes.Reservoir; {type(node).__name__} has no "
            f"{missing[0]}"
        )
    if callable(node.W) or callable(node.Win):
        raise ValueError("`node` is not initialised: run it once, or give it `input_dim`")
    if getattr(node, "equation", "internal") != "internal":
        raise ValueError(f"`node` has the equation {node.equation!r}, which has no counterpart")
    name = getattr(node.activation, "__name__", "")
    if name not in _ACTIVATIONS:
        raise ValueError(f"`node` must have the activation tanh, relu or identity, got {name!r}")
    W = node.W if hasattr(node.W, "tocsr") else as_array("W", node.W)
    n = W.shape[0]
    V, b = (x.toarray() if hasattr(x, "toarray") else x for x in (node.Win, node.bias))
    b = np.broadcast_to(np.ravel(as_array("bias", b)), (n,))
    leak = np.unique(as_array("lr", node.lr))
    if len(leak) > 1:
        raise ValueError("`node` has a leak for each unit, which has no counterpart")
    return EchoStateNetwork(
        W, as_array("Win", V), b, leak=validate.real("lr", float(leak[0])),
        activation=_ACTIVATIONS[name], dt=dt,
    )  # fmt: skip
