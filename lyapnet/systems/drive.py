r"""What drives a step beside the state: the input, as a polynomial within the step, and time.

Inputs of a run are samples at the beginnings of its steps. Each step is given one row of numbers,
so that the tangent loop and its reverse need not know about time or interpolation:

.. math:: (c_0, \dots, c_d, t), \qquad u(t + \theta\,\Delta t) = \sum_j c_j\, \theta^j

with d = 0 for inputs that are held, and t where the system takes time.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import Any

import autograd.numpy as anp
import numpy as np

from ..numerics.arrays import Array
from ..numerics.autodiff import value

#: Degrees of the polynomials through the samples around a step.
DEGREES = {"hold": 0, "linear": 1, "cubic": 3}


@dataclass(frozen=True)
class Drive:
    """How the rows of numbers that steps are given are made and read.

    Attributes
    ----------
    n_inputs : int
        m.
    time : bool
        Whether t is among the numbers.
    degree : int
        d.
    dt : float
        Duration of a step.
    noisy : bool
        Whether inputs are drawn from a seed where none are given.
    """

    n_inputs: int
    time: bool
    degree: int = 0
    dt: float = 1.0
    noisy = False

    @property
    def plain(self) -> bool:
        """Whether a row is the input itself."""
        return not self.time and not self.degree

    def rows(
        self,
        u: Array | None,
        lead: tuple[int, ...],
        total: int,
        *,
        t0: float = 0.0,
        first: int = 0,
        seed: int | None = None,
    ) -> Any:
        """Return the rows of `total` steps, ``(total, ..., c)``; None where there is nothing.

        Parameters
        ----------
        u : array (T, ..., m) or None
            Samples, from the first step on; T at least `total`. Those beyond count in the
            interpolation of the last steps, which extrapolates where there are none.
        lead : tuple of int
            Shape of the ensemble.
        total : int
        t0 : float
            Time at the beginning of the run.
        first : int
            Number of the first of these steps in the run.
        seed : int, optional
            Of noise that is drawn; there is none here.
        """
        ndim = len(lead)
        parts = []
        if self.n_inputs:
            if u is None:
                zeros = (total, *(1,) * ndim, self.n_inputs * (self.degree + 1))
                parts.append(np.broadcast_to(0.0, zeros))
            else:
                u = u.reshape(len(u), *(1,) * (ndim + 2 - u.ndim), *u.shape[1:])
                parts.append(self._coefficients(u, total))
        if self.time:
            t = t0 + self.dt * (first + np.arange(total))
            parts.append(t.reshape(total, *(1,) * (ndim + 1)))
        return _joined(parts)

    def row(self, u: Any, t: Any) -> Any:
        """Return the row of a single step under a constant input ``(..., m)``."""
        parts = []
        if self.n_inputs:
            u = np.zeros(self.n_inputs) if u is None else u
            parts.append(u)
            if self.degree:
                parts.append(np.zeros((*np.shape(value(u))[:-1], self.n_inputs * self.degree)))
        if self.time:
            parts.append(anp.array(t, dtype=float)[..., None] if not hasattr(t, "ndim") else
                         anp.reshape(t, (*np.shape(value(t)), 1)))  # fmt: skip
        return _joined(parts)

    def now(self, row: Any, theta: Any) -> Any:
        """Return input and time ``(..., m + 1)`` at a fraction of the step."""
        if row is None or (self.plain and row.shape[-1] == self.n_inputs):
            return row
        m, d = self.n_inputs, self.degree
        if np.ndim(theta):
            theta = theta[..., None]
        parts = []
        if m:
            u = row[..., d * m : (d + 1) * m]
            for j in reversed(range(d)):
                u = u * theta + row[..., j * m : (j + 1) * m]
            parts.append(u)
        if self.time:
            at = (d + 1) * m
            parts.append(row[..., at : at + 1] + theta * self.dt)
        return _joined(parts)

    def refined(self, u: Array, m: int) -> Array:
        """Return samples ``(m T, ..., m_inputs)`` for steps that are m times as short."""
        rows = Drive(self.n_inputs, False, self.degree).rows(u, u.shape[1:-1], len(u))
        halves = [self.now(rows, i / m)[..., : self.n_inputs] for i in range(m)]
        return np.stack(halves, axis=1).reshape(m * len(u), *u.shape[1:])

    def parts(self, rows: Any, m: int) -> list[Any]:
        """Return the rows ``(..., c)`` of the m parts of each step."""
        if rows is None:
            return [None] * m
        k, d = self.n_inputs, self.degree
        found = []
        for i in range(m):
            row = np.array(rows, dtype=float)
            for low in range(d + 1):  # u((theta + i) / m), as a polynomial in theta
                row[..., low * k : (low + 1) * k] = sum(
                    comb(j, low) * i ** (j - low) / m**j * rows[..., j * k : (j + 1) * k]
                    for j in range(low, d + 1)
                )
            if self.time:
                row[..., -1] += i * self.dt / m
            found.append(row)
        return found

    def samples_bar(self, bar: Array, shape: tuple[int, ...]) -> Array:
        """Pull a cotangent of the rows ``(total, ..., c)`` back to the samples ``(T, ..., m)``."""
        m, d = self.n_inputs, self.degree
        out = np.zeros((shape[0], *bar.shape[1:-1], m))
        if not d:
            out[: len(bar)] = bar[..., :m]
            return out
        base, weights = self._stencils(shape[0], len(bar))
        bar = bar[..., : m * (d + 1)].reshape(*bar.shape[:-1], d + 1, m)
        for i in range(weights.shape[-1]):
            np.add.at(out, base + i, np.einsum("sj,s...jm->s...m", weights[:, :, i], bar))
        return out

    def _coefficients(self, u: Array, total: int) -> Array:
        """Return the polynomials through the samples around each step."""
        if not self.degree:
            return u[:total]
        base, weights = self._stencils(len(u), total)
        found = sum(
            np.einsum("sj,s...m->s...jm", weights[:, :, i], u[base + i])
            for i in range(weights.shape[-1])
        )
        return np.asarray(found).reshape(*u[:total].shape[:-1], -1)

    def _stencils(self, available: int, total: int) -> tuple[Array, Array]:
        """Return the first sample of each step's stencil, and ``(total, d + 1, points)`` weights.

        Lagrange's polynomial through the samples nearest to the step: its error is of order
        d + 1, like that of a method of this order.
        """
        points = min(self.degree + 1, available)
        steps = np.arange(total)
        base = np.clip(steps - (self.degree - 1) // 2, 0, available - points)
        inverse = np.stack([
            np.linalg.inv(np.vander(np.arange(points) - float(p), increasing=True))
            for p in range(points)
        ])  # fmt: skip
        weights = np.zeros((total, self.degree + 1, points))
        weights[:, :points] = inverse[steps - base]
        return base, weights


def _joined(parts: list[Any]) -> Any:
    """Put numbers beside each other, their leading axes broadcast."""
    if len(parts) <= 1:
        return parts[0] if parts else None
    shape = np.broadcast_shapes(*(np.shape(value(x))[:-1] for x in parts))
    same = [x if np.shape(value(x))[:-1] == shape else x + np.zeros((*shape, 1)) for x in parts]
    return anp.concatenate(same, axis=-1)
