"""Modules that are not on the CPU: computed there, said so once, and answered where they are."""

from __future__ import annotations

import warnings
from typing import Any
from weakref import WeakSet

import torch

from .system import System

#: Modules of which it has been said.
_TOLD: WeakSet[Any] = WeakSet()


def tensor_of(module: Any) -> Any:
    """Return a tensor with the precision and device of a module, or of what a system is made of."""
    owner = getattr(module, "module", module) if isinstance(module, System) else module
    if isinstance(owner, torch.nn.Module):
        return next(owner.parameters(), torch.zeros(()))
    given = module.tensors() if isinstance(module, System) else {}
    return next(iter(given.values()), torch.zeros((), dtype=torch.float64))


def tell_of_device(module: Any) -> None:
    """Warn once of a module that has to be copied; refuse one that has no numbers."""
    device = tensor_of(module).device
    if device.type == "meta":
        raise ValueError(
            "`module` is on the meta device, where parameters have no values: load its weights "
            'before, after `module.to_empty(device="cpu")`'
        )
    if device.type == "cpu" or module in _TOLD:
        return
    _TOLD.add(module)
    warnings.warn(
        f"the module is on {device}, and exponents are computed on the CPU: its parameters are "
        "copied there in each call, and their gradients back",
        stacklevel=4,
    )


def brought(module: Any, x: Any) -> Any:
    """Bring a tensor to the device of a module, in the precision that there is."""
    device = tensor_of(module).device
    return x.to(device, torch.float32) if device.type == "mps" else x.to(device)
