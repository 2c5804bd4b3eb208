"""A cell from a file, whichever framework wrote it."""

from __future__ import annotations

from typing import Any

from ..cells import Cell, VanillaRNN
from ..results import storage
from .files import read_arrays


def read_cell(
    path: Any,
    *,
    layer: int | str | None = 0,
    reverse: bool | None = None,
    prefix: str | None = None,
    activation: str | None = None,
    leak: float | None = None,
) -> Cell:
    """Return the network in a file.

    Parameters
    ----------
    path : path
        A cell saved by lyapnet, or a result that has one; arrays named W, V, b; or weights of
        PyTorch, Keras or Flax, told apart by the names of their arrays.
    layer, reverse
        Which of the recurrent layers.
    prefix
        The name of the recurrent module in a state dict of PyTorch that has several.
    activation, leak
        What bare arrays do not tell: "tanh" and 1 if left out.
    """
    from .flax import from_flax
    from .keras import from_keras
    from .torch import from_torch

    arrays = read_arrays(path)
    names = {name.replace("/", ".").split(".")[-1] for name in arrays}
    torchs = "W" not in arrays and any(name.startswith("weight_hh") for name in names)
    if prefix is not None and not torchs:
        raise ValueError(f"`prefix` is for a state dict of PyTorch, and {str(path)!r} is none")
    if storage.HEAD in arrays:
        loaded = storage.load(path)
        cell = getattr(loaded, "cell", loaded)
        if not isinstance(cell, Cell):
            raise ValueError(f"{str(path)!r} holds a {type(loaded).__name__}, not a network")
        if activation is not None or leak is not None:
            raise ValueError(f"{str(path)!r} tells `activation` and `leak` itself: leave them out")
        return cell
    activation = "tanh" if activation is None else activation
    if "W" in arrays:
        unknown = set(arrays) - {"W", "V", "b"}
        if unknown:
            raise ValueError(f"{str(path)!r} has arrays beside W, V and b: {sorted(unknown)}")
        return VanillaRNN(**arrays, activation=activation, leak=1.0 if leak is None else leak)
    if leak not in (None, 1):
        raise ValueError(f"`leak` is {leak}, but networks of other frameworks have none")
    chosen: dict[str, Any] = {"layer": layer, "reverse": reverse, "activation": activation}
    if torchs:
        return from_torch(arrays, prefix=prefix, **chosen)
    if "recurrent_kernel" in names:
        return from_keras(arrays, **chosen)
    if "kernel" in names:
        return from_flax(arrays, **chosen)
    raise ValueError(
        f"{str(path)!r} holds no network that lyapnet knows: no array W, weight_hh_l0, "
        f"recurrent_kernel or kernel, but {sorted(arrays)[:8]}"
    )
