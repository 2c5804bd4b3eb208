"""Pictures of condition numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..results.axes import BLUE, ORANGE, RED, count_along, new_axes

#: Of the height of a plot: bounds narrower than that are hidden by their marks.
_SEEN = 0.01


def plot_condition(c: Any, ax: Any = None) -> Any:
    """Draw measured over predicted condition numbers; see `ConditionNumber.plot`."""
    ax = new_axes(ax)
    _estimate(ax, c.times, c.log10_predicted, color=ORANGE, label="Lyapunov estimate")
    good = np.isfinite(c.log10_measured)
    label = f"measured, {c.precision} bits"
    lines = ax.plot(c.times[good], c.log10_measured[good], "o", color=BLUE, label=label)
    if c.log10_lower is not None and c.log10_upper is not None:
        proved = np.isfinite(c.log10_upper)
        half = (c.log10_upper[proved] - c.log10_lower[proved]) / 2
        middle = c.log10_lower[proved] + half
        low, high = ax.get_ylim()
        seen = half > _SEEN * (high - low)
        if seen.any():
            ax.errorbar(
                c.times[proved][seen], middle[seen], yerr=half[seen], fmt="none",
                ecolor=BLUE, capsize=3, label="rigorous bounds",
            )  # fmt: skip
        elif proved.any():
            lines[0].set_label(f"{label}, proved within the marks")
    for at, label, marker in (
        (~c.resolved, "unresolved", "x"),
        (np.isposinf(c.log10_measured), "infinite", "^"),
    ):
        if at.any():
            y = np.full(int(at.sum()), 0.97)
            where = ax.get_xaxis_transform()
            ax.plot(c.times[at], y, marker, color=RED, transform=where, label=label)
    ax.set_xlabel("time")
    ax.set_ylabel(r"$\log_{10}$ condition number")
    ax.legend(frameon=False, loc="lower right")  # what grows leaves room there
    return ax


def plot_comparison(c: Any, ax: Any = None) -> Any:
    """Draw a measured condition number over its estimate and band."""
    ax = new_axes(ax)
    _estimate(ax, c.times, c.log10_estimate, color=ORANGE, label="Lyapunov estimate")
    if np.isfinite(c.log10_low).any():
        ax.fill_between(
            c.times,
            c.log10_low,
            c.log10_high,
            color=ORANGE,
            alpha=0.25,
            linewidth=0,
            label=f"{100 * c.level:g} % of windows",
        )
    ax.plot(c.times, c.log10_measured, "o", color=BLUE, ms=5, label="measured")
    ax.set_xlabel("time")
    ax.set_ylabel(r"$\log_{10}$ condition number")
    ax.legend(frameon=False)
    return ax


def plot_reduction(r: Any, ax: Any = None) -> Any:
    """Draw condition numbers before and after, points measured, lines estimated."""
    ax = new_axes(ax)
    for name, color, measured, estimate in (
        ("before", BLUE, r.log10_before, r.log10_before_estimate),
        ("after", ORANGE, r.log10_after, r.log10_after_estimate),
    ):
        _estimate(ax, r.times, estimate, color=color, label=f"{name}: estimate")
        points = {"color": color, "mfc": "white", "ms": 5}
        ax.plot(r.times, measured, "o", label=f"{name}: measured", **points)
    ax.set_xlabel("time")
    ax.set_ylabel(r"$\log_{10}$ condition number")
    ax.legend(frameon=False)
    return ax


def plot_by_dimension(c: Any, ax: Any = None, *, color: Any = None, label: str = "") -> Any:
    """Draw condition numbers against the number of directions."""
    ax = new_axes(ax)
    name = f"{label}: " if label else ""
    _estimate(ax, c.m, c.log10_estimate, color=color or ORANGE, label=f"{name}estimate")
    good = np.isfinite(c.log10_measured)
    points = {"ms": 4, "mfc": "white", "color": color or BLUE}
    ax.plot(c.m[good], c.log10_measured[good], "o", label=f"{name}measured", **points)
    ax.set_xlabel("tangent directions m")
    count_along(ax.xaxis)
    ax.set_ylabel(rf"$\log_{{10}} \kappa_m$ at t = {c.t:g}")
    ax.legend(frameon=False)
    return ax


def plot_networks(c: Any, ax: Any = None) -> Any:
    """Draw measured against estimated values, with the line of equality."""
    ax = new_axes(ax)
    x, y = c.log10_estimate, c.log10_measured
    ends = [np.nanmin([x, y]), np.nanmax([x, y])]
    ax.plot(ends, ends, color="0.6", lw=0.8, zorder=0, label="equal")
    label = f"{np.isfinite(x + y).sum()} networks, r = {c.correlation:.3f}"
    ax.plot(x, y, "o", color=BLUE, ms=5, alpha=0.8, label=label)
    ax.set_xlabel(rf"estimated $\log_{{10}} \kappa$ at t = {c.t:g}")
    ax.set_ylabel(r"measured $\log_{10} \kappa$")
    ax.legend(frameon=False)
    return ax


def _estimate(ax: Any, x: Any, y: Any, **style: Any) -> None:
    """Draw an estimate as a line, and a single number as a bar: a line of one point is none."""
    mark = {"marker": "_", "ms": 24, "mew": 2} if len(x) == 1 else {}
    ax.plot(x, y, **mark, **style)
