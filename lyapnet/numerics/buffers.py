"""Arrays for the sweeps, in memory that has been used before."""

from __future__ import annotations

import ctypes
import math
import sys
import threading
from typing import NamedTuple

import numpy as np

from .arrays import Array

#: Sizes in numbers: smaller arrays the allocator keeps by itself, larger ones it should not.
_SMALLEST, _LARGEST = 2**14, 2**22

#: Numbers in a line of a cache, where arrays begin: what the processor reads at once is in one.
LINE = 8

#: Numbers that a thread's store may hold.
_CAPACITY = 2**24


class _Block(NamedTuple):
    """Memory, and the number in it at which a line of the cache begins."""

    memory: Array
    first: int


def _first(memory: Array) -> int:
    """Return the number at which a line of the cache begins, asked for in the fastest way."""
    return -(ctypes.addressof(ctypes.c_char.from_buffer(memory.data)) // 8) % LINE


def _new(size: int) -> _Block:
    """Return a block with room for so many numbers from there on."""
    memory = np.empty(size + LINE)
    return _Block(memory, _first(memory))


def _references(block: _Block) -> int:
    """Count the references to the memory of a block."""
    return sys.getrefcount(block.memory)


class _Store(threading.local):
    """Blocks of memory, the one used last at the end."""

    def __init__(self) -> None:
        self.blocks: list[_Block] = []


_store = _Store()

#: What `_references` says of a block that nobody uses.
_UNUSED = _references(_new(0))


def empty(shape: tuple[int, ...]) -> Array:
    """Return an uninitialised array, as `numpy.empty` does, in memory that nobody uses any more.

    Fresh memory comes from the system page by page, at a cost above that of the arithmetic
    done in it; sweeps ask for the same sizes again and again. A block is in use as long as
    any array refers to it, views of views included: that is what its reference count says.
    """
    size = math.prod(shape)
    if not _SMALLEST <= size <= _LARGEST:
        memory = np.empty(size + LINE)
        first = _first(memory)
        return memory[first : first + size].reshape(shape)
    blocks, room = _store.blocks, size + LINE
    for i in reversed(range(len(blocks))):  # the one used last is still in the cache
        block = blocks[i]
        if block.memory.size == room and _references(block) == _UNUSED:
            blocks.append(blocks.pop(i))
            break
    else:
        while blocks and sum(block.memory.size for block in blocks) + room > _CAPACITY:
            blocks.pop(0)
        blocks.append(_new(size))
    memory, first = blocks[-1]
    return memory[first : first + size].reshape(shape)


def copied(x: Array) -> Array:
    """Return a copy in such memory, by rows."""
    out = empty(x.shape)
    out[...] = x
    return out


def chosen(x: Array, which: Array) -> Array:
    """Return ``x[which]`` of true and false in such memory."""
    rows = np.flatnonzero(which)
    out = empty((len(rows), *x.shape[1:]))
    return np.take(x, rows, axis=0, out=out, mode="clip")  # that mode needs no buffer
