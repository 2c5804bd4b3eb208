"""What of a user's function is refused, and what is said about it."""

from __future__ import annotations

import re
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.tracer import isbox

from .lanes.array import plain

#: What to do about a function that autograd cannot trace.
REMEDY = (
    "write it with `import autograd.numpy as np` (functions of np, assignments to elements of "
    "arrays of floats that it makes itself, not of those outside)"
)


def remedy(name: str) -> str:
    """Say what to do about a function that autograd cannot trace."""
    alone = name in ("loss", "jacobian")
    return REMEDY if alone else f"{REMEDY}, or give its jacobian"


def of_attribute(error: Exception) -> str:
    """Say what to write for what arrays have, and what autograd traces does not, as `z.real`."""
    found = re.match(r"'ArrayBox' object has no attribute '(\w+)'", str(error))
    if not found or not hasattr(anp, found[1]):
        return ""
    return f"where it uses `.{found[1]}` of an array: write np.{found[1]}(x)"


def without_derivative(name: str, error: str) -> str:
    """Say which function autograd cannot differentiate, and what to do."""
    found = re.match("VJP of (.*) wrt", error)
    what = f"`np.{found[1]}`" if found else f"a function ({error})"
    return (
        f"autograd knows no derivative of {what}, which `{name}` uses: give `jacobian`, or write "
        "it with functions that have one"
    )


def refuse_foreign(y: Any, name: str) -> Any:
    """Return y, unless it is no array of real numbers of NumPy: complex, a tensor, or nothing."""
    if y is None:
        raise TypeError(f"`{name}` returned None: let it return an array")
    dtype = getattr(y, "dtype", None)
    if dtype is None:
        return y
    if not hasattr(dtype, "kind"):
        raise TypeError(
            f"`{name}` returned a {type(y).__name__}, and arrays here are those of NumPy: write it "
            "with autograd.numpy, or make a lyapnet.torch.System of it"
        )
    if dtype.kind == "c":
        raise TypeError(
            f"`{name}` returned complex numbers, and states are real: write it for real and "
            "imaginary parts, with twice the `dim`: z = x[0] + 1j * x[1], and at the end "
            "np.array([np.real(dz), np.imag(dz)])"
        )
    return y


def refuse_traced(y: Any, name: str) -> Any:
    """Return y, unless autograd is tracing what a function uses besides its arguments."""
    if isbox(y):
        raise TypeError(
            f"autograd is tracing something that `{name}` uses besides its arguments: give it to "
            f"the system as `params=`, as the last argument of `{name}`, to differentiate in it"
        )
    return y


def refuse_objects(y: Any, name: str) -> Any:
    """Return y, unless plain NumPy has put what autograd traces into an array of objects."""
    if isbox(y) and np.asarray(plain(y)).dtype.kind == "O":
        raise TypeError(
            f"`{name}` computes with a list of components, in which autograd sees no derivative: "
            "make an array of it, np.array([...])"
        )
    if isinstance(y, np.ndarray) and y.dtype == object:
        raise TypeError(f"autograd cannot trace `{name}`: it is plain NumPy inside; {remedy(name)}")
    return y
