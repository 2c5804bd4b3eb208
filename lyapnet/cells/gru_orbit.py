"""A stretch of a GRU's trajectory, its tangent steps and their adjoints."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import expit

from ..numerics.arrays import Array, unbroadcast
from ..systems.orbit import Cotangent
from .gated import GatedCell
from .gated_orbit import GatedOrbit, rowwise
from .mixture import Mixture, part_length, parts
from .products import contract, overlap, times, transposed


def coefficients(gates: tuple[Any, ...], slopes: tuple[Any, ...]) -> tuple[Any, ...]:
    r"""Return the coefficients of the tangent step, given what `GRU._values` returns.

    With :math:`\delta a = W \delta h` for each gate, and :math:`m = W_n h + c` after or
    :math:`m = h` before the recurrent product,

    .. math::

        \delta h' &= z\,\delta h + Z\,\delta a_z + E\,\delta s, \\
        \delta s &= r\,\delta a_n + R\,\delta a_r \quad \text{or} \quad
        \delta s = W_n (r\,\delta h + R\,\delta a_r)

    Returns
    -------
    R, Z, E, r, z
    """
    r, z, n, h, m = gates
    not_r, not_z, n_slope = slopes
    return r * not_r * m, z * not_z * (h - n), not_z * n_slope, r, z


class GRUOrbit(GatedOrbit):
    """What both conventions share: the run, and the cotangents of gates and coefficients."""

    #: What r multiplies, and what `GRU._values` returns first.
    reset: Array
    _gates: tuple[Any, ...]

    def _linearise(self) -> None:
        self._gates = (*self.values, self.states[:-1], self.reset)
        r, z, n, _, _ = self._gates
        slopes = self._resolved(1 - r, 1 - z, 1 - n * n)
        self.R, self.Z, self.E, self.r, self.z = coefficients(self._gates, slopes)

    def _run(self, values: Array, drive: Array) -> None:
        n = self.n
        self.reset = np.empty((*values.shape[:-1], n))
        z, candidate = values[..., n : 2 * n], values[..., 2 * n :]
        each = values, z, candidate, drive, self.reset, self.states[:-1], self.states[1:]
        for a, z_, n_, u, reset, h, y in zip(*each, strict=True):
            self._candidate(a, h, u, reset)
            np.tanh(n_, out=n_)
            np.subtract(h, n_, out=y)
            y *= z_
            y += n_

    def _candidate(self, a: Array, h: Array, drive: Array, reset: Array) -> None:
        """Put r, z and the argument of n into `a`, and what r multiplies into `reset`."""
        raise NotImplementedError

    def _through_coefficients(self, R: Array, Z: Array, E: Array, z: Array) -> tuple[Array, ...]:
        """Return cotangents of r, z, n, h and m, given those of R, Z, E and z."""
        r, z_, n, h, m = self._gates
        slope = z_ * (1 - z_)
        r_bar = R * (1 - 2 * r) * m
        z_bar = z + Z * (1 - 2 * z_) * (h - n) - E * (1 - n * n)
        n_bar = -Z * slope - 2 * E * (1 - z_) * n
        return r_bar, z_bar, n_bar, Z * slope, R * r * (1 - r)


class ResetAfter(GRUOrbit):
    """A stretch of trajectory of the convention of PyTorch; see `Orbit` and `GatedOrbit`."""

    def __init__(self, cell: GatedCell, x: Array, inputs: Array | None, n_steps: int) -> None:
        self.c = cell.params["c"]
        super().__init__(cell, x, inputs, n_steps)

    def _linearise(self) -> None:
        super()._linearise()
        self.A = [self.E * self.R, self.Z, self.E * self.r]

    @cached_property
    def mixture(self) -> Mixture:
        r"""Jacobians :math:`\mathrm{diag}(z) + \sum_g \mathrm{diag}(A_g) W_g`."""
        return Mixture(np.stack(self.A, axis=-1)[..., None, :, :], self.W, self.z)

    def _candidate(self, a: Array, h: Array, drive: Array, reset: Array) -> None:
        n = self.n
        rowwise(h, self.transposed, out=a)
        gates, candidate = a[..., : 2 * n], a[..., 2 * n :]
        np.add(candidate, self.c, out=reset)
        gates += drive[..., : 2 * n]
        expit(gates, out=gates)
        np.multiply(reset, a[..., :n], out=candidate)
        candidate += drive[..., 2 * n :]

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry tangent vectors through step s."""
        if self._dense(rows):
            times(rows, self.mixture.step(s).swapaxes(-1, -2), out=out)
            return
        n = self.n
        gates = self._room("gates", (*rows.shape[:-1], 3 * n))
        times(rows, self.transposed, out=gates)
        gates *= self.stacked[s]
        np.multiply(rows, self.z[s][..., None, :], out=out)
        for j in range(3):
            out += gates[..., j * n : (j + 1) * n]

    def pull(self, s: int, rows: Array, out: Array, forward: Array | None = None) -> None:
        """Carry cotangent vectors back through step s."""
        if self._dense(rows):
            times(rows, self.mixture.step(s), out=out)
            return
        gates = self._room("gates", (*rows.shape[:-1], 3 * self.n))
        self._into((rows, rows, rows), s, gates)
        times(gates, self.W, out=out)
        kept = self._room("kept", rows.shape)
        out += np.multiply(rows, self.z[s][..., None, :], out=kept)

    def tangent_adjoint(self, rows: Array, rows_bar: Array) -> Cotangent:
        """Differentiate in the coefficients, hence gates and states, and in the weights."""
        mix_bar, W_bar, kept = self.mixture.adjoint(rows_bar, rows)
        along_r, Z_bar, along_n = np.ascontiguousarray(np.moveaxis(mix_bar[..., 0, :, :], -1, 0))
        return self._through(along_r, Z_bar, along_n, kept, W_bar)

    def _through(
        self, along_r: Array, Z_bar: Array, along_n: Array, kept: Array, W_bar: Array
    ) -> Cotangent:
        """Return all cotangents, given those of the coefficients and what W has got."""
        E_bar = along_r * self.R + along_n * self.r
        r, z, n_bar, h, m = self._through_coefficients(along_r * self.E, Z_bar, E_bar, kept)
        r += along_n * self.E
        gates = self._gates
        s = n_bar * (1 - gates[2] ** 2)
        r += s * gates[4]
        m += s * gates[0]
        r *= gates[0] * (1 - gates[0])
        z *= gates[1] * (1 - gates[1])
        recurrent = np.concatenate([r, z, m], axis=-1)
        inputs, params = self._into_gates(recurrent, np.concatenate([r, z, s], axis=-1))
        params["W"] += W_bar
        params["c"] = unbroadcast(m, self.c.shape)
        h += times(recurrent[..., None, :], self.W)[..., 0, :]
        return Cotangent(h, inputs, params)

    def _driven(self, received: Array) -> tuple[Array, Array, dict[str, Array]]:
        n = self.n
        recurrent = np.empty((*received.shape[:-1], 3 * n))
        rows = received[..., None, :]
        self._into((rows, rows, rows), slice(None), recurrent[..., None, :])
        drive = recurrent.copy()
        np.multiply(received, self.E, out=drive[..., 2 * n :])
        return recurrent, drive, {"c": unbroadcast(recurrent[..., 2 * n :], self.c.shape)}


