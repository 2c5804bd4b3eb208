"""What the user gives as a step: a function of PyTorch, a module, or a function of modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from .. import validate
from ..numerics.arrays import Array
from ..systems.foreign import RANDOM
from ..systems.user_function import refuse_input_first
from .staged import without_warning

#: Modules that draw at random in training.
_RANDOM = (torch.nn.modules.dropout._DropoutNd,)


class StepFunction:
    """A step ``f(params, h, u)`` of one state ``(n,)``, with parameters by name.

    Parameters
    ----------
    step : callable
        ``step(h)`` or ``step(h, u)``, and with a mapping of parameters these as last argument. It
        may ask for a batch ``(1, n)``.
    n : int
    m : int
    params : Module, mapping or None
        The module whose parameters `step` uses; or names and tensors.
    dtype : torch.dtype
        To compute in.
    """

    def __init__(self, step: Callable[..., Any], n: int, m: int, params: Any, dtype: Any) -> None:
        self.n, self.m, self.dtype = n, m, dtype
        self.module: torch.nn.Module | None = None
        self._takes_params = False
        if params is None:
            owner = step if isinstance(step, torch.nn.Module) else getattr(step, "__self__", None)
            params = owner if isinstance(owner, torch.nn.Module) else {}
        elif isinstance(params, Mapping):
            self._takes_params = True
        self._given: Any = params
        self._step = step
        _refuse_input_first(step, m > 0, m == n)
        if isinstance(params, torch.nn.Module):
            self.module = params
            self._call = _Call(step, params)
            self._places = _places(params)
        #: Names of the parameters, then those of buffers and of parameters that are frozen.
        free = self.module is None
        self.names = sorted(k for k, x in self.all().items() if free or x.requires_grad)
        self.constant = sorted(set(self.all()) - set(self.names))
        self._batch = False
        self._batch = self._asks_for_a_batch()

    def all(self) -> dict[str, Any]:
        """Return everything that has a name, as it is now."""
        if self.module is None:
            return dict(self._given)
        return {**dict(self.module.named_parameters()), **dict(self.module.named_buffers())}

    def current(self) -> dict[str, Array]:
        """Return the parameters as they are now, ``float64``."""
        found = self.all()
        return {name: as_array(name, found[name]) for name in self.names}

    def constants(self) -> list[Any]:
        """Return the tensors that are no parameters."""
        found = self.all()
        return [cast(found[name].detach(), self.dtype) for name in self.constant]

    def fixed(self, params: Mapping[str, Array]) -> list[Any]:
        """Return parameters and constants in order, as tensors to compute with."""
        given = (np.ascontiguousarray(params[name]) for name in self.names)
        return [*(torch.tensor(x, dtype=self.dtype) for x in given), *self.constants()]

    def store(self, params: Mapping[str, Array]) -> None:
        """Write parameters into the module or the tensors that were given."""
        found = self.all()
        with torch.no_grad():
            for name in self.names:
                if isinstance(found[name], torch.Tensor):
                    found[name].copy_(torch.as_tensor(params[name]))
                else:
                    found[name][...] = params[name]

    def __call__(self, fixed: Sequence[Any], h: Any, u: Any) -> Any:
        """Return the next state ``(n,)``, given parameters and constants in order."""
        named = dict(zip((*self.names, *self.constant), fixed, strict=True))
        if self._batch:
            return self._run(named, h[None], None if u is None else u[None])[0]
        return self._run(named, h, u)

    def _run(self, params: Mapping[str, Any], h: Any, u: Any) -> Any:
        args = (h,) if u is None else (h, u)
        if self._takes_params:
            return self._step(*args, dict(params))
        if self.module is None:
            return self._step(*args)
        named = {f"module.{place}": params[name] for place, name in self._places.items()}
        return torch.func.functional_call(self._call, named, args, tie_weights=False)

    def _asks_for_a_batch(self) -> bool:
        """Try the step on one state, then on a batch of one."""
        refuse_random(self.module)
        params = {
            **{name: torch.as_tensor(x, dtype=self.dtype) for name, x in self.current().items()},
            **dict(zip(self.constant, self.constants(), strict=True)),
        }
        h = torch.zeros(self.n, dtype=self.dtype)
        u = torch.zeros(self.m, dtype=self.dtype) if self.m else None
        failed: Exception | None = None
        with torch.no_grad():
            for lead in ((), (1,)):
                args = h.expand(*lead, self.n), None if u is None else u.expand(*lead, self.m)
                try:
                    y = self._run(params, *args)
                except Exception as error:  # of the user's function: reported below
                    failed = failed or error
                    continue
                if isinstance(y, torch.Tensor) and y.shape == args[0].shape:
                    self._refuse_random(y, self._run(params, *args))
                    # noise that multiplies a state of zeros is seen in its derivative
                    self._refuse_random(*(self._derivative(params, *args) for _ in range(2)))
                    return lead == (1,)
                got = tuple(y.shape) if isinstance(y, torch.Tensor) else type(y).__name__
                raise ValueError(
                    "`step` must return the next state, a tensor of the state's shape "
                    f"{tuple(args[0].shape)}, got {got} (parts of a state, such as h and c, go "
                    "side by side: torch.cat)"
                ) from failed
        called = "step(h, u)" if self.m else "step(h)"
        remedy = f"; it is called as {called}, and the parts of a state are one tensor h"
        if "dtype" in str(failed):
            remedy = (
                f": the states are {str(self.dtype).removeprefix('torch.')}; give the module whose "
                "parameters the step uses as `params`, so that they are, too"
            )
        raise TypeError(
            f"`step` failed for a state of shape ({self.n},): {failed}{remedy}"
        ) from failed

    @staticmethod
    def _refuse_random(first: Any, second: Any) -> None:
        """Refuse a step that does not do the same again."""
        if not torch.equal(first.nan_to_num(), second.nan_to_num()):
            raise ValueError(RANDOM)

    def _derivative(self, params: Mapping[str, Any], h: Any, u: Any) -> Any:
        """Try the step as its tangent vectors will go through it."""
        step = partial(self._run, params, u=u)
        row = torch.ones_like(h)
        try:
            with without_warning():
                return torch.vmap(lambda row: torch.func.jvp(step, (h,), (row,))[1])(row[None])
        except RuntimeError as error:
            said = str(error)
            if "random" in said:
                raise ValueError(RANDOM) from error
            remedy = ""
            if "storage" in said or "numpy" in said:
                remedy = "; it must compute in PyTorch alone, not in NumPy or in numbers of Python"
            raise TypeError(
                f"`step` cannot be differentiated in its state by torch.func.jvp: {said}{remedy}"
            ) from error


def _refuse_input_first(step: Any, driven: bool, alike: bool) -> None:
    """Refuse modules in PyTorch's own order, input before state."""
    forward = step.forward if isinstance(step, torch.nn.Module) else step
    remedy = "give lambda h, u: module(u, h), with params=module"
    if getattr(forward, "__module__", "") == torch.nn.RNNBase.__module__:
        remedy = "make a system of it by lyapnet.torch.from_module"
    refuse_input_first("step", forward, "h", driven, remedy, alike)


