"""Gradients inside of a user's function, as of a Hamiltonian: autograd takes lanes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.numpy.numpy_vspaces import ArrayVSpace

from .array import Lanes


class _Space(ArrayVSpace):  # type: ignore[misc]  # autograd has no types
    """The space in which gradients with respect to lanes lie, the same in all at first."""

    def __init__(self, value: Lanes) -> None:
        self.shape, self.dtype = value.shape, value.dtype

    def zeros(self) -> Lanes:
        return Lanes(np.zeros((*self.shape, 1)))

    def ones(self) -> Lanes:
        return Lanes(np.ones((*self.shape, 1)))

    def standard_basis(self) -> Iterator[Lanes]:
        return (Lanes(e[..., None]) for e in super().standard_basis())


ArrayBox.register(Lanes)
_Space.register(Lanes)
