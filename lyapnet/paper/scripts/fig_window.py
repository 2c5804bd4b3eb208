"""Beyond the paper: how long the flossed window has to be, against the lag."""

import numpy as np

from ..compare import COMMON, chance, percent, quick
from ..harness import Finding, Records
from ..learning import learn
from ..style import ORDERED, legend_below, panels, quartiles

TITLE = "Length of the flossed window"
CLAIMS = """
The flossed window may be shorter than the sequences of training, but has to be long enough to
bridge the correlations of the task, here the lag (appendix F): shorter windows do worse.
"""
SETTINGS = f"""{COMMON}
Binary temporal XOR, five networks, flossing before training and again before epoch 500; 10, 20,
39 or 80 steps of each window are averaged after the same 16 steps of transients. Those with 39
steps are runs of figure 4.
"""

WINDOWS, KS, LAGS, NETWORKS = (10, 20, 39, 80), (75,), (60, 70), 5
run = learn


def points(scale):
    if scale == "quick":
        base = [
            (quick(task="temporal", lag=lag, condition="during", network=i), (24, 45))
            for i in range(3)
            for lag in (24, 36)
        ]
        windows = (5, 20, 39, 80)
    else:
        base = [
            (dict(task="temporal", lag=lag, condition="during", network=i), KS)
            for i in range(NETWORKS)
            for lag in LAGS
        ]
        windows = WINDOWS
    return [
        {
            **p,
            **({} if k == ks[-1] else {"k": k}),
            **({} if w == 39 else {"window": {"n_steps": w}}),
        }
        for p, ks in base
        for k in ks
        for w in windows
    ]


def plain(records):
    """Write down k and the window's length where a run has left them out."""
    return Records(
        {
            **r,
            "k": r.get("k") or round(r.get("n", 80) * 75 / 80),
            "steps": (r.get("window") or {"n_steps": 39})["n_steps"],
        }
        for r in records
    )


def plot(records):
    import matplotlib

    records = plain(records)
    lags, ks = records.each("lag"), records.each("k")
    figure, axes = panels(2)
    for ax, lag in zip(axes, lags, strict=False):
        for k, shade in zip(ks, np.linspace(0.15, 0.7, len(ks)), strict=True):
            some = records.where(lag=lag, k=k)
            steps = some.each("steps")
            if not steps:
                continue
            samples = [100 * some.where(steps=s).values("accuracy") for s in steps]
            colour = matplotlib.colormaps[ORDERED](shade)
            quartiles(ax, steps, samples, color=colour, label=f"k = {k}")
        ax.axvline(lag, color="0.6", lw=0.8, ls=":", label="the lag")
        chance(ax, xlabel="averaged steps of the window")
        ax.set_title(f"lag {lag} steps", fontsize=8)
    legend_below(figure, axes, ncols=3)
    return figure


def findings(records):
    records = plain(records)
    found = []
    for lag in records.each("lag"):
        for k in records.where(lag=lag).each("k"):
            some = records.where(lag=lag, k=k)
            steps = some.each("steps")
            short, long = ([s for s in steps if (s < lag) is x] for x in (True, False))
            if not short or not long:
                continue
            means = [some.where(steps=s).values("accuracy") for s in (short[0], long[0])]
            found.append(
                Finding(
                    f"lag {lag}, k = {k}: a window of {short[0]} steps does worse than one of "
                    f"{long[0]}",
                    f"{percent(means[0])} and {percent(means[1])}",
                    bool(np.median(means[0]) < np.median(means[1]) - 0.02),
                )
            )
    return found
