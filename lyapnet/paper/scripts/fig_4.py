"""Fig. 4: how far back a network learns, without flossing, with it before, and also during."""

import numpy as np

from ..harness import Finding
from ..learning import BLOCK, learn
from ..style import COLOURS, NAMES, bands, legend_below, panels, quartiles

TITLE = "Binary XOR against its lag: no flossing, preflossing, flossing during training"
CLAIMS = """
Networks learn the temporal and the spatial XOR across longer lags with flossing before training
than without, and across longer ones again when they are flossed during training as well. At a
temporal lag of 70 steps: chance without, about chance with preflossing, above 80 % with both.
"""
SETTINGS = """
N = 80 tanh units, gain 1, batch 16, 300 steps, Adam at 1e-3, gradients clipped at 0.03 in each
parameter, 75 exponents flossed for 500 epochs in windows of 55 steps of which 39 are averaged,
10 000 epochs, accuracy on 200 fresh sequences. Flossing during training: once more, before epoch
500.
"""

CONDITIONS = ("none", "before", "during")
LAGS = {"temporal": (20, 40, 50, 60, 70, 80, 100), "spatial": (20, 40, 50, 60, 70)}
run = learn


def points(scale):
    if scale == "quick":
        return [
            dict(task=task, lag=16, condition=c, network=i, epochs=400, n=48)
            for i in range(2)
            for task in LAGS
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
        lags = some.each("lag")
        shown = 70 if 70 in lags else lags[len(lags) // 2]
        above, below = axes[:, column]
        for condition in CONDITIONS:
            look = dict(color=COLOURS[condition], label=NAMES[condition])
            curves = some.where(lag=shown, condition=condition).values("curve")
            if len(curves):
                x = BLOCK * (np.arange(curves.shape[1]) + 0.5)
                bands(above, x, 100 * curves, **look)
            found = [some.where(lag=lag, condition=condition) for lag in lags]
            some_lags = [lag for lag, one in zip(lags, found, strict=True) if one]
            samples = [100 * one.values("accuracy") for one in found if one]
            quartiles(below, some_lags, samples, **look)
        above.set(xlabel="training epoch", ylabel="accuracy (%)", ylim=(45, 101))
        above.set_title(f"{task} XOR, lag {shown}", fontsize=8)
        below.set(xlabel="lag (steps)", ylabel="accuracy (%)", ylim=(45, 101))
    legend_below(figure, axes, ncols=3)
    return figure


def horizon(records, level=0.75):
    """Return the longest lag of those on which more than half of the networks reach a level."""
    learned = [
        lag
        for lag in records.each("lag")
        if np.median(records.where(lag=lag).values("accuracy")) > level
    ]
    return max(learned, default=0)


def findings(records):
    found = []
    for task in LAGS:
        some = records.where(task=task)
        means = [some.where(condition=c).values("accuracy").mean() for c in CONDITIONS]
        found.append(
            Finding(
                f"{task} XOR: none < before < during, in the mean over all lags",
                " < ".join(f"{100 * mean:.1f} %" for mean in means),
                bool(means[0] < means[1] < means[2]),
            )
        )
        reach = [horizon(some.where(condition=c)) for c in CONDITIONS]
        found.append(
            Finding(
                f"{task} XOR: flossing lengthens the horizon, the longest lag that more than "
                "half of the networks learn to 75 %",
                ", ".join(f"{c} {r}" for c, r in zip(CONDITIONS, reach, strict=True))
                + (f"; ratio {reach[2] / reach[0]:.1f}" if reach[0] else ""),
                bool(reach[0] < reach[2] and reach[1] <= reach[2]),
            )
        )
    hard = records.where(task="temporal", lag=70)
    if hard:
        medians = [np.median(hard.where(condition=c).values("accuracy")) for c in CONDITIONS]
        text = ", ".join(f"{c} {100 * m:.1f} %" for c, m in zip(CONDITIONS, medians, strict=True))
        found.append(
            Finding(
                "temporal XOR, lag 70: chance without, median of at least 95 % with flossing "
                "during training",
                text,
                bool(medians[0] < 0.55 and medians[2] >= 0.95),
            )
        )
    return found
