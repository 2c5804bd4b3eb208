"""What tells an argument or a function from another, in words that a file can hold.

Two descriptions agree only if nothing that is reachable differs: values and types, the order of
what has one, which of two equal lists is meant. Objects are described as they would be pickled;
what cannot be pickled cannot be told from another, and is refused.
"""

from __future__ import annotations

import copyreg
import functools
import hashlib
import json
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from ..numerics.autodiff import value
from . import bytecode

_JSON = (bool, int, str, type(None))

#: What lyapnet makes of a map's functions, `_given`: older versions described it, too.
_DERIVED = {"_function", "_derivative"}


def describe(x: Any, name: str = "it") -> Any:
    """Return what distinguishes a value from all others, as JSON would hold it.

    Arrays by a digest, generators by their state, other objects by their type and attributes.
    Functions by their code, their defaults, what they close over and the globals that they use;
    classes by their methods. Comments, layout and docstrings are free. Of installed packages, and
    of lyapnet, functions and classes count by their names alone: their code may change with a
    version, and need not mean another result. Modules count by their names.

    Parameters
    ----------
    x : Any
    name : str, optional
        What to call it where it is refused.

    Raises
    ------
    TypeError
        If it holds something that cannot be described, such as an open file, with its place.
    """
    try:
        return _Description().of(x, name)
    except RecursionError:
        raise TypeError(f"`{name}` is nested too deeply to be told from another") from None


def seal(described: Any) -> str:
    """Return a digest of a description, or of whatever else JSON holds."""
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def alike(then: Any, now: Any) -> bool:
    """Say whether two descriptions may be of the same thing: other Pythons compile differently."""
    if isinstance(then, dict) and isinstance(now, dict):
        names = then.keys() | now.keys()
        if "_given" in now:
            names -= _DERIVED
        if _pythons(then) != _pythons(now):
            names -= {"compiled"}
        return all(x in then and x in now and alike(then[x], now[x]) for x in names)
    if isinstance(then, list) and isinstance(now, list):
        return len(then) == len(now) and all(map(alike, then, now))
    return type(then) is type(now) and bool(then == now)


def _pythons(described: dict[str, Any]) -> Any:
    """Return which Python compiled a function: the code of another one says nothing."""
    compiled = described.get("compiled")
    return compiled.get("python") if isinstance(compiled, dict) else None


def _remembered(kind: type) -> set[str]:
    """Return the attributes that objects of lyapnet only remember, to be quicker the next time."""
    if bytecode.origin(kind):
        return set()
    members = [pair for base in kind.__mro__ for pair in vars(base).items()]
    names = {name for name, x in members if isinstance(x, functools.cached_property)}
    return names | set(getattr(kind, "_remembered", ()))


