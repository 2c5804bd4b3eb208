"""Beyond the paper: one rule for adaptive flossing, for networks of every size."""

import numpy as np

from ..compare import COMMON, learned, most, percent
from ..draw import draw_arms
from ..learning import learn
from ..style import COLOURS, NAMES, panels, quartiles

TITLE = "Adaptive flossing without absolute numbers, at lags of 0.9 N"
CLAIMS = """
Beyond the paper: flossing before training goes on as long as it makes the share of the gradient
that arrives in the first state grow; it begins again when training has brought that share down to a
hundredth of what it was, until three tenths of the best are back. With this one rule, from 16 to 80
units, networks learn lags of 0.9 N, with no more than one flossing epoch for twenty of training.
"""
SETTINGS = f"""{COMMON}
Instead: N of 16 to 80, ten networks each, binary temporal XOR of a lag of 0.9 N, 15/16 of N
exponents, sequences of three lags, of 100 steps at least. Adaptive: `AdaptiveFlossing` with its
defaults, episodes of 20 epochs, after each of which the rule is asked again. Networks
of 160 units are trained for 20 000 epochs, 1000 of flossing at most, and in smaller steps: Adam
begins at 5e-4, as at 1e-3 training undoes flossing sooner than it learns. The steps go through one
cycle (L. N. Smith): they grow fourfold until half of the epochs, and fall to zero at the end.
"""

#: How many networks of each size.
NETWORKS = {16: 10, 32: 10, 64: 10, 80: 10, 160: 10}
#: Networks of more units are large.
LARGE = 80
#: Training epochs, and those of large networks.
EPOCHS, LONGER = 10_000, 20_000
#: Flossing epochs at most, in percent of those of training.
MOST = 5
#: How large networks are trained.
GENTLY = {"learning_rate": 5e-4, "cycle": True, "window": {"most": LONGER * MOST // 100}}
run = learn


def lag_of(n):
    return 2 * round(0.45 * n)


def points(scale):
    quickly = scale == "quick"
    sizes = {16: 2, 24: 2} if quickly else NETWORKS
    return [
        dict(
            task="temporal", lag=lag_of(n), condition="rule", network=i, n=n,
            n_steps=max(100, 3 * lag_of(n)),
            epochs=1500 if quickly else EPOCHS if n <= LARGE else LONGER,
            **({} if n <= LARGE else GENTLY),
        )
        for i in range(max(sizes.values()))
        for n, networks in sizes.items()
        if i < networks
    ]  # fmt: skip


def plot(records):
    figure, axes = panels(3)
    sizes = records.each("n")
    look = dict(color=COLOURS["rule"], label=NAMES["rule"], fmt="o-")
    draw_arms(*axes[:2], {f"{n}": records.where(n=n) for n in sizes}, look)
    flossed = [_share_of_flossing(records.where(n=n)) for n in sizes]
    quartiles(axes[2], np.arange(len(sizes)), flossed, color=COLOURS["rule"])
    axes[2].axhline(MOST, color="0.6", lw=0.8, ls=":")
    axes[2].set_xticks(range(len(sizes)), sizes, fontsize=6.5)
    axes[2].set(ylabel="flossing epochs, % of training", ylim=(0, None))
    for ax in axes:
        ax.set_xlabel("number N of units, lag 0.9 N")
    return figure


def findings(records):
    found = []
    for n in records.each("n"):
        some = records.where(n=n)
        accuracies = percent(some.values("accuracy"))
        claim = f"N = {n}: most networks learn lag {some[0]['lag']}"
        found.append(most(claim, learned(some), accuracies))
    if records:
        share = _share_of_flossing(records)
        claim = "no more than one flossing epoch for twenty of training"
        text = f"{share.min():.1f} to {share.max():.1f} %"
        found.append(most(claim, share <= MOST, text))
    return found


def _share_of_flossing(records):
    """Return flossing epochs in percent of those of training."""
    return 100 * records.values("flossing_epochs") / records.values("epochs")
