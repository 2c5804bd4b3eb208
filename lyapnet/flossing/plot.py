"""Pictures of flossing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..results.axes import (
    by_index,
    count_along,
    draw_curves,
    few_of,
    legend_beside,
    new_axes,
    rate_unit,
)


def plot_flossing(r: Any, ax: Any = None) -> Any:
    """Draw the exponents of flossing over its epochs, from dark to light by index."""
    ax = new_axes(ax, figsize=(6.2, 3.6))
    n_epochs, k = len(r.loss), r.exponents.shape[-1]
    curves = r.exponents.reshape(n_epochs, int(np.prod(r.exponents.shape[1:-1])), k)
    named = few_of(k)
    shades = by_index(k)
    epochs = np.arange(1, n_epochs + 1)
    for i in reversed(range(k)):  # the leading one on top
        name = rf"$\lambda_{{{i + 1}}}$" if i in named else None
        draw_curves(ax, epochs, curves[..., i], shades[i], name)
    for j, goal in enumerate(np.unique(r.target)):
        name = None if j else "target"
        ax.axhline(goal, color="black", lw=1.0, ls=(0, (4, 3)), zorder=3, label=name)
    ax.set_xlabel("flossing epoch")
    count_along(ax.xaxis)
    ax.set_ylabel(f"exponent ({rate_unit(getattr(r.cell, 'dt', 1.0))})")
    handles, names = ax.get_legend_handles_labels()
    exponents = [i for i, name in enumerate(names) if name.startswith(r"$\lambda")]
    others = [i for i in range(len(names)) if i not in exponents]
    order = [*reversed(exponents), *others]  # from the leading exponent down
    solid = legend_beside(ax, [handles[i] for i in order], [names[i] for i in order])
    for line in solid.get_lines():
        line.set_alpha(1.0)
    return ax
