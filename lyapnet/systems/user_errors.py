"""What errors of functions that users wrote are about, in the user's terms."""

from __future__ import annotations

import re

from .user_function import IN_FRONT

#: What errors of functions of other frameworks say when they get arrays of NumPy.
_FOREIGN = {"must be Tensor": "torch", "JAX": "jax", "jax.": "jax"}

#: What errors of shapes that do not go together say, of an operation, a stack and a concatenation.
_SHAPES = "broadcast", "same shape", "must match exactly"


def clearer(
    error: Exception, name: str, *, remedy: str, params: bool, time: bool, counts: int, more: bool
) -> Exception | None:
    """Return an error that says what to do, None where the function's own says enough.

    Parameters
    ----------
    error : Exception
    name : str
        What the user's function is called.
    remedy : str
        What to do if it cannot be differentiated.
    params, time : bool
        Whether it is called with parameters, and with the time.
    counts : int
        How many parameters were given as integers.
    more : bool
        Whether it was called with more than an array: many states, symbols, what autograd traces.
    """
    if isinstance(error, ValueError):
        return _of_shapes(error, name, params)
    if isinstance(error, TypeError | IndexError):
        return _of_types(error, name, time, counts)
    if more and type(error).__module__.startswith("numba."):
        return TypeError(
            f"`{name}` is compiled by numba, or calls what is, which cannot be differentiated or "
            f"run on many states at once: {remedy}"
        )
    return None


def _of_shapes(error: ValueError, name: str, params: bool) -> ValueError | None:
    if params and any(sign in str(error) for sign in _SHAPES):
        return ValueError(f"`{name}` failed ({error}): {IN_FRONT}, (members, dim)")
    if "inhomogeneous" in str(error):
        return ValueError(
            f"`{name}` joins components of different shapes for one state, where each is a number; "
            f"{IN_FRONT}"
        )
    return None


def _of_types(error: Exception, name: str, time: bool, counts: int) -> TypeError | None:
    if time and "scalar" in str(error):
        return TypeError(
            f"`{name}` failed ({error}): it is called as {name}(x, t), the state first"
        )
    if foreign := [x for sign, x in _FOREIGN.items() if sign in str(error)]:
        said = str(error).partition("\n")[0][:80]
        return TypeError(
            f"`{name}` failed ({said}): it is given arrays of NumPy, or what autograd traces; "
            f"write it with autograd.numpy, or make a lyapnet.{foreign[0]}.System of it"
        )
    if counts and re.search("integer|indices", str(error)):
        return TypeError(
            f"`{name}` needs an integer ({error}), and `params`, of which {counts} were given as "
            "integers, become arrays of floats: leave counts and indices out of `params`, and let "
            f"`{name}` take them from around it"
        )
    return None
