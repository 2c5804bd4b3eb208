"""Files of networks: npz, safetensors, and the HDF5 files of Keras."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..results import archive, files, storage

_ENDINGS = (".npz", ".safetensors", ".h5", ".hdf5", ".keras")


def read_arrays(source: Any, name: str = "weights") -> dict[str, Any]:
    """Return name to array from a mapping, or from a file of one of the kinds that we read."""
    if isinstance(source, Mapping):
        return dict(source)
    if not isinstance(source, str | Path):
        more = ""
        if hasattr(source, "state_dict"):
            more = (
                ": give its state_dict(), or use lyapnet.torch.from_module, which sees a "
                "recurrent module's layers and nonlinearity"
            )
        raise TypeError(
            f"`{name}` must be a mapping of names to arrays, or the path of a file, got a "
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
    readers = {".npz": _read_npz, ".safetensors": _read_safetensors, ".keras": _read_keras}
    with open(path, "rb") as file:
        return readers.get(path.suffix, _read_hdf5)(file, path)


def _read_npz(file: BinaryIO, path: Path) -> dict[str, Any]:
    with archive.damage(path, "a whole .npz file of arrays"):
        arrays, texts = archive.read_arrays(file, path)
        return arrays | {name: x for name, x in texts.items() if name == storage.HEAD}


def _read_safetensors(file: BinaryIO, path: Path) -> dict[str, Any]:
    try:
        from safetensors.numpy import load
    except ImportError:
        raise ImportError('safetensors is not installed: pip install "lyapnet[io]"') from None
    content = file.read()
    with archive.damage(path, "a whole .safetensors file"):
        return dict(load(content))


def _read_keras(file: BinaryIO, path: Path) -> dict[str, Any]:
    """Read the archive of Keras, which has its weights in an HDF5 file."""
    with archive.damage(path, "a whole file of Keras"), archive.open_zip(file) as found:
        entry = found.getinfo("model.weights.h5")
        archive.check_size(path, entry.file_size, path.stat().st_size)
        return _read_hdf5(io.BytesIO(found.read(entry)), path)


def _read_hdf5(file: BinaryIO, path: Path) -> dict[str, Any]:
    """Read all datasets of an HDF5 file of Keras."""
    try:
        import h5py
    except ImportError:
        raise ImportError('h5py is not installed: pip install "lyapnet[io]"') from None
    size = file.seek(0, os.SEEK_END)
    found: dict[str, Any] = {}
    declared = 0

    def visit(name: str, node: Any) -> None:
        nonlocal declared
        if not isinstance(node, h5py.Dataset) or node.dtype.kind != "f":
            return
        if node.external or node.is_virtual:
            raise ValueError(f"{name} is kept in another file")
        declared += node.nbytes
        archive.check_size(path, declared, size)
        found[_own_name(name)] = node[()]

    with archive.damage(path, "a whole file of Keras"), h5py.File(file, "r") as content:
        content.visititems(visit)
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
    if path.suffix not in (".npz", ".safetensors"):
        raise ValueError(f"{str(path)!r} must end in .npz or .safetensors")
    plain = {name: np.ascontiguousarray(x) for name, x in arrays.items()}
    if path.suffix == ".npz":
        with files.replacing(path) as file:
            archive.write_plain(file, plain)
        return path
    try:
        from safetensors.numpy import save
    except ImportError:
        raise ImportError('safetensors is not installed: pip install "lyapnet[io]"') from None
    with files.replacing(path) as file:
        file.write(save(plain))
    return path
