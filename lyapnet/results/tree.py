"""What a file holds: a tree of plain values, arrays and objects, turned into JSON and back.

JSON's own values stand for themselves. What it does not know is an object with the entry ``$``,
which says what it is: an array, one number of NumPy, a tuple, a dictionary whose keys are not all
text, a complex number, or an object of a class that has registered itself here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

from .archive import KINDS

_PLAIN = (bool, int, float, str, type(None))
_KEYS = (*_PLAIN, tuple)

#: Levels of lists in lists: JSON and Python have limits of their own, not much above.
_DEEPEST = 100

_MEANT = "give numbers, text, arrays, results of lyapnet, or dictionaries, lists or tuples of such"
_INSTEAD = {
    "set": "give a sorted list",
    "frozenset": "give a sorted list",
    "MaskedArray": "its mask would be lost: fill it, x.filled(np.nan)",
    "matrix": "give np.asarray(x)",
    "OrderedDict": "give dict(x)",
    "defaultdict": "give dict(x)",
}

_Kind = TypeVar("_Kind", bound=type)

#: The classes that files may name, by their public names.
_CLASSES: dict[str, type] = {}


def register(kind: _Kind) -> _Kind:
    """Let files name a class, as itself alone: where it is defined may change.

    Its state in a file is what ``_to_state`` returns and ``_from_state`` takes, if it has these;
    the fields of a dataclass or named tuple else.
    """
    known = _CLASSES.setdefault(kind.__name__, kind)
    if (known.__module__, known.__qualname__) != (kind.__module__, kind.__qualname__):
        raise TypeError(f"two classes would be called {kind.__name__!r} in files")
    _CLASSES[kind.__name__] = kind
    return kind


def encode(thing: Any, arrays: dict[str, Any], name: str = "", depth: int = 0) -> Any:
    """Return a tree as JSON; its arrays go to `arrays`.

    Raises
    ------
    TypeError
        If it would not come back as it is.
    """
    kind = type(thing)
    if kind in _PLAIN:
        return thing
    if depth > _DEEPEST:
        raise TypeError(
            f"cannot save what is nested deeper than {_DEEPEST} levels, or holds itself; at "
            f"{name[:40]}..."
        )

    def inside(item: Any, key: Any) -> Any:
        return encode(item, arrays, f"{name}/{key}", depth + 1)

    if isinstance(thing, np.ndarray | np.generic):
        return _array(thing, arrays, name)
    if kind is list:
        return [inside(item, i) for i, item in enumerate(thing)]
    if kind is tuple:
        return {"$": "tuple", "items": [inside(item, i) for i, item in enumerate(thing)]}
    if kind is dict:
        return _dictionary(thing, inside)
    if kind is complex:
        return {"$": "complex", "parts": [thing.real, thing.imag]}
    state = _state(thing, name)
    return {"$": kind.__name__, "state": {key: inside(x, key) for key, x in state.items()}}


def _array(x: Any, arrays: dict[str, Any], name: str) -> Any:
    one = isinstance(x, np.generic)
    if x.dtype.kind not in KINDS or not (one or type(x) in (np.ndarray, np.memmap)):
        what = "structured" if x.dtype.kind == "V" else "an array of objects"
        raise _refusal(type(x).__name__, name, what if x.dtype.kind not in KINDS else None)
    if one and x.dtype.itemsize:
        return {"$": "number", "dtype": x.dtype.str, "bytes": np.asarray(x).tobytes().hex()}
    # The keys of users may hold what names in an archive cannot.
    mark = re.sub(r"[^\w/.-]", "_", name.lstrip("/"))[:150] or "array"
    if mark in arrays:
        mark = f"{mark}~{len(arrays)}"
    arrays[mark] = np.asarray(x)
    return {"$": "array", "name": mark, **({"scalar": True} if one else {})}


def _dictionary(thing: dict[Any, Any], inside: Any) -> Any:
    if all(type(key) is str for key in thing) and "$" not in thing:
        return {key: inside(item, key) for key, item in thing.items()}
    for key in thing:
        if not isinstance(key, np.generic) and type(key) not in _KEYS:
            raise TypeError(f"cannot save a dictionary with the key {key!r}: give it as text")
    return {"$": "dict", "items": [[inside(k, k), inside(x, k)] for k, x in thing.items()]}


def _state(thing: Any, name: str) -> Mapping[str, Any]:
    kind = type(thing)
    state: Any = None
    if _CLASSES.get(kind.__name__) is not kind:
        what = "a named tuple: give its _asdict()" if hasattr(kind, "_fields") else None
        if callable(getattr(thing, "_to_state", None)):
            what = "no class of lyapnet: no file can hold its functions; save its params"
        raise _refusal(kind.__name__, name, what)
    if hasattr(kind, "_to_state"):
        state = thing._to_state()
        if state is None:
            raise _refusal(kind.__name__, name, "no file can hold its functions; save its params")
    elif is_dataclass(thing):
        state = {f.name: getattr(thing, f.name) for f in fields(thing)}
    else:
        state = thing._asdict()
    return state


def _refusal(kind: str, name: str, why: str | None = None) -> TypeError:
    where = f" at {name}" if name else ""
    return TypeError(f"cannot save a {kind}{where}: {why or _INSTEAD.get(kind, _MEANT)}")


def decode(node: Any, arrays: Mapping[str, Any]) -> Any:
    """Return the tree that `encode` has made JSON of."""
    if isinstance(node, list):
        return [decode(item, arrays) for item in node]
    if not isinstance(node, dict):
        return node
    if "$" not in node:
        return {key: decode(item, arrays) for key, item in node.items()}
    kind = node["$"]
    if kind == "array":
        x = arrays[node["name"]]
        return x[()] if "scalar" in node else x
    if kind == "number":
        dtype = np.dtype(node["dtype"])
        if dtype.kind not in KINDS:
            raise ValueError(f"a number of {dtype}")
        return np.frombuffer(bytes.fromhex(node["bytes"]), dtype)[0]
    if kind == "tuple":
        return tuple(decode(item, arrays) for item in node["items"])
    if kind == "dict":
        return {decode(key, arrays): decode(item, arrays) for key, item in node["items"]}
    if kind == "complex":
        return complex(*node["parts"])
    return _object(kind, {key: decode(item, arrays) for key, item in node["state"].items()})


def decode_first(node: Any, arrays: Mapping[str, Any]) -> Any:
    """Return the tree of a file of the first format, which named classes by their modules."""
    if isinstance(node, list):
        return [decode_first(item, arrays) for item in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"__array__"}:
        return arrays[node["__array__"]]
    tree = {key: decode_first(item, arrays) for key, item in node.items()}
    if set(node) != {"__class__", "state"}:
        return tree
    return _object(str(node["__class__"]).rpartition(":")[2], tree["state"])


def _object(name: str, state: dict[str, Any]) -> Any:
    """Make an object of a registered class; nothing else is looked up, imported or run."""
    kind: Any = _CLASSES.get(name)
    if kind is None:
        raise ValueError(
            f"it names the class {name!r}, which this version of lyapnet does not save"
        )
    return kind._from_state(state) if hasattr(kind, "_from_state") else kind(**state)
