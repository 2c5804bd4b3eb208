"""Fig. 5: accuracy against the number of flossed exponents and the lag, flossed during training."""

import numpy as np

from ..compare import COMMON, gain, learned, quick
from ..draw import learned_against, learned_axis
from ..fractions import are_most
from ..harness import Finding, Records
from ..learning import learn
from ..style import ORDERED, panels

TITLE = "Accuracy against the number of flossed exponents and the lag"
CLAIMS = """
With flossing before and during training, harder tasks (longer lags of the binary temporal XOR)
need more flossed exponents.
"""
SETTINGS = f"""{COMMON}
k = 8, 40, 60, 75 or 80 exponents, ten networks, flossing before training and again before
epoch 500. Those with k = 75 are runs of figure 4. The paper's grid is not known.
"""

KS, LAGS, NETWORKS = (8, 40, 60, 75, 80), (40, 60, 70), 10
QUICK_KS, QUICK_LAGS = (4, 16, 30, 45, 48), (12, 24, 36)
run = learn


def points(scale, condition="during"):
    if scale == "quick":
        return [
            quick(task="temporal", lag=lag, condition=condition, network=i, **number(k, 45))
            for i in range(3)
            for lag in QUICK_LAGS
            for k in QUICK_KS
        ]
    return [
        dict(task="temporal", lag=lag, condition=condition, network=i, **number(k, 75))
        for i in range(NETWORKS)
        for lag in LAGS
        for k in KS
    ]


def number(k, usual):
    """Return k as a parameter, left out where it is the usual one: the runs of figure 4."""
    return {} if k == usual else {"k": k}


def with_k(records):
    """Write down k where a run has left it out."""
    return Records({**r, "k": r.get("k") or round(r.get("n", 80) * 75 / 80)} for r in records)


def lines(records, by_lag, by_k):
    """Draw which networks learn against the lag for each k, and against k for each lag."""
    import matplotlib

    for ax, x, of, name, colours in (
        (by_lag, "lag", "k", "k =", ORDERED),
        (by_k, "k", "lag", "lag", "plasma"),
    ):
        values = records.each(of)
        shades = matplotlib.colormaps[colours](np.linspace(0, 0.85, len(values)))
        for value, colour in zip(values, shades, strict=True):
            some = records.where(**{of: value})
            learned_against(ax, some, x, color=colour, label=f"{name} {value}")
        if values:
            ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    learned_axis(by_lag, xlabel="lag (steps)")
    learned_axis(by_k, xlabel="number k of flossed exponents")


def plot(records):
    figure, axes = panels(2)
    lines(with_k(records), *axes)
    return figure


def needed(records, lag):
    """Return the least k with which more than half of the networks learn a lag.

    Between the largest of which surely fewer than half do, and the least of which surely more do.
    """
    flags = {k: learned(records.where(lag=lag, k=k)) for k in records.where(lag=lag).each("k")}
    surely = {k: are_most(one) for k, one in flags.items()}
    high = min((k for k, yes in surely.items() if yes), default=np.inf)
    return (
        min((k for k, one in flags.items() if one.mean() > 0.5), default=np.inf),
        max((k for k, yes in surely.items() if yes is False and k < high), default=0),
        high,
    )


def findings(records):
    records = with_k(records)
    lags = records.each("lag")
    if len(lags) < 2 or len(records.each("k")) < 2:
        return []
    need = [needed(records, lag) for lag in lags]
    (_, least, most), (_, least_last, most_last) = need[0], need[-1]
    found = [
        Finding(
            "longer lags need more exponents for more than half of the networks to learn",
            ", ".join(
                f"lag {lag}: "
                + (f"k = {k}" if np.isfinite(k) else "none")
                + f", above {low} and up to {high}".replace("inf", "any")
                for lag, (k, low, high) in zip(lags, need, strict=True)
            ),
            True if least_last >= most else False if most_last <= least else None,
        )
    ]
    solved = [lag for lag, (k, *_) in zip(lags, need, strict=True) if np.isfinite(k)]
    if solved:
        hard = records.where(lag=solved[-1])
        few, many = hard.each("k")[0], hard.each("k")[-1]
        claim = (
            f"at lag {solved[-1]}, the longest that more than half learn, more learn with {many} "
            f"exponents than with {few}"
        )
        found += gain(claim, hard, "k", few, many)
    return found
