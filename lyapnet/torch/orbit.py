"""The orbit of a system written in PyTorch: no Jacobian is formed, forward or in reverse."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from ..numerics.arrays import Array
from ..systems.foreign import ForeignOrbit, Traced
from ..systems.orbit import Cotangent
from .function import StepFunction
from .staged import Staged, each, trace, without_assignments

#: Numbers in the tangent vectors that are differentiated at once.
_PART = 2**21

#: Under `torch.inference_mode`, which a caller may be in, all gradients are zero without a word.
_OUTSIDE = torch.inference_mode(False)


class Functions(Traced):
    """A step's map, tangent map and adjoint, each traced once for each shape of its arguments."""

    def __init__(self, step: StepFunction) -> None:
        self.step = step
        self._staged: dict[Any, Staged] = {}
        self._traced: dict[Any, Any] = {}
        #: The step without assignments to tensors, once it has been looked at.
        self._pure: Any = None

    @_OUTSIDE
    def once(self, params: dict[str, Array], h: Array, u: Array) -> Array:
        """Return what the step as it is written makes of one state."""
        h, u = (torch.tensor(x, dtype=self.step.dtype) for x in (h, u))
        with torch.no_grad():
            y = self.step(self.step.fixed(params), h, u if self.step.m else None)
        return np.asarray(y.numpy())

    def forget(self) -> None:
        """Forget what was traced."""
        self._staged.clear()
        self._traced.clear()
        self._pure = None

    def prepare(self, fixed: Any, h: Any, u: Any) -> None:
        """Look at the step, at one state ``(n,)`` and input ``(m,)`` of a run."""
        if self._pure is None:
            with torch.no_grad():
                self._pure = without_assignments(
                    self._written, fixed, [h], [] if u is None else [u]
                )

    def _written(self, fixed: Any, h: Any, u: Any) -> Any:
        return self.step(fixed, h[0], u[0] if u else None)

    def _step(self, fixed: Any, h: Any, u: Any) -> Any:
        """Return the next state of one."""
        return self._pure(fixed, [h], [] if u is None else [u])

    def run(self, fixed: Any, given: Any, carried: Any) -> Any:
        """Take one step from ``x (B, n)`` or ``(n,)``.

        Over members within a forward derivative, which is thrown away: it takes PyTorch's fused
        operations apart, such as that of an LSTMCell, which `vmap` cannot map by itself.
        """
        u, axes = given[0] if given else None, carried[0].ndim - 1
        if not axes:
            return self._step(fixed, carried[0], u)

        def one(x: Any, u: Any) -> Any:
            step = partial(self._step, fixed, u=u)
            return torch.func.jvp(step, (x,), (torch.zeros_like(x),))[0]

        return over_members(one, axes)(carried[0], u)

    def push(self, fixed: Any, given: Any, carried: Any) -> Any:
        """Multiply rows ``(..., k, n)`` by the Jacobian."""

        def one(x: Any, u: Any, rows: Any) -> Any:
            step = partial(self._step, fixed, u=u)
            return torch.vmap(lambda row: torch.func.jvp(step, (x,), (row,))[1])(rows)

        return self._mapped(one, given, carried)

    def pull(self, fixed: Any, given: Any, carried: Any) -> Any:
        """Multiply rows ``(..., k, n)`` by the transposed Jacobian."""
        return self._mapped(lambda *a: self.back(fixed, *a), given, carried)

    def back(self, fixed: Any, x: Any, u: Any, rows: Any) -> Any:
        """Multiply rows ``(k, n)`` by the transposed Jacobian at one state."""
        _, vjp = torch.func.vjp(lambda x: self._step(fixed, x, u), x)
        return torch.vmap(lambda row: vjp(row)[0])(rows)

    @staticmethod
    def _mapped(one: Callable[..., Any], given: Any, carried: Any) -> Any:
        return over_members(one, given[0].ndim - 1)(*_both(given), carried[0])

    def at(self, name: str, fixed: Any, given: Any, rows: Any) -> Callable[..., Any]:
        r"""Return `step` or `back` at one state as a function (fixed, x, u, \*rows), traced."""
        function = self._step if name == "step" else self.back

        def plain(fixed: Any, given: Any, rows: Any) -> Any:
            return function(fixed, *_both(given), *rows)

        key = name, "at", *(tuple(x.shape) for x in (*given, *rows))
        if key not in self._traced:
            with torch.no_grad():
                self._traced[key] = trace(plain, fixed, given, rows)
        graph = self._traced[key]
        if graph is None:
            return plain
        return lambda fixed, given, rows: graph(*fixed, *given, *rows)

    def along(self, name: str, fixed: Any, given: Any, carried: Any) -> Callable[..., Any]:
        """Return one of the three as a function of (step, carried)."""
        shapes = (name, *(tuple(x.shape[1:]) for x in given), tuple(carried.shape))
        if shapes not in self._staged:
            at = [x[0] for x in given]
            self._staged[shapes] = Staged(getattr(self, name), fixed, at, [carried])
        return self._staged[shapes].along(fixed, given)


def _both(given: Any) -> tuple[Any, Any]:
    """Return a state and its input, None where there is none."""
    return given[0], given[1] if len(given) > 1 else None


def over_members(function: Callable[..., Any], axes: int) -> Callable[..., Any]:
    """Map a function (x, u, ...) of one member over one axis of members, or none."""
    if not axes:
        return function
    return lambda x, u, *more: each(function, x, u, *more)


