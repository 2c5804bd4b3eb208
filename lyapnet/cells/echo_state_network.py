"""The echo state network: leaky rates, and weights that may be sparse."""

from __future__ import annotations

import copy
from typing import Any, Self

import autograd.numpy as anp
import numpy as np

from .. import validate
from ..numerics.arrays import Array
from ..numerics.autodiff import value
from ..results.storage import register
from ..systems.orbit import Orbit
from .activation import ACTIVATIONS, as_activation
from .cell import Cell, checked_leak, parameter
from .echo_state_orbit import EchoStateOrbit
from .gated import apply
from .reservoir import draw_weights, spectral_radius_of
from .weights import Dense, Pattern, Sparse


@register
class EchoStateNetwork(Cell):
    r"""A reservoir of leaky rates.

    .. math:: x_{s+1} = (1 - \alpha)\, x_s + \alpha\, \phi(W x_s + V u_{s+1} + b)

    The leak is outside of the nonlinearity, as in the literature on reservoirs; in a `VanillaRNN`
    it is inside, a leak of the pre-activations, and the exponents differ. The state is what a
    readout sees.

    Parameters
    ----------
    W : array (..., n, n) or sparse matrix (n, n)
        Recurrent weights. Of a sparse matrix or array of `scipy.sparse` only the numbers that it
        has are parameters, and its products with tangent vectors are sparse: large networks
        have their leading exponents.
    V : array (..., n, m) or None, optional
        Input weights; none for an autonomous network.
    b : array (..., n) or None, optional
        Biases, zero if None.
    leak : float, optional
        :math:`\alpha`, in (0, 1].
    activation : {"tanh", "relu", "linear"} or object, optional
        :math:`\phi`, as for `VanillaRNN`.
    dt : float, optional
        Time that a step takes, so that exponents can be laid beside those of the system that
        is learnt.

    Attributes
    ----------
    params : dict
        ``W``, ``V`` and ``b``; of sparse weights ``W (nnz,)`` are its numbers.

    References
    ----------
    H. Jaeger, GMD Report 148 (2001); H. Jaeger et al., Neural Networks 20, 335 (2007), for the
    leak.

    Examples
    --------
    >>> import lyapnet as ln
    >>> esn = ln.EchoStateNetwork.random(1000, degree=10, spectral_radius=0.9, rng=0)
    >>> esn
    EchoStateNetwork(dim=1000, n_inputs=1, nonzeros=10000)
    >>> bool(ln.lyapunov_spectrum(esn, 200, k=1, rng=0).exponents[0] < 0)
    True
    """

    def __init__(
        self,
        W: Any,
        V: Any = None,
        b: Any = None,
        *,
        leak: float = 1.0,
        activation: Any = "tanh",
        dt: float = 1.0,
    ) -> None:
        self._pattern: Pattern | None = None
        if hasattr(W, "tocsr"):
            W = W.tocsr()
            if W.shape[0] != W.shape[1]:
                raise ValueError(f"`W` must have shape (n, n), got {W.shape}")
            self._pattern, n = Pattern(W.indices, W.indptr), W.shape[0]
            W = validate.array("W", W.data)
        else:
            W = parameter("W", W, 2)
            n = np.shape(value(W))[-1]
        V = np.zeros((n, 0)) if V is None else parameter("V", V, 2)
        b = np.zeros(n) if b is None else parameter("b", b, 1)
        wanted = {"V": (n, np.shape(value(V))[-1]), "b": (n,)}
        wanted |= {} if self._pattern else {"W": (n, n)}
        for name, x in {"W": W, "V": V, "b": b}.items():
            shape = wanted.get(name, np.shape(value(x)))
            if n == 0 or np.shape(value(x))[-len(shape) :] != shape:
                raise ValueError(
                    f"`{name}` must have shape (..., {', '.join(map(str, shape))}), got "
                    f"{np.shape(value(x))}"
                )
        self.params = {"W": W, "V": V, "b": b}
        self.dim, self.n_inputs = n, np.shape(value(V))[-1]
        self.leak = checked_leak(leak)
        self.activation = as_activation(activation)
        self.dt = validate.real("dt", dt, positive=True)
        if self.networks and self._pattern:
            raise ValueError("`V` and `b` must be of one network where `W` is sparse")

    @property
    def _axes(self) -> dict[str, int]:  # type: ignore[override]  # not the same for sparse weights
        return {"W": 1 if self._pattern else 2, "V": 2, "b": 1}

    def _with(self, params: dict[str, Any]) -> Self:
        other = copy.copy(self)
        other.params = params
        return other

    def _remarkable(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"nonzeros": len(value(self.params["W"]))} if self._pattern else {}
        name = self.activation.name
        for key, x, usual in (("leak", self.leak, 1), ("dt", self.dt, 1)):
            shown |= {} if x == usual else {key: f"{x:g}"}
        return shown if name == "tanh" else {**shown, "activation": repr(name)}

    def _options(self) -> dict[str, Any]:
        if self.activation.name not in ACTIVATIONS:
            raise ValueError("a custom activation cannot be saved: save `params`, and rebuild it")
        options = {"leak": self.leak, "activation": self.activation.name, "dt": self.dt}
        if self._pattern:
            options |= {"indices": self._pattern.indices, "indptr": self._pattern.indptr}
        return options

    @classmethod
    def _from_state(cls, state: dict[str, Any]) -> Self:
        params, options = dict(state["params"]), dict(state["options"])
        if "indptr" in options:
            pattern = Pattern(options.pop("indices"), options.pop("indptr"))
            params["W"] = pattern.matrix(params["W"])
        return cls(**params, **options)

    @classmethod
    def random(
        cls,
        n: int,
        *,
        gain: float = 1.0,
        spectral_radius: float | None = None,
        degree: int | None = None,
        n_inputs: int = 1,
        input_scale: float = 1.0,
        bias: float = 0.0,
        leak: float = 1.0,
        activation: Any = "tanh",
        dt: float = 1.0,
        rng: Any = None,
    ) -> Self:
        r"""Draw a random network.

        Parameters
        ----------
        n : int
            Number of units.
        gain : float, optional
            Weights that are not zero are drawn from :math:`N(0, \mathrm{gain}^2 / d)`, d of them
            in each row: the spectral radius of a large network is about this.
        spectral_radius : float, optional
            Scale the weights to just this spectral radius, in place of `gain`.
        degree : int, optional
            d, numbers in each row of sparse weights; all n of dense ones if left out.
        n_inputs : int, optional
            Number of inputs m.
        input_scale : float, optional
            Input weights are uniform in [-`input_scale`, `input_scale`].
        bias : float, optional
            Biases are uniform in [-`bias`, `bias`].
        leak, activation, dt
            As for the class.
        rng : None, int or Generator, optional
        """
        n = validate.integer("n", n, low=1)
        m = validate.integer("n_inputs", n_inputs, low=0)
        gain = validate.real("gain", gain, low=0.0)
        scale = validate.real("input_scale", input_scale, low=0.0)
        bias = validate.real("bias", bias, low=0.0)
        rng = validate.generator(rng)
        d = None if degree is None else validate.integer("degree", degree, low=1, high=n)
        W = draw_weights(n, d, gain, rng)
        if spectral_radius is not None:
            wanted = validate.real("spectral_radius", spectral_radius, low=0.0)
            W = W * (wanted / spectral_radius_of(W, rng))
        V = scale * rng.uniform(-1.0, 1.0, (n, m))
        b = bias * rng.uniform(-1.0, 1.0, n)
        return cls(W, V, b, leak=leak, activation=activation, dt=dt)

    @property
    def weights(self) -> Dense | Sparse:
        """The recurrent weights, as what is done with them."""
        W = self.params["W"]
        return Sparse(W, self._pattern) if self._pattern else Dense(W)

    def _arguments(self, x: Any, u: Any) -> Any:
        """Return the pre-activations."""
        b = self.params["b"]
        drive = b if u is None or not self.n_inputs else apply(self.params["V"], u) + b
        return self.weights.apply(x) + drive

    def step(self, x: Any, u: Any = None) -> Any:
        """Return the next state ``(..., n)``; without an input, under zero input."""
        new = self.activation.function(self._arguments(x, u))
        return (1 - self.leak) * x + self.leak * new

    def _slope(self, x: Any, u: Any) -> Any:
        return self.leak * self.activation.derivative(self._arguments(x, u))

    def jacobian(self, x: Any, u: Any = None) -> Any:
        r"""Return :math:`(1 - \alpha) I + \alpha\,\mathrm{diag}(\phi') W`, ``(..., n, n)``."""
        unit = (1 - self.leak) * np.eye(self.dim)
        return unit + self._slope(x, u)[..., None] * self.weights.matrix()

    def pushforward(self, x: Any, Q: Any, u: Any = None) -> Any:
        """Return the Jacobian times ``Q (..., n, k)`` without forming it."""
        pushed = anp.swapaxes(self._along(anp.swapaxes(Q, -1, -2)), -1, -2)
        return (1 - self.leak) * Q + self._slope(x, u)[..., None] * pushed

    def _along(self, rows: Any) -> Any:
        if self._pattern is None:
            return anp.matmul(rows, anp.swapaxes(self.params["W"], -1, -2))
        return self.weights.apply(rows)

    def input_jacobian(self, x: Any, u: Any = None) -> Any:
        r"""Return :math:`\alpha\,\mathrm{diag}(\phi') V`, ``(..., n, m)``."""
        return self._slope(x, u)[..., None] * self.params["V"]

    @property
    def n_outputs(self) -> int:
        """Number of units."""
        return self.dim

    def output(self, x: Any) -> Any:
        """Return the rates themselves, ``(..., n)``."""
        return x

    def output_pushforward(self, x: Any, Q: Any) -> Any:
        """Return Q: the output is the state."""
        return Q

    def orbit(self, x: Array, inputs: Array | None, n_steps: int) -> Orbit:
        """Run `n_steps` steps; see `System.orbit`."""
        return EchoStateOrbit(self, x, inputs, n_steps)

    def closed(self, readout: Any, bias: Any = None) -> EchoStateNetwork:
        r"""Return the autonomous network whose output is its input, :math:`u = C x + c`.

        .. math:: x' = (1 - \alpha)\, x + \alpha\, \phi((W + V C)\, x + V c + b)

        The same as a `ClosedLoop`, and faster: it is a network of this kind, of dense weights.

        Parameters
        ----------
        readout : array (m, n)
            C.
        bias : array (m,), optional
            c; zero if left out.
        """
        C = validate.array("readout", readout)
        if self.networks or C.shape != (self.n_inputs, self.dim):
            raise ValueError(
                f"`readout` must have shape ({self.n_inputs}, {self.dim}) and the network be one, "
                f"got {C.shape}"
            )
        c = np.zeros(self.n_inputs) if bias is None else validate.array("bias", bias)
        V = self.params["V"]
        W, b = self.weights.matrix() + V @ C, V @ c + self.params["b"]
        return type(self)(W, None, b, leak=self.leak, activation=self.activation, dt=self.dt)
