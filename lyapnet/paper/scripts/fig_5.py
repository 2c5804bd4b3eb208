"""Fig. 5: accuracy against the number of flossed exponents and the lag, flossed during training."""

import numpy as np

from ..compare import COMMON, accuracy_against, chance, percent, quick
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
#: An accuracy that counts as solved.
SOLVED = 0.9
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
    """Draw accuracy against the lag for each k, and against k for each lag."""
    import matplotlib

    for ax, x, of, name, colours in (
        (by_lag, "lag", "k", "k =", ORDERED),
        (by_k, "k", "lag", "lag", "plasma"),
    ):
        values = records.each(of)
        shades = matplotlib.colormaps[colours](np.linspace(0, 0.85, len(values)))
        for value, colour in zip(values, shades, strict=True):
            some = records.where(**{of: value})
            accuracy_against(ax, some, x, color=colour, label=f"{name} {value}")
        if values:
            ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    chance(by_lag, xlabel="lag (steps)")
    chance(by_k, xlabel="number k of flossed exponents")


def plot(records):
    figure, axes = panels(2)
    lines(with_k(records), *axes)
    return figure


def needed(records, lag):
    """Return the least k with which the median network solves a lag, infinite for none."""
    some = records.where(lag=lag)
    solved = [k for k in some.each("k") if np.median(some.where(k=k).values("accuracy")) > SOLVED]
    return min(solved, default=np.inf)


def findings(records):
    records = with_k(records)
    found = []
    lags = records.each("lag")
    ks = [k for k in records.each("k") if records.where(k=k).each("lag") == lags]
    records = Records(r for r in records if r["k"] in ks)
    if len(lags) < 2 or len(ks) < 2:
        return found
    need = [needed(records, lag) for lag in lags]
    found.append(
        Finding(
            f"longer lags need more exponents for a median above {100 * SOLVED:.0f} %",
            ", ".join(
                f"lag {lag}: " + (f"k = {k}" if np.isfinite(k) else "none")
                for lag, k in zip(lags, need, strict=True)
            ),
            bool(np.all(np.diff(np.nan_to_num(need, posinf=1e9)) >= 0) and need[0] < need[-1]),
        )
    )
    solved = [lag for lag, k in zip(lags, need, strict=True) if np.isfinite(k)]
    if not solved:
        return found
    hard = records.where(lag=solved[-1])
    few, many = (hard.where(k=k).values("accuracy") for k in (ks[0], ks[-1]))
    found.append(
        Finding(
            f"at lag {solved[-1]}, the longest that some solve, {ks[-1]} exponents do better than "
            f"{ks[0]}",
            f"{percent(many)} and {percent(few)}",
            bool(np.median(many) > np.median(few) + 0.02),
        )
    )
    return found
