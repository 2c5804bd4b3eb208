"""Systems from the literature with their known Lyapunov exponents.

Each function returns a `Map` or a `Flow` with `name`, an initial state of its own, and
`reference`: exponents for the parameters at hand, where they are known, with their source
and whether they are exact. Parameters may be arrays over an ensemble, and exponents are
differentiable in them.
"""

from .delayed import ikeda_delay, linear_delay, mackey_glass
from .extended import bernoulli_lattice, coupled_logistic, kuramoto, lorenz96, rate_network
from .flows import hyperchaotic_roessler, linear_flow, lorenz63, roessler
from .forced import driven_pendulum, duffing, forced_van_der_pol, ueda
from .hamiltonian import double_pendulum, henon_heiles, nose_hoover, pendulum
from .maps import generalized_henon, henon, logistic, standard
from .neural import fitzhugh_nagumo, hindmarsh_rose, hodgkin_huxley, jansen_rit, wilson_cowan
from .noisy import geometric_brownian, noisy_double_well, ornstein_uhlenbeck
from .piecewise import baker, cat, skew_tent, tent
from .planar import (
    burgers,
    delayed_logistic,
    folded_towel,
    gauss,
    holmes_cubic,
    ikeda,
    lozi,
    ricker,
    tinkerbell,
)
from .reference import CatalogDelayFlow, CatalogFlow, CatalogMap, CatalogNoisyFlow, Reference
from .sprott_flows import linz_sprott, sprott
from .stiff import brusselator, oregonator, robertson, van_der_pol
from .strange import (
    burke_shaw,
    chen,
    chua,
    generalized_roessler,
    halvorsen,
    rucklidge,
    thomas,
)

__all__ = [
    "CatalogDelayFlow",
    "CatalogFlow",
    "CatalogMap",
    "CatalogNoisyFlow",
    "Reference",
    "baker",
    "bernoulli_lattice",
    "brusselator",
    "burgers",
    "burke_shaw",
    "cat",
    "chen",
    "chua",
    "coupled_logistic",
    "delayed_logistic",
    "double_pendulum",
    "driven_pendulum",
    "duffing",
    "fitzhugh_nagumo",
    "folded_towel",
    "forced_van_der_pol",
    "gauss",
    "generalized_henon",
    "generalized_roessler",
    "geometric_brownian",
    "halvorsen",
    "henon",
    "henon_heiles",
    "hindmarsh_rose",
    "hodgkin_huxley",
    "holmes_cubic",
    "hyperchaotic_roessler",
    "ikeda",
    "ikeda_delay",
    "jansen_rit",
    "kuramoto",
    "linear_delay",
    "linear_flow",
    "linz_sprott",
    "logistic",
    "lorenz63",
    "lorenz96",
    "lozi",
    "mackey_glass",
    "noisy_double_well",
    "nose_hoover",
    "oregonator",
    "ornstein_uhlenbeck",
    "pendulum",
    "rate_network",
    "ricker",
    "robertson",
    "roessler",
    "rucklidge",
    "skew_tent",
    "sprott",
    "standard",
    "tent",
    "thomas",
    "tinkerbell",
    "ueda",
    "van_der_pol",
    "wilson_cowan",
]


def __dir__() -> list[str]:
    """List the systems, not the files that they stand in."""
    return list(__all__)
