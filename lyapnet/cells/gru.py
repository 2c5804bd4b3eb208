"""The gated recurrent unit, with both conventions of its reset gate."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, Self

import autograd.numpy as anp
import numpy as np
from scipy.special import expit

from ..linalg import Array, unbroadcast
from ..orbit import Cotangent, Orbit
from .activation import sech2
from .base import contract, overlap, times, transposed
from .gates import GatedCell, GatedOrbit, apply, rowwise, sigmoid
from .mixture import Mixture, part_length, parts


class GRU(GatedCell):
    r"""A network of gated recurrent units.

    .. math::

        r &= \sigma(W_r h + V_r u + b_r), \qquad z = \sigma(W_z h + V_z u + b_z), \\
        n &= \tanh(V_n u + b_n + r\,(W_n h + c)) \quad \text{or} \quad
        n = \tanh(V_n u + b_n + W_n (r h)), \\
        h' &= (1 - z)\, n + z h

    Parameters
    ----------
    W : array (..., 3N, N)
        Recurrent weights, gates stacked in the order r, z, n of PyTorch (its ``weight_hh``;
        Keras stacks z, r, n, in columns).
    V : array (..., 3N, m) or None
        Input weights (``weight_ih``, the transpose of ``kernel``); none if autonomous.
    b : array (..., 3N) or None
        Biases, zero if None: for r and z the sum of both frameworks' two biases, for n the
        input bias.
    c : array (..., N) or None, optional
        Recurrent bias of the candidate n, zero if None; only with `reset_after`.
    reset_after : bool, optional
        Whether the reset gate acts after the recurrent product, as in PyTorch and by default
        in Keras, or before it, as in [1]_.

    References
    ----------
    .. [1] K. Cho et al., "Learning phrase representations using RNN encoder-decoder",
       arXiv:1406.1078 (2014).

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> cell = ln.GRU(np.zeros((3, 1)))  # one unit, gates half open, nothing new comes in
    >>> cell.step(np.array([1.0]))
    array([0.5])
    """

    gates: ClassVar[str] = "rzn"
    gate_names: ClassVar[tuple[str, ...]] = ("reset", "update", "new")

    def __init__(
        self, W: Any, V: Any = None, b: Any = None, *, c: Any = None, reset_after: bool = True
    ) -> None:
        if not isinstance(reset_after, bool | np.bool_):
            raise TypeError(f"`reset_after` must be True or False, got {reset_after!r}")
        self.reset_after = bool(reset_after)
        if not self.reset_after and c is not None:
            raise ValueError("`c` has no place with reset_after=False: add it to `b`")
        self._set(W, V, b, **({"c": c} if self.reset_after else {}))
        self.dim = self.units

    @property
    def _axes(self) -> dict[str, int]:  # type: ignore[override]  # not the same for all cells
        more = {"c": 1} if self.reset_after else {}
        return {**GatedCell._axes, **more}

    def _with(self, params: dict[str, Any]) -> Self:
        return type(self)(**params, reset_after=self.reset_after)

    def _remarkable(self) -> dict[str, Any]:
        return {} if self.reset_after else {"reset_after": False}

    def _options(self) -> dict[str, Any]:
        return {"reset_after": self.reset_after}

    @classmethod
    def random(
        cls,
        n: int,
        *,
        gain: float = 1.0,
        n_inputs: int = 1,
        init: str = "gaussian",
        mean: float = 0.0,
        bias: Any = 0.0,
        t_max: float | None = None,
        reset_after: bool = True,
        rng: Any = None,
    ) -> Self:
        r"""Draw a random network of n units.

        Parameters
        ----------
        n : int
            Number of units N.
        gain : float, optional
            g: weights of each gate are drawn from :math:`N(\mathrm{mean}, g^2 / N)`.
        n_inputs : int, optional
            Number of inputs m; input weights are standard normal.
        init : {"gaussian", "orthogonal"}, optional
            "orthogonal" takes g times a random orthogonal matrix for each gate.
        mean : float, optional
            Mean of each recurrent weight.
        bias : float, dict or {"chrono", "uniform"}, optional
            A number: biases are uniform in [0, `bias`); c is zero.
            By gate, of "reset", "update" and "new": ``{"update": -2.0, "reset": 2.0}``, a
            number for all units or a pair (low, high) to draw between; zero for the gates left
            out. "chrono" [1]_: those of the update gate are the logarithm of a number
            uniform in [1, t_max - 1], so that memories of up to about `t_max`
            steps are there from the start. "uniform" [2]_: so that the update gate is
            uniform in [1/N, 1 - 1/N].
        t_max : float, optional
            For "chrono", in steps.
        reset_after : bool, optional
            As for the class.
        rng : None, int or Generator, optional

        References
        ----------
        .. [1] C. Tallec and Y. Ollivier, "Can recurrent neural networks warp time?", ICLR 2018.
        .. [2] A. Gu et al., "Improving the gating mechanism of recurrent neural networks",
           ICML 2020.

        Examples
        --------
        >>> import lyapnet as ln
        >>> ln.GRU.random(32, gain=3.0, rng=0)
        GRU(dim=32, n_inputs=1)
        """
        drawn = cls._draw(n, gain, n_inputs, init, mean, bias, t_max, rng).params
        return cls(drawn["W"], drawn["V"], drawn["b"], reset_after=reset_after)

    def _values(self, h: Any, u: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Return r, z, n, h, m, which r multiplies, and 1 - r, 1 - z, 1 - n**2."""
        drive = self._drive(u)
        if self.reset_after:
            r, z, m = self._split(apply(self.params["W"], h))
            m = m + self.params["c"]
        else:
            r, z = self._split(apply(self.params["W"][..., : 2 * self.units, :], h))
            m = h
        r_drive, z_drive, n_drive = self._split(drive)
        r_, z_ = r + r_drive, z + z_drive
        r, z = sigmoid(r_), sigmoid(z_)
        n_ = n_drive + (r * m if self.reset_after else apply(self._blocks()[2], r * m))
        return (r, z, anp.tanh(n_), h, m), (sigmoid(-r_), sigmoid(-z_), sech2(n_))

    def step(self, x: Any, u: Any = None) -> Any:
        """Return the next state ``(..., N)``; without an input, under zero input."""
        _, z, n, h, _ = self._values(x, u)[0]
        return (1 - z) * n + z * h

    def jacobian(self, x: Any, u: Any = None) -> Any:
        """Return the Jacobian of `step` in the state, ``(..., N, N)``."""
        return self._tangent(x, u, np.eye(self.dim), self._blocks())

    def pushforward(self, x: Any, Q: Any, u: Any = None) -> Any:
        """Return the Jacobian times ``Q (..., N, k)`` without forming it."""
        return self._tangent(x, u, Q, [anp.matmul(W, Q) for W in self._blocks()])

    def _tangent(self, x: Any, u: Any, Q: Any, along: list[Any]) -> Any:
        """Return the Jacobian times Q, given the weights of r, z and n times Q."""
        R, Z, E, r, z = (k[..., None] for k in _coefficients(*self._values(x, u)))
        if self.reset_after:
            inner = r * along[2] + R * along[0]
        else:
            inner = anp.matmul(self._blocks()[2], r * Q + R * along[0])
        return z * Q + Z * along[1] + E * inner

    def input_jacobian(self, x: Any, u: Any = None) -> Any:
        """Return the Jacobian of `step` in the input, ``(..., N, m)``."""
        R, Z, E, _, _ = (k[..., None] for k in _coefficients(*self._values(x, u)))
        V_r, V_z, V_n = self._blocks("V")
        inner = R * V_r if self.reset_after else anp.matmul(self._blocks()[2], R * V_r)
        return Z * V_z + E * (V_n + inner)

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `System.orbit`."""
        kind = _ResetAfter if self.reset_after else _ResetBefore
        return kind(self, x, inputs, n_steps)


def _coefficients(gates: tuple[Any, ...], slopes: tuple[Any, ...]) -> tuple[Any, ...]:
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


class _GRUOrbit(GatedOrbit):
    """What both conventions share: the run, and the cotangents of gates and coefficients."""

    def __init__(self, cell: GRU, x: Array, inputs: Array | None, n_steps: int) -> None:
        super().__init__(cell, x, inputs, n_steps)
        self._gates = (*self.values, self.states[:-1], self.reset)
        r, z, n, _, _ = self._gates
        slopes = self._resolved(1 - r, 1 - z, 1 - n * n)
        self.R, self.Z, self.E, self.r, self.z = _coefficients(self._gates, slopes)

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


class _ResetAfter(_GRUOrbit):
    """A stretch of trajectory of the convention of PyTorch; see `Orbit` and `GatedOrbit`."""

    def __init__(self, cell: GRU, x: Array, inputs: Array | None, n_steps: int) -> None:
        self.c = cell.params["c"]
        super().__init__(cell, x, inputs, n_steps)
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


class _ResetBefore(_GRUOrbit):
    """A stretch of trajectory of the original convention; see `Orbit` and `GatedOrbit`.

    The candidate's weights act on r h, not on h: two products follow each other.
    """

    def __init__(self, cell: GRU, x: Array, inputs: Array | None, n_steps: int) -> None:
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
