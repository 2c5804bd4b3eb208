"""How a figure is reproduced: its points run, kept as lines of JSON, drawn, and judged."""

from __future__ import annotations

import functools
import importlib
import json
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from .. import __version__, validate
from ..errors import LyapnetError
from ..results import archive, files, storage
from ..runs.sweep import load_sweep, sweep

#: The scripts, by the name of their figure.
FIGURES: dict[str, str] = {
    "1B": "fig_1b",
    "1C": "fig_1c",
    "1D": "fig_1d",
    "2A": "fig_2a",
    "2B": "fig_2b",
    "2C": "fig_2c",
    "3": "fig_3",
    "4": "fig_4",
    "5": "fig_5",
    "6": "fig_6",
    "7": "fig_7",
    "8": "fig_8",
    "9": "fig_9",
    "10": "fig_10",
    "11": "fig_11",
    "12": "fig_12",
    "13": "fig_13",
    "14": "fig_14",
    "15": "fig_15",
    "16": "fig_16",
    "adaptive": "fig_adaptive",
    "basis": "fig_basis",
    "capacity": "fig_capacity",
    "choices": "fig_choices",
    "control": "fig_control",
    "cost": "fig_cost",
    "decay": "fig_decay",
    "gated": "fig_gated",
    "gates": "fig_gates",
    "interval": "fig_interval",
    "linear": "fig_linear",
    "large": "fig_large",
    "n1000": "fig_n1000",
    "open": "fig_open",
    "overlap": "fig_overlap",
    "rivals": "fig_rivals",
    "rule": "fig_rule",
    "sizes": "fig_sizes",
    "solutions": "fig_solutions",
    "surface": "fig_surface",
    "window": "fig_window",
}

SCALES = ("quick", "full")


@dataclass(frozen=True)
class Finding:
    """A claim, what was found, and whether they agree; None where the runs do not decide it."""

    claim: str
    found: str
    agrees: bool | None

    @property
    def verdict(self) -> str:
        """In a word: agrees, differs or undecided."""
        return {True: "agrees", False: "differs", None: "undecided"}[self.agrees]

    def __str__(self) -> str:
        verdict = self.verdict.upper() if self.agrees is False else self.verdict
        return f"{verdict}: {self.claim}: {self.found}"


class Records(list[dict[str, Any]]):
    """What the points of a figure gave: parameters and values of each run in one dictionary."""

    def where(self, **wanted: Any) -> Records:
        """Keep the runs that have these parameters; one that a run leaves out is None."""
        return Records(r for r in self if all(r.get(name) == x for name, x in wanted.items()))

    def each(self, name: str) -> list[Any]:
        """List the different values of a parameter, in their order, None last."""
        found = {json.dumps(r.get(name)): r.get(name) for r in self}
        return sorted(found.values(), key=lambda x: (x is None, x))

    def values(self, name: str) -> Any:
        """Gather a value of all runs in an array, the runs along its first axis."""
        return np.array([r[name] for r in self], dtype=float)


@dataclass(frozen=True)
class Outcome:
    """What `reproduce` returns."""

    figure: str
    records: Records
    findings: list[Finding]
    picture: Path
    data: Path
    #: Runs that failed, as text.
    errors: list[str]
    #: Computing time of all points, in seconds.
    seconds: float


def spread(values: Any, form: str = ".3g") -> str:
    """Write values down as their median with their range."""
    x = np.ravel(np.asarray(values, dtype=float))
    if x.size == 1:
        return f"{x[0]:{form}}"
    return f"{np.median(x):{form}} ({x.min():{form}} to {x.max():{form}}, n = {x.size})"


