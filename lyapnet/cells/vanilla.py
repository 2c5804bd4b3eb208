"""The vanilla recurrent network of eq. 9."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import autograd.numpy as anp
import numpy as np

from .. import validate
from ..autodiff import value
from ..buffers import empty
from ..linalg import Array, unbroadcast
from ..orbit import Cotangent, Orbit
from .activation import ACTIVATIONS, as_activation
from .base import Cell, contract, overlap, parameter, times, transposed


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
        self, W: Any, V: Any = None, b: Any = None, *, activation: Any = "tanh", leak: float = 1.0
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
        self.leak = validate.real("leak", leak, positive=True)
        if self.leak > 1:
            raise ValueError(f"`leak` must lie in (0, 1], got {leak}")
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
        gain: float = 1.0,
        n_inputs: int = 1,
        init: str = "gaussian",
        mean: float = 0.0,
        bias: float = 0.0,
        activation: Any = "tanh",
        leak: float = 1.0,
        rng: Any = None,
    ) -> Self:
        r"""Draw a random network.

        Parameters
        ----------
        n : int
            Number of units.
        gain : float, optional
            g: weights are drawn from :math:`N(\mathrm{mean}, g^2 / n)`. That of mean-field
            criticality is `critical_gain`'s.
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

        Examples
        --------
        >>> import lyapnet as ln
        >>> ln.VanillaRNN.random(80, gain=1.2, rng=0)
        VanillaRNN(dim=80, n_inputs=1)
        """
        n = validate.integer("n", n, low=1)
        n_inputs = validate.integer("n_inputs", n_inputs, low=0)
        gain = validate.real("gain", gain, low=0.0)
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
        return cls(gain * W + mean, V, b, activation=activation, leak=leak)

    def step(self, x: Any, u: Any = None) -> Any:
        """Return the next state ``(..., n)``; without an input, under zero input."""
        W, V, b = (self.params[name] for name in "WVb")
        drive = b if u is None else _apply(V, u) + b
        return (1 - self.leak) * x + self.leak * (_apply(W, self.activation.function(x)) + drive)

    def jacobian(self, x: Any, u: Any = None) -> Any:
        r"""Return :math:`(1 - \alpha) I + \alpha W \mathrm{diag}(\phi'(h))`, ``(..., n, n)``."""
        slope = self.leak * self.activation.derivative(x)
        return (1 - self.leak) * np.eye(self.dim) + self.params["W"] * slope[..., None, :]

    def pushforward(self, x: Any, Q: Any, u: Any = None) -> Any:
        """Return the Jacobian times ``Q (..., n, k)`` without forming it."""
        slope = self.leak * self.activation.derivative(x)
        return (1 - self.leak) * Q + anp.matmul(self.params["W"], slope[..., None] * Q)

    @property
    def n_outputs(self) -> int:
        """Number of units."""
        return self.dim

    def output(self, x: Any) -> Any:
        r"""Return the activation :math:`\phi(h)`, the hidden state of other frameworks."""
        return self.activation.function(x)

    def output_pushforward(self, x: Any, Q: Any) -> Any:
        r"""Return :math:`\mathrm{diag}(\phi'(h))\,Q`."""
        return self.activation.derivative(x)[..., None] * Q

    def input_jacobian(self, x: Any, u: Any = None) -> Any:
        r"""Return :math:`\alpha V`, ``(..., n, m)``, the same at all states."""
        return self.leak * self.params["V"]

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `System.orbit`."""
        return _VanillaOrbit(self, x, inputs, n_steps)


def _apply(W: Any, x: Any) -> Any:
    """Multiply states ``(..., n)`` by weights that one or all networks have."""
    if np.ndim(value(W)) == 2:
        return anp.dot(x, W.T)
    return anp.matmul(W, x[..., None])[..., 0]


