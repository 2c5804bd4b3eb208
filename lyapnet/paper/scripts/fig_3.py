"""Fig. 3: delayed copy and temporal XOR, without flossing and with flossing before training."""

import numpy as np

from ..compare import (
    COMMON,
    LEARNED,
    draw_lags,
    gain,
    horizon,
    lag_points,
    learning_time,
    matched,
    quick,
)
from ..harness import Finding
from ..learning import learn

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
        return lag_points(QUICK_LAGS, CONDITIONS, 4, quick)
    return lag_points(LAGS, CONDITIONS, 10)


def plot(records):
    squares = dict(ylabel="accuracy, R² (%)", ylim=(-30, 104), level=0)
    return draw_lags(records, NAME, CONDITIONS, own={"copy": squares})


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
