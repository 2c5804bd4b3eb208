"""Pictures of spectra."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..results.axes import BLUE, FEW, RED, by_index, new_axes, rate_unit

#: So many members have a name in a legend; more share a colour bar.
_MEMBERS = 6


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
