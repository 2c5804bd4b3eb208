"""Sweeps over parameters and seeds: one file per point, resumable, in parallel."""

from __future__ import annotations

import inspect
import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .. import validate
from ..errors import FileError
from ..numerics.arrays import PathLike, Seed
from ..results import archive, files, storage
from . import first_format
from .fingerprint import alike, describe, function_name, seal
from .grid import Point
from .progress import progress_bar
from .sweep_result import SweepResult, result_of
from .sweep_run import Run, read_run, text_of


def sweep(
    function: Callable[..., Any],
    grid: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]],
    *,
    seeds: int = 1,
    directory: PathLike | None = None,
    n_jobs: int = 1,
    rng: Seed = None,
    progress: bool = True,
) -> SweepResult:
    """Run a function at all points of a grid, with several seeds each.

    Parameters
    ----------
    function : callable
        Called as ``function(**point, rng=generator)``; returns a number, an array, a result of
        lyapnet, or a dictionary or list of such.
    grid : dict of sequences, or sequence of dicts
        The values of each parameter, to be combined in all ways; or the points themselves.
    seeds : int, optional
        Runs at each point, with generators of their own.
    directory : path, optional
        Where each run leaves a file as soon as it is done. The same call again does only what is
        missing or has failed; several processes may make it at once, and share the work. It is
        refused if the function has changed meanwhile: its code, what it closes over, its defaults,
        the globals that it uses, the functions and classes among them. Installed packages, and
        what is called as ``module.function``, may change unnoticed.
    n_jobs : int, optional
        Processes, by joblib; -1 for one per core. A ``joblib.parallel_config`` that is in force,
        such as ``backend="dask"``, has the say where this is left at 1. A cluster of Dask
        does the runs of a worker that dies again.
    rng : None, int or Generator, optional
        What all seeds derive from. A run's generator depends on this, its point and its
        number alone: not on the order, the other points or `n_jobs`.
    progress : bool, optional

    Returns
    -------
    SweepResult
        A run that fails, or whose value no file could hold, is recorded and does not stop the
        others.

    Raises
    ------
    ImportError
        Without joblib where it is needed: ``pip install "lyapnet[parallel]"``.
    ValueError
        If the directory holds another sweep, or one of the function as it was before a change; or
        a file in it is damaged.
    TypeError
        With a directory, if the function uses something that cannot be told from another, such as
        an open file.

    Examples
    --------
    >>> import lyapnet as ln
    >>> def first_exponent(gain, rng):
    ...     cell = ln.VanillaRNN.random(20, gain=gain, rng=rng)
    ...     return ln.lyapunov_spectrum(cell, 500, k=1, rng=rng).exponents[0]
    >>> found = ln.sweep(first_exponent, {"gain": [0.5, 0.9]}, seeds=2, rng=0, progress=False)
    >>> [round(float(value), 1) for value in found.values]  # about the log of the gain
    [-0.7, -0.7, -0.1, -0.0]
    """
    if not callable(function):
        raise TypeError(f"`function` must be callable, got {function!r}")
    points = list(_points(grid))
    seeds = validate.integer("seeds", seeds, low=1)
    n_jobs = validate.integer("n_jobs", n_jobs, low=-1)
    if not n_jobs:
        raise ValueError("`n_jobs` must be a number of processes, or -1 for one per core; got 0")
    _check_calls(function, points)
    entropy = int(validate.generator(rng).integers(2**63))
    folder = None if directory is None else validate.place("directory", directory)
    if folder is not None:
        entropy = _claim(folder, function, entropy, given=rng is not None)
    runs = [Run(point, seed, entropy, folder) for point in points for seed in range(seeds)]
    loaded = {run.key: run.load() for run in runs}
    done = {key: one for key, one in loaded.items() if one is not None}
    missing = [run for run in runs if run.key not in done]
    with progress_bar(len(runs), show=progress, unit="run", initial=len(done)) as bar:
        for key, one in _execute(function, missing, n_jobs):
            done[key] = one
            bar.update()
    return result_of([done[run.key] for run in runs])


def load_sweep(directory: PathLike) -> SweepResult:
    """Read what a sweep has left in its directory so far, also while it goes on.

    Parameters
    ----------
    directory : path
        As given to `sweep`.

    Returns
    -------
    SweepResult
        The runs that are done or have failed, in the order of their files' names.

    Raises
    ------
    FileNotFoundError
        If no sweep has been there.

    Examples
    --------
    >>> import tempfile
    >>> import lyapnet as ln
    >>> def square(x, rng):
    ...     return x**2
    >>> folder = tempfile.mkdtemp()
    >>> _ = ln.sweep(square, {"x": [1, 2, 3]}, directory=folder, rng=0, progress=False)
    >>> sorted(ln.load_sweep(folder).values)
    [1, 4, 9]
    """
    folder = validate.place("directory", directory)
    if not (folder / "sweep.json").exists():
        raise FileNotFoundError(f"`directory` {str(folder)!r} holds no sweep")
    _read_note(folder / "sweep.json")
    return result_of([read_run(path) for path in sorted(folder.glob("*-*.npz"))])