class _Call(torch.nn.Module):
    """A function beside the module that it uses, so that its parameters can be exchanged."""

    def __init__(self, function: Callable[..., Any], module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module
        self._function = (function,)  # in a tuple it is not a submodule of its own

    def forward(self, *args: Any) -> Any:
        return self._function[0](*args)


def _places(module: torch.nn.Module) -> dict[str, str]:
    """Return where tensors are to be exchanged, and under which name each is known.

    A tensor may have several places. But a submodule that has several names has each of its places
    once: PyTorch, exchanging one twice, would put back what it has put there itself.
    """
    tensors = (*module.named_parameters(), *module.named_buffers())
    known = {id(x): name for name, x in tensors}
    places = {}
    for path, part in module.named_modules():
        own = dict(recurse=False, remove_duplicate=False)
        for name, x in (*part.named_parameters(path, **own), *part.named_buffers(path, **own)):
            places[name] = known[id(x)]
    return places


def cast(x: Any, dtype: torch.dtype) -> Any:
    """Bring a tensor to the CPU, and a real one to a type; differentiable."""
    return x.to("cpu", dtype) if x.is_floating_point() else x.to("cpu")


def refuse_random(module: torch.nn.Module | None) -> None:
    """Refuse a module in which dropout is at work."""
    for name, part in () if module is None else module.named_modules():
        if part.training and isinstance(part, _RANDOM) and part.p > 0:
            raise ValueError(
                f"`step` draws at random in {name or 'its module'} ({part}), and exponents are "
                "those of one map: call .eval() before"
            )


def as_array(name: str, x: Any) -> Array:
    """Return a tensor or array as a float64 array of its own."""
    if isinstance(x, torch.Tensor):
        if x.is_complex():
            raise TypeError(f"`{name}` is complex: write its real and imaginary part side by side")
        x = x.detach().to("cpu", torch.float64).numpy()
    return np.array(validate.array(name, x))
