"""The picture of a diagnosis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...numerics.arrays import Array
from ...results.axes import MANY, by_index, draw_curves, few_of, legend_beside
from .estimate import Estimate

#: Of a run: what is shown of the estimates before that may be cut off.
SETTLED = 0.05


def plot_diagnosis(found: Any, ax: Any) -> Any:
    """Draw running estimates of a `Diagnosis`, and its intervals, less the final estimates."""
    k = found.exponents.shape[-1]
    last = found.exponents.reshape(-1, k)
    finite = np.where(np.isfinite(last), last, 0.0)
    about = finite if found.r_hat is None else np.broadcast_to(finite.mean(axis=0), last.shape)
    ends = Estimate(found.exponents, found.stderr, found.dof).confidence_interval(found.level)
    low, high = (end.reshape(-1, k) - about for end in ends)
    curves = found.running.reshape(len(found.times), -1, k) - about
    named = few_of(k)
    many = curves.shape[1] > MANY
    late = found.times >= SETTLED * found.times[-1]
    shown = [np.zeros(0)]
    ax.axhline(0, color="0.6", lw=0.8, zorder=0)
    for i, color in enumerate(by_index(k)):
        name = rf"$\lambda_{{{i + 1}}} = {_in_words(last[:, i])}$" if i in named else None
        shown.append(draw_curves(ax, found.times, curves[..., i], color, name)[late].ravel())
        known = np.isfinite(low[:, i]) & np.isfinite(high[:, i])
        if i in named and known.any() and not many:  # of all they would hide each other
            band = low[known, i].min(), high[known, i].max()
            label = f"{100 * found.level:g} % interval" if i == 0 else None
            ax.axhspan(*band, color=color, alpha=0.15, lw=0, label=label)
    if not many:
        shown += [low.ravel(), high.ravel()]
    _limit(ax, np.concatenate(shown))
    handles, names = ax.get_legend_handles_labels()
    order = sorted(range(len(names)), key=lambda i: not names[i].startswith("$"))
    legend_beside(ax, [handles[i] for i in order], [names[i] for i in order], inside="lower right")
    ax.set(xlabel="time", ylabel=f"exponent less final ({found.unit})")
    ax.set_title(found.verdict.split(":")[0])
    return ax


def _in_words(values: Array) -> str:
    """Return the final estimate, or from where to where those of members lie."""
    low, high = (_in_tex(x) for x in (values.min(), values.max()))
    return low if low == high else rf"{low}\ \ldots\ {high}"


def _in_tex(x: float) -> str:
    """Write a number as mathematical text does."""
    digits, _, power = f"{x:.3g}".replace("inf", r"\infty").partition("e")
    return rf"{digits} \times 10^{{{int(power)}}}" if power else digits


def _limit(ax: Any, shown: Array) -> None:
    """Show what is finite of these values, and a little more."""
    shown = shown[np.isfinite(shown)]
    if shown.size and np.ptp(shown) > 0:
        margin = 0.1 * np.ptp(shown)
        ax.set_ylim(shown.min() - margin, shown.max() + margin)
