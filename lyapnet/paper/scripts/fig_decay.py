"""Beyond the paper: weight decay together with flossing."""

from ..compare import COMMON, gain, horizon, no_loss, quick
from ..draw import condition_looks, draw_arms
from ..fractions import CHANCE
from ..harness import Finding, Records, spread
from ..learning import learn
from ..style import legend_below, panels

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
    figure, axes = panels(len(lags), 2, squeeze=False)
    for (above, below), lag in zip(axes.T, lags, strict=True):
        for shift, (c, look) in zip((-0.1, 0.1), condition_looks(CONDITIONS).items(), strict=True):
            some = records.where(lag=lag, condition=c)
            arms = {f"{d:g}": some.where(weight_decay=d) for d in decays}
            draw_arms(above, below, arms, look, shift)
        for ax in (above, below):
            ax.set_xlabel("weight decay")
        above.set_title(f"lag {lag} steps", fontsize=8)
    legend_below(figure, axes, ncols=len(lags))
    return figure


def findings(records):
    records = with_decay(records)
    found = no_loss(f"decay {WEAK:g}, over all lags and both", records, "weight_decay", 0.0, WEAK)
    for c in CONDITIONS:
        found += stood(c, records.where(condition=c))
    strong = records.where(weight_decay=STRONG)
    claim = f"decay {STRONG:g}, over all lags: more networks learn flossed during than before alone"
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
    agrees = True if most[-1].high <= most[0].low else None
    return [
        Finding(
            f"flossed {condition}: the longer the lag, the weaker the decay with which more than "
            "half of the networks learn",
            ", ".join(f"lag {lag}: up to {x}" for lag, x in zip(lags, most, strict=True)),
            False if most[-1].low >= most[0].high else agrees,
        )
    ]
