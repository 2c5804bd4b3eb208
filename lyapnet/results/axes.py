"""Axes, colours and units that all pictures share. No rcParams are touched."""

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


#: So many of a kind are drawn one by one.
FEW = 12
