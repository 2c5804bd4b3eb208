"""Pictures of results, on Axes that the caller may give. No rcParams are touched."""

from __future__ import annotations

from typing import Any

import numpy as np

#: Okabe and Ito's colours, told apart by colour-blind readers too.
BLUE, ORANGE, GREEN, RED, PURPLE, SKY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
)


def new_axes(ax: Any = None, **size: Any) -> Any:
    """Return the Axes given, or fresh ones.

    Parameters
    ----------
    ax : matplotlib Axes, optional
    **size
        For `matplotlib.pyplot.subplots`.
    """
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained", **{"figsize": (5, 3.6), **size})[1]


def rate_unit(dt: float) -> str:
    """Return the unit of exponents: a map or network, whose `dt` is 1, counts in steps."""
    return "nats per step" if dt == 1 else "nats per unit time"


def by_index(k: int) -> Any:
    """Return colours for k exponents, from dark to light; the order is seen without hues."""
    import matplotlib

    return matplotlib.colormaps["viridis"](np.linspace(0.0, 0.88, k))


def few_of(k: int) -> Any:
    """Return the up to five indices, evenly spaced out of k, that a legend names."""
    return np.unique(np.round(np.linspace(0, k - 1, min(k, 5))).astype(int))


def plot_spectrum(
    s: Any, ax: Any = None, *, color: str | None = None, label: str | None = None
) -> Any:
    """Draw exponents against their index, with 95 % intervals; one line per member.

    Members that are different systems are told apart by colour, from dark to light, and by a
    legend or, if they are many, a colour bar.
    """
    ax = new_axes(ax)
    k = s.exponents.shape[-1]
    index = np.arange(1, k + 1)
    low, high = (x.reshape(-1, k) for x in s.confidence_interval())
    members = s.exponents.reshape(-1, k)
    alpha = float(max(0.2, min(1.0, 5 / len(members))))
    apart = color is None and len(members) > 1 and not s.settings.get("one_system", True)
    shades = by_index(len(members)) if apart else [color or BLUE] * len(members)
    names = [f"member {i}" for i in range(len(members))] if 1 < len(members) <= _MEMBERS else []
    names = names if apart else [label or ""]
    alpha = 1.0 if apart else alpha
    for i, (lam, color) in enumerate(zip(members, shades, strict=True)):
        name = names[i] if i < len(names) and names[i] else None
        ax.plot(index, lam, ".-", color=color, ms=5, lw=0.8, label=name, alpha=alpha)
        known = np.isfinite(low[i]) & np.isfinite(high[i])
        if k <= FEW:  # a band between two points would hide where the points are
            error = [lam[known] - low[i][known], high[i][known] - lam[known]]
            ax.errorbar(
                index[known], lam[known], yerr=error,
                fmt="none", ecolor=color, capsize=3, alpha=alpha,
            )  # fmt: skip
        else:
            ax.fill_between(
                index, low[i], high[i], where=known, color=color, alpha=0.25, linewidth=0
            )
    gone = np.isneginf(members).any(axis=0)
    if gone.any():  # singular Jacobians
        name = r"$-\infty$"
        ax.plot(
            index[gone], np.full(gone.sum(), 0.03), "v", color=RED, ms=5, label=name,
            transform=ax.get_xaxis_transform(),
        )  # fmt: skip
    ax.axhline(0, color="0.6", lw=0.8, zorder=0)
    ax.set_xlabel("index i")
    ax.set_ylabel(rf"exponent $\lambda_i$ ({rate_unit(s.settings['dt'])})")
    if k <= FEW:
        ax.set_xticks(index)
        ax.set_xlim(0.5, k + 0.5)
    if apart and not names:
        _member_bar(ax, len(members))
    if any(names) or gone.any():
        ax.legend(frameon=False)
    return ax


def _member_bar(ax: Any, count: int) -> None:
    """Name the colours of `by_index`, for so many members."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize
    from matplotlib.ticker import MaxNLocator

    scale = ScalarMappable(Normalize(-0.5, count - 0.5), ListedColormap(by_index(count)))
    ticks = MaxNLocator(6, integer=True)
    ax.figure.colorbar(scale, ax=ax, label="member", ticks=ticks)


def plot_flossing(r: Any, ax: Any = None) -> Any:
    """Draw the exponents of flossing over its epochs, from dark to light by index."""
    ax = new_axes(ax, figsize=(6.2, 3.6))
    n_epochs, k = len(r.loss), r.exponents.shape[-1]
    curves = r.exponents.reshape(n_epochs, -1, k)
    curves = np.where(np.isfinite(curves), curves, np.nan)
    named = few_of(k)
    shades = by_index(k)
    alpha = float(max(0.2, min(1.0, 3 / max(1, curves.shape[1]))))
    epochs = np.arange(1, n_epochs + 1)
    for i in reversed(range(k)):  # the leading one on top
        lines = ax.plot(epochs, curves[:, :, i], color=shades[i], lw=0.9, alpha=alpha)
        if i in named and lines:
            lines[0].set_label(rf"$\lambda_{{{i + 1}}}$")
    for j, goal in enumerate(np.unique(r.target)):
        name = None if j else "target"
        ax.axhline(goal, color="black", lw=1.0, ls=(0, (4, 3)), zorder=3, label=name)
    ax.set_xlabel("flossing epoch")
    ax.set_ylabel(f"exponent ({rate_unit(getattr(r.cell, 'dt', 1.0))})")
    handles, names = ax.get_legend_handles_labels()
    first = slice(-2, None, -1) if len(named) else slice(0, 0)  # from the leading exponent down
    handles, names = [*handles[first], handles[-1]], [*names[first], names[-1]]
    solid = ax.legend(
        handles, names, frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0.0,
    )  # fmt: skip
    for handle in solid.legend_handles:
        handle.set_alpha(1.0)
    return ax


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


#: So many of a kind are drawn one by one.
FEW = 12

#: So many members have a name in a legend; more share a colour bar.
_MEMBERS = 6
