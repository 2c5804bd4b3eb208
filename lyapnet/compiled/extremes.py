"""How far cumulated growth goes, of one column after another, as `uncertainty.regular` asks."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import jit, jit_finite, loop
from .series import sum_of


@loop
def extremes(
    rows: Any, durations: Any, edges: Any, rates: Any, mean: Any, apart: Any, late: Any, half: Any,
    sums: Any,
) -> None:  # fmt: skip
    """Write what `regular.Extremes` has of rows ``(m, n)``.

    Parameters
    ----------
    rows, durations
    edges : array of int
        Where windows begin, and the last ends.
    rates : array (m,)
    mean, apart : array (2, m)
    late : array (windows + 1, 2, m)
    half : array (2, 2, m)
    sums : array (2, n + 1)
        Scratch.
    """
    n, middle = len(durations), len(durations) // 2
    time = sums[1]
    time[0] = 0.0
    for b in range(n):
        time[b + 1] = time[b] + durations[b]
    for c in range(len(rows)):
        row = rows[c]
        low, high = _range_of_rates(row, durations)
        rates[c] = high - low
        for i in range(2):
            some, lasting = row[i * middle :], durations[i * middle :]
            mean[i, c] = sum_of(some) / sum_of(lasting)
            low, high = _range_less(some, mean[i, c], lasting)
            apart[i, c] = high - low
        cumulated = sums[0]
        cumulated[0] = 0.0
        for b in range(n):
            cumulated[b + 1] = cumulated[b] + (row[b] - mean[0, c] * durations[b])
        for i in range(len(edges)):
            late[i, 0, c], late[i, 1, c] = _window(cumulated, time, edges[0], edges, i)
        at = middle
        rate = (cumulated[n] - cumulated[at]) / (time[n] - time[at])
        half[0, 0, c], half[0, 1, c] = _range_less(cumulated[: at + 1], rate, time[: at + 1])
        half[1, 0, c], half[1, 1, c] = _range_less(cumulated[at:], rate, time[at:])


@jit
def _window(cumulated: Any, time: Any, start: int, edges: Any, i: int) -> tuple[float, float]:
    """Return the range of cumulated growth less its late rate, in one window or before all."""
    rate = (cumulated[-1] - cumulated[start]) / (time[-1] - time[start])
    first = edges[i - 1] if i else 0
    return _range_less(cumulated[first : edges[i] + 1], rate, time[first : edges[i] + 1])


@jit_finite
def _range_less(x: Any, rate: float, time: Any) -> tuple[float, float]:
    """Return the least and the largest of x less a rate times the time."""
    low, high = np.inf, -np.inf
    for b in range(len(x)):
        value = x[b] - rate * time[b]
        low, high = min(low, value), max(high, value)
    return low, high


@jit_finite
def _range_of_rates(x: Any, durations: Any) -> tuple[float, float]:
    """Return the least and the largest growth per time."""
    low, high = np.inf, -np.inf
    for b in range(len(x)):
        value = x[b] / durations[b]
        low, high = min(low, value), max(high, value)
    return low, high
