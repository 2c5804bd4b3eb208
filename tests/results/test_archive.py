"""Archives of strangers: typed errors, no more memory than the file is worth, no other files."""

import io
import json
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

import lyapnet as ln
from lyapnet.errors import FileError
from lyapnet.results import storage
from lyapnet.weights import read_arrays


def npy(header, data=b""):
    """Return an npy file with a header of one's own."""
    text = header.encode() if isinstance(header, str) else header
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def header(shape, descr="'<f8'"):
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"


BAD_ARRAYS = {
    "more than there is": npy(header(f"({10**12},)"), bytes(8)),
    "less than there is": npy(header("(1,)"), bytes(80)),
    "negative": npy(header("(-1, -1)"), bytes(8)),
    "pickle": npy(header("(1,)", "'|O'"), b"cos\nsystem\n."),
    "records of objects": npy(header("(1,)", "[('a', '|O')]"), bytes(8)),
    "open bracket": npy("{'descr': ("),
    "deep": npy("(" * 5000),
    "long number": npy(header("(" + "9" * 5000 + ",)"), bytes(8)),
    "code": npy("__import__('os').system('echo run')\n"),
    "no magic": b"PICKLE" + bytes(80),
    "empty": b"",
    "other version": b"\x93NUMPY\x09\x00" + bytes(80),
}


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_bad_arrays(tmp_path, name):
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("W.npy", BAD_ARRAYS[name])
    for read in (read_arrays, ln.load):
        with pytest.raises(FileError, match=r"x\.npz.*again"):
            read(path)


def test_a_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, W=np.zeros((3000, 3000)))
    assert path.stat().st_size < 100_000
    with pytest.raises(FileError, match=r"would unpack to 72\.0 MB"):
        read_arrays(path)
    np.savez_compressed(path, W=np.zeros((1000, 1000)))  # a network without weights is allowed
    assert read_arrays(path)["W"].shape == (1000, 1000)


def test_an_entry_that_is_declared_longer_than_the_file(tmp_path):
    """Python's reader of archives asks for as much as is declared, which takes memory at once."""
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(storage.HEAD, "{}")
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02") + 20
    data[at : at + 4] = struct.pack("<I", 2**28)
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(FileError, match=r"x\.npz"):
        ln.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e7


def test_a_dataset_that_is_declared_and_not_there(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("W", shape=(10**6, 10**6), dtype="f8", chunks=(100, 100))
    with pytest.raises(FileError, match="would unpack to 8000000"):
        read_arrays(path)


def test_datasets_in_other_files_are_not_followed(tmp_path):
    h5py = pytest.importorskip("h5py")
    secret, path = tmp_path / "secret", tmp_path / "x.h5"
    secret.write_bytes(bytes(80))
    with h5py.File(path, "w") as file:
        file.create_dataset("W", shape=(10,), dtype="f8", external=[(str(secret), 0, 80)])
    with pytest.raises(FileError, match="kept in another file"):
        read_arrays(path)


FIRST = '{"format": 1, "tree": {"thing": {"__class__": %s}}}'

HEADS = {
    "no JSON": "{",
    "deep": "[" * 100_000,
    "long number": "9" * 5000,
    "list": "[]",
    "no format": '{"kind": "object", "tree": 1}',
    "format of text": '{"format": "2", "kind": "object", "tree": 1}',
    "newer": '{"format": 99, "kind": "object", "tree": 1}',
    "no checksum": '{"format": 2, "kind": "object", "tree": 1}',
    "lost array": '{"format": 1, "tree": {"thing": {"__array__": "x"}}}',
    "other class": FIRST % '"os:system", "state": {}',
    "other fields": FIRST % '"Spectrum", "state": {"a": 1}',
}


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("as_array", [True, False])
def test_bad_heads(tmp_path, name, as_array):
    path, entry = tmp_path / "x.npz", storage.HEAD
    with zipfile.ZipFile(path, "w") as archive:
        content = io.BytesIO()
        np.save(content, np.array(HEADS[name]))
        archive.writestr(
            f"{entry}.npy" if as_array else entry, content.getvalue() if as_array else HEADS[name]
        )
    with pytest.raises(FileError, match=r"x\.npz"):
        ln.load(path)
    with pytest.raises(ValueError, match=r"x\.npz.*not a checkpoint"):
        ln.floss(ln.VanillaRNN.random(3, rng=0), 1, k=1, n_steps=4, checkpoint=path)


def test_kinds_are_told_apart(tmp_path):
    cell, path = ln.VanillaRNN.random(3, rng=0), tmp_path / "x.npz"
    cell.save(path)
    with pytest.raises(ValueError, match="a result or network, not the checkpoint"):
        ln.floss(cell, 1, k=1, n_steps=4, checkpoint=path)
    assert ln.load(path).dim == 3
    storage.write(path, 1, kind="of the future")
    with pytest.raises(FileError, match="of the future, not a result or network: install a newer"):
        ln.load(path)


def test_what_may_not_be_read_says_so(tmp_path, monkeypatch):
    path = ln.VanillaRNN.random(3, rng=0).save(tmp_path / "x.npz")

    def closed(*args):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", closed)
    with pytest.raises(PermissionError, match=r"Permission denied: '.*x\.npz'"):
        ln.load(path)


def test_numpy_reads_our_files_and_json_is_text_in_them(tmp_path):
    path = ln.VanillaRNN.random(3, rng=0).save(tmp_path / "x.npz")
    with np.load(path, allow_pickle=False) as file:
        assert file["params/W"].shape == (3, 3)
        assert json.loads(file[storage.HEAD])["format"] == storage.FORMAT
    assert path.read_bytes() == ln.VanillaRNN.random(3, rng=0).save(tmp_path / "y.npz").read_bytes()
