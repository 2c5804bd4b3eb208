"""Gradients inside of a user's function, as of a Hamiltonian: autograd takes symbols."""

from __future__ import annotations

from typing import Any

import numpy as np
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.numpy.numpy_vspaces import ArrayVSpace

from .graph import Symbol
from .symbols import Symbols


class _Space(ArrayVSpace):  # type: ignore[misc]  # autograd has no types
    """The space in which gradients with respect to symbols lie."""

    def __init__(self, value: Any) -> None:
        self.shape = value.shape
        self.dtype = np.dtype(object)


for _kind in (Symbols, Symbol):
    ArrayBox.register(_kind)
    _Space.register(_kind)
