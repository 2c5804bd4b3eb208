"""Recurrent cells, each with its step, tangent step and the adjoint of both."""

from .activation import Activation
from .cell import Cell
from .echo_state_network import EchoStateNetwork
from .gru import GRU
from .lstm import LSTM
from .stack import Stack
from .vanilla import VanillaRNN

__all__ = ["GRU", "LSTM", "Activation", "Cell", "EchoStateNetwork", "Stack", "VanillaRNN"]
