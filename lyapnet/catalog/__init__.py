"""Systems from the literature with their known Lyapunov exponents.

Each function returns a `Map` or a `Flow` with `name`, an initial state of its own, and
`reference`: exponents for the parameters at hand, where they are known, with their source
and whether they are exact. Parameters may be arrays over an ensemble, and exponents are
differentiable in them.
"""

from .extended import bernoulli_lattice, lorenz96, mackey_glass, rate_network
from .flows import hyperchaotic_roessler, linear_flow, lorenz63, roessler
from .maps import generalized_henon, henon, logistic, standard
from .piecewise import baker, cat, skew_tent, tent
from .reference import CatalogFlow, CatalogMap, Reference

__all__ = [
    "CatalogFlow",
    "CatalogMap",
    "Reference",
    "baker",
    "bernoulli_lattice",
    "cat",
    "generalized_henon",
    "henon",
    "hyperchaotic_roessler",
    "linear_flow",
    "logistic",
    "lorenz63",
    "lorenz96",
    "mackey_glass",
    "rate_network",
    "roessler",
    "skew_tent",
    "standard",
    "tent",
]


def __dir__() -> list[str]:
    """List the systems, not the files that they stand in."""
    return list(__all__)
