"""Systems with exponents in print, beside those of the catalog, each written once.

The functions take and return components, so that numba compiles them one state at a time, and
autograd.numpy (`rebound`) runs them on whole ensembles.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass

import autograd.numpy as anp
import numpy as np

SPROTT = "J. C. Sprott, Chaos and Time-Series Analysis (Oxford, 2003), appendix A"


@dataclass(frozen=True)
class Published:
    """A system, with what is in print about it.

    Attributes
    ----------
    name : str
    function : callable
        From components to components: one step of a map, the field of a flow.
    start : tuple of float
        On the way to the attractor, or in the chaotic sea.
    dt : float
        Of a flow; 0 for a map.
    exponents : tuple of float
        As printed, nats per unit time.
    digits : int
        Decimals printed.
    source : str
    spread : float
        Of the starts of an ensemble about `start`.
    kind : str
        "chaotic", "regular", "conservative" or "intermittent".
    """

    name: str
    function: Callable[..., tuple[float, ...]]
    start: tuple[float, ...]
    dt: float = 0.0
    exponents: tuple[float, ...] = ()
    digits: int = 4
    source: str = SPROTT
    spread: float = 1e-3
    kind: str = "chaotic"

    @property
    def dim(self) -> int:
        """Dimension of the state."""
        return len(self.start)

    def vectorized(self) -> Callable[[np.ndarray], np.ndarray]:
        """Return the function on states ``(..., n)``, differentiable by autograd."""
        code = self.function
        function = types.FunctionType(
            code.__code__, {**code.__globals__, "np": anp}, None, code.__defaults__, code.__closure__
        )

        def states(x: np.ndarray) -> np.ndarray:
            parts = function(*(x[..., i] for i in range(len(self.start))))
            zero = 0.0 * x[..., 0]
            return anp.stack([part + zero for part in parts], axis=-1)

        return states


# ---------------------------------------------------------------- maps


def logistic(x):
    return (4.0 * x * (1.0 - x),)


def logistic_39(x):
    return (3.9 * x * (1.0 - x),)


def sine(x):
    return (np.sin(np.pi * x),)


def cubic(x):
    return (3.0 * x * (1.0 - x * x),)


def ricker(x):
    return (20.0 * x * np.exp(-x),)


def gauss(x):
    y = 1.0 / x
    return (y - np.floor(y),)


def cusp(x):
    return (1.0 - 2.0 * np.sqrt(np.abs(x)),)


def pinchers(x):
    return (np.abs(np.tanh(2.0 * (x - 0.5))),)


def sine_circle(x):
    y = x + 0.5 - 2.0 / (2.0 * np.pi) * np.sin(2.0 * np.pi * x)
    return (y - np.floor(y),)


def pomeau_manneville_13(x):
    y = x + x**1.3
    return (y - np.floor(y),)


def pomeau_manneville_15(x):
    y = x + x**1.5
    return (y - np.floor(y),)


def pomeau_manneville_18(x):
    y = x + x**1.8
    return (y - np.floor(y),)


def henon(x, y):
    return 1.0 - 1.4 * x * x + 0.3 * y, x


def lozi(x, y):
    return 1.0 - 1.7 * np.abs(x) + 0.5 * y, x


def delayed_logistic(x, y):
    return 2.27 * x * (1.0 - y), x


def tinkerbell(x, y):
    return x * x - y * y + 0.9 * x - 0.6 * y, 2.0 * x * y + 2.0 * x + 0.5 * y


def burgers(x, y):
    return 0.75 * x - y * y, 1.75 * y + x * y


def holmes(x, y):
    return y, -0.2 * x + 2.77 * y - y * y * y


def kaplan_yorke(x, y):
    u = 2.0 * x + 1e-13 * np.sin(1e3 * y)  # keeps binary digits from running out
    return u - np.floor(u), 0.2 * y + np.cos(4.0 * np.pi * x)


def dissipative_standard(x, y):
    v = 0.1 * y + 8.8 * np.sin(x)
    u = x + v
    return u - 2.0 * np.pi * np.floor(u / (2.0 * np.pi)), v - 2.0 * np.pi * np.floor(
        v / (2.0 * np.pi)
    )


def ikeda(x, y):
    phi = 0.4 - 6.0 / (1.0 + x * x + y * y)
    c = np.cos(phi)
    s = np.sin(phi)
    return 1.0 + 0.9 * (x * c - y * s), 0.9 * (x * s + y * c)


def sinai(x, y):
    u = x + y + 0.1 * np.cos(2.0 * np.pi * y)
    v = x + 2.0 * y
    return u - np.floor(u), v - np.floor(v)


def predator_prey(x, y):
    return x * np.exp(3.0 * (1.0 - x) - 5.0 * y), x * (1.0 - np.exp(-5.0 * y))


def standard_1(x, p):
    q = p + np.sin(x)
    u = x + q
    return u - 2.0 * np.pi * np.floor(u / (2.0 * np.pi)), q - 2.0 * np.pi * np.floor(
        q / (2.0 * np.pi)
    )


def standard_6(x, p):
    q = p + 6.0 * np.sin(x)
    u = x + q
    return u - 2.0 * np.pi * np.floor(u / (2.0 * np.pi)), q - 2.0 * np.pi * np.floor(
        q / (2.0 * np.pi)
    )


def gingerbread(x, y):
    return 1.0 + np.abs(x) - y, x


def folded_towel(x, y, z):
    return (
        3.8 * x * (1.0 - x) - 0.05 * (y + 0.35) * (1.0 - 2.0 * z),
        0.1 * ((y + 0.35) * (1.0 - 2.0 * z) - 1.0) * (1.0 - 1.9 * x),
        3.78 * z * (1.0 - z) + 0.2 * y,
    )


# ---------------------------------------------------------------- flows


def lorenz(x, y, z):
    return 10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z


def roessler(x, y, z):
    return -y - z, x + 0.2 * y, 0.2 + z * (x - 5.7)


def diffusionless_lorenz(x, y, z):
    return -y - x, -x * z, x * y + 1.0


def chen(x, y, z):
    return 35.0 * (y - x), (28.0 - 35.0) * x - x * z + 28.0 * y, x * y - 3.0 * z


def hadley(x, y, z):
    return -y * y - z * z - 0.25 * x + 2.0, x * y - 4.0 * x * z - y + 1.0, 4.0 * x * y + x * z - z


def rabinovich_fabrikant(x, y, z):
    return (
        y * (z - 1.0 + x * x) + 0.87 * x,
        x * (3.0 * z + 1.0 - x * x) + 0.87 * y,
        -2.0 * z * (1.1 + x * y),
    )


def chua(x, y, z):
    f = -5.0 / 7.0 * x + 0.5 * (-8.0 / 7.0 + 5.0 / 7.0) * (np.abs(x + 1.0) - np.abs(x - 1.0))
    return 9.0 * (y - x - f), x - y + z, -14.286 * y


def moore_spiegel(x, y, z):
    return y, z, -z - (6.0 - 20.0 + 20.0 * x * x) * y - 6.0 * x


def thomas(x, y, z):
    return -0.18 * x + np.sin(y), -0.18 * y + np.sin(z), -0.18 * z + np.sin(x)


def halvorsen(x, y, z):
    return (
        -1.27 * x - 4.0 * y - 4.0 * z - y * y,
        -1.27 * y - 4.0 * z - 4.0 * x - z * z,
        -1.27 * z - 4.0 * x - 4.0 * y - x * x,
    )


def burke_shaw(x, y, z):
    return -10.0 * x - 10.0 * y, -10.0 * x * z - y, 10.0 * x * y + 4.272


def rucklidge(x, y, z):
    return -2.0 * x + 6.7 * y - y * z, x, -z + y * y


def windmi(x, y, z):
    return y, z, -0.7 * z - y + 2.5 - np.exp(x)


def simplest_quadratic(x, y, z):
    return y, z, -2.017 * z + y * y - x


def simplest_cubic(x, y, z):
    return y, z, -2.028 * z + x * y * y - x


def linz_sprott(x, y, z):
    return y, z, -0.6 * z - y - np.abs(x) + 1.0


def sprott_b(x, y, z):
    return y * z, x - y, 1.0 - x * y


def lu(x, y, z):
    return 36.0 * (y - x), -x * z + 20.0 * y, x * y - 3.0 * z


def rikitake(x, y, z):
    return -x + z * y, -y + (z - 1.0) * x, 1.0 - x * y


def finance(x, y, z):
    return z + (y - 0.9) * x, 1.0 - 0.2 * y - x * x, -x - 1.2 * z


def driven_pendulum(x, v, t):
    return v, -0.05 * v - np.sin(x) + 0.6 * np.sin(t), 0.7


def ueda(x, v, t):
    return v, -0.05 * v - x * x * x + 7.5 * np.sin(t), 1.0


def duffing(x, v, t):
    return v, -0.25 * v + x - x * x * x + 0.4 * np.sin(t), 1.0


def shaw_van_der_pol(x, v, t):
    return v + 0.0, -x + (1.0 - x * x) * v + 5.0 * np.sin(t), 1.8


def hyperchaotic_roessler(x, y, z, w):
    return -y - z, x + 0.25 * y + w, 3.0 + x * z, -0.5 * z + 0.05 * w


def lorenz84(x, y, z):
    return -y * y - z * z - 0.25 * x + 2.0, x * y - 4.0 * x * z - y + 1.0, 4.0 * x * y + x * z - z


def network3(x, y, z):
    a = np.tanh(x)
    b = np.tanh(y)
    c = np.tanh(z)
    return (
        -x + 3.5 * a - 3.2 * b - 1.0 * c,
        -y + 3.2 * a + 1.8 * b + 1.5 * c,
        -z + 0.6 * a - 2.6 * b + 2.2 * c,
    )


def henon_heiles(x, y, u, v):
    return u, v, -x - 2.0 * x * y, -y - x * x + y * y


def nose_hoover(x, y, z):
    return y, -x + y * z, 1.0 - y * y


def labyrinth(x, y, z):
    return np.sin(y), np.sin(z), np.sin(x)


def lorenz96_5(a, b, c, d, e):
    return (
        (b - d) * e - a + 8.0,
        (c - e) * a - b + 8.0,
        (d - a) * b - c + 8.0,
        (e - b) * c - d + 8.0,
        (a - c) * d - e + 8.0,
    )


def butterfly(x, y, z):
    return 0.55 * (y - x), -z * np.sign(x), np.abs(x) - 1.0
