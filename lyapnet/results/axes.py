"""Axes, colours and units that all pictures share. No rcParams are touched."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..numerics.arrays import Array

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

#: So many members are drawn one by one; of more the median, and where half and 95 % of them lie.
MANY = 50

_QUANTILES = (0.025, 0.25, 0.5, 0.75, 0.975)

#: Of what `quantiles` returns: the ends of bands, how dark these are, and what lies in them.
BANDS = ((1, 3, 0.35, "half of the members"), (0, 4, 0.15, "95 % of the members"))


def quantiles(members: Array) -> Array:
    """Return the ends of 95 % and of half of the members, and their median.

    Parameters
    ----------
    members : array (M, ...)
        Values may be infinite; NaN are left out.

    Returns
    -------
    array (5, ...)
        From the lowest to the highest: values that are among the members, for between two of
        which one may be infinite there are none.
    """
    y = np.sort(members, axis=0)  # NaN come last
    known = np.sum(~np.isnan(y), axis=0)
    at = [np.maximum(np.ceil(q * known).astype(int) - 1, 0)[None] for q in _QUANTILES]
    return np.concatenate([np.take_along_axis(y, rows, axis=0) for rows in at])


def draw_curves(ax: Any, x: Array, curves: Array, color: Any, label: str | None = None) -> Array:
    """Draw curves of members, each, or the median and bands of many; return what is drawn.

    Parameters
    ----------
    ax : matplotlib Axes
    x : array (T,)
    curves : array (T, M)
        Where they are not finite is a gap.
    color : color
    label : str, optional

    Returns
    -------
    array (T, M) or (T, 5)
    """
    few = curves.shape[1] <= MANY
    drawn = curves if few else quantiles(curves.T).T
    drawn = np.where(np.isfinite(drawn), drawn, np.nan)
    if few:
        alpha = float(max(0.2, min(1.0, 10 / max(1, curves.shape[1]))))
        lines = ax.plot(x, drawn, color=color, lw=0.8, alpha=alpha, marker=dot(x), ms=4)
    else:
        lines = ax.plot(x, drawn[:, 2], color=color, lw=1.2, marker=dot(x), ms=4)
        taken = ax.get_legend_handles_labels()[1]
        for low, high, shade, name in BANDS:
            ax.fill_between(
                x, drawn[:, low], drawn[:, high], color=color, alpha=shade, linewidth=0,
                label=None if name in taken else name,
            )  # fmt: skip
    if label and lines:
        lines[0].set_label(label)
    return drawn


def dot(x: Array) -> str | None:
    """Return a marker for a curve that is a single point, which no line would show."""
    return "o" if len(x) == 1 else None


def legend_beside(
    ax: Any, handles: Any = None, names: Any = None, *, at: Any = (1.01, 1.0), inside: str = "best"
) -> Any:
    """Draw a legend outside of the axes if the figure's layout makes room for it, else inside.

    In a figure without a layout, such as of a plain ``plt.subplots()``, it would be cut off.

    Parameters
    ----------
    ax : matplotlib Axes
    handles, names : list, optional
        Default: all that has a name.
    at : (float, float), optional
        Where its upper left corner is outside, in the axes' coordinates.
    inside : str, optional
        Matplotlib's `loc` inside.
    """
    if handles is None:
        handles, names = ax.get_legend_handles_labels()
    if ax.figure.get_layout_engine() is None:
        return ax.legend(handles, names, loc=inside, framealpha=0.8)
    return ax.legend(
        handles, names, frameon=False, loc="upper left", bbox_to_anchor=at, borderaxespad=0.0
    )


def count_along(axis: Any) -> None:
    """Let the ticks of an axis be whole numbers, as those of epochs are."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
