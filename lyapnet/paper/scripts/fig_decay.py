"""Beyond the paper: weight decay together with flossing."""

import numpy as np

from ..compare import CHANCE, COMMON, chance, gain, horizon, matched, no_loss, quick
from ..harness import Finding, Records, spread
from ..learning import learn
from ..style import COLOURS, NAMES, legend_below, panels, quartiles

TITLE = "Weight decay together with flossing"
CLAIMS = """
Beyond the paper: weight decay works against flossing, because it pulls the exponents down again.
The longer the lag, the weaker the decay that networks stand; weak decay does no harm. We expected
flossing during training to make up for strong decay, which flossing before training alone cannot.
"""
SETTINGS = f"""{COMMON}
Binary temporal XOR, five networks; decoupled weight decay of 0.01, 0.1 or 1 in training (a weight
shrinks by that times the learning rate in each epoch). Without decay: the runs of figure 4.
"""

CONDITIONS = ("before", "during")
DECAYS = (0.0, 0.01, 0.1, 1.0)
WEAK, STRONG = 0.01, 1.0
LAGS, NETWORKS = (40, 60), 5
#: Of the full data.
DIFFERING = {
    "decay 1, mean over all lags": "at a lag of 40 steps most networks learn with either, at 60 "
    "none with any",
}
run = learn


def points(scale):
    if scale == "quick":
        base = [
            quick(task="temporal", lag=24, condition=c, network=i)
            for i in range(5)
            for c in CONDITIONS
        ]
    else:
        base = [
            dict(task="temporal", lag=lag, condition=c, network=i)
            for i in range(NETWORKS)
            for lag in LAGS
            for c in CONDITIONS
        ]
    return [{**p, **({"weight_decay": d} if d else {})} for p in base for d in DECAYS]


def with_decay(records):
    return Records({**r, "weight_decay": r.get("weight_decay", 0.0)} for r in records)


def plot(records):
    records = with_decay(records)
    lags, decays = records.each("lag"), records.each("weight_decay")
    figure, axes = panels(len(lags), squeeze=False)
    for ax, lag in zip(axes[0], lags, strict=True):
        for c in CONDITIONS:
            some = records.where(lag=lag, condition=c)
            here = [(i, some.where(weight_decay=d)) for i, d in enumerate(decays)]
            here = [(i, one) for i, one in here if one]
            if here:
                samples = [100 * one.values("accuracy") for _, one in here]
                look = dict(color=COLOURS[c], label=NAMES[c])
                quartiles(ax, [i for i, _ in here], samples, **look)
        ax.set_xticks(range(len(decays)), [f"{d:g}" for d in decays])
        chance(ax, xlabel="weight decay")
        ax.set_title(f"lag {lag} steps", fontsize=8)
    legend_below(figure, axes, ncols=len(lags))
    return figure


def findings(records):
    records = with_decay(records)
    found = []
    for lag in records.each("lag"):
        some = records.where(lag=lag)
        for c in CONDITIONS:
            claim = f"lag {lag}, flossed {c}: decay {WEAK:g} does no harm"
            found += no_loss(claim, some.where(condition=c), "weight_decay", 0.0, WEAK)
    for c in CONDITIONS:
        found += stood(c, matched(records.where(condition=c), "weight_decay", DECAYS))
    strong = records.where(weight_decay=STRONG)
    claim = f"decay {STRONG:g}, mean over all lags: flossing during training above before alone"
    found += gain(claim, strong, "condition", *CONDITIONS)
    lost = [r["exponents"][0] for r in strong if r["accuracy"] < CHANCE]
    plain = [r["exponents"][0] for r in records.where(weight_decay=0.0)]
    if lost and plain:
        found.append(
            Finding(
                f"decay {STRONG:g}, networks at chance: the first exponent is below all of those "
                "without decay",
                f"{spread(lost, '.2f')} and {spread(plain, '.2f')} per step",
                bool(max(lost) < min(plain)),
            )
        )
    return found


def stood(condition, records):
    """Judge how strong a decay more than half of the networks stand at each lag."""
    lags = records.each("lag")
    if len(lags) < 2:
        return []
    most = [horizon(records.where(lag=lag), name="weight_decay") for lag in lags]
    return [
        Finding(
            f"flossed {condition}: the longer the lag, the weaker the decay with which more than "
            "half of the networks learn",
            ", ".join(f"lag {lag}: up to {d:g}" for lag, d in zip(lags, most, strict=True)),
            bool(np.all(np.diff(most) < 0)),
        )
    ]