def on_one_thread(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run a function on one BLAS thread, for the sake of the times that it takes."""

    @functools.wraps(function)
    def run(*args: Any, **more: Any) -> Any:
        with threadpool_limits(limits=1):
            return function(*args, **more)

    return run


def load_figure(figure: str) -> Any:
    """Return the script of a figure."""
    name = str(figure).upper() if str(figure).upper() in FIGURES else str(figure)
    if name not in FIGURES:
        raise ValueError(f"`figure` {figure!r} is unknown: choose from {', '.join(FIGURES)}")
    return importlib.import_module(f".scripts.{FIGURES[name]}", __package__)


def differing(script: Any) -> dict[str, str]:
    """Return how the claims begin that the full data do not bear out, with a remark on each."""
    return dict(getattr(script, "DIFFERING", {}))


def reproduce(
    figure: str,
    *,
    scale: str = "quick",
    directory: Any = None,
    n_jobs: int = 1,
    progress: bool = False,
    run: bool = True,
) -> Outcome:
    """Reproduce a figure.

    Parameters
    ----------
    figure : str
        One of `FIGURES`.
    scale : {"quick", "full"}, optional
        Two minutes at most, or as much as it takes for the numbers that are in the gallery.
    directory : path, optional
        For the data, a line of JSON for each run, and the picture; ``lyapnet-paper/<scale>`` by
        default. Runs that are there are not done again.
    n_jobs : int, optional
        Processes.
    progress : bool, optional
    run : bool, optional
        False draws with what is there.
    """
    script = load_figure(figure)
    if scale not in SCALES:
        raise ValueError(f"`scale` must be among {SCALES}, got {scale!r}")
    n_jobs = validate.integer("n_jobs", n_jobs, low=-1)
    folder = Path(f"lyapnet-paper/{scale}" if directory is None else directory)
    folder.mkdir(parents=True, exist_ok=True)
    files.check_folder(folder)
    points = script.points(scale)
    data = folder / f"{script.run.__name__}.jsonl"
    points_folder = folder / "points" / script.run.__name__
    done = gather(data, points_folder)
    missing = [point for point in points if _key(point) not in done]
    errors: list[str] = []
    if missing and run:
        made = sweep(
            script.run, missing, directory=points_folder, n_jobs=n_jobs, rng=0, progress=progress
        )
        errors = [error for error in made.errors if error]
        done = gather(data, points_folder)
    kept = [done[_key(point)] for point in points if _key(point) in done]
    records = Records({**line["point"], **line["value"]} for line in kept)
    if errors and not records:
        raise LyapnetError(f"all {len(errors)} runs of figure {figure} failed:\n{errors[0]}")
    if not records:
        raise ValueError(f"no run of figure {figure} is in {str(folder)!r}: leave out run=False")
    picture = folder / f"{load_figure(figure).__name__.rpartition('.')[2]}.png"
    _draw(script.plot, records, picture)
    return Outcome(
        figure=str(figure),
        records=records,
        findings=script.findings(records),
        picture=picture,
        data=data,
        errors=errors,
        seconds=sum(line["seconds"] for line in kept),
    )


def kept(script: Any, directory: Any, scale: str = "full") -> tuple[Records, int]:
    """Return the runs of a figure that are in a directory, and how many there should be."""
    lines = _read(Path(directory) / f"{script.run.__name__}.jsonl")
    keys = [_key(point) for point in script.points(scale)]
    found = [lines[key] for key in keys if key in lines]
    return Records({**line["point"], **line["value"]} for line in found), len(keys)


def gather(data: Path, points_folder: Path) -> dict[str, dict[str, Any]]:
    """Move what a sweep has found so far into the file of data; return all that is there."""
    lines = _read(data)
    if (points_folder / "sweep.json").exists():
        found = load_sweep(points_folder)
        runs = zip(found.points, found.values, found.errors, found.seconds, strict=True)
        fresh = {_key(p): _line(p, v, s) for p, v, e, s in runs if not e and _key(p) not in lines}
        before = data.read_bytes() if data.exists() else b""
        more = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in fresh.values())
        with files.replacing(data) as file:
            file.write(before + more.encode())
        lines |= fresh
    return lines


def _read(data: Path) -> dict[str, dict[str, Any]]:
    if not data.exists():
        return {}
    text = data.read_bytes()
    with archive.damage(data, "a file of a figure's runs"):
        lines = [json.loads(line) for line in text.decode().splitlines() if line]
        return {_key(line["point"]): line for line in lines}


def _line(point: dict[str, Any], value: dict[str, Any], seconds: float) -> dict[str, Any]:
    made_with = (
        f"lyapnet {__version__}, numpy {np.__version__}, python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}"
    )
    rounded = {name: _rounded(x) for name, x in value.items()}
    return {"point": point, "value": rounded, "seconds": round(seconds, 2), "with": made_with}


def _rounded(x: Any) -> Any:
    """Keep five digits of whatever is not an integer."""
    if isinstance(x, dict):
        return {name: _rounded(item) for name, item in x.items()}
    if isinstance(x, np.ndarray | list | tuple):
        return [_rounded(item) for item in x]
    if isinstance(x, float | np.floating):
        return float(f"{x:.5g}")
    return storage.plain(x)


def _key(point: dict[str, Any]) -> str:
    return json.dumps(storage.plain(point), sort_keys=True)


def _draw(plot: Callable[[Records], Any], records: Records, path: Path) -> None:
    import matplotlib.pyplot as plt

    from .style import STYLE

    with plt.rc_context(STYLE):
        figure = plot(records)
        with files.replacing(path) as file:
            figure.savefig(file, format="png", dpi=200)
        plt.close(figure)
