"""Recurrent layers of PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..cells import Cell, Stack
from ..numerics.arrays import Array
from .files import read_arrays
from .layers import FIRST, as_array, direction, make_cell, parts_of, tell_of_others

_KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def from_torch(
    state_dict: Any,
    *,
    layer: int | None = FIRST,
    reverse: bool | None = None,
    prefix: str | None = None,
    activation: str = "tanh",
) -> Cell:
    r"""Make a cell of `torch.nn.RNN`, `LSTM` or `GRU`, or of one of their `Cell` modules.

    An LSTM's state is PyTorch's (h, c), a GRU's is h. A vanilla network's differs: PyTorch steps
    in activations, :math:`r' = \phi(W_{ih} u + b_{ih} + W_{hh} r + b_{hh})`, and the state here is
    the pre-activation h with :math:`r = \phi(h)`, ``cell.output(h)``: the same network, started
    from ``x0 = arctanh(r0)``. Its Jacobian is similar to PyTorch's, and has the same exponents:

    .. math:: D_\mathrm{torch} = \mathrm{diag}(\phi'(h_{s+1}))\, D\, \mathrm{diag}(\phi'(h_s))^{-1}

    Parameters
    ----------
    state_dict : mapping or path
        Name to array (or to anything that NumPy turns into one, such as a tensor on the CPU),
        or an npz or safetensors file of such.
    layer : int or None, optional
        Which layer of a module; None for all as a `Stack`; the first, with a warning if there are
        others, unless said.
    reverse : bool, optional
        Which direction of a bidirectional module, for which it is needed: each is a system of its
        own. True is the one that runs backward in time, and takes its inputs in reverse order.
    prefix : str, optional
        The module's name in the state dict, such as "encoder.rnn", where there are several.
    activation : {"tanh", "relu"}, optional
        A vanilla network's `nonlinearity`, which a state dict does not tell.

    Returns
    -------
    VanillaRNN, LSTM, GRU or Stack

    Raises
    ------
    ValueError
        If the arrays are not there, do not fit together, or are those of an LSTM with
        projections, which has no counterpart; if there are two directions and none is said, or all
        layers are asked for, which from the second on know the future.

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> ln.from_torch({"weight_ih_l0": np.ones((4, 2)), "weight_hh_l0": np.eye(4)})
    VanillaRNN(dim=4, n_inputs=2)
    """
    arrays = read_arrays(state_dict, "state_dict")
    first = 0 if layer is None else validate.integer("layer", layer, low=0)
    whole = layer is None and module_of(arrays, "weight_hh_l1", prefix) is not None
    back = direction("state_dict", reverse, _both_ways(arrays, first, prefix), whole)
    count = 1
    while module_of(arrays, f"weight_hh{_suffix(count, back)}", prefix) is not None:
        count += 1
    tell_of_others(layer, count)
    wanted = range(count) if layer is None else [first]
    cells = [_layer(arrays, _suffix(i, back), prefix, activation) for i in wanted]
    return Stack(cells) if layer is None else cells[0]


def _suffix(layer: int, reverse: bool) -> str:
    return f"_l{layer}{'_reverse' if reverse else ''}"


def _both_ways(arrays: Any, layer: int, prefix: str | None) -> bool:
    """Say whether a layer runs in both directions."""
    module = module_of(arrays, f"weight_hh{_suffix(layer, False)}", prefix)
    return module is not None and f"{module}weight_hh{_suffix(layer, True)}" in arrays


def module_of(arrays: Any, kind: str, prefix: str | None) -> str | None:
    """Return the name of the module that has an array, with its dot; None if there is none."""
    modules = [name.removesuffix(kind) for name in arrays if name.split(".")[-1] == kind]
    if prefix is not None:
        wanted = f"{prefix.rstrip('.')}." if validate.text("prefix", prefix) else ""
        modules = [name for name in modules if name == wanted]
    if len(modules) > 1:
        names = [name.rstrip(".") for name in modules]
        raise ValueError(f"`state_dict` has several {kind}: `prefix` must be one of {names}")
    return modules[0] if modules else None


def _layer(arrays: Any, suffix: str, prefix: str | None, activation: str) -> Cell:
    """Make a cell of one layer in one direction."""
    module = module_of(arrays, f"weight_hh{suffix}", prefix)
    if module is None and suffix == "_l0":  # torch.nn.RNNCell and its kin number no layers
        module = module_of(arrays, "weight_hh", prefix)
        suffix = "" if module is not None else suffix
    if module is None or f"{module}weight_ih{suffix}" not in arrays:
        where = "" if prefix is None else f" of a module {prefix!r}"
        end = suffix or "_l0"
        raise ValueError(
            f"`state_dict` has no weight_ih{end} and weight_hh{end}{where}; "
            f"it has {sorted(arrays)[:8]}"
        )
    if f"{module}weight_hr{suffix}" in arrays:
        raise ValueError("an LSTM with projections (proj_size) has no counterpart in lyapnet")
    names = {kind: f"{module}{kind}{suffix}" for kind in _KINDS}
    V, W, b_ih, b_hh = (
        as_array(name, arrays[name]) if name in arrays else None for name in names.values()
    )
    assert W is not None
    assert V is not None
    if b_ih is None or b_hh is None:
        return make_cell(W, V, b_ih if b_hh is None else b_hh, activation=activation)
    if W.shape[0] != 3 * W.shape[-1]:
        return make_cell(W, V, b_ih + b_hh, activation=activation)
    # The reset gate multiplies the candidate's recurrent bias: it stays by itself.
    n = W.shape[-1]
    b = np.concatenate([b_ih[: 2 * n] + b_hh[: 2 * n], b_ih[2 * n :]])
    return make_cell(W, V, b, b_hh[2 * n :], activation=activation)


def to_torch(
    cell: Any, *, layer: int = 0, reverse: bool = False, prefix: str = ""
) -> dict[str, Array]:
    """Return the state dict of the `torch.nn.RNN`, `LSTM` or `GRU` that a cell is.

    Load it with ``module.load_state_dict({k: torch.from_numpy(x) for k, x in found.items()})``,
    into a module with biases, with ``nonlinearity="relu"`` if it is a ReLU network. For how
    the states correspond see `from_torch`.

    Parameters
    ----------
    cell : VanillaRNN, LSTM, GRU or Stack of one kind
    layer : int, optional
        Number of the layer, of a stack's lowest one.
    reverse : bool, optional
        Whether it is the direction that runs backward in time.
    prefix : str, optional
        The module's name in the state dict of a larger one.

    Returns
    -------
    dict of str to array
        A framework's two biases are its sum and zero, where only the sum matters.

    Raises
    ------
    ValueError
        If PyTorch cannot express it: a leak, another activation, a GRU with
        ``reset_after=False``, an ensemble, a stack of layers of different kinds or sizes.

    Examples
    --------
    >>> import lyapnet as ln
    >>> {name: x.shape for name, x in ln.to_torch(ln.GRU.random(2, rng=0)).items()}
    {'weight_ih_l0': (6, 1), 'weight_hh_l0': (6, 2), 'bias_ih_l0': (6,), 'bias_hh_l0': (6,)}
    """
    layer = validate.integer("layer", layer, low=0)
    reverse, prefix = validate.flag("reverse", reverse), validate.text("prefix", prefix)
    cells = cell.cells if isinstance(cell, Stack) else (cell,)
    found: dict[str, Array] = {}
    for i, one in enumerate(cells, layer):
        p = parts_of(one, "PyTorch", ("tanh", "relu"))
        if type(one) is not type(cells[0]) or one.dim != cells[0].dim:
            raise ValueError("`cell` has layers of different kinds or sizes, and PyTorch has not")
        if getattr(one, "activation", None) is not getattr(cells[0], "activation", None):
            raise ValueError("`cell` has layers of different activations, and PyTorch has not")
        if getattr(one, "reset_after", True) is False:
            raise ValueError("`cell` has reset_after=False, and PyTorch has no such GRU")
        b_hh = np.zeros(p["b"].shape)
        if "c" in p:
            b_hh[-len(p["c"]) :] = p["c"]
        start = f"{prefix.rstrip('.')}." if prefix else ""
        for kind, x in zip(_KINDS, (p["V"], p["W"], p["b"], b_hh), strict=True):
            found[f"{start}{kind}{_suffix(i, reverse)}"] = x
    return found


def put_back(
    arrays: dict[str, Any],
    cell: Cell,
    *,
    layer: int = 0,
    reverse: bool = False,
    prefix: str | None = None,
) -> dict[str, Any] | None:
    """Return a state dict with other weights of a layer; None if it is no state dict."""
    suffix = _suffix(layer, reverse)
    numbered = module_of(arrays, f"weight_hh{suffix}", prefix)
    module = module_of(arrays, "weight_hh", prefix) if numbered is None else numbered
    if module is None:
        return None
    found = to_torch(cell, layer=layer, reverse=reverse, prefix=module)
    if numbered is None:
        found = {name.removesuffix(suffix): x for name, x in found.items()}
    return {**arrays, **found}
