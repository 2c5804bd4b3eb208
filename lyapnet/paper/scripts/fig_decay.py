"""Beyond the paper: weight decay together with flossing."""

from ..compare import COMMON, chance, differences, gain, quick
from ..harness import Finding, Records
from ..learning import learn
from ..style import COLOURS, NAMES, legend_below, panels, quartiles

TITLE = "Weight decay together with flossing"
CLAIMS = """
Beyond the paper: weak weight decay leaves the gain of flossing as it is. Strong decay shrinks the
exponents again and undoes flossing before training, and flossing during training makes up for it.
"""
SETTINGS = f"""{COMMON}
Binary temporal XOR, five networks; decoupled weight decay of 0.01, 0.1 or 1 in training (a weight
shrinks by that times the learning rate in each epoch). Without decay: the runs of figure 4.
"""

CONDITIONS = ("before", "during")
DECAYS, STRONG = (0.0, 0.01, 0.1, 1.0), 1.0
LAGS, NETWORKS = (40, 60), 5
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
        during = some.where(condition="during")
        for decay in some.each("weight_decay"):
            change = 100 * differences(during, "weight_decay", 0.0, decay)
            if 0 < decay < STRONG and len(change):
                found.append(
                    Finding(
                        f"lag {lag}: decay {decay:g} changes the accuracy of networks flossed "
                        "during training by less than 5 points",
                        f"{change.mean():+.1f} points, n = {len(change)}",
                        bool(abs(change.mean()) < 5),
                    )
                )
        strong = some.where(weight_decay=STRONG)
        claim = f"lag {lag}, decay {STRONG:g}: flossing during training above before alone"
        found += gain(claim, strong, "condition", *CONDITIONS)
        before = some.where(condition="before")
        claim = f"lag {lag}, flossed before alone: no decay above decay {STRONG:g}"
        found += gain(claim, before, "weight_decay", STRONG, 0.0)
    return found
