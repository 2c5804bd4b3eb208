"""A run that can be killed at any moment: its state on disk, whole or not at all."""

from __future__ import annotations

import json
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np

from .. import validate
from ..errors import LyapnetError
from .fingerprint import alike, describe

State = dict[str, Any]

#: Seconds between two saves: nothing but the work lost by a kill depends on it.
EVERY = 10.0

_FORMAT = 1


class Checkpoint:
    """Where a run saves its state, and finds it again.

    Parameters
    ----------
    path : path or None
        A file; without one nothing is saved.
    call : dict
        The arguments of the call by name, see `fingerprint`: another call must not go on
        from this file.
    """

    def __init__(self, path: Any, call: dict[str, Any]) -> None:
        self.path = None if path is None else validate.place("checkpoint", path)
        described = {} if path is None else {name: describe(x) for name, x in call.items()}
        self._call = json.loads(json.dumps(described))
        self._saved = time.monotonic()
        self._kept: State | None = None
        #: Number of epochs done in what is saved or remembered, None if nothing is.
        self._epoch: int | None = None
        if self.path is not None and (
            self.path.is_dir() or not self.path.absolute().parent.is_dir()
        ):
            raise ValueError(f"`checkpoint` must be a file in an existing folder, got {path!r}")

    def load(self) -> State | None:
        """Return the state saved last, None if there is no file."""
        if self.path is None or not self.path.exists():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as file:
                head = json.loads(str(file["json"]))
                arrays = {name: file[name] for name in file.files if name != "json"}
            call, state = head["call"], head["state"]
        except (ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile):
            raise ValueError(
                f"`checkpoint` {str(self.path)!r} is not a checkpoint of lyapnet: give another path"
            ) from None
        others = [name for name, now in self._call.items() if not alike(call.get(name), now)]
        if others == ["n_epochs"] and call["n_epochs"] < self._call["n_epochs"]:
            raise ValueError(_longer(self.path, call, self._call))
        if others or set(call) != set(self._call):
            raise ValueError(
                f"`checkpoint` {str(self.path)!r} was written by a different call (other "
                f"{', '.join(others) or 'arguments'}): give another path, or delete the file"
            )
        self._epoch = state.get("epoch")
        return _join(state, arrays)

    def keep(self, state: Callable[[], State]) -> None:
        """Remember the state between two epochs, and save it where it is time to.

        Within ``with checkpoint:`` it is saved in any case, if by an interrupt: whatever an
        epoch that was cut short has changed, the file goes on from the one before.
        """
        if self.path is None:
            return
        self._kept = state()
        self._epoch = self._kept.get("epoch")
        if time.monotonic() - self._saved >= EVERY:
            self.save(self._kept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if self._kept is not None:
            self.save(self._kept)
        # A failure of the dynamics would come again; whatever else has ended the run may not.
        if error is not None and self._epoch is not None and not isinstance(error, LyapnetError):
            done = validate.counted(self._epoch, "epoch", "epochs")
            error.add_note(
                f"the run is saved in {str(self.path)!r}, with {done} done: the same call goes on "
                "from there"
            )

    def save(self, state: State) -> None:
        """Write a state beside the file, then put it in its place."""
        if self.path is None:
            return
        arrays: dict[str, Any] = {}
        head = {"format": _FORMAT, "call": self._call, "state": _part(state, arrays, "")}
        fresh = self.path.with_name(self.path.name + ".tmp")
        with open(fresh, "wb") as file:
            np.savez(file, json=np.array(json.dumps(head)), **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self.path)
        self._kept, self._saved = None, time.monotonic()


def _longer(path: Path, before: State, now: State) -> str:
    """Say how to go on beyond the end of a run."""
    done, wanted = before["n_epochs"], now["n_epochs"]
    more = ", readout=r.readout, x0=r.x0" if now.get("function") == "train" else ""
    return (
        f"`checkpoint` {str(path)!r} is that of a run of n_epochs={done}, not {wanted}: with "
        f"n_epochs={done} the call gives its result r; then r.cell, optimizer=r.optimizer{more}, "
        f"n_epochs={wanted - done}, another rng and another checkpoint go on from it"
    )


def _part(node: Any, arrays: dict[str, Any], name: str) -> Any:
    """Take the arrays out of a tree of dictionaries; leave a mark where each was."""
    if isinstance(node, np.ndarray | list):
        while name in arrays:  # keys with a slash in them may make the names of two arrays equal
            name += "'"
        arrays[name] = np.asarray(node)
        return {"__array__": name}
    if isinstance(node, dict):
        return {key: _part(item, arrays, f"{name}/{key}") for key, item in node.items()}
    return node.item() if isinstance(node, np.generic) else node


def _join(node: Any, arrays: dict[str, Any]) -> Any:
    if isinstance(node, dict):
        if set(node) == {"__array__"}:
            return arrays[node["__array__"]]
        return {key: _join(item, arrays) for key, item in node.items()}
    return node
