"""`torch.nn.RNN`, `LSTM` and `GRU`: as cells of lyapnet, or where there is none as a system."""

from __future__ import annotations

from typing import Any

import torch

from .. import validate
from ..cells import Stack
from ..systems import System as _System
from ..weights.layers import FIRST, make_cell, tell_of_others
from .function import as_array, cast
from .system import System

Tensors = dict[str, Any]

_LAYERS = torch.nn.RNN, torch.nn.LSTM, torch.nn.GRU
_CELLS = torch.nn.RNNCell, torch.nn.LSTMCell, torch.nn.GRUCell


def from_module(rnn: Any, *, layer: int | None = FIRST, reverse: bool | None = None) -> _System:
    """Make a cell of a recurrent layer of PyTorch.

    A copy of the weights: what changes in one does not change the other. Dropout between layers is
    left out, in training mode, too: exponents are those of one map. For how states correspond see
    `lyapnet.from_torch`: a vanilla network's is the pre-activation.

    Parameters
    ----------
    rnn : nn.RNN, nn.LSTM, nn.GRU or one of their Cell modules
        On any device, in any precision.
    layer : int or None, optional
        Which layer; None for all, as a `Stack`; the first, with a warning if there are others,
        unless said. A layer above the first is driven by the output of the one below.
    reverse : bool, optional
        Which direction of a bidirectional module, for which it is needed: each is a system of its
        own. True is the one that runs backward in time, and takes its inputs in reverse order.

    Returns
    -------
    VanillaRNN, LSTM, GRU or Stack
        Of an LSTM with projections a `System`, whose state is h and c side by side.

    Raises
    ------
    TypeError
        If it is none of these modules.
    ValueError
        If it has no such layer or direction; if it is bidirectional and no direction is given, or
        all layers are asked for, which from the second on know the future.

    Examples
    --------
    >>> import torch
    >>> import lyapnet.torch as lt
    >>> lt.from_module(torch.nn.GRU(2, 8))
    GRU(dim=8, n_inputs=2)
    >>> lt.from_module(torch.nn.LSTM(2, 8, num_layers=2), layer=None)
    Stack(dim=32, n_inputs=2)
    """
    rnn = unwrapped(rnn)
    if not is_standard(rnn):
        raise TypeError(
            f"`rnn` must be an nn.RNN, nn.LSTM, nn.GRU or one of their Cell modules, got {rnn!r}: "
            "of any other module make a lyapnet.torch.System"
        )
    reverse = _direction(rnn, reverse)
    numbers = _numbers(rnn, layer)
    tell_of_others(layer, getattr(rnn, "num_layers", 1))
    if is_projected(rnn):
        systems = [projected(rnn, i, reverse) for i in numbers]
        if len(systems) > 1:
            raise ValueError("`layer` must be a number for an LSTM with projections, got None")
        return systems[0]
    return cell_of(rnn, [layer_tensors(rnn, i, reverse) for i in numbers])


def unwrapped(module: Any) -> Any:
    """Return the module behind `torch.compile` and PyTorch's wrappers for several devices."""
    while isinstance(module, torch.nn.Module):
        if isinstance(module, torch.nn.DataParallel | torch.nn.parallel.DistributedDataParallel):
            module = module.module
        elif hasattr(module, "_orig_mod"):
            module = module._orig_mod
        else:
            break
    return module


def is_standard(module: Any) -> bool:
    """Say whether a module is a recurrent layer or cell of PyTorch."""
    return isinstance(module, (*_LAYERS, *_CELLS))


def is_projected(rnn: Any) -> bool:
    """Say whether an LSTM has projections."""
    return getattr(rnn, "proj_size", 0) > 0


def _direction(rnn: Any, reverse: bool | None) -> bool:
    """Say whether the direction that is meant is the backward one."""
    both = getattr(rnn, "bidirectional", False)
    if both and reverse is None:
        raise ValueError(
            "`rnn` is bidirectional, and its two directions are systems of their own: say which by "
            "`reverse=False` or `reverse=True`, which takes its inputs in reverse order"
        )
    if reverse and not both:
        raise ValueError("`reverse` is for a bidirectional module, and this one is not")
    return bool(reverse)


def _numbers(rnn: Any, layer: int | None) -> list[int]:
    """Return the numbers of the layers that are meant."""
    count = getattr(rnn, "num_layers", 1)
    both = getattr(rnn, "bidirectional", False)
    if layer is not None:
        return [validate.integer("layer", layer, low=0, high=count - 1)]
    if both and count > 1:
        raise ValueError(
            "`layer` must be a number for a bidirectional module: layers above the first see "
            "past and future at once, and no recursion in time"
        )
    return list(range(count))


