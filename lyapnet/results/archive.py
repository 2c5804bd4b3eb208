"""Archives of arrays: npz files, read with no more trust than a stranger's file deserves."""

from __future__ import annotations

import hashlib
import math
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from ..errors import FileError

#: At the end of a file that lyapnet has written stands the digest of all that is before it.
_SEAL = b"lyapnet sha256 "
_DIGITS = 64

#: A file may unpack to so many times its size, and `_ROOM` bytes more: weights hardly shrink.
_RATIO = 100
_ROOM = 2**24

#: Kinds of arrays that a file can hold without running anything when it is read.
KINDS = "biufcSUMm"


@contextmanager
def damage(path: Any, what: str = "a whole file of lyapnet") -> Iterator[None]:
    """Turn whatever goes wrong while a file's content is taken in into a `FileError`.

    What a broken or malicious file makes of the readers of zip, npy, JSON and HDF5 is of a dozen
    types, `MemoryError` and `RecursionError` among them. Open the file before: that it is not
    there, or may not be read, is said by the system.
    """
    try:
        yield
    except FileError:
        raise
    except Exception as error:
        raise FileError(
            f"{str(path)!r} is not {what} ({type(error).__name__}: {_short(error)}): it is "
            "truncated or damaged, or comes from another program; take it from a copy, or make it "
            "again"
        ) from None


def _short(error: Exception) -> str:
    text = str(error).splitlines()
    return text[0][:100] if text else ""


def check_size(path: Any, declared: int, stored: int) -> None:
    """Refuse to unpack much more than what is there."""
    if declared > _RATIO * stored + _ROOM:
        raise FileError(
            f"{str(path)!r} has {stored / 1e6:.1f} MB and would unpack to {declared / 1e6:.1f} MB: "
            "no file of weights is like that. If it is yours, read the arrays by yourself, and "
            "give them as a dictionary"
        )


def write_sealed(file: BinaryIO, arrays: Mapping[str, Any], texts: Mapping[str, str]) -> None:
    """Write arrays and texts as an npz file that ends in its digest."""
    _write(file, arrays, texts, comment=_SEAL + b"0" * _DIGITS)
    file.seek(-_DIGITS, os.SEEK_END)
    end = file.tell()
    digest = _digest(file, end)
    file.seek(end)
    file.write(digest)


def write_plain(file: BinaryIO, arrays: Mapping[str, Any]) -> None:
    """Write arrays as an npz file like that of `numpy.savez`."""
    _write(file, arrays, {}, comment=b"")


def _write(
    file: BinaryIO, arrays: Mapping[str, Any], texts: Mapping[str, str], *, comment: bytes
) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = comment
        for name, x in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.asanyarray(x), allow_pickle=False)
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(name), text)


def _digest(file: BinaryIO, end: int) -> bytes:
    """Return the digest of a file's first bytes."""
    file.seek(0)
    found, left = hashlib.sha256(), end
    while left:
        part = file.read(min(left, 2**20))
        if not part:
            break
        found.update(part)
        left -= len(part)
    return found.hexdigest().encode()


def is_sealed(file: BinaryIO, path: Any) -> bool:
    """Say whether a file ends in its digest; one that ends in another digest is damaged."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _DIGITS - len(_SEAL)))
    tail = file.read()
    if not tail.startswith(_SEAL):
        return False
    if _digest(file, size - _DIGITS) != tail[len(_SEAL) :]:
        raise FileError(
            f"{str(path)!r} is damaged: it is not what lyapnet has written, as its checksum says; "
            "take it from a copy, or make it again"
        )
    return True


def read_arrays(file: BinaryIO, path: Any) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the arrays and the other entries of an npz file.

    Call it within `damage`. Nothing is unpickled, and nothing is allocated that the file does not
    fill.
    """
    arrays: dict[str, Any] = {}
    others: dict[str, bytes] = {}
    with open_zip(file) as archive:
        size = file.seek(0, os.SEEK_END)
        entries = archive.infolist()
        check_size(path, sum(entry.file_size for entry in entries), size)
        if len({entry.filename for entry in entries}) < len(entries):
            raise ValueError("two entries of one name")
        for entry in entries:
            with archive.open(entry) as stream:
                if entry.filename.endswith(".npy"):
                    found = _read_array(stream, entry.file_size)
                    arrays[entry.filename.removesuffix(".npy")] = found
                else:
                    others[entry.filename] = stream.read()
    return arrays, others


class _Within:
    """A file of which no more is read than it has: to ask for more takes memory all the same."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._size = file, file.seek(0, os.SEEK_END)
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self.tell())
        return self._file.read(left if size < 0 else min(size, left))


def open_zip(file: BinaryIO) -> zipfile.ZipFile:
    """Open a zip archive to read; call it within `damage`."""
    within: Any = _Within(file)
    return zipfile.ZipFile(within)


def read_array(file: BinaryIO) -> Any:
    """Return the array of an npy file; call it within `damage`."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return _read_array(file, size)


_HEADERS: Any = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def _read_array(stream: Any, size: int) -> Any:
    shape, by_columns, dtype = _HEADERS[np.lib.format.read_magic(stream)](stream)
    if dtype.kind not in KINDS:
        raise ValueError(f"an array of {dtype}, which is no number or text")
    data = bytearray(size - stream.tell())
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"an array of shape {shape} in {len(data)} bytes")
    if stream.readinto(data) != len(data) or stream.read(1):
        raise EOFError("an array that ends too early")
    return np.ndarray(shape, dtype, data, order="F" if by_columns else "C")
