"""Pictures of training."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..results.axes import BLUE, FEW, RED, count_along, dot, legend_beside, new_axes

#: What a run's accuracy is, and what one of a network that knows nothing is called.
_ACCURACIES = {
    "fraction": ("accuracy on fresh batches", "chance"),
    "R2": ("$R^2$ on fresh batches", "best constant"),
    "own": ("accuracy on fresh batches", "chance"),
}


def plot_training(r: Any, ax: Any = None) -> Any:
    """Draw the accuracy of training over its epochs, and mark the flossing."""
    from matplotlib.ticker import PercentFormatter

    ax = new_axes(ax, figsize=(5.6, 3.6))
    label, name = _ACCURACIES[r.accuracy_kind]
    n = len(r.accuracy)
    width = min(max(1, n // 40), 200)
    smooth = np.convolve(r.accuracy, np.full(width, 1 / width), "valid") if n else r.accuracy
    ax.plot(np.arange(1, n + 1), r.accuracy, lw=0.5, alpha=0.35, color=BLUE)
    at = np.arange(len(smooth)) + (width + 1) / 2
    ax.plot(at, smooth, color=BLUE, lw=1.6, marker=dot(at), ms=4)
    ignorant = 0.0 if r.accuracy_kind == "R2" else r.chance
    if ignorant is not None:
        ax.axhline(ignorant, color="0.5", lw=0.9, ls=":", zorder=0, label=name)
    if r.accuracy_kind != "own":  # 1 is the most
        lowest = min([ignorant if ignorant is not None else 1.0, *r.accuracy])
        if lowest < -1:  # R2 of a network that has only begun has no bound
            ax.set_yscale("symlog", linthresh=1.0, linscale=2.0)
            ax.yaxis.set_major_formatter("{x:g}")
        span = 1 - max(lowest, -1.0)
        ax.set_ylim(lowest - 0.06 * span if lowest > -1 else 1.3 * lowest, 1 + 0.06 * span)
    if r.accuracy_kind == "fraction":
        ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    _mark_flossing(ax, r.flossing_epochs)
    ax.set_xlabel("training epoch")
    count_along(ax.xaxis)
    ax.set_ylabel(label)
    if ax.get_legend_handles_labels()[0]:
        legend_beside(ax, at=(0.0, -0.2))
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


def plot_ridges(fit: Any, ax: Any = None) -> Any:
    """Draw the error of a readout on the parts left out over the ridge."""
    ax = new_axes(ax, figsize=(5, 3))
    if np.isfinite(fit.scores).any():  # of a single ridge nothing was left out
        ax.loglog(fit.ridges, fit.scores, "o-", color=BLUE, label="on parts left out")
    ax.axvline(fit.ridge, color="0.6", lw=0.8, zorder=0)
    ax.loglog([fit.ridge], [fit.error], "s", color=RED, mfc="none", label="of the fit itself")
    ax.set_xlabel("ridge")
    ax.set_ylabel("relative error")
    ax.legend(frameon=False)
    return ax
