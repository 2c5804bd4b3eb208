"""A stretch of trajectory with its linearisation: what the tangent loop runs on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..numerics.arrays import Array
from ..numerics.autodiff import Tree
from ..numerics.buffers import empty


@dataclass
class Cotangent:
    """What a reverse sweep returns: cotangents of states, inputs and parameters.

    `states` is ``(T, ..., n)`` after `Orbit.tangent_adjoint` (one for each state that a step
    starts from) and ``(..., n)`` after `Orbit.state_adjoint` (the first state).
    """

    states: Array
    inputs: Array | None
    params: Tree


class Orbit:
    r"""States :math:`h_0 \dots h_T` of a system and the Jacobians :math:`D_s` of its T steps.

    The tangent loop asks an orbit for these things. Tangent vectors are rows ``(..., k, n)``:
    a batch of k perturbations.

    ======================================  =====================================================
    ``push(s, rows, out)``                  :math:`D_s q` of each row q
    ``pull(s, rows, out, forward)``         :math:`D_s^T q` of each row q; given the rows that
                                            went forward, whatever else is cheap then is noted
                                            for the next
    ``carry``, ``carry_back``               the same for several steps
    ``blocks``                              a basis carried and factorised, as many blocks at once
                                            as there are compiled loops for
    ``tangent_adjoint(rows, rows_bar)``     cotangents through the dependence of :math:`D_s q_s`
                                            on state, input and parameters, all s at once
    ``state_adjoint(states_bar, inputs)``   the adjoint of the states' own recursion
    ``readout_adjoint(bar, W, visible)``    the same from cotangents of a linear readout
    ======================================  =====================================================

    No Jacobian need be formed for any of them.
    """

    states: Array
    inputs: Array | None
    #: By how much each step changes the logarithm of a volume, ``(T, ...)``, where that is
    #: known better than from the Jacobians.
    log_volume: Array | None = None
    #: What to do if the states diverge; see `System.if_it_diverges`.
    remedy = ""
    #: Whether bases should lie in memory with the ensemble's axes last.
    members_last = False
    #: Whether there are loops for `tape`.
    tapes = False
    #: Whether states are computed along with the tangent vectors, and checked after these.
    runs_along = False
    #: Whether its last state has been looked at, and is finite.
    seen_finite = False

    @property
    def n_steps(self) -> int:
        """Number of steps."""
        return len(self.states) - 1

    @property
    def last(self) -> Array:
        """State at the end ``(..., n)``."""
        return self.states[-1]

    @property
    def finest(self) -> Orbit:
        """The orbit in the finest steps that it is made of."""
        return self

    def of_members(self, which: NDArray[np.bool_]) -> Orbit | None:
        """Return the orbit of some members ``which (...)``, on one axis, where loops run it."""
        return None

    def for_fewer(self, k: int) -> Orbit:
        """Return the orbit for k of its tangent vectors, where loops are made for a number."""
        return self

    def summed(self, bar: Array) -> Array:
        """Return cotangents of the inputs from those of the finest steps."""
        return bar

    @property
    def jacobians(self) -> Array:
        """Jacobians of all steps ``(T, ..., n, n)``."""
        raise NotImplementedError

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry tangent vectors through step s."""
        raise NotImplementedError

    def pull(self, s: int, rows: Array, out: Array, forward: Array | None = None) -> None:
        """Carry cotangent vectors back through step s."""
        raise NotImplementedError

    def carry(self, first: int, rows: list[Array]) -> None:
        """Carry the tangent vectors ``rows[0]`` through steps from `first` on, into the others."""
        for i in range(len(rows) - 1):
            self.push(first + i, rows[i], rows[i + 1])

    def through(self, rows: Array, first: int, last: int) -> Array:
        """Return tangent vectors carried through steps ``first ... last``."""
        here, there = rows.copy(), np.empty_like(rows)
        for s in range(first, last):
            self.push(s, here, there)
            here, there = there, here
        return here

    def carry_back(self, first: int, bars: list[Array], rows: list[Array]) -> None:
        """Carry the cotangent vectors ``bars[-1]`` back to step `first`, into the others.

        `rows` are those that went forward through these steps.
        """
        for i in reversed(range(len(rows))):
            self.pull(first + i, bars[i + 1], bars[i], rows[i])

    def blocks(
        self,
        rows: Array,
        first: int,
        count: int,
        interval: int,
        least: float,
        collapsed: float = np.inf,
    ) -> tuple[int, Array, Array]:
        """Carry a basis through as many blocks as the orbit can do at once, growth included.

        None, unless an orbit can do better than one step at a time.

        Parameters
        ----------
        rows : array (..., k, n)
            Orthonormal.
        first : int
            Step at which the first block begins.
        count, interval : int
            Number of blocks, and of steps in each.
        least : float
            Blocks whose sines, see `orthonormalise`, are not all as large are left undone.
        collapsed : float, optional
            Unless an orbit halves them by itself, which is good for those that have sines of
            this at least.

        Returns
        -------
        done : int
            Number of blocks.
        rows : array (..., k, n)
            The basis after these.
        log_growth : array (done, ..., k)
            Logarithms of the diagonal of `orthonormalise`.
        """
        return 0, rows, np.empty((0, *rows.shape[:-1]))

    @property
    def has_jacobians(self) -> bool:
        """Whether `jacobians` has been asked for, or given, so that they cost nothing now."""
        return "jacobians" in self.__dict__

    def returns(self, steps: int, near: float, unit: float) -> bool:
        """Say whether a trajectory comes back within some steps, in any member.

        Parameters
        ----------
        steps : int
            In a part of the orbit, of which there are whole ones.
        near : float
            What is near to where a part has started, of its size and the unit.
        unit : float
            Of states that were no small ones.
        """
        return comes_back(self.states[:-1:steps], self.states[1:], near, unit)

    def disturbed(
        self, rows: Array, first: int, factors: Array, least: float
    ) -> tuple[int, Array, Array]:
        """Do steps as `blocks` does, each from a basis times factors ``(count, ..., k, n)``.

        Axes of an ensemble may have the length 1.
        """
        growth: list[Array] = []
        for s, factor in enumerate(factors, first):
            done, following, grown = self.blocks(factor * rows, s, 1, 1, least)
            if not done:
                break
            rows = following
            growth.append(grown[0])
        empty = np.empty((0, *rows.shape[:-1]))
        return len(growth), rows, np.stack(growth) if growth else empty

    def tape(
        self, rows: Array, sine: float, lengths: tuple[float, float]
    ) -> tuple[Array, list[tuple[Array, Array]], list[Array]] | None:
        """Do all that `tangent.deferred_qr` does at once, where there are loops for it.

        Returns
        -------
        rows : array (T + 1, ..., k, n)
            The basis before each step and after the last.
        blocks : list of (array (blocks, k, k), array (blocks + 1,))
            Of each member of the ensemble, factors and the steps at which blocks begin and end.
        lengths : list of array (blocks, k)
            Of each member, lengths of the vectors before they were factorised.
        """
        return None

    def back(
        self, rows: Array, blocks: list[tuple[Array, Array]], clear: list[list[bool]],
        rows_bar: Array | None, bar: Array, next_bar: Array,
    ) -> Array:  # fmt: skip
        """Do all that `tangent.reverse` does at once, for what `tape` has returned.

        Returns
        -------
        array (T + 1, ..., k, n)
            Cotangents of the first basis, and of what each step yields.
        """
        raise NotImplementedError

    def tangent_adjoint(self, rows: Array, rows_bar: Array) -> Cotangent:
        """Differentiate ``sum(rows_bar * (D rows))``, rows fixed, in all that D depends on.

        The last use of both arrays: they may be overwritten.
        """
        raise NotImplementedError

    def state_adjoint(self, states_bar: Array, inputs: bool = True) -> Cotangent:
        """Carry cotangents ``(T + 1, ..., n)`` of the states back to the first one.

        The last use of the array: it may be overwritten. The cotangent of the inputs may be left
        out where it is not wanted.
        """
        raise NotImplementedError

    def readout_adjoint(self, outputs_bar: Array, W: Array, visible: slice) -> Cotangent:
        """Carry cotangents of a linear readout back to the first state, not to the inputs.

        Parameters
        ----------
        outputs_bar : array (steps, ..., p)
            Of what is read out of as many of the last states.
        W : array (p, seen)
        visible : slice
            The components that are read out.
        """
        return self.state_adjoint(self.through_readout(outputs_bar, W, visible), inputs=False)

    def through_readout(self, outputs_bar: Array, W: Array, visible: slice) -> Array:
        """Return the cotangents of the states ``(T + 1, ..., n)`` in `readout_adjoint`."""
        states_bar = empty(self.states.shape)
        first = len(states_bar) - len(outputs_bar)
        states_bar[:first] = 0.0
        here = states_bar[first:]
        here[..., : visible.start] = 0.0
        here[..., visible.stop :] = 0.0
        if len(W) == 1:
            np.multiply(outputs_bar, W[0], out=here[..., visible])
        else:
            here[..., visible] = np.dot(outputs_bar, W)
        return states_bar


def comes_back(starts: Array, later: Array, near: float, unit: float) -> bool:
    """Say whether states ``(T, ..., n)`` come near to where their parts have started."""
    later = later.reshape(len(starts), -1, *later.shape[1:])
    starts = starts[:, None]
    room = near * (unit + np.abs(starts))
    if not (np.abs(later[..., 0] - starts[..., 0]) <= room[..., 0]).any():
        return False  # the first component tells already
    return bool((np.abs(later - starts) <= room).all(axis=-1).any())