def _weight(rnn: Any, kind: str, number: int, reverse: bool) -> Any:
    """Return one of the weights of a layer, None if it has none of this kind."""
    suffix = f"_l{number}{'_reverse' if reverse else ''}" if isinstance(rnn, _LAYERS) else ""
    return getattr(rnn, kind + suffix, None)


def layer_tensors(rnn: Any, number: int = 0, reverse: bool = False) -> Tensors:
    """Return the parameters of the cell of one layer, as functions of the module's own."""
    given = [
        _weight(rnn, kind, number, reverse)
        for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ]
    V, W, b, c = ([] if x is None else cast(x, torch.float64) for x in given)
    n = W.shape[-1]
    gru = isinstance(rnn, torch.nn.GRU | torch.nn.GRUCell)
    if not len(b):
        b = c = W.new_zeros(len(W))
    if not gru:
        return {"W": W, "V": V, "b": b + c}
    # The reset gate multiplies the candidate's recurrent bias: it stays by itself.
    gates = b[: 2 * n] + c[: 2 * n]
    return {"W": W, "V": V, "b": torch.cat([gates, b[2 * n :]]), "c": c[2 * n :]}


def cell_of(rnn: Any, layers: list[Tensors]) -> Any:
    """Make a cell of the parameters of each layer."""
    activation = getattr(rnn, "nonlinearity", "tanh")
    arrays: list[dict[str, Any]] = [{k: as_array(k, x) for k, x in one.items()} for one in layers]
    cells = [make_cell(**one, activation=activation) for one in arrays]
    return cells[0] if len(cells) == 1 else Stack(cells)


def projected(rnn: Any, number: int = 0, reverse: bool = False) -> System:
    """Make a system of a layer of an LSTM with projections, with state (h, c)."""
    p, n = rnn.proj_size, rnn.hidden_size
    suffix = f"_l{number}{'_reverse' if reverse else ''}"

    def step(x: Any, u: Any) -> Any:
        V, W, P = (getattr(rnn, f"weight_{kind}{suffix}") for kind in ("ih", "hh", "hr"))
        h, c = x[:p], x[p:]
        a = V @ u + W @ h
        if rnn.bias:
            a = a + getattr(rnn, f"bias_ih{suffix}") + getattr(rnn, f"bias_hh{suffix}")
        i, f, g, o = a.split(n)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.cat([P @ (torch.sigmoid(o) * torch.tanh(c)), c])

    m = getattr(rnn, f"weight_ih{suffix}").shape[1]
    return System(step, p + n, n_inputs=m, params=rnn)


def first_state(rnn: Any, h0: Any, n: int, members: int | None) -> Any:
    """Return the state ``(n,)`` or ``(B, n)`` that a module's own first state is.

    Parameters
    ----------
    rnn : Module or System
    h0 : tensor, pair of tensors or None
        As the module takes it; None is zero.
    n : int
        Dimension of the state.
    members : int or None
        B, None for a single sequence.
    """
    lead = () if members is None else (members,)
    if h0 is None:
        return torch.zeros(*lead, n, dtype=torch.float64)
    parts = [cast(torch.as_tensor(x), torch.float64) for x in _pair(rnn, h0)]
    layers = getattr(rnn, "num_layers", None)
    if layers is not None and all(x.ndim == len(lead) + 2 for x in parts):
        # PyTorch has the layers in front; here the states of a layer lie side by side.
        parts = [x[i] for i in range(layers) for x in parts]
    x = torch.cat(parts, dim=-1)
    if x.shape[-1] != n or (x.shape not in ((n,), (*lead, n)) and members is not None):
        raise ValueError(
            f"`h0` must be a first state as the module takes it, here of shape {(*lead, n)} or of "
            f"its layers, got {[tuple(part.shape) for part in parts]}"
        )
    if isinstance(rnn, torch.nn.RNN | torch.nn.RNNCell):
        x = _before_activation(x, rnn.nonlinearity)
    return x.expand(*lead, n) if members is not None else x


def _pair(rnn: Any, h0: Any) -> tuple[Any, ...]:
    lstm = isinstance(rnn, torch.nn.LSTM | torch.nn.LSTMCell)
    if lstm != isinstance(h0, tuple):
        wanted = "a pair (h, c)" if lstm else "a tensor"
        raise TypeError(f"`h0` must be {wanted}, got {type(h0).__name__}")
    return h0 if lstm else (h0,)


def _before_activation(r: Any, nonlinearity: str) -> Any:
    """Return the pre-activations that hidden states are of."""
    if nonlinearity == "relu":
        if (r < 0).any():
            raise ValueError("`h0` must not be negative: a hidden state behind a ReLU is not")
        return r
    if (r.abs() >= 1).any():
        raise ValueError(
            "`h0` must lie in (-1, 1): a hidden state behind a tanh does; of something drawn take "
            "torch.tanh"
        )
    return torch.atanh(r)
