"""Files that are written whole or not at all, and names that one run holds at a time."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import sys
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

#: How long, in seconds, to try again where the system keeps a file from being replaced: Windows
#: does so while another program has it open, if only to look for viruses.
PATIENCE = 2.0

#: Where one file may be called by names of other case.
_CASELESS = sys.platform in ("win32", "darwin")

#: Where no file can be replaced or removed that is open.
_WINDOWS = sys.platform == "win32"

#: A file that is being written is left alone for so many seconds, locked or not.
_YOUNG = 60.0

#: How the names of all files begin that stand beside others for a while.
_OURS = ".lyapnet-"

#: When each folder was tidied last: a look at a hundred thousand files takes its time.
_TIDIED: dict[str, float] = {}


@contextmanager
def replacing(path: Any) -> Iterator[BinaryIO]:
    """Open a file, to be read and written, that takes the place of `path` when the block ends.

    Until then, and whatever happens meanwhile, `path` is what it was. A link is followed, and the
    mode of the file kept. Others may write to the same path at the same time: each has a file of
    its own beside it, and the last one to finish wins. What killed processes have left is removed.

    Raises
    ------
    OSError
        That names `path`, if it cannot be written: no such folder, no permission, no space.
    """
    target = Path(os.path.realpath(path))
    mark = _mark(target)
    fresh = target.with_name(f"{mark}-{secrets.token_hex(6)}.tmp")
    try:
        _check_place(target)
        with open(fresh, "x+b") as file:
            try_lock(file)
            if target.exists() and os.chmod in os.supports_fd:
                os.chmod(file.fileno(), stat.S_IMODE(target.stat().st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
            if not _WINDOWS:  # still locked, so that no one takes it for a leftover
                os.replace(fresh, target)
        if _WINDOWS:
            _patiently_replace(fresh, target)
        _sync_folder(target.parent)
    except OSError as error:
        ours = error.filename in (None, str(fresh), fresh)
        if not ours or error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        with suppress(OSError):
            fresh.unlink()
    _tidy(target.parent)


def _mark(target: Path) -> str:
    """Return how the names of the files beside a file begin: short, however long its own is."""
    name = unicodedata.normalize("NFC", target.name).casefold() if _CASELESS else target.name
    return f"{_OURS}{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}"


def check_folder(folder: Path) -> None:
    """Refuse a folder in which no file can be made, by making one: rights alone do not tell."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        where = str(folder)
        raise PermissionError(f"cannot write into {where!r}: choose another place") from error


def _check_place(target: Path) -> None:
    if target.exists() and not target.is_file():
        raise IsADirectoryError(f"{str(target)!r} is a folder or device: give a file to write to")
    if target.exists() and not os.access(target, os.W_OK):  # it would be replaced all the same
        raise PermissionError(f"{str(target)!r} is write-protected: give another place")


def _patiently_replace(fresh: Path, target: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return os.replace(fresh, target)
        except PermissionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def _sync_folder(folder: Path) -> None:
    """Have the new name on the disk, too, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _tidy(folder: Path) -> None:
    """Remove what killed processes have left in a folder, now and then: nothing that is at work."""
    now = time.time()
    if now - _TIDIED.get(str(folder), 0.0) < _YOUNG:
        return
    _TIDIED[str(folder)] = now
    for left in folder.glob(f"{_OURS}*"):
        with suppress(OSError):
            if now - left.stat().st_mtime > _YOUNG:
                with open(left, "r+b") as file:
                    free = try_lock(file)
                    if free and not _WINDOWS:
                        left.unlink()
                if free and _WINDOWS:
                    left.unlink()


def try_lock(file: IO[Any]) -> bool:
    """Lock an open file for this opening of it alone; say whether nobody else has.

    The lock ends when the file is closed, or its process. Where the file system has no locks,
    everyone gets one.
    """
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


class Hold:
    """A hold on a file or folder, by a lock on a file beside it that is there meanwhile.

    Parameters
    ----------
    of : path
        What is held; it need not exist, and may be called by any link.
    """

    def __init__(self, of: Any) -> None:
        target = Path(os.path.realpath(of))
        self.of = of
        #: The lock's file. A process that is killed leaves it, unlocked.
        self.path = target.with_name(f"{_mark(target)}.lock")
        self._file: IO[Any] | None = None

    def take(self) -> bool:
        """Take hold; say whether nobody else has."""
        while True:
            try:
                file = open(self.path, "a+b")  # noqa: SIM115 - it stays open as long as the hold
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(self.of)) from None
            if not try_lock(file):
                file.close()
                return False
            if self._is_current(file):
                self._file = file
                return True
            file.close()  # its holder has just removed it

    def _is_current(self, file: IO[Any]) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), os.stat(self.path))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Let go."""
        file, self._file = self._file, None
        if file is None:
            return
        if _WINDOWS:  # where another one who holds it meanwhile keeps it from being removed
            file.close()
        with suppress(OSError):
            self.path.unlink()
        file.close()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Hold during the block, after whoever holds it now."""
        while not self.take():
            time.sleep(0.01)
        try:
            yield
        finally:
            self.release()
