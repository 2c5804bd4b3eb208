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
    wrapped : float
        Period of the states of a map of the circle or torus, 0 if they are not wrapped.
    kind : str
        "chaotic", "conservative", "sticky", "intermittent", "constant", "coboundary" (both
        without an asymptotic variance) or "regular".
    """

    name: str
    function: Callable[..., tuple[float, ...]]
    start: tuple[float, ...]
    dt: float = 0.0
    exponents: tuple[float, ...] = ()
    digits: int = 4
    source: str = SPROTT
    wrapped: float = 0.0
    kind: str = "chaotic"

    @property
    def dim(self) -> int:
        """Dimension of the state."""
        return len(self.start)

    def vectorized(self) -> Callable[[np.ndarray], np.ndarray]:
        """Return the function on states ``(..., n)``, differentiable by autograd."""
        code = self.function
        function = types.FunctionType(
            code.__code__,
            {**code.__globals__, "np": anp},
            None,
            code.__defaults__,
            code.__closure__,
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
    y = x + np.abs(x) ** 1.3
    return (y - np.floor(y),)


def pomeau_manneville_15(x):
    y = x + np.abs(x) ** 1.5
    return (y - np.floor(y),)


def pomeau_manneville_18(x):
    y = x + np.abs(x) ** 1.8
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
    return -10.0 * x - 10.0 * y, -10.0 * x * z - y, 10.0 * x * y + 13.0


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


def sprott_c(x, y, z):
    return y * z, x - y, 1.0 - x * x


def sprott_d(x, y, z):
    return -y, x + z, x * z + 3.0 * y * y


def sprott_e(x, y, z):
    return y * z, x * x - y, 1.0 - 4.0 * x


def sprott_f(x, y, z):
    return y + z, -x + 0.5 * y, x * x - z


def sprott_g(x, y, z):
    return 0.4 * x + z, x * z - y, -x + y


def sprott_h(x, y, z):
    return -y + z * z, x + 0.5 * y, x - z


def sprott_i(x, y, z):
    return -0.2 * y, x + z, x + y * y - z


def sprott_j(x, y, z):
    return 2.0 * z, -2.0 * y + z, -x + y + y * y


def sprott_k(x, y, z):
    return x * y - z, x - y, x + 0.3 * z


def sprott_l(x, y, z):
    return y + 3.9 * z, 0.9 * x * x - y, 1.0 - x


def sprott_m(x, y, z):
    return -z, -x * x - y, 1.7 + 1.7 * x + y


def sprott_n(x, y, z):
    return -2.0 * y, x + z * z, 1.0 + y - 2.0 * z


def sprott_o(x, y, z):
    return y + 0.0, x - z, x + x * z + 2.7 * y


def sprott_p(x, y, z):
    return 2.7 * y + z, -x + y * y, x + y


def sprott_q(x, y, z):
    return -z, x - y, 3.1 * x + y * y + 0.5 * z


def sprott_r(x, y, z):
    return 0.9 - y, 0.4 + z, x * y - z


def sprott_s(x, y, z):
    return -x - 4.0 * y, x + z * z, 1.0 + x


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


def network3(x, y, z):
    a = np.tanh(x)
    b = np.tanh(y)
    c = np.tanh(z)
    return (
        -x + 2.0 * a - 1.2 * b,
        -y + 1.9 * a + 1.71 * b + 1.15 * c,
        -z - 4.75 * a + 1.1 * c,
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


def linz_sprott_jump(x, y, z):
    return y, z, -0.8 * (z + y + x - np.sign(x))


def standard_05(x, p):
    q = p + 0.5 * np.sin(x)
    u = x + q
    return u - 2.0 * np.pi * np.floor(u / (2.0 * np.pi)), q - 2.0 * np.pi * np.floor(
        q / (2.0 * np.pi)
    )


def van_der_pol(x, v):
    return v, (1.0 - x * x) * v - x


def brusselator(x, y):
    return 1.0 + x * x * y - 4.0 * x, 3.0 * x - x * x * y


def harmonic_pair(x, y, u, v):
    return u, v, -x, -2.0 * y


def logistic_cycle(x):
    return (3.2 * x * (1.0 - x),)


def henon_cycle(x, y):
    return 1.0 - 0.9 * x * x + 0.3 * y, x


def lorenz_fixed_point(x, y, z):
    return 10.0 * (y - x), x * (10.0 - z) - y, x * y - 8.0 / 3.0 * z


# ---------------------------------------------------------------- with what is in print

SPROTT_94 = "J. C. Sprott, Phys. Rev. E 50, R647 (1994)"
TWO_PI = 2.0 * np.pi
EXACT = "exact"  # or by `return_map`, to six digits


def _systems() -> tuple[Published, ...]:
    log2, log3 = float(np.log(2.0)), float(np.log(3.0))
    khinchin = float(np.pi**2 / (6.0 * np.log(2.0)))
    return (
        Published("sine map", sine, (0.3,), exponents=(0.689067,), digits=6),
        Published(
            "cubic map, a = 3", cubic, (0.3,), exponents=(log3,), source=EXACT, kind="coboundary"
        ),
        Published("Ricker's map, a = 20", ricker, (0.1,), exponents=(0.384846,), digits=6),
        Published("Gauss map", gauss, (0.31,), exponents=(khinchin,), source=EXACT),
        Published("cusp map", cusp, (0.3,), exponents=(0.5,), source=EXACT, kind="intermittent"),
        Published("Pinchers map", pinchers, (0.3,), exponents=(0.467944,), digits=6),
        Published(
            "sine-circle map", sine_circle, (0.3,), exponents=(0.353863,), digits=6, wrapped=1.0
        ),
        Published("logistic map, r = 3.9", logistic_39, (0.3,)),
        Published(
            "Pomeau-Manneville, z = 1.3",
            pomeau_manneville_13,
            (0.3,),
            exponents=(0.649216,),
            source=EXACT,
            wrapped=1.0,
            kind="intermittent",
        ),
        Published(
            "Pomeau-Manneville, z = 1.5",
            pomeau_manneville_15,
            (0.3,),
            exponents=(0.562323,),
            source=EXACT,
            wrapped=1.0,
            kind="intermittent",
        ),
        Published(
            "Pomeau-Manneville, z = 1.8",
            pomeau_manneville_18,
            (0.3,),
            exponents=(0.302706,),
            source=EXACT,
            wrapped=1.0,
            kind="intermittent",
        ),
        Published("Hénon map", henon, (0.0, 0.0), exponents=(0.41922, -1.62319), digits=5),
        Published("Lozi map", lozi, (-0.1, 0.1), exponents=(0.47023, -1.16338), digits=5),
        Published(
            "delayed logistic map",
            delayed_logistic,
            (0.5, 0.4),
            exponents=(0.18312, -1.24199),
            digits=5,
        ),
        Published(
            "Tinkerbell map", tinkerbell, (0.0, 0.5), exponents=(0.18997, -0.52091), digits=5
        ),
        Published("Burgers' map", burgers, (-0.1, 0.1), exponents=(0.12076, -0.22136), digits=5),
        Published("Holmes' cubic map", holmes, (1.6, 0.0), exponents=(0.59458, -2.20402), digits=5),
        Published(
            "Kaplan-Yorke map",
            kaplan_yorke,
            (0.6, 0.4),
            exponents=(log2, float(np.log(0.2))),
            source=EXACT,
            kind="constant",
        ),
        Published(
            "dissipative standard map",
            dissipative_standard,
            (0.1, 0.1),
            exponents=(1.46995, -3.77254),
            digits=5,
            wrapped=TWO_PI,
        ),
        Published("Ikeda map", ikeda, (0.0, 0.0), exponents=(0.50760, -0.71832), digits=5),
        Published(
            "Sinai map", sinai, (0.5, 0.4), exponents=(0.95946, -1.07714), digits=5, wrapped=1.0
        ),
        Published(
            "predator and prey", predator_prey, (0.5, 0.5), exponents=(0.19664, 0.03276), digits=5
        ),
        Published(
            "folded towel map",
            folded_towel,
            (0.085, -0.121, 0.075),
            exponents=(0.430, 0.377, -3.299),
            digits=3,
            source="the documentation of ChaosTools.jl",
        ),
        Published(
            "standard map, K = 6",
            standard_6,
            (0.5, 0.5),
            wrapped=TWO_PI,
            kind="conservative",
        ),
        Published(
            "standard map, K = 1",
            standard_1,
            (0.1, 0.1),
            wrapped=TWO_PI,
            exponents=(0.10497, -0.10497),
            digits=5,
            kind="sticky",
        ),
        Published(
            "gingerbread man map",
            gingerbread,
            (0.5, 3.7),
            exponents=(0.07339, -0.07339),
            digits=5,
            kind="sticky",
        ),
        Published("Lorenz, 1963", lorenz, (0.0, -0.01, 9.0), 0.01, (0.9056, 0.0, -14.5723)),
        Published("Rössler", roessler, (-9.0, 0.0, 0.0), 0.02, (0.0714, 0.0, -5.3943)),
        Published(
            "diffusionless Lorenz",
            diffusionless_lorenz,
            (1.0, -1.0, 0.01),
            0.02,
            (0.2101, 0.0, -1.2101),
        ),
        Published("Chen", chen, (-10.0, 0.0, 37.0), 0.005, (2.0272, 0.0, -12.0272)),
        Published("Hadley circulation", hadley, (0.0, 0.0, 1.3), 0.02, (0.1665, 0.0)),
        Published(
            "Rabinovich-Fabrikant",
            rabinovich_fabrikant,
            (-1.0, 0.0, 0.5),
            0.005,
            (0.1981, 0.0, -0.6581),
        ),
        Published("Chua's circuit", chua, (0.0, 0.0, 0.6), 0.02, (0.3271, 0.0, -2.5197)),
        Published("Moore-Spiegel", moore_spiegel, (0.1, 0.0, 0.0), 0.01, (0.1119, 0.0)),
        Published("Thomas, b = 0.18", thomas, (0.1, 0.0, 0.0), 0.05, (0.0349, 0.0, -0.5749)),
        Published("Halvorsen", halvorsen, (-5.0, 0.0, 0.0), 0.01, (0.7899, 0.0, -4.5999)),
        Published("Burke-Shaw", burke_shaw, (0.6, 0.0, 0.0), 0.005, (2.2499, 0.0, -13.2499)),
        Published("Rucklidge", rucklidge, (1.0, 0.0, 4.5), 0.02, (0.0643, 0.0)),
        Published("WINDMI", windmi, (0.0, 0.8, 0.0), 0.05, (0.0755, 0.0, -0.7755)),
        Published(
            "simplest quadratic flow",
            simplest_quadratic,
            (-0.91726, 0.10594, 0.46199),
            0.05,
            (0.0551, 0.0, -2.0721),
        ),
        Published(
            "simplest cubic flow",
            simplest_cubic,
            (-1.125936, 1.099929, -0.169454),
            0.02,
            (0.0837, 0.0, -2.1117),
        ),
        Published("Linz-Sprott", linz_sprott, (0.0, -0.7, 0.0), 0.05, (0.0362, 0.0, -0.6362)),
        Published(
            "Sprott B", sprott_b, (0.05, 0.05, 0.05), 0.02, (0.210, 0.0, -1.210), 3, SPROTT_94
        ),
        *(
            Published(f"Sprott {name}", field, start, 0.02, (leading, 0.0), 3, SPROTT_94)
            for name, field, start, leading in (
                ("C", sprott_c, (-0.38, -0.47, 0.67), 0.163),
                ("D", sprott_d, (-1.12, -0.54, 2.57), 0.103),
                ("E", sprott_e, (1.47, 1.10, 0.27), 0.078),
                ("F", sprott_f, (0.28, -2.87, 0.83), 0.117),
                ("G", sprott_g, (-0.61, -0.32, 0.18), 0.034),
                ("H", sprott_h, (-0.57, 1.05, -0.84), 0.117),
                ("I", sprott_i, (-0.125, -0.469, -0.066), 0.012),
                ("J", sprott_j, (2.95, 1.07, 2.70), 0.076),
                ("K", sprott_k, (0.13, -0.47, -0.66), 0.038),
                ("L", sprott_l, (-5.11, 23.54, -3.11), 0.061),
                ("M", sprott_m, (2.286, -3.534, 0.514), 0.044),
                ("N", sprott_n, (4.05, -0.39, -2.30), 0.076),
                ("O", sprott_o, (-0.031, -0.21, 0.412), 0.049),
                ("P", sprott_p, (-0.122, -0.161, 0.423), 0.087),
                ("Q", sprott_q, (-0.993, -1.564, 0.426), 0.109),
                ("R", sprott_r, (-0.723, -0.691, -0.193), 0.062),
                ("S", sprott_s, (-2.05, -0.694, -0.572), 0.188),
            )
        ),
        Published("Lü", lu, (0.1, 0.3, -0.6), 0.005),
        Published("Rikitake dynamo", rikitake, (1.0, 0.0, 0.6), 0.02),
        Published("finance", finance, (2.0, 3.0, 2.0), 0.05),
        Published("continuous-time network", network3, (0.1, 0.1, 0.1), 0.05),
        Published("driven pendulum", driven_pendulum, (0.0, 0.0, 0.0), 0.05, (0.1414, 0.0)),
        Published("Ueda", ueda, (2.5, 0.0, 0.0), 0.02, (0.1034, 0.0, -0.1534)),
        Published("Duffing, two wells", duffing, (0.2, 0.0, 0.0), 0.05, (0.1572, 0.0)),
        Published("Lorenz 1996, N = 5", lorenz96_5, (8.0, 8.01, 8.0, 8.0, 8.0), 0.02),
        Published(
            "hyperchaotic Rössler",
            hyperchaotic_roessler,
            (-20.0, 0.0, 0.0, 15.0),
            0.01,
            (0.11, 0.02, 0.0),
            2,
            "A. Wolf et al., Physica D 16, 285 (1985): 0.16, 0.03 and 0 bits",
        ),
        Published(
            "Hénon-Heiles, E = 0.133", henon_heiles, (0.499, 0.03, 0.0, 0.03), 0.05, kind="sticky"
        ),
        Published(
            "Nosé-Hoover", nose_hoover, (0.0, 5.0, 0.0), 0.05, (0.0138, 0.0, -0.0138), kind="sticky"
        ),
        Published(
            "labyrinth chaos",
            labyrinth,
            (0.1, 0.0, 0.0),
            0.05,
            (0.1402, 0.0, -0.1402),
            kind="sticky",
        ),
        Published(
            "standard map, K = 0.5",
            standard_05,
            (0.1, 2.0),
            wrapped=TWO_PI,
            exponents=(0.0, 0.0),
            source="a torus",
            kind="regular",
        ),
        Published(
            "van der Pol",
            van_der_pol,
            (1.0, 0.0),
            0.01,
            (0.0, -1.0593769),
            7,
            "period averages, by quadrature",
            kind="regular",
        ),
        Published("Brusselator", brusselator, (1.0, 1.0), 0.01, kind="regular"),
        Published(
            "two oscillators",
            harmonic_pair,
            (1.0, 0.5, 0.0, 0.0),
            0.02,
            (0.0, 0.0, 0.0, 0.0),
            4,
            EXACT,
            kind="regular",
        ),
        Published(
            "logistic map, r = 3.2",
            logistic_cycle,
            (0.3,),
            exponents=(0.5 * float(np.log(abs(4.0 + 2.0 * 3.2 - 3.2**2))),),
            source=EXACT,
            kind="regular",
        ),
        Published("Lorenz, rho = 10", lorenz_fixed_point, (1.0, 1.0, 9.0), 0.01, kind="regular"),
    )


SYSTEMS = _systems()

#: Leading exponents that the collection dysts gives, of its spectra (W. Gilpin, "Chaos as an
#: interpretable benchmark for forecasting and data-driven modelling", NeurIPS 2021), for the same
#: equations and parameters: its right-hand sides agree with those above at random states.
DYSTS = {
    "Lorenz, 1963": 1.0911,
    "Rössler": 0.0763,
    "Rabinovich-Fabrikant": 0.2423,
    "Chen": 2.0471,
    "Rucklidge": 0.1829,
    "simplest quadratic flow": 0.0674,
    "Sprott B": 0.2199,
    "Sprott C": 0.1790,
    "Sprott D": 0.1142,
    "Sprott E": 0.0983,
    "Sprott F": 0.1325,
    "Sprott G": 0.0335,
    "Sprott H": 0.1387,
    "Sprott I": 0.0205,
    "Sprott J": 0.0445,
    "Sprott K": 0.0378,
    "Sprott L": 0.0341,
    "Sprott M": 0.0523,
    "Sprott N": 0.0610,
    "Sprott O": 0.0669,
    "Sprott P": 0.1026,
    "Sprott Q": 0.1370,
    "Sprott R": 0.0761,
    "Sprott S": 0.2149,
}