class _Description:
    """One description in the making: it knows what it has met already."""

    def __init__(self) -> None:
        # By their ids: each with its number, and itself, so that its id stays its own.
        self._met: dict[int, tuple[int, Any]] = {}

    def of(self, x: Any, name: str) -> Any:
        x = value(x)
        kind = type(x)
        if kind in _JSON:
            return x
        if kind is float:
            return x if np.isfinite(x) and repr(x) != "-0.0" else {"float": repr(x)}
        if kind in (complex, bytes) or x is ... or x is NotImplemented:
            return {kind.__name__: repr(x)}
        if isinstance(x, np.generic) or kind in (np.ndarray, np.memmap):
            return self._array(x, name)
        if kind is tuple:
            return {"tuple": self._all(x, name)}
        if kind is frozenset:
            return {"frozenset": self._unordered(x, name)}
        if isinstance(x, ModuleType):
            return {"module": x.__name__}
        if id(x) in self._met:
            return {"again": self._met[id(x)][0]}
        self._met[id(x)] = (len(self._met), x)
        return self._mutable(x, name)

    def _mutable(self, x: Any, name: str) -> Any:
        """Describe what has an identity, met for the first time."""
        kind = type(x)
        if kind is list:
            return self._all(x, name)
        if kind is dict:
            pairs = [[self.of(k, name), self.of(v, f"{name}[{k!r}]")] for k, v in x.items()]
            return {"dict": pairs}
        if kind is set:
            return {"set": self._unordered(x, name)}
        if isinstance(x, np.random.Generator):
            seeds = getattr(x.bit_generator.seed_seq, "state", None)
            return {
                "generator": self.of(x.bit_generator.state, name),
                "seeds": self.of(seeds, name),
            }
        if isinstance(x, functools.partial):
            given = {"args": self._all(x.args, name), "keywords": self.of(x.keywords, name)}
            return {"partial": self.of(x.func, name), **given}
        if isinstance(x, MethodType):
            return {"method": self.of(x.__func__, name), "self": self.of(x.__self__, name)}
        if isinstance(x, FunctionType):
            return bytecode.describe_function(x, name, self.of)
        if isinstance(x, type):
            return bytecode.describe_class(x, name, self.of)
        if isinstance(x, BuiltinFunctionType):
            owner = x.__self__
            held = None if owner is None or isinstance(owner, ModuleType) else owner
            return {"builtin": f"{x.__module__}.{x.__qualname__}", "self": self.of(held, name)}
        inner = getattr(x, "py_func", getattr(x, "__wrapped__", None))
        if callable(inner):  # compiled by numba, or remembering its results
            return {"wrapper": bytecode.type_name(kind), "function": self.of(inner, name)}
        if hasattr(x, "detach") and hasattr(x, "cpu"):  # a tensor of PyTorch
            return {"tensor": self.of(np.asarray(x.detach().cpu()), name)}
        return self._object(x, name)

    def _all(self, items: Any, name: str) -> list[Any]:
        return [self.of(item, f"{name}[{i}]") for i, item in enumerate(items)]

    def _unordered(self, items: Any, name: str) -> list[str]:
        """Describe each by itself: in which order they come differs from process to process."""
        met, found = self._met, []
        for item in items:
            self._met = dict(met)
            found.append(json.dumps(self.of(item, name)))
        self._met = met
        return sorted(found)

    def _array(self, x: Any, name: str) -> dict[str, Any]:
        if x.dtype.hasobject:
            items = np.asarray(x).ravel().tolist()
            return {"objects": list(np.shape(x)), "items": self._all(items, name)}
        digest = hashlib.sha256(np.ascontiguousarray(x).tobytes()).hexdigest()
        kind = "number" if isinstance(x, np.generic) else "array"
        dtype = x.dtype.str if x.dtype.names is None else repr(x.dtype)
        return {kind: f"{dtype}{np.shape(x)} {digest}"}

    def _object(self, x: Any, name: str) -> dict[str, Any]:
        """Describe an object as pickle would make it again."""
        kind = type(x)
        classes = [] if bytecode.origin(kind) else kind.__mro__[:-1]
        named = any("__reduce__" in vars(one) for one in classes)
        try:
            special = copyreg.dispatch_table.get(kind)
            reduced = special(x) if special is not None else x.__reduce_ex__(4)
            if named:  # what pickle finds again by its name is told by what it is made of
                reduced = copyreg.__newobj__, (kind,), x.__getstate__()  # type: ignore[attr-defined]
        except Exception as error:
            raise TypeError(
                f"`{name}` holds a {kind.__qualname__}, which cannot be told from another one "
                f"({error}), so that an old result might be taken for a new one: give what it is "
                "made of (numbers, arrays, a path), and make it inside"
            ) from None
        if isinstance(reduced, str):
            return {"global": reduced, "of": str(getattr(x, "__module__", None))}
        maker, args, state, items, pairs = (*reduced, None, None, None)[:5]
        found: dict[str, Any] = {"object": kind.__qualname__, **bytecode.origin(kind)}
        if bytecode.is_users(kind):
            found["class"] = self.of(kind, name)
        if maker is not copyreg.__newobj__ or args != (kind,):  # type: ignore[attr-defined]  # not in the stubs
            found["made"] = [self.of(maker, name), self.of(args, name)]
        if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):
            state = {**(state[0] or {}), **state[1]}  # of an object with slots
        if isinstance(state, dict) and all(type(key) is str for key in state):
            own = state.keys() - _remembered(kind)
            found["attributes"] = {k: self.of(state[k], f"{name}.{k}") for k in state if k in own}
        elif state is not None:
            found["state"] = self.of(state, name)
        for part, given in (("items", items), ("pairs", pairs)):
            if given is not None:
                found[part] = self._all(list(given), name)
        return found


def function_name(function: Any) -> str:
    """Return the module and name of a function, of a callable object those of its type."""
    while isinstance(function, functools.partial):
        function = function.func
    named: Any = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"
