"""Files of networks: npz, safetensors, and the HDF5 files of Keras."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

_ENDINGS = (".npz", ".safetensors", ".h5", ".hdf5", ".keras")


def read_arrays(source: Any) -> dict[str, Any]:
    """Return name to array from a mapping, or from a file of one of the kinds that we read."""
    if isinstance(source, Mapping):
        return dict(source)
    if not isinstance(source, str | Path):
        more = ": give its state_dict()" if hasattr(source, "state_dict") else ""
        raise TypeError(
            "weights must be a mapping of names to arrays, or the path of a file, got a "
            f"{type(source).__name__}{more}"
        )
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(f"no such file: {str(path)!r}")
    if path.suffix not in _ENDINGS:
        more = ""
        if path.suffix in (".pt", ".pth", ".bin", ".ckpt", ".pkl"):
            more = (
                ", not a pickle, which may run any code: load it in PyTorch, and write it with "
                "safetensors.torch.save_file(state_dict, ...)"
            )
        raise ValueError(f"{str(path)!r} must be a file of the kind {', '.join(_ENDINGS)}{more}")
    readers = {".npz": _read_npz, ".safetensors": _read_safetensors}
    return readers.get(path.suffix, _read_hdf5)(path)


def _read_npz(path: Path) -> dict[str, Any]:
    try:
        with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{str(path)!r} is not a whole .npz file of arrays ({type(error).__name__})"
        ) from None


def _read_safetensors(path: Path) -> dict[str, Any]:
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
    except ImportError:
        raise ImportError('safetensors is not installed: pip install "lyapnet[io]"') from None
    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise ValueError(f"{str(path)!r} is not a whole .safetensors file: {error}") from None


def _read_hdf5(path: Path) -> dict[str, Any]:
    """Read all datasets of a file of Keras; ``.keras`` is an archive with one in it."""
    try:
        import h5py
    except ImportError:
        raise ImportError('h5py is not installed: pip install "lyapnet[io]"') from None
    found: dict[str, Any] = {}

    def visit(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset) and node.dtype.kind == "f":
            found[_own_name(name)] = node[()]

    try:
        content: Any = path
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                content = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(content, "r") as file:
            file.visititems(visit)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{str(path)!r} is not a whole file of Keras ({type(error).__name__})"
        ) from None
    return found


def _own_name(name: str) -> str:
    """Name the variables of a recurrent cell, which Keras 3 only numbers, in its order."""
    *path, parent, last = ["", "", *name.split("/")]
    if parent == "vars" and last in ("0", "1", "2") and "cell" in path[-1]:
        own = ("kernel", "recurrent_kernel", "bias")[int(last)]
        return "/".join([*path, own]).strip("/")
    return name


def write_arrays(path: Any, arrays: Mapping[str, Any]) -> Path:
    """Write named arrays to an npz or safetensors file.

    Parameters
    ----------
    path : path
        Its ending says which.
    arrays : dict of str to array
    """
    path = Path(path)
    if path.suffix == ".safetensors":
        try:
            from safetensors.numpy import save_file
        except ImportError:
            raise ImportError('safetensors is not installed: pip install "lyapnet[io]"') from None
        save_file({name: np.ascontiguousarray(x) for name, x in arrays.items()}, path)
    elif path.suffix == ".npz":
        np.savez(path, allow_pickle=False, **arrays)
    else:
        raise ValueError(f"{str(path)!r} must end in .npz or .safetensors")
    return path
