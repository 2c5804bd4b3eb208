"""``lyapnet demo``: the main job on one network, in under a minute."""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, catalog
from ..cells import VanillaRNN
from ..condition.measure import condition_number
from ..flossing.floss import floss
from ..numerics.arrays import blas_threads
from ..optimize import Adam
from ..results import files
from ..results.storage import plain
from ..spectrum.measure import lyapunov_spectrum
from ..training.tasks import TemporalXOR
from ..training.train import train
from . import common

N, LAG = 64, 24
K = N - 5  # exponents flossed: the paper leaves out a few
TIMES = [25, 50, 75, 100]


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "demo",
        help="show everything on one network, in under a minute",
        description="Measure known systems; measure, verify, floss and train one network. "
        "Prints tables, writes a figure and a JSON file.",
    )
    parser.add_argument(
        "-o", "--output", default="lyapnet-demo", help="folder (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all chance (default 0)")
    parser.add_argument(
        "--json", action="store_true", help="print the JSON, with the tables on stderr"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    if not options.json:
        demonstrate(Path(options.output), seed=options.seed)
        return
    with contextlib.redirect_stdout(sys.stderr):
        found = demonstrate(Path(options.output), seed=options.seed)
    common.print_json(found)


def demonstrate(folder: Path, *, seed: int = 0) -> dict[str, Any]:
    """Run the demo; write ``demo.png`` and ``demo.json`` into a folder.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    seed : int, optional

    Returns
    -------
    dict
        What the JSON file holds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files.check_folder(folder)
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {"seconds": {}}
    with _timed(found, "known systems"):
        found["known systems"] = _known_systems(rng)

    task = TemporalXOR(LAG)
    cells = {"random": VanillaRNN.random(N, bias=0.1, rng=seed)}
    inputs = task.sample(2000, 1, rng)[0][:, 0]
    _say(f"\nA random tanh network of {N} units, driven by random bits")
    with _timed(found, "flossing"):
        r = floss(
            cells["random"],
            300,
            k=K,
            n_steps=39,
            transient=10,
            clip_norm=1.0,
            basis_transient=6,
            inputs=lambda rng: task.sample(55, 1, rng)[0][:, 0],
            rng=seed,
            progress=sys.stderr.isatty(),
        )
    cells["flossed"] = r.cell
    with _timed(found, "spectra and condition numbers"):
        for name, cell in cells.items():
            found[name] = _analyse(cell, inputs, seed)
    _report_conditioning(found)
    _say(f"\nTraining: XOR of two bits, {LAG // 2} and {LAG} steps back")
    with _timed(found, "training"), blas_threads(1):
        for name, cell in cells.items():
            found[name]["accuracy"] = _train(cell, task, seed, name)
    _report_training(found)
    found["versions"] = {"lyapnet": __version__, "numpy": np.__version__}
    found["versions"]["python"] = platform.python_version()
    found["seed"] = seed
    with files.replacing(folder / "demo.json") as file:
        file.write(json.dumps(plain(found), indent=1).encode())
    with files.replacing(folder / "demo.png") as file:
        _draw(found).savefig(file, format="png", dpi=150)
    total = sum(found["seconds"].values())
    _say(f"\nWrote {folder / 'demo.png'} and {folder / 'demo.json'} ({total:.0f} s)")
    return found


def _known_systems(rng: np.random.Generator) -> dict[str, Any]:
    """Measure systems whose exponents are published."""
    _say("The installation proves itself: Lyapunov exponents with 95 % intervals, nats per time\n")
    _say(f"{'system':<10} {'measured':>10}   {'interval':^24} {'published':>10}")
    rows = {}
    for name, spread in (("henon", 1e-3), ("lorenz63", 1.0)):
        system = getattr(catalog, name)()
        x0 = system.default_state(rng) + spread * rng.standard_normal((64, system.dim))
        s = lyapunov_spectrum(
            system, 10_000, x0=x0, transient=2000, rng=rng, progress=sys.stderr.isatty()
        ).pooled()
        low, high = s.confidence_interval()
        for i, truth in enumerate(system.reference.exponents):
            _say(
                f"{name if i == 0 else '':<10} {s.exponents[i]:10.5f}   "
                f"[{low[i]:10.5f}, {high[i]:10.5f}] {truth:10.5f}"
            )
        published = np.array(system.reference.exponents)
        rows[name] = {
            "exponents": s.exponents, "low": low, "high": high, "published": published
        }  # fmt: skip
    return rows


def _analyse(cell: VanillaRNN, inputs: Any, seed: int) -> dict[str, Any]:
    """Measure a network's spectrum and, at 256 bits, its condition number."""
    s = lyapunov_spectrum(cell, inputs=inputs, rng=seed, progress=sys.stderr.isatty())
    c = condition_number(
        cell,
        TIMES[-1],
        k=K,
        inputs=inputs,
        transient=100,
        times=TIMES,
        rng=seed,
        progress=sys.stderr.isatty(),
    )
    return {
        "exponents": s.exponents,
        "stderr": s.stderr,
        "times": c.times,
        "log10_measured": c.log10_measured,
        "log10_predicted": c.log10_predicted,
        "precision": c.precision,
    }


def _train(cell: VanillaRNN, task: TemporalXOR, seed: int, name: str) -> Any:
    _say(f"  {name} network")
    r = train(
        cell,
        task,
        600,
        n_steps=120,
        batch_size=16,
        optimizer=Adam(1e-3),
        clip_norm=0.03,
        rng=seed,
        progress=sys.stderr.isatty(),
    )
    return r.accuracy


def _report_conditioning(found: dict[str, Any]) -> None:
    before, after = found["random"], found["flossed"]
    _say(
        f"\n{'':34}{'random':>10}{'flossed':>10}\n"
        f"{'largest exponent':34}{before['exponents'][0]:10.3f}{after['exponents'][0]:10.3f}\n"
        f"{f'exponent {K} of {N}, the last flossed':34}"
        f"{before['exponents'][K - 1]:10.3f}{after['exponents'][K - 1]:10.3f}"
    )
    _say(
        f"\nlog10 of the long-term Jacobian's condition number on {K} directions, measured with "
        f"{before['precision']} bits\nand estimated from the exponents, (lambda_1 - lambda_{K}) t"
    )
    _say(f"{'steps':>8}{'random':>12}{'estimate':>12}{'flossed':>12}{'estimate':>12}{'won':>8}")
    for i, t in enumerate(TIMES):
        a, b = before["log10_measured"][i], after["log10_measured"][i]
        _say(
            f"{t:8d}{a:12.1f}{before['log10_predicted'][i]:12.1f}"
            f"{b:12.1f}{after['log10_predicted'][i]:12.1f}{a - b:8.1f}"
        )
    won = before["log10_measured"][-1] - after["log10_measured"][-1]
    _say(f"Flossing has won {won:.0f} orders of magnitude over {TIMES[-1]} steps.")


def _report_training(found: dict[str, Any]) -> None:
    _say("\naccuracy (chance is 50 %)")
    _say(f"{'epoch':>8}{'random':>10}{'flossed':>10}")
    for epoch in (50, 150, 300, 450, 600):
        last = slice(epoch - 50, epoch)
        values = (100 * np.mean(found[name]["accuracy"][last]) for name in ("random", "flossed"))
        _say(f"{epoch:8d}" + "".join(f"{value:8.1f} %" for value in values))


def _draw(found: dict[str, Any]) -> Any:
    """Draw spectra, condition numbers and learning curves side by side."""
    from matplotlib.figure import Figure

    from ..results.axes import BLUE, ORANGE

    figure = Figure(figsize=(11, 3.6), layout="constrained")
    spectra, conditions, learning = figure.subplots(1, 3)
    for name, color in (("random", BLUE), ("flossed", ORANGE)):
        one = found[name]
        spectra.plot(np.arange(1, N + 1), one["exponents"], ".-", color=color, ms=4, label=name)
        conditions.plot(TIMES, one["log10_predicted"], color=color, label=f"{name}: estimate")
        conditions.plot(
            TIMES, one["log10_measured"], "o", color=color, mfc="white",
            label=f"{name}: {one['precision']} bits",
        )  # fmt: skip
        smooth = np.convolve(one["accuracy"], np.ones(20) / 20, "valid")
        learning.plot(np.arange(len(smooth)) + 20, 100 * smooth, color=color, label=name)
    spectra.axhline(0, color="0.6", lw=0.8, zorder=0)
    spectra.set(xlabel="index i", ylabel=r"exponent $\lambda_i$ (nats per step)")
    spectra.set_title("Lyapunov spectrum")
    conditions.set(xlabel="steps t", ylabel=r"$\log_{10}\,\kappa(T_t)$")
    conditions.set_title("condition number")
    learning.set(xlabel="training epoch", ylabel="accuracy (%)", ylim=(40, 103))
    learning.set_title(f"XOR over {LAG} steps")
    for ax in (spectra, conditions, learning):
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False)
    return figure


@contextmanager
def _timed(found: dict[str, Any], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    found["seconds"][name] = round(time.perf_counter() - start, 1)


def _say(text: str) -> None:
    sys.stderr.flush()
    print(text, flush=True)
