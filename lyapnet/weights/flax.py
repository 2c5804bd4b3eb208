"""Recurrent cells of Flax, linen and nnx."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..cells import Cell, Stack
from ..numerics.arrays import Array
from .files import read_arrays
from .layers import (
    FIRST,
    Layer,
    as_array,
    group,
    make_cell,
    one_way,
    parts_of,
    pick,
)

#: The gates of each cell, in lyapnet's order; linen gives each a matrix, and so does nnx's LSTM.
_GATES = {"LSTM": ("i", "f", "g", "o"), "GRU": ("r", "z", "n"), "RNN": ("",)}

#: Where a gate's input weights are not named i + gate: `if` is no name in Python.
_PYTHON = {"if": "if_"}

_JOINED = ("dense_i", "dense_h")
_OWN = {side + gate for gates in _GATES.values() for gate in gates for side in "ih"}
NAMES = {f"{n}/{x}" for n in (*_OWN, "if_", *_JOINED) for x in ("kernel", "bias")}


def from_flax(
    params: Any,
    *,
    layer: int | str | None = FIRST,
    reverse: bool | None = None,
    activation: str = "tanh",
) -> Cell:
    r"""Make a cell of a `SimpleCell`, `LSTMCell`, `OptimizedLSTMCell` or `GRUCell` of Flax.

    A GRU's state is Flax' carry h. An LSTM's is (h, c), where the carry is (c, h). That of a
    `SimpleCell` is here the pre-activation h, where the carry is :math:`r = \phi(h)`; see
    `from_torch` for its Jacobian.

    Parameters
    ----------
    params : mapping or path
        The variables of linen, ``module.init(...)``, or the state of nnx, ``nnx.state(module)``;
        nested or flat, or as an npz or safetensors file with paths as names.
    layer : int, str or None, optional
        Which recurrent cell of a model: its number among those whose names differ in nothing
        but numbers, its name, or None for all as a `Stack`; the first, with a warning if there
        are others, unless said. (linen names the two cells of a
        `Bidirectional` so: the second one runs backward.)
    reverse : bool, optional
        Which cell of a `Bidirectional` of nnx, for which it is needed: True is the backward cell,
        which takes its inputs in reverse order.
    activation : {"tanh", "relu", "linear"}, optional
        Of a `SimpleCell`, which parameters do not tell; it must not be residual.

    Returns
    -------
    VanillaRNN, LSTM, GRU or Stack

    Raises
    ------
    ValueError
        If the arrays are not there, or do not fit together; if there are two directions and none
        is said, or all layers are asked for, which from the second on know the future.

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> ln.from_flax({"i": {"kernel": np.ones((2, 4))}, "h": {"kernel": np.eye(4)}})
    VanillaRNN(dim=4, n_inputs=2)
    """
    found = group(read_arrays(params, "params"), NAMES, depth=2)
    layers = {path: x for path, x in found.items() if _kind(x) is not None}
    chosen = one_way("params", layers, reverse, layer)
    if not chosen:
        raise ValueError(
            f"`params` has no recurrent cell{' that runs backward' * bool(reverse)}, such as "
            "i/kernel and h/kernel, or dense_i/kernel and dense_h/kernel; it has "
            f"{sorted(layers or found)}"
        )
    return pick(chosen, layer, lambda arrays: _cell(arrays, activation))


def _kind(arrays: Layer) -> str | None:
    """Return the key of the gates that a group of arrays has, "" where they are joined."""
    names = {name.split("/")[0].rstrip("_") for name in arrays if name.endswith("kernel")}
    if names == set(_JOINED):
        return ""
    kinds = [k for k, gates in _GATES.items() if names == {s + g for s in "ih" for g in gates}]
    return kinds[0] if kinds else None


def _cell(arrays: Layer, activation: str) -> Cell:
    """Make a cell of the arrays of one layer: `side` i is the input's, h the recurrent."""
    kind = _kind(arrays)
    assert kind is not None
    if kind:
        gates = _GATES[kind]
        named = {name.split("/")[0].rstrip("_"): name.split("/")[0] for name in arrays}
        sides = [[named[f"{side}{gate}"] for gate in gates] for side in "ih"]
    else:
        sides = [[name] for name in _JOINED]
    (V, b_i), (W, b_h) = (_joined(arrays, names) for names in sides)
    if W.shape[0] != 3 * W.shape[1]:
        return make_cell(W, V, b_i + b_h, activation=activation)
    n = W.shape[1]
    b = np.concatenate([b_i[: 2 * n] + b_h[: 2 * n], b_i[2 * n :]])
    return make_cell(W, V, b, b_h[2 * n :], activation=activation)


