"""What loops call where a step of a field that jumps may meet a surface."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, types

from ..numerics.arrays import Array
from .division import Division, plan, through
from .field import Field
from .jit import jit_in_order
from .limits import MOST_SURFACES
from .stages import Stages

_WORDS, _NUMBERS, _COUNT = types.CPointer(types.int64), types.CPointer(types.float64), types.int64

#: Of `across`: the addresses of the field and its tangent; sizes (see there), tableau, time step,
#: what is known of decisions, rows and parameters; tangent vectors before the step and after; how
#: many there are, how far their components are apart, and they from each other; which lanes may
#: meet surfaces, states before the step and after; and room.
SIGNATURE = types.void(
    _COUNT, _COUNT, _WORDS, *[_NUMBERS] * 7, *[_COUNT] * 3, _WORDS, *[_NUMBERS] * 3
)  # fmt: skip

#: Sizes: components, decisions, stages, inputs, the degree of their interpolation, whether there is
#: time, lanes; then where parts of the room begin, and the kinds of decisions.
_HEAD, _PARTS = 7, 21


def sizes(head: tuple[int, ...], n_params: int, k: int, kinds: list[int]) -> Array:
    """Return the sizes that `across` is given; the room is as large as the last part's end.

    Parameters
    ----------
    head : tuple of int
    n_params, k : int
    kinds : list of int
    """
    n, m, s, inputs, degree, time, _ = head
    parts, now, found = MOST_SURFACES + 1, inputs + 1, (s + 1) * (n + m)
    counts = (
        n, (degree + 1) * inputs + time, n_params, n, n, now, now, found, found, n, n,
        parts, parts, parts, parts, parts * m, n, m, m, n, k * n, k,
    )  # fmt: skip
    return np.array([*head, 0, *np.cumsum(counts), *kinds], dtype=np.int64)


@jit_in_order
def _gather(numbers: Any, lanes: int, lane: int, alone: Any) -> None:
    """Copy what belongs to one lane."""
    for i in range(len(alone)):
        alone[i] = numbers[i * lanes + lane]


@jit_in_order
def _scatter(alone: Any, numbers: Any, lanes: int, lane: int) -> None:
    """Copy it back."""
    for i in range(len(alone)):
        numbers[i * lanes + lane] = alone[i]


def across(
    value: int, tangent: int, sizes: Any, tableau: Any, d: Any, known: Any, rows: Any, params: Any,
    before: Any, after: Any, k: int, component: int, vector: int, meets: Any, x: Any, y: Any,
    room: Any,
) -> None:  # fmt: skip
    """Do a step in the lanes in which it meets surfaces where the field jumps; say in which."""
    n, m, s, inputs, degree, time, lanes = carray(sizes, _HEAD)
    words = carray(sizes, _HEAD + _PARTS + 2 + m)
    ends, kinds = words[_HEAD : _HEAD + _PARTS + 2], words[_HEAD + _PARTS + 2 :]
    whole = carray(room, ends[_PARTS + 1])
    table = carray(known, 1 + 2 * m)
    field = Field(value, tangent, inputs, degree, time, d[0])
    method = carray(tableau, s + s * s + s)
    it = Stages(
        field, method[:s], method[s : s + s * s].reshape((s, s)), method[s + s * s :],
        whole[ends[1] : ends[2]], whole[ends[2] : ends[3]], whole[ends[3] : ends[4]],
        whole[ends[4] : ends[5]], whole[ends[5] : ends[6]], whole[ends[6] : ends[7]],
        whole[ends[7] : ends[8]].reshape((s + 1, n + m)),
        whole[ends[8] : ends[9]].reshape((s + 1, n + m)), whole[ends[9] : ends[10]],
        whole[ends[10] : ends[11]],
    )  # fmt: skip
    to = Division(
        kinds, table, whole[ends[11] : ends[12]], whole[ends[12] : ends[13]],
        whole[ends[13] : ends[14]], whole[ends[14] : ends[15]],
        whole[ends[15] : ends[16]].reshape((MOST_SURFACES + 1, m)), whole[ends[16] : ends[17]],
        whole[ends[17] : ends[18]], whole[ends[18] : ends[19]], whole[ends[19] : ends[20]],
        whole[ends[20] : ends[20] + k * n].reshape((k, n)), whole[ends[21] : ends[21] + k],
    )  # fmt: skip
    here = whole[: ends[1]]
    for lane in range(lanes):
        if not meets[lane]:
            continue
        meets[lane] = 0
        if table[0] != 0.0:
            continue
        _gather(x, lanes, lane, here)
        _gather(rows, lanes, lane, it.row)
        _gather(params, lanes, lane, it.p)
        parts = plan(it, to, here)
        if parts:
            meets[lane] = 1
            for j in range(k):
                for i in range(n):
                    to.rows[j, i] = before[i * component + j * vector + lane]
            through(it, to, here, parts)
            for j in range(k):
                for i in range(n):
                    after[i * component + j * vector + lane] = to.rows[j, i]
            _scatter(here, y, lanes, lane)
