"""A user's function written down, operation by operation.

The function is called once on arrays whose elements stand for any number. Slices, sums, products
and rolls of such arrays are NumPy's own; every operation on elements is noted. What comes out is
a list of operations on numbers: it can be run on arrays of any shape, differentiated, or turned
into machine code. A function that asks for the value of such a number, by a branch in Python say,
cannot be written down, and is refused with the reason.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .operations import ALIASES, COMPARISONS, COMPOSED, JUMPING, KNOWN, LOGIC, TRUTHS, evaluated

#: NumPy as its stubs do not know it: its functions take what says so itself.
_np: Any = np

#: A function of more operations than this is left to NumPy, where a step costs no more.
MOST = 8_000


class Untraceable(TypeError):
    """A function cannot be written down; the message says what stands in the way."""


class Graph:
    """Operations on numbers in the order in which they can be done, each one once.

    Attributes
    ----------
    nodes : list of (operation, arguments)
        An argument is the position of an earlier node. ``("input", (name, i))`` and
        ``("constant", (value,))`` have none.
    """

    def __init__(self) -> None:
        self.nodes: list[tuple[str, tuple[Any, ...]]] = []
        self._known: dict[Any, int] = {}

    def add(self, operation: str, arguments: tuple[Any, ...]) -> Symbol:
        """Return the symbol of an operation, noted before or now."""
        sign = np.signbit(arguments[0]) if operation == "constant" else None  # 0 and -0
        key = operation, arguments, sign
        at = self._known.get(key)
        if at is None:
            at = self._known[key] = len(self.nodes)
            self.nodes.append((operation, arguments))
            if at > MOST:
                raise Untraceable(f"it takes more than {MOST} operations on numbers")
        return Symbol(self, at)

    def constant(self, value: Any) -> Symbol:
        """Return the symbol of a number."""
        return self.add("constant", (float(value),))

    def inputs(self, name: str, shape: tuple[int, ...], first: int = 0) -> Any:
        """Return an array of symbols ``name[first], name[first + 1], ...``."""
        count = int(np.prod(shape))
        return _array([self.add("input", (name, first + i)) for i in range(count)], shape)

    def apply(self, name: str, *operands: Any) -> Any:
        """Return the symbol of an operation on symbols and numbers."""
        name = ALIASES.get(name, name)
        if name in COMPOSED:
            return COMPOSED[name](*operands)
        if name not in KNOWN:
            raise Untraceable(f"`{name}` is not among the operations that can be compiled")
        symbols = [self.symbol(x) for x in operands]
        if name in LOGIC:
            symbols = [x.as_truth() for x in symbols]
        elif name == "where":
            symbols = [symbols[0].as_truth(), *(x.as_number() for x in symbols[1:])]
        else:
            symbols = [x.as_number() for x in symbols]
            if name == "power" and symbols[1].is_constant:
                simpler = _simple_power(symbols[0], symbols[1].number)
                if simpler is not None:
                    return simpler
            if name not in COMPARISONS and all([x.is_constant for x in symbols]):
                with np.errstate(all="ignore"):
                    return self.constant(getattr(np, name)(*(x.number for x in symbols)))
        return self.add(name, tuple([x.at for x in symbols]))

    def symbol(self, x: Any) -> Symbol:
        """Return the symbol of what a user's function computes with."""
        if isinstance(x, np.ndarray) and x.ndim == 0:
            x = x.item()
        if isinstance(x, Symbol):
            if x.graph is not self:
                raise Untraceable("it keeps a value from an earlier call")
            return x
        if isinstance(x, complex):
            raise Untraceable("it computes with complex numbers")
        try:
            return self.constant(x)
        except (TypeError, ValueError):
            raise Untraceable(f"it computes with {type(x).__name__}") from None


