"""Lyapunov analysis of recurrent networks, maps and flows in NumPy."""

from . import tasks
from .cells import Activation, Cell, VanillaRNN
from .covariant import CovariantVectors, covariant_vectors
from .errors import DegenerateBasisError, DivergedError, LyapnetError, PrecisionError
from .exponents import Spectrum
from .finite_time import finite_time_exponents
from .floss import FlossResult, floss
from .optimize import Adam, AdamState
from .spectrum import lyapunov_spectrum, spectrum_from_jacobians
from .systems import Flow, Map, System
from .window import flossing_loss

__version__ = "0.1.0.dev0"

__all__ = [
    "Activation",
    "Adam",
    "AdamState",
    "Cell",
    "CovariantVectors",
    "DegenerateBasisError",
    "DivergedError",
    "FlossResult",
    "Flow",
    "LyapnetError",
    "Map",
    "PrecisionError",
    "Spectrum",
    "System",
    "VanillaRNN",
    "covariant_vectors",
    "finite_time_exponents",
    "floss",
    "flossing_loss",
    "lyapunov_spectrum",
    "spectrum_from_jacobians",
    "tasks",
]
