"""Checks of functions that users wrote: how they can be called, and what they return."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import autograd.numpy as anp
import numpy as np

from ..numerics.arrays import Array
from ..numerics.autodiff import Function, Tree

#: Distance of states that are looked at from those of a run, relative to their size.
_SCATTER = 1e-3

#: What may be meant where shapes do not fit.
IN_FRONT = "if parameters are those of an ensemble, give `x0` its axes in front"


def of_shape(out: Any, shape: tuple[int, ...], name: str) -> Any:
    """Return what a user's function has returned for one state, if it has the right shape.

    A number alone is taken where only one is wanted. Any other shape is refused: it would be
    broadcast to something that looks right.
    """
    found = tuple(np.shape(out))
    if found == shape:
        return out
    if found in ((), (1,)) and set(shape) == {1}:
        return anp.reshape(out, shape) if isinstance(out, np.ndarray) else out + np.zeros(shape)
    raise ValueError(
        f"`{name}` must return an array of shape {shape} for a state of {shape[0]} components, got "
        f"shape {found}; {IN_FRONT}"
    )


def same(columns: Function, expected: Array, x: Array, u: Array | None, p: Tree) -> bool:
    """Compare a trial evaluation by columns with known values.

    A function that is not made for columns may fail in any way, by an assertion of its own or by
    one that its compiler raises: all of these mean no.
    """
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = np.asarray(columns(x, u, p), dtype=float)
    except Exception:
        return False
    # Members of an ensemble that have diverged are NaN both times.
    return found.shape == expected.shape and np.allclose(
        found, expected, rtol=1e-9, atol=1e-12, equal_nan=True
    )


def scattered(x: Array) -> Array:
    """Return states ``(..., n)`` near these that differ from each other, and in each component.

    A function that mixes states or components shows it there alone: at rest all states are alike.
    """
    size = np.abs(x).max(axis=-1, keepdims=True)
    away = np.random.default_rng(0).uniform(-1, 1, x.shape)
    return x + _SCATTER * np.where(size > 0, size, 1.0) * away


def check_repeatable(function: Function, some: tuple[Any, ...], name: str) -> None:
    """Refuse a user's function that does not do the same when it is called on the same again."""
    with np.errstate(all="ignore"):
        first, second = (np.asarray(function(*some), dtype=float) for _ in range(2))
    if not np.array_equal(first, second, equal_nan=True):
        raise ValueError(
            f"`{name}` does not return the same when it is called twice on one state: what changes "
            "with time is taken by `time=True` or as `inputs`, noise by `NoisyFlow` or as `inputs`"
        )


def check_arguments(name: str, function: Any, given: tuple[str, ...]) -> None:
    """Refuse a function that cannot be called with what it is given, as x, t, u and p.

    What a function takes is not always known: that of NumPy, or one that is wrapped, may say
    something else, and is taken as it is.
    """
    if function is None or hasattr(function, "__signature__"):
        return
    try:
        # Of a decorated function it is the outer one that is called.
        signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*given)
    except TypeError as error:
        # It takes less than it is given, or more.
        less = "too many" in str(error)
        named = [
            f"{what} {'is there because of' if less else 'needs'} {by}"
            for letter, (what, by) in _REMEDIES.items()
            if given[0] == "x" and (letter in given) == less
        ]
        remedy = f": {', '.join(named)}" if named else ""
        raise TypeError(
            f"`{name}` must be a function of ({', '.join(given)}), got one of {signature} "
            f"({error}){remedy}"
        ) from None


#: Names of arguments by which a function says that its input comes first and its state second.
_INPUTS = {"u", "u_t", "ut", "input", "inputs", "inp", "x_t", "xt", "x"}
_STATES = {"h", "h_t", "ht", "h0", "h_prev", "hx", "hidden", "hidden_state", "prev_state", "state"}


#: Further names that say which is which.
_MORE_INPUTS = {"v", "w", "s", "i", "drive", "force", "forcing", "signal", "noise", "xi", "control"}
_MORE_STATES = {"x", "y", "z", "q", "r", "v", "w", "X", "Y", "Z", "theta", "phi"}


def refuse_input_first(
    name: str, function: Any, state: str, driven: bool, remedy: str, alike: bool = False
) -> None:
    """Refuse a function whose arguments are named in the other order, as layers of PyTorch's are.

    Where there are as many inputs as states it would run, on the one in the place of the other; so
    that is said of names that do not tell.

    Parameters
    ----------
    name : str
    function : callable
    state : {"h", "x"}
        What the state is called here.
    driven : bool
        Whether the function is called with an input.
    remedy : str
        What to give instead.
    alike : bool, optional
        Whether there are as many inputs as states.

    Warns
    -----
    UserWarning
        If they are, and names do not tell which is which.
    """
    try:
        first, second, *_ = inspect.signature(function).parameters
    except (TypeError, ValueError):  # not known, or fewer than two
        return
    inputs = _INPUTS - {state}
    # Of a function that gets the state alone, a second argument h may be the length of a step.
    states = _STATES | {state} if driven else _STATES - {"h"}
    if first in inputs and second in states:
        called = f"{name}({state}, u)" if driven else f"{name}({state})"
        raise TypeError(
            f"`{name}` takes ({first}, {second}), which says that its input comes first, and it is "
            f"called as {called}: {remedy}"
        )
    told = first in _STATES | _MORE_STATES or second in inputs | _MORE_INPUTS
    if driven and alike and not told:
        warnings.warn(
            f"`{name}` takes ({first}, {second}) and is called as {name}({state}, u), the state "
            "first. There are as many inputs as states, so nothing would show if it took its input "
            f"first: {remedy} if it does, and name its arguments {state} and u if not",
            stacklevel=4,
        )


#: How a function comes to be called with more, in this order.
_REMEDIES = {
    "t": ("time t after x", "`time=True`"),
    "u": ("an input u", "`n_inputs=`"),
    "p": ("the argument p", "`params=`"),
}
