"""Optimisers."""

from .adam import Adam, AdamState, adam_state, as_adam, restored
from .clipping import checked_clip, clipped
from .muon import Muon, recurrent_names

__all__ = [
    "Adam",
    "AdamState",
    "Muon",
    "adam_state",
    "as_adam",
    "checked_clip",
    "clipped",
    "recurrent_names",
    "restored",
]
