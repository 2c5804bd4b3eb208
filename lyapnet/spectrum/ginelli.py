"""The two sweeps of Ginelli's method for covariant vectors.

The way back needs the bases and factors of the way there, which take far more room than the vectors
that are asked for may. Of sections that find no room only the beginning is kept, and they are run
once more, with the same numbers, when their turn comes: for T steps in sections of about
sqrt(T) that is room for 2 sqrt(T) bases.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import blas

from ..numerics.arrays import Array
from ..systems.orbit import Orbit
from ..tangent.forward import forward
from ..tangent.plan import divided
from ..tangent.start import Start
from ..tangent.stretches import run_orbit, run_stretches, stretch_length

#: Numbers in the bases of a section that is not long for its own sake.
_SECTION = 2**18

#: Numbers that the sections of a run may keep together: 128 MB.
_ROOM = 2**24


def warm_up(start: Start, phases: Mapping[str, int], bar: Any) -> tuple[Array, Array]:
    """Bring the state to the attractor, then the basis to its orientation."""
    x, rows = start.x, start.rows
    length = stretch_length(start.system, x.shape[:-1], rows.shape[-2])
    before = {name: phases[name] for name in ("transient", "basis_transient")}
    stretches = divided(before, length)
    for phase, first, orbit in run_stretches(start.system, x, start.inputs, stretches, bar=bar):
        if phase == "basis_transient":
            rows = forward(orbit, rows, 1, start=first, forgiving=True)[1]
        x = orbit.last
    return x, rows


class Found(NamedTuple):
    """What the way back needs of a section of L steps.

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
class Section:
    """Steps of a run from `first` on: where they begin, and what was found, if it is kept."""

    first: int
    n_steps: int
    x: Array
    rows: Array
    found: Found | None = None

    def along(self, orbit: Orbit) -> Found:
        """Carry the basis along the section's orbit."""
        tape = forward(orbit, self.rows, 1, start=self.first, forgiving=True, keep=True)[3]
        assert tape is not None
        factors = np.stack([np.tril(block[2]) for block in tape.blocks])
        return Found(orbit.states, tape.rows, factors, np.isneginf(tape.log_growth))

    def again(self, start: Start) -> Found:
        """Run it once more."""
        stop = self.first + self.n_steps
        return self.along(run_orbit(start.system, self.x, start.inputs, self.first, stop))


def sweep_forward(
    start: Start, x: Array, rows: Array, between: tuple[int, int], bar: Any
) -> list[Section]:
    """Carry the basis from one step to another, and return the sections on the way."""
    first, total = between
    length = max(math.isqrt(total - first), _SECTION // rows.size, 1)
    room = _ROOM
    sections = []
    stretches = divided({"there": total - first}, length, first)
    for _, step, orbit in run_stretches(start.system, x, start.inputs, stretches, bar=bar):
        section = Section(step, orbit.n_steps, x, rows)
        found = section.along(orbit)
        room -= sum(a.size for a in found)
        if room >= 0:
            section.found = found
        x, rows = found.states[-1].copy(), found.bases[-1].copy()  # no views: these hold the rest
        sections.append(section)
    return sections


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

    def take(self, section: Section, found: Found, coefficients: Array, growth: Array) -> None:
        """Take what there is of a section.

        Parameters
        ----------
        coefficients : array (L + 1, ..., k, k)
        growth : array (L, ..., k)
        """
        begin = section.first - self.first
        end = begin + section.n_steps
        t = np.arange(begin + -begin % self.every, min(end + 1, self.n_steps), self.every)
        self.vectors[t // self.every] = np.matmul(coefficients[t - begin], found.bases[t - begin])
        self.states[t // self.every] = found.states[t - begin]
        counted = growth[: max(0, self.n_steps - 1 - begin)]
        self.total += counted.sum(axis=0)
        into = (begin + np.arange(len(counted))) // self.every
        whole = into < len(self.growth)
        np.add.at(self.growth, into[whole], counted[whole])


def sweep_backward(
    start: Start, sections: list[Section], into: Covariant, rng: np.random.Generator, bar: Any
) -> None:
    """Solve the recursion of the coefficients backwards, and make vectors of them.

    Uses up the list.
    """
    shape = start.rows.shape
    here = np.tril(rng.standard_normal((*shape[:-1], shape[-2])))
    here /= np.linalg.norm(here, axis=-1, keepdims=True)
    while sections:
        section = sections.pop()
        found = section.found or section.again(start)
        coefficients, growth = _back(found, here, bar)
        into.take(section, found, coefficients, growth)
        here = coefficients[0]


def _back(found: Found, here: Array, bar: Any) -> tuple[Array, Array]:
    """Carry coefficients back through a section.

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