def _execute(
    function: Callable[..., Any], runs: list[Run], n_jobs: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Run all, and yield each as it is done."""
    waiting = {run.key: run for run in runs}
    while waiting:
        for key, found in _pass(function, list(waiting.values()), n_jobs):
            if found is not None:
                del waiting[key]
                yield key, found
        while waiting and not any(run.is_free() for run in waiting.values()):
            time.sleep(0.05)


def _pass(
    function: Callable[..., Any], runs: list[Run], n_jobs: int
) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Do what nobody else is at work on; nothing has been found yet of the rest."""
    try:
        import joblib
    except ImportError:
        if n_jobs != 1:
            raise ImportError('joblib is not installed: pip install "lyapnet[parallel]"') from None
        yield from (run(function) for run in runs)
        return
    # Left at 1, a configuration that is in force decides; without one that means one process.
    jobs = None if n_jobs == 1 else n_jobs
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
    yield from parallel(joblib.delayed(_do)(run, function) for run in runs)


def _do(run: Run, function: Callable[..., Any]) -> tuple[str, dict[str, Any] | None]:
    """Run: a function, which joblib's Dask backend can hash, as it cannot a run with its point."""
    return run(function)


def _points(grid: Any) -> Iterator[Point]:
    """List the points of a grid."""
    if isinstance(grid, Mapping):
        values = {}
        for name, column in grid.items():
            if isinstance(column, str) or not isinstance(column, Iterable):
                raise TypeError(f"`grid[{name!r}]` must be a sequence of values, got {column!r}")
            values[name] = list(column)
        combined = itertools.product(*values.values())
        points: list[Any] = [dict(zip(values, point, strict=True)) for point in combined]
        points = points if values else []
    elif isinstance(grid, Iterable) and not isinstance(grid, str):
        points = list(grid)
    else:
        raise TypeError(f"`grid` must be a dict of sequences or a sequence of dicts, got {grid!r}")
    for point in points:
        if not isinstance(point, Mapping) or "rng" in point:
            raise TypeError(f"each point of `grid` must be a dict without 'rng', got {point!r}")
        try:
            text_of(dict(point))
        except TypeError as error:
            raise TypeError(
                f"`grid` holds what no file can: {error}; give names or numbers, of which "
                "`function` makes it"
            ) from None
        yield dict(point)


def _check_calls(function: Callable[..., Any], points: list[Point]) -> None:
    """Refuse points that there is nothing to do for, or that the function cannot take."""
    if not points:
        raise ValueError("`grid` has no points: give each parameter one value at least")
    keys = [text_of(point) for point in points]
    if len(set(keys)) < len(keys):
        twice = next(p for i, p in enumerate(points) if keys[i] in keys[:i])
        raise ValueError(f"`grid` has the point {twice} twice: for repetitions use `seeds`")
    try:
        signature = inspect.signature(function)
    except ValueError:  # of some functions in C nobody knows
        return
    for point in points:
        try:
            signature.bind(**point, rng=None)
        except TypeError as error:
            named = ", ".join((*point, "rng"))
            raise TypeError(f"`function` must take the arguments {named}: {error}") from None


def _claim(folder: Path, function: Callable[..., Any], entropy: int, *, given: bool) -> int:
    """Make the folder this sweep's own; return the entropy that its runs derive from."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"`directory` {str(folder)!r} is a file: give a folder of its own")
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "sweep.json"
    name = function_name(function)
    mine = {"function": name, "entropy": entropy, "description": describe(function, "function")}
    if not note.exists():
        with files.Hold(note).waiting():  # several may claim it at once
            if not note.exists():
                _write_note(note, mine)
                return entropy
    before = _read_note(note)
    if before["function"] != name or (given and before["entropy"] != entropy):
        raise ValueError(
            f"`directory` {str(folder)!r} holds another sweep, of {before['function']} or with "
            "another `rng`: give another directory"
        )
    same = alike if "format" in before else first_format.agrees
    if not same(before.get("description"), mine["description"]):
        raise ValueError(
            f"`directory` {str(folder)!r} holds results of {name} as it was before its code, or "
            "what it holds, changed: give another directory, or delete this one to do all runs "
            "again"
        )
    return int(before["entropy"])


def _write_note(note: Path, head: dict[str, Any]) -> None:
    head = {"format": storage.FORMAT, **head}
    with files.replacing(note) as file:
        file.write(json.dumps({**head, "sha256": seal(head)}).encode())


def _read_note(note: Path) -> dict[str, Any]:
    """Read what a sweep says of itself in its folder."""
    text = note.read_bytes()
    with archive.damage(note, "the note of a sweep"):
        head: dict[str, Any] = json.loads(text)
        given = head.pop("sha256", None)
        first = head.keys() <= {"function", "entropy", "description"} and given is None
        if not first and given != seal(head):
            raise ValueError("its checksum disagrees")
        if not first and head["format"] > storage.FORMAT:
            raise FileError(f"{str(note)!r} is of a newer lyapnet: install it")
        if type(head["function"]) is not str or type(head["entropy"]) is not int:
            raise TypeError("no name, or no seed")
    return head
