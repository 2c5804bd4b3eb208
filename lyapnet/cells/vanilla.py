"""The vanilla recurrent network of eq. 9."""

from __future__ import annotations

import copy
from typing import Any, ClassVar, Self

import autograd.numpy as anp
import numpy as np

from .. import validate
from ..numerics.arrays import Array, ArrayLike, Seed
from ..numerics.autodiff import value
from ..results.storage import register
from ..systems.engine import ONE_NETWORK, engine_for, missing
from ..systems.orbit import Orbit
from .activation import ACTIVATIONS, Activation, as_activation
from .cell import Cell, checked_leak, parameter
from .vanilla_orbit import vanilla_orbit


@register
class VanillaRNN(Cell):
    r"""A vanilla recurrent network, in pre-activations.

    .. math:: h_{s+1} = (1 - \alpha) h_s + \alpha\,(W \phi(h_s) + V u_{s+1} + b)

    Parameters
    ----------
    W : array (..., n, n)
        Recurrent weights.
    V : array (..., n, m) or None
        Input weights; none for an autonomous network.
    b : array (..., n) or None
        Biases, zero if None.
    activation : {"tanh", "relu", "linear"} or object, optional
        :math:`\phi`: a name, an `Activation`, or any object with a function and its
        `derivative`.
    leak : float, optional
        :math:`\alpha`, in (0, 1].

    Notes
    -----
    The leak is that of the pre-activations h. A leaky echo-state network is written in
    activations instead, :math:`x' = (1 - \alpha) x + \alpha \tanh(W x + V u + b)`. With
    :math:`\alpha = 1` the two have the same exponents, as x is tanh h one step later; with a
    smaller one they are different systems with different exponents. The latter is, with
    `autograd.numpy` as ``np``, a map of its own:
    ``Map(lambda x, u: (1 - a) * x + a * np.tanh(np.dot(W, x) + np.dot(V, u) + b), n, n_inputs=m)``.

    References
    ----------
    R. Engelken, "Gradient Flossing", NeurIPS 2023, eq. 9.

    Examples
    --------
    >>> import numpy as np
    >>> import lyapnet as ln
    >>> cell = ln.VanillaRNN(np.diag([0.5, 0.25]), None, None, activation="linear")
    >>> cell.step(np.array([1.0, 1.0]))
    array([0.5 , 0.25])
    """

    _axes: ClassVar[dict[str, int]] = {"W": 2, "V": 2, "b": 1}

    def __init__(
        self,
        W: Any,
        V: Any = None,
        b: Any = None,
        *,
        activation: str | Activation = "tanh",
        leak: float = 1.0,
    ) -> None:
        W = parameter("W", W, 2)
        n = np.shape(value(W))[-1]
        V = np.zeros((n, 0)) if V is None else parameter("V", V, 2)
        b = np.zeros(n) if b is None else parameter("b", b, 1)
        for name, x, shape in (("W", W, (n, n)), ("V", V, (n, "m")), ("b", b, (n,))):
            got = np.shape(value(x))
            fits = zip(shape, got[-len(shape) :], strict=True)
            if n == 0 or any(want not in ("m", size) for want, size in fits):
                want = ", ".join(map(str, shape))
                raise ValueError(f"`{name}` must have shape (..., {want}), got {got}")
        self.params = {"W": W, "V": V, "b": b}
        self.dim = n
        self.n_inputs = np.shape(value(V))[-1]
        self.activation = as_activation(activation)
        self.leak = checked_leak(leak)
        self.networks  # noqa: B018 - refuses parameters whose ensembles do not match

    def _with(self, params: dict[str, Any]) -> Self:
        return type(self)(**params, activation=self.activation, leak=self.leak)

    def _remarkable(self) -> dict[str, Any]:
        name = self.activation.name
        shown = {} if name == "tanh" else {"activation": repr(name)}
        return shown if self.leak == 1 else {**shown, "leak": self.leak}

    def _options(self) -> dict[str, Any]:
        if self.activation.name not in ACTIVATIONS:
            raise ValueError("a custom activation cannot be saved: save `params`, and rebuild it")
        return {"activation": self.activation.name, "leak": self.leak}

    @classmethod
    def random(
        cls,
        n: int,
        *,
        gain: ArrayLike = 1.0,
        n_inputs: int = 1,
        init: str = "gaussian",
        mean: float = 0.0,
        bias: float = 0.0,
        activation: str | Activation = "tanh",
        leak: float = 1.0,
        rng: Seed = None,
    ) -> Self:
        r"""Draw a random network.

        Parameters
        ----------
        n : int
            Number of units.
        gain : float or array (...), optional
            g: weights are drawn from :math:`N(\mathrm{mean}, g^2 / n)`. That of mean-field
            criticality is `critical_gain`'s. An array gives an ensemble: the same draw, scaled.
        n_inputs : int, optional
            Number of inputs m; input weights are standard normal.
        init : {"gaussian", "orthogonal"}, optional
            "orthogonal" takes g times a random orthogonal matrix, uniform over the group.
        mean : float, optional
            Mean of each recurrent weight (negative in the paper's ReLU networks).
        bias : float, optional
            Biases are uniform in [0, `bias`); the paper's tasks use 0.1.
        activation, leak
            As for the class.
        rng : None, int or Generator, optional
            Draws the weights, input weights and biases, in this order. An integer is a seed.

        Examples
        --------
        >>> import lyapnet as ln
        >>> ln.VanillaRNN.random(80, gain=1.2, rng=0)
        VanillaRNN(dim=80, n_inputs=1)
        >>> ln.VanillaRNN.random(80, gain=[0.9, 1.0, 1.1], rng=0).params["W"].shape
        (3, 80, 80)
        """
        n = validate.integer("n", n, low=1)
        n_inputs = validate.integer("n_inputs", n_inputs, low=0)
        gains = validate.nonnegative("gain", gain)[..., None, None]
        mean = validate.real("mean", mean)
        bias = validate.real("bias", bias)
        validate.option("init", init, ("gaussian", "orthogonal"))
        rng = validate.generator(rng)
        W = rng.standard_normal((n, n))
        if init == "orthogonal":
            Q, R = np.linalg.qr(W)
            W = Q * np.sign(np.diag(R))  # the signs make it uniform: Mezzadri, Notices AMS 2007
        else:
            W /= np.sqrt(n)
        V = rng.standard_normal((n, n_inputs))
        b = bias * rng.random(n)
        return cls(gains * W + mean, V, b, activation=activation, leak=leak)

    def step(self, x: Array, u: Array | None = None) -> Array:
        """Return the next state ``(..., n)``; without an input, under zero input."""
        W, V, b = (self.params[name] for name in "WVb")
        drive = b if u is None else _apply(V, u) + b
        return (1 - self.leak) * x + self.leak * (_apply(W, self.activation.function(x)) + drive)

    def jacobian(self, x: Array, u: Array | None = None) -> Array:
        r"""Return :math:`(1 - \alpha) I + \alpha W \mathrm{diag}(\phi'(h))`, ``(..., n, n)``."""
        slope = self.leak * self.activation.derivative(x)
        return (1 - self.leak) * np.eye(self.dim) + self.params["W"] * slope[..., None, :]

    def pushforward(self, x: Array, Q: Array, u: Array | None = None) -> Array:
        """Return the Jacobian times ``Q (..., n, k)`` without forming it."""
        slope = self.leak * self.activation.derivative(x)
        return (1 - self.leak) * Q + anp.matmul(self.params["W"], slope[..., None] * Q)

    @property
    def n_outputs(self) -> int:
        """Number of units."""
        return self.dim

    def output(self, x: Array) -> Array:
        r"""Return the activation :math:`\phi(h)`, the hidden state of other frameworks."""
        return self.activation.function(x)

    def output_pushforward(self, x: Array, Q: Array) -> Array:
        r"""Return :math:`\mathrm{diag}(\phi'(h))\,Q`."""
        return self.activation.derivative(x)[..., None] * Q

    def output_pullback(self, x: Array, bar: Array) -> Array:
        r"""Return :math:`\mathrm{diag}(\phi'(h))` times cotangents."""
        return np.asarray(self.activation.derivative(x)) * bar

    def input_jacobian(self, x: Array, u: Array | None = None) -> Array:
        r"""Return :math:`\alpha V`, ``(..., n, m)``, the same at all states."""
        return self.leak * self.params["V"]

    def cannot_compile(self) -> str:
        """Return why the network cannot be run by compiled loops, nothing if it can."""
        if reason := missing():
            return reason
        if self.networks:
            return ONE_NETWORK
        if self.activation.name not in ACTIVATIONS:
            return "its activation is not one that compiled loops know"
        return ""

    def prepared(self, x: Array, inputs: Array | None, k: int, n_steps: int) -> Self:
        """Return the network with compiled loops where they pay; see `System.prepared`."""
        return self.with_loops(k, n_steps)

    def with_loops(self, k: int, n_steps: int) -> Self:
        """Return the network with compiled loops where they pay; see `System.with_loops`."""
        other = copy.copy(self)
        other.engine_used = engine_for(self, self.dim * k, n_steps)
        return other

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `System.orbit`."""
        return vanilla_orbit(self, x, inputs, n_steps)


def _apply(W: Any, x: Any) -> Any:
    """Multiply states ``(..., n)`` by weights that one or all networks have."""
    if np.ndim(value(W)) == 2:
        return anp.dot(x, W.T)
    return anp.matmul(W, x[..., None])[..., 0]
