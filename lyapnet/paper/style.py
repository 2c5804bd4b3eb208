"""One look for all figures: a colour for each condition, the same throughout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..results.axes import BLUE, GREEN, ORANGE, PURPLE, RED, SKY

STYLE: dict[str, Any] = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "lines.linewidth": 1.3,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "figure.constrained_layout.use": True,
}

#: Widths of a column and of a page, in inches.
COLUMN, PAGE = 3.4, 7.0

COLOURS = {
    "none": BLUE,
    "before": ORANGE,
    "during": GREEN,
    "episodes": GREEN,
    "throughout": RED,
    "adaptive": PURPLE,
    "relative": SKY,
    "rule": SKY,
}
NAMES = {
    "none": "no flossing",
    "before": "flossing before training",
    "during": "flossing before and during training",
    "episodes": "flossing before and early in training",
    "throughout": "flossing throughout",
    "adaptive": "adaptive flossing, limits",
    "relative": "adaptive flossing, as long as it helps",
    "rule": "adaptive flossing",
}
#: For what is no condition: a palette, and a map for what is ordered.
PALETTE = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY)
ORDERED = "viridis"


def panels(columns: int = 1, rows: int = 1, *, height: float = 2.4, **more: Any) -> Any:
    """Return a figure and its Axes, lettered where there are several."""
    import matplotlib.pyplot as plt

    width = COLUMN if columns == 1 else PAGE
    figure, axes = plt.subplots(rows, columns, figsize=(width, height * rows), **more)
    if columns * rows > 1:
        for letter, ax in zip("ABCDEFGHIJ", np.ravel(axes), strict=False):
            ax.set_title(letter, loc="left", fontweight="bold")
    return figure, axes


def quartiles(ax: Any, x: Any, samples: Sequence[Any], **line: Any) -> None:
    """Draw the median of samples against x, their quartiles as a band, and each as a dot."""
    low, middle, high = np.array([np.percentile(s, [25, 50, 75]) for s in samples]).T
    colour = line.pop("color", BLUE)
    ax.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    ax.plot(x, middle, color=colour, marker="o", ms=3, **line)
    for at, sample in zip(x, samples, strict=True):
        ax.plot(np.full(len(sample), at), sample, ".", ms=2.5, color=colour, alpha=0.4)


def bands(ax: Any, x: Any, curves: Any, *, each: bool = True, **line: Any) -> None:
    """Draw the median of curves ``(runs, len(x))`` and their quartiles, and each one thinly."""
    low, middle, high = np.percentile(curves, [25, 50, 75], axis=0)
    colour = line.pop("color", BLUE)
    if each:
        ax.plot(x, np.transpose(curves), color=colour, lw=0.4, alpha=0.35)
    ax.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    ax.plot(x, middle, color=colour, **line)


def legend_below(figure: Any, axes: Any, **more: Any) -> None:
    """Put one legend for all Axes below them, outside of the data."""
    entries: dict[str, Any] = {}
    for ax in np.ravel(axes):
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    figure.legend(entries.values(), entries.keys(), loc="outside lower center", **more)
