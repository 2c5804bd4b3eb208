"""What has Lyapunov exponents: the protocol, and maps and flows written by the user."""

from .engine import compiled
from .flow import Flow
from .map import Map
from .protocol import System, as_system

__all__ = ["Flow", "Map", "System", "as_system", "compiled"]