class ResetBefore(GRUOrbit):
    """A stretch of trajectory of the original convention; see `Orbit` and `GatedOrbit`.

    The candidate's weights act on r h, not on h: two products follow each other.
    """

    def __init__(self, cell: GatedCell, x: Array, inputs: Array | None, n_steps: int) -> None:
        n = cell.units
        W = cell.params["W"]
        self.W_rz, self.W_n = W[..., : 2 * n, :], W[..., 2 * n :, :]
        self.transposed_rz, self.transposed_n = transposed(self.W_rz), transposed(self.W_n)
        super().__init__(cell, x, inputs, n_steps)

    def _candidate(self, a: Array, h: Array, drive: Array, reset: Array) -> None:
        n = self.n
        gates = times(h[..., None, :], self.transposed_rz)[..., 0, :] + drive[..., : 2 * n]
        expit(gates, out=a[..., : 2 * n])
        reset[...] = h
        candidate = times((a[..., :n] * h)[..., None, :], self.transposed_n)[..., 0, :]
        np.add(candidate, drive[..., 2 * n :], out=a[..., 2 * n :])

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry tangent vectors through step s."""
        z_gate, inner = self._inner(rows, s)
        times(inner, self.transposed_n, out=out)
        out *= self.E[s][..., None, :]
        z_gate *= self.Z[s][..., None, :]
        out += z_gate
        out += self.z[s][..., None, :] * rows

    def _inner(self, rows: Array, at: int | slice) -> tuple[Array, Array]:
        """Return the tangent vectors of the argument of z, and of r h."""
        gates = times(rows, self.transposed_rz)
        inner = rows * self.r[at][..., None, :]
        inner += self.R[at][..., None, :] * gates[..., : self.n]
        return gates[..., self.n :], inner

    def pull(self, s: int, rows: Array, out: Array, forward: Array | None = None) -> None:
        """Carry cotangent vectors back through step s."""
        gates, _, inner = self._received(rows, s)
        times(gates, self.W_rz, out=out)
        out += self.z[s][..., None, :] * rows
        out += self.r[s][..., None, :] * inner

    def _received(self, rows: Array, at: int | slice) -> tuple[Array, Array, Array]:
        """Return what the arguments of r and z, that of n, and r h receive."""
        n = self.n
        argument = rows * self.E[at][..., None, :]
        inner = times(argument, self.W_n)
        gates = np.empty((*rows.shape[:-1], 2 * n))
        np.multiply(inner, self.R[at][..., None, :], out=gates[..., :n])
        np.multiply(rows, self.Z[at][..., None, :], out=gates[..., n:])
        return gates, argument, inner

    def tangent_adjoint(self, rows: Array, rows_bar: Array) -> Cotangent:
        """Differentiate in the coefficients, hence gates and states, and in the weights."""
        n = self.n
        r_bar, R_bar, z_bar, Z_bar, E_bar = np.empty((5, *self.z.shape))
        W_bar = np.zeros(self.W.shape)
        W_r, W_z, W_n = (self.W[..., j * n : (j + 1) * n, :] for j in range(3))
        for at in parts(self.n_steps, part_length(self._size, self.W.size)):
            here, bar = rows[at], rows_bar[at]
            inner = here * self.r[at][..., None, :]
            inner += self.R[at][..., None, :] * times(here, self.transposed_rz[..., :n])
            inner_bar = times(bar * self.E[at][..., None, :], W_n)
            z_bar[at], r_bar[at] = overlap(bar, here), overlap(inner_bar, here)
            for j, (A, A_bar, W, a, b) in enumerate(
                (
                    (self.R, R_bar, W_r, inner_bar, here),
                    (self.Z, Z_bar, W_z, bar, here),
                    (self.E, E_bar, W_n, bar, inner),
                )
            ):
                mix_bar, more, _ = Mixture(A[at][..., None, :, None], W).adjoint(a, b)
                A_bar[at] = mix_bar[..., 0, :, 0]
                W_bar[..., j * n : (j + 1) * n, :] += more
        return self._through(R_bar, Z_bar, r_bar, E_bar, z_bar, W_bar)

    def _through(
        self, R_bar: Array, Z_bar: Array, r_bar: Array, E_bar: Array, z_bar: Array, W_bar: Array
    ) -> Cotangent:
        """Return all cotangents, given those of the coefficients and what W has got."""
        r, z, n_bar, h, m = self._through_coefficients(R_bar, Z_bar, E_bar, z_bar)
        r += r_bar
        r_, z_, n_, h_, _ = self._gates
        s = n_bar * (1 - n_ * n_)
        inner_bar = times(s[..., None, :], self.W_n)[..., 0, :]
        r += inner_bar * h_
        gates = np.concatenate([r * r_ * (1 - r_), z * z_ * (1 - z_)], axis=-1)
        inputs, params = self._into_gates(gates, np.concatenate([gates, s], axis=-1))
        params["W"] += W_bar
        h += m + inner_bar * r_
        h += times(gates[..., None, :], self.W_rz)[..., 0, :]
        return Cotangent(h, inputs, params)

    def _into_gates(self, recurrent: Array, drive: Array) -> tuple[Array | None, dict[str, Array]]:
        """Give the candidate's weights their own factor, r h."""
        n = self.n
        inputs, params = super()._into_gates(drive, drive)
        left, right = drive[..., None, 2 * n :], (self.r * self.states[:-1])[..., None, :]
        params["W"][..., 2 * n :, :] = contract(left, right, self.W_n.shape)
        return inputs, params

    def _driven(self, received: Array) -> tuple[Array, Array, dict[str, Array]]:
        gates, argument, _ = self._received(received[..., None, :], slice(0, self.n_steps))
        drive = np.concatenate([gates, argument], axis=-1)[..., 0, :]
        return drive, drive, {}
