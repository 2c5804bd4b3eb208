"""Pictures of orbits."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..numerics.arrays import Array
from ..results.axes import BLUE, GREEN, MANY, ORANGE, RED, SKY, draw_curves, legend_beside, new_axes

_COLOURS = {
    "regular": BLUE,
    "chaotic": RED,
    "undecided": ORANGE,
    "unstable fixed point": SKY,
    "unstable cycle": GREEN,
    "unbounded": "0.5",
}

#: Logarithms of the multipliers up to which a cycle that is not stable is not unstable either.
_NEUTRAL = 1e-5


def plot_alignment(a: Any, ax: Any, order: int) -> Any:
    """Draw GALI over time, orbits coloured by their verdict; return the Axes."""
    ax = new_axes(ax)
    curves = np.maximum(a.gali[..., order - 2].reshape(len(a.times), -1), 1e-17)
    words = np.ravel(a.verdict)
    for word in np.unique(words):
        name = f"{word} ({np.sum(words == word)})"
        draw_curves(ax, a.times, curves[:, words == word], _COLOURS[word], name)
    t = a.times[a.times >= 1]
    if len(t):
        for power, style in ((0, ":"), (2, "--")):
            name = f"$t^{{-{power}}}$" if power else "constant"
            ax.plot(t, t ** -float(power), style, color="0.3", lw=1, label=name)
    ax.set(xscale="log", yscale="log", xlabel="time", ylabel=f"GALI$_{order}$")
    ax.set_ylim(1e-17, 3)
    for line in ax.legend(frameon=False, fontsize="small", loc="lower left").get_lines():
        line.set_alpha(1.0)
    return ax


def plot_phase_space(a: Any, ax: Any, axes: tuple[int, int]) -> Any:
    """Draw starts coloured by the logarithm of their last GALI_2; return the Axes."""
    ax = new_axes(ax, figsize=(5.6, 4.4))
    points = a.x0.reshape(-1, a.x0.shape[-1])
    value = np.log10(np.maximum(a.gali[-1, ..., 0].ravel(), 1e-16))
    size = 6 if len(points) > MANY else 40
    shown = ax.scatter(points[:, axes[0]], points[:, axes[1]], c=value, s=size, cmap="viridis",
                       vmin=-16, vmax=0, linewidths=0)  # fmt: skip
    ax.figure.colorbar(shown, ax=ax, label="log$_{10}$ GALI$_2$")
    ax.set(xlabel=f"$x_{axes[0] + 1}$", ylabel=f"$x_{axes[1] + 1}$")
    return ax


#: Relative distance within which fixed points are one.
_ROUNDING = 1e-6

_KINDS = {"sink": BLUE, "saddle": ORANGE, "source": RED, "neutral": SKY, "slow": "0.6"}


def plot_fixed_points(f: Any, ax: Any) -> Any:
    """Draw fixed points on their two principal axes, coloured by kind; return the Axes."""
    ax = new_axes(ax)
    x = f.points
    if x.shape[-1] > 2 and len(x) > 1:
        centred = x - x.mean(axis=0)
        x = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
        labels = ("first principal axis", "second principal axis")
    else:
        labels = ("$x_1$", "$x_2$")
    y = x[:, 1] if x.shape[-1] > 1 else np.zeros(len(x))
    for kind, color in _KINDS.items():
        here = np.array(f.kinds) == kind
        if here.any():
            ax.plot(x[here, 0], y[here], "o", color=color, label=f"{kind} ({here.sum()})")
    ax.set(xlabel=labels[0], ylabel=labels[1])
    if len(x):
        ax.set_xlim(_limits(x[:, 0]))
        ax.set_ylim(_limits(y))
        legend_beside(ax)
    return ax


def _limits(x: Array) -> tuple[float, float]:
    """Return the ends of an axis on which no difference is shown that is rounding."""
    middle, half = (x.max() + x.min()) / 2, 0.55 * np.ptp(x)
    if half < _ROUNDING * (1 + abs(middle)):
        half = 0.5 * (1 + abs(middle))
    return middle - half, middle + half


def plot_cycle(c: Any, ax: Any, axes: tuple[int, int]) -> Any:
    """Draw a cycle in phase space; return the Axes."""
    ax = new_axes(ax, figsize=(4.6, 4.2))
    if c.states.shape[-1] > 1:
        x, y = c.states[:, axes[0]], c.states[:, axes[1]]
        ax.set(xlabel=f"$x_{axes[0] + 1}$", ylabel=f"$x_{axes[1] + 1}$")
    else:
        x, y = c.times, c.states[:, 0]
        ax.set(xlabel="time", ylabel="$x_1$")
    words, color = {True: ("stable cycle", GREEN), False: ("unstable cycle", RED)}.get(
        c.stable, ("cycle, stability not known", "0.5")
    )
    if c.stable is False and c.log_multipliers.real.max() < _NEUTRAL:
        words, color = "neutral cycle", "0.5"
    ax.plot(x, y, ".-" if len(x) < 30 else "-", color=color, lw=1.2)
    ax.plot(x[:1], y[:1], "o", color="0.2", ms=4)
    ax.set_title(f"{words}, period {c.period:.6g}")
    return ax


def plot_ftle(f: Any, ax: Any) -> Any:
    """Draw the leading exponent over a grid of states in the plane; return the Axes."""
    ax = new_axes(ax, figsize=(5.6, 4.4))
    lam = f.exponents[..., 0]
    if lam.ndim != 2:
        raise ValueError(
            f"a picture takes states on a grid (rows, columns, n), got leading axes {lam.shape}"
        )
    varies = [i for i in range(f.x0.shape[-1]) if np.ptp(f.x0[..., i]) > 0][:2]
    i, j = varies if len(varies) == 2 else (0, 1)
    low, high = np.nanpercentile(lam, [0.5, 99])  # rows along walls would take all colours
    shown = ax.pcolormesh(
        f.x0[..., i], f.x0[..., j], lam, shading="gouraud", cmap="viridis", rasterized=True,
        vmin=low, vmax=high,
    )  # fmt: skip
    ax.figure.colorbar(shown, ax=ax, label="finite-time exponent")
    ax.set(xlabel=f"$x_{i + 1}$", ylabel=f"$x_{j + 1}$")
    return ax
