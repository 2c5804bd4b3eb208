"""Pictures of spectra."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from .. import validate
from ..numerics.arrays import Array
from ..results.axes import BLUE, FEW, MANY, RED, by_index, count_along, new_axes, rate_unit
from .plot_family import draw_family, draw_spread, name_members, plot_against, values_of

#: So many members have a name in a legend; more share a colour bar.
_MEMBERS = 6

#: So far from an index the first and last of few members stand, that intervals are beside each
#: other.
_BESIDE = 0.2


def plot_spectrum(
    s: Any, ax: Any = None, *, against: Any = None, members: Any = None, label: str | None = None
) -> Any:
    """Draw exponents against their index, with 95 % intervals; one line per member.

    Members that are few, or different systems, are told apart by colour, from dark to light, and
    by a legend or, if they are many, a colour bar. Of more than `MANY` no intervals are drawn,
    and of those of one system the median and how they spread. With `against` see `plot_against`.
    """
    lead, k = s.exponents.shape[:-1], s.exponents.shape[-1]
    count = int(np.prod(lead))
    if against is not None:
        return plot_against(s, ax, against, label)
    if k == 1 and count > _MEMBERS and members is None:  # all of them at index 1 would say nothing
        number = np.arange(count).reshape(lead)
        ax = plot_against(s, ax, number, label or "member", joined=False)
        count_along(ax.xaxis)
        return ax
    ax = new_axes(ax)
    index = np.arange(1, k + 1)
    lines = s.exponents.reshape(-1, k)
    given = members is not None
    values = values_of("members", members, lead) if given else np.arange(count)
    few = count <= _MEMBERS
    apart = count > 1 and (few or given or not s.settings.get("one_system", True))
    what = label or ("" if given else "member")
    names = [f"{what} {x:.4g}".strip() for x in values] if apart and few else []
    if count <= MANY:
        intervals = tuple(x.reshape(-1, k) for x in s.confidence_interval())
        _draw_members(ax, index, lines, intervals, apart, names)
    elif apart:
        draw_family(ax, index, lines)
    else:
        draw_spread(ax, index, lines)
    gone = np.isneginf(lines).any(axis=0)
    if gone.any():  # singular Jacobians
        name = r"$-\infty$"
        ax.plot(
            index[gone], np.full(gone.sum(), 0.03), "v", color=RED, ms=5, label=name,
            transform=ax.get_xaxis_transform(),
        )  # fmt: skip
    ax.axhline(0, color="0.6", lw=0.8, zorder=0)
    ax.set_xlabel("index i")
    ax.set_ylabel(rf"exponent $\lambda_i$ ({rate_unit(s.settings['dt'])})")
    count_along(ax.xaxis)
    if k <= FEW:
        ax.set_xticks(index)
        ax.set_xlim(0.5, k + 0.5)
    if apart and not names:
        name_members(ax, values, what)
    if ax.get_legend_handles_labels()[1]:
        ax.legend(frameon=False)
    return ax


def _draw_members(
    ax: Any, index: Array, lines: Array, intervals: Any, apart: bool, names: list[str]
) -> None:
    """Draw the spectrum of each member."""
    count, k = lines.shape
    width = _BESIDE if names and k <= FEW else 0.0
    beside = np.linspace(-width, width, count)
    shades = by_index(count) if apart else [BLUE] * count
    alpha = 1.0 if apart else float(max(0.2, min(1.0, 5 / count)))
    low, high = intervals
    for i, (lam, color) in enumerate(zip(lines, shades, strict=True)):
        name = names[i] if names else None
        at = index + beside[i]
        ax.plot(at, lam, ".-", color=color, ms=5, lw=0.8, label=name, alpha=alpha)
        _draw_intervals(ax, at, lam, (low[i], high[i]), color, alpha)


def _draw_intervals(
    ax: Any, at: Array, lam: Array, interval: tuple[Array, Array], color: Any, alpha: float
) -> None:
    """Draw the intervals of exponents, as far as they are known."""
    low, high = interval
    known = np.isfinite(low) & np.isfinite(high)
    if len(lam) <= FEW:  # a band between two points would hide where the points are
        error = [lam[known] - low[known], high[known] - lam[known]]
        ax.errorbar(
            at[known], lam[known], yerr=error, fmt="none", ecolor=color, capsize=3, alpha=alpha
        )
    else:
        ax.fill_between(at, low, high, where=known, color=color, alpha=0.25, linewidth=0)


def plot_invariants(r: Any, ax: Any = None) -> Any:
    """Draw each deviation as a fraction of its tolerance."""
    ax = new_axes(ax, figsize=(5, 0.8 + 0.5 * max(1, len(r.checks))))
    ax.set_xlabel("deviation / tolerance")
    if not r.checks:
        ax.set_xticks([])
        ax.set_yticks([])
        ax.text(0.5, 0.5, "nothing could be checked", ha="center", va="center")
        return ax
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
    ax.set_yticks(range(len(r.checks)), r.checks, fontsize="small")
    ax.set_ylim(len(r.checks) - 0.5, -0.5)
    return ax


def plot_reservoir(r: Any, ax: Any = None) -> Any:
    """Draw two exponents, and their difference with its interval."""
    ax = new_axes(ax, figsize=(5, 2.0))
    names = "leading conditional", "smallest of the target", "difference"
    color = {"holds": BLUE, "fails": RED}.get(r.verdict, "0.4")
    ax.plot([r.conditional, r.smallest], [0, 1], "o", color="0.2")
    ax.plot(r.difference, 2, "o", color=color)
    ax.hlines(2, r.low, r.high, color=color)
    ax.axvline(0.0, color="0.6", lw=0.8)
    ax.set_yticks(range(3), names)
    ax.set_ylim(2.5, -0.5)
    ax.set_xlabel("exponent (nats per unit time)")
    ax.set_title(r.verdict)
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


def plot_step_check(found: Any, ax: Any = None) -> Any:
    """Draw what a finer step changes in each exponent, beside the error bars; return the Axes."""
    ax = new_axes(ax)
    k = found.exponents.shape[-1]
    index = np.arange(1, k + 1)
    least = 1e-16
    rows = [("half-width of the 95 % interval", found.half_width, "_", RED)]
    rows.append(("two runs differ by", np.abs(found.difference), ".", BLUE))
    if found.defect is not None:
        rows.append(("along one trajectory", np.abs(found.defect), "x", "0.2"))
    for name, y, marker, color in rows:
        y = np.where(np.isfinite(y), np.maximum(y, least), np.nan)
        at = np.broadcast_to(index, y.shape).ravel()
        ax.plot(at, y.ravel(), marker, ms=9, color=color, label=name)
    ax.set_yscale("log")
    ax.set_xticks(index if k <= FEW else [1, k])
    ax.set_xlabel("index i")
    ax.set_ylabel(f"change of $\\lambda_i$ ({rate_unit(found.settings['dt'])})")
    ax.set_title(found.verdict.partition(":")[0])
    ax.legend(frameon=False, fontsize="small")
    return ax


def plot_master_stability(m: Any, ax: Any = None) -> Any:
    """Draw the largest transversal exponent over the strength, with its interval."""
    ax = new_axes(ax)
    order = np.argsort(m.strengths)
    at, lam = m.strengths[order], m.exponents[order, 0]
    known = np.isfinite(m.low[order]) & np.isfinite(m.high[order])
    ax.fill_between(at, m.low[order], m.high[order], where=known, color=BLUE, alpha=0.25, lw=0)
    ax.plot(at, lam, ".-", color=BLUE)
    ax.axhline(0, color="0.6", lw=0.8, zorder=0)
    ax.set_xlabel(r"strength $\alpha$")
    ax.set_ylabel(f"exponent ({rate_unit(m.settings['dt'])})")
    ax.set_title("transversal")
    return ax