def _joined(arrays: Layer, names: list[str]) -> tuple[Array, Array]:
    """Stack the kernels of all gates, and their biases, zero where there is none."""
    kernels = [as_array(f"{n}/kernel", arrays[f"{n}/kernel"], ndim=2).T for n in names]
    biases = [
        as_array(f"{n}/bias", arrays[f"{n}/bias"], ndim=1)
        if f"{n}/bias" in arrays
        else np.zeros(len(kernel))
        for n, kernel in zip(names, kernels, strict=True)
    ]
    return np.concatenate(kernels), np.concatenate(biases)


def to_flax(cell: Any, *, api: str = "linen") -> dict[str, Any]:
    """Return the parameters of the Flax cell that a cell is.

    In linen, ``module.apply({"params": found}, carry, u)``; in nnx, ``nnx.update(module, found)``
    for a `SimpleCell`, `GRUCell` or `LSTMCell`. For how the states correspond see `from_flax`.

    Parameters
    ----------
    cell : VanillaRNN, LSTM, GRU or Stack
    api : {"linen", "nnx"}, optional

    Returns
    -------
    dict
        Nested, with arrays as leaves; of a stack by the number of the layer, ``"0"`` the lowest.

    Raises
    ------
    ValueError
        If Flax cannot express it: a leak, an activation of one's own, an ensemble, a GRU with
        ``reset_after=False``, or in nnx one with a recurrent bias c.

    Examples
    --------
    >>> import lyapnet as ln
    >>> sorted(ln.to_flax(ln.GRU.random(3, rng=0)))
    ['hn', 'hr', 'hz', 'in', 'ir', 'iz']
    """
    validate.option("api", api, ("linen", "nnx"))
    if isinstance(cell, Stack):
        return {str(i): to_flax(one, api=api) for i, one in enumerate(cell.cells)}
    p = parts_of(cell, "Flax", ("tanh", "relu", "linear"))
    W, V, b = (p[name] for name in "WVb")
    kind = {1: "RNN", 3: "GRU", 4: "LSTM"}[len(W) // W.shape[1]]
    if kind == "GRU" and not cell.reset_after:
        raise ValueError("`cell` has reset_after=False, and Flax has no such GRU")
    if api == "nnx" and kind != "LSTM":
        if p.get("c", np.zeros(1)).any():
            raise ValueError("`cell` has a recurrent bias c, and nnx.GRUCell has none: use linen")
        return {"dense_i": _dense(V, b), "dense_h": _dense(W)}
    gates = _GATES[kind]
    found: dict[str, Any] = {}
    rows = zip(gates, *(np.split(x, len(gates)) for x in (W, V, b)), strict=True)
    for gate, W_gate, V_gate, b_gate in rows:
        name = f"i{gate}"
        name = _PYTHON.get(name, name) if api == "nnx" else name
        # Flax keeps the bias of an LSTM with the recurrent weights, the others' with the input's.
        recurrent = b_gate if kind == "LSTM" else p["c"] if gate == "n" else None
        found[name] = _dense(V_gate, None if kind == "LSTM" else b_gate)
        found[f"h{gate}"] = _dense(W_gate, recurrent)
    return found


def _dense(W: Array, b: Array | None = None) -> dict[str, Array]:
    kernel = {"kernel": np.ascontiguousarray(W.T)}
    return kernel if b is None else {**kernel, "bias": b}
