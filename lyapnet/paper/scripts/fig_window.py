"""Beyond the paper: how long the flossed window has to be, against the lag."""

import numpy as np

from ..compare import COMMON, accuracy_against, chance, gain, horizon, matched, no_loss, quick
from ..harness import Finding, Records
from ..learning import learn
from ..style import COLOURS, NAMES, legend_below, panels

TITLE = "Length of the flossed window"
CLAIMS = """
The flossed window may be shorter than the sequences of training, but has to be long enough to
bridge the correlations of the task, here the lag (appendix F): shorter windows do worse. How long
that is, the paper does not say: about half of the lag.
"""
SETTINGS = f"""{COMMON}
Binary temporal XOR, five networks, flossing before training and again before epoch 500; 10, 20,
39 or 80 steps of each window are averaged after the same 16 steps of transients. Those with 39
steps are runs of figure 4.
"""

WINDOWS, LAGS, NETWORKS = (10, 20, 39, 80), (60, 70), 5
run = learn


def points(scale):
    quickly = scale == "quick"
    point, windows = (quick, (1, 20, 60)) if quickly else (dict, WINDOWS)
    lags, networks = ((36,), 8) if quickly else (LAGS, NETWORKS)
    return [
        point(
            **dict(task="temporal", lag=lag, condition="during", network=i),
            **({} if w == 39 else {"window": {"n_steps": w}}),
        )
        for i in range(networks)
        for lag in lags
        for w in windows
    ]


def with_steps(records):
    """Write down the window's length as `steps`."""
    usual = {"n_steps": 39}
    return Records(
        {**r, "steps": (r.get("window") or usual)["n_steps"], "window": None} for r in records
    )


def plot(records):
    records = with_steps(records)
    lags = records.each("lag")
    figure, axes = panels(len(lags), squeeze=False)
    for ax, lag in zip(axes[0], lags, strict=True):
        look = dict(color=COLOURS["during"], label=NAMES["during"])
        accuracy_against(ax, records.where(lag=lag), "steps", **look)
        ax.axvline(lag, color="0.6", lw=0.8, ls=":", label="the lag")
        chance(ax, xlabel="averaged steps of the window")
        ax.set_title(f"lag {lag} steps", fontsize=8)
    legend_below(figure, axes, ncols=2)
    return figure


def findings(records):
    records = with_steps(records)
    steps, lags = records.each("steps"), records.each("lag")
    least, most = steps[0], steps[-1]
    claim = f"mean over all lags: a window of {most} steps above one of {least}"
    found = gain(claim, records, "steps", least, most)
    some = matched(records, "steps", steps)
    if some and len(lags) > 1:
        reach = [horizon(some.where(steps=s)) for s in steps]
        found.append(
            Finding(
                "the longest lag that more than half of the networks learn grows with the window",
                ", ".join(f"{s} steps: {lag}" for s, lag in zip(steps, reach, strict=True)),
                bool(np.all(np.diff(reach) >= 0) and reach[0] < reach[-1]),
            )
        )
    for lag in lags:
        shorter = [s for s in steps if s < lag]
        if shorter and lag <= most:
            claim = f"lag {lag}: a window of {shorter[-1]} steps does as well as one of {most}"
            found += no_loss(claim, records.where(lag=lag), "steps", most, shorter[-1])
    return found
