"""A stretch of an LSTM's trajectory, its tangent steps and their adjoints."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import expit

from ..numerics.arrays import Array
from ..systems.orbit import Cotangent
from .gated_orbit import GatedOrbit, rowwise
from .mixture import Mixture
from .products import times


def coefficients(gates: tuple[Any, ...], slopes: tuple[Any, ...]) -> tuple[Any, ...]:
    r"""Return the coefficients of the tangent step, given what `LSTM._values` returns.

    With :math:`\delta a = W \delta h` for each gate,

    .. math::

        \delta c' &= A_i \delta a_i + A_f \delta a_f + A_g \delta a_g + f \delta c, \\
        \delta h' &= A_o \delta a_o + S \delta c'

    Returns
    -------
    A_i, A_f, A_g, A_o, S, f
    """
    i, f, g, o, c, t = gates
    not_i, not_f, g_slope, not_o, t_slope = slopes
    return i * not_i * g, f * not_f * c, i * g_slope, o * not_o * t, o * t_slope, f


class LSTMOrbit(GatedOrbit):
    """A stretch of an LSTM's trajectory; see `Orbit` and `GatedOrbit` for the contract."""

    #: What `LSTM._values` returns first.
    _gates: tuple[Any, ...]

    def _linearise(self) -> None:
        self._gates = (*self.values, self.states[:-1, ..., self.n :], self.tanh)
        i, f, g, o, _, t = self._gates
        slopes = self._resolved(1 - i, 1 - f, 1 - g * g, 1 - o, 1 - t * t)
        *self.A, self.S, self.F = coefficients(self._gates, slopes)

    def _run(self, values: Array, drive: Array) -> None:
        n = self.n
        self.tanh = np.empty((*values.shape[:-1], n))
        gates = (values[..., j * n : (j + 1) * n] for j in range(4))
        x, y = self.states[:-1], self.states[1:]
        each = values, drive, *gates, self.tanh, x[..., :n], x[..., n:], y[..., :n], y[..., n:]
        candidate = np.empty(self.tanh.shape[1:])
        for a, u, i, f, g, o, tanh, h, c, h_next, c_next in zip(*each, strict=True):
            rowwise(h, self.transposed, out=a)
            a += u
            np.tanh(g, out=candidate)
            expit(a, out=a)
            g[...] = candidate
            candidate *= i
            np.multiply(f, c, out=c_next)
            c_next += candidate
            np.tanh(c_next, out=tanh)
            np.multiply(o, tanh, out=h_next)

    @cached_property
    def mixture(self) -> Mixture:
        r"""Matrices :math:`S A + B` and A of each step.

        .. math::

            \delta c' &= A\,\delta h + F\,\delta c, &
            A &= \sum\nolimits_{i, f, g} \mathrm{diag}(A_g) W_g, \\
            \delta h' &= B\,\delta h + S\,\delta c', & B &= \mathrm{diag}(A_o) W_o
        """
        mix = np.zeros((*self.F.shape[:-1], 2, self.n, 4))
        for j, A in enumerate(self.A[:3]):
            np.multiply(A, self.S, out=mix[..., 0, :, j])
            mix[..., 1, :, j] = A
        mix[..., 0, :, 3] = self.A[3]
        return Mixture(mix, self.W)

    @cached_property
    def kept(self) -> list[Array]:
        """What h' and c' get of the cell state, ``(..., 1, 2, N)`` for each step."""
        return list(np.stack([self.S * self.F, self.F], axis=-2)[..., None, :, :])

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry tangent vectors through step s."""
        n = self.n
        if self._dense(rows):
            times(rows[..., :n], self.mixture.step(s).swapaxes(-1, -2), out=out)
            kept = self._room("kept", (*rows.shape[:-1], 2, n))
            np.multiply(rows[..., None, n:], self.kept[s], out=kept)
            out += kept.reshape(out.shape)
            return
        gates = self._room("gates", (*rows.shape[:-1], 4 * n))
        times(rows[..., :n], self.transposed, out=gates)
        gates *= self.stacked[s]
        h, c = out[..., :n], out[..., n:]
        np.multiply(rows[..., n:], self.F[s][..., None, :], out=c)
        c += gates[..., :n]
        c += gates[..., n : 2 * n]
        c += gates[..., 2 * n : 3 * n]
        np.multiply(c, self.S[s][..., None, :], out=h)
        h += gates[..., 3 * n :]

    def pull(self, s: int, rows: Array, out: Array, forward: Array | None = None) -> None:
        """Carry cotangent vectors back through step s."""
        n = self.n
        if self._dense(rows):
            np.matmul(rows, self.mixture.step(s), out=out[..., :n])
            kept = self._room("kept", (*rows.shape[:-1], 2, n))
            np.multiply(rows.reshape(kept.shape), self.kept[s], out=kept)
            np.add(kept[..., 0, :], kept[..., 1, :], out=out[..., n:])
            return
        gates = self._room("gates", (*rows.shape[:-1], 4 * n))
        c = self._received(rows, s, gates)
        back = self._room("back", (*rows.shape[:-1], n))
        out[..., :n] = times(gates, self.W, out=back)
        np.multiply(c, self.F[s][..., None, :], out=out[..., n:])

    def _received(self, rows: Array, at: int | slice, out: Array) -> Array:
        """Put into `out` what the gates receive, ``(..., k, 4N)``, and return that of c'."""
        h = rows[..., : self.n]
        c = h * self.S[at][..., None, :]
        c += rows[..., self.n :]
        self._into((c, c, c, h), at, out)
        return c

    def tangent_adjoint(self, rows: Array, rows_bar: Array) -> Cotangent:
        """Differentiate in the coefficients, hence gates and states, and in the weights.

        All that is needed of the tangent vectors are their products, summed over them.
        """
        n, A, S, F = self.n, self.A, self.S, self.F
        mix_bar, W_bar, _ = self.mixture.adjoint(rows_bar, rows[..., :n])
        (i, f, g, o), bottom = np.ascontiguousarray(np.moveaxis(mix_bar, (-3, -1), (0, 1)))
        kept = np.empty((*F.shape[:-1], 2, n))
        halves = rows_bar.reshape(*rows.shape[:-1], 2, n)
        np.einsum("...kdn,...kn->...dn", halves, rows[..., n:], out=kept)
        h_kept, c_kept = kept[..., 0, :], kept[..., 1, :]
        S_bar = F * h_kept + A[0] * i + A[1] * f + A[2] * g
        through = [x + S * y for x, y in zip(bottom[:3], (i, f, g), strict=True)]
        return self._through([*through, o], S_bar, S * h_kept + c_kept, W_bar)

    def _through(self, A: list[Array], S: Array, F: Array, W_bar: Array) -> Cotangent:
        """Return all cotangents, given those of the coefficients and what W has got."""
        gates_bar, c_bar = self._through_coefficients(A, S, F)
        inputs, params = self._into_gates(gates_bar, gates_bar)
        params["W"] += W_bar
        h_bar = times(gates_bar[..., None, :], self.W)[..., 0, :]
        return Cotangent(np.concatenate([h_bar, c_bar], axis=-1), inputs, params)

    def _through_coefficients(self, A: list[Array], S: Array, F: Array) -> tuple[Array, Array]:
        """Return cotangents of the gates' arguments and of c, given the coefficients'."""
        i, f, g, o, c, t = self._gates
        A_i, A_f, A_g, A_o = A
        t_bar = A_o * o * (1 - o) - 2 * S * o * t
        new = t_bar * (1 - t * t)  # of c' = f c + i g
        i_bar = A_i * (1 - 2 * i) * g + A_g * (1 - g * g) + new * g
        f_bar = A_f * (1 - 2 * f) * c + F + new * c
        g_bar = A_i * i * (1 - i) - 2 * A_g * i * g + new * i
        o_bar = A_o * (1 - 2 * o) * t + S * (1 - t * t)
        slopes = i * (1 - i), f * (1 - f), 1 - g * g, o * (1 - o)
        bars = [x * y for x, y in zip((i_bar, f_bar, g_bar, o_bar), slopes, strict=True)]
        return np.concatenate(bars, axis=-1), A_f * f * (1 - f) + new * f

    def _driven(self, received: Array) -> tuple[Array, Array, dict[str, Array]]:
        bars = np.empty((*received.shape[:-1], 1, 4 * self.n))
        self._received(received[..., None, :], slice(0, self.n_steps), bars)
        return bars[..., 0, :], bars[..., 0, :], {}