def _simple_power(x: Symbol, exponent: float) -> Symbol | None:
    """Return powers that NumPy takes as products and roots, too."""
    simple: dict[float, Callable[[Symbol], Any]] = {
        2.0: lambda x: x * x,
        1.0: lambda x: x,
        0.0: lambda x: x.graph.constant(1.0),
        0.5: _np.sqrt,
        -1.0: lambda x: 1.0 / x,
    }
    return simple[exponent](x) if exponent in simple else None


class Symbol:
    """A number of which all is known but its value."""

    __slots__ = ("at", "graph")
    shape: tuple[int, ...] = ()
    ndim = 0

    def __init__(self, graph: Graph, at: int) -> None:
        self.graph = graph
        self.at = at

    @property
    def is_constant(self) -> bool:
        """Whether it is a number after all."""
        return self.graph.nodes[self.at][0] == "constant"

    @property
    def number(self) -> float:
        """Value of a constant."""
        return self.graph.nodes[self.at][1][0]

    @property
    def is_truth(self) -> bool:
        """Whether it says yes or no."""
        return self.graph.nodes[self.at][0] in TRUTHS

    def as_truth(self) -> Symbol:
        """Return what it means as a condition."""
        return self if self.is_truth else self.graph.apply("not_equal", self, 0.0)

    def as_number(self) -> Symbol:
        """Return 1 and 0 for yes and no."""
        return self.graph.apply("where", self, 1.0, 0.0) if self.is_truth else self

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **options: Any) -> Any:
        return _ufunc(ufunc, method, operands, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _function(function, args, kwargs)

    def _no_value(self, *_: Any) -> Any:
        raise Untraceable(
            "it asks for the value of something that depends on the state: a branch or loop in "
            "Python, a function of `math`, or an assignment to an array of floats"
        )

    def __getitem__(self, key: Any) -> Any:
        return _alone(self).view(Symbols)[key]

    def copy(self) -> Symbol:
        """Return itself: a number does not change."""
        return self

    __bool__ = __float__ = __int__ = __index__ = __complex__ = _no_value
    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Symbol | float | int):
            return self.graph.apply("add", self, other)
        return _np.add(self, other)

    def __radd__(self, other: Any) -> Any:
        if isinstance(other, float | int):
            return self.graph.apply("add", other, self)
        return _np.add(other, self)

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, Symbol | float | int):
            return self.graph.apply("subtract", self, other)
        return _np.subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        if isinstance(other, float | int):
            return self.graph.apply("subtract", other, self)
        return _np.subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Symbol | float | int):
            return self.graph.apply("multiply", self, other)
        return _np.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        if isinstance(other, float | int):
            return self.graph.apply("multiply", other, self)
        return _np.multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Symbol | float | int):
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


