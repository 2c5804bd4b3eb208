"""What gated cells share: parameters stacked over gates, and the frame of their orbits."""

from __future__ import annotations

import copy
from typing import Any, ClassVar, Self

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp, primitive
from scipy.special import expit

from .. import validate
from ..numerics.arrays import Array
from ..numerics.autodiff import value
from ..systems.engine import ONE_NETWORK, engine_for, missing
from .biases import draw_biases
from .cell import Cell, parameter

#: The logistic function: traceable, exact in relative terms, and it cannot overflow. (autograd
#: has its own, in a module that loads all of SciPy's statistics.)
sigmoid = primitive(expit)
defvjp(sigmoid, lambda ans, x: lambda g: g * ans * (1 - ans))


class GatedCell(Cell):
    """A cell whose weights are stacked over its gates.

    Attributes
    ----------
    units : int
        Number of units N.
    params : dict
        ``W (..., gates N, N)`` recurrent, ``V (..., gates N, m)`` input weights and
        ``b (..., gates N)`` biases.
    """

    _axes: ClassVar[dict[str, int]] = {"W": 2, "V": 2, "b": 1}
    #: The gates, in the order in which their rows are stacked.
    gates: ClassVar[str]
    #: Their names.
    gate_names: ClassVar[tuple[str, ...]]
    units: int

    @property
    def visible(self) -> slice:
        """Components of the state that a readout sees: h, not the cell state."""
        return slice(0, self.units)

    def _set(self, W: Any, V: Any, b: Any, **more: Any) -> None:
        """Check and keep the parameters; `more` are those of shape ``(..., N)``."""
        W = parameter("W", W, 2)
        n, G = np.shape(value(W))[-1], len(self.gates)
        V = np.zeros((G * n, 0)) if V is None else parameter("V", V, 2)
        b = np.zeros(G * n) if b is None else parameter("b", b, 1)
        more = {k: np.zeros(n) if x is None else parameter(k, x, 1) for k, x in more.items()}
        stacked = f"{G}N"
        shapes = {"W": (stacked, "N"), "V": (stacked, "m"), "b": (stacked,)}
        sizes = {"N": n, stacked: G * n}
        for name, x in {"W": W, "V": V, "b": b, **more}.items():
            names = shapes.get(name, ("N",))
            got = np.shape(value(x))
            fits = zip(names, got[-len(names) :], strict=True)
            if n == 0 or any(sizes.get(want, size) != size for want, size in fits):
                raise ValueError(
                    f"`{name}` must have shape (..., {', '.join(names)}) with gates "
                    f"{', '.join(self.gates)} stacked, here N = {n}; got {got}"
                )
        self.params = {"W": W, "V": V, "b": b, **more}
        self.units = n
        self.n_inputs = np.shape(value(V))[-1]
        self.networks  # noqa: B018 - refuses parameters whose ensembles do not match

    @classmethod
    def _draw(
        cls, n: int, gain: float, n_inputs: int, init: str, mean: float, bias: Any, t_max: Any,
        rng: Any,
    ) -> Self:  # fmt: skip
        """Draw a random cell; see the `random` of each."""
        n = validate.integer("n", n, low=1)
        n_inputs = validate.integer("n_inputs", n_inputs, low=0)
        gain = validate.real("gain", gain, low=0.0)
        mean = validate.real("mean", mean)
        validate.option("init", init, ("gaussian", "orthogonal"))
        rng = validate.generator(rng)
        size = len(cls.gates) * n
        W = np.concatenate([random_weights(n, init, rng) for _ in cls.gates])
        V = rng.standard_normal((size, n_inputs))
        b = draw_biases(bias, t_max, n, cls.gate_names, rng)
        return cls(gain * W + mean, V, b)  # type: ignore[call-arg]  # of each of the two cells

    def gate_values(self, x: Any, u: Any = None) -> dict[str, Any]:
        """Return what each gate is at states ``(..., n)`` under inputs ``(..., m)``.

        Returns
        -------
        dict of str to array (..., N)
            By the names in `gate_names`; the candidate, "cell" of an LSTM and "new" of a GRU,
            lies in (-1, 1), the others in (0, 1).
        """
        values = self._values(x, u)[0]
        return dict(zip(self.gate_names, values, strict=False))

    def _values(self, x: Any, u: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Return the gates and what they multiply, and 1 - sigma or 1 - tanh**2 of the gates."""
        raise NotImplementedError

    def _drive(self, u: Any) -> Any:
        """Return V u + b; without an input, b."""
        b = self.params["b"]
        return b if u is None else apply(self.params["V"], u) + b

    def cannot_compile(self) -> str:
        """Return why the network cannot be run by compiled loops, nothing if it can."""
        return missing() or (ONE_NETWORK if self.networks else "")

    def prepared(self, x: Array, inputs: Array | None, k: int, n_steps: int) -> Self:
        """Return the network with compiled loops where they pay; see `System.prepared`."""
        return self.with_loops(k, n_steps)

    def with_loops(self, k: int, n_steps: int) -> Self:
        """Return the network with compiled loops where they pay; see `System.with_loops`."""
        other = copy.copy(self)
        other.engine_used = engine_for(self, self.dim * k, n_steps)
        return other

    def _loops(self, x: Array, n_steps: int) -> bool:
        """Say whether compiled loops are to run steps from states ``(..., n)``."""
        return self.engine_used[0] == "compiled" and n_steps > 0 and x.size > 0

    def _split(self, a: Any) -> list[Any]:
        """Return the parts ``(..., N)`` of ``(..., gates N)``."""
        n = self.units
        return [a[..., j * n : (j + 1) * n] for j in range(a.shape[-1] // n)]

    @property
    def n_outputs(self) -> int:
        """Number of units."""
        return self.units

    def output(self, x: Array) -> Array:
        """Return h, ``(..., N)``."""
        return x[..., : self.units]

    def output_pushforward(self, x: Array, Q: Array) -> Array:
        """Return the rows of h, ``(..., N, k)``."""
        return Q[..., : self.units, :]

    def output_pullback(self, x: Array, bar: Array) -> Array:
        """Return cotangents of the state: those of h, and zero for a cell state."""
        found = np.zeros(x.shape)
        found[..., : self.units] = bar
        return found

    def _blocks(self, name: str = "W") -> list[Any]:
        """Return the weights ``(..., N, N)`` of each gate, or those of the inputs."""
        W, n = self.params[name], self.units
        return [W[..., j * n : (j + 1) * n, :] for j in range(len(self.gates))]


def random_weights(n: int, init: str, rng: np.random.Generator) -> Array:
    """Draw recurrent weights ``(n, n)``: Gaussian of variance 1/n, or orthogonal and uniform."""
    W = rng.standard_normal((n, n))
    if init == "gaussian":
        return W / np.sqrt(n)
    Q, R = np.linalg.qr(W)
    signed: Array = Q * np.sign(np.diag(R))  # makes it uniform: Mezzadri, Notices AMS 2007
    return signed


def apply(W: Any, x: Any) -> Any:
    """Multiply states ``(..., n)`` by weights that one or all networks have; traceable."""
    if np.ndim(value(W)) == 2:
        return anp.dot(x, W.T)
    return anp.matmul(W, x[..., None])[..., 0]
