"""What tangent vectors follow where that is not the derivative of the step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from ..compiled.trace import with_derivative_of
from ..numerics.arrays import Array
from ..numerics.autodiff import Tree


class Variation(Protocol):
    """What is made of the derivative D of a user's function, field or map.

    Attributes
    ----------
    numbers : tree
        Its own parameters, per member of the ensemble where they have its axes.
    """

    numbers: Tree

    def of_function(self, D: Any) -> Any:
        """Return what stands in the place of the derivative ``(..., n, n)`` of the function."""

    def of_step(self, D: Any) -> Any:
        """Return what is left of that of a step, which is made of the former."""

    def written(self, function: Callable[[Any], Any], x: Any, numbers: Any) -> Any:
        """Return what the function returns for an array of symbols, with the other derivative."""

    def written_step(self, y: Any, x: Any) -> Any:
        """Return the step y from an array of symbols x, with what is left of its derivative."""


class Transversal:
    r"""Perturbations transversal to the synchronous state of coupled systems.

    :math:`Df - \alpha H` of a flow, :math:`(1 - \alpha H)\,Df` of a map.

    Parameters
    ----------
    strengths : array (a,)
        :math:`\alpha`, of each member of the ensemble.
    coupling : array (n, n)
        H.
    flow : bool
    """

    def __init__(self, strengths: Array, coupling: Array, flow: bool) -> None:
        self.numbers, self._coupling, self._flow = strengths, coupling, flow
        self._pull = strengths[:, None, None] * coupling

    def of_function(self, D: Any) -> Any:
        """See `Variation.of_function`."""
        if self._flow:
            return D - self._pull
        return np.matmul(np.eye(len(self._coupling)) - self._pull, D)

    def of_step(self, D: Any) -> Any:
        """See `Variation.of_step`."""
        return D

    def written(self, function: Callable[[Any], Any], x: Any, numbers: Any) -> Any:
        """See `Variation.written`."""
        y = function(x)
        pulled = np.matmul(self._coupling, x if self._flow else y)
        return with_derivative_of(y - numbers * pulled, y, x)

    def written_step(self, y: Any, x: Any) -> Any:
        """See `Variation.written_step`."""
        return y


class Driven:
    """Perturbations of some components that the others drive.

    Parameters
    ----------
    driven : array (n,) of bool
    """

    numbers: Tree = None

    def __init__(self, driven: Array) -> None:
        self._driven = driven
        self._inside = np.outer(driven, driven).astype(float)

    def of_function(self, D: Any) -> Any:
        """See `Variation.of_function`."""
        return D * self._inside

    def of_step(self, D: Any) -> Any:
        """See `Variation.of_step`."""
        return D * self._inside

    def written(self, function: Callable[[Any], Any], x: Any, numbers: Any) -> Any:
        """See `Variation.written`."""
        return self.written_step(function(self.written_step(x, x)), x)

    def written_step(self, y: Any, x: Any) -> Any:
        """See `Variation.written_step`: what drives has no derivative."""
        moving = y.copy()
        moving[~self._driven] = 0.0
        return with_derivative_of(moving, y, x)
