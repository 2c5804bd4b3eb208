"""Pictures of training."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..results.axes import BLUE, FEW, RED, new_axes

#: What a run's accuracy is; its value for a network that knows nothing, and what that is.
_ACCURACIES = {
    "fraction": ("accuracy on fresh batches", 0.5, "chance"),
    "R2": ("$R^2$ on fresh batches", 0.0, "best constant"),
    "own": ("accuracy on fresh batches", None, ""),
}


def plot_training(r: Any, ax: Any = None) -> Any:
    """Draw the accuracy of training over its epochs, and mark the flossing."""
    from matplotlib.ticker import PercentFormatter

    ax = new_axes(ax, figsize=(5.6, 3.6))
    label, ignorant, name = _ACCURACIES[r.accuracy_kind]
    n = len(r.accuracy)
    width = min(max(1, n // 40), 200)
    smooth = np.convolve(r.accuracy, np.full(width, 1 / width), "valid") if n else r.accuracy
    ax.plot(np.arange(1, n + 1), r.accuracy, lw=0.5, alpha=0.35, color=BLUE)
    ax.plot(np.arange(len(smooth)) + (width + 1) / 2, smooth, color=BLUE, lw=1.6)
    if ignorant is not None:
        # A network that comes to know something has begun far below, which need not be seen.
        lowest = [ignorant - 0.1, *np.percentile(smooth, [5] if n else [])]
        least = ignorant - 1 if n and smooth[-1] > ignorant else -np.inf
        ax.set_ylim(max(min(lowest), least) - 0.02, 1.04)
        ax.axhline(ignorant, color="0.5", lw=0.9, ls=":", zorder=0, label=name)
    if r.accuracy_kind == "fraction":
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    _mark_flossing(ax, r.flossing_epochs)
    ax.set_xlabel("training epoch")
    ax.set_ylabel(label)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(0.0, -0.2),
                  borderaxespad=0.0)  # fmt: skip
    return ax


def _mark_flossing(ax: Any, per_epoch: Any) -> None:
    """Mark episodes of flossing by ticks above the data, and few of them by lines, too."""
    at = np.flatnonzero(per_epoch)
    if not len(at):
        return
    total = int(np.sum(per_epoch))
    name = f"flossed: {total} epoch{'s' * (total > 1)} in {len(at)} episode{'s' * (len(at) > 1)}"
    ax.plot(
        at + 0.5, np.full(len(at), 1.025), "v", ms=5, color=RED, mec="none", clip_on=False,
        transform=ax.get_xaxis_transform(), label=name,
        alpha=float(max(0.3, min(1.0, 20 / len(at)))),
    )  # fmt: skip
    if len(at) <= FEW:
        ax.vlines(at + 0.5, 0, 1, color=RED, lw=0.8, alpha=0.5, zorder=0,
                  transform=ax.get_xaxis_transform())  # fmt: skip
