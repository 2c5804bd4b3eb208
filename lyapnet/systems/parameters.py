"""The parameters of any system under names, as the optimiser sees them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DivergedError
from ..numerics.arrays import Params, all_finite
from ..numerics.autodiff import Tree, is_leaf, leaves, rebuild
from . import System, as_system


def flossable(cell: Any) -> System:
    """Return a system that has parameters to change."""
    system = as_system(cell, "cell")
    if not leaves(system.params):
        raise ValueError(f"`cell` must have parameters to floss, but {cell!r} has no params")
    return system


def named(params: Tree) -> Params:
    """Return a system's parameters as a dictionary of arrays."""
    if _is_flat(params):
        return {name: np.asarray(params[name], dtype=float) for name in sorted(params)}
    return {f"params[{i}]": np.asarray(x, dtype=float) for i, x in enumerate(leaves(params))}


def named_params(params: Tree, grads: Tree) -> tuple[Params, Params]:
    """Return a system's parameters and their gradients as dictionaries of arrays of equal shapes.

    Raises
    ------
    DivergedError
        If a gradient is not finite.
    """
    theta, bars = named(params), {}
    for name, bar in zip(theta, leaves(grads), strict=True):
        bars[name] = np.asarray(bar, dtype=float)
        if bars[name].shape != theta[name].shape:
            bars[name] = np.broadcast_to(bars[name], theta[name].shape)
        if not all_finite(bars[name]):
            raise DivergedError(
                f"the gradient in `{name}` is not finite; use fewer steps, a smaller learning "
                "rate or a smaller gain"
            )
    return theta, bars


def with_named_params(system: System, params: Params) -> System:
    """Return a system with the parameters that `named_params` has named."""
    if _is_flat(system.params):
        return system.with_params(params)
    return system.with_params(rebuild(system.params, list(params.values())))


def _is_flat(params: Tree) -> bool:
    """Say whether parameters are a dictionary of arrays already."""
    if not isinstance(params, dict):
        return False
    return all(type(x) is np.ndarray or is_leaf(x) for x in params.values())
