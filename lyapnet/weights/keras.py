"""Recurrent layers of Keras."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..cells import GRU, Cell, Stack
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
    reordered,
)

NAMES = ("kernel", "recurrent_kernel", "bias")

#: Keras stacks a GRU's gates as z, r, n: the same swap leads there and back.
_SWAP = (1, 0, 2)


def from_keras(
    weights: Any,
    *,
    layer: int | str | None = FIRST,
    reverse: bool | None = None,
    activation: str = "tanh",
    reset_after: bool | None = None,
) -> Cell:
    r"""Make a cell of a `SimpleRNN`, `LSTM` or `GRU` of Keras.

    An LSTM's state is (h, c), a GRU's h, as in Keras. That of a `SimpleRNN` is here the
    pre-activation h with Keras' state :math:`r = \phi(h)`; see `from_torch` for its Jacobian.

    Parameters
    ----------
    weights : sequence of arrays, mapping, or path
        What ``layer.get_weights()`` gives; or path to array, such as
        ``{w.path: w.numpy() for w in model.weights}``; or a file: ``.weights.h5``, ``.h5`` or
        ``.keras`` of a model (needs h5py), npz or safetensors.
    layer : int, str or None, optional
        Which recurrent layer of a model: its number among those whose names differ in nothing
        but numbers, its name, or None for all as a `Stack`; the first, with a warning if there
        are others, unless said.
    reverse : bool, optional
        Which layer of a `Bidirectional` one, for which it is needed: True is the backward layer,
        which takes its inputs in reverse order.
    activation : {"tanh", "relu", "linear"}, optional
        Of a `SimpleRNN`: weights do not tell. LSTM and GRU must have Keras' default ones.
    reset_after : bool, optional
        Of a GRU without biases, whose weights do not tell; default True as in Keras.

    Returns
    -------
    VanillaRNN, LSTM, GRU or Stack

    Raises
    ------
    ValueError
        If the arrays are not there, or do not fit together; if there are two directions and none
        is said, or all layers are asked for, which from the second on know the future.
    ImportError
        If a file of Keras is to be read and h5py is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> ln.from_keras([np.ones((2, 12)), np.ones((4, 12)), np.zeros((2, 12))])
    GRU(dim=4, n_inputs=2)
    """

    def make(arrays: Layer) -> Cell:
        return _cell(arrays, activation, reset_after)

    if isinstance(weights, list | tuple):
        if not 2 <= len(weights) <= 3:
            raise ValueError(
                f"`weights` must be the kernel, recurrent kernel and bias of one layer, got "
                f"{len(weights)} arrays: for a model give a mapping or a file"
            )
        return make(dict(zip(NAMES, weights, strict=False)))
    found = group(read_arrays(weights), NAMES)
    layers = {path: x for path, x in found.items() if {"kernel", "recurrent_kernel"} <= set(x)}
    chosen = one_way("weights", layers, reverse, layer)
    if not chosen:
        raise ValueError(
            "`weights` has no kernel and recurrent_kernel"
            f"{' of a backward layer' * bool(reverse)}; it has the layers {sorted(layers or found)}"
        )
    return pick(chosen, layer, make)


def _cell(arrays: Layer, activation: str, reset_after: bool | None) -> Cell:
    """Make a cell of the arrays of one layer."""
    V, W = (as_array(name, arrays[name], ndim=2).T for name in NAMES[:2])
    b = arrays.get("bias")
    b = None if b is None else as_array("bias", b, least=1)
    if W.shape[0] != 3 * W.shape[-1]:
        return make_cell(W, V, b, activation=activation)
    after = b.ndim == 2 if b is not None else reset_after is not False
    if reset_after is not None and after != reset_after:
        raise ValueError(
            f"`reset_after` is {reset_after}, but the bias has the shape of "
            f"reset_after={after}: leave it out"
        )
    n = W.shape[-1]
    W, V = reordered(W, _SWAP), reordered(V, _SWAP)
    if b is None:
        return make_cell(W, V, None, activation=activation, reset_after=after)
    if not after:
        return make_cell(W, V, reordered(b, _SWAP), activation=activation, reset_after=False)
    if b.shape != (2, 3 * n):
        raise ValueError(f"`bias` must have shape (2, {3 * n}) or ({3 * n},), got {b.shape}")
    own, recurrent = reordered(b[0], _SWAP), reordered(b[1], _SWAP)
    both = np.concatenate([own[: 2 * n] + recurrent[: 2 * n], own[2 * n :]])
    return make_cell(W, V, both, recurrent[2 * n :], activation=activation)


def to_keras(cell: Any) -> dict[str, Array]:
    """Return the weights of the `SimpleRNN`, `LSTM` or `GRU` of Keras that a cell is.

    In the order of Keras: ``layer.set_weights(list(found.values()))``. The layer's activation
    and `reset_after` must be the cell's. For how the states correspond see `from_keras`.

    Parameters
    ----------
    cell : VanillaRNN, LSTM, GRU or Stack

    Returns
    -------
    dict of str to array
        kernel, recurrent_kernel and bias; of a stack with the number of the layer in front, such
        as ``0/kernel``.

    Raises
    ------
    ValueError
        If Keras cannot express it: a leak, an activation of one's own, an ensemble.

    Examples
    --------
    >>> import lyapnet as ln
    >>> {name: x.shape for name, x in ln.to_keras(ln.LSTM.random(3, rng=0)).items()}
    {'kernel': (1, 12), 'recurrent_kernel': (3, 12), 'bias': (12,)}
    """
    if isinstance(cell, Stack):
        layers = enumerate(map(to_keras, cell.cells))
        return {f"{i}/{name}": x for i, found in layers for name, x in found.items()}
    p = parts_of(cell, "Keras", ("tanh", "relu", "linear"))
    if isinstance(cell, GRU):
        own = p["b"]
        if cell.reset_after:
            recurrent = np.concatenate([np.zeros(2 * cell.units), p["c"]])
            p["b"] = np.stack([reordered(own, _SWAP), reordered(recurrent, _SWAP)])
        else:
            p["b"] = reordered(own, _SWAP)
        p["V"], p["W"] = reordered(p["V"], _SWAP), reordered(p["W"], _SWAP)
    arrays = (np.ascontiguousarray(p["V"].T), np.ascontiguousarray(p["W"].T), p["b"])
    return dict(zip(NAMES, arrays, strict=True))
