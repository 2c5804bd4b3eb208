"""What can be traced: each operation on numbers, and its derivatives in its arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from ..numerics.insistent import Insistent
from ..numerics.steady import NUMPY


class Untraceable(Insistent):
    """A function cannot be written down; the message says what stands in the way."""


class TooLong(Untraceable):
    """It takes too many operations on numbers."""


#: Operations that say yes or no.
COMPARISONS = frozenset(("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"))
LOGIC = frozenset(("logical_and", "logical_or", "logical_xor", "logical_not"))
TRUTHS = COMPARISONS | LOGIC

#: Operations that may jump, a choice among them.
JUMPING = COMPARISONS | {"sign", "floor", "ceil", "trunc", "rint", "remainder", "fmod"}

#: What functions that jump decide by the difference, quotient or value of their arguments.
DECIDED = {
    **dict.fromkeys(("sign", "less", "less_equal", "greater", "greater_equal"), "sign"),
    **{name: name for name in ("floor", "ceil", "trunc", "rint")},
    "remainder": "floor",
    "fmod": "trunc",
}

#: The kinds of decisions: a sign, or a whole number.
KINDS = ("sign", "floor", "ceil", "trunc", "rint")

#: Functions that decide by a quotient.
QUOTIENTS = frozenset(("remainder", "fmod"))

#: What is the first of its arguments, with a derivative that comes from the others.
STANDING_FOR = frozenset(("with_jacobian", "with_derivative_of"))

#: Operations on whole arrays whose tangent is the same of the tangents of their arguments.
LINEAR = frozenset(("take", "join", "copy", "sum", "product"))

#: Other names of the same, as ufuncs have them.
ALIASES = {
    "true_divide": "divide",
    "bitwise_and": "logical_and",
    "bitwise_or": "logical_or",
    "bitwise_xor": "logical_xor",
    "invert": "logical_not",
    "fmax": "maximum",
    "fmin": "minimum",
    "fabs": "absolute",
    "float_power": "power",
    "mod": "remainder",
    "conj": "positive",
    "conjugate": "positive",
}

#: Operations made of others.
COMPOSED: dict[str, Callable[..., Any]] = {
    "positive": lambda x: x,
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1.0 / x,
    "deg2rad": lambda x: x * (np.pi / 180),
    "radians": lambda x: x * (np.pi / 180),
    "rad2deg": lambda x: x * (180 / np.pi),
    "degrees": lambda x: x * (180 / np.pi),
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "heaviside": lambda x, half: np.where(x < 0, 0.0, np.where(x > 0, 1.0, half)),
    "floor_divide": lambda x, y: np.floor(x / y),
    "logaddexp": lambda x, y: np.maximum(x, y) + np.log1p(np.exp(-np.abs(x - y))),
    "exp2": lambda x: np.exp(x * np.log(2.0)),
    "copysign": lambda x, y: np.abs(x) * np.where(y < 0, -1.0, 1.0),
    "expit": lambda x: 0.5 + 0.5 * np.tanh(0.5 * x),
    "logit": lambda x: np.log(x) - np.log1p(-x),
    "ndtr": lambda x: 0.5 * special.erfc(-x / np.sqrt(2.0)),
}


def _power(z: Any, x: Any, y: Any) -> tuple[Any, Any]:
    in_base = y * x ** (y - 1.0)
    return in_base, None if _is_number(y) else np.log(np.where(x == 0.0, 1.0, x)) * z


def _is_number(x: Any) -> bool:
    return not hasattr(x, "graph") or x.is_constant


def _larger(x: Any, y: Any) -> tuple[Any, Any]:
    """Return the share of each argument in the larger: half each where they are equal."""
    share = np.where(x > y, 1.0, np.where(x < y, 0.0, 0.5))
    return share, 1.0 - share


#: Derivatives of z in its arguments, None where z is flat. Each is a function of z and these.
DERIVATIVES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "add": lambda z, x, y: (1.0, 1.0),
    "subtract": lambda z, x, y: (1.0, -1.0),
    "multiply": lambda z, x, y: (y, x),
    "divide": lambda z, x, y: (1.0 / y, -z / y),
    "negative": lambda z, x: (-1.0,),
    "power": _power,
    "remainder": lambda z, x, y: (1.0, -np.floor(x / y)),
    "fmod": lambda z, x, y: (1.0, -np.trunc(x / y)),
    "sqrt": lambda z, x: (0.5 / z,),
    "cbrt": lambda z, x: (z / (3.0 * x),),
    "exp": lambda z, x: (z,),
    "expm1": lambda z, x: (z + 1.0,),
    "log": lambda z, x: (1.0 / x,),
    "log2": lambda z, x: (1.0 / (x * np.log(2.0)),),
    "log10": lambda z, x: (1.0 / (x * np.log(10.0)),),
    "log1p": lambda z, x: (1.0 / (1.0 + x),),
    "sin": lambda z, x: (np.cos(x),),
    "cos": lambda z, x: (-np.sin(x),),
    "tan": lambda z, x: (1.0 + z * z,),
    "arcsin": lambda z, x: (1.0 / np.sqrt(1.0 - x * x),),
    "arccos": lambda z, x: (-1.0 / np.sqrt(1.0 - x * x),),
    "arctan": lambda z, x: (1.0 / (1.0 + x * x),),
    "sinh": lambda z, x: (np.cosh(x),),
    "cosh": lambda z, x: (np.sinh(x),),
    "tanh": lambda z, x: (1.0 - z * z,),
    "arcsinh": lambda z, x: (1.0 / np.sqrt(1.0 + x * x),),
    "arccosh": lambda z, x: (1.0 / np.sqrt(x * x - 1.0),),
    "arctanh": lambda z, x: (1.0 / (1.0 - x * x),),
    "erf": lambda z, x: (2.0 / np.sqrt(np.pi) * np.exp(-x * x),),
    "erfc": lambda z, x: (-2.0 / np.sqrt(np.pi) * np.exp(-x * x),),
    "arctan2": lambda z, x, y: (y / (x * x + y * y), -x / (x * x + y * y)),
    "hypot": lambda z, x, y: (x / z, y / z),
    "absolute": lambda z, x: (np.sign(x),),
    "sign": lambda z, x: (None,),
    "floor": lambda z, x: (None,),
    "ceil": lambda z, x: (None,),
    "trunc": lambda z, x: (None,),
    "rint": lambda z, x: (None,),
    "maximum": lambda z, x, y: _larger(x, y),
    "minimum": lambda z, x, y: _larger(y, x),
}

#: Operations on numbers, as NumPy's ufuncs are called, and the choice between two.
KNOWN = {*DERIVATIVES, *TRUTHS, "where"}


def evaluated(name: str) -> Callable[..., Any]:
    """Return the function of arrays that an operation is, one that autograd can trace."""
    return getattr(NUMPY, name)
