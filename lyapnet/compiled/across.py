"""What loops call where a step of a field that jumps may meet a surface."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, types

from ..numerics.arrays import Array
from .division import plan
from .jit import jit_in_order
from .limits import MOST_SURFACES
from .operations import KINDS
from .parts import Division, through

_WORDS, _NUMBERS, _COUNT = types.CPointer(types.int64), types.CPointer(types.float64), types.int64

#: Of `across`: the addresses of the functions of `crossings.functions`; sizes (see there), time
#: step, what is known of decisions, row and parameters; tangent vectors before the step and after;
#: how many there are, how far their components are apart, and they from each other; which lanes may
#: meet surfaces, states before the step and after; and room.
SIGNATURE = types.void(
    *[_COUNT] * 3, _WORDS, *[_NUMBERS] * 6, *[_COUNT] * 3, _WORDS, *[_NUMBERS] * 3
)  # fmt: skip

#: Sizes: components, decisions, numbers in a row, parameters, lanes; then the kinds of decisions.
_HEAD = 5


def sizes(n: int, kinds: list[str], row: int, params: int, lanes: int) -> Array:
    """Return the sizes that `across` is given."""
    of = [KINDS.index(kind) for kind in kinds]
    return np.array([n, len(of), row, params, lanes, *of], dtype=np.int64)


def room_for(sizes: Array, k: int) -> int:
    """Return the numbers that `across` needs as room."""
    n, m, row, params, _ = (int(size) for size in sizes[:_HEAD])
    return int(_size.py_func(n, m, row, params, k))


@jit_in_order
def _size(n: int, m: int, row: int, params: int, k: int) -> int:
    """Return how many numbers `across` divides its room into; all surfaces may be met at once."""
    return row + params + 6 * n + 6 * m + 5 + (MOST_SURFACES + m) * (m + 4) + k * (n + 1)


@jit_in_order
def _gather(numbers: Any, lanes: int, lane: int, alone: Any) -> None:
    """Copy what belongs to one lane."""
    for i in range(len(alone)):
        alone[i] = numbers[i * lanes + lane]


def across(
    value: int, advance: int, tangent: int, sizes: Any, d: Any, known: Any, u: Any, params: Any,
    before: Any, after: Any, k: int, component: int, vector: int, meets: Any, x: Any, y: Any,
    room: Any,
) -> None:  # fmt: skip
    """Do a step in the lanes in which it meets surfaces where the field jumps; say in which."""
    n, m, width, count, lanes = carray(sizes, _HEAD)
    kinds, table = carray(sizes, _HEAD + m)[_HEAD:], carray(known, 1 + 2 * m)
    parts = MOST_SURFACES + m
    rest = carray(room, _size(n, m, width, count, k))
    row, rest = rest[:width], rest[width:]
    p, rest = rest[:count], rest[count:]
    here, rest = rest[:n], rest[n:]
    times, rest = rest[:5], rest[5:]
    found, rest = rest[: 2 * (n + m)].reshape((2, n + m)), rest[2 * (n + m) :]
    states, rest = rest[: 3 * n].reshape((3, n)), rest[3 * n :]
    ends, rest = rest[: 3 * m].reshape((3, m)), rest[3 * m :]
    outcomes, rest = rest[: (parts + 1) * m].reshape((parts + 1, m)), rest[(parts + 1) * m :]
    each, rows = rest[: 4 * parts].reshape((4, parts)), rest[4 * parts :].reshape((k, n + 1))
    times[2] = d[0]
    it = Division(
        value, advance, tangent, row.ctypes.data, p.ctypes.data, d[0], kinds, table, times, found,
        states, ends, outcomes, each[0], each[1], each[2], each[3].view(np.int64), rows,
    )  # fmt: skip
    for lane in range(lanes):
        if not meets[lane]:
            continue
        meets[lane] = 0
        if table[0] != 0.0:
            continue
        _gather(x, lanes, lane, here)
        _gather(u, lanes, lane, row)
        _gather(params, lanes, lane, p)
        number = plan(it, here)
        if number == 0:
            continue
        meets[lane] = 1
        for j in range(k):
            for i in range(n):
                rows[j, i] = before[i * component + j * vector + lane]
        through(it, here, number)
        for i in range(n):
            y[i * lanes + lane] = here[i]
            for j in range(k):
                after[i * component + j * vector + lane] = rows[j, i]
