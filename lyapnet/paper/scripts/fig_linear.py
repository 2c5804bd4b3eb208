"""Appendix E: flossing helps linear networks to learn the copy task, and not the XOR."""

import numpy as np

from ..compare import most
from ..harness import Finding, spread
from ..learning import BLOCK, learn
from ..style import COLOURS, NAMES, bands, legend_below, panels

TITLE = "Linear networks: the copy task, and the XOR (appendix E)"
CLAIMS = """
Flossing also helps linear networks to learn a task that they can solve, the delayed copy, but not
one that asks for a nonlinear operation, the XOR.
"""
SETTINGS = """
As figure 4 with a linear activation, and flossing before training or none. The paper gives no
sizes: N = 80, lags 20 to 60, 800 epochs of 150 steps.
"""

CONDITIONS = ("none", "before")
LAGS = {"copy": (20, 40, 60), "temporal": (20,)}
NAME = {"copy": "delayed copy", "temporal": "temporal XOR"}


def learn_linear(task, lag, condition, network, *, epochs=800, n=80, rng):
    found = learn(
        task, lag, condition, network, epochs=epochs, n=n, n_steps=150, activation="linear", rng=rng
    )
    return {name: found[name] for name in ("accuracy", "curve", "exponents")}


run = learn_linear

#: Of the full data.
DIFFERING = {
    "delayed copy, lag 20": "a lag that linear networks learn without flossing as well",
}


def points(scale):
    lags, networks, size = LAGS, range(10), {}
    if scale == "quick":
        lags, networks = {"copy": (12,), "temporal": (12,)}, range(2)
        size = dict(epochs=500, n=32)
    return [
        dict(task=task, lag=lag, condition=c, network=i, **size)
        for i in networks
        for task, some in lags.items()
        for lag in some
        for c in CONDITIONS
    ]


def plot(records):
    cases = [(t, lag) for t in LAGS for lag in records.where(task=t).each("lag")]
    figure, axes = panels(2, (len(cases) + 1) // 2)
    for ax, (task, lag) in zip(np.ravel(axes), cases, strict=True):
        for c in CONDITIONS:
            curves = 100 * records.where(task=task, lag=lag, condition=c).values("curve")
            if task == "copy":
                curves = np.maximum(curves / 100, -0.2)
            x = BLOCK * (np.arange(curves.shape[1]) + 0.5)
            bands(ax, x, curves, color=COLOURS[c], label=NAMES[c])
        ylabel, ylim = ("R²", (-0.25, 1.02)) if task == "copy" else ("accuracy (%)", (45, 101))
        ax.set(xlabel="training epoch", ylabel=ylabel, ylim=ylim)
        ax.set_title(f"{NAME[task]}, lag {lag}", fontsize=8)
    legend_below(figure, axes, ncols=2)
    return figure


def findings(records):
    found = []
    for lag in records.where(task="copy").each("lag"):
        none, before = (
            records.where(task="copy", lag=lag, condition=c).values("accuracy") for c in CONDITIONS
        )
        better = before[: len(none)] > none[: len(before)] + 0.05
        text = f"R² {spread(none, '.3f')} without, {spread(before, '.3f')} with"
        found.append(
            most(f"delayed copy, lag {lag}: R² better by 0.05 with flossing", better, text)
        )
    for lag in records.where(task="temporal").each("lag"):
        none, before = (
            100 * records.where(task="temporal", lag=lag, condition=c).values("accuracy")
            for c in CONDITIONS
        )
        found.append(
            Finding(
                f"temporal XOR, lag {lag}: chance with flossing and without: none above 55 %",
                f"{spread(none, '.1f')} % without, {spread(before, '.1f')} % with",
                bool(max(none.max(), before.max()) < 55),
            )
        )
    return found
