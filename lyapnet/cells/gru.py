"""The gated recurrent unit, with both conventions of its reset gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import autograd.numpy as anp
import numpy as np

from .. import validate
from ..numerics.arrays import Array, ArrayLike, Seed
from ..numerics.steady import sech2
from ..results.storage import register
from ..systems.orbit import Orbit
from .gated import GatedCell, apply, sigmoid
from .gru_orbit import GRUOrbit, ResetAfter, ResetBefore, coefficients


@register
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
        self,
        W: ArrayLike,
        V: ArrayLike | None = None,
        b: ArrayLike | None = None,
        *,
        c: ArrayLike | None = None,
        reset_after: bool = True,
    ) -> None:
        self.reset_after = validate.flag("reset_after", reset_after)
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
        bias: float | str | Mapping[str, float] = 0.0,
        t_max: float | None = None,
        reset_after: bool = True,
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
            A number: biases are uniform in [0, `bias`); c is zero.
            By gate, of "reset", "update" and "new": ``{"update": -2.0, "reset": 2.0}``, a
            number for all units or a pair (low, high) to draw between; zero for the gates left
            out. "open": 4 for the reset and -4 for the update gate, so that the network is nearly a
            vanilla one: what to take before `floss`.
            "chrono" [1]_: those of the update gate are the logarithm of a number
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

    def step(self, x: Array, u: Array | None = None) -> Array:
        """Return the next state ``(..., N)``; without an input, under zero input."""
        _, z, n, h, _ = self._values(x, u)[0]
        return (1 - z) * n + z * h

    def jacobian(self, x: Array, u: Array | None = None) -> Array:
        """Return the Jacobian of `step` in the state, ``(..., N, N)``."""
        return self._tangent(x, u, np.eye(self.dim), self._blocks())

    def pushforward(self, x: Array, Q: Array, u: Array | None = None) -> Array:
        """Return the Jacobian times ``Q (..., N, k)`` without forming it."""
        return self._tangent(x, u, Q, [anp.matmul(W, Q) for W in self._blocks()])

    def _tangent(self, x: Any, u: Any, Q: Any, along: list[Any]) -> Any:
        """Return the Jacobian times Q, given the weights of r, z and n times Q."""
        R, Z, E, r, z = (k[..., None] for k in coefficients(*self._values(x, u)))
        if self.reset_after:
            inner = r * along[2] + R * along[0]
        else:
            inner = anp.matmul(self._blocks()[2], r * Q + R * along[0])
        return z * Q + Z * along[1] + E * inner

    def input_jacobian(self, x: Array, u: Array | None = None) -> Array:
        """Return the Jacobian of `step` in the input, ``(..., N, m)``."""
        R, Z, E, _, _ = (k[..., None] for k in coefficients(*self._values(x, u)))
        V_r, V_z, V_n = self._blocks("V")
        inner = R * V_r if self.reset_after else anp.matmul(self._blocks()[2], R * V_r)
        return Z * V_z + E * (V_n + inner)

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `System.orbit`."""
        kind: type[GRUOrbit] = ResetAfter if self.reset_after else ResetBefore
        if self._loops(x, n_steps):
            from .gated_compiled import CompiledAfter, CompiledBefore

            kind = CompiledAfter if self.reset_after else CompiledBefore
        return kind(self, x, inputs, n_steps)
