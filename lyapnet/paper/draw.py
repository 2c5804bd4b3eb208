"""How runs of `learn` are drawn: each network as a dot, and the fraction that has learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .compare import learned
from .fractions import LEARNED, fraction
from .harness import Records
from .style import COLOURS, NAMES, legend_below, panels


def draw_lags(
    records: Records,
    names: Mapping[str, str],
    looks: Mapping[str, dict[str, Any]],
    *,
    own: Mapping[str, dict[str, Any]] | None = None,
) -> Any:
    """Draw the accuracy of each network against the lag above the fraction that has learned.

    Parameters
    ----------
    records : Records
    names : dict of str to str
        The tasks, a column for each, and what they are called.
    looks : dict of str to dict
        The conditions, and how they look.
    own : dict, optional
        Settings of a task's axis of accuracies, for `chance`.
    """
    figure, axes = panels(2, 2)
    for column, (task, name) in enumerate(names.items()):
        some = records.where(task=task)
        above, below = axes[:, column]
        if not some:
            for ax in (above, below):
                ax.set_axis_off()
            above.text(0.5, 0.0, f"{name}: not run yet", ha="center", transform=above.transAxes)
            continue
        groups = [(some.where(condition=c), look) for c, look in looks.items()]
        draw_learning(above, below, groups, "lag", "lag (steps)", (own or {}).get(task, {}))
        above.set_title(name, fontsize=8)
    legend_below(figure, axes, ncols=len(looks))
    return figure


def condition_looks(conditions: Any) -> dict[str, dict[str, Any]]:
    """Return the colour and the name of each condition."""
    return {c: dict(color=COLOURS[c], label=NAMES[c]) for c in conditions}


def draw_learning(
    above: Any,
    below: Any,
    groups: Any,
    name: str,
    label: str,
    own: Mapping[str, Any] | None = None,
) -> None:
    """Draw groups of runs against a parameter: accuracies above, fractions that learn below.

    Parameters
    ----------
    above, below : Axes
    groups : sequence of (Records, dict)
        Runs, and how they look.
    name, label : str
        The parameter, and what its axis is called.
    own : dict, optional
        Settings of the axis of accuracies, for `chance`.
    """
    groups = [(records, look) for records, look in groups if records]
    for i, (records, look) in enumerate(groups):
        shift = (i - (len(groups) - 1) / 2) * 0.15
        accuracies_against(above, records, name, shift=shift, color=look["color"])
        learned_against(below, records, name, shift=shift, **look)
    chance(above, xlabel=label, **(own or {}))
    learned_axis(below, xlabel=label)


def draw_arms(
    above: Any, below: Any, arms: Mapping[str, Records], look: dict[str, Any], shift: float = 0.0
) -> None:
    """Draw runs side by side, under the names of their arms: accuracies above, fractions below.

    Parameters
    ----------
    above, below : Axes
    arms : dict of str to Records
        An arm without runs keeps its place.
    look : dict
        Of dots and lines.
    shift : float, optional
        To the right, in units of the arms' distance.
    """
    here = {i + shift: some for i, some in enumerate(arms.values()) if some}
    for x, some in here.items():
        accuracies = 100 * some.values("accuracy")
        place = np.full(len(some), x)
        above.plot(place, accuracies, "o", ms=2.5, mew=0, alpha=0.6, color=look["color"])
    _fractions(below, list(here), [learned(some) for some in here.values()], look)
    for ax in (above, below):
        ax.set_xticks(range(len(arms)), [_in_two_lines(name) for name in arms])
        ax.tick_params(axis="x", labelsize=6.5)
    chance(above)
    learned_axis(below)


def _in_two_lines(name: str) -> str:
    """Break a name after its comma, or else after its first word."""
    return name.replace(", ", ",\n", 1) if ", " in name else name.replace(" ", "\n", 1)


def _fractions(ax: Any, x: Any, flags: Any, look: dict[str, Any]) -> None:
    """Draw fractions that have learned, in per cent, with their intervals."""
    if len(flags):
        value, low, high = 100 * np.array([fraction(one) for one in flags]).T
        error = np.maximum([value - low, high - value], 0)
        style = dict(fmt="o-", ms=3, elinewidth=0.8, capsize=1.5)
        ax.errorbar(x, value, error, **{**style, **look})


def _places(records: Records, name: str, shift: float) -> tuple[list[Any], Any]:
    """Return the values of a parameter, and where to draw them: apart by a share of their gap."""
    values = records.each(name)
    gap = min(np.diff(values), default=1.0) if len(values) > 1 else 1.0
    return values, np.array(values, dtype=float) + shift * gap


def accuracies_against(
    ax: Any, records: Records, name: str, *, shift: float = 0.0, **look: Any
) -> None:
    """Draw the accuracy of each network in per cent against a parameter."""
    for value, x in zip(*_places(records, name, shift), strict=True):
        accuracies = 100 * records.where(**{name: value}).values("accuracy")
        ax.plot(np.full(len(accuracies), x), accuracies, "o", ms=2.5, mew=0, alpha=0.6, **look)


def learned_against(
    ax: Any, records: Records, name: str, *, shift: float = 0.0, **look: Any
) -> None:
    """Draw the fraction of networks that have learned, in per cent, with its interval."""
    values, x = _places(records, name, shift)
    _fractions(ax, x, [learned(records.where(**{name: value})) for value in values], look)


def chance(ax: Any, *, level: float = 50, **labels: Any) -> None:
    """Set an axis of accuracies in per cent, with chance and the level of learning marked."""
    for y in (level, 100 * LEARNED):
        ax.axhline(y, color="0.6", lw=0.6, ls="-" if y == level else ":", zorder=0)
    ax.set(**{"ylabel": "accuracy (%)", "ylim": (44, 102), **labels})


def learned_axis(ax: Any, **labels: Any) -> None:
    """Set an axis of fractions that have learned."""
    label = f"networks above {100 * LEARNED:.0f} % (%)"
    ax.set(**{"ylabel": label, "ylim": (-4, 104), **labels})
