"""What errors of growth are made of, of one column after another, which stays in the cache.

NumPy does the same in `spectrum.uncertainty.series`, in a pass over many columns for each sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import jit, jit_apart, jit_finite, jit_in_order, loop

#: Columns that are turned at once: as many numbers of a row as a line of the cache has.
_LINE = 8


@loop
def moments(
    columns: Any, durations: Any, parts: Any, fewest: int, rows: Any, deviation: Any, total: Any,
    squares: Any, lagged: Any, uneven: Any, skewness: Any, scratch: Any,
) -> None:  # fmt: skip
    """Turn columns ``(n, m)`` into rows, and write what `Series` has of each.

    Parameters
    ----------
    columns, durations
    parts : array of int (scales,)
        Equal parts of a column over whose sums skewness is taken.
    fewest : int
        Of a column's numbers, or of sums of neighbours, that tell how uneven they are.
    rows, deviation : array (m, n)
    total, squares, lagged, uneven : array (m,)
    skewness : array (scales, m)
    scratch : array (2, n)
    """
    n, m = columns.shape
    for first in range(0, m, _LINE):
        last = min(first + _LINE, m)
        for b in range(n):
            for c in range(first, last):
                rows[c, b] = columns[b, c]
        for c in range(first, last):
            total[c] = _sum(rows[c])
            if total[c] == -np.inf:
                rows[c] = 0.0
            mean = 0.0 if total[c] == -np.inf else total[c] / _sum(durations)
            _less(rows[c], mean, durations, deviation[c])
            squares[c], lagged[c] = _products(deviation[c])
            uneven[c] = _unevenness(deviation[c], fewest, scratch)
            for i in range(len(parts)):
                skewness[i, c] = _skewness(deviation[c], parts[i], scratch[0])


@jit
def _sum(x: Any) -> float:
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
        sums[i] = _sum(x[i * length : (i + 1) * length])
    mean = _sum(sums[:parts]) / parts
    for i in range(parts):
        a = sums[i] - mean
        second += a * a
        third += a * a * a
    spread = (second / parts) * np.sqrt(second / parts)
    return third / parts / spread if spread > 0.0 else 0.0


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
            mean[i, c] = _sum(some) / _sum(lasting)
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


@loop
def tails(
    rows: Any, which: Any, sign: Any, share: float, fewest: int, doubt: float, lasting: float,
    largest: Any, power: Any, sizes: Any,
) -> None:  # fmt: skip
    """Write the largest numbers of some rows, and the powers of tails as `heavy_tails` says.

    Parameters
    ----------
    rows : array (m, n)
    which, sign : array (chosen,)
        Which of them, and the side of their tails.
    share, fewest, doubt, lasting
        Share and least number of the episodes that are looked at, and the other limits.
    largest, power : array (chosen,)
    sizes : array (n,)
        Scratch.
    """
    for c in range(len(which)):
        row = rows[which[c]]
        largest[c] = _largest(row)
        number, weight = _episodes(row, sign[c], lasting, sizes)
        count = max(fewest, int(share * number))
        power[c] = np.inf
        if number <= count:
            continue
        least = _select(sizes, number, count)
        total = excess = squares = 0.0
        for i in range(count):
            total += np.log(sizes[i] / least)
            excess += sizes[i] - least
            squares += (sizes[i] - least) ** 2
        excess /= count
        error = 1.0 / np.sqrt(count)
        beyond = squares / count - excess**2 > ((1.0 + error) * excess) ** 2
        if total > 0.0 and (beyond or weight > 0.0):
            power[c] = count * (1.0 + doubt * error) / total


@jit_finite
def _largest(x: Any) -> float:
    """Return the largest size."""
    most = 0.0
    for b in range(len(x)):
        most = max(most, abs(x[b]))
    return most


@jit
def _episodes(x: Any, sign: float, lasting: float, sizes: Any) -> tuple[int, float]:
    """Write sizes of episodes on one side of zero; return how many, and if most of it lasts."""
    number, length, size, weight = 0, 0, 0.0, 0.0
    for b in range(len(x) + 1):
        value = sign * x[b] if b < len(x) else 0.0
        if value > 0.0:
            size += value
            length += 1
        elif length:
            sizes[number] = size
            weight += size * (length - lasting)
            number, length, size = number + 1, 0, 0.0
    return number, weight


@jit_in_order
def _select(x: Any, number: int, k: int) -> float:
    """Bring the k largest of some numbers to the front; return the largest of the others."""
    first, last = 0, number - 1
    while first < last:
        pivot, i, j = x[(first + last) // 2], first, last
        while i <= j:
            while x[i] > pivot:
                i += 1
            while x[j] < pivot:
                j -= 1
            if i <= j:
                x[i], x[j] = x[j], x[i]
                i, j = i + 1, j - 1
        if k <= j:
            last = j
        elif k >= i:
            first = i
        else:
            break
    return float(x[k])
