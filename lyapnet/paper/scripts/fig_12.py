"""Fig. 12: flossing throughout training, early in it, or not at all."""

import numpy as np

from ..compare import COMMON, most, percent, quick
from ..draw import chance
from ..fractions import fraction
from ..harness import Finding, spread
from ..learning import FINE, learn
from ..style import COLOURS, NAMES, bands, legend_below, panels
from . import fig_8

TITLE = "Flossing throughout training"
CLAIMS = """
Flossing every 100 epochs throughout training keeps the accuracy below 100 %: after each episode it
drops close to chance, and recovers. Flossing early only is best.
"""
SETTINGS = f"""{COMMON}
Binary temporal XOR of lag 60. Throughout: 500 flossing epochs before every 100th training epoch,
ten networks, 6000 epochs (30 000 flossing epochs, about two minutes of a core); early only and not
at all: the runs of figure 8. Accuracy and geometric means of gradients over ten epochs. The
paper's lag is not known.
"""

CONDITIONS = ("none", "episodes", "throughout")
#: Of the full data.
DIFFERING = {
    "flossing throughout never reaches": "now and then, between two episodes, a network is there",
}
NETWORKS, EPOCHS = 10, 6000
run = learn


def points(scale):
    if scale == "quick":
        more = dict(watch=True, epochs=800)
        often = [
            quick(task="temporal", lag=36, condition="throughout", network=i, **more)
            for i in range(3)
        ]
    else:
        often = [
            dict(
                task="temporal",
                lag=fig_8.LAG,
                condition="throughout",
                network=i,
                epochs=EPOCHS,
                watch=True,
            )
            for i in range(NETWORKS)
        ]
    return sorted(fig_8.points(scale) + often, key=lambda point: point["network"])


def blocks(records):
    """Return how many blocks of epochs all of these runs have."""
    return min(len(r["fine_curve"]) for r in records)


def plot(records):
    figure, axes = panels(2, 2)
    n = blocks(records)
    x = FINE * (np.arange(n) + 0.5)
    late = x > x[-1] - FINE * n / 10
    for condition in CONDITIONS:
        some = records.where(condition=condition)
        if not some:
            continue
        look = dict(color=COLOURS[condition], label=NAMES[condition])
        for row, name, factor in ((axes[0], "fine_curve", 100), (axes[1], "fine_gradient", 1)):
            values = factor * some.values(name)[:, :n]
            smooth, centres = between_episodes(values, x)
            bands(row[0], centres, smooth, each=False, **look)
            row[1].plot(x[late], values[:3, late].T, lw=0.8, color=look["color"])
    for ax in axes[0]:
        chance(ax, xlabel="training epoch")
    for ax in axes[1]:
        ax.set(yscale="log", xlabel="training epoch", ylabel=r"$|\partial L / \partial h_0|$")
    axes[0, 0].set_title("means over 100 epochs, median and quartiles", fontsize=8)
    axes[0, 1].set_title("last tenth, three networks each", fontsize=8)
    legend_below(figure, axes, ncols=3)
    return figure


def between_episodes(values, x, width=10):
    """Return means over the hundred epochs from one episode to the next, and where they are."""
    whole = values.shape[1] // width * width
    means = [a[:, :whole].reshape(len(a), -1, width).mean(axis=2) for a in (values, x[None])]
    return means[0], means[1][0]


def findings(records):
    often, early = (records.where(condition=c) for c in ("throughout", "episodes"))
    found = []
    if not often:
        return found
    curves = often.values("fine_curve")
    at = np.array([epoch // FINE for epoch in fig_8.episodes(often)])
    at = at[at < curves.shape[1]]
    before, after = curves[:, at - 1], curves[:, at]
    high = before > 0.8
    if high.any():
        low = np.array([np.mean(one[up] < 0.65) for one, up in zip(after, high, strict=True)])
        found.append(
            most(
                "an episode drops the accuracy close to chance: in a network, most episodes at "
                "above 80 % leave less than 65 % in the next ten epochs",
                low[high.any(axis=1)] > 0.5,
                f"{high.sum()} episodes, from {percent(before[high])} to {percent(after[high])}",
            )
        )
    if early:
        n = blocks(records)
        last = slice(n - n // 5, n)
        ends = [some.values("fine_curve")[:, last] for some in (often, early)]
        means = [x.mean(axis=1) for x in ends]
        count = min(map(len, means))
        found.append(
            most(
                "flossing early only is more accurate in the last fifth",
                means[1][:count] > means[0][:count],
                f"{percent(means[1])} against {percent(means[0])}",
            )
        )
        top = 100 * ends[0].max(axis=1)
        share = fraction(top < 99.5)
        found.append(
            Finding(
                "flossing throughout never reaches 99.5 % over ten epochs of that, in any network",
                f"best of each network {spread(top, '.1f')} %; so in {np.sum(top < 99.5)} of "
                f"{len(top)}, {share.percent()} %",
                bool(np.all(top < 99.5)),
            )
        )
    return found
