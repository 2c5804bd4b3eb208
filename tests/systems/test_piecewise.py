"""Piecewise linear flows that jump where x = 0, held against their exact solution.

On either side the flow is a matrix exponential. Where it crosses is the root of one of its
components, and what that does to perturbations the saltation matrix; none of lyapnet takes part.
"""

import autograd.numpy as anp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import expm
from scipy.optimize import brentq

import lyapnet as ln

from .engines import ENGINES


def sides(M, c, M_odd=0.0):
    """Return the augmented matrices of x' = (M + s M_odd) x + c(s) on the sides s = 1, -1."""
    found = {}
    for s in (1.0, -1.0):
        found[s] = np.zeros((4, 4))
        found[s][:3, :3] = np.array(M) + s * np.array(M_odd)
        found[s][:3, 3] = c(s)
    return found


def crossed(matrix, other, x, q, left):
    """Carry state and vectors to the surface and through it; return them and the time."""
    t = brentq(lambda u: (expm(matrix * u) @ x)[0], 1e-9, left, xtol=1e-14)
    P = expm(matrix * t)
    x, q = P @ x, P[:3, :3] @ q
    before, after = (matrix @ x)[:3], (other @ x)[:3]
    return x, q + np.outer((after - before) / before[0], q[0]), t


def exact(matrices, x0, duration, h=0.05):
    """Return finite-time exponents of all directions, from the unit vectors, and the crossings."""
    x, q, total, crossings = np.append(x0, 1.0), np.eye(3), np.zeros(3), 0
    side = float(np.sign(x[0]))
    whole = {s: expm(A * h) for s, A in matrices.items()}
    for _ in range(round(duration / h)):
        left, E = h, whole[side]
        while side * (E @ x)[0] < 0:
            x, q, t = crossed(matrices[side], matrices[-side], x, q, left)
            left, side, crossings = left - t, -side, crossings + 1
            E = expm(matrices[side] * left)
        x = E @ x
        q, r = np.linalg.qr(E[:3, :3] @ q)
        total += np.log(np.abs(np.diagonal(r)))
    return total / duration, crossings


def butterfly(a):
    """Lorenz's system without its products.

    A. S. Elwakil, S. Özoguz and M. P. Kennedy, IEEE Trans. Circuits Syst. I 49, 527 (2002).
    """
    M, odd = [[-a, a, 0], [0, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, -1], [1, 0, 0]]
    return sides(M, lambda s: [0, 0, -1], odd), lambda x: anp.array(
        [a * (x[1] - x[0]), -x[2] * anp.sign(x[0]), anp.abs(x[0]) - 1.0]
    )


def jerk(a, v, b, c):
    """x''' = -a x'' - v x' + b x + c sign x: J. C. Sprott, Phys. Lett. A 266 (2000) 19."""
    M = [[0, 1, 0], [0, 0, 1], [b, -v, -a]]
    return sides(M, lambda s: [0, 0, c * s]), lambda x: anp.array(
        [x[1], x[2], -a * x[2] - v * x[1] + b * x[0] + c * anp.sign(x[0])]
    )


# With a state on the attractor, and the exponents of 2000 units of time of the exact solution.
SYSTEMS = {
    "butterfly": (*butterfly(0.55), [1.03, -1.2, 5.3], [0.142, 0, -0.691]),
    "jerk 0.8": (*jerk(0.8, 0.8, -0.8, 0.8), [0.38, 0.17, -0.03], [0.073, 0, -0.873]),
    "jerk 0.5": (*jerk(0.5, 1.0, -1.0, 1.0), [0.78, -1.15, -0.08], [0.165, 0, -0.665]),
    "jerk 0.6": (*jerk(0.6, 1.0, -1.2, 2.0), [2.02, 0.2, -0.49], [0.190, 0, -0.790]),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", SYSTEMS)
def test_exponents_of_a_window_are_those_of_the_exact_solution(name, engine):
    matrices, field, x0, _ = SYSTEMS[name]
    truth, crossings = exact(matrices, x0, 40.0)
    assert crossings >= 1
    flow = ln.compiled(ln.Flow(field, 3, dt=0.02), engine)
    s = ln.lyapunov_spectrum(flow, 2000, x0=x0, basis=np.eye(3), transient=0, basis_transient=0)
    # rk4's own error, grown with the trajectory's.
    assert_allclose(s.exponents, -np.sort(-truth), atol=1e-5)
    assert s.settings["reservations"] == []
    assert s.settings["engine"] == engine


@pytest.mark.parametrize("name", ["butterfly", "jerk 0.8"])
def test_intervals_of_long_runs_hold_the_exponents(name):
    _, field, x0, expected = SYSTEMS[name]
    s = ln.lyapunov_spectrum(ln.Flow(field, 3, dt=0.05), 2000, x0=x0, rng=0)
    low, high = s.confidence_interval(0.99)
    # Those of 2000 units of time have errors of their own.
    assert np.all((low - 0.01 < expected) & (expected < high + 0.01))
    # Determinants of the jumps are 1, so that the sum is the divergence of the field.
    divergence = {"butterfly": -0.55, "jerk 0.8": -0.8}[name]
    assert_allclose(s.exponents.sum(), divergence, atol=1e-6)