class Symbols(np.ndarray[Any, Any]):
    """An array of symbols: what a user's function is called on."""

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **options: Any) -> Any:
        return _ufunc(ufunc, method, operands, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _function(function, args, kwargs)

    def _extreme(self, ufunc: Any, axis: Any, keepdims: bool) -> Any:
        return ufunc.reduce(self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:  # type: ignore[override]
        """Return the largest elements."""
        return self._extreme(np.maximum, axis, keepdims)

    def min(self, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:  # type: ignore[override]
        """Return the smallest elements."""
        return self._extreme(np.minimum, axis, keepdims)

    def clip(self, low: Any = None, high: Any = None, out: Any = None) -> Any:  # type: ignore[override]
        """Return elements kept between bounds."""
        above = self if low is None else np.maximum(self, low)
        return above if high is None else np.minimum(above, high)


def _array(symbols: Sequence[Any], shape: tuple[int, ...]) -> Symbols:
    out = np.empty(len(symbols), dtype=object)
    out[:] = list(symbols)
    return out.reshape(shape).view(Symbols)


def _plain(x: Any) -> Any:
    """Return an operand as what object arrays work with."""
    return x.view(np.ndarray) if isinstance(x, Symbols) else x


def _each(function: Callable[..., Any], operands: Sequence[Any]) -> Any:
    """Apply a function of symbols and numbers to arrays of them."""
    arrays = [_plain(x) if isinstance(x, np.ndarray) else _alone(x) for x in operands]
    if all(x.ndim == 0 for x in arrays):
        return function(*(x[()] for x in arrays))
    return np.frompyfunc(function, len(arrays), 1)(*arrays).view(Symbols)


def _alone(x: Any) -> Any:
    """Return an array of objects of what is no array."""
    if isinstance(x, list | tuple):
        return np.array(x, dtype=object)
    alone = np.empty((), dtype=object)
    alone[()] = x
    return alone


def _symbols_in(x: Any) -> Any:
    """Find a symbol among operands."""
    if isinstance(x, Symbol):
        return x
    if isinstance(x, np.ndarray) and x.dtype == object:
        return next((s for s in x.flat if isinstance(s, Symbol)), None)
    if isinstance(x, list | tuple):
        return next((s for s in map(_symbols_in, x) if s is not None), None)
    return None


def _ufunc(ufunc: Any, method: str, operands: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Do to each symbol what a ufunc does to each number."""
    name = ufunc.__name__
    out = options.pop("out", None)
    where = options.pop("where", True)
    if where is not True:
        raise Untraceable(f"`{name}` with where=")
    if name in ("matmul", "vecdot", "matvec", "vecmat") and method == "__call__":
        found = _product(name, *map(_plain, operands))
    elif method == "__call__":
        one = _symbols_in(operands)
        if one is None:  # an array of symbols without any
            found = ufunc(*(np.asarray(_plain(x), dtype=float) for x in operands), **options)
        else:
            found = _each(functools.partial(one.graph.apply, name), operands)
    elif method in ("reduce", "accumulate", "outer"):
        found = _over_axis(ufunc, method, operands, options)
    else:
        raise Untraceable(f"`{name}.{method}` cannot be compiled")
    if isinstance(found, np.ndarray):
        found = found.view(Symbols)
    if out is not None:
        out[0][...] = found
        return out[0]
    return found


def _over_axis(ufunc: Any, method: str, operands: Any, options: dict[str, Any]) -> Any:
    """Reduce, accumulate or combine by a function of two symbols."""
    binary = np.frompyfunc(lambda x, y: ufunc(x, y), 2, 1)
    options = {name: x for name, x in options.items() if name in ("axis", "keepdims")}
    x = _plain(operands[0])
    if method == "outer":
        return binary.outer(x, _plain(operands[1]))
    if method == "accumulate":
        return binary.accumulate(x, **options)
    axis = options.get("axis", operands[1] if len(operands) > 1 else 0)
    axes = tuple(range(x.ndim)) if axis is None else np.atleast_1d(axis) % x.ndim
    for a in sorted((int(a) for a in axes), reverse=True):
        if x.shape[a] == 0:
            raise Untraceable(f"`{ufunc.__name__}.reduce` of nothing")
        x = binary.reduce(x, axis=a, keepdims=bool(options.get("keepdims", False)))
    return x


def _product(name: str, a: Any, b: Any) -> Any:
    """Multiply matrices and vectors of symbols."""
    if name == "vecdot":
        return np.sum(a * b, axis=-1)
    if name == "matvec":
        return np.sum(a * b[..., None, :], axis=-1)
    if name == "vecmat":
        return np.sum(a[..., :, None] * b, axis=-2)
    return np.matmul(np.asarray(a, dtype=object), np.asarray(b, dtype=object))


def _function(function: Any, args: Any, kwargs: Any) -> Any:
    """Do to symbols what a function of NumPy does, where objects alone would not do."""
    name = getattr(function, "__name__", str(function))
    if name == "where" and len(args) == 3:
        one = _symbols_in(args)
        return _each(functools.partial(one.graph.apply, "where"), args)
    if name in ("max", "amax", "min", "amin") and isinstance(args[0], Symbols):
        return getattr(args[0], name[-3:])(*args[1:], **kwargs)
    if name == "clip":
        return _without_class(args[0]).view(Symbols).clip(*args[1:], **kwargs)
    plain = _without_class(args), _without_class(kwargs)
    try:
        found = function(*plain[0], **plain[1])
    except Untraceable:
        raise
    except Exception as error:
        raise Untraceable(f"`{name}` cannot be compiled ({error})") from error
    return found.view(Symbols) if isinstance(found, np.ndarray) and found.dtype == object else found


def _without_class(x: Any) -> Any:
    """Return arguments with plain arrays of objects in the place of arrays of symbols."""
    if isinstance(x, Symbols):
        return x.view(np.ndarray)
    if isinstance(x, Symbol):
        return _alone(x)
    if isinstance(x, list | tuple):
        return type(x)(map(_without_class, x))
    if isinstance(x, dict):
        return {name: _without_class(value) for name, value in x.items()}
    return x


def symbols_of(y: Any, graph: Graph, shape: tuple[int, ...], name: str) -> list[Symbol]:
    """Return the symbols that a function has returned, flat."""
    found = as_symbols(y)
    if found.shape != shape:
        raise Untraceable(f"`{name}` returns an array of shape {found.shape}, not {shape}")
    return [graph.symbol(x).as_number() for x in found.view(np.ndarray).ravel()]


def as_symbols(y: Any) -> Any:
    """Return what a function has returned, a list say, as an array of symbols."""
    found = np.asarray(_without_class(y), dtype=object)
    return found.view(Symbols)


def jumps_of(x: Any) -> str:
    """Name the operations noted so far that may jump, in the graph of an array of symbols."""
    names = {name for name, _ in _symbols_in(x).graph.nodes}
    return ", ".join(sorted(names & JUMPING))


def with_jacobian(x: Any, y: Any, jacobian: Any) -> Any:
    """Return y as what it is, but with a derivative in x of the user's own.

    Parameters
    ----------
    x, y : array of symbols (n,)
    jacobian : array of symbols and numbers (n, n)
    """
    graph = _symbols_in(x).graph
    rows = as_symbols(jacobian).view(np.ndarray)
    if rows.shape != (len(y), len(x)):
        raise Untraceable(f"`jacobian` returns an array of shape {rows.shape}")
    inputs = tuple(s.at for s in x.view(np.ndarray))
    found = []
    for value, row in zip(y.view(np.ndarray), rows, strict=True):
        factors = tuple(graph.symbol(entry).as_number().at for entry in row)
        found.append(graph.add("with_jacobian", (graph.symbol(value).at, *inputs, *factors)))
    return _array(found, y.shape)


def replay(graph: Graph, wanted: Sequence[int], inputs: dict[str, Any]) -> list[Any]:
    """Run what was written down on arrays.

    Parameters
    ----------
    graph : Graph
    wanted : sequence of int
        Nodes whose values are returned.
    inputs : dict
        Name of an input to a sequence of arrays that broadcast, one for each of its numbers.
        They may be traced by autograd.
    """
    needed = ancestors(graph, wanted)
    values: dict[int, Any] = {}
    for at in needed:
        operation, arguments = graph.nodes[at]
        if operation == "input":
            values[at] = inputs[arguments[0]][arguments[1]]
        elif operation == "constant":
            values[at] = arguments[0]
        elif operation == "with_jacobian":
            values[at] = values[arguments[0]]
        else:
            values[at] = evaluated(operation)(*(values[i] for i in arguments))
    return [values[at] for at in wanted]


def ancestors(graph: Graph, wanted: Sequence[int]) -> list[int]:
    """Return the nodes that some nodes need, themselves included, in order."""
    seen = np.zeros(len(graph.nodes), dtype=bool)
    pending = list(wanted)
    while pending:
        at = pending.pop()
        if not seen[at]:
            seen[at] = True
            operation, arguments = graph.nodes[at]
            if operation not in ("input", "constant"):
                pending.extend(arguments)
    return [int(at) for at in np.flatnonzero(seen)]
