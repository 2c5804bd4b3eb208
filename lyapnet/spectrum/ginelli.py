"""The two sweeps of Ginelli's method for covariant vectors.

The way back needs the bases and factors of the way there, which take far more room than the vectors
that are asked for may. Of stretches that find no room only the beginning is kept, and they are run
once more, with the same numbers, when their turn comes: for T steps in stretches of about
sqrt(T) that is room for 2 sqrt(T) bases.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import blas

from ..numerics.arrays import Array
from ..systems import System
from ..tangent.forward import forward
from ..tangent.stretches import run_orbit, stretch_length

#: Numbers in the bases of a stretch that is not long for its own sake.
_STRETCH = 2**18

#: Numbers that the stretches of a run may keep together: 128 MB.
_ROOM = 2**24


def warm_up(
    system: System,
    x: Array,
    rows: Array,
    inputs: Array | None,
    transient: int,
    end: int,
    bar: Any,
) -> tuple[Array, Array]:
    """Bring the state to the attractor, then the basis to its orientation."""
    length = stretch_length(system, x.shape[:-1], rows.shape[-2])
    edges = sorted({*range(0, end, length), transient, end})
    for start, stop in itertools.pairwise(edges):
        orbit = run_orbit(system, x, inputs, start, stop)
        if start >= transient:
            rows = forward(orbit, rows, 1, start=start, forgiving=True)[1]
        x = orbit.states[-1]
        bar.update(stop - start)
    return x, rows


class Found(NamedTuple):
    """What the way back needs of a stretch of L steps.

    Attributes
    ----------
    states : array (L + 1, ..., n)
    bases : array (L + 1, ..., k, n)
    factors : array (L, ..., k, k)
        :math:`R_t^T`, lower triangular.
    dead : array (L, ..., k)
        Where a growth factor is zero.
    """

    states: Array
    bases: Array
    factors: Array
    dead: Array


@dataclass
class Stretch:
    """Steps ``start ... stop`` of a run: where they begin, and what was found, if it is kept."""

    start: int
    stop: int
    x: Array
    rows: Array
    found: Found | None = None

    def run(self, system: System, inputs: Array | None) -> Found:
        """Carry the basis along the stretch."""
        orbit = run_orbit(system, self.x, inputs, self.start, self.stop)
        tape = forward(orbit, self.rows, 1, start=self.start, forgiving=True, keep=True)[3]
        assert tape is not None
        factors = np.stack([np.tril(block[2]) for block in tape.blocks])
        return Found(orbit.states, tape.rows, factors, np.isneginf(tape.log_growth))


def sweep_forward(
    system: System, x: Array, rows: Array, inputs: Array | None, first: int, total: int, bar: Any
) -> list[Stretch]:
    """Carry the basis from step `first` to the end, and return the stretches on the way."""
    length = max(math.isqrt(total - first), _STRETCH // rows.size, 1)
    room = _ROOM
    stretches = []
    for start, stop in itertools.pairwise([*range(first, total, length), total]):
        stretch = Stretch(start, stop, x, rows)
        found = stretch.run(system, inputs)
        room -= sum(a.size for a in found)
        if room >= 0:
            stretch.found = found
        x, rows = found.states[-1].copy(), found.bases[-1].copy()  # no views: these hold the rest
        stretches.append(stretch)
        bar.update(stop - start)
    return stretches


class Covariant:
    """Vectors, states and growth at every so many of the first `n_steps` states.

    Attributes
    ----------
    vectors : array (m, ..., k, n)
        Rows of unit length.
    states : array (m, ..., n)
    growth : array (m - 1, ..., k)
        Logarithm of the growth from one of these states to the next.
    total : array (..., k)
        Of the growth in all ``n_steps - 1`` steps.
    """

    def __init__(self, first: int, n_steps: int, every: int, rows: Array) -> None:
        self.first, self.n_steps, self.every = first, n_steps, every
        m = -(-n_steps // every)
        self.vectors = np.empty((m, *rows.shape))
        self.states = np.empty((m, *rows.shape[:-2], rows.shape[-1]))
        self.growth = np.zeros((m - 1, *rows.shape[:-1]))
        self.total = np.zeros(rows.shape[:-1])

    def take(self, stretch: Stretch, found: Found, coefficients: Array, growth: Array) -> None:
        """Take what there is of a stretch.

        Parameters
        ----------
        coefficients : array (L + 1, ..., k, k)
        growth : array (L, ..., k)
        """
        begin, end = stretch.start - self.first, stretch.stop - self.first
        t = np.arange(begin + -begin % self.every, min(end + 1, self.n_steps), self.every)
        self.vectors[t // self.every] = np.matmul(coefficients[t - begin], found.bases[t - begin])
        self.states[t // self.every] = found.states[t - begin]
        counted = growth[: max(0, self.n_steps - 1 - begin)]
        self.total += counted.sum(axis=0)
        into = (begin + np.arange(len(counted))) // self.every
        whole = into < len(self.growth)
        np.add.at(self.growth, into[whole], counted[whole])


def sweep_backward(
    system: System,
    inputs: Array | None,
    stretches: list[Stretch],
    into: Covariant,
    rng: np.random.Generator,
    bar: Any,
) -> None:
    """Solve the recursion of the coefficients backwards, and make vectors of them.

    Uses up the list.
    """
    shape = stretches[0].rows.shape
    here = np.tril(rng.standard_normal((*shape[:-1], shape[-2])))
    here /= np.linalg.norm(here, axis=-1, keepdims=True)
    while stretches:
        stretch = stretches.pop()
        found = stretch.found or stretch.run(system, inputs)
        coefficients, growth = _back(found, here, bar)
        into.take(stretch, found, coefficients, growth)
        here = coefficients[0]


def _back(found: Found, here: Array, bar: Any) -> tuple[Array, Array]:
    """Carry coefficients back through a stretch.

    Where a growth factor is zero, it is replaced by one at rounding, so that the vector is in the
    kernel of the Jacobian, and its growth is said to be ``-inf``.

    Returns
    -------
    coefficients : array (L + 1, ..., k, k)
        Rows are the coefficients of the vectors, of unit length.
    log_growth : array (L, ..., k)
        By how much each step stretches each vector.
    """
    factors, dead = found.factors, found.dead
    if dead.any():
        diagonal = np.einsum("...ii->...i", factors)
        size = np.abs(factors).max(axis=(-2, -1), keepdims=True)[..., 0]
        size = np.broadcast_to(np.where(size > 0, size, 1.0), dead.shape)
        diagonal[dead] = np.finfo(float).eps * size[dead]
    coefficients = np.empty((len(factors) + 1, *here.shape))
    coefficients[-1] = here
    log_growth = np.empty((len(factors), *here.shape[:-1]))
    for t in reversed(range(len(factors))):
        here = _solve_rows(factors[t], here)
        largest = np.abs(here).max(axis=-1, keepdims=True)
        here /= largest
        length = np.linalg.norm(here, axis=-1, keepdims=True)
        here /= length
        log_growth[t] = -np.log(length * largest)[..., 0]
        coefficients[t] = here
        bar.update()
    log_growth[dead] = -np.inf
    return coefficients, log_growth


def _solve_rows(factor: Array, rows: Array) -> Array:
    """Solve ``c R^T = rows`` for the coefficients c, member by member."""
    if rows.ndim == 2:
        return blas.dtrsm(1.0, factor.T, rows.T).T
    return np.linalg.solve(factor.swapaxes(-1, -2), rows.swapaxes(-1, -2)).swapaxes(-1, -2)
