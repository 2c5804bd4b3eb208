"""PyTorch: any module as a system with exponents, and flossing in a training loop of one's own."""

try:
    import torch as _torch  # noqa: F401  # asked whether it is there
except ImportError as error:
    raise ImportError('lyapnet.torch needs PyTorch: pip install "lyapnet[torch]"') from error

from .exponents import finite_time_exponents
from .flosser import Flosser
from .layers import from_module
from .loss import flossing_loss
from .system import System

__all__ = ["Flosser", "System", "finite_time_exponents", "flossing_loss", "from_module"]
