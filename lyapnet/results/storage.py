"""Files of results, networks and checkpoints: NumPy arrays and JSON in one npz, no pickle."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

#: Raised when a file of this version cannot be read by the last one.
FORMAT = 1

#: The entry of a file that holds its JSON.
HEAD = "lyapnet.json"
_PLAIN = (bool, int, float, str, type(None))

_Kind = TypeVar("_Kind", bound=type)

#: The classes that files may name, by their public names.
_CLASSES: dict[str, type] = {}


def register(kind: _Kind) -> _Kind:
    """Let files name a class, as itself alone: where it is defined may change."""
    known = _CLASSES.setdefault(kind.__name__, kind)
    if (known.__module__, known.__qualname__) != (kind.__module__, kind.__qualname__):
        raise TypeError(f"two classes would be called {kind.__name__!r} in files")
    _CLASSES[kind.__name__] = kind
    return kind


def write(path: Any, tree: Any) -> Path:
    """Write a tree of dictionaries, lists, arrays and plain values, whole or not at all."""
    path = Path(path)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"`path` must be a file in an existing folder, got {str(path)!r}")
    arrays: dict[str, Any] = {}
    head = {"format": FORMAT, "tree": _take_arrays(tree, arrays, "")}
    fresh = path.with_name(path.name + ".tmp")
    with open(fresh, "wb") as file:
        arrays[HEAD] = np.array(json.dumps(head))
        np.savez(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    return path


def read(path: Any) -> Any:
    """Read what `write` has written; a file that is truncated, foreign or newer is refused."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"`path` must be a path, got {path!r}")
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"no such file: {str(path)!r}")
    if path.is_dir():
        raise ValueError(f"{str(path)!r} is a folder: the one of a sweep is read by `load_sweep`")
    try:
        with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
            names = set(file.files)
            arrays = {name: file[name] for name in names - {HEAD}}
            head = json.loads(str(file[HEAD])) if HEAD in names else None
    except (ValueError, KeyError, EOFError, TypeError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{str(path)!r} is not a whole file of lyapnet ({type(error).__name__}): it is "
            "truncated, or comes from another program"
        ) from None
    if head is None and "json" in names:
        raise ValueError(
            f"{str(path)!r} is the checkpoint of a run: repeat the call that wrote it, with the "
            "same `checkpoint`, and it goes on from there"
        )
    if head is None:
        raise ValueError(f"{str(path)!r} is not a file of lyapnet: it comes from another program")
    if head.get("format", 0) > FORMAT:
        raise ValueError(
            f"{str(path)!r} has format {head['format']}, this version of lyapnet reads up to "
            f"{FORMAT}: install a newer lyapnet"
        )
    return _put_arrays(head["tree"], arrays)


def _take_arrays(node: Any, arrays: dict[str, Any], name: str) -> Any:
    """Take the arrays out of a tree; leave a mark where each was."""
    if isinstance(node, np.ndarray):
        if node.dtype == object:
            raise TypeError(f"cannot save an array of objects{name and f' at {name}'}")
        # Keys may hold what names in an npz file cannot, and a slash may make two names equal.
        mark = name.replace("\0", "").replace("\\", "").replace(".npy", "") or "array"
        while mark in arrays:
            mark += "'"
        arrays[mark] = node
        return {"__array__": mark}
    if isinstance(node, dict):
        return {key: _take_arrays(item, arrays, f"{name}/{key}") for key, item in node.items()}
    if isinstance(node, list | tuple):
        return [_take_arrays(item, arrays, f"{name}/{i}") for i, item in enumerate(node)]
    if isinstance(node, np.generic):
        node = node.item()
    if not isinstance(node, _PLAIN):
        raise TypeError(f"cannot save a {type(node).__name__}{name and f' at {name}'}")
    return node


def _put_arrays(node: Any, arrays: dict[str, Any]) -> Any:
    if isinstance(node, dict):
        if set(node) == {"__array__"}:
            return arrays[node["__array__"]]
        return {key: _put_arrays(item, arrays) for key, item in node.items()}
    if isinstance(node, list):
        return [_put_arrays(item, arrays) for item in node]
    return node


def plain(thing: Any) -> Any:
    """Turn arrays into lists and NumPy's numbers into Python's, for JSON."""
    if isinstance(thing, dict):
        return {key: plain(item) for key, item in thing.items()}
    if isinstance(thing, list | tuple):
        return [plain(item) for item in thing]
    if isinstance(thing, np.ndarray):
        return thing.tolist()
    return thing.item() if isinstance(thing, np.generic) else thing


def save(thing: Any, path: Any) -> Path:
    """Save a result or a network; `load` reads it back.

    Parameters
    ----------
    thing : result, cell or optimiser of lyapnet
    path : path
        By convention with the ending ``.npz``.
    """
    return write(path, {"thing": _encode(thing)})


def load(path: Any) -> Any:
    """Load a result or a network that was saved with ``.save(path)``.

    Parameters
    ----------
    path : path

    Returns
    -------
    object
        Of the class that was saved, with the same arrays. A `Spectrum` of a map or flow comes
        back without its system, whose functions no file can hold; give it to `extend`. What
        `floss` and `train` made of one comes back with its parameters as `cell`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is truncated, foreign or from a newer version.

    Examples
    --------
    >>> import os, tempfile
    >>> import lyapnet as ln
    >>> cell = ln.VanillaRNN.random(4, rng=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = cell.save(os.path.join(folder, "cell.npz"))
    ...     ln.load(path)
    VanillaRNN(dim=4, n_inputs=1)
    """
    tree = read(path)
    if not isinstance(tree, dict) or "thing" not in tree:
        raise ValueError(f"{str(path)!r} holds no result or network of lyapnet")
    return _decode(tree["thing"])


def _encode(thing: Any) -> Any:
    """Turn objects of lyapnet into dictionaries that name their class."""
    if isinstance(thing, dict):
        return {key: _encode(item) for key, item in thing.items()}
    kind = type(thing)
    if hasattr(thing, "_to_state"):
        state = thing._to_state()
        return state if state is None else _named(kind, state)
    if _CLASSES.get(kind.__name__) is not kind:
        return [_encode(item) for item in thing] if isinstance(thing, list | tuple) else thing
    if hasattr(thing, "_asdict"):
        return _named(kind, thing._asdict())
    if is_dataclass(thing):
        return _named(kind, {f.name: getattr(thing, f.name) for f in fields(thing)})
    return _named(kind, vars(thing))


def _named(kind: type, state: Any) -> dict[str, Any]:
    if _CLASSES.get(kind.__name__) is not kind:
        raise TypeError(f"cannot save a {kind.__name__}: it is not a class of lyapnet")
    return {"__class__": kind.__name__, "state": _encode(state)}


def _decode(node: Any) -> Any:
    if isinstance(node, list):
        return [_decode(item) for item in node]
    if not isinstance(node, dict):
        return node
    if set(node) != {"__class__", "state"}:
        return {key: _decode(item) for key, item in node.items()}
    # Older files have the module in front: "lyapnet.exponents:Spectrum". It is not looked at.
    kind: Any = _CLASSES.get(str(node["__class__"]).rpartition(":")[2])
    if kind is None:
        raise ValueError(
            f"the file names the class {node['__class__']!r}, which this version of lyapnet does "
            "not save: it is from a newer one, or from another program"
        )
    state = _decode(node["state"])
    if hasattr(kind, "_from_state"):
        return kind._from_state(state)
    if is_dataclass(kind) or hasattr(kind, "_fields"):
        return kind(**state)
    thing = kind.__new__(kind)
    vars(thing).update(state)
    return thing
