"""Weights of all gates mixed into one matrix for each step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..numerics.arrays import Array, unbroadcast
from ..numerics.buffers import empty

#: Numbers in the matrices of a part of time, and in their cotangents. With fewer a unit's products
#: are too small, and a short run's matrices are not kept for the sweeps back.
_PART = 2**19


def part_length(size: int, weights: int) -> int:
    """Return the steps in a part of time, given the numbers in a step's matrices and in W.

    A part's matrices may have as many numbers as the weights have.
    """
    return max(1, max(_PART, weights) // size)


def parts(n_steps: int, length: int) -> Iterator[slice]:
    """Yield parts of time, of `length` steps each."""
    for start in range(0, n_steps, length):
        yield slice(start, min(start + length, n_steps))


def by_unit(x: Array, shared: bool) -> Array:
    """View ``(T, ..., n, a)`` as ``(n, T ..., a)``, or as ``(..., n, T, a)`` if weights differ.

    A unit has the same weights, ``(gates, n)``, at all times: what is a sum over gates at each
    time, or over time for each gate, is a matrix product for each unit.
    """
    if shared:
        return x.reshape(-1, *x.shape[-2:]).swapaxes(0, 1)
    return np.moveaxis(x, 0, -2)


class Mixture:
    r"""Matrices :math:`\sum_g \mathrm{diag}(A_g) W_g` of all steps, made part by part.

    Each tangent vector is multiplied by one matrix then, not by the weights of all gates.

    Parameters
    ----------
    mix : array (T, ..., d, n, gates)
        Coefficients A in d matrices for each step.
    W : array (..., gates n, n)
    diagonal : array (T, ..., n), optional
        What is added to the diagonal; for d = 1.
    """

    def __init__(self, mix: Array, W: Array, diagonal: Array | None = None) -> None:
        self.mix, self.W, self.diagonal = mix, W, diagonal
        *self.lead, self.d, self.n, gates = mix.shape[1:]
        self.shared = W.ndim == 2
        weights = W.reshape(*W.shape[:-2], gates, self.n, self.n).swapaxes(-3, -2)
        self.weights = weights if self.shared else weights[..., None, :, :, :]
        self.length = part_length(mix[0, ..., 0].size * self.n, W.size)
        self._part = -1
        self._steps: list[Array] = []

    def step(self, s: int) -> Array:
        """Return the matrices of step s, one below the other, ``(..., d n, n)``."""
        part, here = divmod(s, self.length)
        if part != self._part:
            at = slice(part * self.length, (part + 1) * self.length)
            mix = self.mix[at]
            self._steps.clear()  # of another part: its memory is used again
            made = empty((*mix.shape[:-1], self.n))
            np.matmul(by_unit(mix, self.shared), self.weights, out=by_unit(made, self.shared))
            if self.diagonal is not None:
                flat = made.reshape(*mix.shape[:-3], -1)
                flat[..., :: self.n + 1] += self.diagonal[at]
            self._steps = list(made.reshape(*mix.shape[:-3], -1, self.n))
            self._part = part
        return self._steps[here]

    def adjoint(self, left: Array, right: Array) -> tuple[Array, Array, Array]:
        r"""Pull cotangents of all steps' matrices back, :math:`\sum a b^T` over tangent vectors.

        Parameters
        ----------
        left : array (T, ..., k, d n)
        right : array (T, ..., k, n)

        Returns
        -------
        mix, W, diagonal
            Cotangents; that of the diagonal is meaningless where there is none.
        """
        lead = () if self.shared else (*self.lead, self.d)
        mix_bar, diagonal_bar = np.empty(self.mix.shape), np.empty((len(left), *self.lead, self.n))
        weights_bar = np.zeros((*lead, *self.weights.shape[-3:]))
        room = np.empty(weights_bar.shape)
        for at in parts(len(left), self.length):
            mix = self.mix[at]
            outers = empty((*mix.shape[:-1], self.n))
            stacked = outers.reshape(*mix.shape[:-3], -1, self.n)
            np.matmul(left[at].swapaxes(-1, -2), right[at], out=stacked)
            each, out = by_unit(outers, self.shared), by_unit(mix_bar[at], self.shared)
            np.matmul(each, self.weights.swapaxes(-1, -2), out=out)
            turned = by_unit(mix, self.shared).swapaxes(-1, -2)
            weights_bar += np.matmul(turned, each, out=room)
            if self.diagonal is not None:
                diagonal_bar[at] = np.diagonal(stacked, axis1=-2, axis2=-1)
        if not self.shared:
            weights_bar = weights_bar.sum(axis=-4)
        W_bar = weights_bar.swapaxes(-3, -2).reshape(*weights_bar.shape[:-3], -1, self.n)
        return mix_bar, unbroadcast(W_bar, self.W.shape), diagonal_bar
