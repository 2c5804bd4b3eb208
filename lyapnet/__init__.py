"""Lyapunov analysis of recurrent networks, maps and flows in NumPy."""

from .cells import Activation, Cell, VanillaRNN
from .errors import DegenerateBasisError, DivergedError, LyapnetError, PrecisionError
from .finite_time import finite_time_exponents
from .systems import Flow, Map, System

__version__ = "0.1.0.dev0"
