"""autograd.numpy with a hyperbolic tangent whose derivatives do not overflow.

Autograd's is one over cosh squared: where tanh saturates, as that of v / width does, it overflows
with a warning, and the second derivative is NaN.
"""

from __future__ import annotations

import types
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive


def sech2(h: Any) -> Any:
    """Return the derivative of tanh with all its digits; traceable."""
    e = anp.exp(-2.0 * anp.abs(h))
    return 4.0 * e / (1.0 + e) ** 2


def _pulled(ans: Any, x: Any) -> Any:
    slope = sech2(x)  # once, however many cotangents are pulled back
    return lambda g: g * slope


tanh = primitive(np.tanh)
defvjp(tanh, _pulled)
defjvp(tanh, lambda g, ans, x: g * sech2(x))

#: To be called in the place of autograd.numpy.
NUMPY = types.SimpleNamespace(**{**vars(anp), "tanh": tanh})
