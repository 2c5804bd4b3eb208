"""Fig. 7: as figure 5, with flossing before training alone; and the plane of k and the lag."""

import numpy as np

from ..compare import COMMON, gain, learned, most
from ..harness import Finding
from ..learning import learn
from ..style import ORDERED, panels
from . import fig_5

TITLE = "Number of flossed exponents and lag: preflossing alone, and the whole plane"
CLAIMS = """
With flossing before training alone, harder tasks need more flossed exponents as well, but the
hardest is not solved even if all N exponents are flossed. Flossing during training solves more of
the plane.
"""
SETTINGS = f"""{COMMON}
k = 8, 40, 60, 75 or 80 exponents, ten networks; the runs with flossing during training are
those of figure 5, those with k = 75 of figure 4. The paper's grid is not known.
"""

CONDITIONS = ("before", "during")
WHEN = {"before": "before training", "during": "before and during"}
run = learn


def points(scale):
    return [p for c in CONDITIONS for p in fig_5.points(scale, c)]


def plot(records):
    records = fig_5.with_k(records)
    figure, axes = panels(2, 2)
    fig_5.lines(records.where(condition="before"), *axes[0])
    for ax in axes[0]:
        ax.set_title(WHEN["before"], fontsize=8)
    lags, ks = records.each("lag"), records.each("k")
    for ax, condition in zip(axes[1], CONDITIONS, strict=True):
        plane = [[share(records, condition, lag, k) for k in ks] for lag in lags]
        drawn = ax.imshow(
            100 * np.array(plane), origin="lower", aspect="auto", vmin=0, vmax=100, cmap=ORDERED
        )
        ax.set_xticks(range(len(ks)), ks)
        ax.set_yticks(range(len(lags)), lags)
        ax.set(xlabel="number k of flossed exponents", ylabel="lag (steps)")
        ax.set_title(WHEN[condition], fontsize=8)
    figure.colorbar(drawn, ax=axes[1, 1], label="networks above 90 % (%)")
    return figure


def share(records, condition, lag, k):
    some = records.where(condition=condition, lag=lag, k=k)
    return learned(some).mean() if some else np.nan


def findings(records):
    before = records.where(condition="before")
    found = [Finding(f"preflossing: {f.claim}", f.found, f.agrees) for f in fig_5.findings(before)]
    records = fig_5.with_k(records)
    hardest = records.where(lag=max(records.each("lag")))
    alone = hardest.where(condition="before", k=max(hardest.each("k")))
    if alone:
        fails = ~learned(alone)
        claim = f"preflossing all exponents fails at the hardest lag, {hardest[0]['lag']} steps"
        found.append(most(claim, fails, "it fails where the accuracy is below 90 %"))
    claim = "over the plane, more networks learn when flossed during training as well"
    return found + gain(claim, records, "condition", *CONDITIONS)
