"""What has Lyapunov exponents: the protocol, and systems written by the user."""

from .conforming import as_system
from .delay import DelayFlow
from .engine import compiled
from .flow import Flow
from .map import Map
from .noisy import NoisyFlow
from .protocol import AnySystem, System
from .stroboscopic import Stroboscopic, stroboscopic
from .system_like import SystemLike

__all__ = [
    "AnySystem",
    "DelayFlow",
    "Flow",
    "Map",
    "NoisyFlow",
    "Stroboscopic",
    "System",
    "SystemLike",
    "as_system",
    "compiled",
    "stroboscopic",
]
