"""Systems from the literature with their known Lyapunov exponents.

Each function returns a `Map` or a `Flow` with `name`, an initial state of its own, and
`reference`: exponents for the parameters at hand, where they are known, with their source
and whether they are exact. Parameters may be arrays over an ensemble, and exponents are
differentiable in them.
"""

from .flows import linear_flow, lorenz63, roessler
from .maps import baker, cat, henon, logistic, skew_tent, standard, tent
from .reference import CatalogFlow, CatalogMap, Reference

__all__ = [
    "CatalogFlow",
    "CatalogMap",
    "Reference",
    "baker",
    "cat",
    "henon",
    "linear_flow",
    "logistic",
    "lorenz63",
    "roessler",
    "skew_tent",
    "standard",
    "tent",
]
