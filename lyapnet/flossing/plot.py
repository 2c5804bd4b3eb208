"""Pictures of flossing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..results.axes import by_index, few_of, new_axes, rate_unit


def plot_flossing(r: Any, ax: Any = None) -> Any:
    """Draw the exponents of flossing over its epochs, from dark to light by index."""
    ax = new_axes(ax, figsize=(6.2, 3.6))
    n_epochs, k = len(r.loss), r.exponents.shape[-1]
    curves = r.exponents.reshape(n_epochs, -1, k)
    curves = np.where(np.isfinite(curves), curves, np.nan)
    named = few_of(k)
    shades = by_index(k)
    alpha = float(max(0.2, min(1.0, 3 / max(1, curves.shape[1]))))
    epochs = np.arange(1, n_epochs + 1)
    for i in reversed(range(k)):  # the leading one on top
        lines = ax.plot(epochs, curves[:, :, i], color=shades[i], lw=0.9, alpha=alpha)
        if i in named and lines:
            lines[0].set_label(rf"$\lambda_{{{i + 1}}}$")
    for j, goal in enumerate(np.unique(r.target)):
        name = None if j else "target"
        ax.axhline(goal, color="black", lw=1.0, ls=(0, (4, 3)), zorder=3, label=name)
    ax.set_xlabel("flossing epoch")
    ax.set_ylabel(f"exponent ({rate_unit(getattr(r.cell, 'dt', 1.0))})")
    handles, names = ax.get_legend_handles_labels()
    first = slice(-2, None, -1) if len(named) else slice(0, 0)  # from the leading exponent down
    handles, names = [*handles[first], handles[-1]], [*names[first], names[-1]]
    solid = ax.legend(
        handles, names, frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0.0,
    )  # fmt: skip
    for handle in solid.legend_handles:
        handle.set_alpha(1.0)
    return ax
