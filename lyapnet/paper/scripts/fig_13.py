"""Fig. 13: first and tenth exponent of trained networks against the lag."""

import numpy as np
from scipy.stats import f as f_distribution

from ..compare import most
from ..fractions import CHANCE, LEARNED
from ..harness import Finding, Records
from ..learning import learn
from ..style import COLOURS, NAMES, legend_below, panels
from . import fig_4

TITLE = "Exponents after training against the lag"
CLAIMS = """
The first and the tenth exponent of flossed networks that have learned the spatial XOR follow a
simple law in the lag. Those of unsuccessful networks lie far below.
"""
SETTINGS = f"""
The runs of figure 4, spatial XOR. {fig_4.SETTINGS.strip()} Exponents over 1000 steps of the task's
input after training. Successful means an accuracy above 90 %, unsuccessful below 55 %. The law is
a power of the lag, fitted to the successful flossed networks; the paper's formula is not known. It
is held against the scatter of networks at the same lag by the F test of lack of fit, and fitted
once more without the shortest lag, which lies far from the others.
"""

WHICH = {0: "first", 9: "tenth"}
#: Of the full data.
DIFFERING = {
    f"the {name} exponent of successful flossed": "one power describes the longer lags, and "
    "another leads from them to the shortest"
    for name in ("first", "tenth")
}
run = learn


def points(scale):
    return [point for point in fig_4.points(scale) if point["task"] == "spatial"]


def split(records):
    """Return lags and exponents of successful and of unsuccessful networks."""
    if not records:
        return (np.empty(0), np.empty((0, 1))), (np.empty(0), np.empty((0, 1)))
    accuracy = records.values("accuracy")
    lag, exponents = records.values("lag"), records.values("exponents")
    good, bad = accuracy > LEARNED, accuracy < CHANCE
    return (lag[good], exponents[good]), (lag[bad], exponents[bad])


def flossed(records):
    """Return lags and exponents of successful networks that were flossed, as the law has it."""
    (lag, exponents), _ = split(Records(r for r in records if r["condition"] != "none"))
    return lag, exponents


def fit(lag, exponents):
    """Fit log(-exponent) = log a - b log(lag); return a, b, the error of b, and R²."""
    x, y = np.log(lag), np.log(-exponents)
    away = x - x.mean()
    slope = (away @ y) / (away @ away)
    rest = y - y.mean() - slope * away
    error = np.sqrt(rest @ rest / max(len(x) - 2, 1) / (away @ away))
    varied = y - y.mean()
    return np.exp(y.mean() - slope * x.mean()), -slope, error, 1 - (rest @ rest) / (varied @ varied)


def lack_of_fit(lag, exponents):
    """Return the p-value of the law against one mean for each lag, of log(-exponent)."""
    x, y = np.log(lag), np.log(-exponents)
    lags = sorted(set(lag))
    a, b, *_ = fit(lag, exponents)
    rest = np.sum((y - np.log(a) + b * x) ** 2)
    pure = sum(np.sum((y[lag == d] - y[lag == d].mean()) ** 2) for d in lags)
    free, within = len(lags) - 2, len(y) - len(lags)
    return f_distribution.sf((rest - pure) / free / (pure / within), free, within)


def enough(lag):
    return len(set(lag)) > 2 and len(lag) > len(set(lag)) + 2


def plot(records):
    figure, axes = panels(2)
    for ax, (i, name) in zip(axes, WHICH.items(), strict=True):
        for condition in fig_4.CONDITIONS:
            some = records.where(condition=condition)
            if not some:
                continue
            (lag, one), (bad_lag, bad) = split(some)
            look = dict(ls="none", color=COLOURS[condition], ms=4)
            ax.plot(lag, one[:, i] if len(one) else [], "o", label=NAMES[condition], **look)
            ax.plot(bad_lag, bad[:, i] if len(bad) else [], "x", **look)
        ax.plot([], [], "x", color="0.4", ms=4, label="unsuccessful")
        lag, one = flossed(records)
        law = ""
        if enough(lag):
            a, b, *_ = fit(lag, one[:, i])
            x = np.geomspace(lag.min(), lag.max(), 50)
            law = rf", line: $-{float(f'{a:.2g}'):g}\, d^{{\,-{b:.2g}}}$"
            ax.plot(x, -a * x**-b, "k-", lw=0.9, zorder=0)
        ax.axhline(0, color="0.6", lw=0.6, zorder=0)
        ax.set(xlabel="lag d (steps)", ylabel=rf"$\lambda_{{{i + 1}}}$ (nats per step)")
        ax.set_title(f"{name} exponent{law}", fontsize=8)
        ax.xaxis.get_major_locator().set_params(integer=True)
    legend_below(figure, axes, ncols=4)
    return figure


def findings(records):
    found = []
    (lag, good), (bad_lag, bad) = split(records)
    for i, name in WHICH.items():
        of, exponents = flossed(records)
        if enough(of):
            found.append(law(name, of, exponents[:, i]))
        shared = sorted(set(lag) & set(bad_lag))
        if shared:
            least = {d: good[lag == d, i].min() for d in shared}
            below = [x < least[d] for x, d in zip(bad[:, i], bad_lag, strict=True) if d in least]
            gap = [np.median(good[lag == d, i]) - np.median(bad[bad_lag == d, i]) for d in shared]
            claim = f"the {name} exponent of unsuccessful networks lies below all successful ones"
            text = f"by {min(gap):.2f} to {max(gap):.2f} in the median of each lag"
            found.append(most(claim, below, text))
    return found


def law(name, lag, exponents):
    """Judge the law: the networks' scatter must allow for it, and one lag must not make it."""
    a, b, error, r2 = fit(lag, exponents)
    away = lag > lag.min()
    _, slope, its_error, its_r2 = fit(lag[away], exponents[away])
    p = lack_of_fit(lag, exponents)
    same = abs(slope - b) < 2 * np.hypot(error, its_error)
    return Finding(
        f"the {name} exponent of successful flossed networks follows a simple law in the lag",
        f"-{a:.3g} d^(-{b:.2f} ± {error:.2f}), R² = {r2:.2f}, n = {len(lag)}; without the shortest "
        f"lag d^(-{slope:.2f} ± {its_error:.2f}), R² = {its_r2:.2f}; lack of fit p = {p:.1g}",
        bool(p > 0.05 and same) if its_r2 > 0.8 or p < 0.05 else None,
    )
