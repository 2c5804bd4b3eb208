"""Pictures of ensembles: exponents against a parameter, and members named by its values."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..numerics.arrays import Array
from ..results.axes import (
    BANDS,
    BLUE,
    FEW,
    RED,
    by_index,
    draw_curves,
    few_of,
    new_axes,
    quantiles,
    rate_unit,
)


def values_of(name: str, values: Any, lead: tuple[int, ...]) -> Array:
    """Return one number for each member of an ensemble, flat."""
    x = validate.array(name, values)
    try:
        return np.broadcast_to(x, lead).ravel()
    except ValueError:
        raise ValueError(
            f"`{name}` must have one value for each member, of the ensemble's shape {lead}, "
            f"got shape {x.shape}"
        ) from None


def plot_against(s: Any, ax: Any, against: Any, label: str | None, *, joined: bool = True) -> Any:
    """Draw exponents of the members over a parameter, with 95 % intervals; one line for each i."""
    lead, k = s.exponents.shape[:-1], s.exponents.shape[-1]
    x = values_of("against", against, lead)
    order = np.argsort(x, kind="stable")
    x = x[order]
    joined = joined and len(np.unique(x)) == len(x)  # where several share a value, each is a point
    lam, low, high = (y.reshape(-1, k)[order] for y in (s.exponents, *s.confidence_interval()))
    shown = range(k) if k <= FEW else few_of(k)
    shades = by_index(len(shown)) if len(shown) > 1 else [BLUE]
    ax = new_axes(ax)
    ax.axhline(0, color="0.6", lw=0.8, zorder=0)
    for i, color in zip(shown, shades, strict=True):
        name = rf"$\lambda_{{{i + 1}}}$" if k > 1 else None
        good = np.isfinite(lam[:, i])
        ax.plot(x[good], lam[good, i], ".-" if joined else ".", color=color, ms=4, lw=1, label=name)
        known = np.isfinite(low[:, i]) & np.isfinite(high[:, i])
        if joined:
            ax.fill_between(
                x, low[:, i], high[:, i], where=known, color=color, alpha=0.25, linewidth=0
            )
        else:
            ax.vlines(x[known], low[known, i], high[known, i], color=color, alpha=0.4, lw=1)
    gone = np.isneginf(lam[:, list(shown)]).any(axis=1)
    if gone.any():  # singular Jacobians
        ax.plot(
            x[gone], np.full(gone.sum(), 0.03), "v", color=RED, ms=5, label=r"$-\infty$",
            transform=ax.get_xaxis_transform(),
        )  # fmt: skip
    ax.set_xlabel(label or "parameter")
    which = r"\lambda_i" if k > 1 else r"\lambda_1"
    ax.set_ylabel(rf"exponent ${which}$ ({rate_unit(s.settings['dt'])})")
    if k > 1 or gone.any():
        ax.legend(frameon=False)
    return ax


def name_members(ax: Any, values: Array, label: str) -> None:
    """Draw a colour bar that names the colours of `by_index`, one for each member."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    count = len(values)
    scale = ScalarMappable(Normalize(-0.5, count - 0.5), ListedColormap(by_index(count)))

    def value_at(position: float, _: int) -> str:
        i = round(position)
        return f"{values[i]:.3g}" if 0 <= i < count else ""

    ticks = MaxNLocator(6, integer=True)
    ax.figure.colorbar(scale, ax=ax, label=label, ticks=ticks, format=FuncFormatter(value_at))


def draw_family(ax: Any, index: Array, lines: Array) -> None:
    """Draw spectra of many different systems, each in its colour."""
    from matplotlib.collections import LineCollection

    shades = by_index(len(lines))
    known = np.where(np.isfinite(lines), lines, np.nan)
    paths = [np.column_stack([index, lam]) for lam in known]
    ax.add_collection(LineCollection(paths, colors=shades, linewidths=0.8))
    if len(index) <= FEW:
        at = np.broadcast_to(index, lines.shape)
        colors = np.repeat(shades, len(index), axis=0)
        ax.scatter(at.ravel(), known.ravel(), c=colors, s=6, linewidths=0)
    ax.autoscale_view()


def draw_spread(ax: Any, index: Array, lines: Array) -> None:
    """Draw the median of many members of one system, and where half and 95 % of them lie."""
    middle = f"median of {len(lines)} members"
    if len(index) > FEW:
        draw_curves(ax, index, lines.T, BLUE, middle)
        return
    found = quantiles(lines)  # a band between two points would hide where the points are
    found = np.where(np.isfinite(found), found, np.nan)
    ax.plot(index, found[2], ".-", color=BLUE, ms=5, lw=0.8, label=middle)
    for (low, high, _, name), width in zip(BANDS, (6.0, 1.5), strict=True):
        known = ~np.isnan(found[low] + found[high])
        ends = index[known], found[low, known], found[high, known]
        ax.vlines(*ends, color=BLUE, lw=width, alpha=0.6, label=name)
