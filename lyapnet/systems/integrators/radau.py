r"""The Radau IIA method of order 5, for stiff fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np

from ...compiled.scheme import Scheme
from ...numerics.arrays import Array
from ...numerics.autodiff import value

_S6 = np.sqrt(6.0)

#: The collocation method of three nodes, the last one at the end of the step.
NODES = np.array([(4 - _S6) / 10, (4 + _S6) / 10, 1.0])
MATRIX = np.array([
    [(88 - 7 * _S6) / 360, (296 - 169 * _S6) / 1800, (-2 + 3 * _S6) / 225],
    [(296 + 169 * _S6) / 1800, (88 + 7 * _S6) / 360, (-2 - 3 * _S6) / 225],
    [(16 - _S6) / 36, (16 + _S6) / 36, 1 / 9],
])  # fmt: skip

#: The real eigenvalue of the inverse matrix, and the weights of the estimate of the error.
GAMMA = 3 + 3 ** (2 / 3) - 3 ** (1 / 3)
ERROR = np.array([-13 - 7 * _S6, -13 + 7 * _S6, -1.0]) / 3

#: Newton's method has converged when it moves by less, in units of the states.
CONVERGED = 1e-13

#: Near rounding a move that is this small and no longer falls will do.
STALLED = 1e-9

ITERATIONS = 20


class Radau:
    r"""A step of the three-stage Radau IIA method, its stages solved to rounding.

    .. math:: z_i = h \sum_j a_{ij}\, f(x + z_j, c_j), \qquad x' = x + z_3

    The derivative is that of the solution, by the implicit function theorem,

    .. math:: \partial z_i - h \sum_j a_{ij} J_j\, \partial z_j = h \sum_j a_{ij} J_j .

    Under autograd one more step of Newton's method, from the solution, carries the derivatives.

    References
    ----------
    E. Hairer and G. Wanner, Solving Ordinary Differential Equations II (Springer, 1996), IV.8.
    """

    order = 5

    #: The estimate of the error is of this order in the step.
    error_order = 4

    def scheme(self) -> Scheme:
        """Return the method as compiled loops are given it."""
        return Scheme(NODES, MATRIX, MATRIX[2], ERROR[None], GAMMA)

    def step(self, f: Callable[..., Any], j: Callable[..., Any], x: Any, h: Any) -> Any:
        """Return the next state ``(..., n)``."""
        return x + self._solution(f, j, x, h)[2]

    def jacobian(self, f: Callable[..., Any], j: Callable[..., Any], x: Any, h: Any) -> Any:
        """Return the derivative of the step, ``(..., n, n)``."""
        z = self._solution(f, j, x, h)
        n = x.shape[-1]
        matrix, right = _system([j(x + z[i], NODES[i]) for i in range(3)], h, n)
        moved = anp.linalg.solve(matrix, right)
        return np.eye(n) + moved[..., 2 * n :, :]

    def volume(self, f: Callable[..., Any], j: Callable[..., Any], x: Array, h: Array) -> Array:
        """Return the integral of the field's divergence over the step, to its order, ``(...)``.

        The derivative of the step does not know how far a direction shrinks that decays within a
        fraction of it. Volumes do: their logarithm changes by this much.
        """
        z = self._solution(f, j, x, h)
        traces = [np.trace(j(x + z[i], NODES[i]), axis1=-2, axis2=-1) for i in range(3)]
        return h[..., 0] * np.tensordot(MATRIX[2], np.broadcast_arrays(*traces), 1)

    def attempt(
        self,
        f: Callable[..., Any],
        j: Callable[..., Any],
        x: Array,
        h: Array,
        rtol: float,
        atol: float,
    ) -> tuple[Array, Array]:
        """Return the next state ``(..., n)``, and its error in units of the tolerance ``(...)``."""
        J = j(x, 0.0)
        z = _newton(f, J, x, h)
        scale = atol + rtol * np.maximum(np.abs(x), np.abs(x + z[2]))
        size = np.where(h > 0, h, 1.0)
        inner = np.tensordot(ERROR, z, 1) / size
        inverse = _inverse((GAMMA / size)[..., None] * np.eye(x.shape[-1]) - J)
        error = _times(inverse, f(x, 0.0) + inner)
        # Of a stiff field the estimate is filtered once more, so that it does not frighten.
        again = _times(inverse, f(x + error, 0.0) + inner)
        error = np.minimum(*(np.sqrt(((e / scale) ** 2).mean(axis=-1)) for e in (error, again)))
        return x + z[2], np.where(h[..., 0] > 0, error, 0.0)

    def _solution(self, f: Callable[..., Any], j: Callable[..., Any], x: Any, h: Any) -> list[Any]:
        """Return the three z, with their derivatives where autograd is tracing."""
        h = h if np.ndim(h) else np.full((*np.shape(value(x))[:-1], 1), h)
        J = value(j(value(x), 0.0))
        z = _newton(lambda y, c: value(f(y, c)), J, value(x), value(h))
        slopes = [f(x + z[i], NODES[i]) for i in range(3)]
        if not any(hasattr(s, "_value") for s in (x, h, *slopes)):
            return list(z)
        n = z.shape[-1]
        left = [z[i] - h * sum(MATRIX[i, k] * slopes[k] for k in range(3)) for i in range(3)]
        stages = [value(j(value(x) + z[i], NODES[i])) for i in range(3)]
        matrix = _system(stages, value(h), n)[0]
        move = anp.linalg.solve(matrix, anp.concatenate(left, axis=-1)[..., None])[..., 0]
        return [z[i] - move[..., i * n : (i + 1) * n] for i in range(3)]


def _system(J: list[Any], h: Any, n: int) -> tuple[Any, Any]:
    """Return the matrix 1 - h A J ``(..., 3n, 3n)`` and, of its second part, the row sums."""
    h = h[..., None] if np.ndim(h) else h
    J = [h * block for block in J]
    rows = [anp.concatenate([MATRIX[i, k] * J[k] for k in range(3)], axis=-1) for i in range(3)]
    sums = [sum(MATRIX[i, k] * J[k] for k in range(3)) for i in range(3)]
    return np.eye(3 * n) - anp.concatenate(rows, axis=-2), anp.concatenate(sums, axis=-2)


def _newton(f: Callable[..., Any], J: Array, x: Array, h: Array) -> Array:
    """Solve for the three z, ``(3, ..., n)``; NaN where the iteration does not converge.

    Newton's method with the Jacobian J at the beginning of the step throughout.
    """
    z = np.zeros((3, *x.shape))
    J = np.broadcast_to(J, (*x.shape, x.shape[-1]))
    inverse = _inverse(_system([J, J, J], h, x.shape[-1])[0])
    done = np.zeros(x.shape[:-1], dtype=bool)
    before = np.full(x.shape[:-1], np.inf)
    for _ in range(ITERATIONS):
        slopes = np.stack([f(x + z[i], NODES[i]) for i in range(3)])
        left = z - h * (MATRIX @ slopes.reshape(3, -1)).reshape(z.shape)
        move = _times(inverse, np.moveaxis(left, 0, -2).reshape(*x.shape[:-1], -1))
        move = np.moveaxis(move.reshape(*x.shape[:-1], 3, -1), -2, 0)
        z = np.where(done[..., None], z, z - move)
        size = np.abs(move).max(axis=(0, -1)) / (1e-30 + np.abs(x + z).max(axis=(0, -1)))
        done |= (size <= CONVERGED) | ((size <= STALLED) & (size >= before))
        if (done | ~np.isfinite(size) | (size > 2 * before)).all():
            break
        before = size
    return np.where(done[..., None], z, np.nan)


def _inverse(matrix: Array) -> Array:
    """Return inverses ``(..., n, n)``; NaN where a matrix is singular or not finite."""
    good = np.isfinite(matrix).all(axis=(-2, -1), keepdims=True)
    try:
        return np.where(good, np.linalg.inv(np.where(good, matrix, np.eye(len(matrix.T)))), np.nan)
    except np.linalg.LinAlgError:
        return np.full(matrix.shape, np.nan)


def _times(matrix: Array, x: Array) -> Array:
    return np.matmul(matrix, x[..., None])[..., 0]
