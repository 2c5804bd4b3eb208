"""Beyond the paper: one rule for adaptive flossing, for networks of every size."""

import numpy as np

from ..compare import COMMON, learned, most, percent
from ..draw import draw_arms
from ..harness import Records
from ..learning import learn
from ..style import COLOURS, NAMES, legend_below, panels, quartiles

TITLE = "Adaptive flossing without absolute numbers, at lags of 0.9 N"
CLAIMS = """
Beyond the paper: flossing goes on as long as it makes the share of the gradient that arrives in
the first state grow, and begins again when training has brought that share down to a hundredth of
what it was. With this one rule, whatever the size, most networks learn lags of 0.9 N, with no more
than one flossing epoch for twenty of training.
"""
SETTINGS = f"""{COMMON}
Binary temporal XOR of a lag of 0.9 N, N from 16 to 320, five networks, 15/16 of N exponents,
sequences of at least three lags. Adaptive: `AdaptiveFlossing` with its defaults, short episodes of
20 epochs that end when three have not brought the transmission to 1.2 times what was reached
before. Against it: 500 epochs before training and 500 before epoch 500.
"""

SIZES, NETWORKS = (16, 32, 64, 80, 160, 320), 5
CONDITIONS = ("during", "relative")
#: Flossing epochs in one of training, at most.
SHARE = 0.05
run = learn


def lag_of(n):
    return 2 * round(0.45 * n)


def points(scale):
    quickly = scale == "quick"
    more = dict(epochs=1500, n_steps=100) if quickly else {}
    return [
        dict(task="temporal", lag=lag_of(n), condition=c, network=i, **named(n), **more)
        for i in range(2 if quickly else NETWORKS)
        for n in ((16, 24) if quickly else SIZES)
        for c in CONDITIONS
    ]


def named(n):
    return {} if n == 80 else {"n": n}


def plot(records):
    records = Records({**r, "n": r.get("n", 80)} for r in records)
    figure, axes = panels(3)
    sizes = records.each("n")
    for shift, c in zip((-0.1, 0.1), CONDITIONS, strict=True):
        some = records.where(condition=c)
        look = dict(color=COLOURS[c], label=NAMES[c], fmt="o-")
        draw_arms(*axes[:2], {f"{n}": some.where(n=n) for n in sizes}, look, shift)
        here = [n for n in sizes if some.where(n=n)]
        if here:
            flossed = [some.where(n=n).values("flossing_epochs") for n in here]
            x = np.array([sizes.index(n) for n in here]) + shift
            quartiles(axes[2], x, flossed, color=COLOURS[c])
    axes[2].set_xticks(range(len(sizes)), sizes, fontsize=6.5)
    axes[2].set(ylabel="flossing epochs", ylim=(0, None))
    for ax in axes:
        ax.set_xlabel("number N of units, lag 0.9 N")
    legend_below(figure, axes, ncols=2)
    return figure


def findings(records):
    records = Records({**r, "n": r.get("n", 80)} for r in records)
    found = []
    for n in records.each("n"):
        some = records.where(n=n, condition="relative")
        if not some:
            continue
        accuracies = percent(some.values("accuracy"))
        claim = f"N = {n}: most networks learn lag {some[0]['lag']}"
        found.append(most(claim, learned(some), accuracies))
    ours = records.where(condition="relative")
    if ours:
        epochs = ours.values("flossing_epochs")
        training = np.array([r.get("epochs", 10_000) for r in ours])
        claim = f"no more than {100 * SHARE:.0f} % of flossing epochs"
        text = f"{epochs.min():.0f} to {epochs.max():.0f} flossing epochs"
        found.append(most(claim, epochs <= SHARE * training, text))
    return found