class TorchOrbit(ForeignOrbit):
    """A stretch of trajectory of a `lyapnet.torch.System`; see `Orbit` for the contract.

    The axes of the ensemble are one for PyTorch, of B members.
    """

    @_OUTSIDE
    def __init__(
        self, functions: Functions, params: dict[str, Array], x: Array, inputs: Any, n_steps: int
    ) -> None:
        self.functions = functions
        self.inputs = None if inputs is None else inputs[:n_steps]
        self._names, self._dtype = functions.step.names, functions.step.dtype
        self._fixed = functions.step.fixed(params)
        self._constants = self._fixed[len(self._names) :]
        self._lead = x.shape[:-1]
        self._members = (math.prod(self._lead),) if self._lead else ()
        self._u = None
        if self.inputs is not None and functions.step.m:
            shape = (*self.inputs.shape[:1], *self._lead, functions.step.m)
            u = np.broadcast_to(self.inputs, shape)
            self._u = self._tensor(u.reshape(n_steps, *self._members, shape[-1]))
        elif functions.step.m:
            self._u = torch.zeros(n_steps, *self._flat(x).shape[:-1], functions.step.m).to(
                self._dtype
            )
        first = self._tensor(self._flat(x))
        if n_steps:
            given = [first] if self._u is None else [first, self._u[0]]
            one = [y.reshape(-1, y.shape[-1])[0] for y in given]
            functions.prepare(self._fixed, *_both(one))
        states = self._run(first, n_steps)
        self._x = states[:-1]
        self.states = states.numpy().astype(float).reshape(n_steps + 1, *x.shape)
        self._along: dict[Any, Callable[..., Any]] = {}

    def _tensor(self, x: Array) -> Any:
        return torch.tensor(np.ascontiguousarray(x), dtype=self._dtype)

    def _flat(self, x: Array) -> Array:
        """Return ``(..., n)`` with the ensemble's axes made one."""
        return x.reshape(*self._members, x.shape[-1])

    @property
    def _given(self) -> list[Any]:
        return [self._x] if self._u is None else [self._x, self._u]

    def _run(self, x: Any, n_steps: int) -> Any:
        states = x.new_empty((n_steps + 1, *x.shape))
        states[0] = x
        if n_steps:
            with torch.no_grad():
                given = [] if self._u is None else [self._u]
                step = self.functions.along("run", self._fixed, given, x)
                for s in range(n_steps):
                    states[s + 1] = step(s, states[s])
        return states

    @_OUTSIDE
    def _apply(self, name: str, s: int, rows: Array, out: Array) -> None:
        flat = rows.reshape(*self._members, *rows.shape[-2:])
        with torch.no_grad():
            vectors = self._tensor(flat)
            key = name, flat.shape
            if key not in self._along:
                self._along[key] = self.functions.along(name, self._fixed, self._given, vectors)
            found = self._along[key](s, vectors)
        out[...] = found.numpy().reshape(rows.shape)

    def tangent_adjoint(self, rows: Array, rows_bar: Array) -> Cotangent:
        """Differentiate ``sum(rows (D^T rows_bar))``, reverse mode twice.

        Reverse mode of forward mode, which would do as well, is wrong in PyTorch for functions
        whose forward derivative reads saved statistics, such as `layer_norm`.
        """
        return self._pull_through("back", rows, rows_bar)

    def state_adjoint(self, states_bar: Array, inputs: bool = True) -> Cotangent:
        """Backpropagate through time: one step after the other, then through all at once."""
        bars = np.array(states_bar)
        back = np.empty((*self._lead, 1, bars.shape[-1]))
        for s in reversed(range(self.n_steps)):
            self.pull(s, bars[s + 1][..., None, :], back)
            bars[s] += back[..., 0, :]
        through = self._pull_through("step", bars[1:])
        return Cotangent(bars[0], through.inputs, through.params)

    @_OUTSIDE
    def _pull_through(self, name: str, bar: Array, *more: Array) -> Cotangent:
        """Pull a cotangent back through a function of all steps and members, in parts."""
        x, u = self._x, self._u
        free = self._fixed[: len(self._names)]
        bars: list[list[Any]] = []
        part = max(1, _PART // max(1, bar[:1].size))
        for start in range(0, self.n_steps, part):
            at = slice(start, start + part)
            states = [x[at].flatten(0, -2), *([] if u is None else [u[at].flatten(0, -2)])]
            rows = [self._tensor(y[at]).flatten(0, len(self._lead)) for y in more]
            bars.append(self._one_part(name, [*states, *free], rows, self._tensor(bar[at])))
        sums = list(zip(*bars, strict=True))
        summed = [sum(y).numpy().astype(float) for y in sums[len(sums) - len(free) :]]
        return Cotangent(
            torch.cat(sums[0]).numpy().astype(float).reshape(self.states[:-1].shape),
            None if u is None else self._inputs_bar(torch.cat(sums[1]).numpy().astype(float)),
            dict(zip(self._names, summed, strict=True)) or None,
        )

    def _one_part(self, name: str, wanted: list[Any], rows: list[Any], bar: Any) -> list[Any]:
        """Return the cotangents of states, inputs and parameters of some steps."""
        wanted = [w.detach().requires_grad_() for w in wanted]
        count = 1 if self._u is None else 2
        given, fixed = wanted[:count], [*wanted[count:], *self._constants]
        ones = [x[0].detach() for x in given], [x[0] for x in rows]
        function = self.functions.at(name, self._fixed, *ones)
        with torch.enable_grad():  # which a backward pass around this one has off
            y = each(lambda *at: function(fixed, at[:count], at[count:]), *given, *rows)
        if not y.requires_grad:
            return [torch.zeros_like(w) for w in wanted]
        found = torch.autograd.grad(y, wanted, bar.reshape(y.shape), allow_unused=True)
        return [torch.zeros_like(w) if g is None else g for w, g in zip(wanted, found, strict=True)]
