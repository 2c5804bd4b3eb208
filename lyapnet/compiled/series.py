"""What errors of growth are made of, of one column after another, which stays in the cache.

NumPy does the same in `spectrum.uncertainty.series`, in a pass over many columns for each sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import jit, jit_apart, loop


@loop
def moments(
    rows: Any, durations: Any, parts: Any, fewest: int, deviation: Any, total: Any, squares: Any,
    lagged: Any, uneven: Any, skewness: Any, scratch: Any,
) -> None:  # fmt: skip
    """Write what `Series` has of each of some rows ``(m, n)``, with zeros for those of -inf.

    Parameters
    ----------
    rows, durations
    parts : array of int (scales,)
        Equal parts of a column over whose sums skewness is taken.
    fewest : int
        Of a column's numbers, or of sums of neighbours, that tell how uneven they are.
    deviation : array (m, n)
    total, squares, lagged, uneven : array (m,)
    skewness : array (scales, m)
    scratch : array (2, n)
    """
    for c in range(len(rows)):
        total[c] = sum_of(rows[c])
        if total[c] == -np.inf:
            rows[c] = 0.0
        mean = 0.0 if total[c] == -np.inf else total[c] / sum_of(durations)
        _less(rows[c], mean, durations, deviation[c])
        squares[c], lagged[c] = _products(deviation[c])
        uneven[c] = _unevenness(deviation[c], fewest, scratch)
        for i in range(len(parts)):
            skewness[i, c] = _skewness(deviation[c], parts[i], scratch[0])


@jit
def sum_of(x: Any) -> float:
    """Return the sum of an array of one axis."""
    total = 0.0
    for i in range(len(x)):
        total += x[i]
    return total


@jit_apart
def _less(x: Any, mean: float, durations: Any, out: Any) -> None:
    """Write growth less its expectation."""
    for b in range(len(x)):
        out[b] = x[b] - mean * durations[b]


@jit
def _products(x: Any) -> tuple[float, float]:
    """Return the sums of squares, and of products of neighbours."""
    squares = lagged = 0.0
    for b in range(len(x)):
        squares += x[b] * x[b]
    for b in range(1, len(x)):
        lagged += x[b] * x[b - 1]
    return squares, lagged


@jit
def _unevenness(x: Any, fewest: int, scratch: Any) -> float:
    """Return the largest share of fourth powers in squares, over dyadic scales, less a normal's."""
    n, most, free = len(x), 0.0, 0
    while True:
        squares, fourth = _halved(x, scratch[free])
        if squares * squares > 0.0:
            most = max(most, fourth / (squares * squares) - 3.0 / n)
        if n < fewest:
            return most
        n //= 2
        x, free = scratch[free, :n], 1 - free


@jit_apart
def _halved(x: Any, out: Any) -> tuple[float, float]:
    """Write the sums of pairs; return the sums of squares and of fourth powers of all numbers."""
    second = fourth = 0.0
    for i in range(len(x) // 2):
        a, b = x[2 * i], x[2 * i + 1]
        out[i] = a + b
        a, b = a * a, b * b
        second += a + b
        fourth += a * a + b * b
    if len(x) % 2:
        a = x[len(x) - 1] * x[len(x) - 1]
        second, fourth = second + a, fourth + a * a
    return second, fourth


@jit
def _skewness(x: Any, parts: int, sums: Any) -> float:
    """Return the skewness of the sums over so many equal parts."""
    length, second, third = len(x) // parts, 0.0, 0.0
    for i in range(parts):
        sums[i] = sum_of(x[i * length : (i + 1) * length])
    mean = sum_of(sums[:parts]) / parts
    for i in range(parts):
        a = sums[i] - mean
        second += a * a
        third += a * a * a
    spread = (second / parts) * np.sqrt(second / parts)
    return third / parts / spread if spread > 0.0 else 0.0
