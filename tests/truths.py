"""Systems whose exponents are known, shared by the tests: what is true, and why."""

from __future__ import annotations

import autograd.numpy as anp
import numpy as np

import lyapnet as ln


def henon(**kwargs):
    """One state at a time, Jacobian by autograd: as users write it."""
    return ln.Map(lambda x: anp.array([1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]]), 2, **kwargs)


def henon_vectorized():
    return ln.Map(
        lambda x: anp.stack([1 - 1.4 * x[..., 0] ** 2 + x[..., 1], 0.3 * x[..., 0]], axis=-1),
        2,
        vectorized=True,
    )


def lorenz(params=None, **kwargs):
    def field(x, *p):
        rho = p[0] if p else 28.0
        return anp.array(
            [10 * (x[1] - x[0]), x[0] * (rho - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]]
        )

    return ln.Flow(field, 3, params=params, **{"dt": 0.01, **kwargs})


def matrix_map(A):
    """Return x -> A x."""
    A = np.asarray(A)
    return ln.Map(lambda x: anp.dot(A, x), len(A), jacobian=lambda x: A)


def slow_exponents(jacobians, basis):
    """Finite-time exponents of a product of Jacobians by the plainest loop there is."""
    Q, _ = np.linalg.qr(basis)
    total = np.zeros(Q.shape[1])
    for D in jacobians:
        Q, R = np.linalg.qr(D @ Q)
        total += np.log(np.abs(np.diag(R)))
    return total / len(jacobians)


def directional(f, x, direction, step=1e-6):
    """Central difference of a scalar function along a direction."""
    return (f(x + step * direction) - f(x - step * direction)) / (2 * step)
