"""What has Lyapunov exponents: the protocol, and systems written by the user."""

from .flow import Flow
from .map import Map
from .protocol import System, as_system
from .stroboscopic import Stroboscopic, stroboscopic

__all__ = ["Flow", "Map", "Stroboscopic", "System", "as_system", "stroboscopic"]
