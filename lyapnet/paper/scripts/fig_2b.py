"""Fig. 2B: the condition number against the number of tangent directions."""

import numpy as np

from ..compare import most
from ..harness import Finding, spread
from ..style import COLOURS, legend_below, panels
from .fig_2a import SAMPLE_AT, SETTINGS, condition_before_and_after, points

__all__ = ["CLAIMS", "SETTINGS", "TITLE", "findings", "plot", "points", "run"]

TITLE = "The condition number against the number of tangent directions"
CLAIMS = """
The condition number grows with the number m of directions. For an acceptable one, flossing raises
the number of usable directions; the exponents tell both.
"""

LIMITS = (6, 12)  # decimal logs of acceptable condition numbers
NAMES = {"before": ("none", "no flossing"), "after": ("before", "flossed")}
run = condition_before_and_after


def plot(records):
    records = records.where(precision=None)
    figure, ax = panels()
    for name, (condition, label) in NAMES.items():
        measured = np.array([r[name]["by_m"] for r in records])
        estimate = np.median([r[name]["by_m_estimate"] for r in records], axis=0)
        m, colour = np.arange(1, measured.shape[1] + 1), COLOURS[condition]
        low, middle, high = np.percentile(measured, [25, 50, 75], axis=0)
        ax.fill_between(m, low, high, color=colour, alpha=0.25, linewidth=0)
        ax.plot(m, middle, color=colour, label=f"{label}: measured")
        ax.plot(m, estimate, "--", color=colour, label=f"{label}: eq. 10")
    for limit in LIMITS:
        ax.axhline(limit, color="0.6", lw=0.8, ls=":")
    ax.set(
        xlabel="tangent directions m", ylabel=rf"$\log_{{10}}\,\kappa_m$ at t = {SAMPLE_AT} steps"
    )
    legend_below(figure, ax, ncols=2)
    return figure


def findings(records):
    records = records.where(precision=None)
    found = []
    for limit in LIMITS:
        count = {
            (name, kind): np.array([np.sum(np.array(r[name][kind]) <= limit) for r in records])
            for name in NAMES
            for kind in ("by_m", "by_m_estimate")
        }
        before, after = count["before", "by_m"], count["after", "by_m"]
        found.append(
            Finding(
                f"flossing raises the number of directions with kappa up to 1e{limit} over "
                f"{SAMPLE_AT} steps, in all networks",
                f"from {spread(before, '.0f')} to {spread(after, '.0f')}",
                bool(np.all(after > before)),
            )
        )
        off = [count[name, "by_m_estimate"] - count[name, "by_m"] for name in NAMES]
        found.append(
            most(
                f"the exponents tell these numbers to within 5, before and after (kappa 1e{limit})",
                np.max(np.abs(off), axis=0) <= 5,
                f"estimated minus measured {spread(off[0], '.0f')} before, "
                f"{spread(off[1], '.0f')} after",
            )
        )
    return found
