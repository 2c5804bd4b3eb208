"""Activation functions with the derivatives that the tangent step and its adjoint need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import elementwise_grad

from ..numerics.arrays import Array
from ..numerics.buffers import empty
from ..numerics.steady import sech2


@dataclass(frozen=True)
class Activation:
    """A scalar function, applied to each unit, with its derivatives.

    Parameters
    ----------
    function, derivative : callable
        Take and return arrays of any shape.
    second_derivative : callable, optional
        Needed for gradients of exponents; by autograd from `derivative` if left out
        (which is then to be written with `autograd.numpy`).
    name : str, optional

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import lyapnet as ln
    >>> sine = ln.Activation(np.sin, np.cos)
    >>> cell = ln.VanillaRNN.random(3, activation=sine, rng=0)
    """

    function: Callable[[Any], Any]
    derivative: Callable[[Any], Any]
    second_derivative: Callable[[Any], Any] | None = None
    name: str = "custom"

    def __post_init__(self) -> None:
        for name in ("function", "derivative"):
            if not callable(getattr(self, name)):
                raise TypeError(f"`{name}` must be callable, got {getattr(self, name)!r}")

    def along(self, h: Array, r: Array) -> tuple[Array, Callable[[], Array]]:
        """Return the derivative where the function took the values `r`, and a way to the second.

        Parameters
        ----------
        h, r : array
            Pre-activations and activations.
        """
        return np.asarray(self.derivative(h), dtype=float), lambda: self._second(h)

    def resolved(self, h: Array, slope: Array) -> Array:
        """Return the derivatives of `along` with a small relative error, where units saturate, too.

        `slope` may be overwritten.
        """
        return slope

    def __reduce__(self) -> Any:
        """Name what Python's pickle cannot find by itself: functions of autograd, and lyapnet's."""
        if ACTIVATIONS.get(self.name) is self:
            return as_activation, (self.name,)
        functions = self.function, self.derivative, self.second_derivative
        return _unpickled, (self.name, *map(_found_again, functions))

    def _second(self, h: Array) -> Array:
        second = self.second_derivative or elementwise_grad(self.derivative)
        return np.asarray(second(h), dtype=float)


def _found_again(function: Any) -> Any:
    """Return the name of a function of autograd.numpy, which does not know its own module."""
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) and getattr(anp, name, None) is function else function


def _unpickled(name: str, *given: Any) -> Activation:
    function, derivative, second = (getattr(anp, f) if isinstance(f, str) else f for f in given)
    return Activation(function, derivative, second, name)


#: Below this a derivative of tanh is taken from its argument: in 1 - tanh**2 digits cancel.
_SATURATED = 1e-3


class _Tanh(Activation):
    """Both derivatives of tanh are polynomials of its value, which is known already."""

    def along(self, h: Array, r: Array) -> tuple[Array, Callable[[], Array]]:
        slope = np.multiply(r, r, out=empty(r.shape))
        np.subtract(1.0, slope, out=slope)
        return slope, lambda: -2.0 * r * slope

    def resolved(self, h: Array, slope: Array) -> Array:
        low = slope < _SATURATED
        if low.any():
            slope[low] = sech2(h[low])
        return slope


ACTIVATIONS = {
    "tanh": _Tanh(anp.tanh, sech2, name="tanh"),
    "relu": Activation(
        lambda h: anp.maximum(h, 0.0),
        # The subgradient at 0 is 0, as everywhere in deep learning.
        lambda h: anp.where(h > 0, 1.0, 0.0),
        lambda h: anp.zeros(anp.shape(h)),
        name="relu",
    ),
    "linear": Activation(
        lambda h: 1.0 * h,
        lambda h: anp.ones(anp.shape(h)),
        lambda h: anp.zeros(anp.shape(h)),
        name="linear",
    ),
}


def as_activation(activation: Any) -> Activation:
    """Return the activation that a name or an object with function and derivative means."""
    if isinstance(activation, Activation):
        return activation
    if isinstance(activation, str):
        if activation in ACTIVATIONS:
            return ACTIVATIONS[activation]
        raise ValueError(
            f"`activation` must be one of {sorted(ACTIVATIONS)} or an object with a function and "
            f"its derivative, such as lyapnet.Activation(f, df); got {activation!r}"
        )
    function = getattr(activation, "function", activation)
    derivative = getattr(activation, "derivative", None)
    if callable(function) and callable(derivative):
        second = getattr(activation, "second_derivative", None)
        return Activation(function, derivative, second)
    raise TypeError(
        f"`activation` must be a name or an object with a function and its derivative, such as "
        f"lyapnet.Activation(f, df); got {activation!r}"
    )
