"""What the commands share: their arguments, the files that they read, and how they print."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .. import validate
from ..cells import Cell
from ..errors import FileError
from ..numerics.arrays import Array
from ..optimize import SOAP, Adam
from ..results import archive, files, storage
from ..weights import read_arrays, read_cell, to_torch, write_arrays
from ..weights.torch import put_back

WEIGHTS = """\
weights: a network or result saved by lyapnet; arrays W (n, n), V (n, m), b (n) of
h' = W phi(h) + V u + b; or a vanilla RNN, LSTM or GRU of PyTorch (its state dict), Keras
(.weights.h5, .keras) or Flax. Files are .npz, .safetensors or those of Keras.
"""

OPTIMIZERS: dict[str, type[Adam]] = {"adam": Adam, "soap": SOAP}


def command(commands: Any, name: str, *, help: str, description: str, epilog: str) -> Any:
    """Add a command with its help; return its parser."""
    return commands.add_parser(
        name,
        help=help,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which network, and what drives it."""
    parser.add_argument("weights", help="file with the network's weights, see below")
    parser.add_argument(
        "--inputs", metavar="FILE", help="array (steps, inputs), .npy, .npz with one array, or .csv"
    )
    add_choice(parser)


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what a file of weights does not."""
    parser.add_argument(
        "--layer",
        type=_layer,
        default=0,
        help="which recurrent layer, by number or name, or 'all' as one system (default 0)",
    )
    parser.add_argument(
        "--reverse",
        action=argparse.BooleanOptionalAction,
        help="the direction backward in time (needed where there are two)",
    )
    parser.add_argument(
        "--prefix",
        metavar="NAME",
        help="name of the recurrent module in a state dict of PyTorch that has several",
    )
    parser.add_argument(
        "--activation",
        choices=["tanh", "relu", "linear"],
        help="of a vanilla network whose file does not tell (default tanh)",
    )
    parser.add_argument("--leak", type=float, help="of W, V, b: see --activation (default 1)")


def add_optimizer(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say how parameters move."""
    parser.add_argument(
        "--optimizer",
        choices=sorted(OPTIMIZERS),
        default="adam",
        help="soap: Adam along the principal directions of recurrent weights (default %(default)s)",
    )


def optimizer(options: argparse.Namespace) -> Adam:
    """Return the optimiser that was asked for."""
    rate = validate.real("learning_rate", options.learning_rate, positive=True)
    return OPTIMIZERS[options.optimizer](rate)


def add_results(parser: argparse.ArgumentParser, saved: str) -> None:
    """Add the arguments that say where results go."""
    parser.add_argument("--seed", type=int, default=0, help="of all chance (default 0)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("-o", "--output", metavar="FILE.npz", help=saved)
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="a bar on stderr (default: if that is a terminal)",
    )


def add_torch(parser: argparse.ArgumentParser) -> None:
    """Add the argument that writes weights for PyTorch."""
    parser.add_argument(
        "--torch",
        metavar="FILE",
        help="write the network as a state dict of PyTorch, .npz or .safetensors",
    )


def integer_or_auto(text: str) -> int | str:
    """Read an argument that is a number or ``auto``."""
    return text if text == "auto" else int(text)


def _layer(text: str) -> int | str | None:
    if text == "all":
        return None
    return int(text) if text.isdecimal() else text


def network(options: argparse.Namespace) -> Cell:
    """Read the network."""
    arrays = read_arrays(options.weights)
    if (options.layer != 0 or options.reverse) and (storage.HEAD in arrays or "W" in arrays):
        given = "--reverse" if options.layer == 0 else "--layer"
        if options.layer is not None or options.reverse:  # 'all' of one is that one
            raise ValueError(f"{given}: {options.weights!r} holds one network without layers")
    cell = read_cell(
        options.weights,
        layer=options.layer,
        reverse=options.reverse,
        prefix=options.prefix,
        activation=options.activation,
        leak=options.leak,
    )
    own = "" if options.prefix is None else f"{options.prefix.rstrip('.')}."
    layers = sum(
        name.startswith(own) and ("weight_hh" in name or name.endswith("recurrent_kernel"))
        for name in arrays
    )
    if layers > 1 and options.layer == 0 and not options.reverse:
        print(
            f"lyapnet {options.command}: note: layer 0 alone, the first of {layers} recurrent "
            "layers and directions in the file; --layer all takes layers together",
            file=sys.stderr,
        )
    if getattr(cell, "networks", ()):
        raise ValueError(
            f"{options.weights!r} holds an ensemble of networks of shape {cell.networks}: give one "
            "of them; the functions of lyapnet take ensembles"
        )
    return cell


