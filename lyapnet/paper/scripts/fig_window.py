"""Beyond the paper: how long the flossed window has to be, against the lag."""

from ..compare import (
    COMMON,
    gain,
    horizon,
    longer,
    no_loss,
    quick,
)
from ..draw import draw_learning
from ..harness import Records
from ..learning import learn
from ..style import COLOURS, NAMES, legend_below, panels

TITLE = "Length of the flossed window"
CLAIMS = """
The flossed window may be shorter than the sequences of training, but has to be long enough to
bridge the correlations of the task, here the lag (appendix F): shorter windows do worse. How long
that is, the paper does not say; we expected half of the lag to do.
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
    figure, axes = panels(len(lags), 2, squeeze=False)
    look = dict(color=COLOURS["during"], label=NAMES["during"])
    for (above, below), lag in zip(axes.T, lags, strict=True):
        draw_learning(
            above, below, [(records.where(lag=lag), look)], "steps", "averaged steps of the window"
        )
        for ax in (above, below):
            ax.axvline(lag, color="0.6", lw=0.8, ls=":", label="the lag")
        above.set_title(f"lag {lag} steps", fontsize=8)
    legend_below(figure, axes, ncols=2)
    return figure


def findings(records):
    records = with_steps(records)
    steps, lags = records.each("steps"), records.each("lag")
    least, most = steps[0], steps[-1]
    claim = f"over all lags, more networks learn with a window of {most} steps than with {least}"
    found = gain(claim, records, "steps", least, most)
    if found and len(lags) > 1:
        reach = [horizon(records.where(steps=s)) for s in steps]
        claim = "the horizon of the longest window is beyond that of the shortest"
        found.append(longer(claim, (f"{s} steps" for s in steps), reach))
    shorter = [s for s in steps if s < lags[0]]
    if shorter and lags[-1] <= most:
        claim = f"a window of {shorter[-1]} steps against one of {most}, over all lags"
        found += no_loss(claim, records, "steps", most, shorter[-1])
    return found
