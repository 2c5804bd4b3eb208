"""A run that can be killed at any moment: its state on disk, whole or not at all."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np

from .. import validate
from ..errors import FileError, LyapnetError
from ..results import storage
from ..results.files import Hold
from . import first_format
from .fingerprint import alike, describe

State = dict[str, Any]

#: Seconds between two saves: nothing but the work lost by a kill depends on it.
EVERY = 10.0


class Checkpoint:
    """Where a run saves its state, and finds it again.

    Parameters
    ----------
    path : path or None
        A file; without one nothing is saved.
    call : dict
        The arguments of the call by name, see `fingerprint`: another call must not go on
        from this file.

    Raises
    ------
    TypeError
        If the call cannot be told from others.
    """

    def __init__(self, path: Any, call: dict[str, Any]) -> None:
        self.path = None if path is None else validate.place("checkpoint", path)
        self._call: dict[str, Any] = {}
        self._saved = time.monotonic()
        self._kept: State | None = None
        #: Number of epochs done in what is saved, None if nothing is.
        self._epoch: int | None = None
        self._failing = False
        if self.path is None:
            return
        described = {name: describe(x, name) for name, x in call.items()}
        self._call = json.loads(json.dumps(described))
        if self.path.is_dir() or not self.path.absolute().parent.is_dir():
            raise ValueError(f"`checkpoint` must be a file in an existing folder, got {path!r}")
        self._hold = Hold(self.path)

    def load(self) -> State | None:
        """Return the state saved last, None if there is none; hold the file from now on.

        It is written again at once, so that a place where nothing can be written is found before
        the work.

        Raises
        ------
        ValueError
            If another run holds the file, another call has written it, or it is damaged.
        OSError
            If it cannot be written.
        """
        if self.path is None:
            return None
        if not self._hold.take():
            raise ValueError(
                f"`checkpoint` {str(self.path)!r} is in use by a run that goes on: wait for it, or "
                "give another path"
            )
        try:
            state = self._read(self.path) if self.path.exists() else None
            self._write(state)
        except BaseException:
            self._hold.release()
            raise
        return state

    def _read(self, path: Path) -> State | None:
        try:
            found = storage.read(path, "checkpoint")
            if not isinstance(found, dict) or not found.keys() & {"call", "first_call"}:
                raise FileError("It holds no call.")
        except FileError as error:
            raise ValueError(
                f"`checkpoint` {str(path)!r} is not a checkpoint of lyapnet: give another path, or "
                f"delete the file. {error}"
            ) from None
        others = self._differing(found)
        call = found["call"] if "call" in found else found["first_call"]
        if others == ["n_epochs"] and call["n_epochs"] < self._call["n_epochs"]:
            raise ValueError(_longer(path, call, self._call))
        if others:
            raise ValueError(
                f"`checkpoint` {str(path)!r} was written by a different call (other "
                f"{', '.join(others)}): give another path, or delete the file"
            )
        return found["state"]

    def _differing(self, found: dict[str, Any]) -> list[str]:
        """Return the arguments that differ; one that only one of both calls has counts as None."""
        first = "first_call" in found
        then, same = (found["first_call"], first_format.agrees) if first else (found["call"], alike)
        names = [*self._call, *(then.keys() - self._call.keys())]
        return [name for name in names if not same(then.get(name), self._call.get(name))]

    def keep(self, state: Callable[[], State]) -> None:
        """Remember the state between two epochs, and save it where it is time to.

        Within ``with checkpoint:`` it is saved in any case, if by an interrupt: whatever an
        epoch that was cut short has changed, the file goes on from the one before.
        """
        if self.path is None:
            return
        self._kept = state()
        if time.monotonic() - self._saved >= EVERY:
            self.save(self._kept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if self.path is None:
            return
        try:
            if self._kept is not None:
                self.save(self._kept)
            if self._epoch is None:
                self.path.unlink(missing_ok=True)
        finally:
            self._hold.release()
        # A failure of the dynamics would come again; whatever else has ended the run may not.
        if error is not None and self._epoch is not None and not isinstance(error, LyapnetError):
            done = validate.counted(self._epoch, "epoch", "epochs")
            error.add_note(
                f"the run is saved in {str(self.path)!r}, with {done} done: the same call goes on "
                "from there"
            )

    def save(self, state: State) -> None:
        """Save a state; a disk that is full, or gone, is warned of, and the run goes on."""
        try:
            self._write(state)
        except OSError as error:
            self._saved = time.monotonic()
            if not self._failing:
                done = validate.counted(self._epoch or 0, "epoch", "epochs")
                warnings.warn(
                    f"cannot save the run in {str(self.path)!r}, which has {done} of it: {error}. "
                    "It goes on, and will try again",
                    RuntimeWarning,
                    stacklevel=2,
                )
            self._failing = True

    def _write(self, state: State | None) -> None:
        storage.write(self.path, {"call": self._call, "state": _joined(state)}, "checkpoint")
        self._epoch = None if state is None else state["epoch"]
        self._kept, self._saved, self._failing = None, time.monotonic(), False


def _joined(node: Any) -> Any:
    """Make an array of each list of arrays: one entry of the file, not thousands."""
    if isinstance(node, dict):
        return {key: _joined(item) for key, item in node.items()}
    return np.asarray(node) if isinstance(node, list) else node


def read_state(path: Any) -> State:
    """Return what a checkpoint holds, whatever call it is of."""
    try:
        found = storage.read(Path(path), "checkpoint")
    except FileError as error:
        raise ValueError(f"`path` {str(path)!r} is not a checkpoint of lyapnet. {error}") from None
    if not isinstance(found, dict) or not found.get("state"):
        raise ValueError(f"`path` {str(path)!r} holds no state: the run has done no epoch yet")
    state: State = found["state"]
    return state


def _longer(path: Path, before: State, now: State) -> str:
    """Say how to go on beyond the end of a run."""
    done, wanted = before["n_epochs"], now["n_epochs"]
    more = ", readout=r.readout, x0=r.x0" if now.get("function") == "train" else ""
    return (
        f"`checkpoint` {str(path)!r} is that of a run of n_epochs={done}, not {wanted}: with "
        f"n_epochs={done} the call gives its result r; then r.cell, optimizer=r.optimizer{more}, "
        f"n_epochs={wanted - done}, another rng and another checkpoint go on from it"
    )
