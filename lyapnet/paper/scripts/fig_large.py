"""Beyond the paper: what flossing costs in networks of 1000 and 2000 units, and what it buys."""

import time

import numpy as np

from ... import Adam, VanillaRNN, floss, train
from ...training.tasks import TemporalXOR
from ..harness import Finding, on_one_thread
from ..style import COLOURS, PALETTE, legend_below, panels

TITLE = "Cost and gain at 1000 and 2000 units, against clipping and orthogonal weights"
CLAIMS = """
Beyond the paper, which does not go beyond some hundred units. Flossing a hundred exponents of a
large network costs less than ten epochs of training for every ten of flossing, and it buys more
than orthogonal weights, which cost nothing in training: gradients that arrive across longer lags.
Clipping leaves gradients that have vanished where they are.
"""
SETTINGS = """
N = 500, 1000 or 2000 tanh units, gain 1, Gaussian or orthogonal weights, one network each; three
training epochs of the temporal XOR of lag 50 (batch 16, 300 steps, Adam at 1e-3, clipped at 0.03),
process time on one thread, the least of them. Flossing: k = 100, 30 epochs of windows of 55 steps
of which 39 are averaged, Adam at 0.0003, clipped at 1. What arrives: the norm of the gradient of
the output after 10 to 100 steps of the task's input in the first state, over that in the last,
root mean square over 20 outputs drawn at random; before training, and unchanged by clipping.
"""

SIZES = (500, 1000, 2000)
LAGS = (10, 20, 40, 60, 80, 100)
EPOCHS = {"train": 3, "floss": 30}


@on_one_thread
def measure_large(n, *, k=100, epochs=EPOCHS["floss"], n_steps=300, trained=3, rng):
    start = np.random.default_rng(n)
    task = TemporalXOR(50 if n_steps > 100 else 10)
    cells = {init: VanillaRNN.random(n, bias=0.1, init=init, rng=start)
             for init in ("gaussian", "orthogonal")}  # fmt: skip
    inputs = task.sample(max(LAGS) + 50, 1, start)[0][:, 0]
    ticks = Ticks()
    train(cells["gaussian"], task, trained, n_steps=n_steps, batch_size=16, clip_norm=0.03,
          optimizer=Adam(1e-3), callback=ticks, rng=start)  # fmt: skip
    found = {"train_seconds": ticks.least()}
    ticks = Ticks()
    r = floss(
        cells["gaussian"], epochs, k=k, n_steps=39, transient=10, basis_transient=6, clip_norm=1.0,
        optimizer=Adam(3e-4), inputs=lambda rng: task.sample(55, 1, rng)[0][:, 0], rng=start,
        callback=ticks,
    )  # fmt: skip
    cells["flossed"] = r.cell
    found |= {
        "floss_seconds": ticks.least(),
        "squares": np.mean(r.exponents**2, axis=1),
        "arrives": {name: arriving(cell, inputs) for name, cell in cells.items()},
    }
    return found


class Ticks:
    """A callback that takes the process time of epochs."""

    def __init__(self):
        self.at = [time.process_time()]

    def __call__(self, _):
        """Note the time."""
        self.at.append(time.process_time())

    def least(self):
        """Return the time of the fastest epoch."""
        return float(np.min(np.diff(self.at)))


def arriving(cell, inputs, outputs=20):
    """Return the share of the gradient that arrives over each lag, of random outputs."""
    rng = np.random.default_rng(0)
    x = np.zeros(cell.dim)
    for u in inputs[:50]:
        x = cell.step(x, u)
    states = [x]
    for u in inputs[50:]:
        states.append(cell.step(states[-1], u))
    found = []
    for lag in LAGS:
        rows = rng.standard_normal((outputs, cell.dim))
        size = np.sum(rows**2)
        for s in reversed(range(lag)):
            rows = rows @ cell.jacobian(states[s], inputs[50 + s])
        found.append(np.sqrt(np.sum(rows**2) / size))
    return found


run = measure_large


def points(scale):
    if scale == "quick":
        return [dict(n=100, k=20, epochs=40, n_steps=60), dict(n=200, k=40, epochs=40, n_steps=60)]
    return [dict(n=n) for n in SIZES]


NAMES = {"gaussian": "Gaussian, clipped", "orthogonal": "orthogonal", "flossed": "flossed"}


def plot(records):
    figure, axes = panels(2)
    n = records.values("n")
    for name, colour, label in (
        ("train_seconds", "none", "training"), ("floss_seconds", "during", "flossing"),
    ):  # fmt: skip
        y = records.values(name)
        axes[0].plot(n, y, "o-", ms=3.5, color=COLOURS[colour], label=f"an epoch of {label}")
    axes[0].set(xlabel="number N of units", ylabel="process time (s)", ylim=(0, None))
    styles = dict(zip(n, ("-", "--", ":"), strict=False))
    for r in records:
        for name, colour in zip(NAMES, PALETTE, strict=False):
            axes[1].plot(LAGS, r["arrives"][name], styles[r["n"]], color=colour)
    for name, colour in zip(NAMES, PALETTE, strict=False):
        axes[1].plot([], [], color=colour, label=NAMES[name])
    for size, style in styles.items():
        axes[1].plot([], [], style, color="0.4", label=f"N = {size:g}")
    axes[1].set(xlabel="lag (steps)", ylabel="share that arrives", yscale="log")
    legend_below(figure, axes, ncols=4)
    return figure


def findings(records):
    found = []
    for r in records:
        ratio = r["floss_seconds"] / r["train_seconds"]
        name = f"N = {r['n']}"
        text = f"{r['floss_seconds']:.2g} s, training {r['train_seconds']:.2g} s: {ratio:.2f}"
        claim = f"{name}: a flossing epoch costs less than one of training"
        found.append(Finding(claim, text, bool(ratio < 1)))
        at = {x: r["arrives"][x][LAGS.index(40)] for x in NAMES}
        text = ", ".join(f"{NAMES[x]} {one:.1e}" for x, one in at.items())
        claim = f"{name}: across 40 steps ten times as much arrives flossed as orthogonal"
        found.append(Finding(claim, text, bool(at["flossed"] > 10 * at["orthogonal"])))
    return found
