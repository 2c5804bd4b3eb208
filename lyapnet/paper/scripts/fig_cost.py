"""Appendix F: the cost of flossing and training against the table of the paper."""

import time

import numpy as np
from matplotlib.ticker import NullLocator
from scipy.optimize import nnls

from ... import VanillaRNN, floss, train
from ...training import tasks
from ..harness import Finding, on_one_thread
from ..style import PALETTE, legend_below, panels

TITLE = "The cost of flossing and of training (appendix F)"
CLAIMS = """
A step of the network costs N² B, a step of the tangent vectors N² k, and their factorisation
N k² / t_ONS, forward and backward.
"""
SETTINGS = """
Time of an epoch on one thread: the process time that floss and train take from one epoch to the
next, the least of several; other work on the machine can only lengthen it. Flossing: windows of 50
steps, t_ONS = 1 where not said otherwise. Training: batch 16, 50 steps where not said otherwise.
"""

#: What is varied, and the powers that the table gives for large values.
SWEEPS = {
    "floss, k = N": ("N", 3.0),
    "floss, k = 16": ("N", 2.0),
    "floss, N = 256": ("k", 2.0),
    "floss, N = 256, k = 64": ("t_ONS", None),
    "train, B = 16": ("N", 2.0),
    "train, N = 128": ("B", 1.0),
}
VALUES = {
    "floss, k = N": (16, 32, 64, 128, 256, 512),
    "floss, k = 16": (32, 64, 128, 256, 512, 1024),
    "floss, N = 256": (8, 16, 32, 64, 128, 256),
    "floss, N = 256, k = 64": (1, 2, 5, 10),
    "train, B = 16": (32, 64, 128, 256, 512, 1024),
    "train, N = 128": (1, 4, 16, 64, 256),
}
STEPS = 50


def sizes(what, value):
    """Return N, k, t_ONS and B."""
    return {
        "floss, k = N": (value, value, 1, 1),
        "floss, k = 16": (value, 16, 1, 1),
        "floss, N = 256": (256, value, 1, 1),
        "floss, N = 256, k = 64": (256, 64, value, 1),
        "train, B = 16": (value, 0, 1, 16),
        "train, N = 128": (128, 0, 1, value),
    }[what]


@on_one_thread
def measure_cost(what, value, *, repeats=8, rng):
    n, k, interval, batch = sizes(what, value)
    cell = VanillaRNN.random(n, rng=rng)
    ticks = []

    def tick(_):
        ticks.append(time.process_time())

    epochs = repeats + 1
    if what.startswith("floss"):
        floss(cell, epochs, k=k, n_steps=STEPS, qr_interval=interval, callback=tick, rng=rng)
    else:
        task = tasks.DelayedCopy(10)
        train(cell, task, epochs, n_steps=STEPS, batch_size=batch, callback=tick, rng=rng)
    return {"milliseconds": 1e3 * np.min(np.diff(ticks))}


run = measure_cost


def points(scale):
    top = 256 if scale == "quick" else 1024
    some = {"repeats": 4} if scale == "quick" else {"repeats": 6}
    return [
        dict(what=what, value=value, **some)
        for what, values in VALUES.items()
        for value in values
        if max(sizes(what, value)) <= top
    ]


def series(records, what):
    some = records.where(what=what)
    return some.values("value"), some.values("milliseconds")


def model(records):
    """Fit the three terms of the table, and a constant, to relative errors of all flossing runs."""
    flossing = [r for r in records if r["what"].startswith("floss")]
    N, k, t, _ = np.array([sizes(r["what"], r["value"]) for r in flossing], dtype=float).T
    terms = np.array([N**0, N * k, N**2 * k, N * k**2 / t]).T * STEPS
    measured = np.array([r["milliseconds"] for r in flossing])
    share, _ = nnls(terms / measured[:, None], np.ones(len(measured)))
    return measured, terms @ share


def plot(records):
    figure, axes = panels(2, 2)
    where = {"N": axes[0, 0], "k": axes[0, 1], "t_ONS": axes[1, 0], "B": axes[1, 1]}
    for (what, (name, power)), colour in zip(SWEEPS.items(), PALETTE, strict=True):
        x, y = series(records, what)
        if not len(x):
            continue
        ax = axes[1, 1] if what.startswith("train") else where[name]
        ax.loglog(x, y, "o-", ms=3, color=colour, label=f"{what}")
        if power is not None:
            line = y[-1] * (x / x[-1]) ** power
            ax.loglog(x, line, ":", color=colour)
    axes[0, 0].plot([], [], ":", color="0.3", label="power of the table")
    names = ("N (units)", "k (exponents)", r"$t_{\rm ONS}$ (steps)", "N (units) or B (sequences)")
    for ax, name in zip(axes.flat, names, strict=True):
        ax.set_xlabel(name)
        ticks = sorted({float(x) for line in ax.get_lines() for x in line.get_xdata()})
        ticks = ticks[:: 1 + len(ticks) // 7]
        ax.set_xticks(ticks, [f"{x:.0f}" for x in ticks])
        ax.xaxis.set_minor_locator(NullLocator())
    axes[1, 0].set_yscale("linear")
    axes[1, 0].set_ylim(0, 1.1 * axes[1, 0].get_ylim()[1])
    for ax in axes[:, 0]:
        ax.set_ylabel("time of an epoch (ms)")
    legend_below(figure, axes, ncols=3)
    return figure


def findings(records):
    found = []
    for what, (name, power) in SWEEPS.items():
        x, y = series(records, what)
        if power is None or len(x) < 3:
            continue
        local = np.diff(np.log(y)) / np.diff(np.log(x))
        found.append(
            Finding(
                f"{what}: the time grows with {name}^{power:g} at most, up to 0.3 in the power of "
                "the last doubling, and faster for large sizes than for small ones",
                "powers " + ", ".join(f"{p:.2f}" for p in local)
                + f" from {name} = {x[0]:.0f} to {x[-1]:.0f}",
                bool(local[-1] < power + 0.3 and local[-1] > local[0]),
            )
        )  # fmt: skip
    x, y = series(records, "floss, N = 256, k = 64")
    if len(x):
        found.append(
            Finding(
                "a rarer factorisation saves time, at most what factorisation takes",
                ", ".join(f"{ms:.0f} ms at t_ONS = {t:.0f}" for t, ms in zip(x, y, strict=True)),
                bool(y[-1] < y[0]),
            )
        )
    measured, fitted = model(records)
    off = np.abs(np.log(fitted / measured))
    found.append(
        Finding(
            "N² k and N k² / t_ONS, with N k and a constant for what is not arithmetic, give the "
            "times of all flossing runs, to within a factor of two",
            f"largest factor {np.exp(off.max()):.2f}, typical {np.exp(np.median(off)):.2f}, over "
            f"{measured.min():.1f} to {measured.max():.0f} ms",
            bool(np.exp(off.max()) < 2),
        )
    )
    return found
