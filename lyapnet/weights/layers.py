"""What the frameworks share: finding a layer among named arrays, and making cells of its parts."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from .. import validate
from ..cells import GRU, LSTM, Cell, Stack, VanillaRNN
from ..numerics.arrays import Array
from ..numerics.autodiff import value

#: The arrays of one layer, by their own names.
Layer = dict[str, Any]


class _Unsaid(int):
    """A number that nobody has asked for."""


#: The default of `layer`: the first, and a word about others that are left out.
FIRST = _Unsaid(0)


def tell_of_others(layer: Any, count: int, stacklevel: int = 3) -> None:
    """Warn where nobody has said which of several layers is meant."""
    if isinstance(layer, _Unsaid) and count > 1:
        warnings.warn(
            f"the first of {count} layers alone is taken: layer=None takes all as one system, "
            "layer=0 the first",
            stacklevel=stacklevel,
        )


def pick(
    layers: Mapping[str, Layer], layer: int | str | None, make: Callable[[Layer], Cell]
) -> Cell:
    """Make a cell of one layer, or a stack of all.

    Parameters
    ----------
    layers : dict of str to Layer
        By the path of each, with "/" between its parts.
    layer : int, str or None
        A number, a part of a path, or all layers.
    make : callable
        Makes a cell of the arrays of one layer.
    """
    if isinstance(layer, str):
        wanted = layer.strip("/")
        named = [p for p in layers if f"/{wanted}/" in f"/{p}/"]
        if len(named) != 1:
            what = f"{len(named)} layers" if named else "no layer"
            raise ValueError(f"`layer`: {what} of the name {layer!r}; there are {_list(layers)}")
        return make(layers[named[0]])
    paths = sorted(layers, key=_numbers)
    if len(paths) > 1 and len({_words(path) for path in paths}) > 1:
        raise ValueError(
            f"`layer` must be a name here, since names that differ in more than numbers tell no "
            f"order: one of {_list(layers)} (and lyapnet.Stack puts several together)"
        )
    tell_of_others(layer, len(paths), stacklevel=4)
    if layer is None:
        return Stack([make(layers[path]) for path in paths])
    number = validate.integer("layer", layer, low=0)
    if number >= len(paths):
        raise ValueError(f"`layer` is {number}, but there are {len(paths)} layers: {_list(layers)}")
    return make(layers[paths[number]])


def _list(layers: Collection[str]) -> str:
    return ", ".join(repr(path) for path in layers) or "none"


def _parts(path: str) -> list[tuple[str, int]]:
    """Return the parts of a path, each as a word and its number: lstm_2 comes before lstm_10."""
    found = [re.fullmatch(r"(.*?)_?(\d*)", part) for part in path.split("/")]
    return [(m[1], int(m[2] or -1)) for m in found if m is not None]


def _words(path: str) -> tuple[str, ...]:
    return tuple(word for word, _ in _parts(path))


def _numbers(path: str) -> tuple[int, ...]:
    return tuple(number for _, number in _parts(path))


def flatten(tree: Any, path: str = "") -> dict[str, Any]:
    """Return the arrays of nested mappings by their path; dots and tuples make paths too."""
    found: dict[str, Any] = {}
    for key, item in tree.items():
        name = "/".join(map(str, key)) if isinstance(key, tuple) else str(key).replace(".", "/")
        name = f"{path}/{name}" if path else name
        found.update(flatten(item, name) if isinstance(item, Mapping) else {name: item})
    return found


def group(arrays: Mapping[str, Any], names: Collection[str], depth: int = 1) -> dict[str, Layer]:
    """Group arrays by what stands before their own name, the last `depth` parts of their path."""
    layers: dict[str, Layer] = {}
    for path, x in flatten(arrays).items():
        parts = path.split("/")
        own = "/".join(parts[-depth:])
        if own in names:
            layers.setdefault("/".join(parts[:-depth]), {})[own] = x
    return layers


def direction(name: str, reverse: bool | None, both: bool, whole: bool) -> bool:
    """Return whether the direction that runs backward in time is meant; of two it must be said.

    Parameters
    ----------
    name : str
        Of the argument that holds the weights.
    reverse : bool or None
    both : bool
        Whether there are two directions.
    whole : bool
        Whether several layers are to be one system.
    """
    reverse = None if reverse is None else validate.flag("reverse", reverse)
    if both and reverse is None:
        raise ValueError(
            f"`{name}` is bidirectional, and its two directions are systems of their own: say "
            "which by `reverse=False` or `reverse=True`, which takes its inputs in reverse order"
        )
    if both and whole:
        raise ValueError(
            f"`layer` must be a number or name where `{name}` is bidirectional: layers above the "
            "first see past and future at once, and no recursion in time"
        )
    return bool(reverse)


def one_way(
    name: str, layers: Mapping[str, Layer], reverse: bool | None, layer: Any
) -> dict[str, Layer]:
    """Return the layers that run forward in time, or those that run backward, by their names."""
    backward = {p for p in layers if any(part.startswith("backward") for part in p.split("/"))}
    forward = layers.keys() - backward
    several = max(len(forward), len(backward)) > 1
    both = bool(forward and backward)
    chosen = backward if direction(name, reverse, both, layer is None and several) else forward
    return {path: x for path, x in layers.items() if path in chosen}


def as_array(name: str, x: Any, **shape: int) -> Array:
    """Return what a framework has as a tensor, a variable or an array."""
    try:
        plain = np.asarray(validate.widened(x))
    except RuntimeError as error:  # such as PyTorch's about tensors that require a gradient
        raise TypeError(f"`{name}` cannot be turned into an array: {error}") from None
    return validate.array(name, plain, **shape)


def reordered(x: Array, order: tuple[int, ...]) -> Array:
    """Reorder the gates that are stacked along the first axis."""
    return np.concatenate([np.split(x, len(order))[j] for j in order])


def make_cell(
    W: Array,
    V: Array,
    b: Array | None,
    c: Array | None = None,
    *,
    activation: Any = "tanh",
    reset_after: bool = True,
) -> Cell:
    """Make the cell that weights ``W (gates N, N)`` in lyapnet's order of gates are of."""
    if W.ndim != 2 or V.ndim != 2 or not W.shape[1] or W.shape[0] % W.shape[1]:
        raise ValueError(
            "the recurrent weights must be those of a vanilla RNN, LSTM or GRU of N units, with "
            f"shape ({{1, 4, 3}} N, N) up to transposition; got {W.shape}"
        )
    gates = W.shape[0] // W.shape[1]
    if gates == 1:
        return VanillaRNN(W, V, b, activation=activation)
    if gates not in (3, 4):
        raise ValueError(f"weights of {gates} gates are of no vanilla RNN, LSTM or GRU")
    if activation != "tanh":
        raise ValueError(
            f"`activation` must be 'tanh' for an LSTM or GRU, got {activation!r}: those of lyapnet "
            "have tanh and logistic functions"
        )
    return LSTM(W, V, b) if gates == 4 else GRU(W, V, b, c=c, reset_after=reset_after)


def parts_of(cell: Any, framework: str, activations: Collection[str]) -> dict[str, Array]:
    """Return the parameters of a cell that the framework can express, as plain arrays."""
    if not isinstance(cell, VanillaRNN | LSTM | GRU):
        raise ValueError(f"`cell` must be a VanillaRNN, LSTM or GRU for {framework}, got {cell!r}")
    if cell.networks:
        raise ValueError(f"`cell` is an ensemble of {cell.networks} networks: take one of them")
    if not cell.n_inputs:
        raise ValueError(
            f"`cell` has no inputs, but a layer of {framework} has at least one: give it input "
            "weights V of zeros"
        )
    if isinstance(cell, VanillaRNN):
        if cell.leak != 1:
            raise ValueError(f"`cell` has leak={cell.leak:g}, but {framework} has no leak")
        if cell.activation.name not in activations:
            raise ValueError(
                f"`cell` has the activation {cell.activation.name!r}; {framework} takes "
                f"{' or '.join(activations)} here"
            )
    return {name: np.array(value(x), dtype=float) for name, x in cell.params.items()}
