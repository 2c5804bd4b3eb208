"""Fig. 8: the gradient across the lag, without flossing and with episodes early in training."""

import numpy as np

from ..compare import COMMON, most, percent, quick
from ..draw import chance
from ..fractions import CHANCE
from ..harness import spread
from ..learning import EPISODES, FINE, learn
from ..style import COLOURS, NAMES, bands, legend_below, panels

TITLE = "Gradient norm across the lag, and accuracy, with and without flossing episodes"
CLAIMS = """
Each flossing episode makes the norm of the error gradient in the initial state jump up. Later it
grows, and the accuracy leaves chance; without flossing it stays tiny and the network at chance.
"""
SETTINGS = f"""{COMMON}
Binary temporal XOR of lag 60, ten networks, flossing before training and before epochs 100, 200,
300 and 400, or none. The loss counts from the step of the lag on, so every path of its gradient in
the first state is at least as long as the lag; the paper takes the loss of one step. Geometric
means over ten epochs and the batch. Which lag the paper has, and how many epochs, is not known.
"""

CONDITIONS = ("none", "episodes")
LAG, NETWORKS = 60, 10
run = learn


def points(scale):
    if scale == "quick":
        more = dict(watch=True, epochs=800)
        return [
            quick(task="temporal", lag=36, condition=c, network=i, **more)
            for i in range(5)
            for c in CONDITIONS
        ]
    return [
        dict(task="temporal", lag=LAG, condition=c, network=i, watch=True)
        for i in range(NETWORKS)
        for c in CONDITIONS
    ]


def episodes(records):
    """Return the training epochs before which these runs were flossed again."""
    if not records:
        return []
    epochs = records[0].get("epochs", 10_000)
    at = records[0].get("at") or EPISODES[records[0]["condition"]]
    return [epoch for epoch in at if epoch < epochs]


def plot(records):
    figure, axes = panels(2, 2)
    flossed = episodes(records.where(condition="episodes"))
    early = 2 * max(flossed, default=500)
    for condition in CONDITIONS:
        some = records.where(condition=condition)
        if not some:
            continue
        look = dict(color=COLOURS[condition], label=NAMES[condition])
        gradient, curves = some.values("fine_gradient"), 100 * some.values("fine_curve")
        x = FINE * (np.arange(gradient.shape[1]) + 0.5)
        for column, shown in enumerate((x < early, x > 0)):
            bands(axes[0, column], x[shown], gradient[:, shown], **look)
            bands(axes[1, column], x[shown], curves[:, shown], **look)
    for ax in axes[:, 0]:
        for epoch in flossed:
            ax.axvline(epoch, color="0.6", lw=0.6, ls=":", zorder=0, label="flossed again")
    for ax, name in zip(axes[0], ("early", "whole run"), strict=True):
        ax.set(yscale="log", ylabel=r"$|\partial L / \partial h_0|$", xlabel="training epoch")
        ax.set_title(name, fontsize=8)
    for ax in axes[1]:
        chance(ax, xlabel="training epoch")
    legend_below(figure, axes, ncols=3)
    return figure


def peaks(records, value):
    """Return each run's values in the ten epochs after its episodes over those before them."""
    at = [epoch // FINE for epoch in episodes(records)]
    at = [block for block in at if 0 < block < value.shape[1]]
    return np.exp(np.mean([np.log(value[:, b] / value[:, b - 1]) for b in at], axis=0))


def findings(records):
    found = []
    flossed, not_flossed = (records.where(condition=c) for c in CONDITIONS[::-1])
    if flossed and episodes(flossed):
        jump = peaks(flossed, flossed.values("fine_gradient"))
        text = f"by a factor of {spread(jump, '.2g')} from the ten epochs before to the ten after"
        claim = "the gradient norm jumps up at flossing episodes, to more than twice"
        found.append(most(claim, jump > 2, text))
    if flossed and not_flossed:
        last = [some.values("fine_gradient")[:, -10:] for some in (not_flossed, flossed)]
        last = [np.exp(np.log(x).mean(axis=1)) for x in last]
        text = ", ".join(f"{c} {spread(x, '.1e')}" for c, x in zip(CONDITIONS, last, strict=True))
        claim = "at the end the gradient is larger with flossing, ten times the largest without it"
        found.append(most(claim, last[1] > 10 * last[0].max(), text))
        for some, name in ((flossed, "with flossing episodes"), (not_flossed, "without flossing")):
            left = some.values("accuracy") > CHANCE
            does = left if some is flossed else ~left
            verb = "leave chance" if some is flossed else "stay at chance"
            found.append(most(f"{name} networks {verb}", does, percent(some.values("accuracy"))))
    return found
