"""Fig. 12: flossing throughout training, early in it, or not at all."""

import numpy as np

from ..compare import COMMON, chance, percent, quick
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
    for condition in CONDITIONS:
        some = records.where(condition=condition)
        if not some:
            continue
        look = dict(color=COLOURS[condition], label=NAMES[condition])
        curves = 100 * some.where().values("fine_curve")[:, :n]
        gradient = some.values("fine_gradient")[:, :n]
        late = x > x[-1] - FINE * n / 5
        bands(axes[0, 0], x, curves, **look)
        bands(axes[0, 1], x[late], curves[:, late], **look)
        bands(axes[1, 0], x, gradient, **look)
        bands(axes[1, 1], x[late], gradient[:, late], **look)
    for ax in axes[0]:
        chance(ax, xlabel="training epoch")
    for ax in axes[1]:
        ax.set(yscale="log", xlabel="training epoch", ylabel=r"$|\partial L / \partial h_0|$")
    for ax, name in zip(axes[0], ("whole run", "its last fifth"), strict=True):
        ax.set_title(name, fontsize=8)
    legend_below(figure, axes, ncols=3)
    return figure


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
        found.append(
            Finding(
                "an episode drops the accuracy close to chance, below 65 % in the next ten epochs, "
                "where it was above 80 %",
                f"from {percent(before[high])} to {percent(after[high])}",
                bool(np.median(after[high]) < 0.65),
            )
        )
    if early:
        n = blocks(records)
        last = slice(n - n // 5, n)
        ends = [some.values("fine_curve")[:, last] for some in (often, early)]
        found.append(
            Finding(
                "flossing early only is more accurate in the last fifth",
                f"{percent(ends[1].mean(axis=1))} against {percent(ends[0].mean(axis=1))}",
                bool(np.median(ends[1].mean(axis=1)) > np.median(ends[0].mean(axis=1))),
            )
        )
        top = 100 * ends[0].max(axis=1)
        found.append(
            Finding(
                "flossing throughout never reaches 99.5 % over ten epochs of that",
                f"best of each network {spread(top, '.1f')} %",
                bool(np.median(top) < 99.5),
            )
        )
    return found
