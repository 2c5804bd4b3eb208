"""What has Lyapunov exponents: the protocol, and systems written by the user."""

from .delay import DelayFlow
from .engine import compiled
from .flow import Flow
from .map import Map
from .noisy import NoisyFlow
from .protocol import System, as_system
from .stroboscopic import Stroboscopic, stroboscopic

__all__ = [
    "DelayFlow",
    "Flow",
    "Map",
    "NoisyFlow",
    "Stroboscopic",
    "System",
    "as_system",
    "compiled",
    "stroboscopic",
]
