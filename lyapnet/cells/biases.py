"""First biases of gates: how long a gated network remembers before it has learnt anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import validate
from ..numerics.arrays import Array

#: Biases with which inputs and recurrent products go through, and nothing is held: gates are
#: open or shut up to two per cent, and still have a gradient.
_OPEN = {"reset": 4.0, "update": -4.0, "input": 4.0, "forget": -4.0, "output": 4.0}


def draw_biases(
    bias: Any, t_max: Any, n: int, gates: tuple[str, ...], rng: np.random.Generator
) -> Array:
    """Draw the biases of n units, gates stacked in their order.

    Parameters
    ----------
    bias : float, dict or {"open", "chrono", "uniform"}
        As for the `random` of gated cells.
    t_max : float or None
    n : int
    gates : tuple of str
        Their names.
    rng : Generator
    """
    if t_max is not None and bias != "chrono":
        raise ValueError(f'`t_max` is for bias="chrono", got t_max={t_max} with bias={bias!r}')
    if isinstance(bias, Mapping):
        return _by_gate(bias, n, gates, rng)
    if isinstance(bias, str):
        kind = validate.option("bias", bias, ("open", "chrono", "uniform"))
        if kind == "open":
            return _by_gate({gate: _OPEN[gate] for gate in gates if gate in _OPEN}, n, gates, rng)
        return _of_memory(kind, t_max, n, gates, rng)
    return validate.real("bias", bias) * rng.random(len(gates) * n)


def _by_gate(
    bias: Mapping[str, Any], n: int, gates: tuple[str, ...], rng: np.random.Generator
) -> Array:
    unknown = sorted(set(bias) - set(gates))
    if unknown:
        raise ValueError(f"`bias` must be by gate, of {', '.join(gates)}; got {unknown[0]!r}")
    drawn = []
    for gate in gates:
        ends = bias.get(gate, 0.0)
        pair = isinstance(ends, tuple) and len(ends) == 2
        low, high = (validate.real(f"bias[{gate!r}]", x) for x in (ends if pair else (ends, ends)))
        drawn.append(low + (high - low) * rng.random(n))
    return np.concatenate(drawn)


def _of_memory(
    kind: str, t_max: Any, n: int, gates: tuple[str, ...], rng: np.random.Generator
) -> Array:
    """Draw those of the gate that keeps the state; an LSTM's input gate gets their negative."""
    if kind == "chrono":
        if t_max is None:
            raise ValueError('`t_max`, the longest time to remember, is needed for bias="chrono"')
        t_max = validate.real("t_max", t_max)
        if t_max <= 2:
            raise ValueError(f"`t_max` must be larger than 2 steps, got {t_max}")
        keep = np.log(rng.uniform(1.0, t_max - 1.0, n))
    else:
        open_ = rng.uniform(1.0 / n, 1.0 - 1.0 / n, n) if n > 1 else np.full(n, 0.5)
        keep = np.log(open_) - np.log1p(-open_)
    own = {"forget": keep, "update": keep, "input": -keep}
    return np.concatenate([own.get(gate, np.zeros(n)) for gate in gates])
