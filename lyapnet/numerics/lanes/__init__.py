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
import numpy as np

from ..arrays import Array
from ..insistent import not_caught
from . import algebra, gradients, rules
from .array import ConditionDiffers, Lanes, as_lanes, lifted, plain
from .decisions import Decision, is_recording, recording

__all__ = ["Decision", "Lanes", "algebra", "gradients", "in_lanes", "lifted", "recording", "rules"]


def in_lanes(function: Callable[..., Any], x: Array, u: Any, params: Callable[[Any], Any]) -> Any:
    """Evaluate a user's function of one state on all states ``(..., n)``.

    Where a condition in Python, an ``if``, is met by some of them, these and the others go on
    apart.

    Parameters
    ----------
    function : callable (x, u, p)
    x : array (..., n)
    u : array (..., m) or None
        Of the same leading axes.
    params : callable (which)
        Returns the parameters of some lanes. Leaves that differ between states, or are traced, are
        `Lanes`.
    """
    lead = x.shape[:-1]
    states = anp.reshape(x, (-1, x.shape[-1])).T
    inputs = None if u is None else anp.reshape(u, (-1, u.shape[-1])).T

    def of(which: Any) -> Any:
        now = None if inputs is None else Lanes(inputs[:, which])
        with not_caught():
            y = as_lanes(function(Lanes(states[:, which]), now, params(which)))
        count = np.size(which) if isinstance(which, np.ndarray) else math.prod(lead)
        return anp.moveaxis(anp.broadcast_to(y.data, (*y.shape, count)), -1, 0)

    try:
        found = of(slice(None))
    except ConditionDiffers as differs:
        if is_recording():
            raise
        found = _apart(of, differs.met)
    return anp.reshape(found, (*lead, *np.shape(plain(found))[1:]))


def _apart(of: Callable[[Array], Any], met: Array) -> Any:
    """Evaluate lanes in groups that meet the same conditions, the first of which some `met`."""
    pending, done, parts = [np.flatnonzero(met), np.flatnonzero(~met)], [], []
    while pending:
        which = pending.pop()
        try:
            parts.append(of(which))
            done.append(which)
        except ConditionDiffers as differs:
            pending += [which[differs.met], which[~differs.met]]
    return anp.concatenate(parts)[np.argsort(np.concatenate(done))]
