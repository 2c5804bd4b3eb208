"""Beyond the paper: flossing when the gradient has collapsed, against episodes set in advance."""

import numpy as np

from ..compare import COMMON, accuracy_against, chance, gain, matched, no_loss, quick
from ..harness import Finding, Records, spread
from ..learning import learn
from ..style import COLOURS, NAMES, legend_below, panels, quartiles

TITLE = "Adaptive flossing"
CLAIMS = """
Beyond the paper, which asks for better schedules: flossing that begins when the gradient across
the horizon has collapsed, and ends when it is back, does better than episodes set in advance, with
fewer flossing epochs.
"""
SETTINGS = f"""{COMMON}
Binary temporal XOR, ten networks. Adaptive: no flossing before training; short episodes of 20
epochs begin when the norm of dL/dh_0 is below 1e-5 and go on until it is above 1e-3, 2000 epochs at
most. Against it: 500 epochs before training and 500 before epoch 500, the runs of figure 4.
"""

CONDITIONS = ("during", "adaptive")
LAGS, QUICK_LAGS = (60, 70, 80), (24, 40)
#: Across their short lags the gradients of small networks are larger.
QUICK_LEVELS = {"low": 1e-3, "high": 2e-2}
run = learn


def points(scale):
    if scale == "quick":
        return [
            quick(task="temporal", lag=lag, condition=c, network=i, episode=200, **more)
            for i in range(5)
            for lag in QUICK_LAGS
            for c, more in zip(CONDITIONS, ({}, {"window": QUICK_LEVELS}), strict=True)
        ]
    return [
        dict(task="temporal", lag=lag, condition=c, network=i)
        for i in range(10)
        for lag in LAGS
        for c in CONDITIONS
    ]


def plot(records):
    figure, axes = panels(2)
    for condition in CONDITIONS:
        look = dict(color=COLOURS[condition], label=NAMES[condition])
        some = records.where(condition=condition)
        accuracy_against(axes[0], some, "lag", **look)
        lags = some.each("lag")
        if lags:
            flossed = [some.where(lag=lag).values("flossing_epochs") for lag in lags]
            quartiles(axes[1], lags, flossed, **look)
    chance(axes[0], xlabel="lag (steps)")
    axes[1].set(xlabel="lag (steps)", ylabel="flossing epochs")
    axes[1].set_ylim(bottom=0)
    legend_below(figure, axes, ncols=2)
    return figure


def findings(records):
    records = Records({**r, "window": None} for r in records)
    claim = "mean over all lags: adaptive flossing above episodes set in advance"
    found = gain(claim, records, "condition", *CONDITIONS)
    for lag in records.each("lag"):
        pairs = matched(records.where(lag=lag), "condition", CONDITIONS)
        if not pairs:
            continue
        claim = f"lag {lag}: adaptive flossing loses no accuracy"
        found += no_loss(claim, pairs, "condition", *CONDITIONS)
        used = [pairs.where(condition=c).values("flossing_epochs") for c in CONDITIONS]
        found.append(
            Finding(
                f"lag {lag}: with fewer flossing epochs",
                f"{spread(used[1], '.0f')} against {np.median(used[0]):.0f}",
                bool(np.median(used[1]) < np.median(used[0])),
            )
        )
    return found
