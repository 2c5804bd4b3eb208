"""Powers of the tails of episodes, of one column after another: see `uncertainty.heavy_tails`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import jit, jit_finite, jit_in_order, loop


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
