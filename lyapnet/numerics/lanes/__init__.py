"""Many arrays in the place of one: a function that a user wrote for one state runs on all at once.

A `Lanes` answers like an array, to NumPy's and autograd's functions alike; every operation is done
on all lanes by autograd's function of the same name, so that it can be traced. What has no rule
here is refused with a TypeError: then the function is run state by state.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp

from ..arrays import Array
from . import gradients, rules
from .array import Lanes, as_lanes, lifted
from .decisions import Decision, recording

__all__ = ["Decision", "Lanes", "gradients", "in_lanes", "lifted", "recording", "rules"]


def in_lanes(function: Callable[..., Any], x: Array, u: Any, p: Any) -> Any:
    """Evaluate a user's function of one state on all states ``(..., n)``.

    Parameters
    ----------
    function : callable (x, u, p)
    x : array (..., n)
    u : array (..., m) or None
        Of the same leading axes.
    p : tree
        Leaves that differ between states, or are traced, are `Lanes`.
    """
    lead = x.shape[:-1]
    count = math.prod(lead)

    def columns(a: Any) -> Lanes:
        return Lanes(anp.reshape(a, (-1, a.shape[-1])).T)

    y = as_lanes(function(columns(x), None if u is None else columns(u), p))
    data = anp.broadcast_to(y.data, (*y.shape, count))
    return anp.reshape(anp.moveaxis(data, -1, 0), (*lead, *y.shape))
