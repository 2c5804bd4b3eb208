"""Pictures of spectra."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from .. import validate
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


def plot_invariants(r: Any, ax: Any = None) -> Any:
    """Draw each deviation as a fraction of its tolerance."""
    ax = new_axes(ax, figsize=(5, 0.8 + 0.5 * max(1, len(r.checks))))
    with np.errstate(invalid="ignore"):
        away = np.abs(r.value - r.expected)
    away = np.where(r.value == r.expected, 0.0, away) / r.tolerance
    away = np.maximum(away.reshape(-1, len(r.checks)), 1e-6)
    for i in range(len(r.checks)):
        colors = np.where(away[:, i] <= 1, BLUE, RED)
        ax.scatter(away[:, i], np.full(len(away), i), c=colors, s=25, zorder=3)
    ax.axvline(1.0, color="0.4", lw=0.8)
    ax.set_xscale("log")
    ax.set_xlim(5e-7, max(3.0, 2 * away.max(initial=1.0)))
    ax.set_yticks(range(len(r.checks)), r.checks)
    ax.set_ylim(len(r.checks) - 0.5, -0.5)
    ax.set_xlabel("deviation / tolerance")
    return ax


def plot_angles(r: Any, ax: Any = None, *, pairs: Any = None) -> Any:
    """Draw how the angles between vectors are distributed."""
    k = r.vectors.shape[-1]
    shown = list(itertools.pairwise(range(min(k, 6)))) if pairs is None else list(pairs)
    if not shown:
        raise ValueError("`pairs` is empty: an angle takes two vectors, ask for k of at least 2")
    ax = new_axes(ax)
    edges = np.linspace(0.0, 90.0, 46)
    for i, j in shown:
        i, j = (validate.integer("pairs", x, low=0, high=k - 1) for x in (i, j))
        cosines = np.abs(np.sum(r.vectors[..., i] * r.vectors[..., j], axis=-1))
        angles = np.degrees(np.arccos(np.minimum(cosines, 1.0))).ravel()
        name = f"vectors {i + 1} and {j + 1}"
        ax.hist(angles, edges, density=True, histtype="step", lw=1.2, label=name)
    ax.set_xlim(0, 90)
    ax.set_xticks(range(0, 91, 15))
    ax.set_xlabel("angle (degrees)")
    ax.set_ylabel("density (per degree)")
    ax.legend(frameon=False)
    return ax


def plot_echo_state(r: Any, ax: Any = None) -> Any:
    """Draw the interval of each member beside zero."""
    ax = new_axes(ax, figsize=(5, 2.4))
    lam, low, high = (np.ravel(x) for x in (r.exponent, r.low, r.high))
    member = np.arange(1, len(lam) + 1)
    ax.vlines(member, low, high, color=BLUE, lw=2)
    ax.plot(member, lam, "o", color=BLUE)
    ax.axhline(0, color="0.6", lw=0.8, zorder=0)
    ax.set_xlim(0.5, len(lam) + 0.5)
    ax.set_xticks(member if len(lam) <= 10 else [1, len(lam)])
    ax.set_xlabel("member")
    ax.set_ylabel("largest conditional exponent")
    ax.set_title(r.verdict)
    return ax
