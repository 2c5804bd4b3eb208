"""Arrays for the sweeps, in memory that has been used before."""

from __future__ import annotations

import math
import sys
import threading

import numpy as np

from .arrays import Array

#: Sizes in numbers: smaller arrays the allocator keeps by itself, larger ones it should not.
_SMALLEST, _LARGEST = 2**14, 2**21

#: Numbers in a line of a cache, where arrays begin: what the processor reads at once is in one.
LINE = 8

#: Numbers that a thread's store may hold.
_CAPACITY = 2**23


def _references(stored: list[Array], i: int) -> int:
    """Count the references to an array in the store, those of this call included."""
    block = stored[i]
    return sys.getrefcount(block)


class _Store(threading.local):
    """Blocks of memory, the one used last at the end."""

    def __init__(self) -> None:
        self.blocks: list[Array] = []


_store = _Store()

#: What `_references` says of a block that nobody uses.
_UNUSED = _references([np.empty(0)], 0)


def empty(shape: tuple[int, ...]) -> Array:
    """Return an uninitialised array, as `numpy.empty` does, in memory that nobody uses any more.

    Fresh memory comes from the system page by page, at a cost above that of the arithmetic
    done in it; sweeps ask for the same sizes again and again. A block is in use as long as
    any array refers to it, views of views included: that is what its reference count says.
    """
    size = math.prod(shape)
    if not _SMALLEST <= size <= _LARGEST:
        return _aligned(np.empty(size + LINE), shape)
    blocks, room = _store.blocks, size + LINE
    for i in reversed(range(len(blocks))):  # the one used last is still in the cache
        if blocks[i].size == room and _references(blocks, i) == _UNUSED:
            blocks.append(blocks.pop(i))
            return _aligned(blocks[-1], shape)
    while blocks and sum(block.size for block in blocks) + room > _CAPACITY:
        blocks.pop(0)
    blocks.append(np.empty(room))
    return _aligned(blocks[-1], shape)


def chosen(x: Array, which: Array) -> Array:
    """Return ``x[which]`` of true and false in such memory."""
    rows = np.flatnonzero(which)
    out = empty((len(rows), *x.shape[1:]))
    return np.take(x, rows, axis=0, out=out, mode="clip")  # that mode needs no buffer


def _aligned(block: Array, shape: tuple[int, ...]) -> Array:
    """Return the part of a block that begins with a line of the cache."""
    first = -(block.__array_interface__["data"][0] // 8) % LINE
    return block[first : first + block.size - LINE].reshape(shape)
