"""The picture of a diagnosis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...numerics.arrays import Array
from ...results.axes import by_index, few_of
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
    ax.axhline(0, color="0.6", lw=0.8, zorder=0)
    for i, color in enumerate(by_index(k)):
        name = rf"$\lambda_{{{i + 1}}} = {_in_words(last[:, i])}$" if i in named else None
        for member in range(curves.shape[1]):
            drawn = np.isfinite(curves[:, member, i])
            ax.plot(found.times[drawn], curves[drawn, member, i], color=color, lw=0.8, label=name)
            name = None
        known = np.isfinite(low[:, i]) & np.isfinite(high[:, i])
        if i in named and known.any():  # of all they would hide each other
            band = low[known, i].min(), high[known, i].max()
            label = f"{100 * found.level:g} % interval" if i == 0 else None
            ax.axhspan(*band, color=color, alpha=0.15, lw=0, label=label)
    settled = curves[found.times >= SETTLED * found.times[-1]]
    _limit(ax, np.concatenate([settled.ravel(), low.ravel(), high.ravel()]))
    handles, names = ax.get_legend_handles_labels()
    order = sorted(range(len(names)), key=lambda i: names[i].endswith("interval"))
    ax.legend(
        [handles[i] for i in order], [names[i] for i in order], frameon=False,
        loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0,
    )  # fmt: skip
    ax.set(xlabel="time", ylabel="running less final exponents\n(nats per unit time)")
    ax.set_title(found.verdict.split(":")[0])
    return ax


def _in_words(values: Array) -> str:
    """Return the final estimate, or from where to where those of members lie."""
    low, high = (f"{x:.3g}".replace("inf", r"\infty") for x in (values.min(), values.max()))
    return low if low == high else rf"{low}\ \ldots\ {high}"


def _limit(ax: Any, shown: Array) -> None:
    """Show what is finite of these values, and a little more."""
    shown = shown[np.isfinite(shown)]
    if shown.size and np.ptp(shown) > 0:
        margin = 0.1 * np.ptp(shown)
        ax.set_ylim(shown.min() - margin, shown.max() + margin)
