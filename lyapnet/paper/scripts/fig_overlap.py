"""Beyond the paper: the gradient's overlap with the covariant vectors of exponents near zero."""

from typing import NamedTuple

import numpy as np
from scipy.stats import t

from ..compare import gain
from ..dissect import EVERY, dissect
from ..draw import learned_against, learned_axis
from ..fractions import FEWEST, LEARNED
from ..harness import Finding, Records
from ..style import COLOURS, legend_below, panels

TITLE = "Directions with exponents near zero: does the gradient use them?"
CLAIMS = """
The paper names as a limit that it looks at exponents and not at the directions that belong to them,
the covariant Lyapunov vectors. One expects that of two networks that one learns first whose
gradient lies more along directions with exponents near zero, and that it is enough to floss the
few exponents that the gradient uses.
"""
SETTINGS = """
N = 32 tanh units, gain 1, batch 16, 100 steps, Adam at 1e-3, clipped at 0.03 in each parameter,
2000 epochs, five networks. Binary temporal XOR of lags of 8, 16 and 24, not flossed or 300 epochs
before training. Near zero are exponents of a decay by less than a factor 100 over the lag. Overlap:
the share of the square of the direction in which the output reads the state, as trained so far,
that lies in the span of their covariant vectors, mean over 120 steps. Learning: the first look,
every 200 epochs, at which the accuracy is above 90 %. Lag 24 also with 4 or 8 flossed exponents:
the leading ones, those along whose Gram-Schmidt vectors the gradient of the network as drawn is
largest, or, of four, any.
"""

LAGS, CONDITIONS, NETWORKS, EPOCHS = (8, 16, 24), ("none", "before"), 5, 2000
SIZES = (4, 8)
#: Which of the exponents are flossed, and in which colour.
WHICH = {
    False: ("the leading k", "during"),
    True: ("the most used k", "rule"),
    "random": ("any k", "adaptive"),
}
#: Of the full data.
DIFFERING = {
    "of few exponents, more networks learn when the most used k are flossed than any": "an "
    "exponent from far down the spectrum that is flossed lifts all before it, whatever the "
    "gradient uses",
}
run = dissect


def points(scale):
    quickly = scale == "quick"
    more = dict(n=16, epochs=800, n_steps=60, episode=100) if quickly else dict(epochs=EPOCHS)
    lags, sizes = ((6, 12), (4,)) if quickly else (LAGS, SIZES)
    return [
        {**point, "network": i, **more}
        for i in range(2 if quickly else NETWORKS)
        for point in [
            *(dict(lag=lag, condition=c) for lag in lags for c in CONDITIONS),
            *(
                dict(lag=lags[-1], condition="before", k=k, used=used)
                for k in sizes
                for used in ((False, True, "random") if k == sizes[0] else (False, True))
            ),
        ]
    ]


def plain(records):
    """Keep the runs of all exponents, or none."""
    return Records(r for r in records if r.get("k") is None)


def first_learned(records):
    """Return the epochs at which the networks have learned, infinite for never."""
    curves = records.values("curve") > LEARNED
    return np.where(curves.any(axis=1), EVERY * (curves.argmax(axis=1) + 1.0), np.inf)


def plot(records):
    figure, axes = panels(3)
    for condition, label in zip(CONDITIONS, ("no flossing", "flossed before"), strict=True):
        some = plain(records).where(condition=condition)
        look = dict(ls="none", marker="o", ms=3.5, mew=0, alpha=0.7, color=COLOURS[condition])
        if some:
            overlap = some.values("overlap")[:, 1]
            shift = 0.8 * (condition == "before")
            axes[0].plot(some.values("lag") + shift, overlap, label=label, **look)
            axes[1].plot(overlap, np.minimum(first_learned(some), EPOCHS + 400), **look)
    axes[0].set(xlabel="lag (steps)", ylabel=f"overlap at epoch {EVERY}", ylim=(-0.03, 1.03))
    axes[1].axhline(EPOCHS + 200, color="0.6", lw=0.6, ls=":")
    axes[1].text(0.99, EPOCHS + 560, "not learned", ha="right", fontsize=6.5)
    axes[1].set(xlabel=f"overlap at epoch {EVERY}", ylabel="epoch at which it has learned")
    axes[1].set(xlim=(-0.03, 1.03), ylim=(0, EPOCHS + 900))
    for shift, (used, (label, colour)) in zip((-0.04, 0, 0.04), WHICH.items(), strict=True):
        some = Records(r for r in records if r.get("k") and r["used"] == used)
        look = dict(color=COLOURS[colour], label=label, fmt="o-")
        learned_against(axes[2], some, "k", shift=shift, **look)
    axes[2].set_xticks(SIZES)
    learned_axis(axes[2], xlabel="flossed exponents k, lag 24")
    legend_below(figure, axes, ncols=5)
    return figure


def findings(records):
    found = []
    some = plain(records)
    for name, claim in (
        ("overlap", "of two networks at the same lag that one learns first whose gradient overlaps "
         "more with the directions near zero"),
        ("beyond", "so it is by what the overlap has beyond the share of these directions"),
        ("alike", "so it is of two networks that are both flossed, or both not"),
    ):  # fmt: skip
        value = ranked(some, name)
        if value is not None:
            found.append(value.finding(claim))
    subset = Records(
        {**r, "arm": WHICH[r["used"]][0], "used": None} for r in records if r.get("k") is not None
    )
    most_used = WHICH[True][0]
    for low in (WHICH[False][0], WHICH["random"][0]):
        claim = f"of few exponents, more networks learn when {most_used} are flossed than {low}"
        found += gain(claim, subset, "arm", low, most_used)
    return found


class Ranks(NamedTuple):
    """Kendall's tau between two things, within groups, with its interval over networks."""

    value: float
    low: float
    high: float
    pairs: int

    def finding(self, claim):
        """Judge whether it is positive: it differs where it is below 0.2 for sure."""
        text = f"rank correlation {self.value:+.2f} [{self.low:+.2f}, {self.high:+.2f}], "
        agrees = True if self.low > 0 else False if self.high < 0.2 else None
        return Finding(claim, f"{text}{self.pairs} pairs", agrees)


def ranked(records, name):
    """Return how early learning goes with what is large, at equal lag, jackknifed by networks."""
    if len(records.each("network")) < FEWEST:
        return None
    x = records.values("overlap")[:, 1]
    if name == "beyond":
        x = x - records.values("near")[:, 1] / np.array([r.get("n", 32) for r in records])
    soon, lag, network = -first_learned(records), records.values("lag"), records.values("network")
    i, j = np.triu_indices(len(x), 1)
    keep = (lag[i] == lag[j]) & (x[i] != x[j]) & (soon[i] != soon[j])
    if name == "alike":
        flossed = np.array([r.get("condition") == "before" for r in records])
        keep &= flossed[i] == flossed[j]
    i, j = i[keep], j[keep]
    if not len(i):
        return None
    sign = np.sign(x[i] - x[j]) * np.where(soon[i] > soon[j], 1, -1)
    every = [sign[(network[i] != one) & (network[j] != one)].mean() for one in set(network)]
    m = len(every)
    error = np.sqrt((m - 1) / m * np.sum((every - np.mean(every)) ** 2))
    reach = t.ppf(0.975, m - 1) * error
    return Ranks(sign.mean(), max(sign.mean() - reach, -1), min(sign.mean() + reach, 1), len(i))
