"""The long short-term memory network of eqs. 12 to 17."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import autograd.numpy as anp
import numpy as np

from ..numerics.arrays import Array, ArrayLike, Seed
from ..numerics.steady import sech2
from ..results.storage import register
from ..systems.orbit import Orbit
from .gated import GatedCell, apply, sigmoid
from .lstm_orbit import LSTMOrbit, coefficients


@register
class LSTM(GatedCell):
    r"""A long short-term memory network, with state :math:`(h, c)`.

    .. math::

        i &= \sigma(W_i h + V_i u + b_i), & f &= \sigma(W_f h + V_f u + b_f), \\
        g &= \tanh(W_g h + V_g u + b_g),  & o &= \sigma(W_o h + V_o u + b_o), \\
        c' &= f c + i g,                  & h' &= o \tanh c'

    Both h and c are dynamic variables: `dim` is 2N, and a state has h in its first half.

    Parameters
    ----------
    W : array (..., 4N, N)
        Recurrent weights, gates stacked in the order i, f, g, o of PyTorch and Keras
        (PyTorch's ``weight_hh``, the transpose of Keras' ``recurrent_kernel``).
    V : array (..., 4N, m) or None
        Input weights (``weight_ih``, the transpose of ``kernel``); none if autonomous.
    b : array (..., 4N) or None
        Biases (``bias_ih + bias_hh``, or ``bias``), zero if None.

    References
    ----------
    S. Hochreiter and J. Schmidhuber, Neural Comput. 9, 1735 (1997); F. A. Gers, J. Schmidhuber
    and F. Cummins, Neural Comput. 12, 2451 (2000), for the forget gate; R. Engelken, "Gradient
    Flossing", NeurIPS 2023, eqs. 12 to 17.

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> cell = ln.LSTM(np.zeros((4, 1)))  # one unit, gates half open, nothing new comes in
    >>> cell.step(np.array([0.0, 1.0]))  # c halves, h = tanh(c) / 2
    array([0.23105858, 0.5       ])
    """

    gates: ClassVar[str] = "ifgo"
    gate_names: ClassVar[tuple[str, ...]] = ("input", "forget", "cell", "output")

    def __init__(
        self, W: ArrayLike, V: ArrayLike | None = None, b: ArrayLike | None = None
    ) -> None:
        self._set(W, V, b)
        self.dim = 2 * self.units

    def _with(self, params: dict[str, Any]) -> Self:
        return type(self)(**params)

    @classmethod
    def random(
        cls,
        n: int,
        *,
        gain: float = 1.0,
        n_inputs: int = 1,
        init: str = "gaussian",
        mean: float = 0.0,
        bias: float | str | Mapping[str, float] = 0.0,
        t_max: float | None = None,
        rng: Seed = None,
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
        bias : float, dict or {"open", "chrono", "uniform"}, optional
            A number: biases are uniform in [0, `bias`); 1 gives those of the
            paper's appendix B, but one for each unit.
            By gate, of "input", "forget", "cell" and "output": ``{"forget": 1.0}``, a
            number for all units or a pair (low, high) to draw between; zero for the gates left
            out. "open": 4 for the input and the output and -4 for the forget gate, so that the
            network is nearly a vanilla one: what to take before `floss`.
            "chrono" [1]_: those of the forget gate are the logarithm of a number
            uniform in [1, t_max - 1], and those of the input gate their negative, so that
            memories of up to about `t_max` steps are there from the start. "uniform" [2]_: so
            that the forget gate is uniform in [1/N, 1 - 1/N], and the input gate's the negative.
        t_max : float, optional
            For "chrono", in steps.
        rng : None, int or Generator, optional

        References
        ----------
        .. [1] C. Tallec and Y. Ollivier, "Can recurrent neural networks warp time?", ICLR 2018.
        .. [2] A. Gu et al., "Improving the gating mechanism of recurrent neural networks",
           ICML 2020.

        Examples
        --------
        >>> import lyapnet as ln
        >>> ln.LSTM.random(32, bias=1.0, rng=0)
        LSTM(dim=64, n_inputs=1)
        """
        return cls._draw(n, gain, n_inputs, init, mean, bias, t_max, rng)

    def _values(self, x: Any, u: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Return i, f, g, o, c, tanh c', and 1 - i, 1 - f, 1 - g**2, 1 - o, 1 - tanh(c')**2."""
        h, c = x[..., : self.units], x[..., self.units :]
        i_, f_, g_, o_ = self._split(apply(self.params["W"], h) + self._drive(u))
        i, f, g, o = sigmoid(i_), sigmoid(f_), anp.tanh(g_), sigmoid(o_)
        new = f * c + i * g
        slopes = sigmoid(-i_), sigmoid(-f_), sech2(g_), sigmoid(-o_), sech2(new)
        return (i, f, g, o, c, anp.tanh(new)), slopes

    def step(self, x: Array, u: Array | None = None) -> Array:
        """Return the next state ``(..., 2N)``; without an input, under zero input."""
        i, f, g, o, c, t = self._values(x, u)[0]
        return anp.concatenate([o * t, f * c + i * g], axis=-1)

    def jacobian(self, x: Array, u: Array | None = None) -> Array:
        """Return the Jacobian of (h', c') in (h, c), ``(..., 2N, 2N)``."""
        i, f, g, o, s, f_diag = (k[..., None] for k in coefficients(*self._values(x, u)))
        W_i, W_f, W_g, W_o = self._blocks()
        unit = np.eye(self.units)
        cell = anp.concatenate([i * W_i + f * W_f + g * W_g, f_diag * unit], axis=-1)
        out = anp.concatenate([o * W_o, anp.zeros(np.shape(o)) * unit], axis=-1)
        return anp.concatenate([out + s * cell, cell], axis=-2)

    def pushforward(self, x: Array, Q: Array, u: Array | None = None) -> Array:
        """Return the Jacobian times ``Q (..., 2N, k)`` without forming it."""
        n = self.units
        i, f, g, o, s, f_diag = (k[..., None] for k in coefficients(*self._values(x, u)))
        along = anp.matmul(self.params["W"], Q[..., :n, :])
        cell = (
            i * along[..., :n, :]
            + f * along[..., n : 2 * n, :]
            + g * along[..., 2 * n : 3 * n, :]
            + f_diag * Q[..., n:, :]
        )
        return anp.concatenate([o * along[..., 3 * n :, :] + s * cell, cell], axis=-2)

    def input_jacobian(self, x: Array, u: Array | None = None) -> Array:
        """Return the Jacobian of (h', c') in the input, ``(..., 2N, m)``."""
        i, f, g, o, s, _ = (k[..., None] for k in coefficients(*self._values(x, u)))
        V_i, V_f, V_g, V_o = self._blocks("V")
        cell = i * V_i + f * V_f + g * V_g
        return anp.concatenate([o * V_o + s * cell, cell], axis=-2)

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `System.orbit`."""
        if self._loops(x, n_steps):
            from .gated_compiled import CompiledLSTM

            return CompiledLSTM(self, x, inputs, n_steps)
        return LSTMOrbit(self, x, inputs, n_steps)