def inputs(options: argparse.Namespace, cell: Cell) -> Array | None:
    """Read inputs; one line of them may be without its axis."""
    path = options.inputs
    if path is None:
        return None
    with open(path, "rb") as file, archive.damage(path, "an array of inputs"):
        start = file.read(6)
        file.seek(0)
        if start == b"\x93NUMPY":
            found = archive.read_array(file)
        elif start[:2] == b"PK":
            arrays, _ = archive.read_arrays(file, path)
            if len(arrays) != 1:
                raise FileError(f"{path!r} must have one array of inputs, and has {[*arrays]}")
            (found,) = arrays.values()
        else:
            found = _read_table(file)
    found = found[:, None] if found.ndim == 1 and cell.n_inputs == 1 else found
    if found.ndim != 2:
        raise ValueError(
            f"`inputs` must have shape (steps, inputs), {path!r} has {found.shape}: give one "
            "sequence; the functions of lyapnet take ensembles"
        )
    return found


def _read_table(file: BinaryIO) -> Array:
    """Read numbers in lines, between them commas, semicolons or spaces; one line may be names."""
    lines = file.read().decode().splitlines()
    first = next((line for line in lines if line.strip()), "")
    mark = next((mark for mark in ",;\t" if mark in first), None)
    if not any(map(_is_number, first.split(mark))):
        lines = lines[lines.index(first) + 1 :]
    if not lines:
        raise ValueError("it is neither .npy nor .npz, and has no numbers")
    return np.loadtxt(lines, delimiter=mark, ndmin=2)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def inputs_or_zeros(options: argparse.Namespace, cell: Cell) -> Array | None:
    """Read inputs; say so where a network that takes some is measured without."""
    found = inputs(options, cell)
    if found is None and cell.n_inputs:
        print(
            f"lyapnet {options.command}: note: no --inputs, so that zeros drive the network's "
            f"{validate.counted(cell.n_inputs, 'input', 'inputs')}",
            file=sys.stderr,
        )
    return found


def check_output(options: argparse.Namespace) -> None:
    """Refuse a place where no result can be written, or that is one of the inputs, before work."""
    path = options.output
    if path is None:
        return
    _check_place(path, (".npz",))
    for name in ("weights", "inputs", "checkpoint", "torch"):
        given = getattr(options, name, None)
        if given is not None and _same_file(given, path):
            what = name if name == "weights" else f"--{name}"
            raise ValueError(
                f"-o {path!r} is the file of {what}, and would replace it: name another"
            )


def check_torch(options: argparse.Namespace, cell: Cell) -> None:
    """Refuse a network that PyTorch cannot express, before the work.

    The state dict that the weights are read from may be written, for all else of it is kept.
    """
    path = options.torch
    if path is None:
        return
    _check_place(path, (".npz", ".safetensors"))
    if path.endswith(".safetensors") and importlib.util.find_spec("safetensors") is None:
        raise ImportError('safetensors is not installed: pip install "lyapnet[io]"')
    to_torch(cell)
    for name in ("weights", "inputs", "checkpoint"):
        given = getattr(options, name, None)
        if given is None or not _same_file(given, path):
            continue
        if name != "weights" or _put_back(options, cell) is None:
            raise ValueError(
                f"--torch {path!r} is the file of {name}, no state dict of PyTorch, and would "
                "replace it: name another"
            )


def _check_place(path: str, endings: tuple[str, ...]) -> None:
    """Refuse a place where nothing can be written."""
    file, folder = Path(path), Path(path).absolute().parent
    if file.suffix not in endings:
        raise ValueError(f"the file to write {path!r} must end in {' or '.join(endings)}")
    if not folder.is_dir():
        raise FileNotFoundError(f"no such folder to write {path!r} into: make it first")
    if file.is_dir() or (file.exists() and not os.access(file, os.W_OK)):
        raise PermissionError(f"cannot write {path!r}: choose another place")
    files.check_folder(folder)


def _same_file(one: str, other: str) -> bool:
    """Say whether two paths are of one file, which need not be there."""
    return os.path.realpath(one) == os.path.realpath(other)


def progress(options: argparse.Namespace) -> bool:
    """Say whether to show a bar."""
    return sys.stderr.isatty() if options.progress is None else options.progress


def write_torch(options: argparse.Namespace, cell: Cell) -> None:
    """Write a network as a state dict: into a copy of the one that it came from, if it did."""
    if options.torch is None:
        return
    back = _put_back(options, cell)
    write_arrays(options.torch, to_torch(cell) if back is None else back)


def _put_back(options: argparse.Namespace, cell: Cell) -> dict[str, Any] | None:
    """Return the state dict that the weights were read from, with others; None if it was none."""
    if options.weights is None:
        return None
    arrays, reverse = read_arrays(options.weights), bool(options.reverse)
    layer, prefix = options.layer or 0, options.prefix
    return put_back(arrays, cell, layer=layer, reverse=reverse, prefix=prefix)


def print_json(found: dict[str, Any]) -> None:
    """Print a result as JSON."""
    print(json.dumps(_plain(found), indent=1))


def _plain(x: Any) -> Any:
    """Turn arrays into lists, and what JSON has no number for into text."""
    if isinstance(x, dict):
        return {key: _plain(item) for key, item in x.items()}
    if isinstance(x, np.ndarray | list | tuple):
        return [_plain(item) for item in x]
    if isinstance(x, float | np.floating):
        return float(x) if np.isfinite(x) else str(float(x))
    return x.item() if isinstance(x, np.generic) else x
