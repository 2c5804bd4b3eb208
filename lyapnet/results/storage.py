"""Files of results, networks and checkpoints: NumPy arrays and JSON in one npz, no pickle.

What is written comes back as it was: of the same types, with the same keys, bit for bit. What
cannot is refused when it is written.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np

from ..errors import FileError
from ..numerics.arrays import PathLike
from . import archive, files, tree
from .tree import register as register

#: Raised when a file of this version cannot be read by the last one.
FORMAT = 2

#: The entry of a file that holds its JSON.
HEAD = "lyapnet.json"

_Thing = TypeVar("_Thing")


def write(path: PathLike | None, thing: Any, kind: str = "object") -> Path:
    """Write a tree of dictionaries, lists, arrays and objects, whole or not at all.

    Parameters
    ----------
    path : path
    thing : Any
        See `lyapnet.results.tree`.
    kind : str, optional
        What is in the file: `read` asks for it.
    """
    path = _as_path(path)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"`path` must be a file in an existing folder, got {str(path)!r}")
    arrays: dict[str, Any] = {}
    head = {"format": FORMAT, "kind": kind, "tree": tree.encode(thing, arrays)}
    with files.replacing(path) as file:
        archive.write_sealed(file, arrays, {HEAD: json.dumps(head)})
    return path


def read(path: PathLike, kind: str = "object") -> Any:
    """Read what `write` has written.

    Raises
    ------
    OSError
        If there is no such file, or it may not be read.
    FileError
        If it is damaged, foreign, newer, or of another kind.
    """
    path = _as_path(path)
    if path.is_dir():
        raise ValueError(f"{str(path)!r} is a folder: the one of a sweep is read by `load_sweep`")
    if not path.exists():
        raise FileNotFoundError(f"no such file: {str(path)!r}")
    with open(path, "rb") as file, archive.damage(path):
        sealed = archive.is_sealed(file, path)
        arrays, texts = archive.read_arrays(file, path)
        head = _head(path, arrays, texts)
        if head["format"] > FORMAT:
            raise FileError(
                f"{str(path)!r} has format {head['format']}, this version of lyapnet reads up to "
                f"{FORMAT}: install a newer lyapnet"
            )
        if head["format"] > 1 and not sealed:
            raise FileError(
                f"{str(path)!r} is damaged: it lacks its checksum; take it from a copy, or make it "
                "again"
            )
        _check_kind(path, head["kind"], kind)
        if head["format"] == 1:
            return tree.decode_first(head["tree"], arrays)
        return tree.decode(head["tree"], arrays)


def _as_path(path: Any) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"`path` must be a path, got {path!r}")
    return Path(path)


def _head(path: Path, arrays: dict[str, Any], texts: dict[str, bytes]) -> dict[str, Any]:
    """Return what a file says of itself; of the first format, in the terms of today."""
    if HEAD in texts:
        head = json.loads(texts[HEAD])
    elif HEAD in arrays:
        head = {"kind": "object", **json.loads(str(arrays.pop(HEAD)))}
        if set(head["tree"]) == {"thing"}:
            head["tree"] = head["tree"]["thing"]
    elif "json" in arrays:
        given = json.loads(str(arrays.pop("json")))
        found = {"first_call": given["call"], "state": given["state"]}
        head = {"kind": "checkpoint", "format": given["format"], "tree": found}
    else:
        raise FileError(f"{str(path)!r} is not a file of lyapnet: it comes from another program")
    if type(head["format"]) is not int or head["format"] < 1 or type(head["kind"]) is not str:
        raise ValueError("no number of a format")
    return head


def _check_kind(path: Path, found: str, wanted: str) -> None:
    if found == wanted:
        return
    remedy = {
        "object": "`lyapnet.load` reads it",
        "checkpoint": "repeat the call that wrote it, with the same `checkpoint`, and it goes on "
        "from there",
    }
    names = {
        "object": "a result or network",
        "checkpoint": "the checkpoint of a run",
    }
    raise FileError(
        f"{str(path)!r} is {names.get(found, found)}, not {names[wanted]}: "
        f"{remedy.get(found, 'install a newer lyapnet')}"
    )


def plain(thing: Any) -> Any:
    """Turn arrays into lists and NumPy's numbers into Python's, for JSON."""
    if isinstance(thing, dict):
        return {key: plain(item) for key, item in thing.items()}
    if isinstance(thing, list | tuple):
        return [plain(item) for item in thing]
    if isinstance(thing, np.ndarray):
        return thing.tolist()
    return thing.item() if isinstance(thing, np.generic) else thing


def save(thing: Any, path: PathLike) -> Path:
    """Save a result or a network; `load` reads it back.

    Parameters
    ----------
    thing : result, cell or optimiser of lyapnet
    path : path
        By convention with the ending ``.npz``.
    """
    return write(path, thing)


@overload
def load(path: PathLike) -> Any: ...
@overload
def load(path: PathLike, kind: type[_Thing]) -> _Thing: ...
def load(path: PathLike, kind: type | None = None) -> Any:
    """Load a result or a network that was saved with ``.save(path)``.

    Parameters
    ----------
    path : path
    kind : type, optional
        What it should be, such as `Spectrum`; what is something else is refused. Type checkers
        then know what comes back.

    Returns
    -------
    object
        Of the class that was saved, with the same arrays. A `Spectrum` of a map or flow comes
        back without its system, whose functions no file can hold; give it to `extend`. What
        `floss` and `train` made of one comes back with its parameters as `cell`.

    Raises
    ------
    OSError
        If there is no such file, or it may not be read.
    ValueError
        If the file is damaged, foreign or from a newer version, or holds something else.

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
    thing = read(path)
    if kind is not None and not isinstance(thing, kind):
        raise FileError(
            f"{str(path)!r} holds a {type(thing).__name__}, not a {kind.__name__}: "
            "leave out `kind`, or load another file"
        )
    return thing
