"""Optimisers."""

from .adam import Adam, AdamState, adam_state, as_adam, restored
from .clipping import checked_clip, clipped
from .soap import SOAP, SOAPState, recurrent_names

__all__ = [
    "SOAP",
    "Adam",
    "AdamState",
    "SOAPState",
    "adam_state",
    "as_adam",
    "checked_clip",
    "clipped",
    "recurrent_names",
    "restored",
]
