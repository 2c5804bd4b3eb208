"""One run of a sweep: a point with a seed, its file, and what is found there."""

from __future__ import annotations

import hashlib
import json
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileError
from ..results import files, storage, tree
from .fingerprint import describe
from .grid import Point


@dataclass(frozen=True)
class Run:
    """One point with one seed."""

    point: Point
    seed: int
    entropy: int
    folder: Path | None

    @property
    def key(self) -> str:
        """The name of its file, and what its generator derives from."""
        return f"{_digest(text_of(self.point))}-{self.seed}"

    @property
    def _path(self) -> Path | None:
        return None if self.folder is None else self.folder / f"{self.key}.npz"

    def load(self) -> dict[str, Any] | None:
        """Return what an earlier call has found, None for nothing or a failure."""
        if self._path is None or not self._path.exists():
            return None
        found = read_run(self._path)
        return found if found["error"] is None else None

    def __call__(self, function: Callable[..., Any]) -> tuple[str, dict[str, Any] | None]:
        """Run, and leave a file at once: whoever waits for the answer may be gone by then.

        A cluster that has lost a worker asks again for what this worker had done already. What
        another process is doing now is left to it: then there is nothing to return yet.
        """
        if self._path is None:
            return self.key, self._found_by(function)
        hold = files.Hold(self._path)
        if not hold.take():
            return self.key, None
        try:
            done = self.load()
            if done is None:
                done = self._found_by(function)
                storage.save(done, self._path)
        finally:
            hold.release()
        return self.key, done

    def _found_by(self, function: Callable[..., Any]) -> dict[str, Any]:
        """Call the function; what it raises, and a value that no file can hold, is recorded."""
        words = [int(self.key[i : i + 8], 16) for i in (0, 8)]
        sequence = np.random.SeedSequence(self.entropy, spawn_key=(*words, self.seed))
        start = time.perf_counter()
        value, error = None, None
        try:
            value = function(**self.point, rng=np.random.default_rng(sequence))
            tree.encode(value, {})
        except Exception:  # whatever it is, it is this run's own: recorded, not fatal to others
            value, error = None, traceback.format_exc()
        return {
            "value": value, "error": error, "seconds": time.perf_counter() - start,
            "point": self.point, "seed": self.seed,
        }  # fmt: skip

    def is_free(self) -> bool:
        """Say whether nobody is at work on this run."""
        assert self._path is not None
        hold = files.Hold(self._path)
        free = hold.take()
        hold.release()
        return free


def read_run(path: Path) -> dict[str, Any]:
    """Return what is in the file of a run."""
    try:
        found = storage.load(path)
    except FileError as error:
        again = "or delete it, and the same sweep does that run again"
        raise FileError(f"{error}; {again}") from error
    if not isinstance(found, dict) or not found.keys() >= {*_PARTS}:
        raise FileError(
            f"{str(path)!r} is a file of lyapnet, but not that of a run: delete it, and the same "
            "sweep does that run again"
        )
    texts = (text_of(found["point"]), _first_text(found["point"]))
    if path.stem not in [f"{_digest(text)}-{found['seed']}" for text in texts]:
        raise FileError(
            f"{str(path)!r} is the file of another run, that of {found['point']} with the seed "
            f"{found['seed']}: it has been renamed or overwritten. Delete it, and the same sweep "
            "does its run again"
        )
    return found


_PARTS = ("value", "error", "seconds", "point", "seed")


def text_of(point: Point) -> str:
    """Return a point as text: of another value, or of one of another type, it is another."""
    arrays: dict[str, Any] = {}
    text = json.dumps(tree.encode(_as_python(point), arrays), sort_keys=True)
    return text + "".join(json.dumps(describe(x)) for x in arrays.values())


def _first_text(point: Point) -> str:
    """Return the text that the first format had, where an array was like a list."""
    return json.dumps(storage.plain(point), sort_keys=True)


def _as_python(x: Any) -> Any:
    """Turn those numbers of NumPy into Python's that are as good, such as those of a linspace."""
    if type(x) in (dict, list, tuple):
        items = [_as_python(item) for item in (x.values() if isinstance(x, dict) else x)]
        return dict(zip(x, items, strict=True)) if isinstance(x, dict) else type(x)(items)
    return x.item() if type(x) in (np.float64, np.int64, np.bool_, np.str_) else x


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
