"""Fig. 1D: the full spectrum after flossing some of the exponents."""

import numpy as np

from ..compare import most
from ..harness import Finding, spread
from ..style import PALETTE, legend_below, panels
from .fig_1c import DIRECTIONS, SETTINGS, N, floss_exponents, points

__all__ = ["CLAIMS", "SETTINGS", "TITLE", "findings", "plot", "points", "run"]

TITLE = "The full spectrum after flossing"
CLAIMS = """
After flossing 1, 16 or 32 exponents, as many are close to zero, and the others are not.
"""

run = floss_exponents


def plot(records):
    records = records.where(clip_norm=1.0)
    figure, ax = panels()
    x = np.arange(1, N + 1)
    ax.axhline(0, color="0.6", lw=0.8, zorder=0)
    for k, colour in [(None, "0.4"), *zip(DIRECTIONS, PALETTE, strict=False)]:
        some = records if k is None else records.where(k=k)
        spectra = some.values("before" if k is None else "after")
        low, middle, high = np.percentile(spectra, [25, 50, 75], axis=0)
        ax.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
        label = "not flossed" if k is None else f"k = {k} flossed"
        ax.plot(x, middle, ".-", ms=3, color=colour, label=label)
    ax.set(xlabel="index i", ylabel=r"exponent $\lambda_i$ (nats per step)")
    legend_below(figure, ax, ncols=2)
    return figure


def findings(records):
    records = records.where(clip_norm=1.0)
    found = []
    for k in DIRECTIONS:
        some = records.where(k=k)
        before, after = some.values("before"), some.values("after")
        size = np.sqrt((after[:, :k] ** 2).mean(axis=1))
        was = np.sqrt((before[:, :k] ** 2).mean(axis=1))
        claim = f"{k} flossed exponents are close to zero in a long run: root mean square below 0.1"
        text = f"{spread(size, '.3f')}, before {spread(was, '.2f')}"
        found.append(most(claim, size < 0.1, text))
        if k < N:
            gap = after[:, k - 1] - after[:, k]
            rest = -after[:, k:].mean(axis=1)
            found.append(
                Finding(
                    f"the other {N - k} are not: their mean is further below zero than five times "
                    "that, in all networks",
                    f"mean {spread(-rest, '.2f')}; step behind the last flossed one "
                    f"{spread(gap, '.2f')}",
                    bool(np.all(rest > 5 * size)),
                )
            )
    return found
