"""A run of epochs, driven from where its checkpoint has left it to its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ..errors import LyapnetError
from .checkpoint import Checkpoint
from .progress import asks_to_stop, compilations, progress_bar


class Epochs(Protocol):
    """A run between two epochs: what `floss` and `train` have in common."""

    #: What it does, such as "training".
    name: str
    n_epochs: int
    epoch: int
    #: Whether the callback has asked to stop.
    stopped: bool

    @property
    def done(self) -> bool:
        """Whether nothing is left to do, the callback's wish apart."""

    def advance(self) -> None:
        """Do the next piece of work, which need not complete an epoch."""

    def progress(self) -> Any:
        """Return what the callback is told."""

    def shown(self) -> dict[str, str]:
        """Return what the progress bar shows."""

    @property
    def state(self) -> dict[str, Any]:
        """All that the rest of the run depends on, and all that it has found.

        It stays as it is while the run goes on: what an epoch changes in place is copied.
        """

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""

    def result(self) -> Any:
        """Return what has been found so far."""


def run_epochs(
    run: Epochs,
    call: dict[str, Any],
    *,
    checkpoint: Any,
    callback: Callable[[Any], object] | None,
    progress: bool,
) -> Any:
    """Run to the end, or until the callback returns True; return the result.

    Parameters
    ----------
    run : Epochs
    call : dict
        The arguments of the call by name, see `Checkpoint`.
    checkpoint, callback, progress
        As of `floss` and `train`.
    """
    saved = Checkpoint(checkpoint, call)
    found = saved.load()
    if found is not None:
        run.restore(found)
    bars = progress_bar(run.n_epochs, show=progress, unit="epoch", initial=run.epoch)
    with saved, bars as bar, compilations(show=progress):
        while not (run.done or run.stopped):
            before = run.epoch
            try:
                run.advance()
            except LyapnetError as error:
                error.add_note(f"This happened in epoch {run.epoch + 1} of {run.name}.")
                error.partial = run.result()
                raise
            if progress:
                bar.set_postfix(run.shown(), refresh=False)
                bar.update(run.epoch - before)
            if callback is not None and run.epoch > before:
                run.stopped = asks_to_stop(callback(run.progress()))
            saved.keep(lambda: run.state)
    return run.result()
