"""Networks from PyTorch, Keras, Flax and reservoirpy, as plain arrays: none of them is imported."""

from .files import read_arrays, write_arrays
from .flax import from_flax, to_flax
from .keras import from_keras, to_keras
from .read import read_cell
from .reservoirpy import from_reservoirpy
from .torch import from_torch, to_torch

__all__ = [
    "from_flax",
    "from_keras",
    "from_reservoirpy",
    "from_torch",
    "read_arrays",
    "read_cell",
    "to_flax",
    "to_keras",
    "to_torch",
    "write_arrays",
]
