"""Python's operators on numbers of which all is known but the value."""

from __future__ import annotations

from typing import Any

import numpy as np

#: NumPy as its stubs do not know it: its functions take what says so itself.
_np: Any = np


class Noted:
    """A number whose operations its graph notes; among arrays they are left to NumPy's ufuncs."""

    __slots__ = ()
    graph: Any
    #: Whether it stands for a whole array.
    whole = False
    __hash__ = None  # type: ignore[assignment]  # equality is noted, too

    def __getattr__(self, name: str) -> Any:
        """Return what NumPy calls on the elements of an array of objects."""
        if isinstance(getattr(np, name, None), np.ufunc):
            return lambda *others: self.graph.apply(name, self, *others)
        raise AttributeError(name)

    def item(self) -> Any:
        """Return itself, as a number of NumPy does."""
        return self

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Noted | float | int):
            return self.graph.apply("add", self, other)
        return _np.add(self, other)

    def __radd__(self, other: Any) -> Any:
        if isinstance(other, float | int):
            return self.graph.apply("add", other, self)
        return _np.add(other, self)

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, Noted | float | int):
            return self.graph.apply("subtract", self, other)
        return _np.subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        if isinstance(other, float | int):
            return self.graph.apply("subtract", other, self)
        return _np.subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Noted | float | int):
            return self.graph.apply("multiply", self, other)
        return _np.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        if isinstance(other, float | int):
            return self.graph.apply("multiply", other, self)
        return _np.multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Noted | float | int):
            return self.graph.apply("divide", self, other)
        return _np.divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        if isinstance(other, float | int):
            return self.graph.apply("divide", other, self)
        return _np.divide(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return _np.floor_divide(self, other)

    def __mod__(self, other: Any) -> Any:
        return _np.remainder(self, other)

    def __rmod__(self, other: Any) -> Any:
        return _np.remainder(other, self)

    def __pow__(self, other: Any) -> Any:
        return _np.power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return _np.power(other, self)

    def __neg__(self) -> Any:
        return _np.negative(self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return _np.absolute(self)

    def __lt__(self, other: Any) -> Any:
        return _np.less(self, other)

    def __le__(self, other: Any) -> Any:
        return _np.less_equal(self, other)

    def __gt__(self, other: Any) -> Any:
        return _np.greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return _np.greater_equal(self, other)

    def __eq__(self, other: Any) -> Any:
        return _np.equal(self, other)

    def __ne__(self, other: Any) -> Any:
        return _np.not_equal(self, other)

    def __and__(self, other: Any) -> Any:
        return _np.logical_and(self, other)

    __rand__ = __and__

    def __or__(self, other: Any) -> Any:
        return _np.logical_or(self, other)

    __ror__ = __or__

    def __invert__(self) -> Any:
        return _np.logical_not(self)
