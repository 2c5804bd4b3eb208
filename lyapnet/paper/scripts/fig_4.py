"""Fig. 4: how far back a network learns, without flossing, with it before, and also during."""

import numpy as np

from ..compare import draw_lags, gain, horizon, lag_points, matched, quick
from ..harness import Finding
from ..learning import learn

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
500. The window is that of the author's example; clipping the gradients of flossing at 1 is ours.
Ten networks, the paper has twenty.
"""

CONDITIONS = ("none", "before", "during")
LAGS = {"temporal": (20, 40, 50, 60, 70, 80, 100), "spatial": (20, 40, 50, 60, 70)}
QUICK_LAGS = {"temporal": (12, 24, 36), "spatial": (6, 10, 16)}
run = learn


def points(scale):
    if scale == "quick":
        return lag_points(QUICK_LAGS, CONDITIONS, 4, quick)
    return lag_points(LAGS, CONDITIONS, 10)


def plot(records):
    return draw_lags(records, {task: f"{task} XOR" for task in LAGS}, CONDITIONS, shown=70)


def findings(records):
    found = []
    for task in LAGS:
        some = records.where(task=task)
        for low, high in (("none", "before"), ("before", "during")):
            claim = f"{task} XOR, mean over all lags: {high} above {low}"
            found += gain(claim, some, "condition", low, high)
        some = matched(some, "condition", CONDITIONS)
        if not some:
            continue
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
    hard = matched(records.where(task="temporal", lag=70), "condition", CONDITIONS)
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
