"""Complex numbers of which all is known but the values: pairs of real ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .operations import Untraceable
from .symbols import Number

#: NumPy as its stubs do not know it: its functions take what says so itself.
_np: Any = np

#: Whole powers up to this are products.
_PRODUCTS = 64


class Complex(Number):
    """A complex number.

    Attributes
    ----------
    real, imag : Symbol or float
    """

    __slots__ = ("graph", "imag", "real")

    def __init__(self, graph: Any, real: Any, imag: Any) -> None:
        self.graph, self.real, self.imag = graph, real, imag

    def conj(self) -> Complex:
        """Return its mirror image."""
        return self._with(self.real, -self.imag)

    conjugate = conj

    def _with(self, real: Any, imag: Any) -> Complex:
        return Complex(self.graph, real, imag)

    def _of(self, other: Any) -> Complex:
        """Return a number as a complex one of the same graph."""
        if isinstance(other, Complex):
            return other
        if isinstance(other, complex | np.complexfloating):
            return self._with(float(other.real), float(other.imag))
        return self._with(other, 0.0)


def _is_zero(x: Any) -> bool:
    return isinstance(x, float) and x == 0.0


def _times(x: Any, y: Any) -> Any:
    return 0.0 if _is_zero(x) or _is_zero(y) else x * y


def _plus(x: Any, y: Any) -> Any:
    return x if _is_zero(y) else y if _is_zero(x) else x + y


def _minus(x: Any, y: Any) -> Any:
    return x if _is_zero(y) else -y if _is_zero(x) else x - y


def _multiply(x: Complex, y: Complex) -> Complex:
    return x._with(
        _minus(_times(x.real, y.real), _times(x.imag, y.imag)),
        _plus(_times(x.real, y.imag), _times(x.imag, y.real)),
    )


def _divide(x: Complex, y: Complex) -> Complex:
    if _is_zero(y.imag):
        return x._with(x.real / y.real, x.imag / y.real)
    size = y.real * y.real + y.imag * y.imag
    found = _multiply(x, y.conj())
    return x._with(found.real / size, found.imag / size)


def _absolute(x: Complex) -> Any:
    return _np.hypot(x.real, x.imag)


def _polar(size: Any, phase: Any, x: Complex) -> Complex:
    return x._with(size * _np.cos(phase), size * _np.sin(phase))


def _power(x: Complex, y: Complex) -> Complex:
    p = y.real
    if not _is_zero(y.imag) or hasattr(p, "graph"):
        raise Untraceable("it takes a complex number to a power that is no real constant")
    if float(p).is_integer() and abs(p) <= _PRODUCTS:
        found = x._with(1.0, 0.0)
        for _ in range(abs(int(p))):
            found = _multiply(found, x)
        return found if p >= 0 else _divide(x._with(1.0, 0.0), found)
    return _polar(_absolute(x) ** p, p * _np.angle(x), x)


def _cosh_sinh(x: Complex) -> tuple[Complex, Complex]:
    c, s = _np.cosh(x.real), _np.sinh(x.real)
    cos, sin = _np.cos(x.imag), _np.sin(x.imag)
    return x._with(c * cos, s * sin), x._with(s * cos, c * sin)


def _turned(x: Complex) -> Complex:
    """Return i times a number."""
    return x._with(-x.imag, x.real)


#: What ufuncs do to complex numbers.
_DONE: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x._with(_plus(x.real, y.real), _plus(x.imag, y.imag)),
    "subtract": lambda x, y: x._with(_minus(x.real, y.real), _minus(x.imag, y.imag)),
    "multiply": _multiply,
    "divide": _divide,
    "true_divide": _divide,
    "negative": lambda x: x._with(-x.real, -x.imag),
    "positive": lambda x: x,
    "conjugate": lambda x: x.conj(),
    "absolute": _absolute,
    "square": lambda x: _multiply(x, x),
    "reciprocal": lambda x: _divide(x._with(1.0, 0.0), x),
    "power": _power,
    "exp": lambda x: _polar(_np.exp(x.real), x.imag, x),
    "log": lambda x: x._with(_np.log(_absolute(x)), _np.angle(x)),
    "sqrt": lambda x: _power(x, x._with(0.5, 0.0)),
    "cosh": lambda x: _cosh_sinh(x)[0],
    "sinh": lambda x: _cosh_sinh(x)[1],
    "tanh": lambda x: _divide(*reversed(_cosh_sinh(x))),
    "cos": lambda x: _cosh_sinh(_turned(x))[0],
    "sin": lambda x: _turned(_cosh_sinh(_turned(x))[1].conj()).conj(),
}


def is_complex(x: Any) -> bool:
    """Say whether a number is complex, known or not."""
    return isinstance(x, Complex | complex | np.complexfloating)


def apply_to_complex(graph: Any, name: str, operands: tuple[Any, ...]) -> Any:
    """Return what an operation makes of numbers some of which are complex."""
    if name not in _DONE:
        raise Untraceable(f"it computes `{name}` of complex numbers")
    any_ = Complex(graph, 0.0, 0.0)
    return _DONE[name](*(any_._of(x) for x in operands))
