"""How runs of `learn` are compared: paired by their networks, with spread, from what there is."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from .harness import Finding, Records, spread
from .learning import BLOCK, learn
from .style import COLOURS, NAMES, bands, legend_below, panels, quartiles

#: What makes two runs partners but for one parameter; the others follow from the condition.
PARAMETERS = set(inspect.signature(learn).parameters) - {"rng", "epochs", "watch", "at"}

#: Above this accuracy a network has learned, below that it is at chance.
LEARNED, CHANCE = 0.75, 0.55

#: Small networks, short sequences and large steps: what shows the same in a second per run.
QUICK: dict[str, Any] = dict(epochs=600, n=48, n_steps=100, learning_rate=3e-3, episode=100)
QUICK_EPISODES = {
    "during": [100],
    "episodes": [50, 100, 150],
    "throughout": list(range(50, 1000, 50)),
}
#: What all full runs have in common unless a script says otherwise.
COMMON = """
N = 80 tanh units, gain 1, batch 16, 300 steps, Adam at 1e-3, gradients clipped at 0.03 in each
parameter, 10 000 epochs, accuracy on 200 fresh sequences. 75 exponents are flossed in episodes of
500 epochs, in windows of 55 steps of which 39 are averaged, as in the author's example. Clipping
the gradients of flossing at 1 is ours.
"""


def quick(**point: Any) -> dict[str, Any]:
    """Return a point at the quick scale."""
    small = {**QUICK, **point}
    if point["condition"] in QUICK_EPISODES:
        small.setdefault("at", QUICK_EPISODES[point["condition"]])
    return small


def lag_points(
    lags: dict[str, Any], conditions: Any, networks: int, point: Any = dict
) -> list[dict[str, Any]]:
    """List the points of tasks at their lags, networks outermost."""
    return [
        point(task=task, lag=lag, condition=condition, network=i)
        for i in range(networks)
        for task, each in lags.items()
        for lag in each
        for condition in conditions
    ]


def draw_lags(
    records: Records,
    names: dict[str, str],
    conditions: Any,
    *,
    shown: int | None = None,
    own: dict[str, dict[str, Any]] | None = None,
) -> Any:
    """Draw learning curves at one lag, that `shown` or the middle one, above accuracy against lag.

    A column for each task, by its name; `own` is for `chance`.
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
        lags = some.each("lag")
        lag = shown if shown in lags else lags[len(lags) // 2]
        for condition in conditions:
            look = dict(color=COLOURS[condition], label=NAMES[condition])
            one = some.where(condition=condition)
            learning_curves(above, one.where(lag=lag), **look)
            accuracy_against(below, one, "lag", **look)
        more = (own or {}).get(task, {})
        chance(above, xlabel="training epoch", **more)
        chance(below, xlabel="lag (steps)", **more)
        above.set_title(f"{name}, lag {lag} steps", fontsize=8)
        below.set_title(name, fontsize=8)
    legend_below(figure, axes, ncols=len(conditions))
    return figure


def matched(records: Records, name: str, values: Any) -> Records:
    """Keep the runs that have partners, equal in all else, with all these values of `name`."""

    def partners(r: dict[str, Any]) -> str:
        return json.dumps({p: r.get(p) for p in sorted(PARAMETERS - {name})})

    found: dict[str, list[Any]] = {}
    for r in records:
        found.setdefault(partners(r), []).append(r.get(name))
    return Records(
        r for r in records if r.get(name) in values and all(x in found[partners(r)] for x in values)
    )


def differences(records: Records, name: str, low: Any, high: Any) -> Any:
    """Return each network's accuracy with `high` less that with `low`, mean over its pairs."""
    pairs = matched(records, name, (low, high))
    return np.array(
        [
            one.where(**{name: high}).values("accuracy").mean()
            - one.where(**{name: low}).values("accuracy").mean()
            for one in (pairs.where(network=i) for i in pairs.each("network"))
        ]
    )


def gain(claim: str, records: Records, name: str, low: Any, high: Any) -> list[Finding]:
    """Judge whether accuracy is higher with one value than with another, by two standard errors.

    The list is empty where no network has both. The spread is over the networks.
    """
    return _judge(claim, records, name, low, high, lambda change, error: change > 2 * error)


def no_loss(claim: str, records: Records, name: str, low: Any, high: Any) -> list[Finding]:
    """Judge whether accuracy is not lower, as `gain` does whether it is higher.

    What is allowed, two standard errors and one point, is added to the claim.
    """
    claim = f"{claim}, within two standard errors and one point"
    return _judge(claim, records, name, low, high, lambda change, error: change > -2 * error - 1)


def _judge(
    claim: str,
    records: Records,
    name: str,
    low: Any,
    high: Any,
    agrees: Callable[[float, float], bool],
) -> list[Finding]:
    """Judge the change of accuracy, in points, and its standard error."""
    found = 100 * differences(records, name, low, high)
    if not len(found):
        return []
    error = found.std(ddof=1) / np.sqrt(len(found)) if len(found) > 1 else 0.0
    pairs = matched(records, name, (low, high))
    means = [100 * pairs.where(**{name: x}).values("accuracy").mean() for x in (low, high)]
    text = (
        f"{means[0]:.1f} and {means[1]:.1f} %: {found.mean():+.1f} ± {error:.1f} points, higher in "
        f"{np.sum(found > 0)} of {len(found)} networks"
    )
    return [Finding(claim, text, bool(agrees(found.mean(), error)))]


def horizon(records: Records, level: float = LEARNED, name: str = "lag") -> Any:
    """Return the longest lag, or largest value of another parameter, that is learned.

    That is: more than half of the networks reach a level of accuracy with it.
    """
    learned = [
        x
        for x in records.each(name)
        if np.mean(records.where(**{name: x}).values("accuracy") > level) > 0.5
    ]
    return max(learned, default=0)


def learning_time(records: Records, level: float = LEARNED) -> Any:
    """Return the epochs at which the learning curves first pass a level, infinite for never."""
    curves = records.values("curve") > level
    return np.where(curves.any(axis=1), BLOCK * (curves.argmax(axis=1) + 0.5), np.inf)


def percent(accuracies: Any) -> str:
    """Write accuracies down in per cent, as their median with their range."""
    return f"{spread(100 * np.asarray(accuracies), '.1f')} %"


def accuracy_against(ax: Any, records: Records, name: str, **look: Any) -> None:
    """Draw the accuracies in per cent against a parameter: median, quartiles, and each."""
    values = records.each(name)
    if values:
        samples = [100 * records.where(**{name: x}).values("accuracy") for x in values]
        quartiles(ax, values, samples, **look)
        ax.xaxis.get_major_locator().set_params(integer=True)


def learning_curves(ax: Any, records: Records, **look: Any) -> None:
    """Draw accuracy in per cent over the training epochs: median, quartiles, and each."""
    if records:
        curves = 100 * records.values("curve")
        bands(ax, BLOCK * (np.arange(curves.shape[1]) + 0.5), curves, **look)


def chance(ax: Any, *, level: float = 50, **labels: Any) -> None:
    """Set an axis of accuracies in per cent, with chance marked."""
    ax.axhline(level, color="0.6", lw=0.6, zorder=0)
    ax.set(**{"ylabel": "accuracy (%)", "ylim": (44, 102), **labels})
