"""The leapfrog method for separable Hamiltonians: symplectic, reversible, of order 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np


class Leapfrog:
    r"""A step of the leapfrog (Stormer-Verlet) method, kick, drift and kick again.

    .. math:: p_{1/2} = p + \tfrac h2 F(q, 0), \quad q' = q + h\,V(p_{1/2}, \tfrac12), \quad
              p' = p_{1/2} + \tfrac h2 F(q', 1)

    for :math:`\dot q = V(p)`, :math:`\dot p = F(q)` and states (q, p). The derivative of each of
    the three is a shear, so that that of the step is symplectic to rounding.

    References
    ----------
    E. Hairer, C. Lubich and G. Wanner, Acta Numerica 12, 399 (2003).
    """

    order = 2

    #: Weight, the half of the state that moves (0: q, 1: p), and when.
    _moves = ((0.5, 1, 0.0), (1.0, 0, 0.5), (0.5, 1, 1.0))

    def step(self, f: Callable[..., Any], j: Any, x: Any, h: Any) -> Any:
        """Return the next state ``(..., n)``."""
        for weight, half, c in self._moves:
            x = x + (h * weight) * (f(x, c) * _mask(x.shape[-1], half))
        return x

    def jacobian(
        self, f: Callable[..., Any], j: Callable[..., Any], x: Any, h: Any, Q: Any = None
    ) -> Any:
        """Return the derivative of the step, ``(..., n, n)``, or what it makes of a basis Q."""
        n = x.shape[-1]
        unit = np.eye(n)
        found = unit if Q is None else Q
        h_matrix = h[..., None] if np.ndim(h) else h
        for weight, half, c in self._moves:
            mask = _mask(n, half)
            shear = unit + (h_matrix * weight) * (mask[:, None] * j(x, c))
            found = anp.matmul(shear, found)
            x = x + (h * weight) * (mask * f(x, c))
        return found


def check_separable(jacobian: Any) -> None:
    """Refuse field Jacobians ``(..., n, n)`` that are none of a separable Hamiltonian's flow."""
    n = jacobian.shape[-1]
    q, p = slice(0, n // 2), slice(n // 2, n)
    if jacobian[..., q, q].any() or jacobian[..., p, p].any():
        raise ValueError(
            '`method` "leapfrog" is for states (q, p) of a separable Hamiltonian, where the '
            "velocity of q depends on p alone and that of p on q alone (and time): this field is "
            'none; take "rk4" or "dop853"'
        )


def _mask(n: int, half: int) -> Any:
    return np.repeat([1.0 - half, float(half)], n // 2)
