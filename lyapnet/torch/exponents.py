"""Exponents as a function of PyTorch, over lyapnet's own two sweeps."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch.nn.utils.rnn import PackedSequence

from .. import validate
from ..numerics.arrays import Array, unbroadcast
from ..numerics.autodiff import leaves
from ..systems import System as _System
from ..tangent.gradient import Record, exponents, gradient
from ..tangent.interval import Interval
from ..tangent.plan import Plan, window_plan
from ..tangent.qr import orthonormalise
from ..tangent.start import check_inputs
from .device import brought, tell_of_device
from .function import cast
from .layers import (
    cell_of,
    first_state,
    is_projected,
    is_standard,
    layer_tensors,
    projected,
    unwrapped,
)
from .system import System

#: Steps of a module whose windows are known to be run again and again: it pays to compile.
_MANY = 10**6

#: What is kept of a module from call to call: systems made of it, intervals learnt, and how many
#: steps it has been run.
_MEMORY: WeakKeyDictionary[Any, dict[Any, Any]] = WeakKeyDictionary()


def finite_time_exponents(
    module: Any,
    inputs: Any,
    h0: Any = None,
    *,
    k: int,
    n_steps: int | None = None,
    transient: int = 0,
    basis_transient: int = 0,
    qr_interval: Any = "auto",
    rng: Any = None,
) -> Any:
    r"""Return the exponents of one window, with a gradient in parameters, h0 and inputs.

    Parameters
    ----------
    module : nn.RNN, nn.LSTM, nn.GRU, their Cell modules, System or Module
        The standard ones run on lyapnet's cells, all layers of a module together; any other
        module is called as ``module(h, u)``, see `System`. Dropout between layers is left out.
    inputs : tensor (T, m) or (T, B, m), or None
        One sequence, or one for each member of a batch; ``(B, T, m)`` for a module with
        ``batch_first=True``. None for a `System` without inputs.
    h0 : tensor, or a pair of such for an LSTM, optional
        First state as the module takes it, zeros if left out; of a vanilla network with tanh
        its entries lie in (-1, 1). Of other modules ``(n,)`` or ``(B, n)``.
    k : int
        Number of exponents, the leading ones.
    n_steps : int, optional
        Averaged steps; all that the inputs leave, if left out.
    transient, basis_transient : int, optional
        Steps of the state alone, then of state and basis, that are not averaged.
    qr_interval : int or "auto", optional
        Steps between factorisations. The automatic one is the longest that keeps the basis well
        conditioned, learnt from call to call; exponents depend on it by rounding only.
    rng : None, int, numpy or torch Generator, optional
        For the random orthonormal basis at the start; the same one in each call if left out. A
        Generator draws another one each time. PyTorch's own random stream is not touched.

    Returns
    -------
    tensor (k,) or (B, k)
        In QR order, nats per step, ``float64``, on the module's device. There are no second
        derivatives.

    Warns
    -----
    UserWarning
        Once for each module that is not on the CPU: everything is computed there in ``float64``, so
        its parameters are copied in each call. Gradients arrive where the parameters are.

    Notes
    -----
    A vanilla network's exponents are those of its pre-activations, as everywhere in lyapnet: over a
    finite window they differ at its ends from those of its outputs.

    A module's first calls are run by NumPy; by compiled loops, which differ by rounding, as soon as
    all of them together have 1000 steps.

    Dropout between the layers of a module is left out, in training, too: exponents are those of the
    one map that ``.eval()`` leaves.

    Examples
    --------
    >>> import torch
    >>> import lyapnet.torch as lt
    >>> lam = lt.finite_time_exponents(torch.nn.GRU(1, 8), torch.randn(20, 3, 1), k=2)
    >>> lam.shape
    torch.Size([3, 2])
    """
    module = unwrapped(module)
    tell_of_device(module)
    u = _sequence(module, inputs)
    system, params = _system(module, h0, 0 if u is None else u.shape[-1])
    x = first_state(module, h0, system.dim, None if u is None or u.ndim == 2 else u.shape[1])
    plan = window_plan(None if u is None else len(u), n_steps, transient, basis_transient)
    check_inputs(system, None if u is None else u.detach().numpy(), plan.total)
    k = validate.integer("k", k, low=1, high=system.dim)
    interval = Interval.of(qr_interval)
    if interval.automatic:
        interval = _remembered(module, ("interval", k, plan), lambda: interval)
    system = system.with_loops(k, _steps_with(module, plan.total))
    rows = _rows((*x.shape[:-1], k, system.dim), rng)
    lam = _Exponents.apply(_Run(system, plan, rows, interval), x, u, *params)
    return brought(module, lam)


def _sequence(module: Any, inputs: Any) -> Any:
    """Return the inputs as they are needed, ``(T, m)`` or ``(T, B, m)``."""
    if inputs is None:
        return None
    if isinstance(inputs, PackedSequence):
        raise TypeError(
            "`inputs` are packed, of sequences of several lengths, and exponents are averages over "
            "one: give those of each length by themselves, unpacked, or cut all to the shortest"
        )
    u = cast(torch.as_tensor(inputs), torch.float64)
    if u.ndim not in (2, 3) or not u.is_floating_point():
        raise ValueError(
            "`inputs` must be real numbers of shape (T, m) or (T, B, m), got "
            f"{tuple(u.shape)} of {u.dtype}"
        )
    batch_first = getattr(module, "batch_first", False)
    if is_standard(module) and u.shape[-1] != (m := module.input_size):
        many = f"(B, T, {m}), since batch_first=True" if batch_first else f"(T, B, {m})"
        raise ValueError(f"`inputs` must have shape (T, {m}) or {many}; got {tuple(u.shape)}")
    return u.transpose(0, 1) if u.ndim == 3 and batch_first else u


def expect_many(module: Any) -> None:
    """Have the loops of a module compiled in its first call, for many will follow."""
    _steps_with(module, _MANY)


def _steps_with(module: Any, more: int) -> int:
    """Return the steps that a module has been run so far, these included.

    Loops are compiled once there are enough, by whatever calls, for that to pay: how many calls
    will follow the first is not known, and NumPy does a single one before it is compiled.
    """
    kept = _MEMORY.setdefault(module, {})
    kept["steps"] = kept.get("steps", 0) + more
    return int(kept["steps"])


def _remembered(module: Any, key: Any, make: Any) -> Any:
    kept = _MEMORY.setdefault(module, {})
    if key not in kept:
        kept[key] = make()
    return kept[key]


def _system(module: Any, h0: Any, m: int) -> tuple[_System, list[Any]]:
    """Return a module as a system, and its parameters as tensors in the order of the leaves."""
    if is_standard(module) and not is_projected(module):
        if getattr(module, "bidirectional", False):
            raise ValueError(
                "`module` is bidirectional, and its two directions are systems of their own: make "
                "one module of each, the second with its inputs in reverse order"
            )
        layers = [layer_tensors(module, i) for i in range(getattr(module, "num_layers", 1))]
        cell = cell_of(module, layers)
        named = layers[0] if len(layers) == 1 else {
            f"layer{i}.{name}": x for i, layer in enumerate(layers) for name, x in layer.items()
        }  # fmt: skip
        return cell, [named[name] for name in sorted(cell.params)]
    if isinstance(module, System):
        system = module
    elif is_standard(module):
        if module.num_layers > 1 or module.bidirectional:
            raise ValueError("`module` must have one layer and direction if it has projections")
        system = _remembered(module, "system", lambda: projected(module))
    elif isinstance(module, torch.nn.Module):
        n = getattr(module, "hidden_size", None) if h0 is None else np.shape(h0)[-1]
        if n is None:
            parts = [name for name, part in module.named_modules() if is_standard(part)]
            remedy = f"; its recurrent part is module.{parts[0]}" if parts else ""
            raise ValueError(
                "`h0` is needed: the module has no hidden_size that tells the size of its state"
                + remedy
            )
        system = _remembered(module, ("system", n, m), lambda: System(module, n, n_inputs=m))
    else:
        raise TypeError(f"`module` must be a Module or a lyapnet.torch.System, got {module!r}")
    now = system.tensors()
    return system.with_params({k: x.detach().numpy() for k, x in now.items()}), list(now.values())


def _rows(shape: tuple[int, ...], rng: Any) -> Array:
    """Draw random orthonormal tangent vectors."""
    if isinstance(rng, torch.Generator):
        rows = torch.randn(shape, dtype=torch.float64, generator=rng, device=rng.device)
        rows = rows.cpu().numpy()
    else:
        rows = validate.generator(0 if rng is None else rng).standard_normal(shape)
    orthonormalise(rows)
    return rows


class _Run:
    """Both sweeps of one window."""

    def __init__(self, system: _System, plan: Plan, rows: Array, interval: Interval) -> None:
        self.system, self.plan, self.rows, self.interval = system, plan, rows, interval

    def forward(self, x: Array, u: Array | None, *, keep: bool) -> tuple[Array, Record]:
        """Return the exponents, and what the way back needs."""
        plan = self.interval.within(self.plan)
        inputs = None if u is None else u[: plan.total]
        lam, record = exponents(self.system, x, self.rows, inputs, plan, keep=keep)
        self.interval.adapt(record.smallest_sine, plan.n_steps)
        return lam, record


class _Exponents(torch.autograd.Function):
    """The exponents of a run as a function of first state, inputs and parameters."""

    @staticmethod
    def forward(ctx: Any, run: _Run, x: Any, u: Any, *params: Any) -> Any:
        ctx.run, ctx.shapes = run, [None if p is None else p.shape for p in (x, u, *params)]
        ctx.arrays = x.detach().numpy(), None if u is None else u.detach().numpy()
        lam, ctx.record = run.forward(*ctx.arrays, keep=any(ctx.needs_input_grad))
        return torch.from_numpy(np.ascontiguousarray(lam))

    @staticmethod
    def backward(ctx: Any, bar: Any) -> Any:
        found = _Exponents._cotangents(ctx, bar.detach())
        # Whoever differentiates these again is told so.
        return None, *(x if x is None else _Once.apply(bar, x) for x in found)

    @staticmethod
    @torch.no_grad()
    def _cotangents(ctx: Any, bar: Any) -> list[Any]:
        record, ctx.record = ctx.record, None  # a sweep uses its tape up
        if record is None:
            record = ctx.run.forward(*ctx.arrays, keep=True)[1]
        x_bar, _, u_bar, params_bar = gradient(record, bar.numpy())
        found = [x_bar, u_bar, *leaves(params_bar)]
        if params_bar is None:
            found += [0.0] * (len(ctx.shapes) - 2)
        return [
            None if shape is None else torch.from_numpy(_filled(x, shape))
            for x, shape in zip(found, ctx.shapes, strict=True)
        ]


class _Once(torch.autograd.Function):
    """A gradient that has no derivative."""

    @staticmethod
    def forward(ctx: Any, bar: Any, x: Any) -> Any:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, _: Any) -> Any:
        raise NotImplementedError(
            "Lyapunov exponents and flossing losses of lyapnet.torch have no second derivatives: "
            "leave out create_graph=True, or detach their gradients"
        )


def _filled(bar: Any, shape: tuple[int, ...]) -> Array:
    """Bring a cotangent to the shape of what it is of; inputs that were not used get zeros."""
    out = np.zeros(shape)
    if np.ndim(bar):
        bar = unbroadcast(bar, (len(bar), *shape[1:])) if len(shape) > 1 else bar
        out[: len(bar)] = bar
    elif bar is not None:
        out[...] = bar
    return out
