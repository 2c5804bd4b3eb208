"""Recurrent cells, each with its step, tangent step and the adjoint of both."""

from .activation import Activation
from .base import Cell
from .vanilla import VanillaRNN

__all__ = ["Activation", "Cell", "VanillaRNN"]
