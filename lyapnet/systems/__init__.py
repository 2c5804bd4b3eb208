"""What has Lyapunov exponents: the protocol, and maps and flows written by the user."""

from .flow import Flow
from .map import Map
from .protocol import AnySystem, System, SystemLike, as_system

__all__ = ["AnySystem", "Flow", "Map", "System", "SystemLike", "as_system"]
