"""How far a run is: bars for the eye, and what a callback is told after each epoch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from threading import Event, Thread
from typing import Any

import numpy as np

#: Seconds that pass before a compilation is shown.
PATIENCE = 1.0


def progress_bar(total: int | None, *, show: bool, unit: str, **options: Any) -> Any:
    """Return a bar of tqdm, for a terminal or for Jupyter; one that does nothing unless shown.

    With a total of None it counts.
    tqdm is loaded here, not with lyapnet: its notebook form looks for Jupyter's widgets.
    """
    if not show:
        return _Unseen()
    from tqdm.auto import tqdm

    return tqdm(total=total, unit=unit, leave=False, **options)


class _Unseen:
    """A bar that does nothing."""

    def __enter__(self) -> _Unseen:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def _nothing(self, *_: Any, **__: Any) -> None:
        pass

    update = set_postfix = _nothing


@contextmanager
def compiling(*, show: bool) -> Iterator[None]:
    """Show that something is compiled, and for how long, if it takes more than a second."""
    if not show:
        yield
        return
    done = Event()
    watch = Thread(target=_watch, args=(done,), daemon=True)
    watch.start()
    try:
        yield
    finally:
        done.set()
        watch.join()


def _watch(done: Event) -> None:
    if done.wait(PATIENCE):
        return
    options = {"desc": "compiling", "bar_format": "{desc}: {elapsed}"}
    with progress_bar(0, show=True, unit="", **options) as bar:
        while not done.wait(PATIENCE / 2):
            bar.refresh()


@contextmanager
def compilations(*, show: bool) -> Iterator[None]:
    """Show what numba compiles within a run, as `compiling` does."""
    if not show or find_spec("numba") is None:
        yield
        return
    from numba.core import event

    class Listener(event.Listener):  # type: ignore[misc]  # numba has no types
        """Of compilations; some are parts of others."""

        depth, shown = 0, ExitStack()

        def on_start(self, event: Any) -> None:
            self.depth += 1
            if self.depth == 1:
                self.shown.enter_context(compiling(show=True))

        def on_end(self, event: Any) -> None:
            self.depth -= 1
            if not self.depth:
                self.shown.close()

    with event.install_listener("numba:compile", Listener()):
        yield


def asks_to_stop(returned: Any) -> bool:
    """Say whether a callback has returned True: nothing else that it may return counts."""
    return isinstance(returned, bool | np.bool_) and bool(returned)
