"""Exponents of intermittent maps of [0, 1], from the map of first return to their right branch.

The left branch, [0, c] to [0, 1], is neutral at zero; the right one, [c, 1] to [0, 1], expands. An
orbit of the right branch returns after n steps if its image lies between the preimages x_n and
x_(n-1) of c under the left branch. That return map expands uniformly, and its invariant density is
smooth: it is found by collocation at Chebyshev nodes, with a sum over branches to 40 000 and an
integral over the rest, which falls off like a power. The exponent is growth per return over steps
per return. No orbit is run: nothing is shared with what is tested by it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev
from scipy.optimize import brentq

NODES, BRANCHES, FAR = 20, 10_000, 1_000_000
Function = Callable[[np.ndarray], np.ndarray]


class Intermittent(NamedTuple):
    """A map with a neutral fixed point at zero, x + const x^(1 + a), and 0 < a < 1."""

    left: Function
    left_slope: Function
    right_inverse: Function
    right_slope: Function
    cut: float
    a: float


def liverani_saussol_vaienti(a: float) -> Intermittent:
    """Return x (1 + (2x)^a) for x < 1/2, else 2x - 1."""
    return Intermittent(
        lambda x: x * (1 + (2 * x) ** a),
        lambda x: 1 + (1 + a) * (2 * x) ** a,
        lambda y: (1 + y) / 2,
        lambda x: np.full_like(x, 2.0),
        0.5,
        a,
    )


def pomeau_manneville(z: float) -> Intermittent:
    """Return x + x^z modulo 1."""

    def step(x: np.ndarray) -> np.ndarray:
        return x + x**z

    def slope(x: np.ndarray) -> np.ndarray:
        return 1 + z * x ** (z - 1)

    cut = brentq(lambda x: step(x) - 1, 0.1, 0.9, xtol=1e-15)
    return Intermittent(
        step, slope, lambda y: inverse(step, slope, 1 + y, cut + (1 - cut) * y), slope, cut, z - 1
    )


def inverse(step: Function, slope: Function, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Solve step(x) = y by Newton's method."""
    for _ in range(60):
        change = (step(x) - y) / slope(x)
        x = x - change
        if np.all(np.abs(change) <= 1e-15 * x):
            return x
    return x


def exponent(m: Intermittent) -> float:
    """Return the Lyapunov exponent, to six digits or more for a up to 0.8."""
    width = 1 - m.cut
    nodes = m.cut + width * (1 + np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)) / 2

    def basis(x: np.ndarray) -> np.ndarray:
        return chebyshev.chebvander(2 * (x - m.cut) / width - 1, NODES - 1)

    to_coefficients = np.linalg.inv(basis(nodes))
    order = np.arange(NODES)
    integrals = np.where(order % 2 == 0, 2 / (1 - order.astype(float) ** 2 + (order == 1)), 0.0)
    weights = width / 2 * integrals @ to_coefficients  # of values at the nodes
    transfer, growth, preimages = np.zeros((NODES, NODES)), np.zeros(NODES), [1.0]
    y, x, slopes = nodes, np.ones(1), np.ones(NODES)
    for n in range(1, BRANCHES + 2):
        at = m.right_inverse(y)
        log_slope = np.log(m.right_slope(at) * slopes)
        sums, logs = 1.0, log_slope
        if n > BRANCHES:  # all from here on: they fall off like n^(-1 - 1/a)
            sums = m.a * n + 0.5
            logs = sums * log_slope + (1 + m.a) * m.a * n
        values = np.exp(-log_slope)[:, None] * (basis(at) @ to_coefficients)
        transfer += sums * values
        growth += weights @ (np.reshape(logs, (-1, 1)) * values)
        first = m.cut if n == 1 else 1.0
        y = inverse(m.left, m.left_slope, y, first * y)
        x = inverse(m.left, m.left_slope, x, first * x)
        slopes = slopes * m.left_slope(y)
        preimages.append(float(x[0]))
    eigenvalues, vectors = np.linalg.eig(transfer)
    density = vectors[:, np.argmin(np.abs(eigenvalues - 1))].real
    density /= weights @ density
    integral = chebyshev.chebint(to_coefficients @ density, lbnd=-1)
    later = (
        width
        / 2
        * chebyshev.chebval(
            2 * (m.right_inverse(np.array(preimages)) - m.cut) / width - 1, integral
        )
    )
    return float(growth @ density / total(later, m.a))


def total(later: np.ndarray, a: float) -> float:
    """Sum the probabilities, for n from 0, of returns after n steps; they fall off like n^(-1/a).

    Their power -a is nearly linear: constant, logarithm and slope are those of the last ones.
    """
    n = len(later)
    some = np.array([n // 8, n // 4, n // 2, n - 1])
    terms = np.stack([some, np.log(some), np.ones(4)], axis=1)
    slope, bend, constant = np.linalg.lstsq(terms, later[some] ** -a)[0]
    far = np.arange(n, FAR, dtype=float)
    beyond = slope * (FAR - 0.5) + bend * np.log(FAR - 0.5) + constant
    rest = beyond ** (1 - 1 / a) / ((1 / a - 1) * slope)
    return float(
        later.sum() + ((slope * far + bend * np.log(far) + constant) ** (-1 / a)).sum() + rest
    )


if __name__ == "__main__":
    for z in (1.3, 1.5, 1.8):
        print(f"Pomeau-Manneville, z = {z}: {exponent(pomeau_manneville(z)):.7f}")
    for a in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        print(f"Liverani-Saussol-Vaienti, a = {a}: {exponent(liverani_saussol_vaienti(a)):.7f}")
