"""Compiled loops as functions of arrays."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

from ..numerics.arrays import Array
from ..numerics.buffers import empty
from ..numerics.threads import in_pieces, shared
from . import array_loops, small, wide
from .blocks import padded
from .crossings import room
from .logarithms import logarithms
from .machine import machine
from .program import ArrayProgram, Program

_INT, _REAL, _PTR = ctypes.c_int64, ctypes.c_double, ctypes.c_void_p

#: Vectors are written out one by one up to so many operations in a tangent step and its
#: factorisation, beyond it they go side by side.
WRITTEN_OUT = 3000

#: Operations that a thread should have, for the start of another to be worth it.
_PER_THREAD = 2.5e5

#: Logarithms that are taken at once, and that are worth another thread.
_AT_ONCE, _LOGARITHMS = 2**15, 2**17

#: Kernels that a process keeps.
_MOST = 256


class Kernel:
    """The compiled loops of a program with k tangent vectors.

    Arrays have the axes (group, ..., lane): the members of an ensemble in groups, each worked on
    at once.
    """

    def __init__(self, program: Program, k: int, ensemble: bool) -> None:
        n = program.dim
        self.program = program
        self.k = k
        size = k * program.count + 6 * n * k**2
        self.wide = bool(program.moved) or size > WRITTEN_OUT or program.whole
        at_once = machine().lanes
        self.lanes = at_once if ensemble and not self.wide else 1
        self._size = program.count
        #: Numbers that loops need as room, and for each step of a block.
        self._scratch, self._ahead, self._run_scratch = 1, 0, 1
        self._factor, self._multiplications = 0, 0.0
        if isinstance(program, ArrayProgram):
            from .callbacks import link_all

            text, self._run_scratch, vectors = array_loops.source(program, k, at_once)
            self._scratch = vectors + 2 * n * k + k * k + 67 * k + n
            self._factor, self._multiplications = _factorisation(), float(n * n * k)
            link_all(text)
        elif self.wide:
            self._scratch = wide.scratch(program, k, at_once)
            self._ahead = program.moved * (1 + padded(k, at_once))
            self._factor = _factorisation()
            text = wide.source(program, k, at_once)
        else:
            text = small.source(program, k, self.lanes)
        across = room(program, k, self.lanes)
        self._scratch, self._run_scratch = self._scratch + across, self._run_scratch + across
        functions = machine().functions(text)
        self._run = ctypes.CFUNCTYPE(
            None, _INT, _INT, _PTR, _PTR, _INT, _INT, _PTR, _INT, _PTR, _PTR, _PTR, _PTR
        )(functions["run.groups"])
        self._blocks = ctypes.CFUNCTYPE(
            None, _INT, _INT, _INT, _PTR, _PTR, _PTR, _INT, _INT, _PTR, _INT, _PTR, _REAL,
            _REAL, _PTR, _INT, _PTR, _INT, _PTR, _PTR, _PTR, _PTR,
        )(functions["blocks.groups"])  # fmt: skip

    def run(self, x: Array, u: Array, p: Array, d: Array, n_steps: int) -> Array:
        """Return the states ``(groups, n_steps, n, lanes)`` after each step from ``x``."""
        n, moved = self.program.dim, self.program.moved
        if moved:
            states = np.empty((len(x), n_steps * moved + n))
        else:
            states = np.empty((len(x), n_steps, *x.shape[1:]))

        blas = self._blas(len(x))

        def part(a: int, b: int) -> None:
            scratch = empty((self._run_scratch,))
            self._run(
                b - a, n_steps, _at(x, a), _at(u, a), u.shape[2], _step(u), _at(p, a), _step(p),
                _at(d, 0), _at(states, a), _at(scratch, 0), blas,
            )  # fmt: skip

        self._shared(part, len(x), n_steps * self._size)
        if not moved:
            return states
        windows = np.lib.stride_tricks.sliding_window_view(states, n, axis=1)[:, ::moved]
        return windows[:, -2::-1, :, None]

    def blocks(
        self,
        x: Array,
        q: Array,
        u: Array,
        p: Array,
        d: Array,
        *,
        first: int,
        count: int,
        interval: int,
        least: float,
        collapsed: float = np.inf,
        noise: Array | None = None,
    ) -> tuple[Array, Array]:
        """Carry states and bases through blocks as long as these are good enough, in place.

        Parameters
        ----------
        x : array (groups, n, lanes)
        q : array (groups, k, n, lanes)
        u : array (groups or 1, T, m, lanes)
        p : array (groups or 1, n_params, lanes)
        d : array (1,)
        first : int
            The step of `u` that comes first.
        count, interval : int
        least : float
            The smallest sine that is good enough; below zero, nothing is factorised.
        collapsed : float, optional
            The smallest sine of blocks that are worth to be halved, where loops can do that.
        noise : array (groups or 1, count, k, n, lanes), optional
            Factors of the tangent vectors at the beginning of each block.

        Returns
        -------
        done : array (groups,)
            Blocks that went well, before which x and q stop.
        log_growth : array (count, groups * lanes, k)
            Of blocks that went well in all groups.
        """
        lanes = self.lanes
        shape = count, len(x) * lanes, self.k
        growth = np.empty(shape) if count == 1 else empty(shape)
        row, each = growth.shape[1] * self.k, 8 * lanes * self.k
        done = np.empty(len(x), dtype=np.int64)
        blas = self._blas(len(x))
        width = u.shape[2]
        shift = 8 * first * width * lanes

        def part(a: int, b: int) -> None:
            scratch = empty((self._scratch + interval * self._ahead,))
            self._blocks(
                b - a, count, interval, _at(x, a), _at(q, a), _at(u, a) + shift, width, _step(u),
                _at(p, a), _step(p), _at(d, 0), least, collapsed,
                None if noise is None else _at(noise, a), 0 if noise is None else _step(noise),
                _at(growth, 0) + a * each, row, _at(scratch, 0), blas, self._factor, _at(done, a),
            )  # fmt: skip

        operations = interval * (1 + self.k) * self._size + 6 * self.program.dim * self.k**2
        self._shared(part, len(x), count * operations)
        if least >= 0.0:
            _logarithms(growth[: done.min()], squared=not self.wide)
        return done, growth

    def _blas(self, groups: int) -> int:
        """Return where the addresses of BLAS are, 0 where it is not called.

        A large product of one system may be shared among threads, as NumPy does.
        """
        if not self._factor:
            return 0
        from .blas import addresses

        return _at(addresses(self._multiplications if groups == 1 else 0.0), 0)

    def _shared(self, part: Any, groups: int, operations: int) -> None:
        """Share groups, each worth so many operations, among threads where that pays."""
        shared(part, groups, int(groups * operations / _PER_THREAD))


#: Kernels of this process, by what their programs do.
_known: dict[Any, Kernel] = {}


def kernel_of(program: Program, k: int, ensemble: bool) -> Kernel:
    """Return the kernel of a program, compiled now or before."""
    key = (program.identity, k, ensemble)
    if key not in _known:
        if len(_known) >= _MOST:
            _known.pop(next(iter(_known)))
        _known[key] = Kernel(program, k, ensemble)
    return _known[key]


@cache
def _factorisation() -> int:
    """Return the address of the factorisation."""
    from .qr import factorisation

    return factorisation()


def _logarithms(x: Array, squared: bool) -> None:
    """Put logarithms in the place of growth factors ``(count, ...)``, or of their squares."""
    each, scale = x[:1].size, 0.5 if squared else 1.0

    def part(first: int, last: int) -> None:
        logarithms()(_at(x, 0) + 8 * first * each, (last - first) * each, scale)

    in_pieces(part, len(x), max(1, _AT_ONCE // max(1, each)), x.size // _LOGARITHMS)


def _at(x: Array, group: int) -> int:
    """Return the address of a group's part; the only part is for all groups."""
    address: int = x.__array_interface__["data"][0]  # half the time of x.ctypes.data
    return address + group * x.strides[0] if group and len(x) > 1 else address


def _step(x: Array) -> int:
    """Return the numbers from one group's part to the next."""
    return x.strides[0] // 8 if len(x) > 1 else 0
