"""Fig. 3: delayed copy and temporal XOR, without flossing and with flossing before training."""

import numpy as np

from ..compare import (
    COMMON,
    LEARNED,
    accuracy_against,
    chance,
    gain,
    horizon,
    learning_curves,
    learning_time,
    matched,
    quick,
)
from ..harness import Finding
from ..learning import learn
from ..style import COLOURS, NAMES, legend_below, panels

TITLE = "Preflossing: delayed copy and temporal XOR at longer lags"
CLAIMS = """
Networks that are flossed before training learn the delayed copy and the temporal XOR at
substantially longer lags than those that are not, and faster.
"""
SETTINGS = f"""{COMMON}
Ten networks. The temporal XOR has binary inputs, and its runs are those of figure 4; the paper's
inputs, loss and number of flossed exponents here are not known. The copy has uniform inputs and
the squared error; its accuracy is R².
"""

CONDITIONS = ("none", "before")
LAGS = {"copy": (20, 30, 40, 60, 80), "temporal": (20, 40, 50, 60, 70, 80, 100)}
QUICK_LAGS = {"copy": (8, 16, 24), "temporal": (12, 24, 36)}
NAME = {"copy": "delayed copy", "temporal": "temporal XOR"}
run = learn


def points(scale):
    if scale == "quick":
        return [
            quick(task=task, lag=lag, condition=c, network=i)
            for i in range(4)
            for task, lags in QUICK_LAGS.items()
            for lag in lags
            for c in CONDITIONS
        ]
    return [
        dict(task=task, lag=lag, condition=c, network=i)
        for i in range(10)
        for task, lags in LAGS.items()
        for lag in lags
        for c in CONDITIONS
    ]


def plot(records):
    figure, axes = panels(2, 2)
    for column, task in enumerate(LAGS):
        some = records.where(task=task)
        above, below = axes[:, column]
        if not some:
            continue
        lags = some.each("lag")
        shown = lags[len(lags) // 2]
        for condition in CONDITIONS:
            look = dict(color=COLOURS[condition], label=NAMES[condition])
            one = some.where(condition=condition)
            learning_curves(above, one.where(lag=shown), **look)
            accuracy_against(below, one, "lag", **look)
        own = dict(ylabel="accuracy, R² (%)", ylim=(-30, 104), level=0) if task == "copy" else {}
        chance(above, xlabel="training epoch", **own)
        chance(below, xlabel="lag (steps)", **own)
        above.set_title(f"{NAME[task]}, lag {shown} steps", fontsize=8)
        below.set_title(NAME[task], fontsize=8)
    legend_below(figure, axes, ncols=2)
    return figure


def findings(records):
    found = []
    for task in LAGS:
        some = matched(records.where(task=task), "condition", CONDITIONS)
        claim = f"{NAME[task]}, mean over all lags: before above none"
        found += gain(claim, some, "condition", *CONDITIONS)
        if not some:
            continue
        reach = [horizon(some.where(condition=c)) for c in CONDITIONS]
        found.append(
            Finding(
                f"{NAME[task]}: a longer horizon, the longest lag that more than half of the "
                f"networks learn to {100 * LEARNED:.0f} %",
                ", ".join(f"{c} {r}" for c, r in zip(CONDITIONS, reach, strict=True))
                + (f"; ratio {reach[1] / reach[0]:.1f}" if reach[0] else ""),
                reach[0] < reach[1],
            )
        )
        easy = some.where(lag=some.each("lag")[0])
        times = [np.median(learning_time(easy.where(condition=c))) for c in CONDITIONS]
        found.append(
            Finding(
                f"{NAME[task]}: faster at the shortest lag, {easy.each('lag')[0]} steps",
                f"median epochs to {100 * LEARNED:.0f} %: {times[0]:.0f} and {times[1]:.0f}",
                bool(times[1] < times[0]),
            )
        )
    return found
