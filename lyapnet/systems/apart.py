"""Whether objects of a user's own take many states at once, as the protocol has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..numerics.arrays import Array, own
from ..numerics.refusals import refuse_foreign, refuse_traced
from .user_function import scattered

#: So far a member may be rounded otherwise alone than among others, relative to its size.
_ROUNDING = 1e-7

_REMEDY = (
    "an object's states are (..., n), with the axes of an ensemble in front: index components as "
    "x[..., 0] (of a basis Q as Q[..., 0, :]) and join them by np.stack([...], axis=-1), or give "
    "functions of one state to lyapnet.Map, which calls them for each"
)


def refuse_mixing(system: Any, x: Array, u: Array | None) -> None:
    """Refuse a step, or derivative, that does not do to each state what it does to it alone.

    One that is written for one state ``(n,)`` takes members of an ensemble for components; where
    there are as many of these as of those, nothing else shows it.

    Parameters
    ----------
    system : System
        Whose `step` and derivative are a user's own.
    x : array (..., n)
    u : array (..., m) or None
        The input of the first step.
    """
    lead = x.shape[:-1]
    if not lead or not x.size or not np.isfinite(x).all():
        return
    given = () if u is None else (np.broadcast_to(u, (*lead, u.shape[-1])),)
    x = scattered(x)
    Q = np.random.default_rng(0).standard_normal((*x.shape, 1))
    with np.errstate(all="ignore"):  # the run itself tells of what goes wrong
        _compare("step", system.step, lead, x, *given)
        derivative = "pushforward" if system.matrix_free else "jacobian"
        _compare(derivative, system.pushforward, lead, x, Q, *given)


def _compare(name: str, function: Callable[..., Any], lead: tuple[int, ...], *given: Array) -> None:
    try:
        found = refuse_foreign(refuse_traced(function(*map(own, given)), name), name)
        y = np.asarray(found, dtype=float)
    except (ValueError, TypeError, IndexError) as error:
        if _alone(function, given, (0,) * len(lead)) is None:
            raise  # it takes no single state, either
        raise ValueError(f"`{name}` fails for many states at once ({error}): {_REMEDY}") from error
    if y.shape[: len(lead)] != lead:
        raise ValueError(
            f"`{name}` returned shape {y.shape} for states of shape {given[0].shape}: {_REMEDY}"
        )
    for at in ((0,) * len(lead), tuple(m - 1 for m in lead)):
        z = _alone(function, given, at)
        # What has one parameter for each member returns as many, and shows nothing.
        if z is None or z.shape != y[at].shape:
            continue
        close = np.allclose(y[at], z, rtol=_ROUNDING, atol=_ROUNDING * np.abs(z).max(initial=1.0))
        if not close and np.isfinite(z).all() and _repeats(function, given, at):
            raise ValueError(
                f"`{name}` does not do to each of many states what it does to it alone: {_REMEDY}"
            )


def _alone(function: Callable[..., Any], given: tuple[Array, ...], at: Any) -> Array | None:
    """Return what a function returns for one member alone, if it takes one."""
    try:
        return np.asarray(function(*(own(x[at]) for x in given)), dtype=float)
    except Exception:  # of the user's function, which need not take a single state
        return None


def _repeats(function: Callable[..., Any], given: tuple[Array, ...], at: Any) -> bool:
    """Say whether a function returns the same again; one that draws at random tells nothing."""
    first, second = (_alone(function, given, at) for _ in range(2))
    return bool(np.array_equal(np.asarray(first), np.asarray(second)))
