"""JAX: any function as a system with exponents, and the flossing loss under its transformations."""

try:
    import jax as _jax  # noqa: F401  # asked whether it is there
except ImportError as error:
    raise ImportError('lyapnet.jax needs JAX: pip install "lyapnet[jax]"') from error

from .loss import flossing_loss
from .system import System

__all__ = ["System", "flossing_loss"]
