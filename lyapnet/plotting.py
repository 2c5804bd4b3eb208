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


def spectrum(s: Any, ax: Any = None, *, color: str = BLUE, label: str | None = None) -> Any:
    """Draw exponents against their index, with 95 % intervals; one line per member."""
    ax = new_axes(ax)
    k = s.exponents.shape[-1]
    index = np.arange(1, k + 1)
    low, high = (x.reshape(-1, k) for x in s.confidence_interval())
    members = s.exponents.reshape(-1, k)
    for i, lam in enumerate(members):
        name = label if i == 0 else None
        ax.plot(index, lam, ".-", color=color, ms=4, lw=0.8, label=name, alpha=_alpha(members))
        known = np.isfinite(high[i] - low[i])
        if known.any():
            ax.fill_between(
                index, low[i], high[i], where=known, color=color, alpha=0.25, linewidth=0
            )
    ax.axhline(0, color="0.6", lw=0.8, zorder=0)
    ax.set_xlabel("index i")
    ax.set_ylabel(r"Lyapunov exponent $\lambda_i$")
    if k <= 10:
        ax.set_xticks(index)
    if label:
        ax.legend(frameon=False)
    return ax


def _alpha(members: Any) -> float:
    return float(max(0.2, min(1.0, 5 / len(members))))