class _VanillaOrbit(Orbit):
    r"""A stretch of a vanilla network's trajectory; see `Orbit` for the contract.

    `slope` is the diagonal :math:`\alpha \phi'(h_s)`, so that
    :math:`D_s = (1 - \alpha) I + W\,\mathrm{diag}(\mathrm{slope}_s)`.
    """

    def __init__(self, cell: VanillaRNN, x: Array, inputs: Array | None, n_steps: int) -> None:
        self.cell = cell
        self.W, self.V, self.b = (cell.params[name] for name in "WVb")
        self.transposed = transposed(self.W)
        self.inputs = inputs
        self.states = empty((n_steps + 1, *x.shape))
        self.rates = empty((n_steps, *x.shape))
        self.states[0] = x
        with np.errstate(over="ignore", invalid="ignore"):
            self._run()
            slope, self._curvature = cell.activation.along(self.states[:-1], self.rates)
            self.slope = slope if cell.leak == 1 else cell.leak * slope
        self._scales = list(self.slope[..., None, :])  # one for each step, made once
        self._slope_bar: Array | None = None
        self._scratch: Array | None = None

    def _run(self) -> None:
        leak, function = self.cell.leak, self.cell.activation.function
        ufunc = np.tanh if self.cell.activation.name == "tanh" else None
        states, rates = self.states, self.rates
        self._drive(states[1:])
        shared = self.W.ndim == 2
        grown = np.empty(states.shape[1:])
        for h, r, following in zip(states, rates, states[1:], strict=False):
            if ufunc is not None:
                ufunc(h, out=r)
            else:
                r[...] = function(h)
            if shared and r.ndim <= 2:
                np.dot(r, self.transposed, out=grown)
            elif shared:
                times(r, self.transposed, out=grown)
            else:
                np.matmul(self.W, r[..., None], out=grown[..., None])
            following += grown
            if leak != 1:
                following *= leak
                following += (1 - leak) * h

    def _drive(self, out: Array) -> None:
        """Write V u + b for all steps, ``(T, ..., n)``, in one matrix product."""
        if self.inputs is None or not self.cell.n_inputs:
            out[...] = self.b
            return
        if self.V.ndim == 2 and self.inputs.shape[:-1] == out.shape[:-1]:
            times(np.ascontiguousarray(self.inputs), transposed(self.V), out=out)
        else:
            out[...] = np.matmul(self.V, self.inputs[..., None])[..., 0]
        out += self.b

    @property
    def jacobians(self) -> Array:
        """Jacobians of all steps ``(T, ..., n, n)``."""
        unit = (1 - self.cell.leak) * np.eye(self.cell.dim)
        return unit + self.W * self.slope[..., None, :]

    def push(self, s: int, rows: Array, out: Array) -> None:
        """Carry tangent vectors through step s."""
        if self._scratch is None or self._scratch.shape != rows.shape:
            self._scratch = np.empty(rows.shape)
        np.multiply(rows, self._scales[s], out=self._scratch)
        times(self._scratch, self.transposed, out=out)
        if self.cell.leak != 1:
            out += (1 - self.cell.leak) * rows

    def pull(self, s: int, rows: Array, out: Array, forward: Array | None = None) -> None:
        """Carry cotangent vectors back through step s, and note what the slope gets."""
        times(rows, self.W, out=out)
        if forward is not None:
            if self._slope_bar is None:
                self._slope_bar = np.zeros_like(self.rates)
            overlap(out, forward, out=self._slope_bar[s])
        out *= self._scales[s]
        if self.cell.leak != 1:
            out += (1 - self.cell.leak) * rows

    def tangent_adjoint(self, rows: Array, rows_bar: Array) -> Cotangent:
        """Differentiate in the slopes, hence the states, and in the weights."""
        assert self._slope_bar is not None
        states = self._slope_bar * (self.cell.leak * self._curvature())
        rows *= self.slope[..., None, :]
        W = contract(rows_bar, rows, self.W.shape)
        return Cotangent(states, None, {"W": W, "V": 0.0, "b": 0.0})

    def state_adjoint(self, states_bar: Array) -> Cotangent:
        """Backpropagate through time."""
        bars = states_bar
        W, leak = self.W, self.cell.leak
        shared = W.ndim == 2
        step = np.empty(bars.shape[1:])
        for here, following, slope in zip(bars[-2::-1], bars[:0:-1], self.slope[::-1], strict=True):
            if shared and step.ndim <= 2:
                np.dot(following, W, out=step)
            elif shared:
                times(following, W, out=step)
            else:
                np.matmul(W.swapaxes(-1, -2), following[..., None], out=step[..., None])
            step *= slope
            here += step
            if leak != 1:
                here += (1 - leak) * following
        driven = bars[1:] if leak == 1 else leak * bars[1:]
        params = {
            "W": contract(driven[..., None, :], self.rates[..., None, :], W.shape),
            "V": np.zeros(self.V.shape),
            "b": unbroadcast(driven, self.b.shape),
        }
        inputs = None
        if self.inputs is not None and self.cell.n_inputs:
            u = np.broadcast_to(self.inputs, (*driven.shape[:-1], self.cell.n_inputs))
            params["V"] = contract(driven[..., None, :], u[..., None, :], self.V.shape)
            back = (
                times(driven, self.V)
                if self.V.ndim == 2
                else (np.matmul(driven[..., None, :], self.V)[..., 0, :])
            )
            inputs = unbroadcast(back, self.inputs.shape)
        return Cotangent(bars[0], inputs, params)
