"""Networks from other frameworks, as plain arrays: none of the frameworks is imported."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import storage, validate
from .cells import Cell, VanillaRNN
from .linalg import Array


def from_torch(state_dict: Any, *, layer: int = 0, activation: str = "tanh") -> Cell:
    r"""Make a cell of a layer of `torch.nn.RNN`.

    PyTorch steps in activations, :math:`r' = \phi(W_{ih} u + b_{ih} + W_{hh} r + b_{hh})`; the
    cell's state is the pre-activation h with :math:`r = \phi(h)`: the same network, with
    ``x0 = arctanh(r0)``. Its Jacobian is similar to PyTorch's, and has the same exponents:

    .. math:: D_\mathrm{torch} = \mathrm{diag}(\phi'(h_{s+1}))\, D\, \mathrm{diag}(\phi'(h_s))^{-1}

    Parameters
    ----------
    state_dict : mapping or path
        Name to array (or to anything that NumPy turns into one), or an npz or safetensors
        file of such.
    layer : int, optional
        Which layer of a stack.
    activation : {"tanh", "relu"}, optional
        The module's `nonlinearity`, which a state dict does not tell.

    Returns
    -------
    VanillaRNN

    Raises
    ------
    ValueError
        If the arrays are not there or do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> ln.from_torch({"weight_ih_l0": np.ones((4, 2)), "weight_hh_l0": np.eye(4)})
    VanillaRNN(dim=4, n_inputs=2)
    """
    arrays = read_arrays(state_dict)
    layer = validate.integer("layer", layer, low=0)
    found = {}
    for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        ends = [name for name in arrays if name.split(".")[-1] == f"{kind}_l{layer}"]
        if len(ends) > 1:
            raise ValueError(f"`state_dict` has several {kind}_l{layer}: {ends}; pass one module's")
        found[kind] = validate.array(ends[0], arrays[ends[0]]) if ends else None
    W, V = found["weight_hh"], found["weight_ih"]
    if W is None or V is None:
        raise ValueError(
            f"`state_dict` has no weight_ih_l{layer} and weight_hh_l{layer}; "
            f"it has {sorted(arrays)[:8]}"
        )
    if W.ndim != 2 or W.shape[0] != W.shape[1]:
        raise ValueError(
            f"weight_hh_l{layer} must have shape (n, n) as in torch.nn.RNN, got {W.shape}"
        )
    biases = [found[name] for name in ("bias_ih", "bias_hh") if found[name] is not None]
    b: Any = sum(biases) if biases else None
    return VanillaRNN(W, V, b, activation=activation)


def read_arrays(source: Any) -> dict[str, Any]:
    """Return name to array from a mapping, an npz file or a safetensors file."""
    if isinstance(source, Mapping):
        return dict(source)
    if not isinstance(source, str | Path):
        raise TypeError(f"`state_dict` must be a mapping or a path, got {type(source).__name__}")
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(f"no such file: {str(path)!r}")
    if path.suffix == ".safetensors":
        try:
            from safetensors.numpy import load_file
        except ImportError:
            raise ImportError('safetensors is not installed: pip install "lyapnet[io]"') from None
        return dict(load_file(path))
    if path.suffix != ".npz":
        raise ValueError(f"{str(path)!r} must be an .npz or .safetensors file")
    try:
        with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{str(path)!r} is not a whole .npz file of arrays ({type(error).__name__})"
        ) from None


def read_cell(path: Any, *, activation: str = "tanh", leak: float = 1.0) -> Cell:
    """Return the network in a file.

    Parameters
    ----------
    path : path
        A cell saved by lyapnet, arrays named W, V, b (npz or safetensors), or the state dict of
        a `torch.nn.RNN`.
    activation, leak
        What bare arrays do not tell.
    """
    arrays = read_arrays(path)
    if storage.HEAD in arrays:
        loaded = storage.load(path)
        if not isinstance(loaded, Cell):
            raise ValueError(f"{str(path)!r} holds a {type(loaded).__name__}, not a network")
        return loaded
    if "W" in arrays:
        parts: dict[str, Array | None] = {name: arrays.get(name) for name in ("W", "V", "b")}
        return VanillaRNN(**parts, activation=activation, leak=leak)
    return from_torch(arrays, activation=activation)
