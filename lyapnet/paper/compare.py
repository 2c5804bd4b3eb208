"""How runs of `learn` are compared: paired by their networks, with spread, from what there is."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .fractions import (
    EQUIVALENT,
    FEWEST,
    LEARNED,
    Interval,
    are_most,
    difference,
    is_more,
    is_no_less,
)
from .harness import Finding, Records, spread
from .learning import BLOCK, learn

#: What makes two runs partners but for one parameter; the others follow from the condition.
PARAMETERS = set(inspect.signature(learn).parameters) - {"rng", "epochs", "watch", "at"}

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


def learned(records: Records) -> Any:
    """Return which of the runs have learned."""
    return np.array([r["accuracy"] > LEARNED for r in records], dtype=bool)


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


def change(records: Records, name: str, low: Any, high: Any) -> tuple[Records, Interval | None]:
    """Return the pairs, and how many more of the networks learn with `high` than with `low`.

    All else equal: the mean over the settings that both were run in; None where there are none.
    """
    pairs = matched(records, name, (low, high))
    settings: dict[str, Records] = {}
    for r in pairs:
        key = json.dumps({p: r.get(p) for p in sorted(PARAMETERS - {name, "network"})})
        settings.setdefault(key, Records()).append(r)
    each = [
        (learned(some.where(**{name: low})), learned(some.where(**{name: high})))
        for some in settings.values()
    ]
    return pairs, difference(each) if each else None


def gain(claim: str, records: Records, name: str, low: Any, high: Any) -> list[Finding]:
    """Judge whether more networks learn with one value than with another.

    It agrees where the interval is above zero, and differs where it is below what matters. The
    list is empty where no network has both.
    """
    return _judge(claim, records, name, low, high, is_more)


def no_loss(claim: str, records: Records, name: str, low: Any, high: Any) -> list[Finding]:
    """Judge whether no fewer networks learn, but for a fifth, as `gain` does whether more do."""
    claim = f"{claim}: no fewer networks learn, but for {100 * EQUIVALENT:.0f} %"
    return _judge(claim, records, name, low, high, is_no_less)


def _judge(
    claim: str,
    records: Records,
    name: str,
    low: Any,
    high: Any,
    agrees: Callable[[Interval], bool | None],
) -> list[Finding]:
    pairs, found = change(records, name, low, high)
    if found is None:
        return []
    shares = [100 * learned(pairs.where(**{name: x})).mean() for x in (low, high)]
    networks = len(pairs.each("network"))
    text = (
        f"{shares[0]:.0f} and {shares[1]:.0f} % learn: {found.percent('+')} points, "
        f"{len(pairs) // 2} pairs of runs, {networks} networks"
    )
    return [Finding(claim, text, agrees(found) if networks >= FEWEST else None)]


def most(claim: str, flags: Any, text: str) -> Finding:
    """Judge whether something is so in more than half of all networks."""
    flags = np.asarray(flags, dtype=bool)
    return Finding(claim, f"{text}; so in {flags.sum()} of {flags.size}", are_most(flags))


class Horizon(NamedTuple):
    """The longest lag that more than half of the networks learn, between two that were run."""

    #: The longest with more than half of the networks that were run, zero for none.
    value: float
    #: The longest that surely more than half of all learn, by the interval; zero for none.
    low: float
    #: The shortest that surely fewer than half of all learn; infinite for none.
    high: float

    def __str__(self) -> str:
        high = f"below {self.high:g}" if np.isfinite(self.high) else "open"
        return f"{self.value:g} [{self.low:g}, {high}]"

    def over(self, other: Horizon) -> str:
        """Write down how many times as long as another one this is, at least and at most."""
        value, low, high = (
            a / b if b else np.inf
            for a, b in (
                (self.value, other.value), (self.low, other.high), (self.high, other.low)
            )
        )  # fmt: skip
        return f"{value:.1f} [{low:.1f}, {high:.1f}] times"


def horizon(records: Records, name: str = "lag") -> Horizon:
    """Return the longest lag, or largest value of another parameter, that is learned."""
    flags = {x: learned(records.where(**{name: x})) for x in records.each(name)}
    enough = max(map(len, flags.values()), default=0) / 2
    flags = {x: one for x, one in flags.items() if len(one) >= enough}  # others are under way
    surely = {x: are_most(one) for x, one in flags.items()}
    low = max((x for x, yes in surely.items() if yes), default=0)
    return Horizon(
        max((x for x, one in flags.items() if one.mean() > 0.5), default=0),
        low,
        min((x for x, yes in surely.items() if yes is False and x > low), default=np.inf),
    )


def longer(claim: str, names: Any, reach: Sequence[Horizon]) -> Finding:
    """Judge whether the last horizon lies beyond the first."""
    first, last = reach[0], reach[-1]
    text = ", ".join(f"{name} {x}" for name, x in zip(names, reach, strict=True))
    agrees = True if last.low >= first.high else False if last.high <= first.low else None
    return Finding(claim, f"{text}; {last.over(first)} as long", agrees)


def learning_time(records: Records, level: float = LEARNED) -> Any:
    """Return the epochs at which the learning curves first pass a level, infinite for never."""
    above = [np.flatnonzero(np.asarray(r["curve"]) > level) for r in records]
    return np.array([BLOCK * (at[0] + 0.5) if at.size else np.inf for at in above])


def percent(accuracies: Any) -> str:
    """Write accuracies down in per cent, as their median with their range."""
    return f"{spread(100 * np.asarray(accuracies), '.1f')} %"
