"""Beyond the paper: flossing when the gradient has collapsed, against episodes set in advance."""

from ..compare import COMMON, gain, matched, most, no_loss, quick
from ..draw import condition_looks, draw_learning
from ..harness import Records, spread
from ..learning import learn
from ..style import legend_below, panels, quartiles

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
    figure, axes = panels(3)
    looks = condition_looks(CONDITIONS)
    groups = [(records.where(condition=c), look) for c, look in looks.items()]
    draw_learning(*axes[:2], groups, "lag", "lag (steps)")
    for some, look in groups:
        lags = some.each("lag")
        if lags:
            flossed = [some.where(lag=lag).values("flossing_epochs") for lag in lags]
            quartiles(axes[2], lags, flossed, **look)
    axes[2].set(xlabel="lag (steps)", ylabel="flossing epochs")
    axes[2].set_ylim(bottom=0)
    legend_below(figure, axes, ncols=2)
    return figure


def findings(records):
    records = Records({**r, "window": None} for r in records)
    claim = "adaptive flossing against episodes set in advance, over all lags"
    found = no_loss(claim, records, "condition", *CONDITIONS)
    claim = "over all lags, more networks learn with adaptive flossing than with episodes set in "
    found += gain(claim + "advance", records, "condition", *CONDITIONS)
    for lag in records.each("lag"):
        pairs = matched(records.where(lag=lag), "condition", CONDITIONS)
        if pairs:
            used = [pairs.where(condition=c).values("flossing_epochs") for c in CONDITIONS]
            text = f"{spread(used[1], '.0f')} against {spread(used[0], '.0f')}"
            found.append(most(f"lag {lag}: with fewer flossing epochs", used[1] < used[0], text))
    return found
